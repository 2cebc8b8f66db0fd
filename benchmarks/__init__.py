# SPDX-License-Identifier: Apache-2.0
"""Measurements of the product as it is installed; `make bench` prints and stores them."""

# SPDX-License-Identifier: Apache-2.0
"""Every way in: HTTP, portal pages, command line; and the one place that constructs things."""

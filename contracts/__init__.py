# SPDX-License-Identifier: Apache-2.0
"""Wire types and proof formats shared by server and endpoint agent.

This package imports nothing of ours and nothing heavy: an endpoint installs it.
"""

# SPDX-License-Identifier: Apache-2.0
"""Reads files that people bring as knowledge; each parser runs apart, in a bounded process.

`sandbox` is the way in. The parsers themselves are called directly only by the child process and
by tests. Nothing is imported here, so that the child starts quickly.
"""

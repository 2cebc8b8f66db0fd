# SPDX-License-Identifier: Apache-2.0
"""What keeps untrusted text, personal data and dangerous scripts from doing harm.

Masking, the vault of originals, sanitising, injection flags, static analysis of scripts and
policy decisions. Nothing here decides alone: it denies, flags and describes.
"""

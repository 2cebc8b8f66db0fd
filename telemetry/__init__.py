# SPDX-License-Identifier: Apache-2.0
"""What devices say of themselves, and what went wrong with them.

Validation, normalisation, enrichment and storage of reports; the inventory of devices and users;
incidents and their life cycle. Judging the numbers is models' business.
"""

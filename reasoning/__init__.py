# SPDX-License-Identifier: Apache-2.0
"""From an incident to one sealed proposal, or to an honest abstention."""

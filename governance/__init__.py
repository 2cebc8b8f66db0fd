# SPDX-License-Identifier: Apache-2.0
"""Who may decide what: risk, approvals, quorum, freeze windows, risk exceptions, labels.

Knows nothing of scripts' languages, telemetry or policies' syntax: it states ports.
"""

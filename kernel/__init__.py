# SPDX-License-Identifier: Apache-2.0
"""The ground that every room of the server stands on.

PostgreSQL, settings, clock, identifiers, keys, the outbox, the audit intake and structured logs.
It knows nothing of devices, incidents or proposals, and imports contracts only.
"""

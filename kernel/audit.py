# SPDX-License-Identifier: Apache-2.0
"""The audit intake: one call that writes an audit event inside the caller's transaction.

Either the change and its event are both committed, or neither is. The order of events and their
place in the Merkle log are evidence/'s business. Values must be masked before they come here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "audit")
LOG_DIFFERENCES = {
    "missing": "not in the database",
    "unlogged": "not in the audit log",
    "twice": "more than once in the audit log",
    "order": "in another order in the database than in the audit log",
}  # how a table of decisions can differ from the events about them


class AuditIntake:
    """Records who did what to which subject, and on what evidence."""

    def __init__(self, clock: Clock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids

    async def record(
        self,
        connection: Connection,
        *,
        actor: str,
        action: str,
        subject_kind: str,
        subject_id: str,
        correlation_id: str,
        device_id: str | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        evidence: Sequence[str] = (),
    ) -> str:
        """Write one event and return its id.

        Args:
            connection: carries the transaction of the change itself.
            actor: who acted: `user:NAME`, `device:ID`, `service:NAME`, or the user's name.
            action: what was done, such as `incident.opened`.
            subject_kind: what kind of thing was changed, such as `incident`.
            subject_id: which one.
            correlation_id: of the request that caused it.
            device_id: the device concerned, if any.
            before: masked state before the change.
            after: masked state after it.
            evidence: digests of evidence bundles.
        """
        event_id = self._ids.new("evt")
        await connection.execute(
            QUERIES["insert_event"],
            {
                "event_id": event_id,
                "occurred_at": self._clock.now(),
                "actor": actor,
                "action": action,
                "subject_kind": subject_kind,
                "subject_id": subject_id,
                "device_id": device_id,
                "correlation_id": correlation_id,
                "before": None if before is None else Jsonb(dict(before)),
                "after": None if after is None else Jsonb(dict(after)),
                "evidence": Jsonb(list(evidence)),
            },
        )
        return event_id

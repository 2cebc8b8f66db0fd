# SPDX-License-Identifier: Apache-2.0
"""Devices' incidents as parts of a fleet incident, and what is known of the whole.

A part is kept: its time line, proposals and jobs go on. It only waits for nobody on its own while
the whole has not ended. Every change writes its audit event in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from contracts.failure import Severity
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from telemetry.errors import UnknownIncidentError
from telemetry.incidents import Incident, read_incident, record_change

QUERIES = load_queries(__file__, "incidents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of a fleet incident now. All texts are masked."""

    device_id: str  # stands for the others
    title: str
    description: str
    entity: str
    detection: dict[str, Any]
    severity: Severity
    occurrences: int  # episodes that belong or belonged to it


class IncidentParts:
    """Links devices' incidents to a whole, releases them, describes the whole anew."""

    def __init__(self, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def link(
        self,
        connection: Connection,
        incident_ids: Sequence[str],
        whole_id: str,
        *,
        actor: str,
        correlation_id: str,
    ) -> tuple[Incident, ...]:
        """Make devices' incidents part of a fleet incident; return those that were not."""
        cursor = await connection.execute(
            QUERIES["link_to_whole"],
            {
                "incident_ids": list(incident_ids),
                "whole_id": whole_id,
                "now": self._clock.now(),
            },
        )
        linked = tuple(read_incident(row) for row in await cursor.fetchall())
        for incident in linked:
            await record_change(
                self._audit, connection, incident, action="incident.joined", actor=actor,
                correlation_id=correlation_id, before=None, after={"part_of": whole_id},
            )  # fmt: skip
        return linked

    async def list(self, connection: Connection, whole_id: str) -> tuple[Incident, ...]:
        """Return the parts of a fleet incident that have not ended, oldest first."""
        cursor = await connection.execute(QUERIES["list_parts"], {"whole_id": whole_id})
        return tuple(read_incident(row) for row in await cursor.fetchall())

    async def release(
        self, connection: Connection, incident_id: str, *, actor: str, correlation_id: str
    ) -> Incident | None:
        """Let a part stand on its own again; None if it does already."""
        cursor = await connection.execute(
            QUERIES["release_part"], {"incident_id": incident_id, "now": self._clock.now()}
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        incident = read_incident(row)
        await record_change(
            self._audit, connection, incident, action="incident.released", actor=actor,
            correlation_id=correlation_id, before=None, after={"part_of": None},
        )  # fmt: skip
        return incident

    async def redescribe(
        self,
        connection: Connection,
        incident_id: str,
        known: Description,
        *,
        actor: str,
        correlation_id: str,
    ) -> Incident:
        """Say of a fleet incident what is known now.

        Raises:
            UnknownIncidentError: there is no fleet incident with this id.
        """
        cursor = await connection.execute(
            QUERIES["redescribe"],
            {
                "incident_id": incident_id,
                "device_id": known.device_id,
                "title": known.title,
                "description": known.description,
                "entity": known.entity,
                "detection": Jsonb(known.detection),
                "severity": str(known.severity),
                "occurrences": known.occurrences,
                "now": self._clock.now(),
            },
        )
        row = await cursor.fetchone()
        if row is None:
            raise UnknownIncidentError(incident_id)
        incident = read_incident(row)
        await record_change(
            self._audit, connection, incident, action="incident.described", actor=actor,
            correlation_id=correlation_id, before=None,
            after={"title": known.title, "device_id": known.device_id,
                   "occurrences": known.occurrences},
        )  # fmt: skip
        return incident


async def count_others(connection: Connection, incident_id: str) -> int:
    """Return how many devices beside the one that stands for a fleet incident are affected."""
    cursor = await connection.execute(QUERIES["count_others"], {"incident_id": incident_id})
    row = await cursor.fetchone()
    return int(row["n_devices"]) if row else 0

# SPDX-License-Identifier: Apache-2.0
"""Incidents: one open one per device and episode, and a life cycle whose steps are checked.

Detections, tickets and alerts come here as signals whose texts are masked already. Everything
that changes an incident writes its audit event in the same transaction. `reported_by` is the first
reporter; all of them, those of merged signals too, are the actors of `incident.opened` and
`incident.merged`, which is where separation of duties reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from contracts.failure import FailureClass, Severity
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.outbox import Outbox
from kernel.queries import load_queries
from telemetry.errors import ForbiddenTransitionError, UnknownDeviceError, UnknownIncidentError

QUERIES = load_queries(__file__, "incidents")


class IncidentStatus(StrEnum):
    """Where an incident stands on its road."""

    OPEN = "open"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REMEDIATING = "remediating"
    VERIFYING = "verifying"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    CLOSED = "closed"


_S = IncidentStatus
# A person may end an incident (closed) or take it over (escalated) at any time before its end.
# Out of escalation a person may propose a fix by hand, or state that it is solved.
ALLOWED_TRANSITIONS: Mapping[IncidentStatus, frozenset[IncidentStatus]] = MappingProxyType(
    {
        _S.OPEN: frozenset({_S.PROPOSED, _S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
        _S.PROPOSED: frozenset({_S.OPEN, _S.APPROVED, _S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
        _S.APPROVED: frozenset({_S.OPEN, _S.REMEDIATING, _S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
        _S.REMEDIATING: frozenset({_S.VERIFYING, _S.ESCALATED, _S.CLOSED}),
        _S.VERIFYING: frozenset({_S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
        _S.RESOLVED: frozenset({_S.CLOSED}),
        _S.ESCALATED: frozenset({_S.OPEN, _S.PROPOSED, _S.RESOLVED, _S.CLOSED}),
        _S.CLOSED: frozenset(),
    }
)


class IncidentScope(StrEnum):
    """What an incident is about: one device, or what many have in common."""

    DEVICE = "device"
    FLEET = "fleet"


class IncidentSource(StrEnum):
    """Who noticed it: a model, a person, or another tool."""

    DETECTION = "detection"
    TICKET = "ticket"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSignal:
    """A reason to open an incident. All texts are masked."""

    device_id: str | None
    user_id: str | None
    source: IncidentSource | str
    failure_class: FailureClass | str
    confidence: float
    severity: Severity | str
    title: str
    description: str
    episode_key: str
    detection: dict[str, Any]
    reported_by: str
    correlation_id: str
    entity: str = ""  # what of the device is at fault: a process, a mount, a service, a program
    repeats: bool = False  # the sender repeats itself: its episode is one incident, device or not
    observed_at: datetime | None = None  # when a device saw it
    scope: IncidentScope = IncidentScope.DEVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is wrong with a device, or what a person reported."""

    incident_id: str
    device_id: str | None
    user_id: str | None
    source: IncidentSource
    failure_class: FailureClass
    confidence: float
    severity: Severity
    status: IncidentStatus
    title: str
    description: str
    episode_key: str
    entity: str
    detection: dict[str, Any]
    occurrences: int
    reported_by: str
    correlation_id: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    scope: IncidentScope  # a fleet's names as its device the one that stands for the others
    part_of: str | None  # the fleet incident that a device's belongs to


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One step of an incident's life; the first one comes from `none`."""

    position: int
    from_status: str
    to_status: IncidentStatus
    actor: str
    reason: str
    occurred_at: datetime


class Incidents:
    """Opens incidents, merges signals into them, moves them on, reads them."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake, outbox: Outbox) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._outbox = outbox

    async def open_or_merge(
        self, connection: Connection, signal: IncidentSignal
    ) -> tuple[Incident, bool]:
        """Return the incident of a signal, and whether it was opened by it.

        A signal without a device always opens one, unless it repeats. Signals of one device and
        episode that come at the same time wait for each other and end in one incident. A signal
        that repeats joins an escalated incident too, where any other opens a new one. What a
        device saw before its episode was solved, and is judged later, belongs to what was solved.

        Raises:
            UnknownDeviceError: the signal names a device that is not registered; the caller's
                transaction remains usable.
        """
        incident_id = self._ids.new("inc")
        incident = await self._insert(connection, signal, incident_id)
        if incident.incident_id != incident_id:
            await record_change(
                self._audit,
                connection,
                incident,
                action="incident.merged",
                actor=signal.reported_by,
                correlation_id=signal.correlation_id,
                before={"occurrences": incident.occurrences - 1},
                after={"occurrences": incident.occurrences, "severity": incident.severity},
            )
            return incident, False
        await self._add_step(
            connection, incident, "none", actor=signal.reported_by, reason=str(signal.source)
        )
        await record_change(
            self._audit,
            connection,
            incident,
            action="incident.opened",
            actor=signal.reported_by,
            correlation_id=signal.correlation_id,
            before=None,
            after={
                "status": incident.status,
                "source": incident.source,
                "failure_class": incident.failure_class,
                "severity": incident.severity,
                "title": incident.title,
            },
        )
        await self.call_reasoner(connection, incident_id, signal.correlation_id)
        return incident, True

    async def call_reasoner(
        self, connection: Connection, incident_id: str, correlation_id: str
    ) -> None:
        """Ask for a proposal; nothing comes of it unless the incident is open then."""
        await self._outbox.publish(
            connection,
            topic="incident.opened",
            payload={"incident_id": incident_id},
            correlation_id=correlation_id,
        )

    async def reopen(
        self, connection: Connection, incident_id: str, *, actor: str, reason: str
    ) -> Incident:
        """Have the reasoner propose anew what was escalated, on today's telemetry.

        Raises:
            UnknownIncidentError: there is none with this id.
            ForbiddenTransitionError: it is not escalated, or its episode has an open incident.
        """
        incident = await self.transition(
            connection, incident_id, _S.OPEN, actor=actor, reason=reason, only_from=_S.ESCALATED
        )
        await self.call_reasoner(connection, incident_id, incident.correlation_id)
        return incident

    async def transition(
        self,
        connection: Connection,
        incident_id: str,
        to: IncidentStatus,
        *,
        actor: str,
        reason: str,
        only_from: IncidentStatus | None = None,
    ) -> Incident:
        """Move an incident on; `only_from` narrows from where.

        Raises:
            UnknownIncidentError: there is none with this id.
            ForbiddenTransitionError: the step is not allowed from where it stands, or it would
                become the second open incident of its device and episode.
        """
        cursor = await connection.execute(QUERIES["lock_incident"], {"incident_id": incident_id})
        row = await cursor.fetchone()
        if row is None:
            raise UnknownIncidentError(incident_id)
        current = read_incident(row)
        misplaced = only_from is not None and current.status is not only_from
        if misplaced or to not in ALLOWED_TRANSITIONS[current.status]:
            raise ForbiddenTransitionError(incident_id, current.status, to)
        try:
            async with connection.transaction():
                cursor = await connection.execute(
                    QUERIES["set_status"],
                    {"incident_id": incident_id, "status": str(to), "now": self._clock.now()},
                )
                row = await cursor.fetchone()
        except psycopg.errors.UniqueViolation as error:
            raise ForbiddenTransitionError(incident_id, current.status, to) from error
        if row is None:
            raise UnknownIncidentError(incident_id)
        incident = read_incident(row)
        await self._add_step(connection, incident, current.status, actor=actor, reason=reason)
        await record_change(
            self._audit,
            connection,
            incident,
            action=f"incident.{to}",
            actor=actor,
            correlation_id=incident.correlation_id,
            before={"status": current.status},
            after={"status": incident.status, "reason": reason},
        )
        return incident

    async def find(
        self, connection: Connection, incident_id: str, *, hold: bool = False
    ) -> Incident | None:
        """Return an incident, or None; `hold` keeps others from changing it meanwhile."""
        query = QUERIES["lock_incident" if hold else "find_incident"]
        cursor = await connection.execute(query, {"incident_id": incident_id})
        row = await cursor.fetchone()
        return read_incident(row) if row else None

    async def timeline(self, connection: Connection, incident_id: str) -> tuple[Transition, ...]:
        """Return the steps of an incident's life, oldest first; none for an unknown one."""
        cursor = await connection.execute(QUERIES["list_transitions"], {"incident_id": incident_id})
        return tuple(
            Transition(**{**row, "to_status": IncidentStatus(row["to_status"])})
            for row in await cursor.fetchall()
        )

    async def list(
        self,
        connection: Connection,
        *,
        status: IncidentStatus | None = None,
        device_id: str | None = None,
        limit: int = 100,
    ) -> tuple[Incident, ...]:
        """Return the newest incidents, newest first."""
        cursor = await connection.execute(
            QUERIES["list_incidents"],
            {
                "status": str(status) if status else None,
                "device_id": device_id,
                "limit": limit,
            },
        )
        return tuple(read_incident(row) for row in await cursor.fetchall())

    async def _insert(
        self, connection: Connection, signal: IncidentSignal, incident_id: str
    ) -> Incident:
        parameters = {
            "incident_id": incident_id,
            "device_id": signal.device_id,
            "user_id": signal.user_id,
            "source": str(signal.source),
            "failure_class": str(FailureClass(signal.failure_class)),
            "confidence": signal.confidence,
            "severity": str(Severity(signal.severity)),
            "title": signal.title,
            "description": signal.description,
            "episode_key": signal.episode_key,
            "entity": signal.entity,
            "detection": Jsonb(signal.detection),
            "reported_by": signal.reported_by,
            "correlation_id": signal.correlation_id,
            "scope": str(signal.scope),
            "now": self._clock.now(),
        }
        if signal.device_id is not None:
            found = await connection.execute(
                QUERIES["hold_device"], {"device_id": signal.device_id}
            )
            if await found.fetchone() is None:
                raise UnknownDeviceError(signal.device_id)
        row = None
        if signal.observed_at is not None:
            parameters["observed_at"] = signal.observed_at
            await connection.execute(QUERIES["hold_open"], parameters)
            row = await (await connection.execute(QUERIES["join_solved"], parameters)).fetchone()
        elif signal.repeats:
            await connection.execute(QUERIES["hold_episode"], parameters)
            row = await (await connection.execute(QUERIES["repeat"], parameters)).fetchone()
        if row is None:
            row = await (await connection.execute(QUERIES["open_or_merge"], parameters)).fetchone()
        if row is None:
            raise UnknownIncidentError(incident_id)
        return read_incident(row)

    async def _add_step(
        self, connection: Connection, incident: Incident, before: str, *, actor: str, reason: str
    ) -> None:
        await connection.execute(
            QUERIES["insert_transition"],
            {
                "incident_id": incident.incident_id,
                "from_status": str(before),
                "to_status": str(incident.status),
                "actor": actor,
                "reason": reason,
                "now": self._clock.now(),
            },
        )


async def record_change(
    audit: AuditIntake,
    connection: Connection,
    incident: Incident,
    *,
    action: str,
    actor: str,
    correlation_id: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    """Write the audit event of a change of an incident."""
    await audit.record(
        connection,
        actor=actor,
        action=action,
        subject_kind="incident",
        subject_id=incident.incident_id,
        device_id=incident.device_id,
        correlation_id=correlation_id,
        before=before,
        after=after,
    )


def read_incident(row: Mapping[str, Any]) -> Incident:
    """Return an incident from its row."""
    return Incident(
        **{
            **row,
            "source": IncidentSource(row["source"]),
            "failure_class": FailureClass(row["failure_class"]),
            "severity": Severity(row["severity"]),
            "status": IncidentStatus(row["status"]),
            "scope": IncidentScope(row["scope"]),
        }
    )

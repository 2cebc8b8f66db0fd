# SPDX-License-Identifier: Apache-2.0
"""The failure class that people give an incident, and the history of it.

A person corrects the class that the models gave, or confirms it; each time one row is written that
is never changed, and the incident shows the latest. What was sealed before keeps the class that it
was sealed with, severity and episode stay as they are, and a closed incident is left alone. Who may
do it is asked at the ways in; `reason` is masked there.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contracts.failure import FailureClass
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from telemetry.errors import (
    ClassChangedError,
    IncidentClosedError,
    TooManyStatementsError,
    UnknownIncidentError,
)
from telemetry.incidents import Incident, IncidentStatus, read_incident, record_change

QUERIES = load_queries(__file__, "incident_classes")
LABELLED = "incident.class_labelled"  # the action that is audited; governance reads its actors
CONFIDENCE_OF_PEOPLE = 1.0
MAX_REASON_CHARACTERS = 1000  # as the ways in bound it
MAX_STATEMENTS = 50  # of one incident: who disagrees for longer should talk


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStatement:
    """What a person says of an incident.

    `seen_class` is the one that the person saw when saying it; None: it does not matter. UNKNOWN
    is none of the known failures, or no fault at all. A service names whom it speaks for as
    `user:NAME`.
    """

    incident_id: str
    failure_class: FailureClass
    seen_class: FailureClass | None
    actor: str
    reason: str
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLabel:
    """One statement as it was stored; the first one's `from_class` is the models'."""

    label_id: str
    from_class: FailureClass
    from_confidence: float
    failure_class: FailureClass
    actor: str
    reason: str
    created_at: datetime
    on_behalf_of: str | None = None

    @property
    def speaker(self) -> str:
        """Who said so, and through which service."""
        return f"{self.on_behalf_of} through {self.actor}" if self.on_behalf_of else self.actor


class IncidentClasses:
    """Takes what people say of an incident's class. The caller owns the transaction."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit

    async def label(
        self, connection: Connection, stated: ClassStatement
    ) -> tuple[Incident, ClassLabel, bool]:
        """Give an incident a class; return it, its newest label, and whether that is new.

        Saying again what a person has said already changes nothing, whoever says it. Those who
        label one incident at the same time wait for each other.

        Raises:
            UnknownIncidentError: there is none with this id.
            IncidentClosedError: it has ended for good.
            ClassChangedError: its class is no longer the one that the person saw.
            TooManyStatementsError: people went to and fro too often.
        """
        incident, known = await hold_class(connection, stated.incident_id)
        if known and known[-1].failure_class is stated.failure_class:
            return incident, known[-1], False
        if incident.status is IncidentStatus.CLOSED:
            raise IncidentClosedError(stated.incident_id)
        if stated.seen_class not in (None, incident.failure_class):
            by_whom = known[-1].speaker if known else None
            raise ClassChangedError(stated.incident_id, incident.failure_class, by_whom)
        if len(known) >= MAX_STATEMENTS:
            raise TooManyStatementsError(stated.incident_id, len(known))
        return await self._store(connection, incident, stated)

    async def _store(
        self, connection: Connection, before: Incident, stated: ClassStatement
    ) -> tuple[Incident, ClassLabel, bool]:
        label = ClassLabel(
            label_id=self._ids.new("icl"),
            from_class=before.failure_class,
            from_confidence=before.confidence,
            failure_class=stated.failure_class,
            actor=stated.actor,
            reason=stated.reason,
            created_at=self._clock.now(),
            on_behalf_of=stated.on_behalf_of,
        )
        values = {
            **asdict(label),
            "incident_id": before.incident_id,
            "from_class": str(label.from_class),
            "failure_class": str(label.failure_class),
            "confidence": CONFIDENCE_OF_PEOPLE,
        }
        await connection.execute(QUERIES["insert_class_label"], values)
        row = await (await connection.execute(QUERIES["set_class"], values)).fetchone()
        if row is None:
            raise UnknownIncidentError(before.incident_id)
        incident = read_incident(row)
        await record_change(
            self._audit,
            connection,
            incident,
            action=LABELLED,
            actor=stated.actor,
            correlation_id=incident.correlation_id,
            before={"failure_class": before.failure_class, "confidence": before.confidence},
            after={
                "failure_class": incident.failure_class,
                "reason": stated.reason,
                "label_id": label.label_id,
                **({"on_behalf_of": label.on_behalf_of} if label.on_behalf_of else {}),
            },
        )
        return incident, label, True


async def hold_class(
    connection: Connection, incident_id: str
) -> tuple[Incident, tuple[ClassLabel, ...]]:
    """Return an incident and what people said of its class, oldest first.

    Neither its status nor its class changes before the transaction ends.

    Raises:
        UnknownIncidentError: there is none with this id.
    """
    cursor = await connection.execute(QUERIES["lock_incident"], {"incident_id": incident_id})
    row = await cursor.fetchone()
    if row is None:
        raise UnknownIncidentError(incident_id)
    return read_incident(row), await list_class_labels(connection, incident_id)


async def list_class_labels(connection: Connection, incident_id: str) -> tuple[ClassLabel, ...]:
    """Return what people said of an incident's class, oldest first."""
    cursor = await connection.execute(QUERIES["list_class_labels"], {"incident_id": incident_id})
    return tuple(_read_label(row) for row in await cursor.fetchall())


def _read_label(row: Mapping[str, Any]) -> ClassLabel:
    return ClassLabel(
        **{
            **row,
            "from_class": FailureClass(row["from_class"]),
            "failure_class": FailureClass(row["failure_class"]),
        }
    )

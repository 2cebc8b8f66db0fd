# SPDX-License-Identifier: Apache-2.0
"""Takes in tickets and alerts: masks, classifies, opens or merges the incident.

The original text never reaches a table: what was masked lies in the vault, under the incident's
id, and only there (invariant 4).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.canonical import digest_of
from contracts.failure import FailureClass, Severity
from guardrails.directory import Directory
from guardrails.directory_feed import read_own_names
from guardrails.injection import flag_injection
from guardrails.masking import Masker
from guardrails.vault import Vault
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from models.champions import Champions
from models.classification import Classification
from models.inference import record_inference
from models.registry import LoadedModel
from models.tickets import classify_ticket
from telemetry.incidents import Incident, Incidents, IncidentSignal, IncidentSource

URGENT = frozenset({FailureClass.DISK_HEALTH, FailureClass.SECURITY_AGENT_OFF, FailureClass.DNS})
MAX_TITLE_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 20_000
REPORTER = "<USERNAME_1>"  # stands for the user that a ticket names as its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A report in free text, unmasked, with its sender."""

    title: str
    description: str
    device_id: str | None
    user_id: str | None
    reported_by: str
    severity: Severity | None = None
    source: IncidentSource = IncidentSource.TICKET
    repeat_key: str | None = None  # of a tool that sends the same alert until it is resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodTicket:
    """A ticket, masked and classified; holds the originals for the vault."""

    ticket: Ticket
    title: str
    description: str
    user_id: str | None
    flags: tuple[str, ...]
    originals: Mapping[str, str] = field(repr=False)
    answer: Classification
    answered_by: LoadedModel = field(repr=False)
    episode_key: str


class TicketIntake:
    """Opens incidents from what people and other tools write."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdSource,
        incidents: Incidents,
        pool: Pool,
        masker: Masker,
        vault: Vault,
        champions: Champions,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._incidents = incidents
        self._pool = pool
        self._masker = masker
        self._vault = vault
        self._champions = champions

    async def understand(self, ticket: Ticket) -> UnderstoodTicket:
        """Mask and classify a ticket; in a thread, since a long text takes a while.

        The names of its device, of that device's users and of its own user count at once, however
        lately they came to be known.
        """
        users = [ticket.user_id] if ticket.user_id else []
        async with self._pool.connection() as connection:
            own = await read_own_names(connection, device_id=ticket.device_id, user_ids=users)
        return await asyncio.to_thread(self._understand, ticket, own)

    def _understand(self, ticket: Ticket, own: Directory) -> UnderstoodTicket:
        known = {REPORTER: ticket.user_id} if ticket.user_id else {}
        title, description = self._masker.mask_many((ticket.title, ticket.description), known, own)
        model = self._champions.current("tickets")
        answer = classify_ticket(model.model, f"{title.text}\n{description.text}")
        shown_title = title.text[:MAX_TITLE_CHARACTERS]
        shown_text = description.text[:MAX_DESCRIPTION_CHARACTERS]
        return UnderstoodTicket(
            ticket=ticket,
            title=shown_title,
            description=shown_text,
            user_id=REPORTER if ticket.user_id else None,
            # The original: masking strips the invisible characters that one of the flags is about.
            flags=flag_injection(f"{ticket.title}\n{ticket.description}"),
            originals={**title.originals, **description.originals, **known},
            answer=answer,
            answered_by=model,
            episode_key=_name_episode(ticket, answer.failure_class, f"{shown_title}\n{shown_text}"),
        )

    async def store(
        self, connection: Connection, understood: UnderstoodTicket, *, correlation_id: str
    ) -> tuple[Incident, bool]:
        """Open an incident, or merge the ticket into the open one that says the same.

        Raises:
            UnknownDeviceError: the ticket names a device that is not enrolled; the caller's
                transaction remains usable.
        """
        ticket, answer = understood.ticket, understood.answer
        incident, created = await self._incidents.open_or_merge(
            connection,
            IncidentSignal(
                device_id=ticket.device_id,
                user_id=understood.user_id,
                source=ticket.source,
                failure_class=answer.failure_class,
                confidence=answer.confidence,
                severity=ticket.severity or _rate(answer.failure_class),
                title=understood.title,
                description=understood.description,
                episode_key=understood.episode_key,
                detection={"flags": list(understood.flags)} if understood.flags else {},
                reported_by=ticket.reported_by,
                correlation_id=correlation_id,
                repeats=ticket.repeat_key is not None,
            ),
        )
        if created:
            await self._vault.store(connection, incident.incident_id, understood.originals)
        await self._record_inference(connection, incident, understood)
        return incident, created

    async def _record_inference(
        self, connection: Connection, incident: Incident, understood: UnderstoodTicket
    ) -> None:
        answer = understood.answer
        await record_inference(
            connection,
            self._ids,
            self._clock,
            model=understood.answered_by,
            subject_kind="incident",
            subject_id=incident.incident_id,
            output=answer.as_json(),
            confidence=answer.confidence,
        )


def _rate(failure_class: FailureClass) -> Severity:
    if failure_class in URGENT:
        return Severity.S1
    return Severity.S3 if failure_class is FailureClass.UNKNOWN else Severity.S2


def _name_episode(ticket: Ticket, failure_class: FailureClass, text: str) -> str:
    nameless = ticket.device_id is None or failure_class is FailureClass.UNKNOWN
    if nameless and ticket.repeat_key is not None:
        return f"alert:{ticket.repeat_key}"
    if failure_class is FailureClass.UNKNOWN:
        return f"ticket:{digest_of(text)[:16]}"
    return f"ticket:{failure_class.value}"

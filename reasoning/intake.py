# SPDX-License-Identifier: Apache-2.0
"""Takes in tickets and alerts: masks, classifies, opens or merges the incident.

The original text never reaches a table: what was masked lies in the vault, under the incident's
id, and only there (invariant 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.canonical import digest_of
from contracts.failure import FailureClass, Severity
from guardrails.injection import flag_injection
from guardrails.masking import Masker
from guardrails.vault import Vault
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from models.inference import record_inference
from models.registry import LoadedModel
from models.tickets import classify_ticket
from telemetry.incidents import Incident, Incidents, IncidentSignal, IncidentSource

URGENT = frozenset({FailureClass.DISK_HEALTH, FailureClass.SECURITY_AGENT_OFF, FailureClass.DNS})
MAX_TITLE_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 20_000


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
    labels: Mapping[str, str] | None = None


class TicketIntake:
    """Opens incidents from what people and other tools write."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdSource,
        incidents: Incidents,
        masker: Masker,
        vault: Vault,
        model: LoadedModel,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._incidents = incidents
        self._masker = masker
        self._vault = vault
        self._model = model

    async def open(
        self, connection: Connection, ticket: Ticket, *, correlation_id: str
    ) -> tuple[Incident, bool]:
        """Open an incident, or merge the ticket into the open one that says the same.

        Raises:
            UnknownDeviceError: the ticket names a device that is not enrolled.
        """
        title, description = self._masker.mask_many((ticket.title, ticket.description))
        text = f"{title.text}\n{description.text}"
        answer = classify_ticket(self._model.model, text)
        incident, created = await self._incidents.open_or_merge(
            connection,
            IncidentSignal(
                device_id=ticket.device_id,
                user_id=ticket.user_id,
                source=ticket.source,
                failure_class=answer.failure_class,
                confidence=answer.confidence,
                severity=ticket.severity or _rate(answer.failure_class),
                title=title.text[:MAX_TITLE_CHARACTERS],
                description=description.text[:MAX_DESCRIPTION_CHARACTERS],
                episode_key=_episode(answer.failure_class, text),
                detection=_signals(ticket),
                reported_by=ticket.reported_by,
                correlation_id=correlation_id,
            ),
        )
        if created:
            await self._vault.store(
                connection,
                incident.incident_id,
                {**title.originals, **description.originals},
            )
        await record_inference(
            connection,
            self._ids,
            self._clock,
            model=self._model,
            subject_kind="incident",
            subject_id=incident.incident_id,
            output={
                "failure_class": answer.failure_class.value,
                "abstained": answer.abstained,
                "top": {
                    name.value: round(share, 4)
                    for name, share in list(answer.probabilities.items())[:5]
                },
            },
            confidence=answer.confidence,
        )
        return incident, created


def _rate(failure_class: FailureClass) -> Severity:
    if failure_class in URGENT:
        return Severity.S1
    return Severity.S3 if failure_class is FailureClass.UNKNOWN else Severity.S2


def _episode(failure_class: FailureClass, text: str) -> str:
    if failure_class is FailureClass.UNKNOWN:
        return f"ticket:{digest_of(text)[:16]}"
    return f"ticket:{failure_class.value}"


def _signals(ticket: Ticket) -> dict[str, Any]:
    # The original: masking strips the invisible characters that one of the flags is about.
    flags = flag_injection(f"{ticket.title}\n{ticket.description}")
    found: dict[str, Any] = {}
    if flags:
        found["flags"] = list(flags)
    if ticket.labels:
        found["labels"] = {str(key): str(value) for key, value in ticket.labels.items()}
    return found

# SPDX-License-Identifier: Apache-2.0
"""Real tickets with what they turned out to be about: labels for the ticket classifier.

What a person said of the incident's class comes first. Else a ticket is taken to be about what its
script cures, where a person chose that script instead of ours, or telemetry proved that the fix
held; a script for several failures says only that the ticket's own class was right, if it is one of
them. The texts are those of the incidents, which are stored masked; no other text is read
(invariant 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.failure import FailureClass
from kernel.database import Connection
from kernel.person import normalise_person
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "ticket_labels")
MAX_TICKETS = 50_000
_CLASSES = frozenset(str(member) for member in FailureClass) - {str(FailureClass.UNKNOWN)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTicket:
    """A ticket's masked text, and the failure class that people or telemetry gave it.

    `person` is whose word it is, empty where telemetry proved it. `device` bounds what it counts:
    the device's id, and where the ticket names none, who reported it, as one device.
    """

    masked_text: str
    label: str
    person: str = ""
    device: str = ""


async def list_labelled_tickets(connection: Connection) -> list[LabelledTicket]:
    """Return the newest labelled tickets, oldest first; what people stated at the end."""
    cursor = await connection.execute(QUERIES["list_stated_tickets"], {"limit": MAX_TICKETS})
    stated = await cursor.fetchall()
    known = {row["incident_id"] for row in stated}
    cursor = await connection.execute(QUERIES["list_labelled_tickets"], {"limit": MAX_TICKETS})
    proved = []
    for row in reversed(await cursor.fetchall()):
        label = conclude_class(row["failure_class"], row["failure_classes"])
        if label is not None and row["incident_id"] not in known:
            proved.append(_read_ticket(row, label))
    return [*proved, *(_read_ticket(row, row["failure_class"]) for row in reversed(stated))]


def _read_ticket(row: Mapping[str, Any], label: str) -> LabelledTicket:
    return LabelledTicket(
        masked_text=f"{row['title']}\n{row['description']}",
        label=label,
        person=row["person"] or "",
        device=row["device_id"] or f"reported by {normalise_person(row['reported_by'])}",
    )


def conclude_class(said: str, cured: Sequence[str]) -> str | None:
    """Return the class that a fix proves, None where it leaves several.

    Args:
        said: the class that the ticket was given when it came.
        cured: the classes that its script is for.

    """
    possible = [name for name in cured if name in _CLASSES]
    if len(possible) == 1:
        return possible[0]
    return said if said in possible else None

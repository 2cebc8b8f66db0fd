# SPDX-License-Identifier: Apache-2.0
"""Real tickets with what they turned out to be about: labels for the ticket classifier.

A ticket is taken to be about what its script cures, where a person chose that script instead of
ours, or telemetry proved that the fix held. A script for several failures says only that the
ticket's own class was right, if it is one of them. The texts are those of the incidents, which
are stored masked; no other text is read (invariant 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.failure import FailureClass
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "ticket_labels")
MAX_TICKETS = 50_000
_CLASSES = frozenset(str(member) for member in FailureClass) - {str(FailureClass.UNKNOWN)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTicket:
    """A ticket's masked text, and the failure class that people or telemetry gave it."""

    masked_text: str
    label: str


async def list_labelled_tickets(connection: Connection) -> list[LabelledTicket]:
    """Return the newest labelled tickets, oldest first."""
    cursor = await connection.execute(QUERIES["list_labelled_tickets"], {"limit": MAX_TICKETS})
    found = []
    for row in reversed(await cursor.fetchall()):
        label = conclude_class(row["failure_class"], row["failure_classes"])
        if label is not None:
            text = f"{row['title']}\n{row['description']}"
            found.append(LabelledTicket(masked_text=text, label=label))
    return found


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

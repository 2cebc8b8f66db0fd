# SPDX-License-Identifier: Apache-2.0
"""Labels for the next training: what people decided and what verified outcomes were.

Each is published too, for those who learn from it at once.
"""

from dataclasses import dataclass
from enum import StrEnum

from governance.proposals import Proposal
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.outbox import Outbox
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "labels")


class LabelKind(StrEnum):
    """Who is the source of a label: a person, or telemetry after the fix."""

    DECISION = "decision"
    OUTCOME = "outcome"


class Labels:
    """Writes labels inside the transaction of what they describe."""

    def __init__(self, clock: Clock, ids: IdSource, outbox: Outbox) -> None:
        self._clock = clock
        self._ids = ids
        self._outbox = outbox

    async def add(
        self, connection: Connection, proposal: Proposal, *, kind: LabelKind, label: str, actor: str
    ) -> str:
        """Store one label and return its id."""
        label_id = self._ids.new("lbl")
        await connection.execute(
            QUERIES["insert_label"],
            {
                "label_id": label_id,
                "incident_id": proposal.incident_id,
                "proposal_id": proposal.proposal_id,
                "script_id": proposal.script_id,
                "kind": kind.value,
                "label": label,
                "actor": actor,
                "created_at": self._clock.now(),
            },
        )
        await self._outbox.publish(
            connection,
            topic="case.labelled",
            payload={"label_id": label_id},
            correlation_id=proposal.correlation_id,
        )
        return label_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLabel:
    """One label as it was stored."""

    proposal_id: str
    kind: LabelKind
    label: str
    actor: str


async def find_label(connection: Connection, label_id: str) -> StoredLabel | None:
    """Return one label, or None."""
    row = await (await connection.execute(QUERIES["find_label"], {"label_id": label_id})).fetchone()
    return StoredLabel(**{**row, "kind": LabelKind(row["kind"])}) if row else None


async def count_labels(connection: Connection, script_id: str) -> dict[tuple[LabelKind, str], int]:
    """Return how often a script received each label, by (kind, label)."""
    cursor = await connection.execute(QUERIES["count_labels"], {"script_id": script_id})
    return {
        (LabelKind(row["kind"]), row["label"]): row["n_labels"] for row in await cursor.fetchall()
    }

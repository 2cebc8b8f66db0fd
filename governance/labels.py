# SPDX-License-Identifier: Apache-2.0
"""Labels for the next training: what people decided and what verified outcomes were."""

from enum import StrEnum

from governance.proposals import Proposal
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "labels")


class LabelKind(StrEnum):
    """Who is the source of a label: a person, or telemetry after the fix."""

    DECISION = "decision"
    OUTCOME = "outcome"


class Labels:
    """Writes labels inside the transaction of what they describe."""

    def __init__(self, clock: Clock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids

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
        return label_id


async def count_labels(connection: Connection, script_id: str) -> dict[tuple[LabelKind, str], int]:
    """Return how often a script received each label, by (kind, label)."""
    cursor = await connection.execute(QUERIES["count_labels"], {"script_id": script_id})
    return {
        (LabelKind(row["kind"]), row["label"]): row["n_labels"] for row in await cursor.fetchall()
    }

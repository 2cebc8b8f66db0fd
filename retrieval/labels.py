# SPDX-License-Identifier: Apache-2.0
"""What helped: the labels that similar tickets vote with and that ranking learns from.

A person's newest word on a document for a text counts, once. Past tickets by which somebody says
nearly the same of a document again are kept, to learn from, and have no vote of their own: else
whoever may bring tickets decides what is found. Texts are masked before they come here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pgvector import HalfVector

from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from retrieval.embedding import Vectors

QUERIES = load_queries(__file__, "labels")
MAX_LABELS = 100_000  # read at once; the newest are enough to learn from
# Cosine of texts that are one voice if one actor brings them: within one temperature of votes. Of
# 2,900 pairs of real histories 7 are that near to another one of the same document.
ECHO_SIMILARITY = 0.93


class Label(StrEnum):
    """Whether a document helped."""

    HELPED = "helped"
    DID_NOT_HELP = "did_not_help"


class Origin(StrEnum):
    """How it is known."""

    SEARCH = "search"  # somebody marked a hit
    CITATION = "citation"  # an approver kept it in what was approved
    DECISION = "decision"  # its script was approved, overridden or rejected
    OUTCOME = "outcome"  # its script was verified, or failed
    IMPORT = "import"  # past tickets of another tool


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLabel:
    """One person's word, or one outcome, on a document for a masked text."""

    text: str
    document_id: str
    label: Label
    origin: Origin
    actor: str
    chunk_id: str | None = None


async def store_labels(
    connection: Connection,
    labels: Sequence[SearchLabel],
    vectors: Vectors,
    *,
    model: str,
    clock: Clock,
    ids: IdSource,
) -> list[str]:
    """Store labels and return their ids; the same actor's earlier ones on the same text go.

    Those who store one actor's labels take turns, until their transactions end.

    Args:
        connection: of the caller's transaction, who also audits.
        labels: what to store.
        vectors: of their texts, as searches make them, shape (n_labels, n_dimensions).
        model: that made the vectors.
        clock: tells when.
        ids: names them.
    """
    rows = [
        _make_row(one, vector, label_id=ids.new("lbl"), model=model, now=clock.now())
        for one, vector in zip(labels, vectors, strict=True)
    ]
    for actor in sorted({one.actor for one in labels}):
        await connection.execute(QUERIES["lock_labels"], {"actor": actor})
    async with connection.cursor() as cursor:
        await cursor.executemany(QUERIES["insert_label"], rows)
    return [str(row["label_id"]) for row in rows]


def _make_row(
    label: SearchLabel, vector: Vectors, *, label_id: str, model: str, now: datetime
) -> dict[str, Any]:
    return {
        "label_id": label_id,
        "text": label.text,
        "document_id": label.document_id,
        "chunk_id": label.chunk_id,
        "label": label.label.value,
        "origin": label.origin.value,
        "embedding": HalfVector(vector).to_text(),
        "model": model,
        "actor": label.actor,
        "now": now,
        "echo_similarity": ECHO_SIMILARITY,
    }


async def withdraw_labels(
    connection: Connection, *, text: str, document_id: str, actor: str, origin: Origin
) -> None:
    """Forget what somebody said before of a document for a masked text; the caller audits."""
    await connection.execute(
        QUERIES["withdraw_labels"],
        {"text": text, "document_id": document_id, "actor": actor, "origin": origin.value},
    )


async def count_brought(
    connection: Connection, *, actor: str, origin: Origin, since: datetime
) -> int:
    """Return how many labels of an origin somebody has brought since a moment."""
    parameters = {"actor": actor, "origin": origin.value, "since": since}
    row = await (await connection.execute(QUERIES["count_brought"], parameters)).fetchone()
    return int(row["n_labels"]) if row else 0


async def list_answered(
    connection: Connection, *, limit: int = MAX_LABELS
) -> list[tuple[str, frozenset[str]]]:
    """Return the masked texts of the newest labels with what helped, oldest first."""
    rows = await (await connection.execute(QUERIES["list_answered"], {"limit": limit})).fetchall()
    answered: dict[str, set[str]] = {}
    for row in reversed(rows):
        answered.setdefault(row["text"], set()).add(row["document_id"])
    return [(text, frozenset(documents)) for text, documents in answered.items()]

# SPDX-License-Identifier: Apache-2.0
"""What helped, in people's words: marks of hits, and past tickets with what solved them.

Decides what is stored and how it is audited. Texts are masked here, and no audit event has one. A
person's newest word on a document for a text counts, and can be taken back.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from pgvector import HalfVector

from api.errors import BudgetSpentError
from api.ground import Ground
from api.readers import Groups, list_groups
from contracts.canonical import digest_of
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.embedding import Embedder
from retrieval.labels import (
    Label,
    Origin,
    SearchLabel,
    count_brought,
    store_labels,
    withdraw_labels,
)
from retrieval.query_vectors import embed_queries

QUERIES = load_queries(__file__, "search")
MAX_TEXT_CHARACTERS = 8_000  # what is beyond no search reads
MAX_MASKINGS = 4  # two were enough for each text that was seen
MAX_TICKETS = 1_000  # at once
_LAST_WORD = re.compile(r"(?<=\s)\S*\Z")
DAY = timedelta(hours=24)
SIMILARITY = 0.7  # cosine of a past ticket that people are told is similar; it ranks nothing


class Verdict(StrEnum):
    """What became of a past ticket."""

    STORED = "stored"
    REPEATED = "repeated"  # a later one in the same batch says it of the same text and document
    NO_TEXT = "no_text"
    UNKNOWN_DOCUMENT = "unknown_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTicket:
    """A ticket as it was written, and a document that helped with it or did not."""

    text: str
    document_id: str
    label: Label = Label.HELPED


def bound_text(text: str) -> str:
    """Return a text of bounded length, cut between words: half an address would not be masked."""
    kept = text[:MAX_TEXT_CHARACTERS]
    if kept == text or text[MAX_TEXT_CHARACTERS].isspace():
        return kept
    return _LAST_WORD.sub("", kept)


class SearchFeedback:
    """Stores what people say of documents, with its audit events."""

    def __init__(self, ground: Ground, embedder: Embedder) -> None:
        self._ground = ground
        self._embedder = embedder

    async def mask(self, text: str) -> str:
        """Return a text as searches and labels may know it; what is masked stays as it is.

        A mask can uncover what stood too close to be seen: it is done until nothing changes.
        """
        bounded = bound_text(text)
        for _ in range(MAX_MASKINGS):
            masked = (await self._ground.mask_text(bounded)).strip()
            if masked == bounded:
                break
            bounded = masked
        return bounded

    async def add(
        self,
        connection: Connection,
        labels: Sequence[SearchLabel],
        *,
        correlation_id: str,
        audited_as: str | None = None,
    ) -> list[str]:
        """Store labels of masked texts with an audit event each; return their ids.

        `audited_as` is who acts where that is not whose word it is.
        """
        label_ids = await self._store(connection, labels)
        for label_id, one in zip(label_ids, labels, strict=True):
            await self._ground.audit.record(
                connection,
                actor=audited_as or one.actor,
                action="search_label.stored",
                subject_kind="search_label",
                subject_id=label_id,
                correlation_id=correlation_id,
                after=_describe(one.document_id, one.label, one.origin),
            )
        return label_ids

    async def _store(self, connection: Connection, labels: Sequence[SearchLabel]) -> list[str]:
        texts = list(dict.fromkeys(one.text for one in labels))
        if not texts:
            return []
        vectors = await embed_queries(self._embedder, texts)
        places = {text: place for place, text in enumerate(texts)}
        return await store_labels(
            connection,
            labels,
            np.array([vectors[places[one.text]] for one in labels]),
            model=self._embedder.name,
            clock=self._ground.clock,
            ids=self._ground.ids,
        )

    async def withdraw(
        self,
        connection: Connection,
        *,
        text: str,
        document_id: str,
        actor: str,
        correlation_id: str,
    ) -> bool:
        """Take back what somebody marked; return whether there was anything."""
        rows = await _list_marks(connection, [document_id], text=text, actor=actor)
        await withdraw_labels(
            connection, text=text, document_id=document_id, actor=actor, origin=Origin.SEARCH
        )
        for row in rows:
            await self._ground.audit.record(
                connection,
                actor=actor,
                action="search_label.withdrawn",
                subject_kind="search_label",
                subject_id=row["label_id"],
                correlation_id=correlation_id,
                before=_describe(document_id, row["label"], Origin.SEARCH),
            )
        return bool(rows)

    async def take_tickets(
        self,
        tickets: Sequence[PastTicket],
        *,
        groups: Groups,
        actor: str,
        correlation_id: str,
        per_day: int | None = None,
    ) -> list[Verdict]:
        """Store past tickets in one transaction with one audit event; return their verdicts.

        Args:
            tickets: as they were written, at most MAX_TICKETS.
            groups: of who brings them: only documents that they may read can be named.
            actor: who brings them.
            correlation_id: of the request.
            per_day: how many the actor may bring within 24 hours; None: any number.

        Raises:
            BudgetSpentError: they would be more; none was stored.
        """
        if per_day is not None:
            async with self._ground.pool.connection() as connection:
                await self._check_budget(connection, actor, per_day, n_more=1)  # before work
        masked = await self._mask_all(tickets)
        async with self._ground.pool.connection() as connection:
            known = await list_readable(
                connection, {ticket.document_id for ticket in tickets}, groups=groups
            )
            verdicts, labels = _judge(tickets, masked, known, actor=actor)
            label_ids = await self._store(connection, labels)
            if per_day is not None:
                await self._check_budget(connection, actor, per_day, n_more=0)
            if label_ids:
                await self._audit_import(connection, labels, label_ids, actor, correlation_id)
        return verdicts

    async def _check_budget(
        self, connection: Connection, actor: str, per_day: int, *, n_more: int
    ) -> None:
        since = self._ground.clock.now() - DAY
        n_brought = await count_brought(connection, actor=actor, origin=Origin.IMPORT, since=since)
        if n_brought + n_more > per_day:
            raise BudgetSpentError(
                f"{actor} may bring {per_day} past tickets within 24 hours, and this would be more:"
                " none of these was taken. Go on tomorrow, or on the server run `eucora kb labels"
                " import`; EUCORA_LABELS_PER_DAY sets the bound"
            )

    async def _mask_all(self, tickets: Sequence[PastTicket]) -> list[str]:
        texts = list(dict.fromkeys(ticket.text for ticket in tickets))
        masked = dict(zip(texts, [await self.mask(text) for text in texts], strict=True))
        return [masked[ticket.text] for ticket in tickets]

    async def _audit_import(
        self,
        connection: Connection,
        labels: Sequence[SearchLabel],
        label_ids: Sequence[str],
        actor: str,
        correlation_id: str,
    ) -> None:
        """Record one event that commits to all the labels: a thousand would swamp the trail."""
        content = [
            [label_id, one.document_id, one.label.value]
            for label_id, one in zip(label_ids, labels, strict=True)
        ]
        await self._ground.audit.record(
            connection,
            actor=actor,
            action="search_labels.imported",
            subject_kind="search_labels",
            subject_id=self._ground.ids.new("lbb"),
            correlation_id=correlation_id,
            after={
                "origin": Origin.IMPORT.value,
                "n_helped": sum(one.label is Label.HELPED for one in labels),
                "n_did_not_help": sum(one.label is Label.DID_NOT_HELP for one in labels),
                "n_documents": len({one.document_id for one in labels}),
                "labels_sha256": digest_of(content),
            },
        )


def _describe(document_id: str, label: str, origin: str) -> dict[str, str]:
    return {"document_id": document_id, "label": str(label), "origin": str(origin)}


def _judge(
    tickets: Sequence[PastTicket], masked: Sequence[str], known: frozenset[str], *, actor: str
) -> tuple[list[Verdict], list[SearchLabel]]:
    """Return each ticket's verdict, and what is to be stored; the last word on a text counts."""
    newest = {
        (text, ticket.document_id): place
        for place, (ticket, text) in enumerate(zip(tickets, masked, strict=True))
    }
    verdicts, labels = [], []
    for place, (ticket, text) in enumerate(zip(tickets, masked, strict=True)):
        if not text:
            verdicts.append(Verdict.NO_TEXT)
        elif ticket.document_id not in known:
            verdicts.append(Verdict.UNKNOWN_DOCUMENT)
        elif newest[text, ticket.document_id] != place:
            verdicts.append(Verdict.REPEATED)
        else:
            verdicts.append(Verdict.STORED)
            labels.append(
                SearchLabel(
                    text=text,
                    document_id=ticket.document_id,
                    label=ticket.label,
                    origin=Origin.IMPORT,
                    actor=actor,
                )
            )
    return verdicts, labels


async def list_readable(
    connection: Connection, document_ids: set[str], *, groups: Groups
) -> frozenset[str]:
    """Return those documents that are in force and that a reader may see."""
    parameters = {"document_ids": sorted(document_ids), "groups": list_groups(groups)}
    cursor = await connection.execute(QUERIES["list_readable_ids"], parameters)
    return frozenset(row["document_id"] for row in await cursor.fetchall())


async def read_marks(
    connection: Connection, document_ids: Sequence[str], *, text: str, actor: str
) -> Mapping[str, str]:
    """Return what somebody has marked for a masked text, by document."""
    rows = await _list_marks(connection, document_ids, text=text, actor=actor)
    return {row["document_id"]: row["label"] for row in rows}


async def _list_marks(
    connection: Connection, document_ids: Sequence[str], *, text: str, actor: str
) -> list[dict[str, Any]]:
    cursor = await connection.execute(
        QUERIES["list_marks"],
        {
            "document_ids": list(document_ids),
            "text": text,
            "actor": actor,
            "origin": Origin.SEARCH.value,
        },
    )
    return await cursor.fetchall()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLabel:
    """A label as it is stored, its text masked."""

    label_id: str
    created_at: datetime
    document_id: str
    label: str
    origin: str
    actor: str
    text: str


async def list_labels(
    connection: Connection, *, document_id: str | None, limit: int
) -> list[ListedLabel]:
    """Return the newest labels, of one document or of all."""
    parameters = {"document_id": document_id, "limit": limit}
    cursor = await connection.execute(QUERIES["list_labels"], parameters)
    return [ListedLabel(**row) for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """How many labels there are of an origin and a word, on how many texts and documents."""

    origin: str
    label: str
    n_labels: int
    n_texts: int
    n_documents: int


async def count_labels(connection: Connection) -> list[LabelCount]:
    """Return how many labels there are, by origin and word."""
    cursor = await connection.execute(QUERIES["count_labels"])
    return [LabelCount(**row) for row in await cursor.fetchall()]


async def count_similar(
    connection: Connection, embedder: Embedder, text: str, document_ids: Sequence[str]
) -> Mapping[str, int]:
    """Return with how many similar past tickets documents have helped."""
    if not document_ids:
        return {}
    (vector,) = await embed_queries(embedder, [text])
    parameters = {
        "document_ids": list(document_ids),
        "model": embedder.name,
        "embedding": HalfVector(vector).to_text(),
        "similarity": SIMILARITY,
    }
    cursor = await connection.execute(QUERIES["count_similar_helped"], parameters)
    return {row["document_id"]: row["n_tickets"] for row in await cursor.fetchall()}

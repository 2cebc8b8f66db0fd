# SPDX-License-Identifier: Apache-2.0
"""Makes a new search index beside the one that serves, and puts it in its place.

Searches go on all the while, and so do those who change the corpus: they write to the new index
too, and take turns with the builder page by page. Embedding happens outside of these turns; what
changed meanwhile is left to whoever changed it. The switch is one transaction, in which nothing may
be missing. A builder that was killed leaves an index that the next one goes on with, if both make
the same.

Making and dropping an index's tables excludes searches for a moment. They are asked for with
patience but never waited for, as searches would queue behind: each try gives up within a fifth of
a second.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.queries import load_queries
from kernel.session_lock import try_session_lock
from retrieval.corpus import embed_entries, lock_corpus
from retrieval.embedding import Embedder
from retrieval.errors import ReindexingBusyError, ReindexingError, TablesBusyError
from retrieval.facets import facets_of
from retrieval.keywords import RECIPE
from retrieval.search_index import (
    IndexEntry,
    SearchIndex,
    abandon_index,
    add_entries,
    count_missing,
    create_graphs,
    create_index,
    drop_retired,
    find_index,
    list_open_indexes,
    list_texts,
    serve_index,
    settle_lengths,
)

QUERIES = load_queries(__file__, "reindexing")
DOCUMENTS_AT_ONCE = 32  # are embedded together, then added in one transaction
LOCK_TIMEOUT = "200ms"  # searches wait no longer than this for tables that are made or dropped
PAUSE_SECONDS = 0.5
MAKE_ATTEMPTS = 240
DROP_ATTEMPTS = 20
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Documents as they were read, with their versions."""

    entries: tuple[IndexEntry, ...]
    versions: dict[str, int]
    last_id: str


async def needs_reindex(connection: Connection, embedder: Embedder) -> bool:
    """Whether searches lack an index, or theirs is incomplete or made in another way.

    Raises:
        EmbeddingModelError: the embedder is a lazy one and not loaded yet.
    """
    index = await find_index(connection)
    if index is None:
        row = await (await connection.execute(QUERIES["has_documents"])).fetchone()
        return bool(row and row["found"])
    return not _is_made_by(index, embedder) or await count_missing(connection, index) > 0


class Reindexer:
    """Builds indexes, one at a time in the whole installation."""

    def __init__(self, pool: Pool, embedder: Embedder, clock: Clock, audit: AuditIntake) -> None:
        self._pool = pool
        self._embedder = embedder
        self._clock = clock
        self._audit = audit

    async def build(
        self, *, actor: str, correlation_id: str, progress: Progress = lambda *_: None
    ) -> SearchIndex:
        """Build an index of all documents in force, or finish one, and let searches use it.

        Args:
            actor: who asks for it.
            correlation_id: of the request that caused it.
            progress: called after each page with the number of documents done and of all that
                this call has to do.

        Raises:
            ReindexingBusyError: another builder is at work.
            TablesBusyError: two minutes were not enough to make the tables.
            ReindexingError: documents were missing at the end.
        """
        async with self._alone():
            await self._embedder.embed(("",))  # a lazy one is loaded, and its revision known
            index = await self._begin()
            await self._fill(index, progress)
            await self._make_graphs(index)
            await self._fill(index, lambda *_: None)  # what others stored in the meantime
            served = await self._serve(index, actor, correlation_id)
            await self.drop_leftovers()
            return served

    async def drop_leftovers(self) -> bool:
        """Drop the tables of indexes that no longer serve; return whether none is left.

        Searches and ingestion that hold them go first: call it again later.
        """
        for attempt in range(DROP_ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(
                        QUERIES["set_lock_timeout"], {"lock_timeout": LOCK_TIMEOUT}
                    )
                    await drop_retired(connection)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                continue
            return True
        return False

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with try_session_lock(self._pool, "reindexing") as is_mine:
            if not is_mine:
                raise ReindexingBusyError
            yield

    async def _begin(self) -> SearchIndex:
        for attempt in range(MAKE_ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with self._pool.connection() as connection:
                    return await self._find_or_create(connection)
            except psycopg.errors.LockNotAvailable:
                continue
        raise TablesBusyError

    async def _find_or_create(self, connection: Connection) -> SearchIndex:
        await lock_corpus(connection)
        begun = await find_index(connection, "building")
        if begun is not None:
            if _is_made_by(begun, self._embedder):
                return begun
            await abandon_index(connection, begun, self._clock)
        await connection.execute(QUERIES["set_lock_timeout"], {"lock_timeout": LOCK_TIMEOUT})
        return await create_index(connection, self._embedder, self._clock, state="building")

    async def _fill(self, index: SearchIndex, progress: Progress) -> None:
        """Add what the index lacks, a transaction a page."""
        async with self._pool.connection() as connection:
            total = await count_missing(connection, index)
        after, n_done = "", 0
        while True:
            async with self._pool.connection() as connection:
                page = await _read_page(connection, index, after)
            if page is None:
                return
            vectors = await embed_entries(self._embedder, page.entries)
            async with self._pool.connection() as connection:
                await lock_corpus(connection)
                kept = await _find_unchanged(connection, index, page)
                await self._add(
                    connection,
                    index,
                    [page.entries[place] for place in kept],
                    [vectors[place] for place in kept],
                )
            after, n_done = page.last_id, n_done + len(page.entries)
            progress(n_done, max(total, n_done))

    async def _add(
        self,
        connection: Connection,
        index: SearchIndex,
        entries: Sequence[IndexEntry],
        vectors: Sequence[Any],
    ) -> None:
        for opened in await list_open_indexes(connection):  # as it stands now, and locked
            if opened.index_id == index.index_id:
                await add_entries(connection, opened, entries, vectors)

    async def _make_graphs(self, index: SearchIndex) -> None:
        """Make the graphs, unless a builder before this one has; weights are settled first."""
        key = {"index_id": index.index_id}
        async with self._pool.connection() as connection:
            row = await (await connection.execute(QUERIES["has_graphs"], key)).fetchone()
            if row and row["found"]:
                return
            await lock_corpus(connection)
            await settle_lengths(connection, "building")
        async with self._pool.connection() as connection:
            await create_graphs(connection, index)

    async def _serve(self, index: SearchIndex, actor: str, correlation_id: str) -> SearchIndex:
        async with self._pool.connection() as connection:
            await lock_corpus(connection)
            after = ""
            while (page := await _read_page(connection, index, after)) is not None:
                vectors = await embed_entries(self._embedder, page.entries)
                await self._add(connection, index, page.entries, vectors)
                after = page.last_id
            if n_missing := await count_missing(connection, index):
                raise ReindexingError(f"the new index lacks {n_missing} documents")
            await settle_lengths(connection, "building")
            before = await find_index(connection)
            await serve_index(connection, index, self._clock)
            served = await find_index(connection)
            if served is None or served.index_id != index.index_id:
                raise ReindexingError("the new index was given up meanwhile")
            await self._audit.record(
                connection,
                actor=actor,
                action="search_index.served",
                subject_kind="search_index",
                subject_id=str(index.index_id),
                correlation_id=correlation_id,
                before=None if before is None else _describe(before),
                after=_describe(served),
            )
        return served


def _is_made_by(index: SearchIndex, embedder: Embedder) -> bool:
    made = (index.model, index.revision, index.recipe)
    return made == (embedder.name, embedder.revision, RECIPE)


def _describe(index: SearchIndex) -> dict[str, Any]:
    return {
        "index_id": index.index_id,
        "model": index.model,
        "revision": index.revision,
        "recipe": index.recipe,
        "n_chunks": index.n_chunks,
    }


async def _read_page(connection: Connection, index: SearchIndex, after: str) -> _Page | None:
    """Return the next documents that the index lacks; None if there are no more."""
    rows = await (
        await connection.execute(
            QUERIES["list_missing"],
            {"index_id": index.index_id, "after": after, "limit": DOCUMENTS_AT_ONCE},
        )
    ).fetchall()
    if not rows:
        return None
    return _Page(
        entries=tuple([await _read_entry(connection, row) for row in rows]),
        versions={row["document_id"]: row["version"] for row in rows},
        last_id=rows[-1]["document_id"],
    )


async def _read_entry(connection: Connection, row: dict[str, Any]) -> IndexEntry:
    texts = await list_texts(connection, row["document_id"])
    return IndexEntry(
        document_id=row["document_id"],
        facets=facets_of(row),
        chunk_ids=list(texts),
        texts=list(texts.values()),
    )


async def _find_unchanged(connection: Connection, index: SearchIndex, page: _Page) -> list[int]:
    """Return the places of those of a page that are still in force as read, and missing."""
    rows = await (
        await connection.execute(
            QUERIES["list_still_missing"],
            {"index_id": index.index_id, "document_ids": list(page.versions)},
        )
    ).fetchall()
    missing = {row["document_id"]: row["version"] for row in rows}
    return [
        place
        for place, entry in enumerate(page.entries)
        if missing.get(entry.document_id) == page.versions[entry.document_id]
    ]

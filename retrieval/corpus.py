# SPDX-License-Identifier: Apache-2.0
"""Keeps the corpus in PostgreSQL: documents by version, their passages, what searches read.

Incremental by content hash: an unchanged document costs one look-up. A changed document gets a
new version; the old one leaves search but stays, so that old citations resolve.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contracts.canonical import digest_of
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.articles import Article
from retrieval.chunking import cut_into_chunks
from retrieval.embedding import Embedder, Vectors
from retrieval.errors import EmbeddingModelError
from retrieval.facets import facets_of, list_facets
from retrieval.manifest import CatalogueEntry
from retrieval.parsing.documents import UNDETERMINED, Block
from retrieval.search_index import (
    IndexEntry,
    add_entries,
    change_facets,
    create_index,
    find_index,
    list_open_indexes,
    read_for_search,
    remove_document,
    settle_lengths,
)

QUERIES = load_queries(__file__, "corpus")
RECIPE = "3"  # of chunking: another one makes new versions of all documents
DOCUMENTS_AT_ONCE = 32  # are embedded together


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusDocument:
    """What is stored of an article or of a script's description.

    `blocks` are the structure that a parser found; without them the body is read as Markdown.
    Whoever is in none of `access_groups` does not find the document, unless there are none.
    """

    document_id: str
    kind: str
    title: str
    body: str
    source: str
    trust: str
    platforms: tuple[str, ...]
    products: tuple[str, ...]
    failure_classes: tuple[str, ...]
    related_scripts: tuple[str, ...]
    source_id: str | None = None
    path: str = ""
    language: str = UNDETERMINED
    access_groups: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] | None = None

    @property
    def content_sha256(self) -> str:
        """SHA-256 of all that is stored, but where it was read."""
        return digest_of(
            [
                RECIPE,
                self.kind,
                self.title,
                self.body,
                self.trust,
                list(self.platforms),
                list(self.products),
                list(self.failure_classes),
                list(self.related_scripts),
                self.language,
                list(self.access_groups),
            ]
        )

    def facets(self) -> list[str]:
        """Return what filters ask for."""
        return list_facets(
            kind=self.kind,
            trust=self.trust,
            language=self.language,
            platforms=self.platforms,
            products=self.products,
            groups=self.access_groups,
        )


def document_of_article(article: Article, *, trust: str, source: str) -> CorpusDocument:
    """Return the corpus document of an article; its symptoms are part of the text.

    People describe a failure in words like these, so they find what the prose alone does not.
    """
    reports = "".join(f"- {symptom}\n" for symptom in article.symptoms)
    body = f"{article.body}\n## Reported as\n\n{reports}" if reports else article.body
    return CorpusDocument(
        document_id=article.article_id,
        kind="article",
        title=article.title,
        body=body,
        source=source,
        trust=trust,
        platforms=article.platforms,
        products=article.products,
        failure_classes=(article.failure_class.value,),
        related_scripts=article.related_scripts,
        language="en",
    )


def document_of_script(entry: CatalogueEntry, *, trust: str, source: str) -> CorpusDocument:
    """Return the corpus document of a script: what it does, in words and as code.

    People search for scripts by what they change, and often by a command that they remember.
    """
    manifest = entry.manifest
    parameters = "".join(f"- {p.name}: {p.description}\n" for p in manifest.parameters)
    classes = ", ".join(name.value.replace("_", " ") for name in manifest.failure_classes)
    code = entry.steps["remediate"].decode(errors="replace").replace("```", "~~~").strip()
    return CorpusDocument(
        document_id=f"script:{manifest.id}",
        kind="script",
        title=manifest.title,
        body=(
            f"# {manifest.title}\n{manifest.description.strip()}\n{parameters}\n"
            f"Mends: {classes}. Interpreter: {manifest.interpreter}.\n\n"
            f"## What it runs\n\n```\n{code}\n```\n"
        ),
        source=source,
        trust=trust,
        platforms=manifest.platforms,
        products=(),
        failure_classes=tuple(name.value for name in manifest.failure_classes),
        related_scripts=(manifest.id,),
        language="en",
    )


async def lock_corpus(connection: Connection) -> None:
    """Take turns with others who change the corpus, until the transaction ends."""
    await connection.execute(QUERIES["lock_corpus"])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """One version of a document as it is stored, in force until `retired_at`."""

    document_id: str
    version: int
    kind: str
    title: str
    body: str
    source: str
    trust: str
    platforms: Sequence[str]
    products: Sequence[str]
    failure_classes: Sequence[str]
    related_scripts: Sequence[str]
    source_id: str | None
    path: str
    language: str
    access_groups: Sequence[str]
    metadata: Mapping[str, str]
    content_sha256: str
    ingested_at: datetime
    retired_at: datetime | None


async def find_document(
    connection: Connection, document_id: str, version: int
) -> StoredDocument | None:
    """Return one version of a document, in force or not; who may see it the caller decides."""
    row = await (
        await connection.execute(
            QUERIES["find_document"], {"document_id": document_id, "version": version}
        )
    ).fetchone()
    return StoredDocument(**row) if row else None


class Corpus:
    """Stores documents and keeps their passages searchable."""

    def __init__(self, *, clock: Clock, audit: AuditIntake, embedder: Embedder) -> None:
        self._clock = clock
        self._audit = audit
        self._embedder = embedder

    async def store(
        self,
        connection: Connection,
        documents: Sequence[CorpusDocument],
        *,
        actor: str,
        correlation_id: str,
        progress: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Store what is new or changed and return how many documents that was.

        Those who store at once take turns, until their transactions end. `progress` is called with
        the number of documents looked at so far.

        Raises:
            EmbeddingModelError: the index that serves was made by another model.
        """
        await lock_corpus(connection)
        n_changed = 0
        for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
            group = documents[start : start + DOCUMENTS_AT_ONCE]
            stored = [
                await self._store_one(connection, document, actor, correlation_id)
                for document in group
            ]
            entries = [entry for entry in stored if entry is not None]
            await self._index(connection, entries)
            n_changed += len(entries)
            progress(start + len(group))
        if n_changed:
            await settle_lengths(connection)
        return n_changed

    async def retire(
        self,
        connection: Connection,
        document_ids: Sequence[str],
        *,
        actor: str,
        correlation_id: str,
        reason: str,
    ) -> int:
        """Take documents out of force and out of search; return how many were in force."""
        await lock_corpus(connection)
        n_retired = 0
        for document_id in document_ids:
            current = await _find_current(connection, document_id)
            if current is None:
                continue
            await self._withdraw(connection, document_id)
            await self._audit.record(
                connection,
                actor=actor,
                action="document.retired",
                subject_kind="document",
                subject_id=document_id,
                correlation_id=correlation_id,
                before=current,
                after={"reason": reason},
            )
            n_retired += 1
        return n_retired

    async def change_terms(
        self,
        connection: Connection,
        source_id: str,
        *,
        trust: str,
        access_groups: Sequence[str],
        actor: str,
        correlation_id: str,
    ) -> int:
        """Give a source's documents in force another trust and other readers; return how many.

        That holds at once, for searches too. Texts and versions stay as they are.
        """
        await lock_corpus(connection)
        cursor = await connection.execute(
            QUERIES["change_terms"],
            {"source_id": source_id, "trust": trust, "access_groups": list(access_groups)},
        )
        rows = await cursor.fetchall()
        facets = {row["document_id"]: facets_of(row) for row in rows}
        for index in await list_open_indexes(connection):
            await change_facets(connection, index, facets)
        if rows:
            await self._audit.record(
                connection,
                actor=actor,
                action="documents.terms_changed",
                subject_kind="document_source",
                subject_id=source_id,
                correlation_id=correlation_id,
                after={
                    "trust": trust,
                    "access_groups": list(access_groups),
                    "n_documents": len(rows),
                },
            )
        return len(rows)

    async def _withdraw(self, connection: Connection, document_id: str) -> None:
        for index in await list_open_indexes(connection):
            await remove_document(connection, index, document_id)
        key = {"document_id": document_id, "now": self._clock.now()}
        await connection.execute(QUERIES["retire_document"], key)
        await connection.execute(QUERIES["retire_chunks"], key)

    async def _store_one(
        self, connection: Connection, document: CorpusDocument, actor: str, correlation_id: str
    ) -> IndexEntry | None:
        key = {"document_id": document.document_id}
        current = await _find_current(connection, document.document_id)
        digest = document.content_sha256
        if current is not None and current["content_sha256"] == digest:
            return None
        if current is not None:
            await self._withdraw(connection, document.document_id)
        row = await (await connection.execute(QUERIES["next_version"], key)).fetchone()
        version = row["version"] if row else 1
        await connection.execute(
            QUERIES["insert_document"], {**_columns(document, version), "now": self._clock.now()}
        )
        await self._audit.record(
            connection,
            actor=actor,
            action="document.stored",
            subject_kind="document",
            subject_id=document.document_id,
            correlation_id=correlation_id,
            before={"content_sha256": current["content_sha256"]} if current else None,
            after={"content_sha256": digest, "version": version},
        )
        return await _insert_chunks(connection, document, version)

    async def _index(self, connection: Connection, entries: Sequence[IndexEntry]) -> None:
        if not entries:
            return
        vectors = await embed_entries(self._embedder, entries)  # a lazy one is loaded before
        if await find_index(connection) is None:
            await create_index(connection, self._embedder, self._clock, state="serving")
        indexes = await list_open_indexes(connection)
        for index in indexes:
            if index.state == "serving" and index.model != self._embedder.name:
                raise EmbeddingModelError(
                    f"searches run on an index of {index.model}, and this program embeds with"
                    f" {self._embedder.name}; run: eucora kb reindex"
                )
        for index in indexes:
            if index.model == self._embedder.name:  # else its builder adds them at its end
                await add_entries(connection, index, entries, vectors)


async def embed_entries(embedder: Embedder, entries: Sequence[IndexEntry]) -> list[Vectors]:
    """Return for each document an array of shape (n_passages, n_dimensions)."""
    flat = await embedder.embed([text for entry in entries for text in entry.texts])
    vectors, start = [], 0
    for entry in entries:
        vectors.append(flat[start : start + len(entry.texts)])
        start += len(entry.texts)
    return vectors


async def _find_current(connection: Connection, document_id: str) -> dict[str, Any] | None:
    """Return version and digest of a document in force."""
    row = await (
        await connection.execute(QUERIES["find_current_document"], {"document_id": document_id})
    ).fetchone()
    return {"version": row["version"], "content_sha256": row["content_sha256"]} if row else None


def _columns(document: CorpusDocument, version: int) -> dict[str, Any]:
    return {
        "document_id": document.document_id,
        "version": version,
        "kind": document.kind,
        "title": document.title,
        "body": document.body,
        "source": document.source,
        "trust": document.trust,
        "platforms": list(document.platforms),
        "products": list(document.products),
        "failure_classes": list(document.failure_classes),
        "related_scripts": list(document.related_scripts),
        "source_id": document.source_id,
        "path": document.path,
        "language": document.language,
        "access_groups": list(document.access_groups),
        "metadata": Jsonb(dict(document.metadata)),
        "content_sha256": document.content_sha256,
    }


async def _insert_chunks(
    connection: Connection, document: CorpusDocument, version: int
) -> IndexEntry:
    chunks = cut_into_chunks(document.body, document.blocks)
    rows = [
        {
            "chunk_id": f"{document.document_id}@{version}#{chunk.ordinal}",
            "document_id": document.document_id,
            "version": version,
            "ordinal": chunk.ordinal,
            "start_offset": chunk.start_offset,
            "end_offset": chunk.end_offset,
            "text": chunk.text,
            "headings": list(chunk.headings),
            "page": chunk.page,
        }
        for chunk in chunks
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(QUERIES["insert_chunk"], rows)
    return IndexEntry(
        document_id=document.document_id,
        facets=document.facets(),
        chunk_ids=[str(row["chunk_id"]) for row in rows],
        texts=[read_for_search(document.title, chunk.headings, chunk.text) for chunk in chunks],
    )

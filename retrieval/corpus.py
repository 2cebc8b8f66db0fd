# SPDX-License-Identifier: Apache-2.0
"""Keeps the corpus in PostgreSQL: documents by version, passages, keyword statistics.

Incremental by content hash: an unchanged document costs one look-up. A changed document gets a
new version; the old one leaves search but stays, so that old citations resolve.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pgvector import HalfVector, SparseVector
from psycopg.types.json import Jsonb

from contracts.canonical import digest_of
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.articles import Article
from retrieval.chunking import cut_into_chunks
from retrieval.embedding import Embedder
from retrieval.keywords import N_TERMS, count_documents, list_terms, weigh_chunk
from retrieval.manifest import CatalogueEntry

QUERIES = load_queries(__file__, "corpus")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusDocument:
    """What is stored of an article or of a script's description."""

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

    @property
    def content_sha256(self) -> str:
        """SHA-256 of all that is stored."""
        return digest_of(
            [
                self.kind,
                self.title,
                self.body,
                self.trust,
                list(self.platforms),
                list(self.products),
                list(self.failure_classes),
                list(self.related_scripts),
            ]
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
    )


def document_of_script(entry: CatalogueEntry, *, trust: str, source: str) -> CorpusDocument:
    """Return the corpus document of a script: what it does, in words."""
    manifest = entry.manifest
    parameters = "".join(f"- {p.name}: {p.description}\n" for p in manifest.parameters)
    return CorpusDocument(
        document_id=f"script:{manifest.id}",
        kind="script",
        title=manifest.title,
        body=f"# {manifest.title}\n{manifest.description.strip()}\n{parameters}",
        source=source,
        trust=trust,
        platforms=manifest.platforms,
        products=(),
        failure_classes=tuple(name.value for name in manifest.failure_classes),
        related_scripts=(manifest.id,),
    )


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
        """
        await connection.execute(QUERIES["lock_corpus"])
        n_changed = 0
        for position, document in enumerate(documents, start=1):
            if await self._store_one(connection, document, actor, correlation_id):
                n_changed += 1
            progress(position)
        if n_changed:
            await self._refresh_keywords(connection)
        return n_changed

    async def _store_one(
        self, connection: Connection, document: CorpusDocument, actor: str, correlation_id: str
    ) -> bool:
        key = {"document_id": document.document_id}
        current = await (await connection.execute(QUERIES["find_current_document"], key)).fetchone()
        digest = document.content_sha256
        if current is not None and current["content_sha256"] == digest:
            return False
        now = self._clock.now()
        row = await (await connection.execute(QUERIES["next_version"], key)).fetchone()
        version = row["version"] if row else 1
        await connection.execute(QUERIES["retire_document"], {**key, "now": now})
        await connection.execute(QUERIES["retire_chunks"], key)
        await connection.execute(
            QUERIES["insert_document"],
            {
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
                "content_sha256": digest,
                "now": now,
            },
        )
        await self._store_chunks(connection, document, version)
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
        return True

    async def _store_chunks(
        self, connection: Connection, document: CorpusDocument, version: int
    ) -> None:
        chunks = cut_into_chunks(document.body)
        vectors = await self._embedder.embed(
            [f"{document.title}. {chunk.text}" for chunk in chunks]
        )
        for chunk, vector in zip(chunks, vectors, strict=True):
            await connection.execute(
                QUERIES["insert_chunk"],
                {
                    "chunk_id": f"{document.document_id}@{version}#{chunk.ordinal}",
                    "document_id": document.document_id,
                    "version": version,
                    "ordinal": chunk.ordinal,
                    "start_offset": chunk.start_offset,
                    "end_offset": chunk.end_offset,
                    "text": chunk.text,
                    "embedding": HalfVector(vector).to_text(),
                    "keywords": sparse({}),
                },
            )

    async def _refresh_keywords(self, connection: Connection) -> None:
        rows = await (await connection.execute(QUERIES["list_current_chunks"])).fetchall()
        texts = [row["text"] for row in rows]
        mean_length = sum(len(list_terms(text)) for text in texts) / max(len(texts), 1)
        async with connection.cursor() as cursor:
            await cursor.executemany(
                QUERIES["update_keywords"],
                [
                    {
                        "chunk_id": row["chunk_id"],
                        "keywords": sparse(weigh_chunk(row["text"], mean_length=mean_length)),
                    }
                    for row in rows
                ],
            )
        await connection.execute(
            QUERIES["store_statistics"],
            {
                "n_chunks": len(rows),
                "mean_chunk_length": mean_length,
                "document_frequency": Jsonb(count_documents(texts)),
            },
        )


def sparse(weights: Mapping[int, float]) -> str:
    """Return hashed term weights as the text of a pgvector sparsevec."""
    return str(SparseVector(dict(weights), N_TERMS).to_text())

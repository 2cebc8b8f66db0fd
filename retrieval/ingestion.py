# SPDX-License-Identifier: Apache-2.0
"""Runs of ingestion: a folder or file becomes a source's documents, again and again.

A run takes what is new or changed, file by file, each in a transaction of its own; killed anywhere,
the next run goes on. What has vanished leaves search at the end of a complete run only: never when
the run broke off, when a folder could not be listed, or when nothing at all is there. Two runs of
one source keep each other out, by a lock that ends with their connection.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from psycopg.types.json import Jsonb

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from kernel.session_lock import try_session_lock
from retrieval.brought_files import BroughtFile, Listing, list_files
from retrieval.corpus import Corpus
from retrieval.file_intake import FileIntake, IngestionRun
from retrieval.ingested_files import FileVerdict, IngestedFiles, Verdict
from retrieval.ingestion_errors import SourceBusyError, SourceConflictError
from retrieval.near_duplicates import NearDuplicates
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.sandbox import ParserProcess
from retrieval.run_plan import RunOptions, check_not_empty, new_source, plan_source
from retrieval.run_report import RunObserver, RunReport, RunTally
from retrieval.screening import FileScreen
from retrieval.sources import (
    QUERIES,
    Admits,
    Source,
    SourceKind,
    Sources,
    SourceTerms,
    admit_all,
    check_name,
    suggest_name,
)


class Ingestion:
    """Takes folders, files and uploads into the corpus. Opens transactions of its own."""

    def __init__(
        self,
        *,
        pool: Pool,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        corpus: Corpus,
        screen: FileScreen,
        limits: ParserLimits | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._corpus = corpus
        self._screen = screen
        self.limits = limits or ParserLimits()
        self._sources = Sources(clock=clock, audit=audit)
        self._files = IngestedFiles(clock=clock, audit=audit)
        self._duplicates = NearDuplicates(clock=clock, ids=ids)

    async def check_ready(self) -> None:
        """Return when files can be taken.

        Raises:
            ScreenUnavailableError: they cannot; says what to do.
        """
        await self._screen.check_ready()

    async def ingest_path(
        self,
        location: Path,
        *,
        name: str | None,
        terms: SourceTerms,
        options: RunOptions,
        actor: str,
        correlation_id: str,
        observer: RunObserver | None = None,
    ) -> RunReport:
        """Bring a source up to date with a folder, or add a file to it.

        Raises:
            IngestionError: the run is refused, or cannot go on; what was stored stays.
        """
        await self._screen.check_ready()
        listing = await asyncio.to_thread(list_files, location)
        source_id = suggest_name(listing.root.name) if name is None else name
        check_name(source_id)
        async with self._keep_out_others(source_id):
            async with self._pool.connection() as connection:
                earlier = await self._sources.find(connection, source_id)
                known = await self._files.list_all(connection, source_id)
            source = plan_source(source_id, listing, earlier, terms, options)
            check_not_empty(source, listing, known, options)
            run = self._plan_run(source, actor, correlation_id, dry=options.dry)
            return await self._run(listing, known, run, options, observer)

    async def ingest_upload(
        self,
        source_id: str,
        path: str,
        content: bytes,
        *,
        terms: SourceTerms,
        actor: str,
        correlation_id: str,
        admits: Admits = admit_all,
    ) -> FileVerdict:
        """Take one file that was sent into a source of uploads, which is made if there is none.

        A file of the same name is replaced. Nobody is kept out: uploads remove nothing. A refused
        file leaves its verdict in the source, also in one that was made for it.

        Raises:
            SourceConflictError: a source of this name is another's, or of another kind.
            IngestionError: it is refused before anything was looked at.
        """
        await self._screen.check_ready()
        run, known = await self._open_upload(
            source_id, path, terms, admits, actor=actor, correlation_id=correlation_id
        )
        await self._catch_up()
        async with ParserProcess(self.limits) as parser:
            file = BroughtFile(path=path, content=content, size_bytes=len(content))
            verdict = await self._make_intake(parser).take(file, known, run)
        async with self._pool.connection() as connection:
            await self._finish_run(connection, run, {verdict.verdict.value: 1})
        return verdict

    async def _open_upload(
        self,
        source_id: str,
        path: str,
        terms: SourceTerms,
        admits: Admits,
        *,
        actor: str,
        correlation_id: str,
    ) -> tuple[IngestionRun, FileVerdict | None]:
        """Begin a run for one file; return it with the file's earlier verdict."""
        async with self._pool.connection() as connection:
            await self._sources.lock(connection, source_id)
            earlier = await self._sources.find(connection, source_id)
            if earlier is not None and not admits(earlier):
                # Its terms hold for all that is in it: a file must not open it to who sends one.
                raise SourceConflictError(f"the source {source_id} is others': take another name")
            if earlier is not None and earlier.kind is not SourceKind.UPLOAD:
                raise SourceConflictError(
                    f"the source {source_id} is filled from {earlier.location}: upload into another"
                )
            planned = earlier or new_source(source_id, SourceKind.UPLOAD, "")
            run = replace(
                self._plan_run(terms.apply(planned), actor, correlation_id), admits=admits
            )
            await self._open_run(connection, run)
            return run, await self._files.find(connection, source_id, path)

    def _plan_run(
        self, source: Source, actor: str, correlation_id: str, *, dry: bool = False
    ) -> IngestionRun:
        return IngestionRun(
            source=source,
            run_id=self._ids.new("run"),
            actor=actor,
            correlation_id=correlation_id,
            dry=dry,
        )

    async def remove_file(
        self,
        source_id: str,
        path: str,
        *,
        actor: str,
        correlation_id: str,
        admits: Admits = admit_all,
    ) -> int:
        """Take a file's documents out of search; return how many there were.

        Raises:
            SourceMissingError, IngestedFileMissingError: there is no such file.
        """
        async with self._pool.connection() as connection:
            source = await self._sources.require(connection, source_id, admits=admits)
            known = await self._files.require(connection, source_id, path)
            run = self._plan_run(source, actor, correlation_id)
            await self._insert_run(connection, run)
            n_retired = await self._remove(connection, known, run)
            await self._finish_run(connection, run, {Verdict.REMOVED.value: 1})
        return n_retired

    async def remove_source(
        self, source_id: str, *, actor: str, correlation_id: str, admits: Admits = admit_all
    ) -> int:
        """Take all documents of a source out of search, in one transaction; return how many.

        The source and its verdicts stay on record, though lists leave it out; a new run brings
        its files again.

        Raises:
            SourceMissingError: there is none.
            SourceBusyError: a run of it goes on.
        """
        async with self._keep_out_others(source_id), self._pool.connection() as connection:
            source = await self._sources.require(connection, source_id, admits=admits)
            run = self._plan_run(source, actor, correlation_id)
            await self._insert_run(connection, run)
            n_files = n_retired = 0
            for known in (await self._files.list_all(connection, source_id)).values():
                if known.verdict is not Verdict.REMOVED:
                    n_retired += await self._remove(connection, known, run)
                    n_files += 1
            await self._finish_run(connection, run, {Verdict.REMOVED.value: n_files})
            await self._audit.record(
                connection,
                actor=actor,
                action="source.removed",
                subject_kind="document_source",
                subject_id=source_id,
                correlation_id=correlation_id,
                after={"n_files": n_files, "n_documents": n_retired},
            )
        return n_retired

    async def _run(
        self,
        listing: Listing,
        known: Mapping[str, FileVerdict],
        run: IngestionRun,
        options: RunOptions,
        observer: RunObserver | None,
    ) -> RunReport:
        tally = RunTally(observer)
        if not run.dry:
            await self._begin(run)
        if observer is not None:
            observer.begin(run.source, len(listing.files))
        async with ParserProcess(self.limits) as parser:
            intake = self._make_intake(parser)
            for file in listing.files:
                if observer is not None:
                    observer.look_at(file.path)
                earlier = known.get(file.path)
                tally.settle(await intake.take(file, earlier, run), earlier)
        seen = {file.path for file in listing.files}
        may_remove = listing.is_complete and not options.keep_missing
        if may_remove and run.source.kind is SourceKind.FOLDER:
            vanished = [verdict for path, verdict in known.items() if path not in seen]
            await self._remove_vanished(vanished, run, tally)
        if not run.dry:
            await self._finish(run, tally)
        return tally.report(run.source, run.run_id, is_complete=listing.is_complete)

    async def _remove_vanished(
        self, vanished: list[FileVerdict], run: IngestionRun, tally: RunTally
    ) -> None:
        for known in vanished:
            if known.verdict is Verdict.REMOVED:
                continue
            if not run.dry:
                async with self._pool.connection() as connection:
                    await self._remove(connection, known, run)
            removed = replace(known, verdict=Verdict.REMOVED, reason="", detail="")
            tally.settle(removed, known)

    async def _remove(self, connection: Connection, known: FileVerdict, run: IngestionRun) -> int:
        n_retired = await self._corpus.retire(
            connection,
            known.document_ids,
            actor=run.actor,
            correlation_id=run.correlation_id,
            reason="the file was removed",
        )
        removed = replace(
            known, verdict=Verdict.REMOVED, reason="", detail="", sha256=None, document_ids=()
        )
        await self._files.keep(
            connection,
            run.source.source_id,
            removed,
            run_id=run.run_id,
            actor=run.actor,
            correlation_id=run.correlation_id,
        )
        return n_retired

    def _make_intake(self, parser: ParserProcess) -> FileIntake:
        return FileIntake(
            pool=self._pool,
            clock=self._clock,
            ids=self._ids,
            audit=self._audit,
            corpus=self._corpus,
            screen=self._screen,
            parser=parser,
        )

    @asynccontextmanager
    async def _keep_out_others(self, source_id: str) -> AsyncIterator[None]:
        async with try_session_lock(self._pool, f"ingestion:{source_id}") as is_mine:
            if not is_mine:
                raise SourceBusyError(f"another run of the source {source_id} goes on: wait for it")
            yield

    async def _begin(self, run: IngestionRun) -> None:
        async with self._pool.connection() as connection:
            await self._open_run(connection, run)
        await self._catch_up()

    async def _open_run(self, connection: Connection, run: IngestionRun) -> None:
        source = run.source
        changed = await self._sources.keep(
            connection, source, actor=run.actor, correlation_id=run.correlation_id
        )
        if changed:
            await self._corpus.change_terms(
                connection,
                source.source_id,
                trust=source.trust.value,
                access_groups=source.access_groups,
                actor=run.actor,
                correlation_id=run.correlation_id,
            )
        await self._insert_run(connection, run)

    async def _catch_up(self) -> None:
        n_new = 1
        while n_new:
            async with self._pool.connection() as connection:
                n_new = await self._duplicates.catch_up(connection)

    async def _insert_run(self, connection: Connection, run: IngestionRun) -> None:
        await connection.execute(
            QUERIES["insert_run"],
            {
                "run_id": run.run_id,
                "source_id": run.source.source_id,
                "actor": run.actor,
                "now": self._clock.now(),
            },
        )
        await self._audit_run(connection, run, "ingestion.started", {})

    async def _finish(self, run: IngestionRun, tally: RunTally) -> None:
        async with self._pool.connection() as connection:
            told = [verdict.path for verdict in tally.remarks]
            await self._files.take_over(connection, run.source.source_id, told, run_id=run.run_id)
            await self._finish_run(connection, run, tally.counts)

    async def _finish_run(
        self, connection: Connection, run: IngestionRun, counts: Mapping[str, int]
    ) -> None:
        await connection.execute(
            QUERIES["finish_run"],
            {"run_id": run.run_id, "now": self._clock.now(), "counts": Jsonb(dict(counts))},
        )
        await self._audit_run(connection, run, "ingestion.finished", counts)

    async def _audit_run(
        self, connection: Connection, run: IngestionRun, action: str, counts: Mapping[str, int]
    ) -> None:
        await self._audit.record(
            connection,
            actor=run.actor,
            action=action,
            subject_kind="ingestion_run",
            subject_id=run.run_id,
            correlation_id=run.correlation_id,
            after={"source_id": run.source.source_id, "counts": dict(counts)},
        )

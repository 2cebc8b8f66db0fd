# SPDX-License-Identifier: Apache-2.0
"""Takes one file into the corpus: read once, digested, screened, parsed, compared, stored.

What was screened and what was parsed are the same bytes. All that is stored of a file is stored in
one transaction, so nothing is ever half in search; screening and parsing are outside of it.

A file that is refused leaves its earlier documents in search until there are better ones, unless
it is infected now, or a release had let it pass, or its source's terms have changed: who may read
the old ones is then unsure. A release counts as long as it is not withdrawn, which is looked at in
the transaction that stores.

Texts are not masked: knowledge is written to be read by many, unlike a ticket. Reasoning masks the
passages that enter a case.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from retrieval.brought_documents import make_document
from retrieval.brought_files import BroughtFile, read_bytes
from retrieval.corpus import RECIPE as CHUNKING
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.document_flags import list_refused, lock_decisions
from retrieval.facets import ANY
from retrieval.ingested_files import (
    LASTING_REASONS,
    MAX_DETAIL_CHARACTERS,
    FileReason,
    FileVerdict,
    IngestedFiles,
    Verdict,
)
from retrieval.ingestion_errors import ProtectedFileError, ScreeningError, ScreenUnavailableError
from retrieval.near_duplicates import (
    Fingerprint,
    NearDuplicate,
    NearDuplicates,
    take_fingerprint,
)
from retrieval.parsing.documents import ParsedFile, Refusal
from retrieval.parsing.errors import ParsingError, Reason
from retrieval.parsing.sandbox import ParserProcess
from retrieval.released_files import WITHDRAWN
from retrieval.screening import UNSCREENED, FileScreen
from retrieval.sources import QUERIES, Admits, Source, Sources, admit_all

# To be raised with every change of the parsers that should reach files taken before.
RECIPE: Final = f"parsing-5 chunking-{CHUNKING}"
MAX_NAMED: Final = 5  # parts left out that a verdict names: a table shows it
UNSEEN: Final = "a document that you may not read, which is"
REFUSED_UNSEEN: Final = (
    "somebody took these words out of search, from a document that you may not read: ask a"
    " security reviewer"
)
SCRIPT_ADVICE: Final = (
    "this folder is a script, and scripts run as root: put it under EUCORA_KNOWLEDGE_DIR/scripts"
    " after a review, then `eucora kb load`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionRun:
    """A run into a source, and on whose behalf it is; `dry` looks and stores nothing.

    `admits` says of which sources whoever brings the files may know.
    """

    source: Source
    run_id: str
    actor: str
    correlation_id: str
    dry: bool = False
    admits: Admits = admit_all

    @property
    def recipe(self) -> str:
        """What a file must have been made with to count as unchanged."""
        return f"{RECIPE} {self.source.terms_digest}"

    def has_terms_of(self, verdict: FileVerdict) -> bool:
        """Whether a file was taken under the source's terms of today, by whichever program."""
        return verdict.recipe.rpartition(" ")[2] == self.source.terms_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A document that may be stored, with what it looks like."""

    document: CorpusDocument
    fingerprint: Fingerprint
    doubles: Sequence[NearDuplicate]
    left_out: str = ""  # why it is not stored after all
    reason: FileReason | None = None


class FileIntake:
    """Takes files one after another. Opens transactions of its own."""

    def __init__(
        self,
        *,
        pool: Pool,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        corpus: Corpus,
        screen: FileScreen,
        parser: ParserProcess,
    ) -> None:
        self._pool = pool
        self._audit = audit
        self._corpus = corpus
        self._screen = screen
        self._parser = parser
        self._files = IngestedFiles(clock=clock, audit=audit)
        self._sources = Sources(clock=clock, audit=audit)
        self._duplicates = NearDuplicates(clock=clock, ids=ids)

    async def take(
        self, file: BroughtFile, known: FileVerdict | None, run: IngestionRun
    ) -> FileVerdict:
        """Take a file and return its verdict, which is recorded unless nothing has changed.

        `known` is the verdict of an earlier run; a refusal that still stands is `known` itself.

        Raises:
            ScreenUnavailableError: nothing screens files any more.
        """
        verdict = await self._look_at(file, known, run)
        if known is not None and verdict.is_refused and _is_same_refusal(known, verdict):
            return known
        return verdict

    async def _look_at(
        self, file: BroughtFile, known: FileVerdict | None, run: IngestionRun
    ) -> FileVerdict:
        verdict = FileVerdict(
            path=file.path, verdict=Verdict.REJECTED, size_bytes=file.size_bytes,
            recipe=run.recipe,
        )  # fmt: skip
        if file.is_script or file.fault:
            reason = FileReason.SCRIPT_FOLDER if file.is_script else Reason.UNREADABLE
            detail = SCRIPT_ADVICE if file.is_script else file.fault
            return await self._record(
                replace(verdict, reason=reason.value, detail=detail), known, run
            )
        try:
            content = await asyncio.to_thread(read_bytes, file, self._parser.limits)
        except ParsingError as error:
            return await self._record(_refuse(verdict, error.reason, error), known, run)
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        verdict = replace(verdict, sha256=sha256, size_bytes=len(content))
        is_unseen = known is not None and known.engine == UNSCREENED and self._screen.is_on
        if (
            known is not None
            and not is_unseen
            and _still_holds(known, verdict)
            and not await self._is_withdrawn(known)
        ):
            unchanged = known.verdict is Verdict.STORED
            return replace(known, verdict=Verdict.UNCHANGED) if unchanged else known
        return await self._take_content(content, verdict, known, run)

    async def _is_withdrawn(self, known: FileVerdict) -> bool:
        """Whether a file is in search by a release that does not hold any more."""
        if not known.is_by_release:
            return False
        async with self._pool.connection() as connection:
            return await self._is_withdrawn_in(connection, known)

    async def _is_withdrawn_in(self, connection: Connection, verdict: FileVerdict) -> bool:
        return verdict.is_by_release and not await self._screen.is_released(
            connection, verdict.sha256 or ""
        )

    async def _take_content(
        self, content: bytes, verdict: FileVerdict, known: FileVerdict | None, run: IngestionRun
    ) -> FileVerdict:
        try:
            screening = await self._screen.screen(
                content,
                name=verdict.path,
                source=run.source.source_id,
                actor=run.actor,
                correlation_id=run.correlation_id,
                hold=not run.dry,
            )
        except ScreenUnavailableError:
            raise
        except ProtectedFileError as error:
            return await self._record(_refuse(verdict, Reason.ENCRYPTED, error), known, run)
        except ScreeningError as error:
            return await self._record(_refuse(verdict, FileReason.UNSCANNED, error), known, run)
        verdict = replace(verdict, engine=screening.engine)
        if not screening.passed:
            held = replace(
                verdict, verdict=Verdict.QUARANTINED, reason=FileReason.INFECTED.value,
                detail=screening.detail,
            )  # fmt: skip
            return await self._record(held, known, run)
        try:
            parsed = await self._parser.parse(content, name=verdict.path)
        except ParsingError as error:
            return await self._record(_refuse(verdict, error.reason, error), known, run)
        return await self._store(parsed, verdict, run)

    async def _record(
        self, verdict: FileVerdict, known: FileVerdict | None, run: IngestionRun
    ) -> FileVerdict:
        """Record a refusal, and retire earlier documents where they cannot stay."""
        if known is not None and _is_same_refusal(known, verdict):
            return known
        if run.dry:
            return verdict
        async with self._pool.connection() as connection:
            await lock_decisions(connection)
            return await self._record_in(connection, verdict, run)

    async def _record_in(
        self, connection: Connection, verdict: FileVerdict, run: IngestionRun
    ) -> FileVerdict:
        """Record a refusal in a transaction that keeps out those who decide."""
        run = await self._renew_terms(connection, run)
        newest = await self._find_newest(connection, verdict, run)
        verdict = replace(
            verdict, recipe=run.recipe, document_ids=newest.document_ids if newest else ()
        )
        if why := _why_retire(verdict, newest, run):
            await self._retire(connection, verdict.document_ids, run, why)
            verdict = replace(verdict, document_ids=())
        await self._keep(connection, verdict, run)
        return verdict

    async def _find_newest(
        self, connection: Connection, verdict: FileVerdict, run: IngestionRun
    ) -> FileVerdict | None:
        """Return the verdict on record: somebody may have sent the same name meanwhile."""
        return await self._files.find(connection, run.source.source_id, verdict.path)

    async def _store(
        self, parsed: ParsedFile, verdict: FileVerdict, run: IngestionRun
    ) -> FileVerdict:
        prints = await asyncio.to_thread(
            lambda: [take_fingerprint(each.text) for each in parsed.documents]
        )
        if run.dry:
            documents = _make_documents(parsed, verdict, run)
            ids = tuple(each.document_id for each in documents)
            return _conclude(verdict, ids, (), parsed.refusals)
        async with self._pool.connection() as connection:
            await lock_decisions(connection)
            if await self._is_withdrawn_in(connection, verdict):
                refused = replace(verdict, reason=FileReason.WITHDRAWN.value, detail=WITHDRAWN)
                return await self._record_in(connection, refused, run)
            run = await self._renew_terms(connection, run)
            verdict = replace(verdict, recipe=run.recipe)
            documents = _make_documents(parsed, verdict, run)
            known = await self._find_newest(connection, verdict, run)
            candidates = [
                await self._weigh(connection, document, fingerprint, run)
                for document, fingerprint in zip(documents, prints, strict=True)
            ]
            stored = [each for each in candidates if each.reason is None]
            await self._corpus.store(
                connection,
                [each.document for each in stored],
                actor=run.actor,
                correlation_id=run.correlation_id,
            )
            for each in stored:
                await self._finish_document(connection, each, run)
            ids = tuple(each.document.document_id for each in stored)
            earlier = set(known.document_ids if known else ())
            await self._retire(connection, sorted(earlier - set(ids)), run, "not in the file")
            left_out = [each for each in candidates if each.reason is not None]
            verdict = _conclude(verdict, ids, left_out, parsed.refusals)
            await self._keep(connection, verdict, run)
        return verdict

    async def _renew_terms(self, connection: Connection, run: IngestionRun) -> IngestionRun:
        """Return the run under the terms in force: another upload may have changed them.

        They stay as they are until the transaction ends.
        """
        await self._sources.lock(connection, run.source.source_id)
        source = await self._sources.require(connection, run.source.source_id)
        return replace(run, source=source)

    async def _weigh(
        self,
        connection: Connection,
        document: CorpusDocument,
        fingerprint: Fingerprint,
        run: IngestionRun,
    ) -> _Candidate:
        """Decide whether a document is stored: not if a person refused it, or a better one is."""
        doubles = await self._duplicates.find(connection, document, fingerprint)
        candidate = _Candidate(document=document, fingerprint=fingerprint, doubles=doubles)
        content = {document.document_id: fingerprint.content}
        for refusal in (await list_refused(connection, content)).values():
            is_open = await self._may_name(connection, run, flag_id=refusal.flag_id)
            why = str(refusal) if is_open else REFUSED_UNSEEN
            why = f"{document.title}: {why}"
            return replace(candidate, left_out=why, reason=FileReason.RETIRED)
        for other in doubles:
            if other.replaces(document, fingerprint):
                name = other.document_id
                is_open = await self._may_name(connection, run, document_id=name)
                known = f"{name}, which is trusted more ({other.trust}) and" if is_open else UNSEEN
                why = f"{document.title}: word for word {known} found already"
                return replace(candidate, left_out=why, reason=FileReason.DUPLICATE_OF)
        return candidate

    async def _may_name(
        self,
        connection: Connection,
        run: IngestionRun,
        *,
        document_id: str | None = None,
        flag_id: str | None = None,
    ) -> bool:
        """Whether a file's verdict may name a document, or what was decided on a flag on it.

        The verdict is read by the groups of its source, by whoever brings the file and by whoever
        made the source, who may be in none of its groups.
        """
        cursor = await connection.execute(
            QUERIES["find_readers"], {"document_id": document_id, "flag_id": flag_id}
        )
        if (row := await cursor.fetchone()) is None:
            return False
        source = row["source_id"] and await self._sources.find(connection, row["source_id"])
        groups = [row["access_groups"], *([source.access_groups] if source else [])]
        if all(not each or ANY in each for each in groups):
            return True
        if not source or run.source.created_by not in {"", run.actor}:
            return False
        own = set(run.source.access_groups)
        return all(
            not each
            or ANY in each
            or (own and own <= set(each) and run.admits(replace(source, access_groups=tuple(each))))
            for each in groups
        )

    async def _finish_document(
        self, connection: Connection, candidate: _Candidate, run: IngestionRun
    ) -> None:
        document = candidate.document
        await self._duplicates.keep(connection, document.document_id, candidate.fingerprint)
        await self._duplicates.flag(
            connection,
            document,
            candidate.fingerprint,
            candidate.doubles,
            self._audit,
            actor=run.actor,
            correlation_id=run.correlation_id,
        )

    async def _retire(
        self, connection: Connection, document_ids: Sequence[str], run: IngestionRun, reason: str
    ) -> None:
        await self._corpus.retire(
            connection,
            document_ids,
            actor=run.actor,
            correlation_id=run.correlation_id,
            reason=reason,
        )

    async def _keep(self, connection: Connection, verdict: FileVerdict, run: IngestionRun) -> None:
        await self._files.keep(
            connection,
            run.source.source_id,
            verdict,
            run_id=run.run_id,
            actor=run.actor,
            correlation_id=run.correlation_id,
        )


def _make_documents(
    parsed: ParsedFile, verdict: FileVerdict, run: IngestionRun
) -> list[CorpusDocument]:
    return [make_document(each, source=run.source, path=verdict.path) for each in parsed.documents]


def _refuse(
    verdict: FileVerdict, reason: Reason | FileReason, error: ParsingError | ScreeningError
) -> FileVerdict:
    return replace(verdict, reason=reason.value, detail=str(error))


def _still_holds(known: FileVerdict, found: FileVerdict) -> bool:
    if known.sha256 != found.sha256 or known.recipe != found.recipe:
        return False
    return known.verdict is Verdict.STORED or (
        known.verdict is Verdict.REJECTED and known.reason in LASTING_REASONS
    )


def _why_retire(verdict: FileVerdict, newest: FileVerdict | None, run: IngestionRun) -> str:
    """Return why a refused file's earlier documents leave search; "" where they stay."""
    if verdict.verdict is Verdict.QUARANTINED or verdict.reason == FileReason.WITHDRAWN:
        return verdict.reason
    if newest is None:
        return ""
    if newest.is_by_release:  # with other bytes on record, nobody could withdraw them
        return "the release was of what it held before"
    return "" if run.has_terms_of(newest) else "other terms"


def _is_same_refusal(known: FileVerdict, found: FileVerdict) -> bool:
    names = ("verdict", "reason", "sha256", "recipe")
    if known.detail != found.detail[:MAX_DETAIL_CHARACTERS]:
        return False
    return all(getattr(known, name) == getattr(found, name) for name in names)


def _conclude(
    verdict: FileVerdict,
    document_ids: tuple[str, ...],
    left_out: Sequence[_Candidate],
    refusals: Sequence[Refusal],
) -> FileVerdict:
    notes = [each.left_out for each in left_out]
    notes += [f"{each.member}: {each.message}" for each in refusals]
    n_parts = len(left_out) + sum(each.n_members for each in refusals)
    shown = refusals[: max(0, MAX_NAMED - len(left_out))]
    more = n_parts - min(len(left_out), MAX_NAMED) - sum(each.n_members for each in shown)
    detail = "; ".join([*notes[:MAX_NAMED], *([f"and {more} more"] if more > 0 else [])])
    if not document_ids:
        reason = left_out[0].reason if left_out else None
        return replace(
            verdict, reason=str(reason or Reason.EMPTY.value), detail=detail, document_ids=()
        )
    if notes:
        were = "part of it was" if n_parts == 1 else "parts of it were"
        detail = f"{n_parts} {were} left out: {detail}"
    return replace(
        verdict,
        verdict=Verdict.STORED,
        reason=FileReason.PARTLY.value if notes else "",
        detail=detail,
        document_ids=document_ids,
    )

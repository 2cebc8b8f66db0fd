# SPDX-License-Identifier: Apache-2.0
"""Composition: ingestion joined to the malware scanner and the quarantine, for all ways in.

Here is also who may bring knowledge and who may decide on what is held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from api.accounts import Role
from api.ground import Ground, open_embedder
from api.tokens import find_token_maker
from guardrails.errors import (
    MalwareScanError,
    QuarantineError,
    ScannerUnavailableError,
)
from guardrails.malware import MalwareScanner, UnscannedFiles, open_scanner
from guardrails.quarantine import Quarantine
from guardrails.quarantined_files import HoldReason, QuarantinedFile
from guardrails.sealed_files import SealedFiles
from kernel.database import Connection, Pool
from kernel.person import is_same_person
from kernel.settings import CLAMD_OFF, Settings
from retrieval.corpus import Corpus
from retrieval.document_flags import DocumentFlags, lock_decisions
from retrieval.embedding import Embedder
from retrieval.errors import RetrievalError
from retrieval.ingested_files import FileVerdict, IngestedFiles
from retrieval.ingestion import Ingestion
from retrieval.ingestion_errors import (
    IngestionError,
    ProtectedFileError,
    ScreeningError,
    ScreenUnavailableError,
)
from retrieval.released_files import SEND_AGAIN, ReleasedFiles
from retrieval.screening import RELEASED, Screening
from retrieval.sources import Sources, SourceTerms

CURATORS: Final = (Role.DATA_SCIENTIST, Role.ADMIN)  # who may bring and remove knowledge
REVIEWERS: Final = (Role.SECURITY_REVIEWER,)  # who may decide on what is held back
# What clamd says under AlertEncrypted and AlertExceedsMax.
ENCRYPTED: Final = "Heuristics.Encrypted."
BEYOND_LIMITS: Final = "Heuristics.Limits.Exceeded."
ADVICE: Final = (
    "install Debian's clamav-daemon, or name a clamd with EUCORA_CLAMD; EUCORA_CLAMD=off takes"
    " files unscanned, which is recorded with each of them"
)


class GuardedScreen:
    """Joins the scanner and the quarantine to ingestion's port."""

    def __init__(self, pool: Pool, scanner: MalwareScanner, quarantine: Quarantine) -> None:
        self._pool = pool
        self._scanner = scanner
        self._quarantine = quarantine

    @property
    def is_on(self) -> bool:
        """Whether files are scanned."""
        return not isinstance(self._scanner, UnscannedFiles)

    async def check_ready(self) -> None:
        """Return when the scanner answers.

        Raises:
            ScreenUnavailableError: it does not.
        """
        try:
            await self._scanner.ping()
        except MalwareScanError as error:
            raise ScreenUnavailableError(f"{error}; no file was taken: {ADVICE}") from error

    async def is_released(self, connection: Connection, sha256: str) -> bool:
        """Whether a reviewer's release of these bytes holds, whatever was found in them."""
        return await self._quarantine.is_released(connection, sha256, signature=None)

    async def screen(
        self, content: bytes, *, name: str, source: str, actor: str, correlation_id: str, hold: bool
    ) -> Screening:
        """Scan a file; hold it if something is found that no reviewer has let pass.

        Raises:
            ScreeningError: there is no verdict, or no room in the quarantine.
            ScreenUnavailableError: there is no scanner any more.
        """
        try:
            verdict = await self._scanner.scan(content)
        except ScannerUnavailableError as error:
            await self.check_ready()
            raise ScreeningError(str(error)) from error
        except MalwareScanError as error:
            raise ScreeningError(str(error)) from error
        _check_looked_into(verdict.signature or "")
        if verdict.clean:
            return Screening(passed=True, engine=verdict.engine)
        detail = f"{verdict.signature} was found in it: a security reviewer must decide on it"
        try:
            async with self._pool.connection() as connection:
                if await self._quarantine.is_released(
                    connection, verdict.sha256, signature=verdict.signature
                ):
                    return Screening(passed=True, engine=verdict.engine + RELEASED)
                if hold:
                    await self._quarantine.hold(
                        connection,
                        content,
                        name=name,
                        source=source,
                        reason=HoldReason.INFECTED,
                        signature=verdict.signature,
                        engine=verdict.engine,
                        actor=actor,
                        correlation_id=correlation_id,
                    )
        except QuarantineError as error:
            detail = f"{verdict.signature} was found in it, and it is not kept: {error}"
        return Screening(passed=False, engine=verdict.engine, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All that the ways in need to bring knowledge and to decide on it."""

    ground: Ground
    ingestion: Ingestion
    sources: Sources
    files: IngestedFiles
    flags: DocumentFlags
    quarantine: Quarantine
    corpus: Corpus

    @property
    def is_scanned(self) -> bool:
        """Whether files are scanned at all."""
        return self.ground.settings.clamd != CLAMD_OFF

    async def release(
        self,
        quarantine_id: str,
        *,
        requested_by: str,
        released_by: str,
        reason: str,
        correlation_id: str,
    ) -> tuple[QuarantinedFile, list[FileVerdict]]:
        """Let a held file pass, and take it now if it was uploaded.

        A file of a folder is taken by the folder's next run. The quarantine keeps no bytes of what
        it lets go, so of each upload that cannot be taken the record says to send it again.

        Raises:
            QuarantineReleaseError: there is no reason, or not a second person.
            QuarantineError: it is not held, or not as it was.
            IngestionError: it is released, but not all its uploads could be taken.
        """
        released = self._open_released(released_by, correlation_id)
        async with self.ground.pool.connection() as connection:
            held = await self.quarantine.find(connection, quarantine_id)
            await lock_decisions(connection)
            file, content = await self.quarantine.release(
                connection,
                quarantine_id,
                requested_by=requested_by,
                released_by=released_by,
                reason=reason,
                correlation_id=correlation_id,
                token_maker=await find_token_maker(connection, held.actor),
            )
            uploads = await released.expect_uploads(connection, file.sha256)
        verdicts, failures = await self._take_uploads(uploads, content, released)
        await self._remove_orphans(released_by, correlation_id)
        async with self.ground.pool.connection() as connection:
            await released.tell_unscanned(connection, file.sha256)
        if failures:
            raise IngestionError(
                f"the file may pass, but {len(failures)} of {len(uploads)} uploads could not be"
                f" taken: {'; '.join(failures)}; {SEND_AGAIN}"
            )
        return file, verdicts

    async def _take_uploads(
        self, uploads: Sequence[tuple[str, str]], content: bytes, released: ReleasedFiles
    ) -> tuple[list[FileVerdict], list[str]]:
        """Take each upload, whatever becomes of the others; return verdicts, and what failed."""
        verdicts, failures = [], []
        for source_id, path in uploads:
            try:
                verdict = await self.ingestion.ingest_upload(
                    source_id, path, content,
                    terms=SourceTerms(),
                    actor=released.actor, correlation_id=released.correlation_id,
                )  # fmt: skip
            except (RetrievalError, psycopg.Error, OSError) as error:
                failures.append(f"{path} of {source_id}: {error}")
            else:
                verdicts.append(verdict)
        return verdicts, failures

    async def may_release(self, connection: Connection, file: QuarantinedFile, actor: str) -> bool:
        """Tell whether somebody would be the second person of a file's release."""
        if file.requested_by is None:
            return False
        token_maker = await find_token_maker(connection, file.actor)
        return not is_same_person(actor, file.requested_by, file.actor, token_maker)

    async def ask_release(
        self, quarantine_id: str, *, asked_by: str, reason: str, correlation_id: str
    ) -> QuarantinedFile:
        """Record that somebody asks for a held file's release; another person decides.

        Raises:
            QuarantineError: it is not held, asked for before, or there is no reason.
        """
        async with self.ground.pool.connection() as connection:
            return await self.quarantine.ask_release(
                connection,
                quarantine_id,
                asked_by=asked_by,
                reason=reason,
                correlation_id=correlation_id,
            )

    async def destroy(
        self, quarantine_id: str, *, actor: str, reason: str, correlation_id: str
    ) -> QuarantinedFile:
        """Destroy a held file for good, or withdraw the release of one that was let go.

        What was taken of these bytes leaves search in the same transaction, whatever its source.

        Raises:
            QuarantineError: it is not held, or there is no reason.
        """
        async with self.ground.pool.connection() as connection:
            await lock_decisions(connection)  # before the quarantine's own, as in a release
            file = await self.quarantine.destroy(
                connection,
                quarantine_id,
                destroyed_by=actor,
                reason=reason,
                correlation_id=correlation_id,
            )
            await self._open_released(actor, correlation_id).withdraw(connection, file.sha256)
        await self._remove_orphans(actor, correlation_id)
        return file

    def _open_released(self, actor: str, correlation_id: str) -> ReleasedFiles:
        return ReleasedFiles(
            files=self.files, corpus=self.corpus, actor=actor, correlation_id=correlation_id
        )

    async def _remove_orphans(self, actor: str, correlation_id: str) -> None:
        async with self.ground.pool.connection() as connection:
            await self.quarantine.remove_orphans(
                connection, actor=actor, correlation_id=correlation_id
            )


def open_quarantine(ground: Ground) -> Quarantine:
    """Return the quarantine of an installation."""
    settings = ground.settings
    return Quarantine(
        files=SealedFiles(settings.data_dir / "quarantine", ground.key_store.secret("quarantine")),
        clock=ground.clock,
        ids=ground.ids,
        audit=ground.audit,
        mask=ground.mask_text,
    )


def open_knowledge(
    ground: Ground,
    *,
    embedder: Embedder | None = None,
    scanner: MalwareScanner | None = None,
) -> Knowledge:
    """Join what bringing knowledge needs; connects to nothing yet."""
    settings: Settings = ground.settings
    embedder = embedder or open_embedder(ground)
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=embedder)
    quarantine = open_quarantine(ground)
    screen = GuardedScreen(ground.pool, scanner or open_scanner(settings), quarantine)
    return Knowledge(
        ground=ground,
        ingestion=Ingestion(
            pool=ground.pool,
            clock=ground.clock,
            ids=ground.ids,
            audit=ground.audit,
            corpus=corpus,
            screen=screen,
        ),
        sources=Sources(clock=ground.clock, audit=ground.audit),
        files=IngestedFiles(clock=ground.clock, audit=ground.audit),
        flags=DocumentFlags(clock=ground.clock, audit=ground.audit, corpus=corpus),
        quarantine=quarantine,
        corpus=corpus,
    )


def _check_looked_into(signature: str) -> None:
    """Tell what clamd finds from what it could not look into, which is nothing to keep.

    Raises:
        ProtectedFileError: a password keeps it out.
        ScreeningError: there is more in the file than clamd unpacks.
    """
    if signature.startswith(ENCRYPTED):
        raise ProtectedFileError
    if signature.startswith(BEYOND_LIMITS):
        raise ScreeningError(
            "the file unpacks to more than the malware scanner looks into: bring what is in it"
            " plainly, or raise MaxScanSize and MaxFileSize in clamd.conf"
        )

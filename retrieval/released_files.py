# SPDX-License-Identifier: Apache-2.0
"""What becomes of files when a reviewer decides on their bytes: let pass, or not any more.

A release empties the quarantine, so of what was uploaded nothing is left but what is taken then:
its files say that they are to be sent again, until they are taken. Where a release is withdrawn,
what it let into search leaves it in the same transaction, wherever the bytes were brought.

A decision is no run: the verdicts stay with the run that recorded the file. The caller owns the
transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from kernel.database import Connection
from retrieval.corpus import Corpus, lock_corpus
from retrieval.document_flags import lock_decisions
from retrieval.ingested_files import FileCopy, FileReason, IngestedFiles, Verdict
from retrieval.sources import SourceKind

SEND_AGAIN: Final = "send the file again"
NOT_TAKEN: Final = f"it was released, but not taken before its bytes were gone: {SEND_AGAIN}"
WITHDRAWN: Final = (
    "a security reviewer refused these bytes, so it is out of search: the next run, or whoever"
    " sends it again, has it looked at anew"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedFiles:
    """Carries out on files what was decided on their bytes, in one reviewer's name."""

    files: IngestedFiles
    corpus: Corpus
    actor: str
    correlation_id: str

    async def expect_uploads(self, connection: Connection, sha256: str) -> list[tuple[str, str]]:
        """Return the uploads that were held back: (source id, path).

        Until each is taken, it says that it is to be sent again.
        """
        await lock_decisions(connection)
        held = [
            copy
            for copy in await self._list_uploads(connection, sha256)
            if copy.verdict.verdict is Verdict.QUARANTINED
        ]
        await self._refuse(connection, held, FileReason.NOT_TAKEN, NOT_TAKEN)
        return [(copy.source_id, copy.verdict.path) for copy in held]

    async def tell_unscanned(self, connection: Connection, sha256: str) -> None:
        """Say of uploads that could not be scanned that they are to be sent again."""
        await lock_decisions(connection)
        for copy in await self._list_uploads(connection, sha256):
            verdict = copy.verdict
            if verdict.reason == FileReason.UNSCANNED and not verdict.detail.endswith(SEND_AGAIN):
                detail = f"{verdict.detail}; it is kept nowhere: {SEND_AGAIN}"
                await self._refuse(connection, [copy], FileReason.UNSCANNED, detail)

    async def withdraw(self, connection: Connection, sha256: str) -> int:
        """Take the documents of all files with these bytes out of search; return how many.

        The files are looked at anew when they are next brought.
        """
        await lock_decisions(connection)
        await lock_corpus(connection)  # keeps out who removes files, too
        copies = [
            copy
            for copy in await self.files.list_copies(connection, sha256)
            if copy.verdict.document_ids
        ]
        n_retired = 0
        for copy in copies:
            n_retired += await self.corpus.retire(
                connection,
                copy.verdict.document_ids,
                actor=self.actor,
                correlation_id=self.correlation_id,
                reason=FileReason.WITHDRAWN.value,
            )
        await self._refuse(connection, copies, FileReason.WITHDRAWN, WITHDRAWN)
        return n_retired

    async def _list_uploads(self, connection: Connection, sha256: str) -> list[FileCopy]:
        copies = await self.files.list_copies(connection, sha256)
        return [
            copy
            for copy in copies
            if copy.source_kind is SourceKind.UPLOAD and copy.verdict.sha256 == sha256
        ]

    async def _refuse(
        self, connection: Connection, copies: Iterable[FileCopy], reason: FileReason, detail: str
    ) -> None:
        for copy in copies:
            is_out = reason is FileReason.WITHDRAWN
            refused = replace(
                copy.verdict,
                verdict=Verdict.REJECTED,
                reason=reason.value,
                detail=detail,
                document_ids=() if is_out else copy.verdict.document_ids,
            )
            await self.files.keep(
                connection,
                copy.source_id,
                refused,
                run_id=copy.run_id,
                actor=self.actor,
                correlation_id=self.correlation_id,
            )

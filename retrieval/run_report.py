# SPDX-License-Identifier: Apache-2.0
"""What is told of a run of ingestion: while it goes on, file by file, and at its end.

Only a run that came to its end has told people of its verdicts. What one that broke off recorded
is news to the next.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from retrieval.ingested_files import FileReason, FileVerdict, Verdict
from retrieval.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run did. `counts` is by verdict.

    `remarks` are files that people should look at, since this run has taken or refused them so, or
    one that broke off did; of `still_refused` people were told before, and neither they nor what
    speaks against them has changed.
    """

    source: Source
    run_id: str
    counts: Mapping[str, int]
    remarks: tuple[FileVerdict, ...]
    still_refused: tuple[FileVerdict, ...]
    n_documents: int
    is_complete: bool  # False: a folder could not be listed, so nothing was removed

    @property
    def n_newly_refused(self) -> int:
        """How many files were not taken that nobody was told of before."""
        return sum(verdict.is_refused for verdict in self.remarks)


class RunObserver(Protocol):
    """Is told how a run goes."""

    def begin(self, source: Source, n_files: int) -> None:
        """Hear what will be looked at."""
        ...

    def look_at(self, path: str) -> None:
        """Hear which file is next."""
        ...

    def settle(self, verdict: FileVerdict) -> None:
        """Hear what became of it."""
        ...


@dataclass(slots=True)
class RunTally:
    """What a run has done so far; tells its observer."""

    observer: RunObserver | None = None
    counts: Counter[str] = field(default_factory=Counter)
    remarks: list[FileVerdict] = field(default_factory=list)
    still_refused: list[FileVerdict] = field(default_factory=list)
    n_documents: int = 0

    def settle(self, verdict: FileVerdict, known: FileVerdict | None) -> None:
        """Count what became of a file, of which `known` is the earlier verdict."""
        self.counts[verdict.verdict.value] += 1
        if verdict.verdict is Verdict.STORED:
            self.n_documents += len(verdict.document_ids)
        is_as_before = verdict is known or verdict.verdict is Verdict.UNCHANGED
        is_news = not (is_as_before and known is not None and known.is_told)
        if verdict.is_refused:
            (self.remarks if is_news else self.still_refused).append(verdict)
        elif is_news and verdict.reason == FileReason.PARTLY:
            self.remarks.append(verdict)
        if self.observer is not None:
            self.observer.settle(verdict)

    def report(self, source: Source, run_id: str, *, is_complete: bool) -> RunReport:
        """Return what there is to tell of the run at its end."""
        return RunReport(
            source=source,
            run_id=run_id,
            counts=dict(self.counts),
            remarks=tuple(self.remarks),
            still_refused=tuple(self.still_refused),
            n_documents=self.n_documents,
            is_complete=is_complete,
        )

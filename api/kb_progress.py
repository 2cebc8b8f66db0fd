# SPDX-License-Identifier: Apache-2.0
"""How a run of ingestion looks at a terminal: a bar, its rate, the verdicts, the file in hand."""

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from api.source_records import VERDICT_WORDS
from guardrails.sanitise import plain_text

if TYPE_CHECKING:
    from retrieval.ingested_files import FileVerdict
    from retrieval.sources import Source

MAX_PATH_CHARACTERS = 48  # with the bar and its figures, a line of 140 columns
WIDE = 120  # columns, with less of which rate, time and file would cut the counts short


class RunProgress:
    """Shows a run while it goes on; nothing where no terminal is."""

    def __init__(self, console: Console, *, shown: bool) -> None:
        disabled = not shown or not console.is_terminal
        self._bar = Progress(
            *_choose_columns(console.width), console=console, disable=disabled, transient=True
        )
        self._task: TaskID | None = None
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()

    def begin(self, source: "Source", n_files: int) -> None:  # noqa: ARG002 - the report names it
        """Show how much there is."""
        self._task = self._bar.add_task("", total=n_files, rate="", verdicts="")

    def look_at(self, path: str) -> None:
        """Show the file in hand."""
        if self._task is not None:
            shown = Text(plain_text(path)[-MAX_PATH_CHARACTERS:]).plain
            self._bar.update(self._task, description=shown)

    def settle(self, verdict: "FileVerdict") -> None:
        """Count a verdict."""
        self._counts[VERDICT_WORDS[verdict.verdict.value]] += 1
        if self._task is None:
            return
        speed = self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            advance=0 if verdict.verdict.value == "removed" else 1,
            rate=f"{speed:.1f} files/s" if speed else "",
            verdicts=" · ".join(f"{number} {words}" for words, number in self._counts.items()),
        )


def _choose_columns(width: int) -> list[ProgressColumn]:
    verdicts = TextColumn("{task.fields[verdicts]}", markup=False)
    if width < WIDE:
        return [BarColumn(bar_width=12), MofNCompleteColumn(), verdicts]
    return [
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        verdicts,
        TextColumn("{task.description}", markup=False),
    ]

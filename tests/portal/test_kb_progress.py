# SPDX-License-Identifier: Apache-2.0
"""A run at a terminal is told in the portal's words, and no count is cut short."""

from io import StringIO

import pytest
from rich.console import Console

from api.kb_progress import RunProgress
from retrieval.ingested_files import FileVerdict, Verdict


@pytest.mark.parametrize("width", [80, 140])
def test_a_run_is_told_in_words(width):
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=width)
    with RunProgress(console, shown=True) as progress:
        progress.begin(None, 2_000)
        progress.look_at("net/okapi.md")
        for verdict in (Verdict.REJECTED, Verdict.UNCHANGED, Verdict.QUARANTINED):
            progress.settle(FileVerdict(path="net/okapi.md", verdict=verdict, size_bytes=1))
    shown = screen.getvalue()
    assert "1 not taken · 1 in search, as it was · 1 held back" in shown
    assert "3/2000" in shown
    assert ("net/okapi.md" in shown) == (width == 140)
    assert not any(word in shown for word in ("rejected", "unchanged", "quarantined"))


def test_nothing_is_shown_where_no_terminal_is():
    screen = StringIO()
    with RunProgress(Console(file=screen, width=80), shown=True) as progress:
        progress.begin(None, 1)
        progress.settle(FileVerdict(path="a", verdict=Verdict.STORED, size_bytes=1))
    assert screen.getvalue() == ""

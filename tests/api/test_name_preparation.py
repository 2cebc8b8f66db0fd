# SPDX-License-Identifier: Apache-2.0
"""A preparation that is ended early leaves nothing behind, and says what begins anew."""

import asyncio
import fcntl
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from api import name_preparation, supervisor
from api.name_preparation import BEGINS_ANEW, KEPT, conclude_unfinished, training_names
from api.supervisor import run_everything
from guardrails import name_store
from guardrails.errors import NameModelError
from guardrails.name_store import FOLDER_NAME, ensure_trained, find_model
from kernel.settings import Settings


def list_folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


def test_a_training_that_is_given_up_leaves_nothing_behind(tmp_path):
    stop = threading.Event()
    with pytest.raises(NameModelError):
        ensure_trained(tmp_path, lambda _done, _total: stop.set(), stop)
    assert stop.is_set()
    assert list_folders(tmp_path) == []


def test_what_a_killed_training_left_is_removed_and_a_running_one_is_not(tmp_path):
    folder = tmp_path / FOLDER_NAME
    left = folder / f"{name_store._UNFINISHED}x"
    left.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as one that trains holds it
        assert BEGINS_ANEW in conclude_unfinished(tmp_path)
        assert left.is_dir()
    assert conclude_unfinished(tmp_path) == f"{KEPT}; {BEGINS_ANEW}"
    assert list_folders(folder) == []
    find_model(folder).mkdir()
    assert conclude_unfinished(tmp_path) == KEPT


@pytest.mark.parametrize("terminal", [False, True])
async def test_where_no_bar_can_be_shown_lines_tell_how_far_it_is(tmp_path, monkeypatch, terminal):
    def train(_folder: Path, progress: Callable[[int, int], None], stop: threading.Event) -> bool:
        progress(1220, 2500)
        return stop.wait(60)

    monkeypatch.setattr(name_preparation, "ensure_trained", train)
    screen = StringIO()
    console = Console(file=screen, width=60, force_terminal=terminal)
    async with asyncio.timeout(30), training_names(tmp_path, console, line_seconds=0.01) as names:
        while not names.describe() or (  # noqa: ASYNC110 - a screen has no event
            not terminal and screen.getvalue().count("\n") < 3
        ):
            await asyncio.sleep(0.01)
    lines = screen.getvalue().splitlines()
    assert set(lines) == (
        set() if terminal else {"  recogniser of names: trained once, step 1220 of 2500 (0:00 min)"}
    )


@pytest.mark.parametrize("finished", [True, False])
async def test_a_stop_says_that_all_is_saved_only_where_all_was_prepared(
    tmp_path, monkeypatch, finished
):
    async def run(*_given: object) -> bool:
        return finished

    async def nothing(*_given: object) -> None:
        return None

    class Opened:
        async def __aenter__(self) -> None:
            return None

        async def __aexit__(self, *_error: object) -> None:
            return None

    for name, instead in (
        ("_run_children", run), ("_await_ports", nothing), ("migrate_database", nothing),
        ("open_database", lambda *_: Opened()), ("open_ground", lambda *_: Opened()),
    ):  # fmt: skip
        monkeypatch.setattr(supervisor, name, instead)
    left = tmp_path / FOLDER_NAME / f"{name_store._UNFINISHED}x"
    left.mkdir(parents=True)
    screen = StringIO()
    await run_everything(Settings(data_dir=tmp_path), Console(file=screen, width=60))
    last = screen.getvalue().splitlines()[-1]
    if finished:
        assert last == "stopped; everything is saved"
    else:
        assert last == f"stopped before all was prepared: {KEPT}; {BEGINS_ANEW}"
        assert not left.exists()

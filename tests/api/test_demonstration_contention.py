# SPDX-License-Identifier: Apache-2.0
"""A demonstration that gives up on a busy machine says what it measured, and what to do."""

import asyncio
import os
import signal
import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from api import demonstration_contention
from api.demonstration import Demonstration
from api.demonstration_contention import (
    BusyProcess,
    explain_contention,
    find_busiest,
    gets_too_little,
)
from api.demonstration_faults import FaultKind
from kernel.settings import Settings

BURNER = "import sys\nprint(flush=True)\nwhile True: pass"


def test_the_explanation_has_the_shares_the_threshold_and_who_competes():
    said = explain_contention(
        [44.0, 61.4, 72.0], [BusyProcess(pid=77, name="compiler", percent=99.2)]
    )
    assert "got 44, 61, 72 % of a core" in said
    assert "85 % of a core in 3 reports in a row" in said
    assert "60 % in 5" in said
    assert "compiler 99 % (pid 77)" in said
    assert "wait until they have ended" in said


def test_nobody_is_accused_where_nobody_competes():
    said = explain_contention([], [])
    assert "no report of the agent names" in said
    assert "wait" not in said
    assert "run it again" in said


def test_the_threshold_is_the_one_of_the_rules():
    assert gets_too_little(84.9)
    assert not gets_too_little(85.0)


def test_who_competes_is_found_and_the_demonstration_is_not_meant(monkeypatch):
    monkeypatch.setattr(demonstration_contention, "N_NAMED", 1000)
    monkeypatch.setattr(demonstration_contention, "LEAST_NAMED_PERCENT", 0.0)
    with subprocess.Popen([sys.executable, "-c", BURNER], stdout=subprocess.PIPE) as burner:
        try:
            assert burner.stdout is not None
            burner.stdout.readline()
            found = {one.pid: one for one in asyncio.run(find_busiest("no such name"))}
            assert found[burner.pid].percent > 5
            ours = found[burner.pid].name
            assert burner.pid not in {one.pid for one in asyncio.run(find_busiest(ours))}
        finally:
            os.kill(burner.pid, signal.SIGKILL)


class Road:
    def __init__(self, *shares: float) -> None:
        self.shares = shares

    async def list_shares(self) -> list[float]:
        return list(self.shares)


@pytest.mark.parametrize(
    ("kind", "shares", "said"),
    [
        (FaultKind.CPU, (70.0, 80.0, 79.0), "got 70, 80, 79 % of a core"),
        (FaultKind.CPU, (96.0, 97.0, 98.0), "high enough in all reports; see"),
        (FaultKind.DISK, (), "worker.log"),
    ],
)
async def test_a_demonstration_explains_why_no_incident_opened(tmp_path, kind, shares, said):
    settings = Settings(data_dir=tmp_path)
    console = Console(file=StringIO())
    demonstration = Demonstration(settings, kind=kind, seconds=60, console=console)
    assert said in await demonstration._explain_silence(Road(*shares))

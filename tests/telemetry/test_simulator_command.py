# SPDX-License-Identifier: Apache-2.0
"""`eucora simulate` sends a fleet down the real road and says what it planted."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

import api.cli_ground
from api.simulation import Simulation, read_patterns, simulate_fleet
from contracts.failure import FailureClass as F
from guardrails.directory import Directory
from guardrails.directory_feed import DirectoryFeed
from guardrails.masking import Masker
from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from telemetry.errors import SimulationError


@pytest.fixture
def ground(pool, clock, ids):
    """The parts of the ground that a simulation stands on, all real."""
    directory = Directory(is_complete=False)
    return SimpleNamespace(
        pool=pool,
        clock=clock,
        ids=ids,
        audit=AuditIntake(clock, ids),
        outbox=Outbox(clock),
        masker=Masker(directory=directory),
        directory=DirectoryFeed(pool, directory, clock),
    )


async def simulate(ground, monkeypatch, **changes):
    output = io.StringIO()
    console = Console(file=output, width=200)
    monkeypatch.setattr(api.cli_ground, "console", console)
    await simulate_fleet(ground, Simulation(**changes), console)
    return output.getvalue()


async def count(pool, table):
    async with pool.connection() as connection:
        cursor = await connection.execute(f"SELECT count(*) AS n FROM {table}")
        return (await cursor.fetchone())["n"]


async def test_reports_are_stored_and_faults_are_told(ground, pool, monkeypatch):
    output = await simulate(
        ground, monkeypatch, n_devices=12, n_hours=1, fault_share=1.0, patterns=(F.DNS, F.THERMAL)
    )
    assert await count(pool, "devices") == 12
    assert await count(pool, "telemetry_reports") == 144
    assert "12 simulated devices, 144 reports, 12 devices with a fault" in output
    assert output.count("dns ") == 6
    assert output.count("thermal ") == 6


async def test_a_second_fleet_of_one_seed_is_refused_and_of_another_keeps_apart(
    ground, pool, monkeypatch
):
    await simulate(ground, monkeypatch, n_devices=12, n_hours=1)
    with pytest.raises(SimulationError, match=r"seed 1 is here already \(12 devices.*--seed 2"):
        await simulate(ground, monkeypatch, n_devices=20, n_hours=1)
    assert await count(pool, "devices") == 12
    assert await count(pool, "telemetry_reports") == 144
    await simulate(ground, monkeypatch, n_devices=20, n_hours=1, seed=2)
    await simulate(ground, monkeypatch, n_devices=10, n_hours=1, seed=12)
    assert await count(pool, "devices") == 12 + 20 + 10
    assert await count(pool, "telemetry_reports") == 12 * (12 + 20 + 10)


async def test_the_table_says_until_when_a_fault_lasts(ground, monkeypatch):
    output = await simulate(
        ground, monkeypatch, n_devices=20, n_hours=10, fault_share=1.0, patterns=(F.DNS,)
    )
    rows = [line.split("│") for line in output.splitlines() if "dns" in line]
    lasting = [row for row in rows if row[4].strip() == "stays"]
    ending = [row for row in rows if row not in lasting]
    assert len(rows) == 20
    assert len(lasting) > len(ending) > 0
    assert all(row[3] < row[4] <= " 2100" for row in ending)


async def test_a_lifelike_fleet_with_a_bad_patch(ground, pool, monkeypatch):
    output = await simulate(
        ground,
        monkeypatch,
        n_devices=60,
        n_hours=2,
        seed=3,
        fault_share=0.0,
        bad_patch=True,
        lifelike=True,
    )
    assert "Patch KB50" in output
    assert "duplicates" in output
    stored = await count(pool, "telemetry_reports")
    assert 0 < stored < 60 * 24  # some devices sleep
    assert f"{stored} reports" in output


def test_unknown_patterns_are_refused_with_those_that_exist():
    assert read_patterns(["disk_full", "dns"]) == (F.DISK_FULL, F.DNS)
    with pytest.raises(SimulationError, match="runaway_process"):
        read_patterns(["plague"])

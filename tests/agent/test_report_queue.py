# SPDX-License-Identifier: Apache-2.0
"""The offline queue: ordered, bounded, counted, alive on a full disk."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import JournalError
from agent.journal import Journal
from agent.report_queue import MAX_IN_MEMORY, ReportQueue
from contracts.telemetry import AgentHealth, Hardware, Network, Software, TelemetryReport


def make_report(number: int) -> TelemetryReport:
    return TelemetryReport(
        report_id=f"rep_{number}",
        device_id="dev_1",
        timestamp=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number),
        hardware=Hardware(),
        software=Software(os_family="linux"),
        network=Network(),
        agent=AgentHealth(version="1"),
    )


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 8), st.lists(st.one_of(st.just("add"), st.integers(1, 4)), max_size=30))
def test_the_newest_reports_stay_in_order(
    tmp_path_factory: pytest.TempPathFactory, bound: int, actions: list[str | int]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("queue"))
    queue = ReportQueue(journal, max_reports=bound, max_bytes=10**6)
    model: list[str] = []
    n_added = n_dropped = 0
    for action in actions:
        if action == "add":
            queue.add(make_report(n_added))
            model.append(f"rep_{n_added}")
            n_added += 1
            n_dropped += len(model) > bound
            model = model[-bound:]
        else:
            sent = [report.report_id for report in queue.next_batch(max_reports=int(action))]
            assert sent == model[: int(action)]
            queue.remove(sent)
            model = model[int(action) :]
        assert len(queue) == len(model)
    assert journal.counter("dropped_reports") == n_dropped
    journal.close()


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    queue = ReportQueue(journal, max_reports=1000, max_bytes=2000)
    for number in range(30):
        queue.add(make_report(number))
    batch = queue.next_batch()
    assert sum(len(report.body) for report in batch) <= 2000
    assert batch[-1].report_id == "rep_29"
    assert journal.counter("dropped_reports") == 30 - len(batch)
    assert len(queue.next_batch(max_bytes=1)) == 1
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "small"
    mount.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(mount)]
    if os.geteuid() or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def test_a_full_disk_neither_silences_the_device_nor_stops_a_job(small_disk: Path) -> None:
    journal = Journal(small_disk)
    journal.keep_reserve()
    queue = ReportQueue(journal, max_reports=1000, max_bytes=10**9)
    fill(small_disk / "filler")
    with pytest.raises(JournalError):
        write_much(journal)
    n_reports = 0
    while len(queue.next_batch(max_reports=10**6)) < n_reports + 1 and n_reports < 3000:
        n_reports += 1
        queue.add(make_report(n_reports))
    newest = queue.next_batch(max_reports=10**6, max_bytes=10**9)[-1]
    assert newest.report_id == f"rep_{n_reports}"
    assert len(queue) <= 1000 + MAX_IN_MEMORY
    journal.release_reserve()
    write_much(journal)
    journal.close()


def write_much(journal: Journal) -> None:
    with journal.transaction() as connection:
        connection.execute(
            "INSERT INTO memory (name, value) VALUES ('test', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            ("x" * 200_000,),
        )

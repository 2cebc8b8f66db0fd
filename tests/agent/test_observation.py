# SPDX-License-Identifier: Apache-2.0
"""What the agent sees is really there: processes, disks, services, packages, logs, clocks."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agent import services
from agent.collector import Collector
from agent.configuration import Configuration, WatchedLog, load_configuration
from agent.device_clock import DeviceClock
from agent.errors import ConfigurationError
from agent.hardware import HardwareObserver, observe_disks
from agent.services import observe_services
from agent.software import LogTail, read_dpkg_status
from contracts.telemetry import TelemetryReport


def test_a_report_keeps_the_contract(tmp_path: Path) -> None:
    collector = Collector("dev_1", Configuration(watched_mounts=(str(tmp_path),)))
    for _ in range(2):
        report = collector.collect(
            datetime.now(UTC), clock_offset_seconds=0.25, n_queued=3, n_errors=1
        )
        again = msgspec.json.decode(msgspec.json.encode(report), type=TelemetryReport)
        assert again == report
    assert report.hardware.cpu_count
    assert report.agent.queued_reports == 3
    assert str(tmp_path) in [disk.mount for disk in report.hardware.disks]
    assert report.software.packages == ()  # unchanged since the first report


def test_a_burning_process_stands_out() -> None:
    observer = HardwareObserver()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as burner:
        observer.observe()
        deadline = time.monotonic() + 20
        seen = 0.0
        while seen < 40 and time.monotonic() < deadline:
            time.sleep(0.3)
            processes = observer.observe().processes
            seen = max((p.cpu_percent for p in processes if p.pid == burner.pid), default=0)
        burner.kill()
    assert seen >= 40


def test_disks_are_listed_once_and_missing_mounts_are_left_out() -> None:
    disks = observe_disks(["/", "/does/not/exist"])
    mounts = [disk.mount for disk in disks]
    assert mounts.count("/") == 1
    assert "/does/not/exist" not in mounts
    assert len(set(mounts)) == len(mounts)


def test_sysv_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "INIT_SCRIPTS", tmp_path)
    monkeypatch.setattr(services, "SYSTEMD_RUNTIME", tmp_path / "absent")
    marker = tmp_path / "running"
    script = tmp_path / "exampled"
    script.write_text(f'#!/bin/sh\n[ "$1" = status ] || exit 2\ntest -e "{marker}" || exit 3\n')
    script.chmod(0o755)
    assert [s.running for s in observe_services(["exampled", "absent"])] == [False, False]
    marker.touch()
    (running, absent) = observe_services(["exampled", "absent"])
    assert running.running
    assert running.expected
    assert not absent.running


def test_systemd_is_asked_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in systemctl: no systemd runs in a container."""
    (tmp_path / "systemctl").write_text("#!/bin/sh\nprintf 'active\\nfailed\\n'\nexit 3\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setattr(services, "SYSTEMD_RUNTIME", tmp_path)
    monkeypatch.setattr(services, "_ENVIRONMENT", {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert [s.running for s in observe_services(["cups", "ssh"])] == [True, False]


def test_dpkg_states(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: good\nStatus: install ok installed\nVersion: 1\n\n"
        "Package: half\nStatus: install ok half-configured\nVersion: 2\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 3\n"
    )
    packages, n_broken = read_dpkg_status(status)
    assert [(package.name, package.version) for package in packages] == [("good", "1")]
    assert n_broken == 1


def test_logs_are_followed_across_rotation(tmp_path: Path) -> None:
    path = tmp_path / "service.log"
    path.write_text("an error of yesterday\n")
    tail = LogTail(WatchedLog(service="s", path=str(path)))
    with path.open("a") as file:
        file.write("all well\nconnection failed\nfatal but unfini")
    assert [line.message for line in tail.read_noteworthy()] == ["connection failed"]
    with path.open("a") as file:
        file.write("shed\n")
    assert [line.message for line in tail.read_noteworthy()] == ["fatal but unfinished"]
    path.rename(tmp_path / "service.log.1")
    assert tail.read_noteworthy() == []
    path.write_text("error after rotation\n")
    assert [line.message for line in tail.read_noteworthy()] == ["error after rotation"]


def test_a_new_configuration_forgets_nothing(tmp_path: Path) -> None:
    """Lines and rates from before are still told after it is taken up."""
    path = tmp_path / "service.log"
    path.touch()
    logs = (WatchedLog(service="s", path=str(path)),)
    collector = Collector("dev_1", Configuration(watched_logs=logs))
    moment = {"clock_offset_seconds": 0.0, "n_queued": 0, "n_errors": 0}
    first = collector.collect(datetime.now(UTC), **moment)
    assert first.network.received_bytes_per_second is None
    path.write_text("connection failed\n")
    collector.take_up(Configuration(watched_logs=logs, watched_mounts=(str(tmp_path),)))
    report = collector.collect(datetime.now(UTC), **moment)
    assert [line.message for line in report.logs] == ["connection failed"]
    assert report.network.received_bytes_per_second is not None
    assert str(tmp_path) in [disk.mount for disk in report.hardware.disks]
    collector.take_up(Configuration())
    path.write_text("connection failed again\n")
    report = collector.collect(datetime.now(UTC), **moment)
    assert report.logs == ()
    assert str(tmp_path) not in [disk.mount for disk in report.hardware.disks]


def test_the_clock_follows_the_server_only_when_it_matters() -> None:
    clock = DeviceClock()
    now = datetime.now(UTC)
    clock.learn(asked_at=now, answered_at=now, server_time=now - timedelta(seconds=0.5))
    assert clock.offset_seconds == pytest.approx(0.5)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=0.3)
    clock.learn(asked_at=now, answered_at=now, server_time=now + timedelta(hours=2))
    assert clock.now() - datetime.now(UTC) > timedelta(hours=1, minutes=59)


@pytest.mark.parametrize(
    "text",
    ["interval_seconds = 0", "watched_service = []", "= broken", 'watched_services = ["../x"]'],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"agent\.toml"):
        load_configuration(tmp_path)

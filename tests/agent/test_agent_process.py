# SPDX-License-Identifier: Apache-2.0
"""The agent as a real process against a real mTLS server on loopback."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from contracts.canonical import sha256_hex
from contracts.job import Receipt, RefusalReason
from tests.fakes.device_server import TOKEN, DeviceServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DeviceServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    server = DeviceServer(folder)
    server.start()
    yield server
    server.stop()


class AgentProcess:
    """Starts, kills and restarts `python -m agent` on one state directory."""

    def __init__(self, server: DeviceServer, state: Path) -> None:
        self.server = server
        self.state = state
        self.log = state.parent / "agent.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agent", *arguments, "--state", str(self.state)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def enrol(self) -> None:
        ca = str(self.server.ca_file)
        done = self.command("enrol", "--server", self.server.url, "--token", TOKEN, "--ca", ca)
        assert done.returncode == 0, done.stderr

    def start(self, interval: float = 60) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "agent",
                    "run",
                    f"--state={self.state}",
                    f"--interval={interval}",
                ],
                cwd=ROOT,
                stderr=log,
                env={**os.environ, "SECRET_OF_THE_AGENT": "leak"},
            )
        return self.process

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code

    def log_lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def agent(server: DeviceServer, tmp_path: Path) -> Iterator[AgentProcess]:
    agent = AgentProcess(server, tmp_path / "state")
    agent.enrol()
    yield agent
    if agent.process is not None:
        agent.end()


def wait_until(condition: Callable[[], object], timeout_seconds: float = 20) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.02)


def test_real_telemetry_arrives_and_sigterm_ends_the_agent_cleanly(
    server: DeviceServer, agent: AgentProcess
) -> None:
    agent.start(interval=0.3)
    server.wait_for(lambda: len(server.reports) >= 3)
    report = list(server.reports.values())[-1]
    assert report.device_id == "dev_1"
    assert report.hardware.memory_percent is not None
    assert any(disk.mount == "/" for disk in report.hardware.disks)
    assert any(process.pid == agent.process.pid for process in report.hardware.processes) or (
        report.hardware.processes
    )
    assert report.network.clock_offset_seconds is not None
    assert abs(report.network.clock_offset_seconds) < 2
    assert agent.end(signal.SIGTERM) == 0
    actions = [line["action"] for line in agent.log_lines()]
    assert actions[0] == "agent.started"
    assert actions[-1] == "agent.stopped"
    assert {"timestamp", "trace_id", "span_id", "service", "platform_id", "decision"} <= set(
        agent.log_lines()[0]
    )


def test_a_changed_configuration_is_taken_up_and_a_wrong_one_is_refused(
    server: DeviceServer, agent: AgentProcess
) -> None:
    def reported_services() -> set[str]:
        newest = list(server.reports.values())[-1]
        return {service.name for service in newest.software.services}

    agent.start(interval=0.3)
    server.wait_for(lambda: len(server.reports) >= 1)
    assert reported_services() == set()
    configuration = agent.state / "agent.toml"
    configuration.write_text('watched_services = ["administrators"]\n')
    wait_until(lambda: reported_services() == {"administrators"}, 60)
    (agent.state / "agent.d").mkdir(exist_ok=True)
    addition = agent.state / "agent.d" / "other.toml"
    addition.write_text('watched_services = ["programs", "administrators"]\n')
    wait_until(lambda: reported_services() == {"administrators", "programs"}, 60)
    configuration.write_text('watched_service = ["mistyped"]\n')
    wait_until(lambda: "configuration.refused" in agent.log.read_text(), 60)
    seen = len(server.reports)
    server.wait_for(lambda: len(server.reports) >= seen + 2)
    assert reported_services() == {"administrators", "programs"}
    assert agent.log.read_text().count("configuration.refused") == 1
    configuration.unlink()
    many = ", ".join(f'"service{number}"' for number in range(60))
    addition.write_text(f"watched_services = [{many}]\n")
    (agent.state / "agent.d" / "third.toml").write_text(
        f"watched_services = [{many.replace('service', 'other')}]\n"
    )
    wait_until(lambda: agent.log.read_text().count("configuration.refused") >= 2, 60)
    (agent.state / "agent.d" / "third.toml").unlink()
    addition.write_text('watched_services = ["programs"]\n')
    wait_until(lambda: reported_services() == {"programs"}, 60)
    addition.unlink()
    wait_until(lambda: reported_services() == set(), 60)


def test_an_approved_job_runs_once_and_is_reported(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    effect = tmp_path / "effect"
    payload = server.issuer.payload(
        {
            "detect": "exit 0",
            "remediate": 'set -u; echo "$EUCORA_PARAM_TARGET $EUCORA_PARAM_FORCE" >> '
            f'"{effect}"; env; pwd > "$EUCORA_STATE_DIR/where"',
            "verify": f'test -s "{effect}" && test -s "$EUCORA_STATE_DIR/where"',
        },
        parameters={"target": "a b; $(touch /nonexistent/x)", "force": True},
    )
    envelope = server.issuer.sign(payload)
    agent.start()
    digest = server.offer(envelope)
    receipt = server.wait_for(lambda: server.receipt_for(digest))
    assert receipt.outcome == "succeeded"
    assert [step.step for step in receipt.steps] == ["detect", "remediate", "verify"]
    assert receipt.executed_sha256 == {
        name: step["sha256"] for name, step in payload["steps"].items()
    }
    assert "SECRET_OF_THE_AGENT" not in receipt.steps[1].stdout
    assert effect.read_text() == "a b; $(touch /nonexistent/x) true\n"
    assert ("/device/v1/receipts", receipt.correlation_id) in server.correlations or (
        receipt.correlation_id == payload["correlation_id"]
    )

    # Replay after the acknowledgement: refused, reported, no second effect.
    server.offer(envelope)
    server.wait_for(lambda: len(server.receipts) == 2)
    assert server.receipts[1].refusal is RefusalReason.REPLAYED
    # The same job in a fresh envelope with a higher sequence: still the same job.
    server.issuer.sequence += 1
    again = server.offer(server.issuer.sign(payload | {"sequence": server.issuer.sequence}))
    assert server.wait_for(lambda: server.receipt_for(again)).refusal is RefusalReason.REPLAYED
    assert effect.read_text().count("\n") == 1


def test_one_approval_runs_one_fix_and_one_rollback_also_after_a_kill(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    """A server that has forgotten its job makes a new one, correctly signed, of the same case."""
    effect, undone = tmp_path / "effect", tmp_path / "undone"
    steps = {"remediate": f"echo x >> {effect}", "rollback": f"echo x >> {undone}"}
    made = server.issuer.payload(steps)
    agent.start()

    def run_again(**changes: object) -> Receipt:
        server.issuer.sequence += 1
        job_id = f"job_{secrets.token_hex(6)}"
        payload = made | {"job_id": job_id, "sequence": server.issuer.sequence} | changes
        digest = server.offer(server.issuer.sign(payload))
        return server.wait_for(lambda: server.receipt_for(digest))

    first = server.offer(server.issuer.sign(made))
    assert server.wait_for(lambda: server.receipt_for(first)).outcome == "succeeded"
    agent.end(signal.SIGKILL)
    agent.start()
    assert run_again().refusal is RefusalReason.APPROVAL_USED
    assert f"already run, by {made['job_id']}" in agent.log.read_text()
    assert run_again(kind="rollback").outcome == "rolled_back"
    assert run_again(kind="rollback").refusal is RefusalReason.APPROVAL_USED
    other = server.issuer.payload(steps)
    assert run_again(**other).outcome == "succeeded", "another approval of the same script"
    assert (effect.read_text(), undone.read_text()) == ("x\nx\n", "x\n")


def test_a_fault_that_is_absent_needs_nothing_and_a_failed_fix_is_rolled_back(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    agent.start()
    absent = server.offer(server.issuer.issue({"detect": "exit 1", "remediate": "exit 9"}))
    assert server.wait_for(lambda: server.receipt_for(absent)).outcome == "not_needed"
    failing = server.offer(
        server.issuer.issue(
            {
                "detect": "exit 0",
                "remediate": f"touch {marker}",
                "verify": "exit 1",
                "rollback": f"rm {marker}",
            }
        )
    )
    receipt = server.wait_for(lambda: server.receipt_for(failing))
    assert receipt.outcome == "rolled_back"
    assert not marker.exists()
    broken = server.offer(server.issuer.issue({"detect": "exit 7", "remediate": "exit 0"}))
    assert server.wait_for(lambda: server.receipt_for(broken)).outcome == "failed"


@pytest.mark.parametrize("interrupted_step", ["remediate", "detect"])
def test_kill_between_journal_and_receipt_never_repeats_the_effect(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path, interrupted_step: str
) -> None:
    effect, undone, begun = tmp_path / "effect", tmp_path / "undone", tmp_path / "begun"
    halt = f"echo $$ >> {begun}; sleep 300"
    steps = {
        "detect": halt if interrupted_step == "detect" else "exit 0",
        "remediate": f"echo once >> {effect}; {halt}",
        "rollback": f"echo undone >> {undone}",
    }
    agent.start()
    digest = server.offer(server.issuer.issue(steps))
    wait_until(lambda: begun.exists() and begun.read_text().endswith("\n"))
    agent.end(signal.SIGKILL)
    left_behind = int(begun.read_text())
    assert psutil.pid_exists(left_behind)

    agent.start()
    receipt = server.wait_for(lambda: server.receipt_for(digest))
    assert receipt.outcome == "interrupted"
    assert not psutil.pid_exists(left_behind)
    if interrupted_step == "remediate":
        assert effect.read_text() == "once\n"
        assert undone.read_text() == "undone\n"
    else:
        assert not effect.exists()
        assert not undone.exists()
    assert len(server.receipts) == 1


def test_a_receipt_survives_an_outage_and_a_kill(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    effect = tmp_path / "effect"
    server.failing.add("/device/v1/receipts")
    agent.start()
    envelope = server.issuer.issue({"remediate": f"echo once >> {effect}"})
    digest = server.offer(envelope)
    wait_until(effect.exists)
    wait_until(lambda: '"job.finished"' in agent.log.read_text())
    agent.end(signal.SIGKILL)
    agent.start()
    server.offer(envelope)  # the lease ran out: the server delivers again
    wait_until(lambda: '"job.redelivered"' in agent.log.read_text())
    server.failing.clear()
    receipt = server.wait_for(lambda: server.receipt_for(digest))
    assert receipt.outcome == "succeeded"
    assert effect.read_text() == "once\n"
    assert len(server.receipts) == 1


def test_reports_wait_while_the_server_is_away(server: DeviceServer, agent: AgentProcess) -> None:
    server.stop()
    (agent.state / "agent.toml").write_text("queue_max_reports = 4\n")
    agent.start(interval=0.2)
    wait_until(lambda: json.loads(agent.command("status").stdout)["dropped_reports"] >= 2)
    agent.end(signal.SIGKILL)
    assert json.loads(agent.command("status").stdout)["queued_reports"] == 4
    server.start()
    agent.start(interval=60)
    server.wait_for(lambda: len(server.reports) >= 4)
    stamps = [report.timestamp for report in server.reports.values()]
    assert stamps == sorted(stamps)


def test_refusals_are_reported_and_nothing_runs(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    effect = tmp_path / "effect"
    steps = {"remediate": f"touch {effect}"}
    envelope = bytearray(server.issuer.issue(steps))
    position = envelope.index(b'"payload":"') + 40
    envelope[position] = ord("A") if envelope[position] != ord("A") else ord("B")
    flipped = server.offer(bytes(envelope))
    stranger = server.offer(server.issuer.issue(steps, device_id="dev_2"))
    noise = server.offer(b"not an envelope")
    agent.start()
    server.wait_for(lambda: len(server.receipts) == 3)
    refusals = {digest: server.receipt_for(digest).refusal for digest in (flipped, stranger, noise)}
    assert refusals == {
        flipped: RefusalReason.BAD_SIGNATURE,
        stranger: RefusalReason.WRONG_DEVICE,
        noise: RefusalReason.MALFORMED,
    }
    assert not effect.exists()


def test_a_rewritten_log_is_refused_and_a_grown_one_is_not(
    server: DeviceServer, agent: AgentProcess
) -> None:
    issuer = server.issuer
    agent.start()
    first = server.offer(issuer.issue({"remediate": "exit 0"}))
    assert server.wait_for(lambda: server.receipt_for(first)).outcome == "succeeded"
    early = issuer.issue({"remediate": "exit 0"})
    for number in range(5):
        issuer.append({"action": "other", "number": number})
    late = server.offer(issuer.issue({"remediate": "exit 0"}))
    assert server.wait_for(lambda: server.receipt_for(late)).outcome == "succeeded"
    # Out of order: its sequence is passed, so it is a replay whatever its checkpoint.
    assert sha256_hex(early) == server.offer(early)
    receipt = server.wait_for(lambda: server.receipt_for(sha256_hex(early)))
    assert receipt.refusal is RefusalReason.REPLAYED
    issuer.entries[0] = b'{"action":"log.rewritten"}'
    forged = server.offer(issuer.issue({"remediate": "exit 0"}))
    receipt = server.wait_for(lambda: server.receipt_for(forged))
    assert receipt.refusal is RefusalReason.INCONSISTENT_LOG


def test_the_certificate_is_renewed_before_it_ends(server: DeviceServer, tmp_path: Path) -> None:
    server.certificate_age_seconds = 10 * 86400  # of eleven days
    agent = AgentProcess(server, tmp_path / "short")
    agent.enrol()
    server.certificate_age_seconds = 1
    agent.start(interval=0.3)
    try:
        server.wait_for(lambda: server.n_renewals == 1)
        n_before = len(server.reports)
        digest = server.offer(server.issuer.issue({"remediate": "exit 0"}))
        assert server.wait_for(lambda: server.receipt_for(digest)).outcome == "succeeded"
        server.wait_for(lambda: len(server.reports) > n_before)
    finally:
        agent.end()


def test_a_lost_renewal_is_asked_for_again(server: DeviceServer, tmp_path: Path) -> None:
    server.certificate_age_seconds = 10 * 86400
    agent = AgentProcess(server, tmp_path / "short")
    agent.enrol()
    server.certificate_age_seconds = 1
    first = server.certificate_sha256
    server.losing.add("/device/v1/certificate")
    agent.start(interval=0.3)
    try:
        server.wait_for(lambda: server.n_renewals >= 1)
        n_before = len(server.reports)
        server.wait_for(lambda: len(server.reports) > n_before)  # with the old certificate
        assert server.certificate_sha256 == first
        server.losing.clear()
        wait_until(lambda: '"certificate.renewed"' in agent.log.read_text())
        assert server.certificate_sha256 != first
        n_before = len(server.reports)
        server.wait_for(lambda: len(server.reports) > n_before)
    finally:
        agent.end()


def test_an_agent_that_died_before_it_took_up_its_certificate_still_has_it(
    server: DeviceServer, tmp_path: Path
) -> None:
    server.certificate_age_seconds = 10 * 86400
    agent = AgentProcess(server, tmp_path / "short")
    agent.enrol()
    server.certificate_age_seconds = 1
    current, renewed = agent.state / "device.pem", agent.state / "renewed.pem"
    old = current.read_bytes()
    agent.start(interval=0.3)
    try:
        wait_until(lambda: '"certificate.renewed"' in agent.log.read_text())
        n_before = len(server.reports)
        server.wait_for(lambda: len(server.reports) > n_before)
        agent.end()
        assert not renewed.exists()
        # As it was after the first use and before the rename: the server has ended the old one.
        current.rename(renewed)
        current.write_bytes(old)
        n_before = len(server.reports)
        agent.start(interval=0.3)
        server.wait_for(lambda: len(server.reports) > n_before)
        assert not renewed.exists()
        # A renewed one that the server does not know is dropped.
        agent.end()
        renewed.write_bytes(old)
        n_before = len(server.reports)
        agent.start(interval=0.3)
        server.wait_for(lambda: len(server.reports) > n_before)
        wait_until(lambda: not renewed.exists())
        assert current.read_bytes() != old
    finally:
        if agent.process is not None:
            agent.end()


def test_a_damaged_journal_row_does_not_stop_further_jobs(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    begun, undone, effect = tmp_path / "begun", tmp_path / "undone", tmp_path / "effect"
    agent.start()
    digest = server.offer(
        server.issuer.issue(
            {"remediate": f"echo $$ > {begun}; sleep 300", "rollback": f"touch {undone}"}
        )
    )
    wait_until(lambda: begun.exists() and begun.read_text().endswith("\n"))
    agent.end(signal.SIGKILL)
    with closing(sqlite3.connect(agent.state / "agent.sqlite3")) as connection, connection:
        connection.execute("UPDATE jobs SET envelope = x'00'")
    agent.start()
    assert server.wait_for(lambda: server.receipt_for(digest)).outcome == "interrupted"
    assert not psutil.pid_exists(int(begun.read_text()))
    following = server.offer(server.issuer.issue({"remediate": f"touch {effect}"}))
    assert server.wait_for(lambda: server.receipt_for(following)).outcome == "succeeded"
    assert effect.exists()
    assert not undone.exists()


def test_a_wrong_clock_is_reported_and_does_not_expire_jobs(
    server: DeviceServer, agent: AgentProcess
) -> None:
    server.clock_shift = timedelta(hours=-3)  # the device's clock is three hours ahead
    agent.start(interval=0.3)
    report = server.wait_for(
        lambda: [r for r in server.reports.values() if r.network.clock_offset_seconds]
    )[-1]
    assert report.network.clock_offset_seconds == pytest.approx(3 * 3600, abs=2)
    reports = server.reports
    server.wait_for(lambda: len(reports) >= 3)
    newest = list(server.reports.values())[-1]
    gap = report.timestamp - newest.timestamp
    assert abs(gap) < timedelta(hours=1)


def test_sigterm_during_a_step_ends_its_processes_and_the_next_start_undoes(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    begun, undone = tmp_path / "begun", tmp_path / "undone"
    agent.start()
    digest = server.offer(
        server.issuer.issue(
            {"remediate": f"echo $$ > {begun}; sleep 300", "rollback": f"touch {undone}"}
        )
    )
    wait_until(lambda: begun.exists() and begun.read_text().endswith("\n"))
    assert agent.end(signal.SIGTERM) == 0
    wait_until(lambda: not psutil.pid_exists(int(begun.read_text())))
    agent.start()
    assert server.wait_for(lambda: server.receipt_for(digest)).outcome == "interrupted"
    assert undone.exists()


def test_only_one_agent_uses_a_state_directory(agent: AgentProcess) -> None:
    agent.start()
    wait_until(lambda: '"agent.started"' in agent.log.read_text())
    assert agent.command("run").returncode == 4


def test_status_verify_and_enrolment_errors(
    server: DeviceServer, agent: AgentProcess, tmp_path: Path
) -> None:
    assert agent.command("verify").returncode == 0
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(server.issuer.issue({"remediate": "exit 0"}))
    bad.write_bytes(server.issuer.issue({"remediate": "exit 0"}, device_id="dev_9"))
    assert agent.command("verify", str(good)).returncode == 0
    refused = agent.command("verify", str(bad))
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["reason"] == "wrong_device"
    ca = str(server.ca_file)
    assert (
        agent.command("enrol", "--server", server.url, "--token", "x", "--ca", ca).returncode == 1
    )
    stranger = AgentProcess(server, tmp_path / "other")
    wrong = stranger.command("enrol", "--server", server.url, "--token", "x", "--ca", ca)
    assert wrong.returncode == 1
    assert stranger.command("run").returncode == 3
    assert (agent.state.stat().st_mode & 0o777) == 0o700
    assert ((agent.state / "device.pem").stat().st_mode & 0o777) == 0o600


def test_an_idle_agent_is_small_and_quiet(server: DeviceServer, agent: AgentProcess) -> None:
    process = psutil.Process(agent.start(interval=60).pid)
    server.wait_for(lambda: len(server.reports) == 1)
    digest = server.offer(server.issuer.issue({"remediate": "exit 0"}))
    server.wait_for(lambda: server.receipt_for(digest))
    before, started = process.cpu_times(), time.monotonic()
    n_polls = len(server.correlations)
    server.wait_for(lambda: len(server.correlations) >= n_polls + 10, 30)
    after, elapsed = process.cpu_times(), time.monotonic() - started
    used = after.user + after.system - before.user - before.system
    resident = process.memory_info().rss / 2**20
    print(f"agent: {resident:.1f} MiB resident, {100 * used / elapsed:.2f} % of a core while idle")
    assert resident <= 60
    # The stand-in holds a poll for half a second only, fifty times more often than the default.
    assert used / elapsed < 0.05

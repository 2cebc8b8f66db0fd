# SPDX-License-Identifier: Apache-2.0
"""The whole road on this machine, nothing mocked: a real fault, seen by the real agent, fixed
after a person approved in a real browser, verified on fresh telemetry, proven with public tools.

One installation serves all roads. Other processes may burn or fill what they like meanwhile:
each road looks only for the incident that names its own fault.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from api.demonstration import watching
from api.demonstration_faults import BurningCore, DeadService, Fault, FullDisk
from tests.stack.browser import log_in, open_browser
from tests.stack.burning import burning_alone
from tests.stack.installation import Installation, wait_until
from tests.stack.portal import Portal
from tests.stack.prepared import ROOT, Prepared
from tests.stack.public_tools import (
    CHECKPOINT,
    FILES,
    KEYS,
    SIGNATURES,
    SUBJECTS,
    install_sigstore_verify,
    run,
    run_python,
    run_shell,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]
PATIENCE_SECONDS = 120
APPROVER, REQUESTER, PASSWORD = "road-approver", "road-requester", "long enough for a test"
FAULT_SECONDS = 300


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("road")


@pytest.fixture(scope="module")
def installation(prepared: Prepared, place: Path) -> Iterator[Installation]:
    running = Installation(prepared, place)
    running.start()
    try:
        with Portal(running.url) as portal:
            portal.log_in("admin", running.admin_password)
            for name in (APPROVER, REQUESTER):
                portal.add_person(name, PASSWORD, "approver")
        running.await_calm()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def device_id(installation: Installation) -> str:
    """This machine, enrolled and reporting."""
    rows = wait_until(
        lambda: installation.query("SELECT DISTINCT device_id FROM telemetry_reports"),
        PATIENCE_SECONDS,
        "this machine's reports",
    )
    assert len(rows) == 1
    identifier: str = rows[0]["device_id"]
    return identifier


def find_proposal(installation: Installation, incident_id: str) -> dict[str, Any] | None:
    rows = installation.query("SELECT * FROM proposals WHERE incident_id = %(id)s", id=incident_id)
    return rows[0] if rows else None


def find_incident(installation: Installation, failure_class: str, entity: str) -> Any:
    rows = installation.query(
        "SELECT * FROM incidents WHERE episode_key = %(key)s", key=f"{failure_class}:{entity}"
    )
    return rows[0] if rows else None


def await_proposal(installation: Installation, incident_id: str) -> dict[str, Any]:
    proposal: dict[str, Any] = wait_until(
        lambda: find_proposal(installation, incident_id), PATIENCE_SECONDS, "a proposal"
    )
    assert proposal["status"] == "pending", proposal["abstention_reason"]
    return proposal


def approve_in_browser(
    browser: Browser,
    installation: Installation,
    proposal: Any,
    *,
    just_before: Callable[[], object] = lambda: None,
) -> str:
    """Read and approve by keyboard, then watch the page until it is over; return the case file."""
    path = f"/proposals/{proposal['proposal_id']}"
    with log_in(browser, installation.url, APPROVER, PASSWORD) as page:
        page.locator(f'a[href="{path}"]').click()  # in the queue
        assert_shows_evidence(page, proposal)
        page.locator("#approve").focus()
        just_before()
        page.keyboard.press("Enter")
        expect(page.locator("#proposal-status")).to_have_text(
            "succeeded", timeout=PATIENCE_SECONDS * 1000
        )
        expect(page.locator("#incident-status")).to_have_text("resolved")
        page.goto(f"/incidents/{proposal['incident_id']}")
        expect(page.locator("main")).to_contain_text("resolved")
        assert page.locator("main img, main svg").count() > 0, "no plot of the telemetry"
        with page.expect_download() as download:
            page.goto(path)
            page.get_by_role("link", name="Download the signed case").click()
        case: str = download.value.path().read_text()
    return case


def override_in_browser(
    browser: Browser, installation: Installation, proposal: Any, **parameters: str
) -> dict[str, Any]:
    """Ask for other parameters; who asks sees that somebody else decides. Return the new one."""
    with log_in(browser, installation.url, REQUESTER, PASSWORD) as page:
        page.goto(f"/proposals/{proposal['proposal_id']}")
        page.get_by_text("Choose another script").click()
        page.get_by_label("Script").select_option(proposal["script_id"])
        page.get_by_role("button", name="Set parameters").click()
        for name, value in parameters.items():
            page.get_by_label(name).fill(value)
        page.get_by_label("Why").fill("these bounds fit better")
        page.get_by_role("button", name="Propose this instead").click()
        expect(page.locator("main")).to_contain_text("You asked for this change")
        expect(page.locator("#approve")).to_have_count(0)
    (replacement,) = installation.query(
        "SELECT * FROM proposals WHERE parent_proposal_id = %(id)s", id=proposal["proposal_id"]
    )
    return replacement


def assert_requester_is_refused(installation: Installation, proposal: Any) -> None:
    """The form that the page does not show is refused, too."""
    page = f"/proposals/{proposal['proposal_id']}"
    with Portal(installation.url) as portal:
        portal.log_in(REQUESTER, PASSWORD)
        answer = portal.submit(page, f"{page}/approve", bundle_digest=proposal["bundle_digest"])
    assert answer.status_code == httpx.codes.CONFLICT, answer.text[:500]
    assert "Decision refused" in answer.text
    assert installation.query(
        "SELECT 1 FROM approvals WHERE proposal_id = %(id)s", id=proposal["proposal_id"]
    ) == []  # fmt: skip


def assert_shows_evidence(page: Page, proposal: Any) -> None:
    main = page.locator("main")
    expect(main).to_contain_text(proposal["script_sha256"])
    expect(main).to_contain_text("set -Eeuo pipefail")  # the script itself
    expect(main).to_contain_text("privilege impact")
    expect(main).to_contain_text("Allowed")
    for value in proposal["parameters"].values():
        expect(main).to_contain_text(str(value))


def assert_ended_well(installation: Installation, proposal: Any) -> None:
    key = proposal["proposal_id"]
    (incident,) = installation.query(
        "SELECT status FROM incidents WHERE incident_id = %(id)s", id=proposal["incident_id"]
    )
    assert incident["status"] == "resolved"
    (job,) = installation.query("SELECT * FROM jobs WHERE proposal_id = %(id)s", id=key)
    assert job["succeeded"]
    assert job["verification"]["status"] == "holds"
    (receipt,) = installation.query(
        "SELECT count(*) AS n FROM audit_events WHERE action = 'job.reported'"
        " AND subject_id IN (%(job)s, %(id)s)", job=job["job_id"], id=key,
    )  # fmt: skip
    assert receipt["n"] == 1
    labels = installation.query(
        "SELECT kind, label, actor FROM labels WHERE proposal_id = %(id)s ORDER BY kind", id=key
    )
    assert [(row["kind"], row["label"]) for row in labels] == [
        ("decision", "approve"), ("outcome", "succeeded"),
    ]  # fmt: skip
    assert labels[0]["actor"] == f"user:{APPROVER}"


def assert_cites(proposal: Any, metric: str) -> None:
    citations = [item for sentence in proposal["explanation"] for item in sentence["citations"]]
    assert any(item["kind"] == "metric" and item["id"].startswith(metric) for item in citations)
    cited = {item["id"] for item in citations if item["kind"] == "passage"}
    assert cited
    assert cited <= {passage["chunk_id"] for passage in proposal["passages"]}


def verify_offline(installation: Installation, case: str, place: Path) -> Path:
    """Check a downloaded case with `eucora verify` and pinned keys; return its parts' folder."""
    place.mkdir()
    (place / "case.json").write_text(case)
    keys = installation.command("audit", "keys", str(place / "keys"))
    assert keys.returncode == 0, keys.stderr
    arguments = [
        "verify", str(place / "case.json"), "--json", "--extract", str(place / "parts"),
        "--evidence-key", str(place / "keys" / "evidence-key.pem"),
        "--log-key", str(place / "keys" / "log-key.pem"),
    ]  # fmt: skip
    answer = installation.command(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    report = json.loads(answer.stdout)
    assert report["passed"]
    assert report["pinned"]
    return place / "parts"


FAULTS = {
    "disk": ("disk_full", "linux-clear-temporary-files", "disk_used_percent"),
    "service": ("service_down", "linux-restart-service", "service"),
    "cpu": ("runaway_process", "linux-stop-runaway-process", "process_cpu_percent"),
}


def make_fault(kind: str, place: Path) -> Fault:
    if kind == "cpu":
        return BurningCore(place, name="road-burner", seconds=FAULT_SECONDS)
    if kind == "disk":
        return FullDisk(place, name="road-disk")
    return DeadService(place, name="road-heartbeat", seconds=FAULT_SECONDS)


def find_named(name: str) -> psutil.Process:
    (process,) = (found for found in psutil.process_iter(["name"]) if found.info["name"] == name)
    return process


def prefer(process: psutil.Process) -> None:
    """Give a process the processor before all others: those may be burning it meanwhile."""
    os.setpriority(os.PRIO_PROCESS, process.pid, -20)
    with suppress(OSError):  # where the kernel schedules by session first
        Path(f"/proc/{process.pid}/autogroup").write_text("-20")


@pytest.mark.parametrize("kind", FAULTS)
def test_a_real_fault_is_fixed(
    kind: str, installation: Installation, browser: Browser, device_id: str, place: Path
) -> None:
    failure_class, script_id, metric = FAULTS[kind]
    fault = make_fault(kind, place)
    alone = burning_alone() if kind == "cpu" else nullcontext()
    with alone, watching(installation.data_dir / "agent", fault):
        try:
            fault.begin()
            assert fault.is_present()
            burning = find_named(fault.entity) if kind == "cpu" else None
            if burning:
                prefer(burning)
            incident = wait_until(
                lambda: find_incident(installation, failure_class, fault.entity),
                PATIENCE_SECONDS,
                f"an incident {failure_class}:{fault.entity}",
            )
            assert incident["device_id"] == device_id
            proposal = await_proposal(installation, incident["incident_id"])
            assert proposal["script_id"] == script_id
            assert fault.entity in map(str, proposal["parameters"].values())
            assert_cites(proposal, metric)
            if burning:
                burning.suspend()  # while a person reads: the core is for those who work
            case = approve_in_browser(
                browser, installation, proposal,
                just_before=burning.resume if burning else lambda: None,
            )  # fmt: skip
            assert not fault.is_present()
        finally:
            fault.end()
    assert_ended_well(installation, proposal)
    parts = verify_offline(installation, case, place / f"{kind}-case")
    for heading in (KEYS, SIGNATURES, FILES, SUBJECTS, CHECKPOINT):
        answer = run_shell(heading, parts)
        assert answer.returncode == 0, answer.stderr
    assert run_python(parts).returncode == 0
    if kind == "cpu":  # once is enough for the download that it needs
        install_sigstore_verify(parts)
        answer = run(["node", "verify.mjs"], parts)
        assert answer.returncode == 0, answer.stderr


def test_a_ticket_in_free_text_is_answered(
    installation: Installation, browser: Browser, device_id: str, place: Path
) -> None:
    """Too little for the detector's threshold, enough for a person to complain."""
    fault = FullDisk(place, name="road-scratch", filled_share=0.88)
    token = installation.command(
        "account", "service-token", "road-desk", "--scope", "incidents"
    ).stdout.strip()
    with watching(installation.data_dir / "agent", fault):
        try:
            fault.begin()
            wait_until(
                lambda: installation.query(
                    "SELECT 1 FROM telemetry_reports WHERE metrics ? %(name)s LIMIT 1",
                    name=f"disk_used_percent:{fault.entity}",
                ),
                PATIENCE_SECONDS,
                "a report about the file system",
            )
            answer = httpx.post(
                f"{installation.url}/v1/incidents",
                headers={"authorization": f"Bearer {token}"},
                json={
                    "title": "Cannot save my work, the disk is full",
                    "description": "When I save a drawing it says no space left on device."
                    " The drive seems to be filled up with temporary files.",
                    "device_id": device_id,
                },
                timeout=60,
            )
            assert answer.status_code == 201, answer.text
            assert answer.json()["failure_class"] == "disk_full"
            proposal = await_proposal(installation, answer.json()["incident_id"])
            assert proposal["script_id"] == "linux-clear-temporary-files"
            assert proposal["parameters"]["mount"] == fault.entity
            first, proposal = proposal, override_in_browser(
                browser, installation, proposal, minimum_used_percent="70"
            )  # fmt: skip
            assert proposal["parameters"]["minimum_used_percent"] == 70
            assert_requester_is_refused(installation, proposal)
            case = approve_in_browser(browser, installation, proposal)
            assert list((Path(fault.entity) / "tmp").iterdir()) == []
        finally:
            fault.end()
    assert_ended_well(installation, proposal)
    (label,) = installation.query(
        "SELECT label, actor FROM labels WHERE proposal_id = %(id)s", id=first["proposal_id"]
    )
    assert label == {"label": "override", "actor": f"user:{REQUESTER}"}
    verify_offline(installation, case, place / "ticket-case")


def start_demonstration(installation: Installation, kind: str) -> subprocess.Popen[str]:
    """Start `eucora demo` and wait until its fault is there."""
    demonstration = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "demo", "--fault", kind],
        cwd=ROOT,
        env={**installation.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demonstration.stdout is not None
    first = demonstration.stdout.readline()
    assert first.startswith("fault: "), first + demonstration.communicate(timeout=60)[0]
    return demonstration


def test_a_demonstration_leaves_nothing_behind(installation: Installation) -> None:
    """Neither one that is told to end, nor one that was killed, once the next one runs."""
    killed = start_demonstration(installation, "service")
    killed.kill()
    killed.communicate(timeout=60)
    assert Path("/etc/init.d/demo-heartbeat").exists()
    ended = start_demonstration(installation, "disk")
    assert not Path("/etc/init.d/demo-heartbeat").exists()
    disk = installation.data_dir / "demo-disk"
    assert disk.is_mount()
    ended.send_signal(signal.SIGTERM)
    told, _ = ended.communicate(timeout=60)
    assert ended.returncode == 143, told
    assert "cleaned up" in told
    assert not disk.exists()
    assert list((installation.data_dir / "agent" / "agent.d").iterdir()) == []


def test_the_log_is_intact_after_all(installation: Installation) -> None:
    answer = installation.command("audit", "check")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "intact" in answer.stdout

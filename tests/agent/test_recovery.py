# SPDX-License-Identifier: Apache-2.0
"""One damaged row of the journal runs nothing, is reported, and stops no other job."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent import used_approvals
from agent.client import DeviceClient
from agent.device_clock import DeviceClock
from agent.errors import JournalError
from agent.executor import find_interpreters
from agent.identity import Identity, create_request, save_identity
from agent.job_intake import JobIntake
from agent.journal import Journal
from agent.remediation import Remediation
from agent.verification import Memory, Trust, check_job
from contracts.canonical import sha256_hex
from contracts.job import Receipt
from tests.fakes.device_server import Authority
from tests.fakes.job_issuer import ORIGIN, JobIssuer

ROOT = Path(__file__).resolve().parents[2]
DAMAGE = {
    "envelope flipped": "UPDATE jobs SET envelope = CAST(x'00' || substr(envelope, 2) AS BLOB)",
    "envelope empty": "UPDATE jobs SET envelope = x''",
    "envelope text": "UPDATE jobs SET envelope = 'text'",
    "steps": "UPDATE jobs SET steps = 'x'",
    "steps of another shape": "UPDATE jobs SET steps = '[{}]'",
    "steps a number": "UPDATE jobs SET steps = 7",
    "started_at": "UPDATE jobs SET started_at = 'x'",
    "started_at without a zone": "UPDATE jobs SET started_at = '2026-01-01T00:00:00'",
    "sequence": "UPDATE jobs SET sequence = 'x'",
    "step": "UPDATE jobs SET step = 'dance'",
    "process group": "UPDATE jobs SET process_group = 'x'",
    "job id": "UPDATE jobs SET job_id = 'Jane Doe'",
}


@pytest.fixture
def issuer() -> JobIssuer:
    return JobIssuer()


@pytest.fixture
def trust(issuer: JobIssuer) -> Trust:
    return Trust(
        device_id="dev_1",
        job_key=issuer.job_key.public_key(),
        log_key=issuer.log_key.public_key(),
        log_origin=ORIGIN,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def intake(journal: Journal, trust: Trust, tmp_path: Path) -> JobIntake:
    clock = DeviceClock()
    interpreters = find_interpreters()
    return JobIntake(
        journal=journal,
        client=DeviceClient("https://127.0.0.1:1", ssl.create_default_context()),  # is not asked
        trust=trust,
        clock=clock,
        remediation=Remediation(journal, tmp_path, "dev_1", interpreters, clock.now),
        interpreters=tuple(interpreters),
    )


def start(journal: Journal, issuer: JobIssuer, trust: Trust, effect: Path) -> bytes:
    """Journal a job that died while it remediated; its rollback leaves a file."""
    envelope = issuer.issue({"remediate": "exit 0", "rollback": f"touch {effect}"})
    now = datetime.now(UTC)
    verified = check_job(
        envelope,
        trust=trust,
        memory=Memory(last_sequence=0, checkpoint=None),
        now=now,
        interpreters=("bash",),
    )
    journal.start_job(verified, envelope, verified.job.inclusion.checkpoint, now)
    journal.start_step(sha256_hex(envelope), "remediate")
    return envelope


def receipts(journal: Journal) -> list[Receipt]:
    return [msgspec.json.decode(body, type=Receipt) for _, body in journal.list_unacknowledged()]


def damage(journal: Journal, statement: str) -> None:
    with journal.transaction() as connection:
        connection.execute(statement)


async def test_a_sound_row_is_undone(
    intake: JobIntake, journal: Journal, issuer: JobIssuer, trust: Trust, tmp_path: Path
) -> None:
    effect = tmp_path / "undone"
    start(journal, issuer, trust, effect)
    assert await intake.recover() == 1
    assert effect.exists()
    assert [receipt.outcome for receipt in receipts(journal)] == ["interrupted"]


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE.keys())
async def test_a_damaged_row_is_settled_and_nothing_of_it_runs(
    intake: JobIntake,
    journal: Journal,
    issuer: JobIssuer,
    trust: Trust,
    tmp_path: Path,
    statement: str,
) -> None:
    effect = tmp_path / "undone"
    envelope = start(journal, issuer, trust, effect)
    damage(journal, statement)
    assert await intake.recover() == 1
    assert await intake.recover() == 0
    assert not effect.exists()
    (receipt,) = receipts(journal)
    assert receipt.outcome == "interrupted"
    assert receipt.envelope_sha256 == sha256_hex(envelope)
    assert receipt.executed_sha256 == {}
    assert journal.recall().last_sequence == 1


async def test_another_genuine_job_in_its_place_is_not_undone(
    intake: JobIntake, journal: Journal, issuer: JobIssuer, trust: Trust, tmp_path: Path
) -> None:
    effect, other = tmp_path / "undone", tmp_path / "other"
    start(journal, issuer, trust, effect)
    exchanged = issuer.issue({"remediate": "exit 0", "rollback": f"touch {other}"})
    with journal.transaction() as connection:
        connection.execute(
            "UPDATE jobs SET envelope = ?, envelope_sha256 = ?", (exchanged, sha256_hex(exchanged))
        )
    await intake.recover()
    assert not effect.exists()
    assert not other.exists()
    assert [receipt.outcome for receipt in receipts(journal)] == ["interrupted"]


async def test_a_damaged_sequence_is_restored_from_the_jobs(
    intake: JobIntake, journal: Journal, issuer: JobIssuer, trust: Trust, tmp_path: Path
) -> None:
    issuer.sequence = 6
    start(journal, issuer, trust, tmp_path / "undone")
    damage(journal, "UPDATE memory SET value = 'x' WHERE name = 'last_sequence'")
    with pytest.raises(JournalError):
        journal.recall()
    assert await intake.recover() == 1
    assert journal.recall().last_sequence == 7


async def test_verify_says_what_is_damaged(
    journal: Journal, issuer: JobIssuer, trust: Trust, tmp_path: Path
) -> None:
    enrol(issuer, tmp_path)
    start(journal, issuer, trust, tmp_path / "undone")
    assert verify(tmp_path) == (0, None)
    damage(journal, DAMAGE["envelope flipped"])
    damage(journal, "UPDATE memory SET value = 'x' WHERE name = 'last_sequence'")
    code, found = verify(tmp_path)
    assert code == 1
    assert len(found) == 2
    assert "last_sequence" in found[0]
    assert "job_" in found[1]
    damage(journal, "UPDATE memory SET value = '1' WHERE name = 'last_sequence'")
    damage(journal, "UPDATE memory SET value = 'x' WHERE name = 'checkpoint'")
    code, found = verify(tmp_path)
    assert code == 1
    assert "memory" in found[0]
    assert "not the one that was taken" in found[1]


def enrol(issuer: JobIssuer, state: Path) -> None:
    """Write down an identity whose keys are the issuer's."""

    def pem(key: Any) -> str:
        public = key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    authority = Authority()
    key_pem, csr_pem = create_request("dev_1")
    public_key = x509.load_pem_x509_csr(csr_pem).public_key()
    save_identity(
        state,
        Identity(
            server="https://127.0.0.1:1",
            device_id="dev_1",
            job_public_key_pem=pem(issuer.job_key),
            log_public_key_pem=pem(issuer.log_key),
            log_origin=ORIGIN,
        ),
        certificate_pem=authority.issue("dev_1", public_key).public_bytes(Encoding.PEM),
        key_pem=key_pem,
        ca_pem=authority.pem(),
    )


def verify(state: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "verify", "--state", str(state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout).get("damage")


def test_the_memory_of_used_approvals_is_bounded(
    journal: Journal, issuer: JobIssuer, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(used_approvals, "KEPT", 3)
    now, jobs = datetime.now(UTC), []
    for number in range(5):
        envelope = issuer.issue({"remediate": "exit 0"})
        memory = Memory(last_sequence=number, checkpoint=None)
        verified = check_job(envelope, trust=trust, memory=memory, now=now, interpreters=("bash",))
        journal.start_job(verified, envelope, verified.job.inclusion.checkpoint, now)
        jobs.append(verified.job)
    found = [journal.find_run(job) for job in jobs]
    assert found == [None, None, *(job.job_id for job in jobs[2:])]

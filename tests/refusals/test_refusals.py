# SPDX-License-Identifier: Apache-2.0
"""What must be refused is refused, and audited, by whoever sees it first.

The device's refusals are those of a real agent process that leased the job from the product's
own device API over mutual TLS. The jobs were approved by a person in the portal; then somebody
who owns the database, and even the job key, changes what is handed out.
"""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.canonical import digest_of
from contracts.dsse import parse_envelope
from contracts.job import RefusalReason
from tests.refusals.approved_jobs import AUTHOR
from tests.stack.prepared import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]
PATIENCE_SECONDS = 90


async def wait_for_event(served, action, subject_id):
    """Return the one audit event of an action, once it is there."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not (events := await list_events(served, action, subject_id)):
        assert asyncio.get_running_loop().time() < deadline, f"no {action} of {subject_id}"
        await asyncio.sleep(0.05)
    (event,) = events
    return event


async def list_events(served, action, subject_id):
    return await served.query(
        "SELECT actor, device_id, after FROM audit_events WHERE action = %s AND subject_id = %s",
        action,
        subject_id,
    )


async def offer_changed(jobs, device, effect, change):
    """Queue an approved job that is changed before the device can lease it; return its id."""
    served = jobs.served
    async with served.services.ground.pool.connection() as holder:
        # Leases of this device wait until the job has been changed.
        await holder.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('jobs:' || %s, 0))", (device.device_id,)
        )
        job_id = await jobs.queue(device.device_id, effect)
        await jobs.replace(job_id, change(await jobs.envelope(job_id)))
    return job_id


async def assert_refused_by_device(jobs, device, effect, job_id, reason):
    event = await wait_for_event(jobs.served, "job.refused", job_id)
    assert event["actor"] == f"device:{device.device_id}"
    assert (event["after"]["outcome"], event["after"]["refusal"]) == ("refused", reason.value)
    assert not effect.exists()
    (row,) = await jobs.served.query(
        "SELECT j.status, p.status AS proposal, i.status AS incident FROM jobs j"
        " JOIN proposals p USING (proposal_id) JOIN incidents i USING (incident_id)"
        " WHERE j.job_id = %s",
        job_id,
    )
    assert row == {"status": "refused", "proposal": "failed", "incident": "escalated"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("script byte", RefusalReason.DIGEST_MISMATCH),
        ("script byte without the key", RefusalReason.BAD_SIGNATURE),
        ("parameter", RefusalReason.PARAMETERS_MISMATCH),
        ("target", RefusalReason.WRONG_DEVICE),
        ("expired approval", RefusalReason.EXPIRED),
        ("script and its digest", RefusalReason.APPROVAL_MISMATCH),
        ("parameter and its digest", RefusalReason.APPROVAL_MISMATCH),
        ("proposal", RefusalReason.APPROVAL_MISMATCH),
        ("longer life", RefusalReason.APPROVAL_MISMATCH),
    ],
)
async def test_the_device_refuses_a_changed_job(jobs, device, tmp_path, change, reason):
    effect = tmp_path / "effect"
    past = datetime.now(UTC) - timedelta(minutes=1)

    def changed(envelope: bytes) -> bytes:
        forged = jobs.sign_again(envelope, steps=jobs.steps_with_another_byte(envelope))
        if change == "script byte without the key":
            return with_signature_of(envelope, forged)
        return forged if change == "script byte" else jobs.sign_again(envelope, **fields(envelope))

    def fields(envelope: bytes) -> dict[str, Any]:
        parameters = {"file": str(tmp_path / "elsewhere")}
        changes: dict[str, dict[str, Any]] = {
            "parameter": {"parameters": parameters},
            "target": {"device_id": "dev_somebody_else"},
            "expired approval": {"expires_at": past.isoformat()},
            "script and its digest": {"steps": jobs.steps_of_another_script(envelope)},
            "parameter and its digest": {
                "parameters": parameters,
                "parameters_sha256": digest_of(parameters),
            },
            "proposal": {"proposal_id": "prp_another"},
            "longer life": {"expires_at": (past + timedelta(days=400)).isoformat()},
        }
        return changes[change]

    job_id = await offer_changed(jobs, device, effect, changed)
    await assert_refused_by_device(jobs, device, effect, job_id, reason)
    assert list(tmp_path.iterdir()) == []


def with_signature_of(original: bytes, forged: bytes) -> bytes:
    document = json.loads(forged)
    document["signatures"] = json.loads(original)["signatures"]
    return json.dumps(document).encode()


async def test_the_device_refuses_a_job_for_another_device(jobs, device, tmp_path):
    """The other device's job is genuine, approved and unexpired, and handed to this one."""
    effect = tmp_path / "effect"
    other_id, _ = await jobs.served.enrol("laptop-2")
    others_job = await jobs.queue(other_id, effect)
    others_envelope = await jobs.envelope(others_job)
    await offer_changed(jobs, device, effect, lambda _envelope: others_envelope)
    event = await wait_for_event(jobs.served, "receipt.unmatched", others_job)
    assert event["device_id"] == device.device_id
    assert event["after"]["mismatch"] == "job of another device"
    assert event["after"]["refusal"] == RefusalReason.WRONG_DEVICE.value
    assert not effect.exists()
    (row,) = await jobs.served.query("SELECT status FROM jobs WHERE job_id = %s", others_job)
    assert row["status"] == "queued"  # the device it is for may still have it


async def test_an_approval_for_another_device_is_of_no_use_with_the_job_key(jobs, device, tmp_path):
    """The other device's job is genuine and approved; it is signed again for this one."""
    effect = tmp_path / "effect"
    other_id, _ = await jobs.served.enrol("laptop-3")
    others_envelope = await jobs.envelope(await jobs.queue(other_id, effect))

    def readdressed(envelope: bytes) -> bytes:
        own = json.loads(parse_envelope(envelope).payload)
        return jobs.sign_again(
            others_envelope,
            **{name: own[name] for name in ("job_id", "device_id", "sequence")},
        )

    job_id = await offer_changed(jobs, device, effect, readdressed)
    await assert_refused_by_device(jobs, device, effect, job_id, RefusalReason.APPROVAL_MISMATCH)


async def test_the_device_refuses_a_replayed_job(jobs, device, tmp_path):
    effect, second = tmp_path / "effect", tmp_path / "second"
    job_id = await jobs.queue(device.device_id, effect)
    await wait_for_event(jobs.served, "job.reported", job_id)
    assert effect.read_text() == "ran\n"
    old = await jobs.envelope(job_id)
    await offer_changed(jobs, device, second, lambda _envelope: old)
    event = await wait_for_event(jobs.served, "receipt.unmatched", job_id)
    assert event["after"]["mismatch"] == "the job was answered before"
    assert event["after"]["refusal"] == RefusalReason.REPLAYED.value
    assert effect.read_text() == "ran\n"
    assert not second.exists()
    (row,) = await jobs.served.query("SELECT status, succeeded FROM jobs WHERE job_id = %s", job_id)
    assert row == {"status": "reported", "succeeded": True}


@pytest.mark.parametrize(
    ("username", "code"), [("rita", "self_approval"), (AUTHOR, "author_approval")]
)
async def test_requester_and_author_cannot_approve_in_the_portal(
    jobs, device, tmp_path, username, code
):
    proposal_id = await jobs.propose(
        device.device_id, tmp_path / "effect", requested_by="user:rita"
    )
    answer = await jobs.decide(proposal_id, username)
    assert answer.status_code == httpx.codes.CONFLICT, answer.text[:2000]
    event = await wait_for_event(jobs.served, "approval.refused", proposal_id)
    assert event["actor"] == f"user:{username}"
    assert event["after"]["refusal"] == code
    assert (
        await jobs.served.query("SELECT 1 FROM approvals WHERE proposal_id = %s", proposal_id) == []
    )


async def test_one_flipped_bit_fails_offline(jobs, device, tmp_path):
    """Exported over HTTP, checked by a process that knows nothing but the file."""
    job_id = await jobs.queue(device.device_id, tmp_path / "effect")
    await wait_for_event(jobs.served, "job.reported", job_id)
    content = await export(jobs, job_id)
    case = tmp_path / "case.json"
    case.write_bytes(content)
    assert await verify(case) == 0
    for position in (len(content) // 3, len(content) // 2):
        flipped = bytearray(content)
        flipped[position] ^= 1
        case.write_bytes(bytes(flipped))
        assert await verify(case) == 1


async def export(jobs, job_id: str) -> bytes:
    services = jobs.served.services
    async with services.ground.pool.connection() as connection:
        while await services.ground.log.sequence_pending(connection):
            pass
    (row,) = await jobs.served.query("SELECT proposal_id FROM jobs WHERE job_id = %s", job_id)
    auditor = await jobs.served.service("read")
    answer = await auditor.get(f"/v1/proposals/{row['proposal_id']}/case")
    assert answer.status_code == httpx.codes.OK, answer.text[:2000]
    return answer.content


async def verify(case: Path) -> int:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "api.cli", "verify", str(case)],
        cwd=ROOT, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode

# SPDX-License-Identifier: Apache-2.0
"""Receipts and verification on a real database: exactly once, masked, judged by telemetry."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from contracts.canonical import sha256_hex
from contracts.job import Receipt, StepResult
from dispatch.effects import Finding
from dispatch.receipts import shorten
from governance.proposals import ProposalStatus
from guardrails.case_masking import CaseMasker
from guardrails.directory import Directory
from guardrails.directory_feed import DirectoryFeed
from guardrails.masking import Masker
from guardrails.vault import Vault
from tests.governance.road import DEVICE, STEPS


@pytest.fixture
def masker(road) -> CaseMasker:
    vault = Vault(bytes(range(32)), road.clock)
    feed = DirectoryFeed(road.pool, Directory(), road.clock)
    return CaseMasker(Masker(), feed, vault, road.audit, road.pool)


@pytest.fixture
async def job(road):
    """A leased job, as (proposal id, job id, envelope)."""
    proposal_id = await road.begin()
    await road.approve(proposal_id)
    job_id = await road.create_job(proposal_id)
    async with road.pool.connection() as connection:
        (envelope,) = await road.jobs.lease(connection, DEVICE, 1)
    return proposal_id, job_id, envelope


def receipt(road, job: tuple[str, str, bytes], **changes: Any) -> Receipt:
    _, job_id, envelope = job
    ran = ("detect", "remediate", "verify")
    values: dict[str, Any] = {
        "job_id": job_id,
        "device_id": DEVICE,
        "sequence": 1,
        "envelope_sha256": sha256_hex(envelope),
        "outcome": "succeeded",
        "executed_sha256": {step: sha256_hex(STEPS[step]) for step in ran},
        "steps": tuple(
            StepResult(
                step=step, exit_code=0, timed_out=False, duration_seconds=0.1,
                stdout="removed files of jane.doe@example.com\n", stderr="",
            )
            for step in ran
        ),
        "started_at": road.clock.now(),
        "finished_at": road.clock.now(),
        **changes,
    }  # fmt: skip
    return Receipt(**values)


async def record(road, masker, answer, device_id=DEVICE) -> bool:
    async with road.pool.connection() as connection:
        return await road.jobs.record_receipt(connection, device_id, answer, masker)


async def report(road, used_percent: float, **others: float) -> None:
    """A minute passes, and the device reports."""
    road.clock.advance(60)
    now = road.clock.now()
    await road.query("SELECT ensure_telemetry_partition(%s::date)", now)
    await road.query(
        "INSERT INTO telemetry_reports"
        " (report_id, device_id, observed_at, received_at, metrics, facts)"
        " VALUES (%s, %s, %s, %s, %s, '{}')",
        road.ids.new("rep"), DEVICE, now, now,
        Jsonb({"disk_used_percent:/var": used_percent, **others}),
    )  # fmt: skip


async def verify(road, job_id, **options):
    async with road.pool.connection() as connection:
        return await road.verification.run(connection, job_id, **options)


async def test_a_receipt_counts_once_and_is_masked(road, masker, job):
    proposal_id, job_id, _ = job
    answer = receipt(road, job)
    assert await record(road, masker, answer)
    assert not await record(road, masker, answer)
    assert "receipt.unmatched" not in await road.actions()  # the same once more is no other
    for other in ({"outcome": "failed"}, {"steps": ()}):
        assert not await record(road, masker, receipt(road, job, **other))
    assert (await road.actions()).count("receipt.unmatched") == 2
    (row,) = await road.query("SELECT status, receipt, succeeded FROM jobs")
    assert (row["status"], row["succeeded"]) == ("reported", True)
    assert "jane.doe" not in str(row["receipt"])
    assert "removed files" in row["receipt"]["steps"][0]["stdout"]
    assert await road.incident_status(proposal_id) == "verifying"
    actions = await road.actions()
    assert (actions.count("execution.sealed"), actions.count("job.reported")) == (1, 1)
    messages = await road.query("SELECT payload FROM outbox WHERE topic = 'job.reported'")
    assert [each["payload"] for each in messages] == [{"job_id": job_id}]


@pytest.mark.parametrize(
    ("changes", "device_id"),
    [
        ({"job_id": "job_unknown"}, DEVICE),
        ({}, "dev_2"),
        ({"device_id": "dev_2"}, DEVICE),
        ({"envelope_sha256": "0" * 64}, DEVICE),
        ({"sequence": 7}, DEVICE),
    ],
)
async def test_a_receipt_that_fits_no_job_changes_nothing(road, masker, job, changes, device_id):
    assert not await record(road, masker, receipt(road, job, **changes), device_id)
    assert (await road.query("SELECT status FROM jobs"))[0]["status"] == "leased"
    assert "receipt.unmatched" in await road.actions()


async def test_a_good_effect_resolves_the_incident(road, masker, job):
    proposal_id, job_id, _ = job
    await report(road, 20)  # before the fix: does not count
    await record(road, masker, receipt(road, job))
    assert (await verify(road, job_id)).status is Finding.INCONCLUSIVE
    await report(road, 60)
    assert (await verify(road, job_id)).status is Finding.INCONCLUSIVE
    waiting = await road.query("SELECT 1 FROM outbox WHERE topic = 'job.verify'")
    assert len(waiting) == 2
    await report(road, 61)
    assert (await verify(road, job_id, reschedule=False)).status is Finding.HOLDS
    assert await verify(road, job_id) is None
    assert (await road.find(proposal_id)).status is ProposalStatus.SUCCEEDED
    assert await road.incident_status(proposal_id) == "resolved"
    labels = await road.query("SELECT label FROM labels WHERE kind = 'outcome'")
    assert labels == [{"label": "succeeded"}]
    assert (await road.actions()).count("verification.sealed") == 1


async def test_an_effect_elsewhere_does_not_resolve_what_the_incident_is_about(road, masker, job):
    proposal_id, job_id, _ = job
    recovery = [{"metric": "process_cpu_percent:{rogue}", "operator": "<", "value": 85}]
    await road.query(
        "UPDATE incidents SET detection = %s RETURNING 1", Jsonb({"recovery": recovery})
    )
    await record(road, masker, receipt(road, job))
    for _ in range(2):
        await report(road, 20, **{"process_cpu_percent:{rogue}": 99})
    verdict = await verify(road, job_id)
    assert verdict.status is Finding.FAILS
    assert [each.finding for each in verdict.evidence] == [Finding.HOLDS, Finding.FAILS] * 2
    for _ in range(2):
        await report(road, 20)  # the process is gone
    assert (await verify(road, job_id)).status is Finding.HOLDS
    assert await road.incident_status(proposal_id) == "resolved"


async def test_a_bad_effect_waits_for_its_time_then_rolls_back(road, masker, job):
    proposal_id, job_id, _ = job
    await record(road, masker, receipt(road, job))
    await report(road, 95)
    await report(road, 95)
    assert (await verify(road, job_id)).status is Finding.FAILS
    assert (await road.find(proposal_id)).status is ProposalStatus.DISPATCHED
    road.clock.advance(780)
    assert (await verify(road, job_id)).status is Finding.FAILS
    assert (await road.find(proposal_id)).status is ProposalStatus.FAILED
    assert await road.incident_status(proposal_id) == "escalated"
    async with road.pool.connection() as connection:
        (envelope,) = await road.jobs.lease(connection, DEVICE, 4)
    (rollback,) = await road.query("SELECT job_id, kind, sequence FROM jobs WHERE sequence = 2")
    assert rollback["kind"] == "rollback"
    answer = receipt(
        road, (proposal_id, rollback["job_id"], envelope), sequence=2, outcome="rolled_back",
        executed_sha256={"rollback": sha256_hex(STEPS["rollback"])}, steps=(),
    )  # fmt: skip
    assert await record(road, masker, answer)
    assert (await verify(road, rollback["job_id"])).status is Finding.HOLDS
    assert len(await road.query("SELECT 1 FROM labels WHERE kind = 'outcome'")) == 1
    assert await road.incident_status(proposal_id) == "escalated"


async def test_silence_counts_as_failure_at_the_deadline(road, masker, job):
    _, job_id, _ = job
    await record(road, masker, receipt(road, job))
    road.clock.advance(779)
    assert (await verify(road, job_id)).status is Finding.INCONCLUSIVE
    road.clock.advance(1)
    verdict = await verify(road, job_id)
    assert verdict.status is Finding.FAILS
    assert "not shown in time" in verdict.reason


@pytest.mark.parametrize(
    ("changes", "n_jobs"),
    [
        ({"outcome": "failed"}, 2),
        ({"outcome": "rolled_back"}, 1),
        ({"outcome": "failed", "executed_sha256": {}, "steps": ()}, 1),
        ({"executed_sha256": {"remediate": "0" * 64}, "steps": ()}, 2),
    ],
)
async def test_a_failed_run_is_judged_at_once(road, masker, job, changes, n_jobs):
    """Rolled back by us only where the fix ran and the device did not undo it."""
    proposal_id, job_id, _ = job
    if changes.get("outcome") == "rolled_back":
        digests = {step: sha256_hex(STEPS[step]) for step in ("remediate", "rollback")}
        changes = {**changes, "executed_sha256": digests}
    await record(road, masker, receipt(road, job, **changes))
    assert (await verify(road, job_id)).status is Finding.FAILS
    assert await road.incident_status(proposal_id) == "escalated"
    assert len(await road.query("SELECT 1 FROM jobs")) == n_jobs


async def test_a_refusal_escalates(road, masker, job):
    proposal_id, job_id, _ = job
    answer = receipt(
        road, job, outcome="refused", refusal="expired", executed_sha256={}, steps=(), sequence=0
    )
    assert await record(road, masker, answer)
    assert await verify(road, job_id) is None
    assert (await road.find(proposal_id)).status is ProposalStatus.FAILED
    assert await road.incident_status(proposal_id) == "escalated"


async def test_not_needed_is_told_apart_from_success(road, masker, job):
    _, job_id, _ = job
    await record(road, masker, receipt(road, job, outcome="not_needed", steps=()))
    await report(road, 50)
    await report(road, 50)
    assert (await verify(road, job_id)).status is Finding.HOLDS
    labels = await road.query("SELECT label FROM labels WHERE kind = 'outcome'")
    assert labels == [{"label": "not_needed"}]


async def test_hostile_output_is_stored_harmlessly(road, masker, job):
    steps = (
        StepResult(
            step="detect", exit_code=None, timed_out=True, duration_seconds=1,
            stdout="\x00\x1b[2J\u202egnp\n" + "x" * 50_000, stderr="\ud7ff",
        ),
    )  # fmt: skip
    assert await record(road, masker, receipt(road, job, steps=steps))
    (row,) = await road.query("SELECT receipt FROM jobs")
    kept = row["receipt"]["steps"][0]["stdout"]
    assert "\x1b" not in kept
    assert len(kept) < 5000


def test_shortening_cuts_at_line_ends_only():
    text = "\n".join(f"line {number} of user jane.doe@example.com" for number in range(500))
    short = shorten(text, 400)
    assert len(short) < 500
    kept = [line for line in short.split("\n") if not line.startswith("[")]
    assert set(kept) <= set(text.split("\n"))
    assert shorten("short") == "short"

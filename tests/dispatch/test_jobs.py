# SPDX-License-Identifier: Apache-2.0
"""Jobs on a real database: what the agent accepts, what is refused, leases, expiry."""

import asyncio
from datetime import timedelta

import pytest

from agent.verification import Memory, Trust, check_job
from contracts.canonical import digest_of
from dispatch.errors import NotSequencedYetError
from governance.conditions import Conditions
from governance.proposals import ProposalStatus
from tests.governance.road import DEVICE, MANIFEST, PARAMETERS, STEPS

HOUR = timedelta(hours=1)


async def approved(road, **conditions) -> str:
    proposal_id = await road.begin()
    await road.approve(proposal_id, conditions=Conditions(**conditions))
    return proposal_id


async def lease(road, device_id=DEVICE, limit=4):
    async with road.pool.connection() as connection:
        return await road.jobs.lease(connection, device_id, limit)


def accept(road, envelope, device_id=DEVICE, last_sequence=0):
    """What the device itself says of the job."""
    return check_job(
        envelope,
        trust=Trust(
            device_id=device_id,
            job_key=road.key_store.job_key().public_key(),
            log_key=road.key_store.log_key().public_key(),
            log_origin="eucora.local/audit",
        ),
        memory=Memory(last_sequence=last_sequence, checkpoint=None),
        now=road.clock.now(),
        interpreters=["bash"],
    )


async def test_an_approved_proposal_becomes_one_job_that_the_device_accepts(road):
    proposal_id = await approved(road)
    with pytest.raises(NotSequencedYetError):
        async with road.pool.connection() as connection:
            await road.jobs.create(connection, proposal_id)
    job_id = await road.create_job(proposal_id)
    assert job_id == await road.create_job(proposal_id)
    (envelope,) = await lease(road)
    verified = accept(road, envelope)
    job = verified.job
    assert (job.job_id, job.sequence, job.kind) == (job_id, 1, "remediate")
    assert verified.contents == STEPS
    assert job.parameters == PARAMETERS
    assert job.parameters_sha256 == digest_of(PARAMETERS)
    assert (await road.find(proposal_id)).status is ProposalStatus.DISPATCHED
    assert await road.incident_status(proposal_id) == "remediating"
    assert {"job.created", "job.leased"} <= set(await road.actions())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            "UPDATE script_files SET content = content || 'x' WHERE step = 'remediate'",
            "file_changed",
        ),
        ("UPDATE script_files SET sha256 = repeat('0', 64) WHERE step = 'verify'", "file_changed"),
        ("DELETE FROM script_files WHERE step = 'rollback'", "file_changed"),
        ("UPDATE scripts SET content_sha256 = repeat('0', 64)", "script_changed"),
        ("UPDATE proposals SET script_sha256 = repeat('0', 64)", "script_changed"),
        (
            "UPDATE scripts SET manifest = jsonb_set(manifest, '{timeout_seconds}', '61')",
            "manifest_changed",
        ),
        (
            "UPDATE proposals SET parameters = jsonb_set(parameters, '{mount}', '\"/\"')",
            "parameters_changed",
        ),
        ("UPDATE proposals SET target_device_id = 'dev_2'", "target_changed"),
        ("UPDATE proposals SET bundle_digest = repeat('0', 64)", "approval_mismatch"),
        ("UPDATE proposals SET requested_by = 'Grace'", "policy_denied"),
        ("UPDATE devices SET status = 'retired'", "policy_denied"),
        ("UPDATE proposals SET risk_score = 60", "policy_denied"),
    ],
)
async def test_what_differs_from_the_approval_is_refused_and_audited(road, tamper, change, code):
    proposal_id = await approved(road)
    await road.query(
        "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
        " VALUES ('dev_2', 'h', 'linux', now())"
    )
    await tamper(change)
    assert await road.create_job(proposal_id) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["refusal"] == code
    assert await road.query("SELECT 1 FROM jobs") == []
    assert (await road.find(proposal_id)).status is ProposalStatus.FAILED
    assert await road.incident_status(proposal_id) == "escalated"


async def test_no_job_is_made_for_an_incident_that_ended_after_the_approval(road):
    proposal_id = await approved(road)
    await road.move_incident(proposal_id, "resolved")
    assert await road.create_job(proposal_id) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["refusal"] == "incident_moved_on"
    assert await road.query("SELECT 1 FROM jobs") == []
    assert (await road.find(proposal_id)).status is ProposalStatus.FAILED
    assert await road.incident_status(proposal_id) == "resolved"


async def test_a_forged_approval_row_is_refused(road):
    """Whoever can write rows, but not sign, cannot approve."""
    proposal_id = await road.begin()
    proposal = await road.find(proposal_id)
    await road.query(
        "INSERT INTO approvals (approval_id, proposal_id, bundle_digest, approver, decision,"
        " approval_digest, decided_at, expires_at)"
        " VALUES ('apr_x', %s, %s, 'mallory', 'approve', repeat('a', 64), now(), '2030-01-01')",
        proposal_id,
        proposal.bundle_digest,
    )
    await road.query("UPDATE proposals SET status = 'approved'")
    assert await road.create_job(proposal_id) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["refusal"] == "approval_mismatch"


async def test_undecided_and_expired_proposals_get_no_job(road):
    proposal_id = await road.begin()
    assert await road.create_job(proposal_id) is None
    assert (await road.find(proposal_id)).status is ProposalStatus.PENDING
    await road.approve(proposal_id, conditions=Conditions(not_after=road.clock.now() + HOUR))
    road.clock.advance(3600)
    assert await road.create_job(proposal_id) is None
    refusals = await road.query(
        "SELECT after->>'refusal' AS code FROM audit_events WHERE action = 'job.refused'"
        " ORDER BY position"
    )
    assert [row["code"] for row in refusals] == ["not_approved", "approval_expired"]


async def test_not_before_puts_the_job_off(road):
    start = road.clock.now() + HOUR
    proposal_id = await approved(road, not_before=start)
    assert await road.create_job(proposal_id) is None
    assert (await road.find(proposal_id)).status is ProposalStatus.APPROVED
    rows = await road.query(
        "SELECT available_at FROM outbox WHERE topic = 'proposal.approved' ORDER BY message_id"
    )
    assert rows[-1]["available_at"] == start
    road.clock.advance(3600)
    assert await road.create_job(proposal_id) is not None


async def test_a_freeze_stops_making_and_handing_out(road):
    async def freeze(starts_at, ends_at):
        async with road.pool.connection() as connection:
            await road.freezes.announce(
                connection, starts_at=starts_at, ends_at=ends_at, reason="year end",
                created_by="ada", correlation_id="cor_2",
            )  # fmt: skip

    proposal_id = await approved(road)
    now = road.clock.now()
    await freeze(now, now + HOUR)
    await freeze(now + 2 * HOUR, now + 3 * HOUR)
    assert await road.create_job(proposal_id) is None
    road.clock.advance(3600)
    assert await road.create_job(proposal_id) is not None
    road.clock.advance(3600)
    assert await lease(road) == []
    road.clock.advance(3600)
    assert len(await lease(road)) == 1


async def test_leases_keep_order_and_return(road):
    proposal_id = await approved(road)
    await road.create_job(proposal_id)
    assert await lease(road, "dev_9") == []
    first = await lease(road)
    assert await lease(road) == []
    second_proposal = await another(road)
    await road.create_job(second_proposal)
    assert await lease(road) == []  # the first one may still run
    road.clock.advance(61)
    again = await lease(road)
    assert again[0] == first[0]
    assert len(again) == 2
    assert accept(road, again[1], last_sequence=1).job.sequence == 2


@pytest.mark.parametrize(
    "change", ["UPDATE incidents SET status = 'closed'", "UPDATE scripts SET status = 'retired'"]
)
async def test_what_waits_is_not_handed_out_once_its_incident_or_script_has_ended(road, change):
    proposal_id = await approved(road)
    assert await road.create_job(proposal_id)
    await road.query(change)
    assert await lease(road) == []


async def another(road) -> str:
    async with road.pool.connection() as connection:
        incident_id = await road.open_incident(connection, episode_key="another_disk_full")
        second = await road.propose(connection, incident_id=incident_id)
    await road.approve(second, "linus")
    return second


async def test_jobs_nobody_fetched_expire_and_leased_ones_get_time(road):
    proposal_id = await approved(road, not_after=road.clock.now() + HOUR)
    await road.create_job(proposal_id)
    road.clock.advance(3590)
    assert len(await lease(road)) == 1
    road.clock.advance(3599)

    async def expire():
        async with road.pool.connection() as connection:
            return await road.jobs.expire_due(connection)

    assert await expire() == 0
    road.clock.advance(120)
    assert await expire() == 1
    assert await expire() == 0
    assert (await road.find(proposal_id)).status is ProposalStatus.EXPIRED
    assert await road.incident_status(proposal_id) == "escalated"
    assert await lease(road) == []


async def test_a_script_without_a_rollback_gets_no_rollback_job(road):
    proposal_id = await road.begin()
    assert MANIFEST["reversible"]
    assert await road.create_job(proposal_id, "rollback") is None
    assert (await road.find(proposal_id)).status is ProposalStatus.PENDING


async def test_many_at_once_make_and_hand_out_one_job(road):
    proposal_id = await approved(road)
    await road.sequence()
    made = await asyncio.gather(*(road.create_job(proposal_id) for _ in range(4)))
    assert len(set(made)) == 1
    handed_out = await asyncio.gather(*(lease(road) for _ in range(4)))
    assert sorted(len(envelopes) for envelopes in handed_out) == [0, 0, 0, 1]

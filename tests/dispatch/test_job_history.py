# SPDX-License-Identifier: Apache-2.0
"""What ran, or was decided against, comes back by no change of rows: the audit log knows it."""

from datetime import timedelta

import pytest
from psycopg.errors import InsufficientPrivilege

from governance.proposal_history import ENDS
from governance.proposals import ProposalStatus


async def dispatched(road) -> str:
    proposal_id = await road.begin()
    await road.approve(proposal_id)
    assert await road.create_job(proposal_id)
    return proposal_id


async def lease(road):
    async with road.pool.connection() as connection:
        return await road.jobs.lease(connection, "dev_1", 4)


async def revive(road) -> None:
    """Set back what the application's role can set back."""
    await road.query("UPDATE proposals SET status = 'approved'")
    await road.query("UPDATE incidents SET status = 'approved'")


async def refusals(road) -> list[str]:
    rows = await road.query(
        "SELECT after->>'refusal' AS code FROM audit_events WHERE action = 'job.refused'"
        " ORDER BY position"
    )
    return [row["code"] for row in rows]


async def test_the_applications_role_deletes_no_jobs(road):
    await dispatched(road)
    with pytest.raises(InsufficientPrivilege):
        await road.query("DELETE FROM jobs")


@pytest.mark.parametrize("sequenced", [True, False])
async def test_a_proposal_whose_job_row_is_gone_gets_no_second_one(road, tamper, sequenced):
    proposal_id = await dispatched(road)
    if sequenced:
        await road.sequence()
    await tamper("DELETE FROM jobs")
    await revive(road)
    assert await road.create_job(proposal_id) is None
    assert await refusals(road) == ["already_dispatched"]
    assert await road.query("SELECT 1 FROM jobs") == []
    assert (await road.find(proposal_id)).status is ProposalStatus.FAILED
    assert await road.incident_status(proposal_id) == "escalated"


async def test_a_job_that_was_handed_to_another_proposal_leaves_no_room(road):
    """The application's role cannot delete the row, but it can make it another proposal's."""
    proposal_id = await dispatched(road)
    async with road.pool.connection() as connection:
        incident_id = await road.open_incident(connection, episode_key="another_disk_full")
        other = await road.propose(connection, incident_id=incident_id)
    await road.query("UPDATE jobs SET proposal_id = %s", other)
    await road.query("UPDATE proposals SET status = 'approved' WHERE proposal_id = %s", proposal_id)
    await road.query("UPDATE incidents SET status = 'approved'")
    assert await road.create_job(proposal_id) is None
    assert await refusals(road) == ["already_dispatched"]


async def reject(road, proposal_id):
    request = await road.request(proposal_id, "linus", reason="not this one")
    async with road.pool.connection() as connection:
        await road.approvals.reject(connection, request)


async def expire(road, _proposal_id):
    road.clock.advance(timedelta(hours=25).total_seconds())
    async with road.pool.connection() as connection:
        assert await road.approvals.expire_due(connection) == 1
    road.clock.advance(-timedelta(hours=25).total_seconds())


@pytest.mark.parametrize("end", [reject, expire])
async def test_what_was_decided_against_is_never_dispatched(road, end):
    """With one of two approvals given it had a sealed one when it ended."""
    proposal_id = await road.begin(risk_score=60.0)
    await road.approve(proposal_id)
    assert (await road.find(proposal_id)).status is ProposalStatus.PENDING
    await end(road, proposal_id)
    await revive(road)
    await road.query("UPDATE proposals SET risk_score = 60")
    assert await road.create_job(proposal_id) is None
    assert await refusals(road) == ["already_ended"]
    assert await road.query("SELECT 1 FROM jobs") == []


async def test_an_event_that_is_not_its_leaf_stops_the_job(road, tamper):
    proposal_id = await dispatched(road)
    await road.sequence()
    await tamper(
        "DELETE FROM jobs",
        "UPDATE audit_events SET action = 'job.pondered' WHERE action = 'job.created'",
    )
    await revive(road)
    assert await road.create_job(proposal_id) is None
    assert await refusals(road) == ["log_changed"]


@pytest.mark.parametrize(
    "after", ["NULL", "'{}'", '\'{"kind": "pondered"}\'', "'{\"kind\": []}'", "'[1]'"]
)
async def test_a_job_of_which_the_log_names_no_kind_stops_the_next(road, tamper, after):
    proposal_id = await dispatched(road)
    await tamper(
        "DELETE FROM jobs",
        "INSERT INTO audit_events (event_id, occurred_at, actor, action, subject_kind, subject_id,"
        " correlation_id, after, evidence) SELECT 'evt_odd', occurred_at, actor, action,"
        f" subject_kind, subject_id, correlation_id, {after}, evidence FROM audit_events"
        " WHERE action = 'job.created'",
    )
    await revive(road)
    assert await road.create_job(proposal_id) is None
    assert await refusals(road) == ["log_changed"]


def test_every_status_that_nothing_follows_is_an_end():
    assert {"rejected", "overridden", "expired", "failed", "succeeded"} <= ENDS
    assert not {"pending", "approved", "dispatched"} & ENDS


async def test_a_rollback_is_made_once_and_only_after_its_fix(road, tamper):
    undone = await road.begin()
    await road.approve(undone)
    await road.query("UPDATE proposals SET status = 'dispatched'")
    assert await road.create_job(undone, "rollback") is None
    assert await refusals(road) == ["not_approved"]
    await road.query("UPDATE proposals SET status = 'approved'")
    assert await road.create_job(undone)
    assert await road.create_job(undone, "rollback")
    await tamper("DELETE FROM jobs WHERE kind = 'rollback'")
    assert await road.create_job(undone, "rollback") is None
    assert await refusals(road) == ["not_approved", "already_dispatched"]


async def test_a_job_that_ended_is_not_handed_out_because_a_row_says_queued(road):
    await dispatched(road)
    assert len(await lease(road)) == 1
    await road.query("UPDATE jobs SET status = 'queued', leased_until = NULL")
    assert len(await lease(road)) == 1, "an unanswered one is"
    (job,) = await road.query("SELECT job_id FROM jobs")
    async with road.pool.connection() as connection:
        await road.audit.record(
            connection,
            actor="device:dev_1",
            action="job.reported",
            subject_kind="job",
            subject_id=job["job_id"],
            correlation_id="cor_1",
        )
    await road.query("UPDATE jobs SET status = 'queued', leased_until = NULL")
    assert await lease(road) == []

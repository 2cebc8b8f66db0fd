# SPDX-License-Identifier: Apache-2.0
"""Who named an incident's class has asked for what is proposed afterwards, and does not approve."""

import pytest

from contracts.failure import FailureClass
from governance.errors import SelfApprovalError
from telemetry.incident_classes import ClassStatement, IncidentClasses


async def label(road, proposal_id, failure_class, actor, on_behalf_of=None):
    """Name the class of a proposal's incident."""
    proposal = await road.find(proposal_id)
    async with road.pool.connection() as connection:
        await IncidentClasses(road.clock, road.ids, road.audit).label(
            connection,
            ClassStatement(
                incident_id=proposal.incident_id, failure_class=failure_class, seen_class=None,
                actor=actor, reason="", on_behalf_of=on_behalf_of,
            ),
        )  # fmt: skip


async def propose_again(road, proposal_id):
    """Reject a proposal and seal another one for its incident."""
    rejected = await road.find(proposal_id)
    await road.query("UPDATE proposals SET status = 'rejected'")
    async with road.pool.connection() as connection:
        return await road.propose(connection, incident_id=rejected.incident_id)


async def is_refused(road, proposal_id, approver):
    try:
        await road.approve(proposal_id, approver)
    except SelfApprovalError:
        return True
    return False


@pytest.mark.parametrize("later_by_seconds", [5, 0, -5])  # a clock that is set goes back
async def test_who_was_first_is_no_matter_of_clocks(road, later_by_seconds):
    first = await road.begin()
    await label(road, first, FailureClass.DISK_HEALTH, "user:ada")
    await label(road, first, FailureClass.DISK_FULL, "cli:bob")
    road.clock.advance(later_by_seconds)
    proposal_id = await propose_again(road, first)
    road.clock.advance(-later_by_seconds)
    await label(road, proposal_id, FailureClass.DNS, "user:grace")
    assert await is_refused(road, proposal_id, "ada")
    assert await is_refused(road, proposal_id, "bob"), "a command's account is the person"
    assert not await is_refused(road, proposal_id, "grace"), "it was sealed before she spoke"


async def test_a_service_does_not_hide_who_speaks_through_it(road):
    first = await road.begin()
    await label(road, first, FailureClass.DNS, "service:desk", "user:Ada")
    proposal_id = await propose_again(road, first)
    assert await is_refused(road, proposal_id, "ada")
    assert await is_refused(road, proposal_id, "service:desk")
    assert not await is_refused(road, proposal_id, "grace")

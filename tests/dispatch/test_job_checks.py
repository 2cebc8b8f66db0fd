# SPDX-License-Identifier: Apache-2.0
"""What quorum and policy were asked about must be what was sealed, else no job is made."""

import pytest

from governance.proposals import ProposalStatus


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("risk_score = 1", "risk_score"),
        ("risk_factors = '{}'", "risk_factors"),
        ("requested_by = 'system:other'", "requested_by"),
    ],
)
async def test_a_row_changed_after_its_approval_makes_no_job(road, change, column):
    proposal_id = await road.begin()
    await road.approve(proposal_id)
    await road.query(f"UPDATE proposals SET {change}")
    assert await road.create_job(proposal_id) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["refusal"] == "proposal_changed"
    assert event["after"]["detail"].endswith(f"in {column}")
    assert await road.query("SELECT 1 FROM jobs") == []
    assert (await road.find(proposal_id)).status is ProposalStatus.FAILED
    assert await road.incident_status(proposal_id) == "escalated"


async def test_a_lowered_risk_does_not_lower_the_quorum(road):
    """One approval of two, and a row that then asks for one alone."""
    proposal_id = await road.begin(risk_score=60.0)
    assert not (await road.approve(proposal_id)).complete
    await road.query("UPDATE proposals SET risk_score = 1, status = 'approved'")
    assert await road.create_job(proposal_id) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["refusal"] == "proposal_changed"

# SPDX-License-Identifier: Apache-2.0
"""What a pending proposal is said to need is what an approver would be told."""

import pytest

from governance.approvals import Replacement
from governance.errors import (
    AlreadyDecidedError,
    IncidentMovedOnError,
    LogChangedError,
    RefusalError,
)
from governance.proposals import ContextGoneError
from governance.standing import AWAITING, Standings
from guardrails.policy import POLICIES_DIR
from guardrails.policy_source import PolicySource, read_folder
from telemetry.incidents import ALLOWED_TRANSITIONS, IncidentStatus


async def list_missing(road, proposal_id) -> list[str]:
    standings = Standings(road.clock, opener=road.sealer, policy=road.policy)
    proposal = await road.find(proposal_id)
    async with road.pool.connection() as connection:
        return (await standings.find(connection, proposal)).list_missing()


async def reject(road, proposal_id):
    request = await road.request(proposal_id, "linus", reason="not this one")
    async with road.pool.connection() as connection:
        return await road.approvals.reject(connection, request)


async def revive(road) -> None:
    await road.query("UPDATE proposals SET status = 'pending'")
    await road.query("UPDATE incidents SET status = 'proposed'")


async def test_a_fresh_proposal_needs_its_approvals_alone(road):
    assert await list_missing(road, await road.begin()) == ["0 of 1 approval given."]


async def test_a_script_that_is_gone_is_said(road, tamper):
    proposal_id = await road.begin()
    await tamper("TRUNCATE scripts CASCADE")
    first, *_ = await list_missing(road, proposal_id)
    assert first == (
        "Nobody can approve this proposal: its script or its device is gone: it can be rejected,"
        " or expires by itself."
    )
    with pytest.raises(ContextGoneError):
        await road.approve(proposal_id)
    request = await road.request(proposal_id, "linus", reason="another one")
    other = Replacement(script_id="linux-clear-cache", parameters={"mount": "/var"})
    with pytest.raises(ContextGoneError):  # who reported it, and wrote the script, is not known
        async with road.pool.connection() as connection:
            await road.approvals.override(connection, request, other)
    assert (await reject(road, proposal_id)).complete
    assert (await road.find(proposal_id)).status == "rejected"


async def test_an_incident_that_moved_on_is_said(road):
    proposal_id = await road.begin()
    await road.query("UPDATE incidents SET status = 'escalated'")
    first, *_ = await list_missing(road, proposal_id)
    assert first == (
        "Nobody can approve this proposal: its incident is escalated now and waits for no approval"
        " of it."
    )
    with pytest.raises(IncidentMovedOnError):
        await road.approve(proposal_id)


def test_an_incident_waits_where_it_can_become_approved():
    leading = {one for one, to in ALLOWED_TRANSITIONS.items() if IncidentStatus.APPROVED in to}
    assert leading == {AWAITING}


async def test_a_script_that_was_retired_is_said(road):
    proposal_id = await road.begin()
    await road.query("UPDATE scripts SET status = 'retired'")
    first, *_ = await list_missing(road, proposal_id)
    assert first.startswith("Nobody can approve this proposal: the script was changed or retired")


async def test_a_sealed_case_that_cannot_be_read_or_is_not_the_row_is_said(road):
    proposal_id = await road.begin()
    await road.query("UPDATE proposals SET risk_score = 30")
    first, *_ = await list_missing(road, proposal_id)
    assert first.endswith("the proposal differs from its sealed case in risk_score.")
    for path in road.directory.rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"payload", b"Payload"))
    first, *_ = await list_missing(road, proposal_id)
    assert first == "Nobody can approve this proposal: the sealed case cannot be read."
    with pytest.raises(RefusalError, match="the sealed case cannot be read"):
        await road.approve(proposal_id)


async def test_approvals_that_were_too_few_when_they_were_given_need_one_more(road):
    shipped = read_folder(POLICIES_DIR)
    rule = "requires_quorum := 1 if {\n"
    stricter = shipped.files["quorum.rego"].replace(rule, rule + "\tfalse\n")
    road.policy.take(PolicySource(files={**shipped.files, "quorum.rego": stricter}))
    proposal_id = await road.begin()
    assert not (await road.approve(proposal_id)).complete
    assert await list_missing(road, proposal_id) == ["1 of 2 approvals given."]
    road.policy.take(shipped)
    assert await list_missing(road, proposal_id) == [
        "1 of 1 approval given, which was too few at that time: one more person must approve."
    ]
    assert (await road.approve(proposal_id, "linus")).complete


async def approve(road, proposal_id):
    await road.approve(proposal_id)


@pytest.mark.parametrize(("end", "status"), [(reject, "rejected"), (approve, "approved")])
@pytest.mark.parametrize("sequenced", [True, False])
async def test_a_decided_proposal_is_not_decided_again_because_its_row_is_pending(
    road, end, status, sequenced
):
    proposal_id = await road.begin()
    await end(road, proposal_id)
    if sequenced:
        await road.sequence()
    await revive(road)
    for decide in (road.approve(proposal_id, "olga"), reject(road, proposal_id)):
        with pytest.raises(AlreadyDecidedError, match=f"the audit log has it as {status} on 2"):
            await decide
    assert (await road.actions()).count("approval.refused") == 2
    first, *_ = await list_missing(road, proposal_id)
    assert first.startswith("Nobody can approve this proposal: it is decided already: the audit")


async def test_a_history_that_is_not_its_leaf_is_no_ground_for_a_decision(road, tamper):
    proposal_id = await road.begin()
    await reject(road, proposal_id)
    await road.sequence()
    await tamper(
        "UPDATE audit_events SET action = 'proposal.pondered' WHERE action = 'proposal.rejected'"
    )
    await revive(road)
    with pytest.raises(LogChangedError, match="the audit log was changed"):
        await road.approve(proposal_id, "olga")
    first, *_ = await list_missing(road, proposal_id)
    assert first.startswith("Nobody can approve this proposal: the audit log was changed")

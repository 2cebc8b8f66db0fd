# SPDX-License-Identifier: Apache-2.0
"""Decisions on a real database: the quorum, every refusal with its audit event, time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.approvals import Replacement
from governance.conditions import Conditions
from governance.errors import (
    AlreadyDecidedError,
    AuthorApprovalError,
    BundleChangedError,
    ExceptionRequiredError,
    FreezeWindowError,
    IncidentMovedOnError,
    InvalidConditionsError,
    InvalidRequestError,
    ProposalExpiredError,
    ProposalNotFoundError,
    RoleMissingError,
    SelfApprovalError,
    StaleSessionError,
)
from governance.proposals import (
    Proposal,
    ProposalChangedError,
    ProposalStatus,
    find_differences,
)
from governance.risk_exceptions import ExceptionRequest
from guardrails.policy import POLICIES_DIR
from guardrails.policy_source import PolicySource, read_folder
from reasoning.sealing import compose_case
from reasoning.state import ProposalState
from tests.governance.resealing import reseal_with_risk

HOUR = timedelta(hours=1)


async def refused(road, error, proposal_id, approver="grace", **changes):
    """Approve in vain, and find the refusal in the audit trail."""
    with pytest.raises(error):
        await road.approve(proposal_id, approver, **changes)
    (event,) = await road.query(
        "SELECT actor, after FROM audit_events WHERE action = 'approval.refused'"
        " ORDER BY position DESC LIMIT 1"
    )
    assert event["actor"] == approver
    assert event["after"]["refusal"] == error.code
    assert (await road.find(proposal_id)).status is ProposalStatus.PENDING
    assert await road.query("SELECT 1 FROM approvals") == []


async def test_one_approval_of_a_small_risk_completes(road):
    proposal_id = await road.begin()
    result = await road.approve(proposal_id)
    assert (result.complete, result.n_approvals, result.n_required) == (True, 1, 1)
    proposal = await road.find(proposal_id)
    assert proposal.status is ProposalStatus.APPROVED
    assert await road.incident_status(proposal_id) == "approved"
    (sealed,) = await road.query(
        "SELECT evidence FROM audit_events WHERE action = 'approval.sealed'"
    )
    assert sealed["evidence"] == [result.approval_digest, proposal.bundle_digest]
    (message,) = await road.query("SELECT payload FROM outbox WHERE topic = 'proposal.approved'")
    assert message["payload"] == {"proposal_id": proposal_id}
    (label,) = await road.query("SELECT kind, label, actor FROM labels")
    assert label == {"kind": "decision", "label": "approve", "actor": "grace"}


@pytest.mark.parametrize("status", ["open", "resolved", "escalated", "closed"])
async def test_nothing_is_approved_for_an_incident_that_moved_on(road, status):
    """A fleet's devices recovered, or a person closed it, while a proposal waited."""
    proposal_id = await road.begin()
    await road.move_incident(proposal_id, status)
    await refused(road, IncidentMovedOnError, proposal_id)
    assert await road.incident_status(proposal_id) == status
    assert await road.query("SELECT 1 FROM outbox WHERE topic = 'proposal.approved'") == []


async def test_greater_risk_needs_two_people(road):
    proposal_id = await road.begin(risk_score=60.0)
    first = await road.approve(proposal_id)
    assert (first.complete, first.n_required) == (False, 2)
    assert await road.incident_status(proposal_id) == "proposed"
    with pytest.raises(AlreadyDecidedError):
        await road.approve(proposal_id, "GRACE")
    assert (await road.approve(proposal_id, "linus")).complete
    opened = await road.query("SELECT 1 FROM outbox WHERE topic = 'proposal.approved'")
    assert len(opened) == 1


async def test_the_greatest_risk_needs_an_exception(road):
    proposal_id = await road.begin(risk_score=80.0)
    await refused(road, ExceptionRequiredError, proposal_id)
    asked = ExceptionRequest(
        proposal_id=proposal_id,
        granted_by="olga",
        roles=frozenset({"security_reviewer"}),
        compensating_controls="somebody watches",
        reason="the disk is full",
        expires_at=road.clock.now() + HOUR,
    )
    wrong = {
        SelfApprovalError: replace(asked, granted_by="system:reasoner"),
        AuthorApprovalError: replace(asked, granted_by="user:EUCORA-starter"),
        RoleMissingError: replace(asked, roles=frozenset({"approver", "admin"})),
        InvalidRequestError: replace(asked, compensating_controls=" "),
    }
    async with road.pool.connection() as connection:
        for error, request in wrong.items():
            with pytest.raises(error):
                await road.exceptions.grant(connection, request)
        for too_late in (road.clock.now(), road.clock.now() + 800 * HOUR):
            with pytest.raises(InvalidRequestError):
                await road.exceptions.grant(connection, replace(asked, expires_at=too_late))
        await road.exceptions.grant(connection, asked)
    actions = await road.actions()
    assert actions.count("risk_exception.refused") == 3
    assert actions.count("risk_exception.granted") == 1
    assert not (await road.approve(proposal_id)).complete
    road.clock.advance(3601)
    with pytest.raises(ExceptionRequiredError):
        await road.approve(proposal_id, "linus")


async def test_no_exception_where_none_is_needed_or_all_is_decided(road):
    proposal_id = await road.begin()
    asked = ExceptionRequest(
        proposal_id=proposal_id,
        granted_by="olga",
        roles=frozenset({"security_reviewer"}),
        compensating_controls="somebody watches",
        reason="the disk is full",
        expires_at=road.clock.now() + HOUR,
    )
    async with road.pool.connection() as connection:
        with pytest.raises(InvalidRequestError, match="needs no exception"):
            await road.exceptions.grant(connection, asked)
    await road.approve(proposal_id)
    await road.query("UPDATE proposals SET risk_score = 80")
    async with road.pool.connection() as connection:
        with pytest.raises(AlreadyDecidedError):
            await road.exceptions.grant(connection, asked)


async def test_requester_reporter_and_author_cannot_approve(road):
    proposal_id = await road.begin()
    await refused(road, SelfApprovalError, proposal_id, "hanna")  # reported it
    await road.query("UPDATE proposals SET requested_by = 'rita'")
    await refused(road, SelfApprovalError, proposal_id, "Rita")
    await refused(road, AuthorApprovalError, proposal_id, "EUCORA-starter")


async def test_whoever_reported_the_same_again_cannot_approve_or_except_either(road):
    proposal_id = await road.begin(risk_score=80.0)
    for reporter, source in (("user:Ida", "ticket"), ("service:monitor", "alert")):
        assert not await road.report(reported_by=reporter, source=source)
    for reporter in ("ida", "hanna", "service:monitor"):
        await refused(road, SelfApprovalError, proposal_id, reporter)
        asked = ExceptionRequest(
            proposal_id=proposal_id,
            granted_by=reporter,
            roles=frozenset({"security_reviewer"}),
            compensating_controls="somebody watches",
            reason="the disk is full",
            expires_at=road.clock.now() + HOUR,
        )
        async with road.pool.connection() as connection:
            with pytest.raises(SelfApprovalError):
                await road.exceptions.grant(connection, asked)
    assert (await road.actions()).count("risk_exception.refused") == 3


async def test_what_was_looked_at_must_be_what_was_sealed(road):
    proposal_id = await road.begin()
    await refused(road, BundleChangedError, proposal_id, bundle_digest="0" * 64)
    await road.query("UPDATE scripts SET content_sha256 = %s", "1" * 64)
    await refused(road, BundleChangedError, proposal_id)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("risk_score = 1", "risk_score"),
        ("risk_score = 60", "risk_score"),
        ("risk_factors = '{}'", "risk_factors"),
        ("risk_factors = risk_factors || '{\"board_reasons\": []}'", "risk_factors"),
        ("requested_by = 'system:other'", "requested_by"),
        ("parameters = parameters || '{\"keep_days\": 0}'", "parameters"),
    ],
)
async def test_a_row_that_is_not_what_was_sealed_is_refused(road, change, column):
    proposal_id = await road.begin(risk_score=80.0)
    await road.query(f"UPDATE proposals SET {change}")
    await refused(road, ProposalChangedError, proposal_id)
    (event,) = await road.query(
        "SELECT after->>'detail' AS detail FROM audit_events WHERE action = 'approval.refused'"
    )
    assert event["detail"].endswith(f"differs from its sealed case in {column}")


async def test_a_case_sealed_with_another_risk_is_judged_by_that_risk(road):
    proposal_id = await road.begin(risk_score=80.0)
    async with road.pool.connection() as connection:
        await reseal_with_risk(connection, road.sealer, proposal_id, 60.0)
    result = await road.approve(proposal_id)
    assert (result.complete, result.n_required) == (False, 2)


async def test_a_policy_may_ask_for_more_people_because_of_sealed_signs(road):
    shipped = read_folder(POLICIES_DIR)
    rule = "requires_quorum := 1 if {\n"
    assert rule in shipped.files["quorum.rego"]
    stricter = shipped.files["quorum.rego"].replace(rule, rule + "\tcount(input.flags) == 0\n")
    road.policy.take(PolicySource(files={**shipped.files, "quorum.rego": stricter}))
    flagged = await road.begin(signs=[{"kind": "commands_system", "where": "report", "id": ""}])
    assert not (await road.approve(flagged)).complete
    await road.query("UPDATE proposals SET status = 'approved'")
    assert await road.create_job(flagged) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["detail"] == "quorum_missing"


async def test_signs_alone_ask_for_nobody_else(road):
    flagged = await road.begin(signs=[{"kind": "commands_system", "where": "report", "id": ""}])
    assert (await road.approve(flagged)).complete


async def test_a_case_that_cannot_be_read_is_refused(road):
    proposal_id = await road.begin()
    for path in road.directory.rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"payload", b"Payload"))
    await refused(road, BundleChangedError, proposal_id)


def test_what_a_case_does_not_state_differs():
    names = {"proposal_id", "requested_by", "script_id", "script_version", "script_sha256"}
    values = dict.fromkeys(names, "x") | {"risk_score": 20.0, "target_device_id": "dev_1"}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    proposal = Proposal(
        **values, incident_id="inc_1", status=ProposalStatus.PENDING, diagnosis="disk_full",
        confidence=0.9, correlation_id="cor_1", created_at=now, expires_at=now,
    )  # fmt: skip
    stated = {"risk_factors"}  # none, and none are stored
    assert set(find_differences(proposal, {})) == {*values, "parameters"} - stated


def test_the_cases_of_the_product_state_all_that_is_compared():
    state = dict.fromkeys(ProposalState.__annotations__, None) | {
        "case": {"incident": {}, "device": None, "observed_at": None, "metrics": {}, "facts": {}},
        "choice": None,
        "diagnosis": {},
    }
    case = compose_case(state, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert {
        "proposal_id", "requested_by", "script", "parameters", "target_device_id", "risk"
    } <= set(case)  # fmt: skip


async def test_roles_and_sessions(road):
    proposal_id = await road.begin()
    await refused(road, RoleMissingError, proposal_id, roles=frozenset({"auditor"}))
    old = road.clock.now() - timedelta(hours=9)
    await refused(road, StaleSessionError, proposal_id, session_authenticated_at=old)
    ahead = road.clock.now() + HOUR
    await refused(road, StaleSessionError, proposal_id, session_authenticated_at=ahead)


async def test_a_freeze_has_bounds(road):
    now = road.clock.now()
    for terms in (
        {"ends_at": now},
        {"ends_at": now + timedelta(days=93)},
        {"starts_at": now + timedelta(days=400), "ends_at": now + timedelta(days=401)},
        {"ends_at": now.replace(tzinfo=None) + HOUR},
        {"reason": " "},
        {"reason": "x" * 501},
    ):
        async with road.pool.connection() as connection:
            with pytest.raises(InvalidRequestError):
                await road.freezes.announce(
                    connection,
                    **{
                        "starts_at": now,
                        "ends_at": now + HOUR,
                        "reason": "year end",
                        "created_by": "ada",
                        "correlation_id": "cor_2",
                        **terms,
                    },
                )


async def test_a_freeze_beats_an_approval_until_it_is_lifted(road):
    proposal_id = await road.begin()
    async with road.pool.connection() as connection:
        freeze = await road.freezes.announce(
            connection,
            starts_at=road.clock.now(),
            ends_at=road.clock.now() + HOUR,
            reason="year end",
            created_by="ada",
            correlation_id="cor_2",
        )
    await refused(road, FreezeWindowError, proposal_id)
    road.clock.advance(1)
    async with road.pool.connection() as connection:
        await road.freezes.lift(connection, freeze.freeze_id, actor="ada", correlation_id="cor_2")
    assert (await road.approve(proposal_id)).complete
    assert {"freeze.announced", "freeze.lifted"} <= set(await road.actions())


async def test_unknown_and_contradictory_requests(road):
    proposal_id = await road.begin()
    request = await road.request(proposal_id)
    past = Conditions(not_after=road.clock.now() - HOUR)
    with pytest.raises(InvalidConditionsError):
        await road.approve(proposal_id, conditions=past)
    with pytest.raises(ProposalNotFoundError):
        async with road.pool.connection() as connection:
            await road.approvals.approve(connection, replace(request, proposal_id="prp_none"))
    with pytest.raises(InvalidRequestError):
        await road.approve(proposal_id, reason="x" * 3000)
    assert (await road.approve(proposal_id)).complete


async def test_rejection_is_no_sealed_approval_and_goes_to_people(road):
    proposal_id = await road.begin()
    request = await road.request(proposal_id, reason=" ")
    async with road.pool.connection() as connection:
        with pytest.raises(InvalidRequestError):
            await road.approvals.reject(connection, request)
        request = await road.request(proposal_id, "hanna", reason="wrong disk")
        await road.approvals.reject(connection, request)
    assert (await road.find(proposal_id)).status is ProposalStatus.REJECTED
    assert await road.incident_status(proposal_id) == "escalated"
    assert "approval.sealed" not in await road.actions()
    with pytest.raises(AlreadyDecidedError):
        await road.approve(proposal_id)


async def test_override_makes_a_linked_proposal_that_its_maker_cannot_approve(road):
    proposal_id = await road.begin()
    request = await road.request(proposal_id, reason="keep more")
    async with road.pool.connection() as connection:
        result = await road.approvals.override(
            connection,
            request,
            Replacement(script_id="linux-clear-cache", parameters={"mount": "/var"}),
        )
    assert (await road.find(proposal_id)).status is ProposalStatus.OVERRIDDEN
    child = await road.find(result.replacement_proposal_id)
    assert (child.parent_proposal_id, child.requested_by) == (proposal_id, "grace")
    child_id = child.proposal_id
    with pytest.raises(SelfApprovalError):
        await road.approve(child_id)
    assert (await road.approve(child_id, "linus")).complete


async def test_time_decides_what_nobody_did(road):
    proposal_id = await road.begin()
    road.clock.advance(24 * 3600)
    with pytest.raises(ProposalExpiredError):
        await road.approve(proposal_id)
    async with road.pool.connection() as connection:
        assert await road.approvals.expire_due(connection) == 1
        assert await road.approvals.expire_due(connection) == 0
    assert (await road.find(proposal_id)).status is ProposalStatus.EXPIRED
    assert await road.incident_status(proposal_id) == "escalated"
    with pytest.raises(ProposalExpiredError):
        await road.approve(proposal_id)


async def test_an_approval_that_nobody_used_expires(road):
    proposal_id = await road.begin()
    until = road.clock.now() + HOUR
    await road.approve(proposal_id, conditions=Conditions(not_after=until))
    async with road.pool.connection() as connection:
        assert await road.approvals.expire_due(connection) == 0
        road.clock.advance(3600)
        assert await road.approvals.expire_due(connection) == 1
    assert (await road.find(proposal_id)).status is ProposalStatus.EXPIRED


async def test_two_people_at_once_complete_one_quorum(road):
    proposal_id = await road.begin(risk_score=60.0)
    results = await asyncio.gather(
        road.approve(proposal_id, "grace"), road.approve(proposal_id, "linus")
    )
    assert sorted(result.complete for result in results) == [False, True]


async def test_many_at_once_decide_once(road):
    proposal_id = await road.begin()
    names = ("grace", "linus", "olga", "pia")
    results = await asyncio.gather(
        *(road.approve(proposal_id, name) for name in names), return_exceptions=True
    )
    refusals = [each for each in results if isinstance(each, AlreadyDecidedError)]
    assert len(refusals) == 3
    assert (await road.actions()).count("approval.refused") == 3

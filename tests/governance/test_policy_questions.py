# SPDX-License-Identifier: Apache-2.0
"""Names are asked in one form for all spellings: a policy's `lower` folds ASCII alone."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.decision_checks import ApprovalRequest, Situation
from governance.policy_questions import ask_approval
from governance.proposals import Proposal, ProposalContext, ProposalStatus
from guardrails.policy import PolicyEngine

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine():
    return PolicyEngine()


def ask(approver, *, requested_by="system:reasoner", author="author-1", approved_by=()):
    proposal = Proposal(
        proposal_id="pro_1", incident_id="inc_1", status=ProposalStatus.PENDING, diagnosis="",
        confidence=0.9, requested_by=requested_by, correlation_id="", created_at=NOW,
        expires_at=NOW + timedelta(hours=1), risk_score=20.0, bundle_digest="d1",
    )  # fmt: skip
    context = ProposalContext(
        author=author, manifest={"privilege": "user", "blast_radius": "service"},
        analysis={"judgeable": True, "severity": "low", "effects": []}, script_status="approved",
        content_sha256="c1", business_critical=False, device_status="active",
        incident_status="proposed", reporters=(),
    )  # fmt: skip
    situation = Situation(
        proposal=proposal, context=context, decided_by=(), approved_by=approved_by,
        freeze_active=False, exception_active=False, history=(), now=NOW,
    )  # fmt: skip
    request = ApprovalRequest(
        proposal_id="pro_1", bundle_digest="d1", approver=approver, roles=frozenset({"approver"}),
        session_authenticated_at=NOW,
    )  # fmt: skip
    return ask_approval(request, situation, {"signs": []})


@pytest.mark.parametrize("spelling", ["ÄSE", "äse", "cli:äse", "user:ÄSE", "A\u0308SE"])
def test_one_person_is_one_however_spelled(engine, spelling):
    assert engine.decide(ask("user:äse")).allow
    for asked, reason in [
        (ask(spelling, requested_by="user:äse"), "self_approval"),
        (ask(spelling, author="Äse"), "author_approval"),
        (ask(spelling, approved_by=("äse",)), "already_approved"),
    ]:
        assert engine.decide(asked).reasons == (reason,)

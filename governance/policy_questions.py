# SPDX-License-Identifier: Apache-2.0
"""What policies are asked about an approval or a dispatch: rows of the database, field by field.

Of what a caller sends, only identifiers come in, and they are compared with rows: the bundle that
an approver names. Their name and roles are those of their account. Names are asked in the form that
all spellings of one person share, because a policy's `lower` folds ASCII alone. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.policy import (
    AnalysisFacts,
    ApprovalFacts,
    ApprovalQuestion,
    DeviceFacts,
    DispatchQuestion,
    ScriptFacts,
    SealedFacts,
    StoredApproval,
)
from governance.approval_records import Approval
from governance.decision_checks import ApprovalRequest, Situation
from governance.proposals import Proposal, ProposalContext
from kernel.person import normalise_person


def list_flags(case: Mapping[str, Any]) -> list[str]:
    """Return the kinds of signs of injection that a sealed case states, each once, sorted."""
    return sorted({str(sign["kind"]) for sign in case.get("signs", ())})


def ask_approval(
    request: ApprovalRequest, situation: Situation, case: Mapping[str, Any]
) -> ApprovalQuestion:
    """Return the question whether this person may approve now; `case` is the sealed one."""
    return ApprovalQuestion(
        now=situation.now.timestamp(),
        proposal=_proposal_facts(situation.proposal),
        script=_script_facts(situation.context),
        device=_device_facts(situation.context),
        approval=ApprovalFacts(
            approver=normalise_person(request.approver),
            roles=sorted(request.roles),
            bundle_digest=request.bundle_digest,
        ),
        approved_by=[normalise_person(each) for each in situation.approved_by],
        freeze_active=situation.freeze_active,
        exception_active=situation.exception_active,
        flags=list_flags(case),
    )


def ask_dispatch(
    proposal: Proposal,
    context: ProposalContext,
    approvals: Sequence[Approval],
    case: Mapping[str, Any],
    *,
    now: datetime,
    digests_match: bool,
    freeze_active: bool,
    exception_active: bool,
) -> DispatchQuestion:
    """Return the question whether a job for this proposal may be made; `case` is the sealed one."""
    return DispatchQuestion(
        now=now.timestamp(),
        proposal=_proposal_facts(proposal),
        script=_script_facts(context),
        device=_device_facts(context),
        approvals=[
            StoredApproval(
                approver=normalise_person(each.approver),
                bundle_digest=each.bundle_digest,
                expires_at=each.expires_at.timestamp(),
            )
            for each in approvals
        ],
        digests_match=digests_match,
        freeze_active=freeze_active,
        exception_active=exception_active,
        flags=list_flags(case),
    )


def _proposal_facts(proposal: Proposal) -> SealedFacts:
    return SealedFacts(
        proposal_id=proposal.proposal_id,
        requested_by=normalise_person(proposal.requested_by),
        risk_score=proposal.risk_score,
        expires_at=proposal.expires_at.timestamp(),
        status=proposal.status.value,
        bundle_digest=proposal.bundle_digest or "",
    )


def _script_facts(context: ProposalContext) -> ScriptFacts:
    privilege: Any = context.manifest.get("privilege")  # None where it is missing: a denial
    blast_radius: Any = context.manifest.get("blast_radius")
    return ScriptFacts(
        author=normalise_person(context.author),
        privilege=privilege,
        blast_radius=blast_radius,
        analysis=_analysis_facts(context.analysis),
    )


def _device_facts(context: ProposalContext) -> DeviceFacts:
    return DeviceFacts(business_critical=context.business_critical, status=context.device_status)


def _analysis_facts(analysis: Mapping[str, Any]) -> AnalysisFacts:
    """Return the analysis with effects as kinds alone; what is missing stays None: a denial."""
    effects = analysis.get("effects")
    kinds: Any = None
    if isinstance(effects, list):
        kinds = sorted(
            {str(each.get("kind") if isinstance(each, dict) else each) for each in effects}
        )
    judgeable: Any = analysis.get("judgeable")
    severity: Any = analysis.get("severity")
    return AnalysisFacts(judgeable=judgeable, severity=severity, effects=kinds)

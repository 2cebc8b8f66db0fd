# SPDX-License-Identifier: Apache-2.0
"""The gate in front of every job: proposal, sealed case, approvals, policy, and log must agree."""

import base64
from dataclasses import dataclass
from datetime import datetime

from contracts.job import InclusionProof
from dispatch.errors import JobRefusedError, NotSequencedYetError
from dispatch.job_checks import (
    SealedCase,
    check_approvals,
    check_leaf,
    check_proposal,
    check_script,
    check_statement,
    check_terms,
    read_sealed_case,
)
from dispatch.job_history import check_history
from dispatch.job_records import JobKind
from evidence.bundles import OpenedBundle, find_bundle
from evidence.errors import EvidenceError, NotSequencedError
from evidence.log import MerkleLog
from evidence.sealing import Sealer
from evidence.statement import StatementKind
from governance.approval_records import Approval, list_approvals
from governance.decision_checks import Decision
from governance.errors import LogChangedError, ScriptEntryError, ScriptVersionNotFoundError
from governance.freeze_windows import frozen_until, list_freezes
from governance.policy_questions import ask_dispatch
from governance.ports import PolicyPort
from governance.proposal_history import list_history
from governance.proposals import Proposal, ProposalStatus, find_context
from governance.risk_exceptions import list_active_exceptions
from governance.script_versions import ScriptVersion, find_version, verify_version
from kernel.database import Connection

_ALLOWED_STATUS = {
    JobKind.REMEDIATE: (ProposalStatus.APPROVED,),
    JobKind.ROLLBACK: (
        ProposalStatus.DISPATCHED,
        ProposalStatus.FAILED,
        ProposalStatus.SUCCEEDED,
        ProposalStatus.EXPIRED,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedCase:
    """What was approved, by whom, and that it still stands. `approval` completed the quorum."""

    sealed: SealedCase
    script: ScriptVersion
    approvals: tuple[Approval, ...]
    approval: Approval


class ApprovalGate:
    """Lets through what was approved, exactly."""

    def __init__(self, *, sealer: Sealer, policy: PolicyPort, log: MerkleLog) -> None:
        self._sealer = sealer
        self._policy = policy
        self._log = log

    async def check_case(
        self, connection: Connection, proposal: Proposal, *, kind: JobKind, now: datetime
    ) -> ApprovedCase:
        """Compare proposal, audited history, catalogue, approvals and sealed statements.

        Raises:
            JobRefusedError: they do not agree; says where.

        """
        if proposal.status not in _ALLOWED_STATUS[kind]:
            raise JobRefusedError("not_approved", f"the proposal is {proposal.status}")
        if proposal.bundle_digest is None:
            raise JobRefusedError("bundle_unreadable", "the proposal was never sealed")
        approvals = [
            each
            for each in await list_approvals(connection, proposal.proposal_id)
            if each.decision is Decision.APPROVE
        ]
        approval = check_approvals(proposal, approvals, kind=kind, now=now)
        opened = await self._open(connection, proposal.bundle_digest, StatementKind.PROPOSAL)
        sealed = read_sealed_case(opened.files)
        check_proposal(proposal, sealed)
        key = (str(proposal.script_id), str(proposal.script_version))
        try:
            script = await find_version(connection, *key)
        except ScriptVersionNotFoundError as error:
            message = "the script is not in the catalogue"
            raise JobRefusedError("script_changed", message) from error
        check_script(proposal, sealed, script)
        if kind is JobKind.REMEDIATE:
            await self._check_catalogue(connection, proposal)
        if kind.value not in sealed.contents:
            raise JobRefusedError("script_unusable", f"the script has no step {kind.value}")
        for each in approvals:
            statement = await self._open(connection, each.approval_digest, StatementKind.APPROVAL)
            check_statement(each, statement.statement.predicate)
        await self._check_history(connection, proposal, kind)
        return ApprovedCase(
            sealed=sealed, script=script, approvals=tuple(approvals), approval=approval
        )

    async def _check_history(
        self, connection: Connection, proposal: Proposal, kind: JobKind
    ) -> None:
        try:
            history = await list_history(connection, proposal.proposal_id)
        except LogChangedError as error:
            raise JobRefusedError("log_changed", str(error)) from error
        check_history(history, kind=kind)

    async def _check_catalogue(self, connection: Connection, proposal: Proposal) -> None:
        """Check that the version is as it was signed, and in force by a sealed decision.

        A rollback is not asked for that: it undoes what the sealed case allowed, with its bytes.

        Raises:
            JobRefusedError: entry_refused.

        """
        key = (str(proposal.script_id), str(proposal.script_version))
        try:
            await verify_version(connection, self._sealer, *key)
        except (ScriptEntryError, ScriptVersionNotFoundError) as error:
            raise JobRefusedError("entry_refused", str(error)) from error

    async def prove_approval(
        self,
        connection: Connection,
        proposal: Proposal,
        case: ApprovedCase,
        *,
        kind: JobKind,
        now: datetime,
    ) -> InclusionProof:
        """Ask the policy, then fetch the proof that the approval stands in the log.

        The policy is not asked for a rollback: to undo needs no second permission. A policy that
        allows has judged the proposal's row, so the row must be what was sealed.

        Raises:
            JobRefusedError: the policy denies it, it was asked about something else than what
                was sealed, or the log holds something else.
            NotSequencedYetError: the approval has no place in the log yet.

        """
        if kind is JobKind.REMEDIATE:
            await self._ask_policy(connection, proposal, case, now=now)
            check_terms(proposal, case.sealed)
        record = await find_bundle(connection, case.approval.approval_digest)
        if record is None:
            raise JobRefusedError("approval_mismatch", "the approval was never sealed")
        try:
            proof = await self._log.inclusion_proof(connection, record.event_id)
        except NotSequencedError as error:
            raise NotSequencedYetError from error
        check_leaf(base64.b64decode(proof.leaf_entry_base64), case.approval, proof)
        return proof

    async def _open(self, connection: Connection, digest: str, kind: StatementKind) -> OpenedBundle:
        try:
            opened = await self._sealer.open(connection, digest)
        except EvidenceError as error:
            code = "bundle_unreadable" if kind is StatementKind.PROPOSAL else "approval_mismatch"
            raise JobRefusedError(code, f"the sealed {kind} does not verify") from error
        if opened.statement.kind is not kind:
            raise JobRefusedError("approval_mismatch", f"{digest} is not a sealed {kind}")
        return opened

    async def _ask_policy(
        self, connection: Connection, proposal: Proposal, case: ApprovedCase, *, now: datetime
    ) -> None:
        context = await find_context(connection, proposal.proposal_id)
        if context is None:
            raise JobRefusedError("target_changed", "the script or the target is gone")
        exceptions = await list_active_exceptions(connection, proposal.proposal_id, now=now)
        freezes = await list_freezes(connection, now=now)
        answer = await self._policy.decide(
            connection,
            ask_dispatch(
                proposal,
                context,
                case.approvals,
                case.sealed.document,
                now=now,
                digests_match=True,  # else check_case has refused
                freeze_active=frozen_until(freezes, now) is not None,
                exception_active=bool(exceptions),
            ),
        )
        if not answer.allow:
            raise JobRefusedError("policy_denied", ", ".join(answer.reasons))

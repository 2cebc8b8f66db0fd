# SPDX-License-Identifier: Apache-2.0
"""Joins policies and evidence where a version is put in force: propose, activate, roll back.

A person proposes a version, which must load and decide its cases; another person puts it in force
or rejects it. One transaction holds the row that names what is in force, its audit event and its
sealed bundle, and every process decides by it from then on. A rollback is proposed and decided in
the same way. Refusals are audited.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from api.ground import Ground
from api.policy_trust import SealedPolicyTrust, facts_of
from evidence.statement import StatementKind
from governance.errors import GovernanceError
from governance.policy_rules import (
    PolicyActor,
    PolicyDecider,
    check_activation,
    check_asking,
    check_decider,
    check_open,
)
from guardrails.errors import PolicyChangeError, PolicyError, PolicyTrustError
from guardrails.policy_records import N_DRY_RUN, DryRun, list_decisions
from guardrails.policy_source import POLICIES_DIR, PolicySource, read_folder
from guardrails.policy_store import (
    PUT_IN_FORCE,
    ActivationKind,
    PolicyActivation,
    PolicyChange,
    PolicyVersion,
    decide_change,
    find_active,
    find_change,
    find_previous,
    find_version,
    insert_activation,
    insert_change,
    insert_version,
    lock_policies,
)
from guardrails.policy_trials import check_version, dry_run
from kernel.database import Connection
from kernel.refusals import RefusalAudit

SYSTEM = "system:bootstrap"


class PolicyChanges:
    """Stores versions, and puts them in force on the word of two people."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.trust = SealedPolicyTrust(ground.sealer)

    async def install_shipped(self, source: PolicySource | None = None) -> str | None:
        """Put the shipped policies in force where none is; propose them where they are new.

        Returns what to tell the operator, None where nothing was to do.
        """
        if source is None:
            source = await asyncio.to_thread(read_folder, POLICIES_DIR)
        did = PolicyActor(
            actor=SYSTEM,
            reason="the policies that this release brings",
            correlation_id=self._ground.ids.new("cor"),
        )
        async with self._ground.pool.connection() as connection:
            await lock_policies(connection)
            active = await find_active(connection)
            if active is None:
                try:
                    await self.trust.check_newest(connection, None)
                except PolicyTrustError as error:
                    return str(error)
                version = await self._store(connection, source, did)
                await self._put_in_force(connection, ActivationKind.FIRST, version, None, did, did)
                return f"policy version {version.version} is in force"
            if await self._is_stored(connection, source):
                return None
            change = await self._propose(connection, source, active, did)
        return (
            "this release brings other policies than those in force: see eucora policy diff, and"
            f" decide with eucora policy activate {change.change_id} --as ACCOUNT --reason WHY"
        )

    async def propose(self, source: PolicySource, did: PolicyActor) -> PolicyChange:
        """Store a version and ask another person to put it in force.

        Raises:
            PolicyLoadError: it does not load, or does not decide its cases; audited.
            PolicyChangeError: it is in force already, or waits to be; audited.
            InvalidRequestError: no person asks, or for no reason; audited.
        """
        async with self._auditing_refusals(source.digest, did):
            check_asking(did)
            await check_version(source)
            async with self._ground.pool.connection() as connection:
                await lock_policies(connection)
                active = await self._require_active(connection)
                if active.policy_digest == source.digest:
                    raise PolicyChangeError("this policy is in force already")
                return await self._propose(connection, source, active, did)

    async def propose_rollback(self, did: PolicyDecider) -> PolicyChange:
        """Ask another person to go back to the version that was in force before the present one.

        Raises:
            PolicyChangeError: there is none, or that waits already; audited.
            InvalidRequestError, RoleMissingError, StaleSessionError: this person may not; audited.
        """
        async with self._auditing_refusals("rollback", did):
            self._check_decider(did)
            async with self._ground.pool.connection() as connection:
                await lock_policies(connection)
                active = await self._require_active(connection)
                previous = await find_previous(connection, active)
                version = await find_version(connection, previous.policy_digest)
                return await self._ask(connection, ActivationKind.ROLLBACK, version, active, did)

    async def activate(self, change_id: str, did: PolicyDecider) -> PolicyActivation:
        """Put in force what another person has proposed.

        Raises:
            PolicyNotFoundError: there is no such change.
            PolicyChangeError: somebody was faster; audited.
            InvalidRequestError, RefusalError: see `governance.policy_rules`; audited.
            PolicyTrustError, PolicyLoadError: the version cannot be believed or does not load;
                audited.
        """
        async with (
            self._auditing_refusals(change_id, did),
            self._ground.pool.connection() as connection,
        ):
            self._check_decider(did)
            await lock_policies(connection)
            change = await find_change(connection, change_id)
            active = await self._require_active(connection)
            check_activation(did, change, active)
            version = await find_version(connection, change.policy_digest)
            asked = PolicyActor(
                actor=change.proposed_by, reason=change.reason, correlation_id=did.correlation_id
            )
            activation = await self._put_in_force(
                connection, change.kind, version, active, asked, did
            )
            await decide_change(
                connection, change, "activated",
                actor=did.actor, reason=did.reason, now=activation.created_at,
            )  # fmt: skip
            return activation

    async def reject(self, change_id: str, did: PolicyDecider) -> PolicyChange:
        """Decide that a change is not made; a decider who asked for it may take it back so.

        Raises:
            PolicyNotFoundError: there is no such change.
            PolicyChangeError: somebody was faster; audited.
            InvalidRequestError, RefusalError: see `governance.policy_rules`; audited.
        """
        async with (
            self._auditing_refusals(change_id, did),
            self._ground.pool.connection() as connection,
        ):
            self._check_decider(did)
            change = await find_change(connection, change_id)
            check_open(change)
            await decide_change(
                connection, change, "rejected",
                actor=did.actor, reason=did.reason, now=self._ground.clock.now(),
            )  # fmt: skip
            await self._audit(connection, "policy.change_rejected", change_id, did, after={
                "policy_digest": change.policy_digest, "reason": did.reason,
            })  # fmt: skip
            return change

    def _check_decider(self, did: PolicyDecider) -> None:
        check_decider(
            did,
            now=self._ground.clock.now(),
            session_lifetime=timedelta(hours=self._ground.settings.session_hours),
        )

    async def _is_stored(self, connection: Connection, source: PolicySource) -> bool:
        try:
            await find_version(connection, source.digest)
        except PolicyError:
            return False
        return True

    async def _require_active(self, connection: Connection) -> PolicyActivation:
        active = await find_active(connection)
        if active is None:
            raise PolicyChangeError("no policy is in force: eucora prepare stores the first")
        return active

    async def _store(
        self, connection: Connection, source: PolicySource, did: PolicyActor
    ) -> PolicyVersion:
        return await insert_version(
            connection,
            {
                "policy_digest": source.digest,
                "envelope": self.trust.sign(source),
                "proposed_by": did.actor,
                "reason": did.reason,
                "created_at": self._ground.clock.now(),
            },
        )

    async def _propose(
        self,
        connection: Connection,
        source: PolicySource,
        active: PolicyActivation,
        did: PolicyActor,
    ) -> PolicyChange:
        version = await self._store(connection, source, did)
        return await self._ask(connection, ActivationKind.ACTIVATION, version, active, did)

    async def _ask(
        self,
        connection: Connection,
        kind: ActivationKind,
        version: PolicyVersion,
        active: PolicyActivation,
        did: PolicyActor,
    ) -> PolicyChange:
        change = PolicyChange(
            change_id=self._ground.ids.new("pch"),
            kind=kind,
            policy_digest=version.policy_digest,
            against=active.activation_id,
            proposed_by=did.actor,
            reason=did.reason,
            created_at=self._ground.clock.now(),
        )
        await insert_change(connection, change)
        await self._audit(connection, "policy.change_proposed", change.change_id, did, after={
            "kind": kind.value, "version": version.version, "policy_digest": version.policy_digest,
            "against": change.against, "reason": did.reason,
        })  # fmt: skip
        return change

    async def _put_in_force(
        self,
        connection: Connection,
        kind: ActivationKind,
        version: PolicyVersion,
        before: PolicyActivation | None,
        asked: PolicyActor,
        did: PolicyActor,
    ) -> PolicyActivation:
        """Try, seal, store and audit an activation in the caller's transaction."""
        trial = await self._try_out(connection, version)
        activation = PolicyActivation(
            activation_id=self._ground.ids.new("pac"),
            kind=kind,
            policy_digest=version.policy_digest,
            previous_activation_id=before.activation_id if before else None,
            proposed_by=asked.actor,
            activated_by=did.actor,
            reason=did.reason,
            bundle_digest="",
            created_at=self._ground.clock.now(),
        )
        case = _compose_case(activation, version, before, asked, trial)
        sealed = await self._ground.sealer.seal_lone(
            connection,
            kind=StatementKind.POLICY,
            lone_id=activation.activation_id,
            digest=version.policy_digest,
            case=case,
            files={name: text.encode() for name, text in trial.source.files.items()},
            actor=did.actor,
            correlation_id=did.correlation_id,
        )
        activation = replace(activation, bundle_digest=sealed.digest)
        await insert_activation(connection, activation)
        await self._audit_activation(connection, activation, version, before, did)
        return activation

    async def _try_out(self, connection: Connection, version: PolicyVersion) -> "_Trial":
        source = await asyncio.to_thread(self.trust.open_version, version)
        n_cases = await check_version(source)
        asked = await list_decisions(connection, limit=N_DRY_RUN)
        return _Trial(source=source, n_cases=n_cases, dry_run=await dry_run(source, asked))

    async def _audit_activation(
        self,
        connection: Connection,
        activation: PolicyActivation,
        version: PolicyVersion,
        before: PolicyActivation | None,
        did: PolicyActor,
    ) -> None:
        await self._audit(
            connection, PUT_IN_FORCE[activation.kind], activation.activation_id, did,
            before={"policy_digest": before and before.policy_digest},
            after={"policy_digest": version.policy_digest, "version": version.version,
                   "proposed_by": activation.proposed_by, "reason": did.reason},
            evidence=(activation.bundle_digest,),
        )  # fmt: skip

    async def _audit(
        self,
        connection: Connection,
        action: str,
        subject_id: str,
        did: PolicyActor,
        **facts: Any,
    ) -> None:
        await self._ground.audit.record(
            connection,
            actor=did.actor,
            action=action,
            subject_kind="policy",
            subject_id=subject_id,
            correlation_id=did.correlation_id,
            **facts,
        )

    def _auditing_refusals(
        self, subject_id: str, did: PolicyActor
    ) -> AbstractAsyncContextManager[None]:
        refused = "policy.change_refused"
        return RefusalAudit(self._ground.refusals, self._ground.audit).guard(
            {PolicyError: refused, GovernanceError: refused},
            actor=did.actor,
            subject_kind="policy",
            subject_id=subject_id,
            correlation_id=did.correlation_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A version that has proven itself: what it is, and how it answered."""

    source: PolicySource
    n_cases: int
    dry_run: DryRun


def _compose_case(
    activation: PolicyActivation,
    version: PolicyVersion,
    before: PolicyActivation | None,
    asked: PolicyActor,
    trial: _Trial,
) -> dict[str, Any]:
    """Return what is sealed of an activation, the one before it among that."""
    return {
        "schema_version": 1,
        **facts_of(activation),
        "version": version.version,
        "previous_policy_digest": before.policy_digest if before else None,
        "proposal_reason": asked.reason,
        "reason": activation.reason,
        "n_cases": trial.n_cases,
        "dry_run": {"n_asked": trial.dry_run.n_asked, **trial.dry_run.counts},
        "decided_at": activation.created_at.isoformat(),
    }

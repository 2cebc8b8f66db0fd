# SPDX-License-Identifier: Apache-2.0
"""The policy in force: found, believed and asked anew for each decision, in a process of its own.

Which version is in force is read in the transaction of the decision that it is asked for, so a
change holds for every process from its commit on, and no decision sees half of one. A version is
loaded once: signature, digest, sealed activation, syntax. One that does not fit denies everything
until another is put in force; falling back to the one before would let whoever damages a row choose
the policy (docs/adr/0024).
"""

import asyncio
from typing import Protocol

from contracts.policy import PolicyQuestion
from guardrails.errors import PolicyLoadError, PolicySlowError, PolicyTrustError
from guardrails.policy_confined import ConfinedPolicy
from guardrails.policy_decision import PolicyDecision, deny
from guardrails.policy_pool import PolicyPool
from guardrails.policy_process import take_turn
from guardrails.policy_records import insert_decision
from guardrails.policy_store import (
    PolicyActivation,
    PolicyTrust,
    find_active,
    find_version,
)
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.logs import get_logger

NO_POLICY = "none"  # in the place of a digest, where no policy is in force
_logger = get_logger(__name__)


class RemotePolicy(Protocol):
    """A server that answers with the policy of a digest."""

    async def decide(self, question: PolicyQuestion, *, policy_digest: str) -> PolicyDecision:
        """Answer in bounded time; whatever is not a clear yes of that policy is a denial."""
        ...


class ActivePolicy:
    """Answers questions with the policy in force, and keeps what it was asked.

    Args:
        clock: dates what is kept.
        trust: says what of the stored policies may be believed.
        denials: denials are kept in transactions of their own from this pool, because the
            caller's is rolled back.
        processes: evaluate the policy in force, and no other.
        server: asked instead of evaluating here, where one is configured.

    """

    def __init__(
        self,
        clock: Clock,
        trust: PolicyTrust,
        *,
        denials: Pool,
        processes: PolicyPool,
        server: RemotePolicy | None = None,
    ) -> None:
        self._clock = clock
        self._trust = trust
        self._denials = denials
        self._server = server
        self._processes = processes
        self._loaded: tuple[PolicyActivation, ConfinedPolicy] | None = None
        self._lock = asyncio.Lock()

    async def decide(self, connection: Connection, question: PolicyQuestion) -> PolicyDecision:
        """Answer a question with the policy that is in force in this transaction."""
        decision = await self.preview(connection, question)
        now = self._clock.now()
        if decision.allow:
            await insert_decision(connection, question, decision, now=now)
        else:
            async with self._denials.connection() as own:
                await insert_decision(own, question, decision, now=now)
        return decision

    async def find_policy(self, connection: Connection) -> ConfinedPolicy:
        """Return the policy in force, compiled.

        Raises:
            PolicySlowError: others were before to have it compiled, and took too long.
            PolicyLoadError: none is in force, or it cannot be believed or compiled.

        """
        activation = await self._find_newest(connection)
        if activation is None:
            raise PolicyLoadError("no policy is in force: eucora prepare stores the first")
        async with take_turn(self._lock):
            if self._loaded is None or self._loaded[0] != activation:
                self._loaded = activation, await self._load(connection, activation)
            return self._loaded[1]

    async def _find_newest(self, connection: Connection) -> PolicyActivation | None:
        """Return what is in force; a change between the two readings is no contradiction."""
        activation = await find_active(connection)
        try:
            await self._trust.check_newest(connection, activation)
        except PolicyTrustError:
            activation = await find_active(connection)
            await self._trust.check_newest(connection, activation)
        return activation

    async def _load(self, connection: Connection, activation: PolicyActivation) -> ConfinedPolicy:
        version = await find_version(connection, activation.policy_digest)
        await self._trust.check_activation(connection, activation)
        policy = ConfinedPolicy(
            self._processes, await asyncio.to_thread(self._trust.open_version, version)
        )
        await policy.load()
        _logger.info(
            "policy taken up", action="policy.load", decision="replace", version=version.version,
            digest=version.policy_digest,
        )  # fmt: skip
        return policy

    async def preview(self, connection: Connection, question: PolicyQuestion) -> PolicyDecision:
        """Answer as `decide` does, and keep nothing of it."""
        try:
            policy = await self.find_policy(connection)
        except PolicyTrustError as error:
            _logger.critical(
                "policy not believed", action="policy.load", decision="deny", exc_info=error
            )
            return deny("policy_untrusted", NO_POLICY)
        except PolicyLoadError as error:
            _logger.critical(
                "policy not loaded", action="policy.load", decision="deny", exc_info=error
            )
            slow = isinstance(error, PolicySlowError)
            return deny("policy_slow" if slow else "policy_error", NO_POLICY)
        if self._server is None:
            return await policy.decide(question)
        return await self._server.decide(question, policy_digest=policy.policy_digest)

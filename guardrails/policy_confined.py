# SPDX-License-Identifier: Apache-2.0
"""A policy version that a process of its own evaluates; late, broken or no answer is a denial."""

from typing import Final

import msgspec

from contracts.policy import PolicyQuestion, QuestionError, check_question
from guardrails.errors import PolicyLimitError, PolicyLoadError, PolicySlowError
from guardrails.policy_decision import PolicyDecision, deny
from guardrails.policy_pool import PolicyPool
from guardrails.policy_process import PolicyProcess
from guardrails.policy_protocol import Decide
from guardrails.policy_source import PolicySource
from kernel.logs import get_logger

LOAD_SECONDS: Final = 10.0
DECISION_SECONDS: Final = 1.0
_logger = get_logger(__name__)


class ConfinedPolicy:
    """Asks a process about one version.

    Args:
        processes: one or several; each compiles the version when it has not got it.
        source: the version.
        seconds: for one answer, after which it is a denial.

    """

    def __init__(
        self,
        processes: PolicyProcess | PolicyPool,
        source: PolicySource,
        *,
        seconds: float = DECISION_SECONDS,
    ) -> None:
        self.source: Final = source
        self.policy_digest: Final = source.digest
        self._processes = processes
        self._seconds = seconds

    async def load(self) -> None:
        """Compile the version.

        Raises:
            PolicySlowError: others were before, or compiling it took too long.
            PolicyLoadError: it does not compile, or not within its limits.
        """
        await self._processes.load(self.source, seconds=LOAD_SECONDS)

    async def decide(self, question: PolicyQuestion) -> PolicyDecision:
        """Answer a question in bounded time; doubt denies."""
        try:
            content = msgspec.json.encode(check_question(question))
        except QuestionError as error:
            return deny(error.code, self.policy_digest)
        try:
            decision = await self._processes.ask_of(
                self.source,
                Decide(question=msgspec.Raw(content)),
                PolicyDecision,
                load_seconds=LOAD_SECONDS,
                seconds=self._seconds,
            )
        except PolicySlowError as error:
            return self._doubt("policy_slow", error)
        except (PolicyLimitError, PolicyLoadError) as error:
            return self._doubt("policy_error", error)
        if decision.policy_digest != self.policy_digest:
            return self._doubt("policy_other_version", None)
        return decision

    def _doubt(self, reason: str, error: Exception | None) -> PolicyDecision:
        _logger.error(
            "policy in doubt", action="policy.ask", decision="deny", reason=reason, exc_info=error
        )
        return deny(reason, self.policy_digest)

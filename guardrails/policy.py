# SPDX-License-Identifier: Apache-2.0
"""Policy decisions in Rego, evaluated in process by regopy; denied on doubt.

The policies are checked and compiled once. Whatever is not a clear yes (undefined, an error, a
conflict, late, no such question) is a denial. The questions are contracts.policy's, described in
docs/policy-input.md.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.policy import DECISIONS, PolicyQuestion, QuestionError, check_question
from guardrails.errors import PolicyLoadError
from guardrails.policy_source import PolicySource, read_folder
from guardrails.policy_syntax import check_policies
from guardrails.rego_runtime import EvaluationError, PreparedQuery, RegoError, compile_modules

__all__ = ["DECISIONS", "POLICIES_DIR", "PolicyDecision", "PolicyEngine", "deny", "read_answer"]

POLICIES_DIR: Final = Path(__file__).with_name("policies")
QUORUM_IN_DOUBT: Final = 2
MAX_QUORUM: Final = 100
TIME_LIMIT_SECONDS: Final = 1.0
_DOUBTS = frozenset({"policy_error", "policy_undefined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """What the policy says, why, and which policy said it.

    Attributes:
        allow: a clear yes.
        requires_quorum: how many different people must approve.
        reasons: stable codes, sorted; empty only when allowed.
        policy_digest: SHA-256 (hex) of the policy files.

    """

    allow: bool
    requires_quorum: int
    reasons: tuple[str, ...]
    policy_digest: str


class PolicyEngine:
    """Compiled policies. Safe to call from several threads: evaluations take turns.

    Args:
        source: the policies, or the folder that holds their `*.rego` files.
        time_limit_seconds: an answer that took longer is a denial.
        monotonic: a monotonic clock in seconds.
        decisions: which it answers; others are denied as unknown.

    Raises:
        PolicyLoadError: no policy is there, one asks for what cannot be relied on or does not
            compile, or a package is missing.

    """

    def __init__(
        self,
        source: PolicySource | Path = POLICIES_DIR,
        *,
        time_limit_seconds: float = TIME_LIMIT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        decisions: Collection[str] = DECISIONS,
    ) -> None:
        self.source: Final = read_folder(source) if isinstance(source, Path) else source
        self.policy_digest: Final = self.source.digest
        check_policies(self.source.files)
        self._queries = {name: _compile(self.source.files, name) for name in decisions}
        self._time_limit_seconds = time_limit_seconds
        self._monotonic = monotonic
        for name in decisions:
            if _DOUBTS & set(self.evaluate({"decision": name}).reasons):
                raise PolicyLoadError(
                    f"the policies give no answer for {name}: package eucora.{name} needs allow,"
                    " deny and requires_quorum, each defined whatever the input is"
                )

    def decide(self, question: PolicyQuestion | Mapping[str, Any]) -> PolicyDecision:
        """Answer a question; one that is none, or an answer that comes late, is a denial."""
        started = self._monotonic()
        try:
            checked = check_question(question)
        except QuestionError as error:
            return deny(error.code, self.policy_digest)
        decision = self.evaluate(msgspec.to_builtins(checked))
        if self._monotonic() - started > self._time_limit_seconds:
            return deny("policy_slow", self.policy_digest)
        return decision

    def evaluate(self, document: Mapping[str, Any]) -> PolicyDecision:
        """Evaluate an input as it is, unchecked: for tests of what policies do without types."""
        query = self._queries.get(document.get("decision", ""))
        if query is None:
            return deny("unknown_decision", self.policy_digest)
        try:
            answer = query.evaluate(dict(document)).get("answer")
        except (EvaluationError, UnicodeEncodeError, RecursionError):
            return deny("policy_error", self.policy_digest)
        return read_answer(answer, self.policy_digest)


def read_answer(answer: object, policy_digest: str) -> PolicyDecision:
    """Return the decision that an answer {allow, deny, requires_quorum} states; doubt denies."""
    if not isinstance(answer, Mapping):
        return deny("policy_undefined", policy_digest)
    allow, reasons = answer.get("allow"), answer.get("deny")
    quorum = answer.get("requires_quorum")
    if not (
        isinstance(allow, bool)
        and isinstance(reasons, list)
        and all(isinstance(reason, str) and reason for reason in reasons)
        and type(quorum) is int
        and 1 <= quorum <= MAX_QUORUM
    ):
        return deny("policy_undefined", policy_digest)
    if allow is bool(reasons):  # a yes with objections, or a no without
        reasons = [*reasons, "policy_inconsistent"]
    return PolicyDecision(
        allow=not reasons,
        requires_quorum=quorum,
        reasons=tuple(sorted(reasons)),
        policy_digest=policy_digest,
    )


def deny(reason: str, policy_digest: str) -> PolicyDecision:
    """Return the denial of an engine in doubt."""
    return PolicyDecision(
        allow=False,
        requires_quorum=QUORUM_IN_DOUBT,
        reasons=(reason,),
        policy_digest=policy_digest,
    )


def _compile(files: Mapping[str, str], name: str) -> PreparedQuery:
    package = f"data.eucora.{name}"
    fields = ", ".join(
        f'"{field}": {package}.{field}' for field in ("allow", "deny", "requires_quorum")
    )
    try:
        return compile_modules(files, f"answer = {{{fields}}}")
    except RegoError as error:
        raise PolicyLoadError(f"the policies do not compile: {error}") from error

# SPDX-License-Identifier: Apache-2.0
"""Policy decisions in Rego, evaluated by regopy in the process that calls; denied on doubt.

The policies are checked and compiled once. Whatever is not a clear yes (undefined, an error, a
conflict, late, no such question) is a denial. The questions are contracts.policy's, described in
docs/policy-input.md. What it evaluates it cannot interrupt: the product asks it in a process of its
own, see `guardrails.policy_process`.
"""

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.policy import DECISIONS, PolicyQuestion, QuestionError, check_question
from guardrails.errors import PolicyLoadError
from guardrails.policy_decision import PolicyDecision, deny, read_answer
from guardrails.policy_faults import FIELDS, describe_compile_error, describe_no_answer
from guardrails.policy_source import POLICIES_DIR, PolicySource, read_folder
from guardrails.policy_syntax import check_policies
from guardrails.rego_runtime import EvaluationError, PreparedQuery, RegoError, compile_modules

__all__ = ["DECISIONS", "POLICIES_DIR", "PolicyEngine", "compile_query"]

TIME_LIMIT_SECONDS: Final = 1.0
_DOUBTS = frozenset({"policy_error", "policy_undefined"})


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
                    f"the policies give no answer for {name}: {self._explain_no_answer(name)}"
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

    def _explain_no_answer(self, name: str) -> str:
        def read_field(field: str) -> object:
            query = compile_query(self.source.files, f"answer = data.eucora.{name}.{field}")
            return query.evaluate({"decision": name}).get("answer")

        return describe_no_answer(self.source.files, name, read_field)


def _compile(files: Mapping[str, str], name: str) -> PreparedQuery:
    package = f"data.eucora.{name}"
    fields = ", ".join(f'"{field}": {package}.{field}' for field in FIELDS)
    return compile_query(files, f"answer = {{{fields}}}")


def compile_query(files: Mapping[str, str], query: str) -> PreparedQuery:
    """Return a query of policies, compiled.

    Raises:
        PolicyLoadError: they do not compile.

    """
    try:
        return compile_modules(files, query)
    except RegoError as error:
        raise PolicyLoadError(describe_compile_error(files, str(error))) from error

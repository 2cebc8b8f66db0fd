# SPDX-License-Identifier: Apache-2.0
"""Policy decisions in Rego, evaluated in process by regopy; denied on doubt.

The policies are compiled once into a bundle. Whatever is not a clear yes (undefined, an error, a
conflict, late, too large, not JSON) is a denial. The input is described in docs/policy-input.md.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from contracts.canonical import CanonicalFormError, canonical_json, digest_of
from guardrails.errors import PolicyLoadError
from guardrails.rego_runtime import Bundle, Interpreter, LogLevel, RegoError

DECISIONS: Final = ("proposal", "approval", "dispatch")
POLICIES_DIR: Final = Path(__file__).with_name("policies")
MAX_INPUT_BYTES: Final = 256 * 1024
QUORUM_IN_DOUBT: Final = 2


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
    """The compiled policies of one directory.

    Safe to call from several threads: evaluations take turns.

    Args:
        policies_dir: holds the `*.rego` files.
        time_limit_seconds: an answer that took longer is a denial.
        monotonic: a monotonic clock in seconds.

    Raises:
        PolicyLoadError: no policy is there, one does not compile, or a package is missing.

    """

    def __init__(
        self,
        policies_dir: Path = POLICIES_DIR,
        *,
        time_limit_seconds: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = _read_policies(policies_dir)
        self.policy_digest: Final = digest_of(self._sources)
        self._bundles = {name: _compile(self._sources, name) for name in DECISIONS}
        self._interpreter = Interpreter()
        self._interpreter.log_level = LogLevel.NONE
        self._time_limit_seconds = time_limit_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        for name in DECISIONS:
            if {"policy_error", "policy_undefined"} & set(
                self._evaluate({"decision": name}).reasons
            ):
                raise PolicyLoadError(f"the policies give no answer for {name}")

    def policy_text(self) -> str:
        """Return all policies as one text, for the table `policies`."""
        return "\n".join(f"# {name}\n{text}" for name, text in self._sources.items())

    def decide(self, input: Mapping[str, Any]) -> PolicyDecision:  # noqa: A002 - Rego's own word
        """Answer the question in the input, which names its package under `decision`."""
        started = self._monotonic()
        decision = self._evaluate(input)
        if self._monotonic() - started > self._time_limit_seconds:
            return self._deny("policy_slow")
        return decision

    def _evaluate(self, question: Mapping[str, Any]) -> PolicyDecision:
        problem = _find_input_problem(question)
        if problem:
            return self._deny(problem)
        bundle = self._bundles[question["decision"]]
        try:
            with self._lock:
                self._interpreter.set_input(dict(question))
                output = self._interpreter.query_bundle(bundle)
                bindings = output.results[0].bindings if output.results else None
        except (RegoError, ValueError, TypeError, RecursionError):
            return self._deny("policy_error")
        if bindings is None:
            return self._deny("policy_error")
        return self._read_answer(bindings)

    def _read_answer(self, bindings: Mapping[str, Any]) -> PolicyDecision:
        allow, reasons = bindings.get("allow"), bindings.get("deny")
        quorum = bindings.get("quorum")
        readable = (
            isinstance(allow, bool)
            and isinstance(reasons, list)
            and all(isinstance(reason, str) for reason in reasons)
            and isinstance(quorum, int)
            and quorum >= 1
        )
        if not readable:
            return self._deny("policy_undefined")
        decision = PolicyDecision(
            allow=allow is True and not reasons,
            requires_quorum=int(quorum or QUORUM_IN_DOUBT),
            reasons=tuple(sorted(reasons or ())),
            policy_digest=self.policy_digest,
        )
        if not decision.allow and not decision.reasons:
            return replace(decision, reasons=("policy_undefined",))
        return decision

    def _deny(self, reason: str) -> PolicyDecision:
        return PolicyDecision(
            allow=False,
            requires_quorum=QUORUM_IN_DOUBT,
            reasons=(reason,),
            policy_digest=self.policy_digest,
        )


def _read_policies(directory: Path) -> dict[str, str]:
    try:
        sources = {
            path.name: path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.rego"))
        }
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyLoadError(f"cannot read the policies in {directory}") from error
    if not sources:
        raise PolicyLoadError(f"no policy in {directory}")
    return sources


def _compile(sources: Mapping[str, str], name: str) -> Bundle:
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE
    package = f"data.eucora.{name}"
    query = f"allow = {package}.allow; deny = {package}.deny; quorum = {package}.requires_quorum"
    try:
        for file_name, text in sources.items():
            interpreter.add_module(file_name, text)
        bundle = interpreter.build(query)
    except RegoError as error:
        raise PolicyLoadError(f"the policies do not compile: {error}") from error
    if not bundle.ok():
        raise PolicyLoadError(f"the policies give no bundle for {name}")
    return bundle


def _find_input_problem(question: Mapping[str, Any]) -> str | None:
    """Return the reason for denying before the policy is asked, or None."""
    if not isinstance(question, Mapping) or question.get("decision") not in DECISIONS:
        return "unknown_decision"
    try:
        if not _is_finite(question):
            return "invalid_input"
        if len(canonical_json(dict(question))) > MAX_INPUT_BYTES:
            return "input_too_large"
    except (CanonicalFormError, RecursionError, TypeError, ValueError):
        return "invalid_input"
    return None


def _is_finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_finite(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(_is_finite(item) for item in value)
    return True

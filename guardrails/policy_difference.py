# SPDX-License-Identifier: Apache-2.0
"""How two policy versions differ: in their text, and in what they decide on their cases. Pure."""

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.policy_cases import PolicyCase, read_cases, run_case
from guardrails.policy_decision import PolicyDecision

if TYPE_CHECKING:  # at run time it would load the library that evaluates
    from guardrails.policy import PolicyEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedOtherwise:
    """A case that the two versions decide differently."""

    case: PolicyCase
    before: PolicyDecision
    after: PolicyDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDifference:
    """Lines of a unified diff of the Rego files, and the cases that are decided otherwise.

    Asked are all cases of the later version, and those of the earlier one that it has not: with the
    same cases in both, `n_cases` is how many each has.
    """

    text: tuple[str, ...]
    n_cases: int
    decided: tuple[DecidedOtherwise, ...]


def compare_policies(before: "PolicyEngine", after: "PolicyEngine") -> PolicyDifference:
    """Return how two versions differ."""
    cases = read_cases(after.source)
    asked = {_identify(case) for case in cases}
    cases += [case for case in read_cases(before.source) if _identify(case) not in asked]
    decided = []
    for case in cases:
        first, second = run_case(before, case).decision, run_case(after, case).decision
        if (first.allow, first.requires_quorum, first.reasons) != (
            second.allow,
            second.requires_quorum,
            second.reasons,
        ):
            decided.append(DecidedOtherwise(case=case, before=first, after=second))
    return PolicyDifference(
        text=tuple(_compare_text(before, after)), n_cases=len(cases), decided=tuple(decided)
    )


def _identify(case: PolicyCase) -> tuple[str, str, bool, str]:
    """Return what makes a case the same in two versions: what it asks, for names may be shared."""
    question = json.dumps(case.question, sort_keys=True, default=str)
    return case.table, case.name, case.unchecked, question


def _compare_text(before: "PolicyEngine", after: "PolicyEngine") -> list[str]:
    lines: list[str] = []
    old, new = before.source.files, after.source.files
    for name in sorted({*old, *new}):
        lines += difflib.unified_diff(
            old.get(name, "").splitlines(),
            new.get(name, "").splitlines(),
            f"before/{name}",
            f"after/{name}",
            lineterm="",
        )
    return lines


def describe_decision(decision: PolicyDecision) -> str:
    """Return an answer in one line."""
    word = "allowed" if decision.allow else "denied"
    reasons = f": {', '.join(decision.reasons)}" if decision.reasons else ""
    return f"{word}, {decision.requires_quorum} needed{reasons}"

# SPDX-License-Identifier: Apache-2.0
"""Tables of cases that policies must decide, and what comes of them. Pure.

A table (YAML) has a `decision`, an input `base`, and `cases`: what differs from the base, and what
the policy must answer. By default a case is allowed, needs one approver and gives no reason; one
that names reasons is denied. `unchecked: true` evaluates an input that the types would refuse.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from contracts.policy import DECISIONS
from guardrails.errors import PolicyLoadError
from guardrails.policy_decision import PolicyDecision
from guardrails.policy_source import PolicySource

if TYPE_CHECKING:  # at run time it would load the library that evaluates
    from guardrails.policy import PolicyEngine

_TABLE_KEYS = {"decision", "base", "cases"}
_CASE_KEYS = {"name", "change", "remove", "unchecked", "reasons", "requires_quorum", "allow"}
MAX_CASES = 5000
EXCUSES_FILE = "mutants.yaml"  # no table: which mutants no case can notice, see policy_mutation


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """An input and the answer that it must have; reasons are sorted."""

    table: str
    name: str
    question: Mapping[str, Any]
    allow: bool
    requires_quorum: int
    reasons: tuple[str, ...]
    unchecked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOutcome:
    """A case and what a policy answered."""

    case: PolicyCase
    decision: PolicyDecision

    @property
    def passed(self) -> bool:
        """Whether answer, quorum and reasons are exactly those of the case."""
        case, decision = self.case, self.decision
        return (case.allow, case.requires_quorum, case.reasons) == (
            decision.allow,
            decision.requires_quorum,
            decision.reasons,
        )


def read_cases(source: PolicySource) -> list[PolicyCase]:
    """Return the cases of all tables of a policy version.

    Raises:
        PolicyLoadError: a table is not in the form that docs/policy.md describes; says where.

    """
    cases: list[PolicyCase] = []
    for name in sorted(set(source.cases) - {EXCUSES_FILE}):
        cases += _read_table(name, source.cases[name])
    if len(cases) > MAX_CASES:
        raise PolicyLoadError(f"policies have at most {MAX_CASES} cases")
    return cases


def run_case(engine: "PolicyEngine", case: PolicyCase) -> CaseOutcome:
    """Ask the policies for one case."""
    ask = engine.evaluate if case.unchecked else engine.decide
    return CaseOutcome(case=case, decision=ask(case.question))


def run_cases(engine: "PolicyEngine", cases: Iterable[PolicyCase]) -> list[CaseOutcome]:
    """Ask the policies for each case."""
    return [run_case(engine, case) for case in cases]


def _read_table(name: str, text: str) -> Iterator[PolicyCase]:
    try:
        table = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())[:200]
        raise PolicyLoadError(f"cases/{name}{place}: no YAML: {problem}") from error
    if not isinstance(table, dict) or set(table) != _TABLE_KEYS:
        raise PolicyLoadError(f"{name}: a table has the keys {', '.join(sorted(_TABLE_KEYS))}")
    decision, base, rows = table["decision"], table["base"], table["cases"]
    if decision not in DECISIONS or not isinstance(base, dict) or not isinstance(rows, list):
        raise PolicyLoadError(f"{name}: the decision is one of {', '.join(DECISIONS)}")
    for number, row in enumerate(rows, start=1):
        try:
            yield _read_case(name, {**base, "decision": decision}, row)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PolicyLoadError(f"{name}: case {number} cannot be read: {error}") from error


def _read_case(table: str, base: Mapping[str, Any], row: Mapping[str, Any]) -> PolicyCase:
    if unknown := set(row) - _CASE_KEYS:
        raise ValueError(f"no such key: {', '.join(sorted(unknown))}")
    question = copy.deepcopy(dict(base))
    for path, value in (row.get("change") or {}).items():
        place, last = _find_place(question, path)
        place[last] = copy.deepcopy(value)
    for path in row.get("remove") or ():
        place, last = _find_place(question, path)
        del place[last]
    reasons = tuple(sorted(str(reason) for reason in row.get("reasons") or ()))
    return PolicyCase(
        table=table,
        name=str(row["name"]),
        question=question,
        allow=bool(row.get("allow", not reasons)),
        requires_quorum=int(row.get("requires_quorum", 1)),
        reasons=reasons,
        unchecked=bool(row.get("unchecked", False)),
    )


def _find_place(question: Any, path: str) -> tuple[Any, Any]:
    """Return the container that a dotted path ends in, and the key there; numbers index lists."""
    *parents, last = path.split(".")
    for parent in parents:
        question = question[int(parent) if isinstance(question, list) else parent]
    return question, int(last) if isinstance(question, list) else last

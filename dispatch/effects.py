# SPDX-License-Identifier: Apache-2.0
"""Expected effects: what telemetry must show after a fix, and whether it does. Pure.

Format (a script's manifest, `expected_effect`): {"within_seconds": 600, "all": [{"metric":
"disk_used_percent:{mount}", "operator": "<", "value": 85, "missing": "inconclusive"}]}. A
`{parameter}` in a metric's name stands for the approved parameter's value. The effect holds when
all conditions hold in each of the two newest reports after the fix, and with them the conditions
under which the incident's own rule is kept again: a script that does something else, or to
something else, solves nothing.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from dispatch.errors import EffectFormatError

N_SUCCESSIVE_REPORTS = 2
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Finding(StrEnum):
    """Whether a condition, a report or a whole effect is as expected."""

    HOLDS = "holds"
    FAILS = "fails"
    INCONCLUSIVE = "inconclusive"


class Report(Protocol):
    """What judging needs of a stored report."""

    @property
    def report_id(self) -> str:
        """Which report."""
        ...

    @property
    def observed_at(self) -> datetime:
        """When the device made it, by the device's clock, aware."""
        ...

    @property
    def metrics(self) -> Mapping[str, float]:
        """Flat metrics."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison on one metric; `missing` is what an absent metric counts as."""

    metric: str
    operator: str
    value: float
    missing: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedEffect:
    """All conditions, to hold within so long after the fix."""

    within: timedelta
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one condition met in one report; `observed` is None where the metric was missing."""

    report_id: str
    observed_at: datetime
    metric: str
    operator: str
    value: float
    observed: float | None
    finding: Finding

    def as_json(self) -> dict[str, Any]:
        """Return the observation as plain data."""
        return {
            "report_id": self.report_id,
            "observed_at": self.observed_at.isoformat(),
            "metric": self.metric,
            "operator": self.operator,
            "value": self.value,
            "observed": self.observed,
            "finding": self.finding.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What telemetry says of a fix, with every comparison that led there."""

    status: Finding
    evidence: tuple[Observation, ...]
    reason: str = ""


def parse_effect(document: Any, parameters: Mapping[str, Any]) -> ExpectedEffect:
    """Read an expected effect and fill in the parameters.

    Raises:
        EffectFormatError: it is malformed, empty, or names an unknown parameter.

    """
    if not isinstance(document, Mapping):
        raise EffectFormatError("the expected effect is not an object")
    seconds, conditions = document.get("within_seconds"), document.get("all")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= 604_800:
        raise EffectFormatError("within_seconds must be an integer in [1, 604800]")
    if not isinstance(conditions, list | tuple) or not conditions:
        raise EffectFormatError("the expected effect has no conditions")
    return ExpectedEffect(
        within=timedelta(seconds=seconds),
        conditions=tuple(_parse_condition(each, parameters) for each in conditions),
    )


def parse_recovery(detection: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Read what ends the violation that opened an incident; nothing where no rule did.

    A metric that is no longer reported counts as recovered: a process that ended has no share.

    Args:
        detection: the incident's, with `recovery`: [{"metric", "operator", "value"}].

    Raises:
        EffectFormatError: it is malformed.

    """
    found = detection.get("recovery", [])
    if not isinstance(found, list):
        raise EffectFormatError("the detection's recovery is not a list")
    return tuple(_read_condition(each, missing=Finding.HOLDS.value) for each in found)


def _parse_condition(document: Any, parameters: Mapping[str, Any]) -> Condition:
    condition = _read_condition(document)
    return replace(condition, metric=_fill_in(condition.metric, parameters))


def _read_condition(document: Any, missing: str = Finding.INCONCLUSIVE.value) -> Condition:
    if not isinstance(document, Mapping):
        raise EffectFormatError("a condition is not an object")
    metric, sign, value = (document.get(name) for name in ("metric", "operator", "value"))
    missing = document.get("missing", missing)
    known_sign = isinstance(sign, str) and sign in _OPERATORS
    if not isinstance(metric, str) or not metric or not known_sign:
        raise EffectFormatError("a condition needs a metric and a known operator")
    if isinstance(value, bool):
        value = float(value)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise EffectFormatError("a condition needs a finite number as its value")
    if missing not in set(Finding):
        raise EffectFormatError("missing is holds, fails or inconclusive")
    return Condition(
        metric=metric, operator=str(sign), value=float(value), missing=Finding(missing)
    )


def _fill_in(metric: str, parameters: Mapping[str, Any]) -> str:
    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in parameters:
            raise EffectFormatError(f"the metric {metric} names an unknown parameter")
        value = parameters[name]
        return str(value).lower() if isinstance(value, bool) else str(value)

    return _PLACEHOLDER.sub(value_of, metric)


def _observe(condition: Condition, report: Report) -> Observation:
    observed = report.metrics.get(condition.metric)
    if observed is None or not math.isfinite(observed):
        observed, finding = None, condition.missing
    else:
        holds = _OPERATORS[condition.operator](observed, condition.value)
        finding = Finding.HOLDS if holds else Finding.FAILS
    return Observation(
        report_id=report.report_id,
        observed_at=report.observed_at,
        metric=condition.metric,
        operator=condition.operator,
        value=condition.value,
        observed=observed,
        finding=finding,
    )


def _combine(findings: Sequence[Finding]) -> Finding:
    """All hold, or one fails, or nobody knows."""
    if Finding.FAILS in findings:
        return Finding.FAILS
    return Finding.INCONCLUSIVE if Finding.INCONCLUSIVE in findings else Finding.HOLDS


def judge_effect(
    expected_effect: Any,
    parameters: Mapping[str, Any],
    reports: Sequence[Report],
    recovery: Sequence[Condition] = (),
) -> Verdict:
    """Judge a fix on the reports made after it.

    The two newest reports decide: the effect holds if it holds in both, fails if it fails in
    both, and anything else (one report only, a change between them, a missing metric) is
    inconclusive. Time limits are the caller's.

    Args:
        expected_effect: as in the manifest.
        parameters: as approved.
        reports: newer than the fix, in any order; a repeated report counts once.
        recovery: what must hold besides for the incident to be over.

    Raises:
        EffectFormatError: the effect cannot be judged.

    """
    effect = parse_effect(expected_effect, parameters)
    distinct = {report.report_id: report for report in reports}.values()
    newest = sorted(distinct, key=lambda report: report.observed_at)[-N_SUCCESSIVE_REPORTS:]
    conditions = (*effect.conditions, *recovery)
    observed = [[_observe(each, report) for each in conditions] for report in newest]
    evidence = tuple(observation for row in observed for observation in row)
    if len(newest) < N_SUCCESSIVE_REPORTS:
        reason = f"{len(newest)} of {N_SUCCESSIVE_REPORTS} reports since the fix"
        return Verdict(status=Finding.INCONCLUSIVE, evidence=evidence, reason=reason)
    findings = [_combine([observation.finding for observation in row]) for row in observed]
    if len(set(findings)) == 1:
        reason = f"{findings[0]} in {len(newest)} successive reports"
        return Verdict(status=findings[0], evidence=evidence, reason=reason)
    reason = "the newest reports differ"
    return Verdict(status=Finding.INCONCLUSIVE, evidence=evidence, reason=reason)

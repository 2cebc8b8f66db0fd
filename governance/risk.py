# SPDX-License-Identifier: Apache-2.0
"""Risk model v1.0: one deterministic number with its reasons.

score = sum(weight x factor), factors and score in [0, 100], weights of DESIGN section 10. Pure:
the same inputs give the same score on every machine. What is unknown counts as bad, never as
good. How many people must agree follows in `quorum`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

RISK_MODEL_VERSION = "1.0"


class Privilege(StrEnum):
    """As whom the script runs."""

    USER = "user"
    ADMIN = "admin"


class Trust(StrEnum):
    """Where the script comes from."""

    STARTER = "starter"
    INTERNAL = "internal"
    EXTERNAL = "external"


class BlastRadius(StrEnum):
    """How far the script can reach if it misbehaves."""

    PROCESS = "process"
    SERVICE = "service"
    APPLICATION = "application"
    DEVICE = "device"
    NETWORK = "network"


class BusinessImpact(StrEnum):
    """What the person at the device notices."""

    NONE = "none"
    SHORT_INTERRUPTION = "short_interruption"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptEffect:
    """One effect found by static analysis.

    `severity` is low, medium, high or critical; anything else counts as critical.
    """

    kind: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskInputs:
    """Everything the score depends on.

    Attributes:
        known_vulnerabilities: of the packages the script pulls in; None when nobody looked.
        judgeable: False when static analysis could not understand the script.
        n_succeeded, n_failed: verified outcomes of this script version, fleet-wide.

    """

    privilege: Privilege
    trust: Trust
    effects: Sequence[ScriptEffect]
    judgeable: bool
    blast_radius: BlastRadius
    business_impact: BusinessImpact
    reversible: bool
    n_parameters: int
    timeout_seconds: int
    n_succeeded: int
    n_failed: int
    known_vulnerabilities: int | None
    business_critical: bool = False


FactorName = Literal[
    "privilege_impact",
    "supply_chain_trust",
    "exploitability",
    "data_access",
    "sbom_vulnerability",
    "blast_radius",
    "operational_complexity",
    "history",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFactor:
    """One factor: value in [0, 100], weight in [0, 1], and why."""

    name: FactorName
    value: float
    weight: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAssessment:
    """The score in [0, 100] with its breakdown.

    `board_reasons` is not empty when the change advisory board must decide whatever the score:
    privileged tooling, or a business-critical blast radius.
    """

    score: float
    factors: tuple[RiskFactor, ...]
    board_reasons: tuple[str, ...] = ()
    version: str = RISK_MODEL_VERSION


WEIGHTS: Mapping[FactorName, float] = {
    "privilege_impact": 0.20,
    "supply_chain_trust": 0.15,
    "exploitability": 0.10,
    "data_access": 0.10,
    "sbom_vulnerability": 0.15,
    "blast_radius": 0.10,
    "operational_complexity": 0.10,
    "history": 0.10,
}

_SEVERITY_VALUE = {"info": 0.0, "none": 0.0, "low": 20.0, "medium": 50.0, "high": 80.0}
_WORST = 100.0

# Words in an effect's kind, not whole kinds: the analyser may learn finer kinds without
# governance losing sight of them.
_DATA_WORDS = ("file", "registry", "disk", "credential", "download", "trace", "data")
_TOOLING_WORDS = ("credential", "account", "security", "dynamic", "elevate")

_Judgement = tuple[float, str]


def _severity_value(effect: ScriptEffect) -> float:
    return _SEVERITY_VALUE.get(effect.severity.lower(), _WORST)


def _mentions(effect: ScriptEffect, words: Sequence[str]) -> bool:
    return any(word in effect.kind.lower() for word in words)


def _judge_privilege(inputs: RiskInputs) -> _Judgement:
    if inputs.privilege is Privilege.USER:
        return 20.0, "runs as the logged-in user"
    if any(_mentions(effect, _TOOLING_WORDS) for effect in inputs.effects):
        return 100.0, "runs as administrator and touches accounts or security controls"
    return 60.0, "runs as administrator"


def _judge_trust(inputs: RiskInputs) -> _Judgement:
    values = {Trust.STARTER: 10.0, Trust.INTERNAL: 30.0, Trust.EXTERNAL: 90.0}
    return values[inputs.trust], f"the script's source is {inputs.trust.value}"


def _judge_exploitability(inputs: RiskInputs) -> _Judgement:
    if not inputs.judgeable:
        return 100.0, "static analysis could not judge the script"
    worst = max((_severity_value(effect) for effect in inputs.effects), default=0.0)
    surface = min(20.0, 5.0 * inputs.n_parameters)
    reason = f"gravest effect {worst:g}, {inputs.n_parameters} parameters"
    return min(100.0, worst + surface), reason


def _judge_data_access(inputs: RiskInputs) -> _Judgement:
    if not inputs.judgeable:
        return 100.0, "unknown: static analysis could not judge the script"
    touching = [effect for effect in inputs.effects if _mentions(effect, _DATA_WORDS)]
    worst = max((_severity_value(effect) for effect in touching), default=0.0)
    return worst, f"{len(touching)} effects on files or data"


def _judge_vulnerability(inputs: RiskInputs) -> _Judgement:
    count = inputs.known_vulnerabilities
    if count is None:
        return 60.0, "nobody has looked for known vulnerabilities"
    if count == 0:
        return 0.0, "no known vulnerabilities in what the script uses"
    return min(100.0, 40.0 + 20.0 * count), f"{count} known vulnerabilities"


def _judge_blast_radius(inputs: RiskInputs) -> _Judgement:
    values = {
        BlastRadius.PROCESS: 10.0,
        BlastRadius.SERVICE: 30.0,
        BlastRadius.APPLICATION: 30.0,
        BlastRadius.DEVICE: 60.0,
        BlastRadius.NETWORK: 90.0,
    }
    value = values[inputs.blast_radius]
    if inputs.business_critical:
        return min(
            100.0, value + 40.0
        ), f"{inputs.blast_radius.value} of a business-critical device"
    return value, f"reaches one {inputs.blast_radius.value}"


def _judge_complexity(inputs: RiskInputs) -> _Judgement:
    impact = {
        BusinessImpact.NONE: 0.0,
        BusinessImpact.SHORT_INTERRUPTION: 25.0,
        BusinessImpact.RESTART: 50.0,
    }[inputs.business_impact]
    undo = 0.0 if inputs.reversible else 30.0
    length = 20.0 if inputs.timeout_seconds > 600 else 0.0
    undo_text = "can be rolled back" if inputs.reversible else "cannot be rolled back"
    return min(
        100.0, impact + undo + length
    ), f"{inputs.business_impact.value.replace('_', ' ')}, {undo_text}"


def _judge_history(inputs: RiskInputs) -> _Judgement:
    """Mean of the failure rate under a uniform Beta(1, 1) prior, in percent."""
    n_runs = inputs.n_succeeded + inputs.n_failed
    failure_rate = (inputs.n_failed + 1) / (n_runs + 2)
    return 100.0 * failure_rate, f"{inputs.n_failed} of {n_runs} verified runs failed"


_JUDGES: Mapping[FactorName, Callable[[RiskInputs], _Judgement]] = {
    "privilege_impact": _judge_privilege,
    "supply_chain_trust": _judge_trust,
    "exploitability": _judge_exploitability,
    "data_access": _judge_data_access,
    "sbom_vulnerability": _judge_vulnerability,
    "blast_radius": _judge_blast_radius,
    "operational_complexity": _judge_complexity,
    "history": _judge_history,
}


def _board_reasons(inputs: RiskInputs) -> tuple[str, ...]:
    reasons = []
    if inputs.privilege is Privilege.ADMIN and any(
        _mentions(effect, _TOOLING_WORDS) for effect in inputs.effects
    ):
        reasons.append("privileged tooling")
    wide = (BlastRadius.DEVICE, BlastRadius.NETWORK)
    if inputs.business_critical and inputs.blast_radius in wide:
        reasons.append("business-critical blast radius")
    return tuple(reasons)


def assess_risk(inputs: RiskInputs) -> RiskAssessment:
    """Score one proposed execution.

    Raises:
        ValueError: a count is negative.

    """
    counts = (inputs.n_succeeded, inputs.n_failed, inputs.n_parameters, inputs.timeout_seconds)
    if min(*counts, inputs.known_vulnerabilities or 0) < 0:
        message = "counts of outcomes, parameters, seconds and vulnerabilities cannot be negative"
        raise ValueError(message)
    factors = []
    for name, judge in _JUDGES.items():
        value, reason = judge(inputs)
        factors.append(
            RiskFactor(name=name, value=round(value, 2), weight=WEIGHTS[name], reason=reason)
        )
    score = round(sum(factor.weight * factor.value for factor in factors), 2)
    return RiskAssessment(score=score, factors=tuple(factors), board_reasons=_board_reasons(inputs))

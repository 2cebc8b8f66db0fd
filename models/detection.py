# SPDX-License-Identifier: Apache-2.0
"""What the detector is asked about, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.failure import FailureClass
from models.guards import Comparison, Finding

RULE_SCORE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """One report to be judged."""

    device_id: str
    observed_at: datetime  # the device's logical time, aware
    metrics: Mapping[str, float]  # flat, raw units
    cohort: str = ""  # like devices: operating system, model and role, say
    received_at: datetime | None = None  # by our clock; none: as it was observed


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricContribution:
    """How much one metric drove a detection; contributions add up to at most 1."""

    name: str
    value: float
    expected: float
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Something is wrong with a device now. `rule` is empty for a statistical detection."""

    device_id: str
    observed_at: datetime
    score: float
    p_value: float  # 0 for a rule: no chance is involved
    metrics: tuple[MetricContribution, ...]
    episode_key: str
    rule: str = ""
    recovery: tuple[Comparison, ...] = ()  # what ends the rule's violation
    failure_class: FailureClass = FailureClass.UNKNOWN
    entity: str = ""
    successive_reports: int = 1
    novelty: float = 0.0  # how far beyond the device's own past; 1 = as far as ever
    false_a_day: float = 0.0  # as strange episodes that the fleet's healthy devices make


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedDetection:
    """An episode of a device of which nothing was heard for a while."""

    device_id: str
    ended_at: datetime
    incident_key: str


def detection_of(finding: Finding, device_id: str, observed_at: datetime) -> Detection:
    """Return the detection of a rule that fired."""
    violation = finding.violation
    failure = violation.rule.failure_class
    return Detection(
        device_id=device_id,
        observed_at=observed_at,
        score=RULE_SCORE,
        p_value=0.0,
        metrics=(
            MetricContribution(
                name=violation.metric,
                value=violation.value,
                expected=violation.rule.threshold,
                contribution=1.0,
            ),
        ),
        episode_key=f"{failure}:{violation.entity}" if violation.entity else str(failure),
        rule=violation.rule.name,
        recovery=violation.rule.list_recovery(violation.metric),
        failure_class=failure,
        entity=violation.entity,
        successive_reports=finding.reports,
    )

# SPDX-License-Identifier: Apache-2.0
"""Ring plans: a fix reaches the fleet in widening rings, with a gate after each. Pure.

A gate has three outcomes. `pass` needs proof: the one-sided 95 % Clopper-Pearson lower bound of
the success rate reaches the threshold. `fail` needs proof as well: the upper bound lies below it.
Anything between is `inconclusive`: the ring goes on collecting, nobody is promoted on hope.
Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934), exact binomial limits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from scipy.stats import beta

from dispatch.errors import RingPlanError

CONFIDENCE = 0.95


class Ring(StrEnum):
    """From the first few devices to all."""

    CANARY = "canary"
    PILOT = "pilot"
    DEPARTMENT = "department"
    BROAD = "broad"
    ALL = "all"


class GateOutcome(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Connectivity(StrEnum):
    """How often a device can be reached."""

    ONLINE = "online"
    INTERMITTENT = "intermittent"
    AIR_GAPPED = "air_gapped"


# Share of the targets that have been reached when the ring is full.
RING_SHARES: Mapping[Ring, float] = {
    Ring.CANARY: 0.01,
    Ring.PILOT: 0.05,
    Ring.DEPARTMENT: 0.20,
    Ring.BROAD: 0.60,
    Ring.ALL: 1.0,
}
THRESHOLDS: Mapping[Ring, float] = {
    Ring.CANARY: 0.97,
    Ring.PILOT: 0.97,
    Ring.DEPARTMENT: 0.99,
    Ring.BROAD: 0.99,
    Ring.ALL: 0.99,
}
TIME_TO_COMPLIANCE: Mapping[Connectivity, timedelta] = {
    Connectivity.ONLINE: timedelta(hours=24),
    Connectivity.INTERMITTENT: timedelta(hours=72),
    Connectivity.AIR_GAPPED: timedelta(days=7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RingEvidence:
    """What has been seen in one ring.

    Attributes:
        n_succeeded, n_failed: devices with a verified outcome.
        n_overdue: devices without an outcome whose time to compliance is over; they count as
            failed.
        security_incident: one was reported in the ring.
        rollback_tested: the rollback has run and was verified, or none is needed.

    """

    n_succeeded: int
    n_failed: int
    n_overdue: int = 0
    security_incident: bool = False
    rollback_tested: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """The outcome with its numbers: rates in [0, 1], bounds one-sided at 95 %."""

    outcome: GateOutcome
    threshold: float
    lower_bound: float
    upper_bound: float
    reasons: tuple[str, ...]


def success_lower_bound(
    n_succeeded: int, n_trials: int, *, confidence: float = CONFIDENCE
) -> float:
    """Return the one-sided Clopper-Pearson lower bound of a success rate.

    It is the `1 - confidence` quantile of Beta(s, n - s + 1), and 0 without any success.

    Raises:
        RingPlanError: impossible counts or a confidence outside (0, 1).

    """
    _check_counts(n_succeeded, n_trials, confidence)
    if n_succeeded == 0:
        return 0.0
    return float(beta.ppf(1 - confidence, n_succeeded, n_trials - n_succeeded + 1))


def success_upper_bound(
    n_succeeded: int, n_trials: int, *, confidence: float = CONFIDENCE
) -> float:
    """Return the one-sided Clopper-Pearson upper bound of a success rate.

    It is the `confidence` quantile of Beta(s + 1, n - s), and 1 without any failure.

    Raises:
        RingPlanError: impossible counts or a confidence outside (0, 1).

    """
    _check_counts(n_succeeded, n_trials, confidence)
    if n_succeeded == n_trials:
        return 1.0
    return float(beta.ppf(confidence, n_succeeded + 1, n_trials - n_succeeded))


def _check_counts(n_succeeded: int, n_trials: int, confidence: float) -> None:
    if not 0 <= n_succeeded <= n_trials or not 0 < confidence < 1:
        message = f"{n_succeeded} of {n_trials} at {confidence} is not a success rate"
        raise RingPlanError(message)


def judge_gate(ring: Ring, evidence: RingEvidence) -> GateVerdict:
    """Decide whether the next ring may begin.

    A security incident fails the gate at once; a rollback that was never tested keeps it from
    passing.

    Raises:
        RingPlanError: a count is negative.

    """
    if min(evidence.n_succeeded, evidence.n_failed, evidence.n_overdue) < 0:
        message = "the counts of a ring cannot be negative"
        raise RingPlanError(message)
    n_trials = evidence.n_succeeded + evidence.n_failed + evidence.n_overdue
    threshold = THRESHOLDS[ring]
    lower = success_lower_bound(evidence.n_succeeded, n_trials)
    upper = success_upper_bound(evidence.n_succeeded, n_trials)
    counted = f"{evidence.n_succeeded} of {n_trials} devices succeeded"
    reasons = [counted]
    outcome = GateOutcome.INCONCLUSIVE
    if upper < threshold:
        outcome = GateOutcome.FAIL
        reasons.append(f"the rate is below {threshold:.0%}: at most {upper:.2%}")
    elif lower >= threshold:
        outcome = GateOutcome.PASS
        reasons.append(f"the rate is at least {lower:.2%}")
    else:
        reasons.append(f"{threshold:.0%} is neither shown nor excluded")
    if outcome is GateOutcome.PASS and not evidence.rollback_tested:
        outcome = GateOutcome.INCONCLUSIVE
        reasons.append("the rollback has not been tested")
    if evidence.security_incident:
        outcome = GateOutcome.FAIL
        reasons.append("a security incident was reported")
    return GateVerdict(
        outcome=outcome,
        threshold=threshold,
        lower_bound=lower,
        upper_bound=upper,
        reasons=tuple(reasons),
    )


def may_halt_automatically(verdict: GateVerdict) -> bool:
    """Tell whether this verdict stops the roll-out without asking anybody."""
    return verdict.outcome is GateOutcome.FAIL


def plan_rings(device_ids: Sequence[str]) -> dict[Ring, tuple[str, ...]]:
    """Divide targets into rings, in the order given (the caller shuffles or sorts by risk).

    Each ring's share is cumulative; the canary ring holds at least one device, and a ring may be
    empty in a small fleet.

    Raises:
        RingPlanError: a device is named twice.

    """
    if len(set(device_ids)) != len(device_ids):
        message = "a device stands in one ring only"
        raise RingPlanError(message)
    plan: dict[Ring, tuple[str, ...]] = {}
    start = 0
    for ring, share in RING_SHARES.items():
        end = max(start, round(share * len(device_ids)))
        if ring is Ring.CANARY and device_ids:
            end = max(1, end)
        plan[ring] = tuple(device_ids[start:end])
        start = end
    return plan


def is_overdue(*, waiting: timedelta, connectivity: Connectivity) -> bool:
    """Tell whether a device should have complied by now."""
    return waiting > TIME_TO_COMPLIANCE[connectivity]

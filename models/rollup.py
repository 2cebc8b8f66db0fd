# SPDX-License-Identifier: Apache-2.0
"""Decides whether devices that fell ill alike have something in common: the roll-up. Pure.

Episodes are alike when they share a symptom: the failure class, or one of the metrics that drove
them most. Of those of the last hours two questions are asked.

*What do they share?* A one-sided hypergeometric test (Fisher, Statistical Methods for Research
Workers, 1934) asks of each attribute, and of each pair of the best, whether the affected devices
hold it more often than a draw from all that report. Bonferroni's correction counts the attributes
that could pass by their totals alone (Tarone, Biometrics 46, 1990), and all their pairs.

*Are they more than usual?* The rate of a symptom is a Gamma variable that earlier episodes inform,
so counts to come are negative binomial (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6). Asked
of the cohort itself it keeps out what is merely chronic: that only Windows has Windows' faults.

Given their number, which devices are affected says nothing of the number; so both answers, of the
fleet's count and of the sharing, join into one p-value (Fisher's product of two).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import combinations

from scipy.special import betainc
from scipy.stats import hypergeom, nbinom

from contracts.failure import FailureClass

WINDOW = timedelta(hours=6)  # a patch rolls out over hours
RECENT_CHANGE = timedelta(days=3)
HISTORY = timedelta(days=28)
LEAST_DEVICES = 5
LEAST_FLEET_WIDE = 15
LEAST_LIFT = 1.5
COMMON_ALPHA = 0.01  # of what is said to be shared, corrected
BURST_ALPHA = 1e-4  # of the cohort's count against its own past, corrected
JOINT_ALPHA = 1e-6
PRIOR_RATE = 0.002  # episodes of one symptom per device and day, before any were seen
PEAK_TO_MEAN = 4.0  # the busiest hours against the week's mean: faults keep office hours
MAX_CANDIDATES = 8
PAIR_ADVANTAGE = 10.0  # a pair must be so much less likely than what it is made of
N_DRIVERS = 2


class AttributeKind(StrEnum):
    """What devices can have in common; of two that say the same the earlier one is named."""

    SOFTWARE_VERSION = "software_version"
    SOFTWARE_CHANGE = "software_change"
    SOFTWARE = "software"
    MODEL = "model"
    OS_VERSION = "os_version"
    AGENT_VERSION = "agent_version"
    DEPARTMENT = "department"
    ROLE = "role"
    OS_FAMILY = "os_family"


_RANK: Mapping[AttributeKind, int] = {kind: rank for rank, kind in enumerate(AttributeKind)}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Attribute:
    """One property of a device."""

    kind: AttributeKind
    name: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """How many devices hold an attribute; the fleet's number may be some minutes old."""

    attribute: Attribute
    n_affected: int
    n_devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Devices that hold exactly the candidates of a bit mask (bit i: candidate i)."""

    mask: int
    n_devices: int
    n_affected: int
    n_before: int  # episodes of the symptom in their past


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The affected devices are one incident. An empty cohort: only the time is shared."""

    cohort: tuple[Attribute, ...]
    n_cohort: int
    n_cohort_affected: int
    n_fleet: int
    n_affected: int
    n_tried: int
    log_common: float  # natural logarithms of corrected p-values
    log_burst: float
    shared: tuple[Prevalence, ...] = ()  # further attributes, those most shared first


def list_symptoms(failure_class: FailureClass | str, drivers: Sequence[str]) -> tuple[str, ...]:
    """Return what makes episodes alike: a known class, and the metrics that drove most.

    Args:
        failure_class: of the episode; `unknown` is no symptom.
        drivers: metric names, the most important one first; names of things (after `:`) are
            left out, since one fault burns under many process ids and mounts.

    """
    known = FailureClass(failure_class)
    classes = [] if known is FailureClass.UNKNOWN else [f"class:{known.value}"]
    metrics = [f"metric:{name.partition(':')[0]}" for name in drivers[:N_DRIVERS]]
    return tuple(dict.fromkeys(classes + metrics))


def log_enrichment(n_affected: int, n_drawn: int, n_holding: int, n_fleet: int) -> float:
    """Return ln P(at least `n_affected` of `n_drawn` devices hold an attribute) by chance.

    Args:
        n_affected: affected devices that hold it.
        n_drawn: affected devices.
        n_holding: devices of the fleet that hold it, the affected ones too.
        n_fleet: devices that report.

    """
    if n_affected <= max(0, n_drawn + n_holding - n_fleet):
        return 0.0
    return min(0.0, float(hypergeom.logsf(n_affected - 1, n_fleet, n_holding, n_drawn)))


def log_burst(count: int, *, n_devices: int, n_before: int, days_before: float) -> float:
    """Return ln P(at least `count` episodes within the window), at the busiest time of the week.

    Args:
        count: affected devices of the last window.
        n_devices: devices that could have been.
        n_before: their episodes of this symptom in the days before.
        days_before: how long they were watched before the window.

    """
    shape = 1.0 + n_before
    exposure = 1.0 / PRIOR_RATE + n_devices * days_before  # device-days
    ahead = n_devices * PEAK_TO_MEAN * (WINDOW / timedelta(days=1))
    if count <= 0 or ahead <= 0.0:
        return 0.0
    tail = float(betainc(count, shape, ahead / (ahead + exposure)))
    if tail > 0.0:
        return math.log(tail)
    # Underflow: the first term is all but the whole of so far a tail.
    return float(nbinom.logpmf(count, shape, exposure / (ahead + exposure)))


def screen(
    found: Iterable[Prevalence], *, n_affected: int, n_fleet: int
) -> tuple[tuple[Prevalence, ...], int]:
    """Return the attributes worth an exact count, best first, and how many were tried.

    Of attributes that the same numbers hold only one is a candidate, by its kind; they are most
    often held by the same devices, and the others are told as shared.
    """
    tried = [one for one in found if is_testable(one, n_fleet=n_fleet)]
    ordered = sorted(
        tried,
        key=lambda one: (
            _bound(one, n_affected, n_fleet),
            _RANK[one.attribute.kind],
            one.attribute,
        ),
    )
    chosen: dict[tuple[int, int], Prevalence] = {}
    for one in ordered:
        chosen.setdefault((one.n_affected, one.n_devices), one)
    return tuple(chosen.values())[:MAX_CANDIDATES], len(tried)


def is_testable(one: Prevalence, *, n_fleet: int) -> bool:
    """Tell whether enough affected devices hold it, and few enough of all, to be found at all."""
    holding = max(one.n_devices, one.n_affected)
    return one.n_affected >= LEAST_DEVICES and holding * LEAST_LIFT <= n_fleet


def _bound(one: Prevalence, n_affected: int, n_fleet: int) -> float:
    """Return Hoeffding's bound of ln p (JASA 58, 1963), which needs no sum; 0 for no excess."""
    share = one.n_affected / n_affected
    usual = max(one.n_devices, one.n_affected) / n_fleet
    if share <= usual:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return -n_affected * (share * math.log(share / usual) + rest)


def judge(
    candidates: Sequence[Attribute],
    tallies: Sequence[Tally],
    *,
    n_tried: int,
    days_before: float,
) -> Verdict | None:
    """Return what the affected devices have in common, or None where chance explains them.

    Args:
        candidates: attributes that were counted exactly; their order decides between equals.
        tallies: every device that reports, by the candidates it holds.
        n_tried: attributes that were tried before these were chosen, at least as many.
        days_before: how long episodes have been recorded before this window, in days.

    """
    everyone = _sum(tallies, 0)
    if everyone.n_affected < LEAST_DEVICES:
        return None
    fleet_burst = log_burst(
        everyone.n_affected,
        n_devices=everyone.n_devices,
        n_before=everyone.n_before,
        days_before=days_before,
    )
    singles = [(index,) for index in range(len(candidates))]
    found = {
        bits: _weigh(candidates, bits, tallies, everyone, n_tried, days_before)
        for bits in [*singles, *combinations(range(len(candidates)), 2)]
    }
    passing = {
        bits: verdict
        for bits, verdict in found.items()
        if _passes(verdict, fleet_burst) and _beats_parts(bits, found)
    }
    if passing:
        best = min(passing, key=lambda bits: (round(passing[bits].log_common, 6), len(bits), bits))
        return passing[best]
    shares = any(verdict.log_common <= math.log(COMMON_ALPHA) for verdict in found.values())
    unusual = fleet_burst <= math.log(JOINT_ALPHA)
    if shares or not unusual or everyone.n_affected < LEAST_FLEET_WIDE:
        return None
    return Verdict(
        cohort=(),
        n_cohort=everyone.n_devices,
        n_cohort_affected=everyone.n_affected,
        n_fleet=everyone.n_devices,
        n_affected=everyone.n_affected,
        n_tried=n_tried,
        log_common=0.0,
        log_burst=fleet_burst,
    )


def _sum(tallies: Sequence[Tally], mask: int) -> Tally:
    held = [one for one in tallies if one.mask & mask == mask]
    return Tally(
        mask=mask,
        n_devices=sum(one.n_devices for one in held),
        n_affected=sum(one.n_affected for one in held),
        n_before=sum(one.n_before for one in held),
    )


def _weigh(
    candidates: Sequence[Attribute],
    bits: tuple[int, ...],
    tallies: Sequence[Tally],
    everyone: Tally,
    n_tried: int,
    days_before: float,
) -> Verdict:
    cohort = _sum(tallies, sum(1 << bit for bit in bits))
    tried = max(n_tried, len(candidates), 1)
    comparisons = tried if len(bits) == 1 else tried * max(tried - 1, 1) / 2 + tried
    chance = log_enrichment(
        cohort.n_affected, everyone.n_affected, cohort.n_devices, everyone.n_devices
    )
    burst = log_burst(
        cohort.n_affected,
        n_devices=cohort.n_devices,
        n_before=cohort.n_before,
        days_before=days_before,
    )
    return Verdict(
        cohort=tuple(candidates[bit] for bit in bits),
        n_cohort=cohort.n_devices,
        n_cohort_affected=cohort.n_affected,
        n_fleet=everyone.n_devices,
        n_affected=everyone.n_affected,
        n_tried=tried,
        log_common=min(0.0, chance + math.log(comparisons)),
        log_burst=min(0.0, burst + math.log(MAX_CANDIDATES * (MAX_CANDIDATES + 1) / 2)),
        shared=tuple(
            Prevalence(
                attribute=candidates[bit], n_affected=other.n_affected, n_devices=other.n_devices
            )
            for bit in range(len(candidates))
            if bit not in bits and (other := _sum(tallies, 1 << bit)).n_affected
        ),
    )


def _passes(verdict: Verdict, fleet_burst: float) -> bool:
    if verdict.n_cohort_affected < LEAST_DEVICES or verdict.n_cohort == 0:
        return False
    usual_share = verdict.n_cohort / verdict.n_fleet
    lift = verdict.n_cohort_affected / verdict.n_affected / usual_share
    product = verdict.log_common + fleet_burst
    joint = product + math.log1p(-product)  # of two uniforms: t (1 - ln t)
    return (
        lift >= LEAST_LIFT
        and verdict.log_common <= math.log(COMMON_ALPHA)
        and verdict.log_burst <= math.log(BURST_ALPHA)
        and joint <= math.log(JOINT_ALPHA)
    )


def _beats_parts(bits: tuple[int, ...], found: Mapping[tuple[int, ...], Verdict]) -> bool:
    if len(bits) == 1:
        return True
    parts = min(found[bit,].log_common for bit in bits)
    return found[bits].log_common <= parts - math.log(PAIR_ADVANTAGE)

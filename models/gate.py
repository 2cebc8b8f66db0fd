# SPDX-License-Identifier: Apache-2.0
"""The gate of promotion: a challenger must be better than the champion on held-back cases.

Three questions, each with three outcomes. Is it better: a paired bootstrap interval (Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993) of the mean difference in a proper score; kin
is drawn together (the cluster bootstrap; Davison and Hinkley, "Bootstrap Methods", 1997, 3.8). Is
it as well calibrated, within a tolerance. Does it answer fast enough. The worst outcome counts;
what cannot be told is inconclusive, which is neither a pass nor a failure. A version without a
champion to beat is measured against fixed bars. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.calibration import expected_calibration_error
from models.judgement import Judgement, pair_judgements
from models.signals import FloatArray

N_RESAMPLES = 2_000
N_CALIBRATION_RESAMPLES = 400
LEVEL = 0.95
MIN_CASES = 20  # unrelated ones; with fewer an interval says nothing that holds
CALIBRATION_TOLERANCE = 0.02  # by how much the calibration error may be larger
MAX_CALIBRATION_ERROR = 0.10  # of a version without a champion
MAX_LATENCY_MS = 50.0  # 95th percentile of single answers
MAX_LATENCY_RATIO = 1.5  # of the champion's, where that is slow already
_DRAWS_AT_ONCE = 2_000_000


class Outcome(StrEnum):
    """What the gate says."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The mean of after minus before, and its interval at 95 %."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one of the gate's questions."""

    question: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's outcome with its findings."""

    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of the findings."""
        outcomes = {finding.outcome for finding in self.findings}
        for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            if outcome in outcomes:
                return outcome
        return Outcome.PASS if outcomes else Outcome.INCONCLUSIVE

    def explain(self, outcome: Outcome) -> str:
        """Return the reasons for an outcome in one line."""
        return "; ".join(each.reason for each in self.findings if each.outcome is outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one version reached on the compared cases; None where it cannot be said."""

    loss: float
    log_loss: float | None
    accuracy: float | None
    calibration_error: float | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions on the same held-back cases; `before` is None without a champion."""

    measure: str
    n_cases: int
    before: Figures | None
    after: Figures | None
    difference: Difference | None  # of the loss, after minus before: below zero is better
    calibration_difference: Difference | None
    verdict: Verdict


def estimate_difference(
    before: npt.NDArray[np.floating],
    after: npt.NDArray[np.floating],
    *,
    seed: int,
    kin: npt.NDArray[np.int64] | None = None,
) -> Difference:
    """Return the interval of a paired difference.

    Args:
        before: the losses of one version, shape (n_cases,).
        after: those of the other on the same cases.
        seed: of the draws.
        kin: number of each case's group, from 0 to n_groups - 1; each case its own if None.
    """
    differences = after.astype(np.float64) - before.astype(np.float64)
    rng = np.random.default_rng(seed)
    groups = np.arange(len(differences)) if kin is None else kin
    sums, sizes = np.bincount(groups, weights=differences), np.bincount(groups)
    n_groups = len(sums)
    at_once = max(1, _DRAWS_AT_ONCE // n_groups)
    means = []
    for left in range(N_RESAMPLES, 0, -at_once):
        drawn = rng.integers(0, n_groups, size=(min(at_once, left), n_groups))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(mean=float(differences.mean()), low=float(low), high=float(high))


def compare_versions(
    before: Judgement | None,
    after: Judgement | None,
    *,
    has_champion: bool,
    seed: int = 0,
    unjudged: str = "",
    unmeasured: str = "",
) -> Comparison:
    """Compare a challenger with the champion, or a first version with the fixed bars.

    Args:
        before: how the champion did, None where it was not judged.
        after: how the challenger did, None where it was not judged.
        has_champion: whether there is a champion to beat at all.
        seed: of the intervals.
        unjudged: why the champion was not judged, where that is known.
        unmeasured: why latencies were not measured now, where they were to be; those that a
            judgement brings are then of its training.
    """
    if after is None:
        return _compare_nothing("it was judged on no held-back cases", measure="none")
    if not has_champion:
        return _measure_alone(after, unmeasured)
    if before is None:
        reason = unjudged or "the champion was judged on no held-back cases"
        return _compare_nothing(reason, after.measure)
    if before.measure != after.measure:
        return _compare_nothing("the versions were judged by different scores", after.measure)
    before, after = pair_judgements(before, after)
    kin = _number_groups(before, after)
    n_groups = len(np.unique(kin))
    if n_groups < MIN_CASES:
        reason = f"both were judged on {n_groups} unrelated cases, and {MIN_CASES} are needed"
        return _compare_nothing(reason, after.measure)
    difference = estimate_difference(before.losses, after.losses, seed=seed, kin=kin)
    calibration = _compare_calibration(before, after, seed=seed, kin=kin)
    findings = [_judge_score(after.measure, difference, n_cases=len(kin), n_groups=n_groups)]
    if calibration is not None:
        findings.append(_judge_calibration(calibration))
    findings.append(_judge_latency(after, before, unmeasured))
    return Comparison(
        measure=after.measure,
        n_cases=len(after.case_ids),
        before=describe_judgement(before),
        after=describe_judgement(after),
        difference=difference,
        calibration_difference=calibration,
        verdict=Verdict(findings=tuple(findings)),
    )


def _number_groups(before: Judgement, after: Judgement) -> npt.NDArray[np.int64]:
    """Return the number of each case's group, as the newer judgement states them, or the older."""
    groups = after.groups or before.groups
    if groups is None:
        return np.arange(len(after.case_ids))
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def describe_judgement(one: Judgement) -> Figures:
    """Return a judgement's means."""
    return Figures(
        loss=float(one.losses.mean()),
        log_loss=None if one.log_losses is None else float(one.log_losses.mean()),
        accuracy=None if one.correct is None else float(one.correct.mean()),
        calibration_error=_calibration_error(one),
        p50_ms=None if one.latency is None else one.latency.p50_ms,
        p95_ms=None if one.latency is None else one.latency.p95_ms,
    )


def _calibration_error(one: Judgement) -> float | None:
    if one.confidences is None or one.correct is None:
        return None
    return expected_calibration_error(one.confidences, one.correct)


def _measure_alone(after: Judgement, unmeasured: str) -> Comparison:
    if not after.case_ids:
        return _compare_nothing("it was judged on no held-back cases", after.measure)
    figures = describe_judgement(after)
    findings = [_judge_against_shares(after, figures), _judge_latency(after, None, unmeasured)]
    if figures.calibration_error is not None:
        is_met = figures.calibration_error <= MAX_CALIBRATION_ERROR
        findings.append(
            Finding(
                question="calibration",
                outcome=Outcome.PASS if is_met else Outcome.FAIL,
                reason=f"the calibration error is {figures.calibration_error:.4f}, and a first"
                f" version may have {MAX_CALIBRATION_ERROR:.2f}",
            )
        )
    return Comparison(
        measure=after.measure, n_cases=len(after.case_ids), before=None, after=figures,
        difference=None, calibration_difference=None, verdict=Verdict(findings=tuple(findings)),
    )  # fmt: skip


def _judge_against_shares(after: Judgement, figures: Figures) -> Finding:
    if after.baseline is None:
        return Finding(
            question="score",
            outcome=Outcome.PASS,
            reason=f"the mean {after.measure} is {figures.loss:.4f}; there is no champion to beat",
        )
    is_better = figures.loss < after.baseline
    return Finding(
        question="score",
        outcome=Outcome.PASS if is_better else Outcome.FAIL,
        reason=f"the mean {after.measure} is {figures.loss:.4f}, and answering with the classes'"
        f" shares alone has {after.baseline:.4f}",
    )


def _compare_nothing(reason: str, measure: str) -> Comparison:
    finding = Finding(question="score", outcome=Outcome.INCONCLUSIVE, reason=reason)
    return Comparison(
        measure=measure, n_cases=0, before=None, after=None, difference=None,
        calibration_difference=None, verdict=Verdict(findings=(finding,)),
    )  # fmt: skip


def _judge_score(measure: str, found: Difference, *, n_cases: int, n_groups: int) -> Finding:
    of_groups = "" if n_groups == n_cases else f" ({n_groups} groups of kin)"
    interval = (
        f"the mean {measure} changes by {found.mean:+.4f} on {n_cases} held-back cases{of_groups},"
        f" 95 % interval from {found.low:+.4f} to {found.high:+.4f} (below zero is better)"
    )
    if found.high < 0:
        return Finding(question="score", outcome=Outcome.PASS, reason=f"better: {interval}")
    if found.low > 0:
        return Finding(question="score", outcome=Outcome.FAIL, reason=f"worse: {interval}")
    reason = f"not known to be better: {interval}; collect more labels and train again"
    return Finding(question="score", outcome=Outcome.INCONCLUSIVE, reason=reason)


def _compare_calibration(
    before: Judgement, after: Judgement, *, seed: int, kin: npt.NDArray[np.int64]
) -> Difference | None:
    """Return the interval of the difference in calibration error, resampling groups in pairs."""
    columns = (before.confidences, before.correct, after.confidences, after.correct)
    if any(column is None for column in columns):
        return None
    known: list[FloatArray] = [column for column in columns if column is not None]
    rng = np.random.default_rng(seed)
    n_groups = int(kin.max()) + 1

    def draw() -> npt.NDArray[np.int64]:
        times = np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups)
        return np.repeat(np.arange(len(kin)), times[kin])

    def differ(rows: npt.NDArray[np.int64]) -> float:
        confidence, correct, later_confidence, later_correct = (column[rows] for column in known)
        return expected_calibration_error(
            later_confidence, later_correct
        ) - expected_calibration_error(confidence, correct)

    draws = [differ(draw()) for _ in range(N_CALIBRATION_RESAMPLES)]
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    mean = differ(np.arange(len(kin)))
    return Difference(mean=mean, low=float(low), high=float(high))


def _judge_calibration(found: Difference) -> Finding:
    text = (
        f"the calibration error changes by {found.mean:+.4f}, 95 % interval from {found.low:+.4f}"
        f" to {found.high:+.4f}; {CALIBRATION_TOLERANCE:+.2f} is tolerated"
    )
    if found.low > CALIBRATION_TOLERANCE:
        outcome = Outcome.FAIL
    elif found.mean > CALIBRATION_TOLERANCE:
        outcome = Outcome.INCONCLUSIVE
    else:
        outcome = Outcome.PASS
    return Finding(question="calibration", outcome=outcome, reason=text)


def _judge_latency(after: Judgement, before: Judgement | None, unmeasured: str) -> Finding:
    if after.latency is None:
        reason = "how long it takes to answer was not measured"
        return Finding(
            question="latency",
            outcome=Outcome.INCONCLUSIVE,
            reason=f"{reason}: {unmeasured}" if unmeasured else reason,
        )
    when = f"not measured now ({unmeasured}), but at training: " if unmeasured else ""
    known = None if before is None else before.latency
    bound = max(MAX_LATENCY_MS, MAX_LATENCY_RATIO * known.p95_ms if known else 0.0)
    median_bound = max(MAX_LATENCY_MS, MAX_LATENCY_RATIO * known.p50_ms if known else 0.0)
    if after.latency.p95_ms <= bound:
        outcome = Outcome.PASS
    elif before is not None and after.latency.p50_ms > median_bound:
        outcome = Outcome.FAIL
    else:  # a busy machine makes slow tails; and a first version is better than none
        outcome = Outcome.INCONCLUSIVE
    return Finding(
        question="latency",
        outcome=outcome,
        reason=f"{when}half of single answers take {after.latency.p50_ms:.1f} ms or less, 95 %"
        f" {after.latency.p95_ms:.1f} ms, and {bound:.0f} ms are allowed",
    )

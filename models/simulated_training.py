# SPDX-License-Identifier: Apache-2.0
"""Training data before there is any experience: windows of simulated devices, prior outcomes.

The outcome model states our belief before evidence: a fix works when it fits the class, its
preconditions hold and it worked before. Real outcomes are weighed above it (`training`).
"""

from collections.abc import Iterator

import numpy as np

from contracts.failure import FailureClass
from models.features import extract_features
from models.health import WINDOW_REPORTS
from models.recommender import ScriptCandidate, compute_signals, signal_matrix
from models.signals import FloatArray
from telemetry.fleet_simulator import RAMP_REPORTS, FleetSimulator, SimulatedDevice
from telemetry.normalisation import flatten_metrics
from telemetry.simulated_faults import FAULTS

HEALTHY_FACTOR = 8  # healthy devices per device of a class: most devices are well
_WINDOW_ENDS = (1, 3, WINDOW_REPORTS + 2)  # reports after the fault shows clearly
_STEPS_A_DAY = 24 * 60


def simulate_windows(*, seed: int, n_devices_per_class: int) -> tuple[FloatArray, list[str]]:
    """Return features of shape (n_windows, n_features) and a FailureClass value for each."""
    fleet = FleetSimulator(
        seed, n_devices_per_class * (len(FAULTS) + HEALTHY_FACTOR), fault_share=0.0
    )
    random = np.random.default_rng(seed)
    devices = iter(fleet.devices)
    features: list[FloatArray] = []
    labels: list[str] = []
    plan: list[FailureClass | None] = [*FAULTS, *([None] * HEALTHY_FACTOR)]
    for failure_class in plan:
        for _ in range(n_devices_per_class):
            device = next(devices)
            for window in _device_windows(fleet, device, failure_class, random):
                features.append(window)
                labels.append(str(failure_class or FailureClass.UNKNOWN))
    return np.array(features), labels


def _device_windows(
    fleet: FleetSimulator,
    device: SimulatedDevice,
    failure_class: FailureClass | None,
    random: np.random.Generator,
) -> Iterator[FloatArray]:
    onset = int(random.integers(WINDOW_REPORTS, _STEPS_A_DAY))
    if failure_class is not None:
        fleet.plan_fault(device, failure_class, first_report=onset)
    shown = onset + (RAMP_REPORTS // 2 if device.onset and device.onset.pattern.gradual else 0)
    first, last = shown + min(_WINDOW_ENDS) - WINDOW_REPORTS + 1, shown + max(_WINDOW_ENDS)
    reports = [flatten_metrics(fleet.report(device, step)) for step in range(first, last + 1)]
    for end in _WINDOW_ENDS:
        stop = shown + end - first + 1
        yield extract_features(reports[stop - WINDOW_REPORTS : stop])


def simulate_outcomes(*, seed: int, n_outcomes: int) -> tuple[FloatArray, FloatArray]:
    """Return signals of shape (n_outcomes, n_signals) and successes in {0, 1}."""
    random = np.random.default_rng(seed)
    candidates = [_draw_candidate(random) for _ in range(n_outcomes)]
    confidences = random.uniform(0.3, 1.0, n_outcomes)
    rows = [compute_signals(c, float(p)) for c, p in zip(candidates, confidences, strict=True)]
    log_odds = np.array([_log_odds(row) for row in rows])
    successes = random.random(n_outcomes) < 1.0 / (1.0 + np.exp(-log_odds))
    return signal_matrix(rows), successes.astype(np.float64)


def _log_odds(row: dict[str, float]) -> float:
    return (
        -7.0
        + 1.6 * row["retrieval"]
        + 1.6 * row["class_match"]
        + 1.6 * row["class_match_weighted"]
        + 1.6 * row["preconditions"]
        + 2.6 * row["success_rate"]
        + 1.2 * row["approval_rate"]
        + 0.2 * row["experience"]
    )


def _draw_candidate(random: np.random.Generator) -> ScriptCandidate:
    quality = float(random.beta(4, 1.5))
    n_tried = int(random.integers(0, 30)) if random.random() < 0.6 else 0
    n_succeeded = int(random.binomial(n_tried, quality))
    n_reviewed = n_tried + int(random.integers(0, 5))
    n_approved = int(random.binomial(n_reviewed, 0.3 + 0.6 * quality))
    return ScriptCandidate(
        script_id="prior",
        version="0",
        retrieval_score=float(random.random()),
        failure_class_match=bool(random.random() < 0.6),
        platform_match=True,
        preconditions_met=bool(random.random() < 0.8),
        n_succeeded=n_succeeded,
        n_failed=n_tried - n_succeeded,
        n_approved=n_approved,
        n_rejected=n_reviewed - n_approved,
    )

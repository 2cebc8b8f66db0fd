# SPDX-License-Identifier: Apache-2.0
"""Training data of the health classifier: windows of simulated devices."""

from collections.abc import Iterator

import numpy as np

from contracts.failure import FailureClass
from models.features import extract_features
from models.health import WINDOW_REPORTS
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

# SPDX-License-Identifier: Apache-2.0
"""The health classifier on devices that it never saw: right, calibrated, or silent.

One training for all tests of the file; it takes a few seconds.
"""

import time

import numpy as np
import pytest

from contracts.failure import FailureClass as F
from models.abstention import read_abstention
from models.errors import TrainingDataError
from models.features import FEATURE_NAMES, N_FEATURES, compute_features, extract_features
from models.health import WINDOW_REPORTS, classify_health, fit_health_model
from models.health_training import train_health
from models.model_file import read_model, write_model
from models.signals import METRIC_NAMES, SIGNALS, severity_scores
from models.simulated_training import simulate_windows
from telemetry.fleet_simulator import FleetSimulator, describe_plain_fleet
from telemetry.normalisation import flatten_metrics
from telemetry.simulated_faults import FAULTS, shown_class
from telemetry.simulated_fleet import FleetParameters
from telemetry.simulated_plan import FaultRates, PlannedFault


@pytest.fixture(scope="module")
def fit():
    return train_health(5, lambda _: None)


@pytest.fixture(scope="module")
def unseen():
    """Windows of devices and of a seed that no training uses."""
    return simulate_windows("test", seed=77, n_devices_per_pattern=20)


def windows_of(fleet, device, steps):
    return [flatten_metrics(report) for report in fleet.reports_of(device, steps)]


def test_figures_on_held_back_devices(fit):
    figures = fit.metrics
    assert figures["calibration_error"] <= 0.015
    assert figures["macro_f1"] > 0.95
    assert figures["reached_accuracy"] >= 0.98
    assert figures["coverage"] >= 0.65  # a fifth and more of the windows are healthy or odd
    assert figures["false_alarms_healthy"] <= 0.02
    assert figures["false_alarms_odd"] <= 0.02
    by_class = {name: value for name, value in figures.items() if name.startswith("reached")}
    assert min(by_class.values()) >= 0.93
    classes = {shown_class(failure) for failure in FAULTS}
    assert {f"accuracy_bound/{failure}" for failure in classes} <= set(figures)
    assert fit.params["n_proved_classes"] >= len(classes) - 4


def test_figures_hold_for_yet_another_seed(fit, unseen):
    probabilities = fit.model.predict_proba(unseen.features)
    names = [str(name) for name in fit.model.classes_]
    answered = read_abstention(fit.model).answers(names, probabilities)
    predicted = np.array(names)[probabilities.argmax(axis=1)]
    correct, labels = predicted == np.array(unseen.labels), np.array(unseen.labels)
    assert correct[answered].mean() >= 0.97
    for name in set(names) - {"unknown"}:
        of_class = labels == name
        assert answered[of_class].mean() >= 0.6, name
        assert correct[answered & (predicted == name)].mean() >= 0.85, name


@pytest.mark.parametrize("failure", list(FAULTS))
def test_every_pattern_from_reports(fit, failure):
    fleet = FleetSimulator(describe_plain_fleet(seed=99, n_devices=12, fault_share=0.0))
    hits = 0
    for device in fleet.devices:
        fleet.plan_fault(device, failure, first_report=25)
        found = classify_health(fit.model, windows_of(fleet, device, range(10, 40)))
        hits += found.failure_class is shown_class(failure)
        assert found.failure_class in (shown_class(failure), F.UNKNOWN)
    assert hits >= 10


def test_healthy_empty_and_unfamiliar_windows_abstain(fit):
    fleet = FleetSimulator(describe_plain_fleet(seed=98, n_devices=60, fault_share=0.0))
    abstained = [
        classify_health(fit.model, windows_of(fleet, device, range(WINDOW_REPORTS))).abstained
        for device in fleet.devices
    ]
    assert sum(abstained) >= 59
    assert classify_health(fit.model, []).failure_class is F.UNKNOWN
    assert classify_health(fit.model, [{}]).abstained
    busy = dict.fromkeys(METRIC_NAMES, 0.0) | {"cpu_percent": 100.0, "load_per_core": 4.0}
    for name in ("vpn_connected", "dhcp_lease_valid", "proxy_reachable", "antivirus_running"):
        busy[name] = 1.0
    busy |= {"firewall_enabled": 1.0, "days_to_certificate_expiry": 99.0, "battery_percent": 80.0}
    busy |= {"battery_health_percent": 90.0, "experience_score": 90.0, "wifi_signal_dbm": -50.0}
    assert classify_health(fit.model, [busy] * WINDOW_REPORTS).abstained


def test_a_stricter_threshold_may_be_asked_for(fit):
    fleet = FleetSimulator(describe_plain_fleet(seed=97, n_devices=1, fault_share=0.0))
    fleet.plan_fault(fleet.devices[0], F.DISK_HEALTH, first_report=2)
    window = windows_of(fleet, fleet.devices[0], range(20))
    assert classify_health(fit.model, window).failure_class is F.DISK_HEALTH
    assert classify_health(fit.model, window, threshold=1.1).abstained


def test_thresholds_travel_in_the_file_and_other_features_mean_abstention(fit):
    loaded = read_model(write_model(fit.model))
    assert read_abstention(loaded) == read_abstention(fit.model)
    old = fit_health_model(np.eye(4, 7), ["dns", "thermal"] * 2, seed=1)
    assert classify_health(old, [{"dns_failure_percent": 90.0}] * 6).abstained


def test_a_single_window_is_quick(fit):
    fleet = FleetSimulator(describe_plain_fleet(seed=96, n_devices=1))
    window = windows_of(fleet, fleet.devices[0], range(WINDOW_REPORTS))
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        classify_health(fit.model, window)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.005


def test_held_back_devices_are_the_same_for_every_version_and_in_no_training(fit):
    again = simulate_windows("judge", seed=0, n_devices_per_pattern=4)
    other = simulate_windows("fit", seed=0, n_devices_per_pattern=4)
    assert not set(again.devices) & set(other.devices)
    assert set(again.labels) >= {str(shown_class(failure)) for failure in FAULTS}
    assert len(fit.held_back.labels) == len(fit.held_back.inputs) > 3000
    assert len(set(fit.held_back.case_ids)) == len(fit.held_back.case_ids)
    known = {f"health:{device}" for device in other.devices}
    assert not known & set(fit.held_back.case_ids)
    same = simulate_windows("judge", seed=0, n_devices_per_pattern=4)
    assert np.array_equal(again.features, same.features)


def test_one_class_cannot_be_learned():
    with pytest.raises(TrainingDataError):
        fit_health_model(np.zeros((2, N_FEATURES)), ["dns", "dns"], seed=1)


def test_features_of_reports_and_of_arrays_agree():
    fleet = FleetSimulator(describe_plain_fleet(seed=95, n_devices=27, fault_share=0.0))
    for device, failure in zip(fleet.devices, FAULTS, strict=True):
        fleet.plan_fault(device, failure, first_report=15)
        reports = windows_of(fleet, device, range(WINDOW_REPORTS))
        features = extract_features(reports)
        assert features.shape == (N_FEATURES,) == (len(FEATURE_NAMES),)
        assert np.isfinite(features).all()
        assert np.abs(features).max() <= 1.5
        values = np.array([[r.get(name, np.nan) for name in METRIC_NAMES] for r in reports])
        clock = METRIC_NAMES.index("clock_offset_seconds")
        values[:, clock] = np.abs(values[:, clock])
        held = features[[FEATURE_NAMES.index("same_process_cpu")]] * 20 + 80
        many = compute_features(values[None], np.array([[held[0], 0.0]]), np.array([24.0]))[0]
        names = [n for n, name in enumerate(FEATURE_NAMES) if name != "same_process_memory"]
        assert np.allclose(many[names], features[names])


def test_subtle_faults_stay_inside_the_limits_of_their_metrics():
    subtle = [failure for failure in FAULTS if FAULTS[failure].may_be_subtle]
    assert len(subtle) >= 8
    planned = tuple(
        PlannedFault(row=row, failure_class=failure, onset_minute=5.0, subtle=True, hardness=1.0)
        for row, failure in enumerate(subtle)
    )
    fleet = FleetSimulator(
        FleetParameters(
            n_devices=len(subtle),
            seed=6,
            faults=planned,
            fault_rates=FaultRates(share=0.0),
            traits=frozenset(),
        )
    )
    for device, failure in zip(fleet.devices, subtle, strict=True):
        (report,) = windows_of(fleet, device, [30])
        leading = [METRIC_NAMES.index(effect.signal) for effect in FAULTS[failure].effects]
        values = np.array([report.get(signal.metric, np.nan) for signal in SIGNALS])
        assert severity_scores(np.abs(values) * np.sign(values))[leading].max() == 0.0, failure

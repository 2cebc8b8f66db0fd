# SPDX-License-Identifier: Apache-2.0
"""Simulated reports are valid on the wire, say what the values say, and are labelled from onset."""

from datetime import timedelta

import msgspec
import numpy as np

from contracts.failure import FailureClass as F
from contracts.telemetry import TelemetryReport
from models.signals import METRIC_NAMES
from telemetry.fleet_simulator import FleetSimulator, describe_plain_fleet
from telemetry.normalisation import flatten_metrics
from telemetry.simulated_columns import ALWAYS_PRESENT, SIGNAL_NAMES
from telemetry.simulated_faults import FAULTS
from telemetry.simulated_fleet import FleetParameters
from telemetry.simulated_plan import FaultRates


def test_repeatable_and_valid_on_the_wire():
    parameters = describe_plain_fleet(seed=3, n_devices=25)
    first = [report for report, _ in FleetSimulator(parameters).reports(5)]
    second = [report for report, _ in FleetSimulator(parameters).reports(5)]
    assert first == second
    for report in first:
        decoded = msgspec.json.decode(msgspec.json.encode(report), type=TelemetryReport)
        assert decoded == report
    assert len({report.report_id for report in first}) == 125


def test_the_columns_are_what_models_look_at_and_what_reports_hold():
    assert set(METRIC_NAMES) <= set(SIGNAL_NAMES)
    fleet = FleetSimulator(
        FleetParameters(n_devices=120, seed=2, fault_rates=FaultRates(share=0.5, to_minute=700))
    )
    (values,) = fleet.generator.steps(1, 720)
    reports = {report.device_id: report for report, _ in fleet.reports(1, 720)}
    assert len(reports) == values.is_present.sum() > 60
    for device in fleet.devices:
        if device.device_id not in reports:
            continue
        flat = flatten_metrics(reports[device.device_id])
        expected = dict(zip(SIGNAL_NAMES, values.values[device.row].tolist(), strict=True))
        for name, value in expected.items():
            if np.isnan(value):
                assert name not in flat, name
                assert name not in ALWAYS_PRESENT
            else:
                assert flat[name] == value, name


def test_every_pattern_is_valid_and_labelled_after_onset():
    assert len(FAULTS) >= 20
    assert F.UNKNOWN not in FAULTS
    fleet = FleetSimulator(describe_plain_fleet(seed=4, n_devices=len(FAULTS), fault_share=0.0))
    for device, failure in zip(fleet.devices, FAULTS, strict=True):
        fleet.plan_fault(device, failure, first_report=3)
    labels = [label for _, label in fleet.reports(14)]
    assert not any(labels[: 3 * len(FAULTS)])
    assert labels[-len(FAULTS) :] == list(FAULTS)
    assert [device.faulty_at(13) for device in fleet.devices] == list(FAULTS)
    for device in fleet.devices:
        report = fleet.report(device, 13)
        msgspec.convert(msgspec.to_builtins(report), TelemetryReport)


def test_look_alike_faults_name_their_application():
    fleet = FleetSimulator(describe_plain_fleet(seed=6, n_devices=3, fault_share=0.0))
    names = {F.MAIL_CLIENT: "Outlook", F.CHAT_CLIENT: "Teams", F.BROWSER: "Firefox"}
    for device, failure in zip(fleet.devices, names, strict=True):
        fleet.plan_fault(device, failure, first_report=3)
        (worst, *others) = fleet.report(device, 9).applications
        assert worst.name == names[failure]
        assert worst.crashes > 0
        assert not any(other.crashes for other in others)


def test_reports_arrive_late_twice_and_out_of_order():
    parameters = FleetParameters(n_devices=100, seed=5, interval_seconds=900.0)
    fleet = FleetSimulator(parameters)
    arrivals = list(fleet.deliveries(96))
    times = [arrived for arrived, _ in arrivals]
    assert times == sorted(times)
    made = [report for report, _ in fleet.reports(96)]
    ids = [report.report_id for _, report in arrivals]
    assert set(ids) == {report.report_id for report in made}
    assert len(ids) > len(set(ids)) == len(made)
    seen: dict[str, object] = {}
    n_late = 0
    for _, report in arrivals:
        n_late += report.timestamp < seen.get(report.device_id, report.timestamp)
        seen[report.device_id] = report.timestamp
    assert n_late > 3
    assert max(a - r.timestamp for a, r in arrivals) > timedelta(minutes=30)


def test_patches_are_listed_as_packages_of_the_devices_that_have_them():
    fleet = FleetSimulator(
        FleetParameters(
            n_devices=300, seed=9, fault_rates=FaultRates(share=0.0), n_harmful_patches=1
        )
    )
    (patch,) = fleet.generator.patches
    for report, label in fleet.reports(1, 1439):
        row = int(report.device_id.rsplit("-", 1)[1])
        names = {package.name for package in report.software.packages}
        assert (patch.name in names) is (row in patch.rows)
        assert label in (None, patch.breaks)
        assert label is None or row in patch.rows

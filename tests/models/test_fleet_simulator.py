# SPDX-License-Identifier: Apache-2.0
"""The simulated fleet is repeatable, valid on the wire, and labelled from onset on."""

import msgspec

from contracts.failure import FailureClass as F
from contracts.telemetry import TelemetryReport
from telemetry.fleet_simulator import FleetSimulator, describe_plain_fleet
from telemetry.normalisation import flatten_metrics
from telemetry.simulated_faults import FAULTS


def test_repeatable_and_valid_on_the_wire():
    first = [
        report
        for report, _ in FleetSimulator(describe_plain_fleet(seed=3, n_devices=25)).reports(5)
    ]
    second = [
        report
        for report, _ in FleetSimulator(describe_plain_fleet(seed=3, n_devices=25)).reports(5)
    ]
    assert first == second
    for report in first:
        decoded = msgspec.json.decode(msgspec.json.encode(report), type=TelemetryReport)
        assert decoded == report
    assert len({report.report_id for report in first}) == 125


def test_every_pattern_is_valid_and_labelled_after_onset():
    fleet = FleetSimulator(describe_plain_fleet(seed=4, n_devices=len(FAULTS), fault_share=0.0))
    for device, failure in zip(fleet.devices, FAULTS, strict=True):
        fleet.plan_fault(device, failure, first_report=3)
    labels = [label for _, label in fleet.reports(14)]
    assert not any(labels[: 3 * len(FAULTS)])
    assert labels[-len(FAULTS) :] == list(FAULTS)
    for device in fleet.devices:
        report = fleet.report(device, 13)
        msgspec.convert(msgspec.to_builtins(report), TelemetryReport)


def test_at_least_twelve_patterns_and_days_have_a_rhythm():
    assert len(FAULTS) >= 12
    assert F.UNKNOWN not in FAULTS
    fleet = FleetSimulator(
        describe_plain_fleet(seed=5, n_devices=40, fault_share=0.0, interval_seconds=3600)
    )
    by_hour: dict[int, list[float]] = {}
    for report, _ in fleet.reports(48):
        load = flatten_metrics(report).get("cpu_percent")
        if load is not None:
            by_hour.setdefault(report.timestamp.hour, []).append(load)
    assert sum(by_hour[12]) / len(by_hour[12]) > sum(by_hour[2]) / len(by_hour[2]) + 3

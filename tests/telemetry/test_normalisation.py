# SPDX-License-Identifier: Apache-2.0
"""Flat metrics and facts of a report."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import msgspec.inspect
import pytest

from contracts.failure import FailureClass
from contracts.metrics import METRIC_FAMILIES, METRICS, is_metric
from contracts.telemetry import (
    AgentHealth,
    Application,
    Disk,
    Experience,
    Hardware,
    LogLine,
    Network,
    Process,
    Service,
    Software,
    TelemetryReport,
)
from telemetry.facts import BINDINGS, bind_value, narrow_facts
from telemetry.normalisation import collect_facts, flatten_metrics


def make(**sections) -> TelemetryReport:
    given = {
        "hardware": Hardware(),
        "software": Software(os_family="linux"),
        "network": Network(),
        "agent": AgentHealth(version="1"),
    }
    return TelemetryReport(
        report_id="r1",
        device_id="d1",
        timestamp=datetime(2026, 11, 2, tzinfo=UTC),
        **(given | sections),
    )


def test_what_was_not_measured_has_no_metric():
    assert flatten_metrics(make()) == {
        "services_down": 0.0,
        "app_crashes": 0.0,
        "app_hangs": 0.0,
        "app_errors": 0.0,
        "agent_queued_reports": 0.0,
        "agent_errors": 0.0,
        "log_errors": 0.0,
    }


def test_fields_keep_their_names_and_booleans_become_numbers():
    metrics = flatten_metrics(
        make(
            hardware=Hardware(cpu_percent=12.5, cpu_count=8, battery_charging=True),
            software=Software(os_family="linux", reboot_required=True, pending_updates=3),
            network=Network(vpn_connected=False, wifi_signal_dbm=-61),
            experience=Experience(score=88, print_queue_length=2),
            agent=AgentHealth(version="1", memory_bytes=1e6, queued_reports=4, errors=1),
            logs=(LogLine(service="a", message="m"),),
        )
    )
    expected = {
        "cpu_percent": 12.5,
        "battery_charging": 1.0,
        "reboot_required": 1.0,
        "pending_updates": 3.0,
        "vpn_connected": 0.0,
        "wifi_signal_dbm": -61.0,
        "experience_score": 88.0,
        "print_queue_length": 2.0,
        "agent_memory_bytes": 1e6,
        "agent_queued_reports": 4.0,
        "agent_errors": 1.0,
        "log_errors": 1.0,
    }
    assert expected.items() <= metrics.items()
    assert not {"score", "cpu_count", "os_family", "version"} & set(metrics)
    assert all(type(value) is float for value in metrics.values())


def test_every_number_of_the_contract_has_a_metric():
    report, covered = make(), set()
    for section in ("hardware", "software", "network", "experience"):
        kind = type(getattr(report, section))
        for field in msgspec.structs.fields(kind):
            if field.name in {"cpu_count", "memory_total_bytes"}:
                continue
            for value in (0.5, 1, True):
                try:
                    changed = msgspec.convert({"os_family": "linux", field.name: value}, kind)
                except msgspec.ValidationError:
                    try:
                        changed = msgspec.convert({field.name: value}, kind)
                    except msgspec.ValidationError:
                        continue
                name = "experience_score" if field.name == "score" else field.name
                assert flatten_metrics(make(**{section: changed}))[name] == float(value)
                covered.add(name)
    assert len(covered) >= 34, covered


def test_the_contract_names_every_metric():
    """Conditions are stated on these names, and refused on others."""
    full = make(
        **{
            name: _fill(section)
            for name, section in (
                ("hardware", Hardware), ("network", Network), ("agent", AgentHealth),
                ("experience", Experience), ("software", Software),
            )
        },
        applications=(_fill(Application),),
    )  # fmt: skip
    metrics = flatten_metrics(full)
    assert {name for name in metrics if ":" not in name} == METRICS
    assert {name.partition(":")[0] for name in metrics if ":" in name} == set(METRIC_FAMILIES)
    assert all(map(is_metric, metrics))
    assert not any(map(is_metric, ("", "disk_used_percent", "disk_used_percent:", "cpu_percent:x")))


def _fill(kind: type) -> Any:
    """Return a part of a report in which everything is stated."""
    values: dict[str, Any] = {}
    for field in msgspec.inspect.type_info(kind).fields:
        types = getattr(field.type, "types", (field.type,))
        one = next(each for each in types if not isinstance(each, msgspec.inspect.NoneType))
        values[field.name] = _state(one, field.name)
    return kind(**values)


def _state(kind: Any, name: str) -> Any:
    match kind:
        case msgspec.inspect.StructType():
            return _fill(kind.cls)
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return (_state(kind.item_type, name),)
        case msgspec.inspect.LiteralType():
            return kind.values[0]
        case msgspec.inspect.BoolType() | msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return 1
    return name


def test_aggregates_over_lists():
    metrics = flatten_metrics(
        make(
            hardware=Hardware(
                disks=(
                    Disk(mount="/", total_bytes=1e9, used_percent=40, smart_healthy=False),
                    Disk(mount="/v", total_bytes=1e9, used_percent=93, inodes_used_percent=7),
                    Disk(mount="/e", total_bytes=1e9, used_percent=1, encrypted=False),
                ),
                processes=(
                    Process(pid=1, name="a", cpu_percent=150, memory_percent=1),
                    Process(pid=2, name="a", cpu_percent=20, memory_percent=5),
                    Process(pid=3, name="b", cpu_percent=2, memory_percent=30),
                ),
            ),
            software=Software(
                os_family="linux",
                services=(
                    Service(name="ssh", running=True),
                    Service(name="cups", running=False, restarts=2),
                    Service(name="old", running=False, expected=False),
                ),
            ),
            applications=(
                Application(name="x", crashes=2, hangs=1, launch_ms=900),
                Application(name="y", crashes=1, errors=5),
            ),
        )
    )
    expected = {
        "disk_used_percent_max": 93.0,
        "disk_used_percent:/v": 93.0,
        "inodes_used_percent_max": 7.0,
        "smart_unhealthy_disks": 1.0,
        "unencrypted_disks": 1.0,
        "process_cpu_percent_max": 150.0,
        "process_cpu_percent:a": 150.0,
        "process_memory_percent:a": 5.0,
        "process_memory_percent_max": 30.0,
        "services_down": 1.0,
        "service_running:ssh": 1.0,
        "service_running:cups": 0.0,
        "service_running:old": 0.0,
        "service_restarts": 2.0,
        "app_crashes": 3.0,
        "app_hangs": 1.0,
        "app_errors": 5.0,
        "app_launch_ms_max": 900.0,
    }
    assert expected.items() <= metrics.items()


def test_facts_and_bindings():
    facts = collect_facts(
        make(
            hardware=Hardware(
                disks=(
                    Disk(mount="/", total_bytes=1e9, used_percent=40),
                    Disk(mount="/v", total_bytes=1e9, used_percent=93),
                ),
                processes=(
                    Process(pid=11, name="a", cpu_percent=99, memory_percent=1, user="jane"),
                    Process(pid=12, name="b", cpu_percent=2, memory_percent=30),
                ),
            ),
            software=Software(
                os_family="linux",
                os_version="12",
                services=(Service(name="cups", running=False),),
            ),
            applications=(Application(name="x"), Application(name="y", crashes=1)),
        )
    )
    assert "jane" not in str(facts)
    assert {name: bind_value(facts, name) for name in BINDINGS} == {
        "fullest_disk_mount": "/v",
        "top_cpu_process_name": "a",
        "top_cpu_process_pid": 11,
        "top_memory_process_name": "b",
        "top_memory_process_pid": 12,
        "down_service_name": "cups",
        "crashing_application_name": "y",
    }


@pytest.mark.parametrize(
    ("failure_class", "entity", "binding", "value"),
    [
        ("runaway_process", "calm", "top_cpu_process_pid", 2),
        ("runaway_process", "", "top_cpu_process_pid", 1),
        ("runaway_process", "gone", "top_cpu_process_pid", None),
        ("runaway_process", "calm", "down_service_name", "cups"),
        ("service_down", "ssh", "down_service_name", "ssh"),
        ("service_down", "cron", "down_service_name", None),
        ("disk_full", "/", "fullest_disk_mount", "/"),
        ("mail_client", "mutt", "crashing_application_name", "mutt"),
        ("unknown", "memory_percent", "top_cpu_process_pid", 1),
    ],
)
def test_bindings_speak_of_the_incidents_entity(failure_class, entity, binding, value):
    facts = {
        "processes": [
            {"pid": 1, "name": "busy", "cpu_percent": 99.0},
            {"pid": 2, "name": "calm", "cpu_percent": 60.0},
            {"pid": 3, "name": "calm", "cpu_percent": 1.0},
        ],
        "services_down": ["cups", "ssh"],
        "disks": [{"mount": "/v", "used_percent": 99.0}, {"mount": "/", "used_percent": 91.0}],
        "applications": [{"name": "vi", "crashes": 5}, {"name": "mutt", "crashes": 2}],
    }
    narrowed = narrow_facts(facts, FailureClass(failure_class), entity)
    assert bind_value(narrowed, binding) == value


@pytest.mark.parametrize("facts", [{}, {"disks": "x", "processes": [1, {}], "services_down": []}])
@pytest.mark.parametrize("binding", list(BINDINGS))
def test_bindings_without_a_fact_give_nothing(facts, binding):
    assert bind_value(facts, binding) is None


def test_an_unknown_binding_is_an_error():
    with pytest.raises(KeyError):
        bind_value({}, "rm -rf")

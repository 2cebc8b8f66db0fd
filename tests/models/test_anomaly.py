# SPDX-License-Identifier: Apache-2.0
"""The detector finds real faults on new devices within four reports and is quiet otherwise."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.failure import FailureClass as F
from models.anomaly import AnomalyDetector
from models.detection import Detection, DeviceReport
from models.detector_state import LAYOUT, encode_devices, layout_of
from models.errors import StateFormatError
from models.signals import METRIC_NAMES
from telemetry.fleet_simulator import FleetSimulator, describe_plain_fleet
from telemetry.normalisation import flatten_metrics

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def feed(detector, reports, *, interval=60.0, first=0, device="dev-1"):
    """Return the detections of each report."""
    return [
        detector.score_all(device, START + timedelta(seconds=interval * (first + n)), metrics)
        for n, metrics in enumerate(reports)
    ]


def healthy(random, **changes):
    return {
        "cpu_percent": float(random.uniform(5, 40)),
        "load_per_core": float(random.uniform(0.1, 0.9)),
        "memory_percent": float(random.uniform(40, 60)),
        "disk_used_percent_max": 55.0,
        "disk_used_percent:/": 55.0,
        "process_cpu_percent_max": 30.0,
        "process_cpu_percent:postgres": 30.0,
        "services_down": 0.0,
        "service_running:cron": 1.0,
        "experience_score": 90.0,
        **changes,
    }


def test_full_file_system_is_found_at_once():
    (found,) = feed(AnomalyDetector(), [{"disk_used_percent:/mnt/x": 90.0}])[0]
    assert (found.failure_class, found.episode_key) == (F.DISK_FULL, "disk_full:/mnt/x")
    assert "disk_used_percent:" in found.rule
    assert not feed(AnomalyDetector(), [{"disk_used_percent:/": 89.9}])[0]


def test_burning_process_is_found_in_the_third_report():
    reports = [{"process_cpu_percent:burner": 93.0}] * 4
    assert [len(found) for found in feed(AnomalyDetector(), reports)] == [0, 0, 1, 1]


def test_fast_reports_do_not_make_a_burst_a_fault():
    reports = [{"process_cpu_percent:chromium": 150.0}] * 6 + [
        {"process_cpu_percent:chromium": 9.0}
    ]
    assert not any(feed(AnomalyDetector(), reports, interval=1.0))
    longer = [{"process_cpu_percent:burner": 99.0}] * 12
    assert feed(AnomalyDetector(), longer, interval=1.0)[-1]


def test_different_names_on_top_are_no_runaway():
    names = ("chromium", "postgres", "python")
    reports = [{f"process_cpu_percent:{names[n % 3]}": 99.0} for n in range(12)]
    assert not any(feed(AnomalyDetector(), reports))


def test_starved_burner_on_a_saturated_machine_is_found():
    reports = [{"cpu_percent": 99.0, "process_cpu_percent:burner": 66.0}] * 5
    found = feed(AnomalyDetector(), reports)
    assert not any(found[:4])
    assert found[4][0].entity == "burner"
    calm = [{"cpu_percent": 40.0, "process_cpu_percent:video-call": 66.0}] * 20
    assert not any(feed(AnomalyDetector(), calm))


def test_service_must_be_down_twice():
    down = {"services_down": 1.0, "service_running:web": 0.0, "service_running:cron": 1.0}
    up = {"services_down": 0.0, "service_running:web": 1.0, "service_running:cron": 1.0}
    found = feed(AnomalyDetector(), [down, up, down, down])
    assert [len(each) for each in found] == [0, 0, 0, 1]
    assert found[3][0].episode_key == "service_down:web"
    unexpected = {"services_down": 0.0, "service_running:cups": 0.0}
    assert not any(feed(AnomalyDetector(), [unexpected] * 5))


def test_a_second_fault_is_not_hidden_by_an_old_one():
    detector = AnomalyDetector()
    disk = {"disk_used_percent:/": 95.0}
    feed(detector, [disk] * 5)
    found = feed(detector, [disk | {"process_cpu_percent:burner": 99.0}] * 3, first=5)
    assert [each.failure_class for each in found[-1]] == [F.RUNAWAY_PROCESS, F.DISK_FULL]
    newest = detector.score(
        "dev-1", START + timedelta(hours=1), disk | {"process_cpu_percent:burner": 99.0}
    )
    assert newest is not None
    assert newest.failure_class is F.RUNAWAY_PROCESS


def test_ordinary_lacks_of_a_closed_network_are_no_faults_but_losing_them_is():
    closed = {"dns_failure_percent": 100.0, "firewall_enabled": 0.0, "proxy_reachable": 0.0}
    assert not any(feed(AnomalyDetector(), [closed] * 10))
    detector = AnomalyDetector()
    feed(detector, [{"firewall_enabled": 1.0}])
    found = feed(detector, [{"firewall_enabled": 0.0}] * 2, first=1)
    assert found[-1][0].failure_class is F.SECURITY_AGENT_OFF


def test_late_and_repeated_reports_change_nothing():
    detector = AnomalyDetector()
    down = {"services_down": 1.0, "service_running:web": 0.0}
    assert not detector.score_all("d", START, down)
    before = detector.export_state("d")
    assert not detector.score_all("d", START, down)
    assert not detector.score_all("d", START - timedelta(hours=1), down)
    assert detector.export_state("d") == before


def test_a_long_silence_ends_a_streak():
    detector = AnomalyDetector()
    down = {"services_down": 1.0, "service_running:web": 0.0}
    assert not detector.score_all("d", START, down)
    assert not detector.score_all("d", START + timedelta(hours=3), down)


def test_busy_test_machine_stays_quiet():
    random = np.random.default_rng(3)
    names = ("chromium", "postgres", "pytest", "python")
    reports = [healthy(random) for _ in range(120)]
    for n in range(240):
        top = names[n // 2 % 4]  # bursts of two reports
        busy = {
            "cpu_percent": float(random.uniform(70, 100)),
            "load_per_core": float(random.uniform(1, 3)),
            f"process_cpu_percent:{top}": float(random.uniform(40, 190)),
            "process_cpu_percent_max": 190.0,
            "memory_percent": float(random.uniform(55, 80)),
            "experience_score": float(random.uniform(30, 60)),
        }
        reports.append(healthy(random, **busy))
    assert not any(feed(AnomalyDetector(), reports))


def test_unusual_but_unruled_harm_is_found_after_the_first_day():
    random = np.random.default_rng(4)
    detector = AnomalyDetector()
    past = [healthy(random, dns_latency_ms=float(random.gamma(9, 2.5))) for _ in range(1500)]
    assert not any(feed(detector, past))
    sick = [healthy(random, dns_latency_ms=4000.0) for _ in range(12)]
    found = feed(detector, sick, first=1500)
    assert not any(found[:2])  # one report, or two, raise no alarm
    assert any(found[2:6])
    (detection,) = found[-1]
    assert detection.metrics[0].name == "dns_latency_ms"
    assert detection.metrics[0].expected == pytest.approx(20.0, rel=0.3)
    assert detection.metrics[0].contribution > 0.5
    assert detection.p_value < 0.01
    assert detection.novelty > 1
    assert detection.false_a_day <= 0.1
    keys = {each.episode_key for each_found in found for each in each_found}
    assert keys == {"anomaly:dns_latency_ms"}


def test_an_episode_that_is_over_is_told_of_once():
    detector = AnomalyDetector()
    feed(detector, [{"disk_used_percent:/": 95.0}] * 2)
    detector.note_episode("dev-1", "disk_full:/", "disk_full:/")
    feed(detector, [{"disk_used_percent:/": 50.0}] * 9, first=2)
    at = START + timedelta(minutes=20)
    assert not detector.take_ended("dev-1", at)
    feed(detector, [{"disk_used_percent:/": 50.0}], first=11)
    assert [each.incident_key for each in detector.take_ended("dev-1", at)] == ["disk_full:/"]
    assert not detector.take_ended("dev-1", at)


def test_state_survives_a_restart_mid_streak():
    first, second = AnomalyDetector(), AnomalyDetector()
    burning = [{"process_cpu_percent:burner": 99.0, "memory_percent": 50.0}] * 3
    feed(first, burning[:2])
    second.import_state("dev-1", first.export_state("dev-1"))
    assert second.export_state("dev-1") == first.export_state("dev-1")
    assert feed(second, burning[2:], first=2)[0]
    assert first.export_state("never-seen") == b""


@settings(max_examples=60, deadline=None)
@given(content=st.binary(min_size=1, max_size=80))
def test_hostile_state_is_refused(content):
    detector = AnomalyDetector()
    with pytest.raises(StateFormatError):
        detector.import_state("d", content)
    assert not detector.knows("d")


@settings(max_examples=60, deadline=None)
@given(
    metrics=st.dictionaries(
        st.sampled_from(
            ["cpu_percent", "disk_used_percent:/", "app_errors", "clock_offset_seconds"]
        ),
        st.floats(allow_nan=True, allow_infinity=True) | st.none() | st.text(max_size=3),
    )
)
def test_any_numbers_are_survived(metrics):
    detector = AnomalyDetector()
    for found in feed(detector, [metrics] * 5):
        assert all(isinstance(each, Detection) for each in found)


def test_fleet_recall_and_false_alarms():
    fleet = FleetSimulator(describe_plain_fleet(seed=11, n_devices=90, fault_share=0.4))
    detector = AnomalyDetector()
    flagged: dict[str, int] = {}
    for report, _ in fleet.reports(130):
        found = detector.score_all(report.device_id, report.timestamp, flatten_metrics(report))
        step = int(report.report_id.rsplit("-", 1)[1])
        if found:
            flagged.setdefault(report.device_id, step)
    sick = {d.device_id: d for d in fleet.devices if d.onset}
    healthy_flagged = [d for d in flagged if d not in sick]
    found_sick = [d for d in sick if d in flagged and flagged[d] >= sick[d].onset.first_report]
    assert len(sick) >= 30
    assert len(found_sick) / len(sick) >= 0.9
    assert len(healthy_flagged) <= 2


def test_a_forgotten_device_starts_anew():
    random = np.random.default_rng(5)
    detector = AnomalyDetector()
    first = detector.export_state("d")
    for n in range(80):
        detector.score_all("d", START + timedelta(minutes=n), healthy(random), "linux")
    detector.forget("d")
    detector.forget("never-seen")
    assert detector.export_state("d") == first == b""
    assert not detector.score_all("d", START, healthy(random), "linux")  # an older time is news


def test_a_batch_is_judged_like_its_reports_one_by_one():
    fleet = FleetSimulator(describe_plain_fleet(seed=3, n_devices=12, fault_share=0.5))
    reports = [
        DeviceReport(
            device_id=report.device_id,
            observed_at=report.timestamp,
            metrics=flatten_metrics(report),
            cohort="all",
        )
        for report, _ in fleet.reports(40)
    ]
    one, many = AnomalyDetector(), AnomalyDetector()
    single = [
        one.score_all(each.device_id, each.observed_at, each.metrics, each.cohort)
        for each in reports
    ]
    together = many.score_batch(reports)
    assert [[each.rule for each in found] for found in single] == [
        [each.rule for each in found] for found in together
    ]
    assert any(single)


def test_state_of_an_older_signal_table_is_read_by_name():
    random = np.random.default_rng(6)
    detector = AnomalyDetector()
    for n in range(80):
        detector.score_all("d", START + timedelta(minutes=n), healthy(random))
    arrays = detector._read(np.array([0]))
    older = (*METRIC_NAMES[::-1][1:], "retired_metric")
    stored = {
        name: array[..., ::-1] if array.shape[-1:] == (len(METRIC_NAMES),) else array
        for name, array in arrays.items()
    }
    shifted = {
        name: np.concatenate([array[..., 1:], array[..., :1]], axis=-1)
        if array.shape[-1:] == (len(METRIC_NAMES),)
        else array
        for name, array in stored.items()
    }
    content = encode_devices(shifted, [detector._memories["d"]])[0].replace(
        LAYOUT.encode(), layout_of(older).encode()
    )
    other = AnomalyDetector()
    with pytest.raises(StateFormatError):
        other.import_state("d", content)
    other.import_state("d", content, {layout_of(older): older})
    restored = other._read(np.array([0]))
    kept = [METRIC_NAMES.index(name) for name in older[:-1]]
    for name, array in arrays.items():
        if array.shape[-1:] == (len(METRIC_NAMES),):
            assert np.array_equal(restored[name][..., kept], array[..., kept]), name


def test_a_flood_of_reports_teaches_a_cohort_no_more_than_one():
    random = np.random.default_rng(8)
    slow, flood = AnomalyDetector(), AnomalyDetector()
    for n in range(100):
        report = healthy(random)
        slow.score_all("d", START + timedelta(minutes=n), report, "all")
        for turn in range(10):
            moment = START + timedelta(minutes=n, milliseconds=turn)
            flood.score_all("d", moment, report, "all")
    weights = [each.fleet.cohort("all").sums["pair_weight"].max() for each in (slow, flood)]
    assert weights[1] <= weights[0] * 2.6  # its baseline is known sooner, no more


def queue(random, n_reports, n_days, received):
    """Return what a device sends that was offline for so many days."""
    return [
        DeviceReport(
            device_id="late",
            observed_at=received - timedelta(days=n_days * (1 - n / n_reports)),
            metrics=healthy(random),
            cohort="all",
            received_at=received,
        )
        for n in range(n_reports)
    ]


def test_a_queue_of_89_days_ends_no_time_of_learning():
    random = np.random.default_rng(9)
    detector = AnomalyDetector()
    received = START + timedelta(days=89)
    detector.score_batch(queue(random, 89 * 8, 89, received))
    for n in range(10):
        moment = received + timedelta(minutes=n)
        detector.score_all("d", moment, healthy(random), "all")
    cohort = detector.fleet.cohort("all")
    assert not cohort.is_settled
    assert cohort.seconds - cohort.first_seconds <= 600
    assert detector.alarms.pool.learnt_seconds <= 600


def test_a_queue_of_months_teaches_others_a_day_of_it():
    random = np.random.default_rng(10)
    detector = AnomalyDetector()
    detector.score_batch(queue(random, 89 * 12, 89, START + timedelta(days=89)))
    taught = detector.fleet.cohort("all").sums["pair_weight"].max()
    assert 6 <= taught <= 12


def test_another_worker_goes_on_where_a_device_stood():
    """A device that changes workers must not teach twice, nor count twice."""
    random = np.random.default_rng(11)
    first, second = AnomalyDetector(), AnomalyDetector()
    for n in range(100):
        first.score_all("d", START + timedelta(minutes=n), healthy(random), "all")
    moments = np.array([[START.timestamp() + 99.0, START.timestamp() + 60.0]])
    first.alarms.write_moments(np.array([first._rows["d"]]), moments)
    second.import_state("d", first.export_state("d"))
    assert second.export_state("d") == first.export_state("d")
    assert np.array_equal(second.alarms.read_moments(np.array([second._rows["d"]])), moments)
    moment = START + timedelta(minutes=99, milliseconds=1)
    second.score_all("d", moment, healthy(random), "all")
    assert second.fleet.cohort("all").sums["pair_weight"].max() == 0.0


def test_state_of_another_version_or_of_an_impossible_moment_is_refused():
    random = np.random.default_rng(12)
    detector, other = AnomalyDetector(), AnomalyDetector()
    for n in range(80):
        detector.score_all("d", START + timedelta(minutes=n), healthy(random), "all")
    stored = msgspec.msgpack.decode(detector.export_state("d"))
    other.import_state("d", msgspec.msgpack.encode(stored))
    assert other._memories["d"] == detector._memories["d"]
    for change in (
        {"version": 4},
        {"version": 6},
        {"told_at": 1e300},
        {"counted_at": np.nan},
        {"counted_at": 1e300},
    ):
        with pytest.raises(StateFormatError):
            other.import_state("d", msgspec.msgpack.encode({**stored, **change}))

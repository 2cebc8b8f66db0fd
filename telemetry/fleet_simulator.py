# SPDX-License-Identifier: Apache-2.0
"""A simulated fleet: reports with daily rhythm, cohorts and labelled faults that set in.

Deterministic for a seed. It trains the first health model and fills the portal on request; it
never stands in for a real device in a test of the real road. Signals are drawn per device from
its cohort's base levels; a fault pulls its signals to faulty levels, at once or over a ramp.
Healthy devices show hard negatives too: bursts, big but not full disks, a crash now and then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from contracts.failure import FailureClass
from contracts.telemetry import TelemetryReport
from telemetry.simulated_faults import FAULTS, FaultPattern
from telemetry.simulated_reports import Signals, build_report

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FAULT_SHARE = 0.15  # of the devices have a fault at some time
RAMP_REPORTS = 8
_BURST_CHANCE = 0.06
_SENSOR_LOSS_CHANCE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Devices of a kind: operating system, form factor and what they can measure."""

    name: str
    os_family: str
    os_version: str
    laptop: bool
    absent: frozenset[str] = frozenset()


_CONTAINER_ABSENT = frozenset(
    {
        "cpu_temperature_celsius",
        "battery_percent",
        "battery_health_percent",
        "wifi_signal_dbm",
        "vpn_connected",
        "dhcp_lease_valid",
        "proxy_reachable",
        "antivirus_running",
        "firewall_enabled",
        "logon_seconds",
        "audio_glitches",
        "print_queue_length",
        "sync_backlog",
        "smart_unhealthy",
        "unencrypted",
        "app_launch_ms",
    }
)
_DESKTOP_ABSENT = frozenset({"battery_percent", "battery_health_percent", "wifi_signal_dbm"})
COHORTS: tuple[Cohort, ...] = (
    Cohort(name="windows-laptop", os_family="windows", os_version="11 24H2", laptop=True),
    Cohort(
        name="windows-desktop",
        os_family="windows",
        os_version="10 22H2",
        laptop=False,
        absent=_DESKTOP_ABSENT,
    ),
    Cohort(name="macos-laptop", os_family="macos", os_version="15.2", laptop=True),
    Cohort(
        name="linux-desktop",
        os_family="linux",
        os_version="Debian 12",
        laptop=False,
        absent=_DESKTOP_ABSENT | {"antivirus_running"},
    ),
    Cohort(
        name="linux-container",
        os_family="linux",
        os_version="Debian 12",
        laptop=False,
        absent=_CONTAINER_ABSENT,
    ),
)

# Signal -> (base level, spread between devices, noise within a device), in the report's units.
_BASE: Mapping[str, tuple[float, float, float]] = {
    "cpu_percent": (18, 8, 9),
    "load_per_core": (0.4, 0.25, 0.2),
    "memory_percent": (52, 14, 3),
    "swap_percent": (6, 6, 1),
    "disk_used_percent": (52, 18, 0.2),
    "inodes_used_percent": (20, 10, 0.1),
    "smart_unhealthy": (0, 0, 0),
    "unencrypted": (0, 0, 0),
    "cpu_temperature_celsius": (55, 6, 4),
    "battery_percent": (65, 15, 6),
    "battery_health_percent": (88, 6, 0.2),
    "process_cpu": (22, 12, 18),
    "process_memory": (9, 5, 1),
    "service_fault": (0, 0, 0),
    "dns_latency_ms": (22, 10, 10),
    "dns_failure_percent": (0.2, 0.3, 0.6),
    "gateway_latency_ms": (6, 4, 4),
    "packet_loss_percent": (0.2, 0.2, 0.4),
    "wifi_signal_dbm": (-58, 7, 3),
    "vpn_connected": (1, 0, 0),
    "dhcp_lease_valid": (1, 0, 0),
    "proxy_reachable": (1, 0, 0),
    "clock_offset_seconds": (0.02, 0.2, 0.05),
    "pending_updates": (5, 5, 1),
    "broken_packages": (0, 0, 0),
    "reboot_required": (0, 0, 0),
    "antivirus_running": (1, 0, 0),
    "firewall_enabled": (1, 0, 0),
    "days_to_certificate_expiry": (190, 90, 0),
    "logon_seconds": (18, 7, 3),
    "failed_logons": (0.2, 0.2, 0.5),
    "print_queue_length": (0.4, 0.5, 0.8),
    "audio_glitches": (0.5, 0.7, 1),
    "sync_backlog": (20, 20, 15),
    "deployment_failures": (0, 0, 0),
    "experience_score": (88, 5, 3),
    "app_launch_ms": (1600, 600, 400),
    "app_crashes": (0, 0, 0),
    "app_hangs": (0, 0, 0),
    "app_errors": (0.5, 0.5, 1),
    "agent_queued_reports": (0, 0, 1),
    "agent_memory_bytes": (4.2e7, 5e6, 1e6),
    "agent_errors": (0, 0, 0),
    "log_errors": (1, 1, 1),
}
_DAILY = frozenset({"cpu_percent", "load_per_core", "process_cpu"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """A fault that a device will have: what, from which report on, how bad in [0, 1]."""

    failure_class: FailureClass
    pattern: FaultPattern
    first_report: int
    hardness: float


@dataclass(slots=True, kw_only=True)
class SimulatedDevice:
    """One device with its own base levels."""

    device_id: str
    cohort: Cohort
    base: dict[str, float]
    absent: frozenset[str]
    onset: Onset | None = None
    burst: float = 0.0

    def faulty_at(self, step: int) -> FailureClass | None:
        """Return the fault that shows clearly at a report, None before its ramp is half up."""
        if self.onset is None or _progress(self.onset, step) < 0.5:
            return None
        return self.onset.failure_class


class FleetSimulator:
    """Makes reports of `n_devices` devices, one a device and step."""

    def __init__(
        self,
        seed: int,
        n_devices: int,
        *,
        start: datetime = START,
        interval_seconds: float = 60.0,
        fault_share: float = FAULT_SHARE,
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._seed = seed
        self._start = start
        self._interval = timedelta(seconds=interval_seconds)
        self.devices = tuple(self._make_device(number) for number in range(n_devices))
        for device in self.devices:
            if self._random.random() < fault_share:
                classes = list(FAULTS)
                chosen = classes[int(self._random.integers(len(classes)))]
                self.plan_fault(device, chosen, first_report=int(self._random.integers(20, 120)))

    def plan_fault(
        self, device: SimulatedDevice, failure_class: FailureClass, *, first_report: int
    ) -> None:
        """Give a device a fault from a report on (a device has one at most).

        The device then measures the fault's first signal, whatever its cohort lacks: a fault
        that nobody can see would be a wrong label.
        """
        device.absent = device.absent - {FAULTS[failure_class].effects[0].signal}
        device.onset = Onset(
            failure_class=failure_class,
            pattern=FAULTS[failure_class],
            first_report=first_report,
            hardness=float(self._random.random()),
        )

    def reports(
        self, n_steps: int, first_step: int = 0
    ) -> Iterator[tuple[TelemetryReport, FailureClass | None]]:
        """Yield reports with their labels, step by step through the whole fleet."""
        for step in range(first_step, first_step + n_steps):
            for device in self.devices:
                yield self.report(device, step), device.faulty_at(step)

    def report(self, device: SimulatedDevice, step: int) -> TelemetryReport:
        """Return one device's report at a step."""
        observed_at = self._start + step * self._interval
        signals = self._draw(device, observed_at)
        if device.onset is not None:
            _apply_fault(signals, device.onset, step, self._random)
        return build_report(
            report_id=f"sim-{self._seed}-{device.device_id}-{step}",
            device_id=device.device_id,
            user_id=f"sim-user-{device.device_id.rsplit('-', 1)[-1]}",
            cohort_os=(device.cohort.os_family, device.cohort.os_version),
            observed_at=observed_at,
            signals={name: value for name, value in signals.items() if name not in device.absent},
            fault=device.onset.pattern if device.onset else None,
            faulty=device.faulty_at(step) is not None,
        )

    def _make_device(self, number: int) -> SimulatedDevice:
        cohort = COHORTS[int(self._random.integers(len(COHORTS)))]
        draws = np.clip(self._random.normal(size=len(_BASE)), -2, 2).tolist()
        base = {
            name: level + spread * draw
            for (name, (level, spread, _)), draw in zip(_BASE.items(), draws, strict=True)
        }
        lost = {name for name in _BASE if self._random.random() < _SENSOR_LOSS_CHANCE}
        return SimulatedDevice(
            device_id=f"sim-{cohort.name}-{number:05d}",
            cohort=cohort,
            base=base,
            absent=cohort.absent | lost - {"cpu_percent", "disk_used_percent"},
        )

    def _draw(self, device: SimulatedDevice, observed_at: datetime) -> Signals:
        hour = observed_at.hour + observed_at.minute / 60
        rhythm = 0.6 + 0.8 * max(0.0, float(np.sin((hour - 6) / 24 * 2 * np.pi)))
        signals: Signals = {}
        wobbles = self._random.normal(size=len(_BASE)).tolist()
        for (name, (_, _, noise)), wobble in zip(_BASE.items(), wobbles, strict=True):
            level = device.base[name] * (rhythm if name in _DAILY else 1.0)
            signals[name] = level + noise * wobble
        self._add_hard_negatives(device, signals)
        return signals

    def _add_hard_negatives(self, device: SimulatedDevice, signals: Signals) -> None:
        """Let healthy devices do what healthy devices do."""
        chance = self._random.random
        if chance() < _BURST_CHANCE:
            device.burst = 1.0
        if device.burst > 0.1:
            signals["cpu_percent"] += 60 * device.burst
            signals["load_per_core"] += 1.2 * device.burst
            signals["process_cpu"] += 85 * device.burst * float(chance())
            signals["cpu_temperature_celsius"] += 18 * device.burst
            device.burst *= 0.4
        for name, rare, amount in (
            ("app_crashes", 0.01, 1),
            ("app_hangs", 0.02, 1),
            ("failed_logons", 0.02, 2),
            ("vpn_connected", 0.1, -1),
            ("reboot_required", 0.1, 1),
            ("log_errors", 0.03, 6),
            ("dns_latency_ms", 0.03, 200),
            ("print_queue_length", 0.02, 5),
            ("sync_backlog", 0.03, 300),
        ):
            if chance() < rare:
                signals[name] += amount


def _progress(onset: Onset, step: int) -> float:
    if step < onset.first_report:
        return 0.0
    if not onset.pattern.gradual:
        return 1.0
    return min((step - onset.first_report + 1) / RAMP_REPORTS, 1.0)


def _apply_fault(signals: Signals, onset: Onset, step: int, random: np.random.Generator) -> None:
    progress = _progress(onset, step)
    for effect in onset.pattern.effects:
        level = effect.mild + (effect.hard - effect.mild) * onset.hardness
        wobble = 1.0 + 0.03 * float(np.clip(random.normal(), -2, 2)) * (not effect.exact)
        signals[effect.signal] += (level * wobble - signals[effect.signal]) * progress

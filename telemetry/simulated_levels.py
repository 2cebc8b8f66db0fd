# SPDX-License-Identifier: Apache-2.0
"""What a healthy device measures: levels of its own, moved by what it does. Pure.

Levels, noise and counts follow Kumaraswamy, log-logistic, exponential and geometric laws; nothing
here is Gaussian, and several metrics share one cause, so that they move together.
"""

import numpy as np

from telemetry.simulated_activity import Moment
from telemetry.simulated_columns import (
    COLUMNS,
    INDEX,
    N_COLUMNS,
)
from telemetry.simulated_population import COHORTS, MINUTES_A_DAY, PATCH_LEVELS, Population
from telemetry.simulated_randomness import (
    BoolArray,
    FloatArray,
    KeyArray,
    bell,
    derive_keys,
    geometric_count,
    heavy_factor,
    name_stream,
    uniform,
    waiting,
    wander,
)

_HIGHEST_HEALTHY_DISK = 88.0
# (low, high, peak) of a device's own level, drawn once per device.
_OWN_LEVELS: dict[str, tuple[float, float, float]] = {
    "cpu_percent": (2, 14, 1.4),
    "load_per_core": (0.05, 0.4, 1.5),
    "memory_percent": (28, 66, 1.8),
    "swap_percent": (0, 22, 1.0),
    "cpu_temperature_celsius": (36, 52, 2.0),
    "battery_percent": (30, 70, 2.0),
    "battery_health_percent": (79, 100, 2.0),
    "disk_used_percent_max": (18, 80, 1.6),
    "inodes_used_percent_max": (4, 45, 1.4),
    "process_memory_percent_max": (3, 16, 1.5),
    "dns_latency_ms": (8, 38, 1.6),
    "gateway_latency_ms": (1.5, 12, 1.3),
    "wifi_signal_dbm": (-69, -45, 2.0),
    "clock_offset_seconds": (-0.25, 0.25, 2.0),
    "days_to_certificate_expiry": (0, 335, 1.0),
    "logon_seconds": (8, 32, 1.5),
    "sync_backlog": (2, 40, 1.2),
    "experience_score": (84, 98, 2.0),
    "app_launch_ms_max": (700, 2600, 1.5),
    "agent_memory_bytes": (3.4e7, 5.0e7, 2.0),
    "received_bytes_per_second": (800, 9000, 1.2),
    "sent_bytes_per_second": (300, 3000, 1.2),
    "disk_read_bytes_per_second": (2e3, 6e4, 1.2),
    "disk_write_bytes_per_second": (4e3, 9e4, 1.2),
}
_INDIVIDUAL = frozenset(
    {
        "battery_health_percent",
        "disk_used_percent_max",
        "clock_offset_seconds",
        "days_to_certificate_expiry",
    }
)
_KINDS = 0xC0407  # keys of kinds are no keys of devices
_ALIKE = 0.4  # of a level is what devices of one cohort and model have in common


class LevelModel:
    """Healthy levels of a fleet's devices; immutable once made."""

    def __init__(self, population: Population, *, seed: int, bursts: bool) -> None:
        self._own = np.zeros((len(population), N_COLUMNS))
        kinds = _kind_keys(population, seed)
        for name, (low, high, peak) in _OWN_LEVELS.items():
            stream = name_stream("own " + name)
            alone = bell(uniform(population.keys, stream), low, high, peak=peak)
            alike = low + (high - low) * uniform(kinds, stream)
            share = 0.0 if name in _INDIVIDUAL else _ALIKE
            self._own[:, INDEX[name]] = (1.0 - share) * alone + share * alike
        behind = len(PATCH_LEVELS) - 1.0 - population.patch_levels
        self._own[:, INDEX["pending_updates"]] = 3.0 * behind
        self._laptop = np.array([cohort.laptop for cohort in COHORTS])[population.cohorts]
        self._drains = self._laptop & (population.sleeps > 0)
        self._rare = 1.0 if bursts else 0.0

    def compute(self, moment: Moment) -> FloatArray:
        """Return healthy levels, shape (n, n_columns); not yet bounded or rounded."""
        draw = _Draw(moment, self._own[moment.rows])
        levels = np.zeros((len(moment.rows), N_COLUMNS))
        columns = _compute_load(draw)
        columns |= _compute_memory(draw)
        columns |= _compute_storage(draw)
        columns |= _compute_power(draw, drains=self._drains[moment.rows])
        columns |= _compute_network(draw, self._rare)
        columns |= _compute_security(draw, self._rare)
        columns |= _compute_experience(draw, columns, self._rare)
        columns |= _compute_agent(draw, self._rare)
        columns |= _compute_traffic(draw)
        for name, values in columns.items():
            levels[:, INDEX[name]] = values
        return levels


def _kind_keys(population: Population, seed: int) -> KeyArray:
    """Return for each device the key of its cohort and model."""
    n_models = max(len(cohort.models) for cohort in COHORTS)
    keys = derive_keys(seed ^ _KINDS, n_models * len(COHORTS))
    of_devices: KeyArray = keys[population.cohorts * n_models + population.models]
    return of_devices


class _Draw:
    """Chance and own levels of one moment, looked up by metric."""

    def __init__(self, moment: Moment, own: FloatArray) -> None:
        self.moment = moment
        self._own = own

    def fresh(self, name: str) -> FloatArray:
        """Return chance in (0, 1), new in each report."""
        return self.moment.uniform(name)

    def slow(self, name: str) -> FloatArray:
        """Return chance in (0, 1) that wanders."""
        moment = self.moment
        period = COLUMNS[INDEX[name]].period_minutes
        return wander(moment.keys, name_stream("slow " + name), moment.minutes, period)

    def own(self, name: str) -> FloatArray:
        """Return the device's own level."""
        return self._own[:, INDEX[name]]

    def happens(self, name: str, share: float) -> FloatArray:
        """Return 1 with a small probability in each report, independent of `fresh`."""
        return (self.moment.uniform("rare " + name) < share).astype(np.float64)


Columns = dict[str, FloatArray]


def _compute_load(draw: _Draw) -> Columns:
    moment, jobs = draw.moment, draw.moment.jobs
    work = (
        24.0 * moment.activity * (0.5 + draw.slow("cpu_percent"))
        + 120.0 * jobs["compile"]
        + 38.0 * jobs["scan"]
        + 14.0 * jobs["backup"]
        + 24.0 * jobs["call"]
        + 60.0 * jobs["update"]
        + 70.0 * jobs["burst"]
    )
    demand = draw.own("cpu_percent") + work + 2.5 * waiting(draw.fresh("cpu_percent"))
    busy = 100.0 * (1.0 - np.exp(-demand / 95.0))
    top = 0.55 * demand * (0.4 + draw.slow("process_cpu_percent_max"))
    parallel = jobs["compile"] * (40.0 + 60.0 * draw.fresh("load_per_core"))
    return {
        "cpu_percent": busy,
        "load_per_core": draw.own("load_per_core")
        + busy / 100.0 * (0.5 + draw.slow("load_per_core"))
        + 1.3 * jobs["compile"]
        + 0.04 * waiting(draw.fresh("load_per_core")),
        "process_cpu_percent_max": top
        + parallel
        + 4.0 * waiting(draw.fresh("process_cpu_percent_max")),
        "cpu_temperature_celsius": draw.own("cpu_temperature_celsius")
        + 26.0 * (1.0 - np.exp(-work / 80.0))
        + 5.0 * draw.slow("cpu_temperature_celsius")
        + 2.0 * np.sin((moment.local_minutes % MINUTES_A_DAY - 540.0) / 720.0 * np.pi)
        + 0.5 * waiting(draw.fresh("cpu_temperature_celsius")),
    }


def _compute_memory(draw: _Draw) -> Columns:
    moment, jobs = draw.moment, draw.moment.jobs
    up_days = moment.uptime_minutes / MINUTES_A_DAY
    memory = (
        draw.own("memory_percent")
        + 13.0 * moment.activity
        + 5.0 * draw.slow("memory_percent")
        + 9.0 * jobs["compile"]
        + 1.6 * np.log1p(up_days)
        + 0.3 * waiting(draw.fresh("memory_percent"))
    )
    return {
        "memory_percent": memory,
        "swap_percent": draw.own("swap_percent") * np.minimum(up_days, 2.0) / 2.0
        + 0.5 * np.maximum(memory - 72.0, 0.0)
        + 3.0 * draw.slow("swap_percent"),
        "process_memory_percent_max": draw.own("process_memory_percent_max")
        * (0.8 + 0.5 * draw.slow("process_memory_percent_max"))
        + 4.0 * moment.activity
        + 0.2 * waiting(draw.fresh("process_memory_percent_max")),
    }


def _compute_storage(draw: _Draw) -> Columns:
    moment = draw.moment
    days = moment.local_minutes / MINUTES_A_DAY
    rate = 0.02 + 0.5 * moment.fixed("disk growth") ** 2  # percent a day, until someone cleans up
    grown = (rate * (days + 60.0 * moment.fixed("disk age"))) % 8.0
    staged = 1.5 * moment.awaits_restart + 1.0 * moment.jobs["download"]
    disk = draw.own("disk_used_percent_max") + grown + staged
    return {
        "disk_used_percent_max": np.minimum(
            disk + 0.4 * draw.slow("disk_used_percent_max"), _HIGHEST_HEALTHY_DISK
        ),
        "inodes_used_percent_max": draw.own("inodes_used_percent_max")
        + 0.3 * grown
        + 0.2 * draw.slow("inodes_used_percent_max"),
    }


def _compute_power(draw: _Draw, *, drains: BoolArray) -> Columns:
    age_years = draw.moment.minutes / (365.0 * MINUTES_A_DAY)
    swing = np.where(drains, 70.0, 25.0) * (draw.slow("battery_percent") - 0.5)
    centre = np.where(drains, draw.own("battery_percent"), 86.0)
    return {
        "battery_percent": np.maximum(centre + swing - 6.0 * draw.moment.jobs["call"], 6.0),
        "battery_health_percent": draw.own("battery_health_percent")
        - 9.0 * age_years
        + 0.4 * (draw.slow("battery_health_percent") - 0.5),
    }


def _compute_network(draw: _Draw, rare: float) -> Columns:
    moment = draw.moment
    load = moment.congestion * (1.0 + 1.2 * moment.jobs["download"])
    spikes = 1.0 + rare * draw.happens("latency", 0.006) * 7.0 * draw.fresh("vpn_connected")
    roaming = 9.0 * (draw.slow("wifi_signal_dbm") - 0.5)
    away = (moment.daily("works from elsewhere") < 0.2) & (draw.slow("vpn_connected") < 0.3)
    return {
        "dns_latency_ms": draw.own("dns_latency_ms")
        * load**0.7
        * spikes
        * heavy_factor(draw.fresh("dns_latency_ms"), 5.0),
        "dns_failure_percent": np.where(
            draw.fresh("dns_failure_percent") < 0.12,
            1.2 * waiting(moment.uniform("failed lookups")) * np.minimum(moment.congestion, 4.0),
            0.0,
        ),
        "gateway_latency_ms": draw.own("gateway_latency_ms")
        * load
        * spikes
        * heavy_factor(draw.fresh("gateway_latency_ms"), 6.0),
        "packet_loss_percent": np.where(
            draw.fresh("packet_loss_percent") < 0.3,
            0.15 * waiting(moment.uniform("lost packets")) * np.minimum(moment.congestion, 5.0),
            0.0,
        ),
        "wifi_signal_dbm": draw.own("wifi_signal_dbm")
        + roaming
        - 0.8 * waiting(draw.fresh("wifi_signal_dbm")),
        "vpn_connected": np.where(away, 0.0, 1.0),
        "dhcp_lease_valid": 1.0 - rare * draw.happens("lease", 2e-4),
        "proxy_reachable": 1.0 - rare * draw.happens("proxy", 4e-4),
        "clock_offset_seconds": draw.own("clock_offset_seconds")
        + 0.1 * (draw.slow("clock_offset_seconds") - 0.5),
    }


def _compute_security(draw: _Draw, rare: float) -> Columns:
    moment = draw.moment
    week = (moment.local_minutes / MINUTES_A_DAY - 1.0) % 7.0  # patches appear on Tuesday
    pending = draw.own("pending_updates") + np.where(week < 2.0, 4.0, 0.0)
    days_left = draw.own("days_to_certificate_expiry") - moment.minutes / MINUTES_A_DAY
    failures = moment.activity * 0.03 + rare * draw.happens("mistyped", 0.003) * 1.5
    return {
        "pending_updates": pending
        + np.floor(6.0 * moment.fixed("pending"))
        + np.rint(3.0 * moment.daily("new updates")),
        "reboot_required": moment.awaits_restart,
        "antivirus_running": 1.0 - rare * draw.happens("antivirus", 3e-4),
        "firewall_enabled": np.ones(len(moment.rows)),
        "days_to_certificate_expiry": 30.0 + days_left % 335.0,
        "logon_seconds": draw.own("logon_seconds")
        * (0.85 + 0.3 * moment.daily("logon"))
        * np.minimum(0.9 + 0.1 * moment.congestion, 1.6),
        "failed_logons": geometric_count(draw.fresh("failed_logons"), failures + 1e-4),
    }


def _compute_experience(draw: _Draw, columns: Columns, rare: float) -> Columns:
    moment = draw.moment
    busy = columns["cpu_percent"] / 100.0
    queued = moment.activity * (0.25 + rare * 5.0 * draw.happens("many pages", 0.004))
    glitches = 0.05 + 1.2 * moment.jobs["call"] * np.minimum(moment.congestion, 3.0)
    saved = 1.0 + 12.0 * moment.jobs["compile"] + 6.0 * moment.jobs["download"]
    backlog = draw.own("sync_backlog") * saved * (0.3 + 1.5 * draw.slow("sync_backlog"))
    return {
        "print_queue_length": geometric_count(draw.fresh("print_queue_length"), queued + 1e-4),
        "audio_glitches": geometric_count(draw.fresh("audio_glitches"), glitches),
        "sync_backlog": backlog * heavy_factor(draw.fresh("sync_backlog"), 5.0),
        "deployment_failures": np.where(moment.daily("deployment") < 0.01, rare, 0.0),
        "experience_score": draw.own("experience_score")
        - 14.0 * busy**2
        - 3.0 * np.log(np.maximum(moment.congestion, 1.0))
        - 5.0 * draw.slow("experience_score")
        - 0.7 * waiting(draw.fresh("experience_score")),
        "app_launch_ms_max": draw.own("app_launch_ms_max")
        * (0.9 + 0.9 * busy)
        * heavy_factor(draw.fresh("app_launch_ms_max"), 7.0),
        "app_crashes": geometric_count(draw.fresh("app_crashes"), 1e-4 + 0.003 * moment.activity),
        "app_hangs": geometric_count(draw.fresh("app_hangs"), 1e-4 + 0.008 * moment.activity),
        "app_errors": geometric_count(draw.fresh("app_errors"), 0.1 + 0.5 * moment.activity),
    }


def _compute_agent(draw: _Draw, rare: float) -> Columns:
    moment = draw.moment
    started = np.exp(-moment.uptime_minutes / 6.0)
    restarts = np.floor(moment.uptime_minutes / MINUTES_A_DAY * 0.4 + moment.fixed("restarts"))
    return {
        "agent_queued_reports": geometric_count(draw.fresh("agent_queued_reports"), 0.15),
        "agent_errors": rare * draw.happens("agent", 0.002),
        "agent_memory_bytes": draw.own("agent_memory_bytes")
        * (1.0 + 0.08 * np.log1p(moment.uptime_minutes / MINUTES_A_DAY))
        + 1.5e6 * draw.slow("agent_memory_bytes"),
        "log_errors": geometric_count(
            draw.fresh("log_errors"), 0.3 + 0.5 * moment.activity + 12.0 * started
        ),
        "uptime_seconds": 60.0 * moment.uptime_minutes,
        "service_restarts": restarts,
    }


def _compute_traffic(draw: _Draw) -> Columns:
    jobs, activity = draw.moment.jobs, draw.moment.activity
    moved = {
        "received_bytes_per_second": 6e4 * activity + 4e6 * jobs["download"] + 2e5 * jobs["call"],
        "sent_bytes_per_second": 1e4 * activity + 8e5 * jobs["backup"] + 2e5 * jobs["call"],
        "disk_read_bytes_per_second": 1e5 * activity + 3e7 * jobs["scan"] + 9e6 * jobs["compile"],
        "disk_write_bytes_per_second": 8e4 * activity
        + 6e6 * jobs["backup"]
        + 2e7 * jobs["update"]
        + 7e6 * jobs["compile"],
    }
    return {
        name: (draw.own(name) + amount) * heavy_factor(draw.fresh(name), 2.5)
        for name, amount in moved.items()
    }

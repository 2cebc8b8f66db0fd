# SPDX-License-Identifier: Apache-2.0
"""The columns of simulated telemetry: flat metric names, what they may hold, how fast they wander.

Names are those of `normalisation.flatten_metrics`. A count is a whole number, a flag is 0 or 1;
what has `always` stands in every report, whatever sensors a device lacks.
"""

from dataclasses import dataclass

import numpy as np

from telemetry.simulated_randomness import FloatArray

GREATEST = 1e15
_DECIMALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One flat metric."""

    name: str
    highest: float = GREATEST
    lowest: float = 0.0
    whole: bool = False
    always: bool = False
    period_minutes: float = 30.0  # how fast its slow part wanders


def _percent(name: str, period: float = 30.0, *, always: bool = False) -> Column:
    return Column(name=name, highest=100.0, period_minutes=period, always=always)


def _count(name: str, *, always: bool = False, highest: float = 1e5) -> Column:
    return Column(name=name, highest=highest, whole=True, always=always)


def _flag(name: str) -> Column:
    return Column(name=name, highest=1.0, whole=True, period_minutes=240.0)


def _amount(name: str, period: float = 30.0, *, always: bool = False) -> Column:
    return Column(name=name, period_minutes=period, always=always)


COLUMNS: tuple[Column, ...] = (
    _percent("cpu_percent", 17),
    _amount("load_per_core", 17),
    _percent("memory_percent", 55),
    _percent("swap_percent", 120),
    Column(name="cpu_temperature_celsius", lowest=-60.0, highest=200.0, period_minutes=25.0),
    _percent("battery_percent", 190),
    _percent("battery_health_percent", 2000),
    _percent("disk_used_percent_max", 400, always=True),
    _percent("inodes_used_percent_max", 600),
    _count("smart_unhealthy_disks", highest=1.0),
    _count("unencrypted_disks", highest=1.0),
    Column(name="process_cpu_percent_max", highest=1e5, always=True, period_minutes=9.0),
    _percent("process_memory_percent_max", 70, always=True),
    _count("services_down", always=True, highest=1.0),
    _amount("dns_latency_ms", 45),
    _percent("dns_failure_percent"),
    _amount("gateway_latency_ms", 45),
    _percent("packet_loss_percent"),
    Column(name="wifi_signal_dbm", lowest=-130.0, highest=0.0, period_minutes=50.0),
    _flag("vpn_connected"),
    _flag("dhcp_lease_valid"),
    _flag("proxy_reachable"),
    Column(name="clock_offset_seconds", lowest=-1e10, highest=1e10, period_minutes=300.0),
    _count("pending_updates"),
    _count("broken_packages"),
    _flag("reboot_required"),
    _flag("antivirus_running"),
    _flag("firewall_enabled"),
    Column(name="days_to_certificate_expiry", lowest=-36500.0, highest=36500.0),
    _amount("logon_seconds", 500),
    _count("failed_logons"),
    _count("print_queue_length"),
    _count("audio_glitches"),
    _count("sync_backlog", highest=1e9),
    _count("deployment_failures"),
    _percent("experience_score", 80),
    _count("app_crashes", always=True),
    _count("app_hangs", always=True),
    _count("app_errors", always=True),
    _amount("app_launch_ms_max", 60),
    _count("agent_queued_reports", always=True, highest=1e9),
    _count("agent_errors", always=True),
    _amount("agent_memory_bytes", 200),
    _count("log_errors", always=True, highest=50.0),
    _amount("uptime_seconds"),
    _count("service_restarts"),
    _amount("received_bytes_per_second", 12),
    _amount("sent_bytes_per_second", 12),
    _amount("disk_read_bytes_per_second", 12),
    _amount("disk_write_bytes_per_second", 12),
)
SIGNAL_NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
INDEX: dict[str, int] = {name: position for position, name in enumerate(SIGNAL_NAMES)}
N_COLUMNS = len(COLUMNS)
ALWAYS_PRESENT: frozenset[str] = frozenset(c.name for c in COLUMNS if c.always)
_LOWEST = np.array([c.lowest for c in COLUMNS])
_HIGHEST = np.array([c.highest for c in COLUMNS])
_WHOLE = np.array([c.whole for c in COLUMNS])


def fit_to_wire(levels: FloatArray) -> FloatArray:
    """Bound and round levels of shape (n, n_columns) to what a report of the wire can hold."""
    bounded = np.clip(levels, _LOWEST, _HIGHEST)
    bounded[:, _WHOLE] = np.rint(bounded[:, _WHOLE])
    fitted: FloatArray = np.round(bounded, _DECIMALS)
    return fitted

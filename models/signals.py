# SPDX-License-Identifier: Apache-2.0
"""The metrics that models look at, and what each value means for a person's device.

One table, shared by the anomaly detector and the health classifier. A `Signal` states where a
value stops being ordinary (`healthy`), where it surely hurts (`severe`; below `healthy` when
low values are bad) and the least spread that counts as normal variation (`scale_floor`, after
the optional log1p), because quiet series have a spread of zero.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.failure import FailureClass as F

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One flat metric with its direction of harm."""

    metric: str
    healthy: float
    severe: float
    scale_floor: float
    logarithmic: bool = False
    points_to: F = F.UNKNOWN


def _signal(
    metric: str,
    limits: tuple[float, float],
    floor: float,
    points_to: F = F.UNKNOWN,
    *,
    log: bool = False,
) -> Signal:
    return Signal(
        metric=metric,
        healthy=limits[0],
        severe=limits[1],
        scale_floor=floor,
        logarithmic=log,
        points_to=points_to,
    )


SIGNALS: tuple[Signal, ...] = (
    _signal("cpu_percent", (85, 100), 25),
    _signal("load_per_core", (1.5, 4), 1),
    _signal("memory_percent", (85, 98), 8, F.MEMORY_LEAK),
    _signal("swap_percent", (50, 95), 20),
    _signal("cpu_temperature_celsius", (80, 100), 8, F.THERMAL),
    _signal("battery_percent", (20, 3), 40),
    _signal("battery_health_percent", (75, 40), 10, F.BATTERY),
    _signal("disk_used_percent_max", (85, 97), 5, F.DISK_FULL),
    _signal("inodes_used_percent_max", (85, 98), 5, F.DISK_FULL),
    _signal("smart_unhealthy_disks", (0, 1), 0.12, F.DISK_HEALTH),
    _signal("unencrypted_disks", (0, 1), 0.12, F.DISK_ENCRYPTION),
    _signal("process_cpu_percent_max", (80, 100), 60),
    _signal("process_memory_percent_max", (30, 60), 10, F.MEMORY_LEAK),
    _signal("services_down", (0, 1), 0.5, F.SERVICE_DOWN),
    _signal("dns_latency_ms", (150, 1000), 0.7, F.DNS, log=True),
    _signal("dns_failure_percent", (5, 50), 10, F.DNS),
    _signal("gateway_latency_ms", (50, 400), 0.7, F.WIFI_VPN, log=True),
    _signal("packet_loss_percent", (2, 20), 5, F.WIFI_VPN),
    _signal("wifi_signal_dbm", (-75, -88), 6, F.WIFI_VPN),
    _signal("vpn_connected", (1, 0), 1),
    _signal("dhcp_lease_valid", (1, 0), 0.12, F.DHCP),
    _signal("proxy_reachable", (1, 0), 0.12, F.PROXY),
    _signal("clock_offset_seconds", (5, 120), 1, F.TIME_SKEW, log=True),
    _signal("pending_updates", (20, 80), 20, F.OS_UPDATE),
    _signal("broken_packages", (0, 2), 1, F.PACKAGE_STATE),
    _signal("reboot_required", (0, 1), 1),
    _signal("antivirus_running", (1, 0), 0.12, F.SECURITY_AGENT_OFF),
    _signal("firewall_enabled", (1, 0), 0.12, F.SECURITY_AGENT_OFF),
    _signal("days_to_certificate_expiry", (21, 2), 10, F.CERTIFICATE),
    _signal("logon_seconds", (45, 150), 0.6, F.SLOW_LOGON, log=True),
    _signal("failed_logons", (3, 15), 0.8, F.CREDENTIALS, log=True),
    _signal("print_queue_length", (5, 40), 0.8, F.PRINTING, log=True),
    _signal("audio_glitches", (5, 40), 0.8, F.AUDIO_VIDEO, log=True),
    _signal("sync_backlog", (200, 5000), 1, F.SYNC_CLIENT, log=True),
    _signal("deployment_failures", (0, 3), 1, F.OS_UPDATE),
    _signal("experience_score", (60, 25), 25),
    _signal("app_crashes", (0, 3), 0.6, F.APP_CRASH, log=True),
    _signal("app_hangs", (0, 4), 0.6, F.APP_CRASH, log=True),
    _signal("app_errors", (5, 40), 0.8, F.APP_CRASH, log=True),
    _signal("app_launch_ms_max", (4000, 20000), 0.7, log=True),
    _signal("agent_queued_reports", (50, 1000), 1.2, F.SICK_AGENT, log=True),
    _signal("agent_errors", (1, 10), 0.8, F.SICK_AGENT, log=True),
    _signal("agent_memory_bytes", (2e8, 8e8), 0.7, F.SICK_AGENT, log=True),
    _signal("log_errors", (5, 40), 1, log=True),
)
METRIC_NAMES: tuple[str, ...] = tuple(signal.metric for signal in SIGNALS)
N_SIGNALS = len(SIGNALS)
SIGNED_METRICS = frozenset({"clock_offset_seconds"})  # harm lies in the size, not the sign
GREATEST_VALUE = 1e15  # the telemetry contract's own bound

_HEALTHY = np.array([signal.healthy for signal in SIGNALS])
_SPAN = np.array([signal.severe - signal.healthy for signal in SIGNALS])
HARM_DIRECTION: FloatArray = np.sign(_SPAN)
SCALE_FLOORS: FloatArray = np.array([signal.scale_floor for signal in SIGNALS])
_LOGARITHMIC = np.array([signal.logarithmic for signal in SIGNALS])
_LIMIT_MULTIPLES = 1_000.0  # beyond so many times what hurts, size says nothing more
_MOST = _LIMIT_MULTIPLES * np.array([max(abs(each.healthy), abs(each.severe)) for each in SIGNALS])


def read_value(name: str, value: object) -> float:
    """Return a metric as a float, NaN when it is absent, no number or beyond all measure."""
    if not isinstance(value, int | float):
        return math.nan
    number = float(value)
    if not abs(number) <= GREATEST_VALUE:
        return math.nan
    return abs(number) if name in SIGNED_METRICS else number


def severity_scores(values: FloatArray) -> FloatArray:
    """Map raw values of shape (..., n_signals) to harm: 0 ordinary, 1 severe, at most 1.5.

    Absent values (NaN) count as ordinary.
    """
    scores = (values - _HEALTHY) / _SPAN
    clipped: FloatArray = np.clip(np.nan_to_num(scores, nan=0.0), 0.0, 1.5)
    return clipped


def transform(values: FloatArray) -> FloatArray:
    """Return what the statistics see: log1p of heavy-tailed signals, nothing beyond all measure.

    Shape (..., n_signals); NaN stays NaN.
    """
    bounded = np.clip(values, -_MOST, _MOST)
    logarithms: FloatArray = np.log1p(np.maximum(bounded, 0.0))
    return np.where(_LOGARITHMIC, logarithms, bounded)

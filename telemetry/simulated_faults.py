# SPDX-License-Identifier: Apache-2.0
"""What each simulated failure pattern does to a device's signals.

Levels run from a mild to a hard case. `gradual` patterns ramp up over several reports, others
set in at once. Pure data; who uses it is `fleet_simulator`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.failure import FailureClass as F


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A signal and the levels a fault pulls it to; exact levels (booleans) do not wobble."""

    signal: str
    mild: float
    hard: float
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPattern:
    """The effects of one failure, and the names it shows under."""

    effects: tuple[Effect, ...]
    gradual: bool = False
    process_name: str = ""
    application_name: str = ""
    log_message: str = ""


def _level(signal: str, mild: float, hard: float) -> Effect:
    return Effect(signal=signal, mild=mild, hard=hard)


def _state(signal: str, value: float) -> Effect:
    return Effect(signal=signal, mild=value, hard=value, exact=True)


FAULTS: Mapping[F, FaultPattern] = {
    F.DISK_FULL: FaultPattern(
        effects=(
            Effect(signal="disk_used_percent", mild=91, hard=99.8, exact=True),
            _level("log_errors", 4, 20),
            _level("experience_score", 75, 50),
        ),
        gradual=True,
        log_message="write failed: no space left on device",
    ),
    F.RUNAWAY_PROCESS: FaultPattern(
        effects=(
            Effect(signal="process_cpu", mild=96, hard=180, exact=True),
            _level("cpu_percent", 45, 98),
            _level("load_per_core", 1, 3),
            _level("cpu_temperature_celsius", 70, 88),
            _level("experience_score", 70, 45),
        ),
        process_name="indexer",
    ),
    F.MEMORY_LEAK: FaultPattern(
        effects=(
            _level("memory_percent", 93, 98),
            _level("process_memory", 40, 75),
            _level("swap_percent", 30, 90),
        ),
        gradual=True,
        process_name="report-server",
    ),
    F.THERMAL: FaultPattern(
        effects=(_level("cpu_temperature_celsius", 94, 104), _level("experience_score", 70, 50)),
        gradual=True,
    ),
    F.BATTERY: FaultPattern(
        effects=(_level("battery_health_percent", 55, 20), _level("battery_percent", 30, 8)),
        gradual=True,
    ),
    F.DNS: FaultPattern(
        effects=(
            _level("dns_failure_percent", 40, 95),
            _level("dns_latency_ms", 600, 4000),
            _level("app_errors", 3, 15),
        ),
        log_message="temporary failure in name resolution",
    ),
    F.PROXY: FaultPattern(
        effects=(_state("proxy_reachable", 0), _level("app_errors", 5, 25)),
        log_message="CONNECT to the proxy timed out",
    ),
    F.WIFI_VPN: FaultPattern(
        effects=(
            _level("packet_loss_percent", 15, 50),
            _level("gateway_latency_ms", 150, 900),
            _level("wifi_signal_dbm", -83, -91),
            _state("vpn_connected", 0),
        )
    ),
    F.DHCP: FaultPattern(
        effects=(_state("dhcp_lease_valid", 0), _level("dns_failure_percent", 10, 60))
    ),
    F.TIME_SKEW: FaultPattern(effects=(_level("clock_offset_seconds", 90, 2000),)),
    F.PRINTING: FaultPattern(
        effects=(_level("print_queue_length", 25, 90),), gradual=True, log_message="spooler stalled"
    ),
    F.SYNC_CLIENT: FaultPattern(
        effects=(_level("sync_backlog", 4000, 60_000),), gradual=True, application_name="OneDrive"
    ),
    F.OS_UPDATE: FaultPattern(
        effects=(
            _level("pending_updates", 60, 160),
            _level("deployment_failures", 3, 9),
            _state("reboot_required", 1),
        )
    ),
    F.PACKAGE_STATE: FaultPattern(effects=(_level("broken_packages", 2, 9),)),
    F.CERTIFICATE: FaultPattern(effects=(_level("days_to_certificate_expiry", 5, -3),)),
    F.DISK_HEALTH: FaultPattern(
        effects=(_state("smart_unhealthy", 1), _level("log_errors", 8, 40)),
        log_message="I/O error, sector remapped",
    ),
    F.DISK_ENCRYPTION: FaultPattern(effects=(_state("unencrypted", 1),)),
    F.SECURITY_AGENT_OFF: FaultPattern(
        effects=(_state("antivirus_running", 0), _state("firewall_enabled", 0))
    ),
    F.SLOW_LOGON: FaultPattern(
        effects=(_level("logon_seconds", 125, 400), _level("experience_score", 65, 40))
    ),
    F.APP_CRASH: FaultPattern(
        effects=(
            _level("app_crashes", 3, 12),
            _level("app_hangs", 1, 6),
            _level("app_errors", 5, 30),
        ),
        application_name="LedgerPro",
        log_message="segmentation fault",
    ),
    F.AUDIO_VIDEO: FaultPattern(effects=(_level("audio_glitches", 25, 120),)),
    F.SERVICE_DOWN: FaultPattern(
        effects=(_state("service_fault", 1), _level("log_errors", 4, 15)),
        log_message="main process exited, code=exited, status=1",
    ),
    F.CREDENTIALS: FaultPattern(effects=(_level("failed_logons", 12, 60),)),
    F.SICK_AGENT: FaultPattern(
        effects=(
            _level("agent_errors", 11, 50),
            _level("agent_queued_reports", 300, 4000),
            _level("agent_memory_bytes", 3e8, 9e8),
        )
    ),
}

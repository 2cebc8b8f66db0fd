# SPDX-License-Identifier: Apache-2.0
"""What each simulated failure pattern does to a device's metrics.

Levels run from a mild to a hard case. `gradual` patterns ramp up, others set in at once; those
that `may_come_and_go` may also be intermittent. Pure data; who uses it is `simulated_disturbance`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.failure import FailureClass as F


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A flat metric and the levels a fault pulls it to; exact levels (flags) do not wobble.

    `subtle` is a level that is not bad in itself, only unlike an ordinary device.
    """

    signal: str
    mild: float
    hard: float
    exact: bool = False
    subtle: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPattern:
    """The effects of one failure, and the names it shows under.

    The first effect is the leading one: a device with this fault measures it. `looks_like` is the
    class whose numbers are the same; only the application's name tells such patterns apart.
    """

    effects: tuple[Effect, ...]
    gradual: bool = False
    may_come_and_go: bool = False
    process_name: str = ""
    application_name: str = ""
    log_message: str = ""
    looks_like: F | None = None

    @property
    def may_be_subtle(self) -> bool:
        """Whether the leading metric can stay inside absolute limits and yet be unusual."""
        return self.effects[0].subtle is not None

    @property
    def signals(self) -> tuple[str, ...]:
        """The metrics that this pattern moves."""
        return tuple(effect.signal for effect in self.effects)


def _level(signal: str, mild: float, hard: float, subtle: float | None = None) -> Effect:
    return Effect(signal=signal, mild=mild, hard=hard, subtle=subtle)


def _exact(signal: str, mild: float, hard: float) -> Effect:
    return Effect(signal=signal, mild=mild, hard=hard, exact=True)


def _state(signal: str, value: float) -> Effect:
    return Effect(signal=signal, mild=value, hard=value, exact=True)


_CRASHES = (
    _level("app_crashes", 3, 12),
    _level("app_hangs", 1, 6),
    _level("app_errors", 5, 30),
    _level("app_launch_ms_max", 3500, 15_000),
)

FAULTS: Mapping[F, FaultPattern] = {
    F.DISK_FULL: FaultPattern(
        effects=(
            _exact("disk_used_percent_max", 91, 99.8),
            _level("log_errors", 4, 20),
            _level("experience_score", 75, 50),
        ),
        gradual=True,
        log_message="write failed: no space left on device",
    ),
    F.RUNAWAY_PROCESS: FaultPattern(
        effects=(
            _level("process_cpu_percent_max", 100, 180),
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
            _level("process_memory_percent_max", 40, 75),
            _level("swap_percent", 30, 90),
        ),
        gradual=True,
        process_name="report-server",
    ),
    F.THERMAL: FaultPattern(
        effects=(
            _level("cpu_temperature_celsius", 94, 104, 79),
            _level("experience_score", 70, 50),
        ),
        gradual=True,
    ),
    F.BATTERY: FaultPattern(
        effects=(_level("battery_health_percent", 55, 20), _level("battery_percent", 30, 8)),
        gradual=True,
    ),
    F.DNS: FaultPattern(
        effects=(
            _level("dns_failure_percent", 40, 95, 4.5),
            _level("dns_latency_ms", 600, 4000, 130),
            _level("app_errors", 3, 15),
        ),
        may_come_and_go=True,
        log_message="temporary failure in name resolution",
    ),
    F.PROXY: FaultPattern(
        effects=(_state("proxy_reachable", 0), _level("app_errors", 5, 25)),
        may_come_and_go=True,
        log_message="CONNECT to the proxy timed out",
    ),
    F.WIFI_VPN: FaultPattern(
        effects=(
            _level("packet_loss_percent", 15, 50, 1.9),
            _level("gateway_latency_ms", 150, 900, 45),
            _level("wifi_signal_dbm", -83, -91, -74),
            _state("vpn_connected", 0),
        ),
        may_come_and_go=True,
    ),
    F.DHCP: FaultPattern(
        effects=(_state("dhcp_lease_valid", 0), _level("dns_failure_percent", 10, 60)),
        may_come_and_go=True,
    ),
    F.TIME_SKEW: FaultPattern(effects=(_level("clock_offset_seconds", 90, 2000, 4.6),)),
    F.PRINTING: FaultPattern(
        effects=(_level("print_queue_length", 25, 90, 5),),
        gradual=True,
        log_message="spooler stalled",
    ),
    F.MAIL_CLIENT: FaultPattern(
        effects=_CRASHES,
        may_come_and_go=True,
        application_name="Outlook",
        log_message="faulting module name: outlook.exe",
        looks_like=F.APP_CRASH,
    ),
    F.CHAT_CLIENT: FaultPattern(
        effects=_CRASHES,
        may_come_and_go=True,
        application_name="Teams",
        log_message="renderer process gone: Teams",
        looks_like=F.APP_CRASH,
    ),
    F.SYNC_CLIENT: FaultPattern(
        effects=(_level("sync_backlog", 4000, 60_000, 190),),
        gradual=True,
        application_name="OneDrive",
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
        effects=(_state("smart_unhealthy_disks", 1), _level("log_errors", 8, 40)),
        log_message="I/O error, sector remapped",
    ),
    F.DISK_ENCRYPTION: FaultPattern(effects=(_state("unencrypted_disks", 1),)),
    F.SECURITY_AGENT_OFF: FaultPattern(
        effects=(_state("antivirus_running", 0), _state("firewall_enabled", 0))
    ),
    F.SLOW_LOGON: FaultPattern(
        effects=(_level("logon_seconds", 125, 400, 43), _level("experience_score", 65, 40)),
    ),
    F.APP_CRASH: FaultPattern(
        effects=_CRASHES,
        may_come_and_go=True,
        application_name="LedgerPro",
        log_message="segmentation fault",
    ),
    F.AUDIO_VIDEO: FaultPattern(
        effects=(_level("audio_glitches", 25, 120, 5),), may_come_and_go=True
    ),
    F.BROWSER: FaultPattern(
        effects=_CRASHES,
        may_come_and_go=True,
        application_name="Firefox",
        log_message="tab process crashed: Firefox",
        looks_like=F.APP_CRASH,
    ),
    F.SERVICE_DOWN: FaultPattern(
        effects=(_state("services_down", 1), _level("log_errors", 4, 15)),
        log_message="main process exited, code=exited, status=1",
    ),
    F.CREDENTIALS: FaultPattern(
        effects=(_level("failed_logons", 12, 60, 3),), may_come_and_go=True
    ),
    F.SICK_AGENT: FaultPattern(
        effects=(
            _level("agent_errors", 11, 50, 1),
            _level("agent_queued_reports", 300, 4000, 45),
            _level("agent_memory_bytes", 3e8, 9e8, 1.7e8),
        ),
    ),
}


def shown_class(failure: F) -> F:
    """Return the class that a failure's numbers show: application faults look alike."""
    return FAULTS[failure].looks_like or failure

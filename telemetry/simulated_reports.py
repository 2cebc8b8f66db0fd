# SPDX-License-Identifier: Apache-2.0
"""Put the simulator's signals into a telemetry report of the wire format. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.telemetry import (
    AgentHealth,
    Application,
    Disk,
    Experience,
    Hardware,
    LogLine,
    Network,
    Package,
    Process,
    Service,
    Software,
    TelemetryReport,
)
from telemetry.simulated_faults import FaultPattern
from telemetry.simulated_randomness import IntArray

_MOUNTS = {"windows": "C:", "macos": "/System/Volumes/Data", "linux": "/"}
_SERVICES = {
    "windows": ("Spooler", "Dnscache", "WinDefend"),
    "macos": ("com.apple.mDNSResponder", "org.cups.cupsd", "com.apple.timed"),
    "linux": ("cron", "ssh", "cups"),
}
_APPLICATIONS = ("Writer", "Outlook", "Teams", "Firefox")
BUSY_NAMES = ("compiler", "browser", "editor")
_TOTAL_BYTES = 5.12e11
_MAX_LOG_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """Whose report it is and what it names; `fault` only once it shows clearly."""

    report_id: str
    device_id: str
    user_id: str
    os_family: str
    os_version: str
    model: str
    patch_level: str
    observed_at: datetime
    busiest: str  # process
    patches: tuple[str, ...] = ()
    fault: FaultPattern | None = None


def build_report(source: ReportSource, signals: Mapping[str, float]) -> TelemetryReport:
    """Return the report; a signal that is absent is left out, as on a real device.

    Args:
        source: whose report it is.
        signals: by flat name, bounded and rounded as `simulated_columns.fit_to_wire` does.

    """
    return TelemetryReport(
        report_id=source.report_id,
        device_id=source.device_id,
        user_id=source.user_id,
        timestamp=source.observed_at,
        hardware=_build_hardware(signals, source),
        software=_build_software(signals, source),
        network=_build_network(signals),
        agent=AgentHealth(
            version="0.1.0-simulated",
            queued_reports=_count(signals, "agent_queued_reports") or 0,
            memory_bytes=signals.get("agent_memory_bytes"),
            errors=_count(signals, "agent_errors") or 0,
        ),
        applications=_build_applications(signals, source.fault),
        experience=Experience(
            score=signals.get("experience_score"),
            print_queue_length=_count(signals, "print_queue_length"),
            audio_glitches=_count(signals, "audio_glitches"),
            sync_backlog=_count(signals, "sync_backlog"),
            deployment_failures=_count(signals, "deployment_failures"),
        ),
        logs=_build_logs(signals, source.fault),
    )


def turn_of_busiest(rows: IntArray | int, steps: IntArray | int) -> IntArray | int:
    """Return which of `BUSY_NAMES` is busiest on a healthy device; load moves on every two reports.

    What stays with one name for longer is a runaway process.
    """
    return (rows + steps // 2) % len(BUSY_NAMES)


def _build_hardware(signals: Mapping[str, float], source: ReportSource) -> Hardware:
    disk = Disk(
        mount=_MOUNTS[source.os_family],
        total_bytes=_TOTAL_BYTES,
        used_percent=signals.get("disk_used_percent_max", 0.0),
        inodes_used_percent=signals.get("inodes_used_percent_max"),
        smart_healthy=_inverted(signals, "smart_unhealthy_disks"),
        encrypted=_inverted(signals, "unencrypted_disks"),
    )
    return Hardware(
        cpu_percent=signals.get("cpu_percent"),
        cpu_count=8,
        load_per_core=signals.get("load_per_core"),
        memory_percent=signals.get("memory_percent"),
        memory_total_bytes=1.6e10,
        swap_percent=signals.get("swap_percent"),
        disks=(disk,),
        disk_read_bytes_per_second=signals.get("disk_read_bytes_per_second"),
        disk_write_bytes_per_second=signals.get("disk_write_bytes_per_second"),
        cpu_temperature_celsius=signals.get("cpu_temperature_celsius"),
        battery_percent=signals.get("battery_percent"),
        battery_health_percent=signals.get("battery_health_percent"),
        processes=_build_processes(signals, source),
        model=source.model,
    )


def _build_processes(signals: Mapping[str, float], source: ReportSource) -> tuple[Process, ...]:
    cpu = signals.get("process_cpu_percent_max", 0.0)
    memory = signals.get("process_memory_percent_max", 0.0)
    name = (source.fault.process_name if source.fault else "") or source.busiest
    return (
        Process(pid=4211, name=name, cpu_percent=cpu, memory_percent=memory, age_seconds=5400),
        Process(pid=812, name="desktop", cpu_percent=cpu / 4, memory_percent=memory / 2),
        Process(pid=1, name="init", cpu_percent=cpu / 50, memory_percent=memory / 50),
    )


def _build_software(signals: Mapping[str, float], source: ReportSource) -> Software:
    is_down = _flag(signals, "services_down") or False
    return Software(
        os_family=source.os_family,
        os_version=source.os_version,
        hostname="",
        uptime_seconds=signals.get("uptime_seconds"),
        services=tuple(
            Service(
                name=name,
                running=not (is_down and position == 0),
                restarts=_count(signals, "service_restarts") if position == 0 else None,
            )
            for position, name in enumerate(_SERVICES[source.os_family])
        ),
        packages=(
            Package(name="cumulative-update", version=source.patch_level),
            *(Package(name=name, version="1") for name in source.patches),
        ),
        pending_updates=_count(signals, "pending_updates"),
        broken_packages=_count(signals, "broken_packages"),
        reboot_required=_flag(signals, "reboot_required"),
        antivirus_running=_flag(signals, "antivirus_running"),
        firewall_enabled=_flag(signals, "firewall_enabled"),
        days_to_certificate_expiry=signals.get("days_to_certificate_expiry"),
        logon_seconds=signals.get("logon_seconds"),
        failed_logons=_count(signals, "failed_logons"),
    )


def _build_network(signals: Mapping[str, float]) -> Network:
    return Network(
        dns_latency_ms=signals.get("dns_latency_ms"),
        dns_failure_percent=signals.get("dns_failure_percent"),
        gateway_latency_ms=signals.get("gateway_latency_ms"),
        packet_loss_percent=signals.get("packet_loss_percent"),
        wifi_signal_dbm=signals.get("wifi_signal_dbm"),
        vpn_connected=_flag(signals, "vpn_connected"),
        dhcp_lease_valid=_flag(signals, "dhcp_lease_valid"),
        proxy_reachable=_flag(signals, "proxy_reachable"),
        clock_offset_seconds=signals.get("clock_offset_seconds"),
        received_bytes_per_second=signals.get("received_bytes_per_second"),
        sent_bytes_per_second=signals.get("sent_bytes_per_second"),
    )


def _build_applications(
    signals: Mapping[str, float], fault: FaultPattern | None
) -> tuple[Application, ...]:
    named = Application(
        name=(fault.application_name if fault else "") or "Writer",
        launch_ms=signals.get("app_launch_ms_max"),
        crashes=_count(signals, "app_crashes") or 0,
        hangs=_count(signals, "app_hangs") or 0,
        errors=_count(signals, "app_errors") or 0,
    )
    others = [Application(name=name) for name in _APPLICATIONS if name != named.name]
    return (named, *others)


def _build_logs(signals: Mapping[str, float], fault: FaultPattern | None) -> tuple[LogLine, ...]:
    message = (fault.log_message if fault else "") or "request failed, retrying"
    n_lines = min(_count(signals, "log_errors") or 0, _MAX_LOG_LINES)
    return tuple(LogLine(service="system", message=message) for _ in range(n_lines))


def _count(signals: Mapping[str, float], name: str) -> int | None:
    value = signals.get(name)
    return None if value is None else round(value)


def _flag(signals: Mapping[str, float], name: str) -> bool | None:
    value = signals.get(name)
    return None if value is None else value >= 0.5


def _inverted(signals: Mapping[str, float], name: str) -> bool | None:
    flag = _flag(signals, name)
    return None if flag is None else not flag

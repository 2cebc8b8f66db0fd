# SPDX-License-Identifier: Apache-2.0
"""Put the simulator's signals into a telemetry report of the wire format. Pure."""

from collections.abc import Mapping
from datetime import datetime

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
from telemetry.simulated_faults import FaultPattern

Signals = dict[str, float]
_MOUNTS = {"windows": "C:", "macos": "/System/Volumes/Data", "linux": "/"}
_SERVICES = {
    "windows": ("Spooler", "Dnscache", "WinDefend"),
    "macos": ("com.apple.mDNSResponder", "org.cups.cupsd", "com.apple.timed"),
    "linux": ("cron", "ssh", "cups"),
}
_APPLICATIONS = ("Writer", "Outlook", "Teams", "Firefox")
_NAMES_BUSY = ("compiler", "browser", "editor")
_TOTAL_BYTES = 5.12e11
_MAX_LOG_LINES = 50


def build_report(
    *,
    report_id: str,
    device_id: str,
    user_id: str,
    cohort_os: tuple[str, str],
    observed_at: datetime,
    signals: Mapping[str, float],
    fault: FaultPattern | None,
    faulty: bool,
) -> TelemetryReport:
    """Return the report; a signal that is absent is left out, as on a real device."""
    os_family, os_version = cohort_os
    shown = fault if faulty else None
    return TelemetryReport(
        report_id=report_id,
        device_id=device_id,
        user_id=user_id,
        timestamp=observed_at,
        hardware=_build_hardware(signals, os_family, shown),
        software=_build_software(signals, os_family, os_version),
        network=_build_network(signals),
        agent=AgentHealth(
            version="0.1.0-simulated",
            queued_reports=_count(signals, "agent_queued_reports") or 0,
            memory_bytes=_positive(signals, "agent_memory_bytes"),
            errors=_count(signals, "agent_errors") or 0,
        ),
        applications=_build_applications(signals, shown),
        experience=Experience(
            score=_percent(signals, "experience_score"),
            print_queue_length=_count(signals, "print_queue_length"),
            audio_glitches=_count(signals, "audio_glitches"),
            sync_backlog=_count(signals, "sync_backlog"),
            deployment_failures=_count(signals, "deployment_failures"),
        ),
        logs=_build_logs(signals, shown),
    )


def _build_hardware(
    signals: Mapping[str, float], os_family: str, fault: FaultPattern | None
) -> Hardware:
    mount = _MOUNTS[os_family]
    disk = Disk(
        mount=mount,
        total_bytes=_TOTAL_BYTES,
        used_percent=_percent(signals, "disk_used_percent") or 0.0,
        inodes_used_percent=None
        if os_family == "windows"
        else _percent(signals, "inodes_used_percent"),
        smart_healthy=_inverted(signals, "smart_unhealthy"),
        encrypted=_inverted(signals, "unencrypted"),
    )
    return Hardware(
        cpu_percent=_percent(signals, "cpu_percent"),
        cpu_count=8,
        load_per_core=_positive(signals, "load_per_core"),
        memory_percent=_percent(signals, "memory_percent"),
        memory_total_bytes=1.6e10,
        swap_percent=_percent(signals, "swap_percent"),
        disks=(disk,),
        cpu_temperature_celsius=_bounded(signals, "cpu_temperature_celsius", -60, 200),
        battery_percent=_percent(signals, "battery_percent"),
        battery_health_percent=_percent(signals, "battery_health_percent"),
        processes=_build_processes(signals, fault),
    )


def _build_processes(
    signals: Mapping[str, float], fault: FaultPattern | None
) -> tuple[Process, ...]:
    cpu = _positive(signals, "process_cpu") or 0.0
    memory = _percent(signals, "process_memory") or 0.0
    busy = _NAMES_BUSY[int(cpu) % len(_NAMES_BUSY)]  # a burst moves from name to name
    name = (fault.process_name if fault else "") or busy
    return (
        Process(pid=4211, name=name, cpu_percent=cpu, memory_percent=memory, age_seconds=5400),
        Process(pid=812, name="desktop", cpu_percent=cpu / 4, memory_percent=memory / 2),
        Process(pid=1, name="init", cpu_percent=0.1, memory_percent=0.2),
    )


def _build_software(signals: Mapping[str, float], os_family: str, os_version: str) -> Software:
    down = _flag(signals, "service_fault") or False
    names = _SERVICES[os_family]
    return Software(
        os_family=os_family,
        os_version=os_version,
        hostname="",
        uptime_seconds=86_400,
        services=tuple(
            Service(name=name, running=not (down and position == 0))
            for position, name in enumerate(names)
        ),
        pending_updates=_count(signals, "pending_updates"),
        broken_packages=_count(signals, "broken_packages"),
        reboot_required=_flag(signals, "reboot_required"),
        antivirus_running=_flag(signals, "antivirus_running"),
        firewall_enabled=_flag(signals, "firewall_enabled"),
        days_to_certificate_expiry=_bounded(signals, "days_to_certificate_expiry", -36500, 36500),
        logon_seconds=_positive(signals, "logon_seconds"),
        failed_logons=_count(signals, "failed_logons"),
    )


def _build_network(signals: Mapping[str, float]) -> Network:
    return Network(
        dns_latency_ms=_positive(signals, "dns_latency_ms"),
        dns_failure_percent=_percent(signals, "dns_failure_percent"),
        gateway_latency_ms=_positive(signals, "gateway_latency_ms"),
        packet_loss_percent=_percent(signals, "packet_loss_percent"),
        wifi_signal_dbm=_bounded(signals, "wifi_signal_dbm", -130, 0),
        vpn_connected=_flag(signals, "vpn_connected"),
        dhcp_lease_valid=_flag(signals, "dhcp_lease_valid"),
        proxy_reachable=_flag(signals, "proxy_reachable"),
        clock_offset_seconds=signals.get("clock_offset_seconds"),
    )


def _build_applications(
    signals: Mapping[str, float], fault: FaultPattern | None
) -> tuple[Application, ...]:
    named = Application(
        name=(fault.application_name if fault else "") or "Writer",
        launch_ms=_positive(signals, "app_launch_ms"),
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


def _bounded(
    signals: Mapping[str, float], name: str, lowest: float, highest: float
) -> float | None:
    value = signals.get(name)
    return None if value is None else round(min(max(value, lowest), highest), 3)


def _percent(signals: Mapping[str, float], name: str) -> float | None:
    return _bounded(signals, name, 0.0, 100.0)


def _positive(signals: Mapping[str, float], name: str) -> float | None:
    return _bounded(signals, name, 0.0, 1e15)


def _count(signals: Mapping[str, float], name: str) -> int | None:
    value = _positive(signals, name)
    return None if value is None else round(value)


def _flag(signals: Mapping[str, float], name: str) -> bool | None:
    value = signals.get(name)
    return None if value is None else value >= 0.5


def _inverted(signals: Mapping[str, float], name: str) -> bool | None:
    flag = _flag(signals, name)
    return None if flag is None else not flag

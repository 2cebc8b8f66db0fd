# SPDX-License-Identifier: Apache-2.0
"""From a nested report to flat metrics and a few facts. Pure.

A metric carries its unit in its name. What a device did not measure has no metric: absence is
never written as zero. Facts hold text and are not masked here; ingestion does that.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from contracts.telemetry import Disk, Process, Service, TelemetryReport

MAX_NAMED_METRICS = 64  # per family, such as `process_cpu_percent:<name>`
MAX_FACT_LOGS = 50
_NOT_METRICS = frozenset({"memory_total_bytes", "cpu_count"})


def flatten_metrics(report: TelemetryReport) -> dict[str, float]:
    """Return the report's numbers by flat name; booleans are 0 or 1.

    Fields keep their own names. Aggregates over disks, processes, services and applications, and
    named metrics such as `disk_used_percent:/var`, are added.
    """
    metrics: dict[str, float] = {}
    for section in (report.hardware, report.software, report.network, report.experience):
        metrics.update(_numbers(section))
    if "score" in metrics:
        metrics["experience_score"] = metrics.pop("score")
    metrics.update(_disk_metrics(report.hardware.disks))
    metrics.update(_process_metrics(report.hardware.processes))
    metrics.update(_service_metrics(report.software.services))
    metrics.update(_application_metrics(report))
    metrics["agent_queued_reports"] = float(report.agent.queued_reports)
    metrics["agent_errors"] = float(report.agent.errors)
    if report.agent.memory_bytes is not None:
        metrics["agent_memory_bytes"] = float(report.agent.memory_bytes)
    metrics["log_errors"] = float(len(report.logs))
    return metrics


def collect_facts(report: TelemetryReport) -> dict[str, Any]:
    """Return the report's text: processes, disks, services down, applications, logs, OS."""
    return {
        "os_family": report.software.os_family,
        "os_version": report.software.os_version,
        "processes": [
            {
                "pid": process.pid,
                "name": process.name,
                "cpu_percent": process.cpu_percent,
                "memory_percent": process.memory_percent,
                "age_seconds": process.age_seconds,
            }
            for process in report.hardware.processes
        ],
        "disks": [
            {
                "mount": disk.mount,
                "total_bytes": disk.total_bytes,
                "used_percent": disk.used_percent,
            }
            for disk in report.hardware.disks
        ],
        "services_down": [
            service.name for service in report.software.services if _is_down(service)
        ],
        "applications": [
            {"name": application.name, "crashes": application.crashes, "hangs": application.hangs}
            for application in report.applications
        ],
        "logs": [
            {"service": line.service, "message": line.message}
            for line in report.logs[:MAX_FACT_LOGS]
        ],
    }


def _numbers(section: Struct) -> dict[str, float]:
    """Return the numeric fields of one section; bool is a number here."""
    found: dict[str, float] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, int | float) and name not in _NOT_METRICS:
            found[name] = float(value)
    return found


def _disk_metrics(disks: Iterable[Disk]) -> dict[str, float]:
    disks = list(disks)
    if not disks:
        return {}
    metrics = {"disk_used_percent_max": max(disk.used_percent for disk in disks)}
    _put_max(metrics, "inodes_used_percent_max", (disk.inodes_used_percent for disk in disks))
    healthy = [disk.smart_healthy for disk in disks if disk.smart_healthy is not None]
    if healthy:
        metrics["smart_unhealthy_disks"] = float(healthy.count(False))
    encrypted = [disk.encrypted for disk in disks if disk.encrypted is not None]
    if encrypted:
        metrics["unencrypted_disks"] = float(encrypted.count(False))
    for disk in disks[:MAX_NAMED_METRICS]:
        _raise_to(metrics, f"disk_used_percent:{disk.mount}", disk.used_percent)
    return metrics


def _process_metrics(processes: Iterable[Process]) -> dict[str, float]:
    """Return the greatest share of one process, and per name the greatest of its processes."""
    processes = list(processes)
    if not processes:
        return {}
    metrics = {
        "process_cpu_percent_max": max(process.cpu_percent for process in processes),
        "process_memory_percent_max": max(process.memory_percent for process in processes),
    }
    for process in processes[:MAX_NAMED_METRICS]:
        _raise_to(metrics, f"process_cpu_percent:{process.name}", process.cpu_percent)
        _raise_to(metrics, f"process_memory_percent:{process.name}", process.memory_percent)
    return metrics


def _service_metrics(services: Iterable[Service]) -> dict[str, float]:
    services = list(services)
    metrics = {"services_down": float(sum(_is_down(service) for service in services))}
    for service in services[:MAX_NAMED_METRICS]:
        metrics[f"service_running:{service.name}"] = float(service.running)
    restarts = [service.restarts for service in services if service.restarts is not None]
    if restarts:
        metrics["service_restarts"] = float(sum(restarts))
    return metrics


def _application_metrics(report: TelemetryReport) -> dict[str, float]:
    applications = report.applications
    metrics = {
        "app_crashes": float(sum(application.crashes for application in applications)),
        "app_hangs": float(sum(application.hangs for application in applications)),
        "app_errors": float(sum(application.errors for application in applications)),
    }
    _put_max(metrics, "app_launch_ms_max", (each.launch_ms for each in applications))
    return metrics


def _is_down(service: Service) -> bool:
    return service.expected and not service.running


def _put_max(metrics: dict[str, float], name: str, values: Iterable[float | None]) -> None:
    known = [value for value in values if value is not None]
    if known:
        metrics[name] = float(max(known))


def _raise_to(metrics: dict[str, float], name: str, value: float) -> None:
    metrics[name] = max(float(value), metrics.get(name, 0.0))

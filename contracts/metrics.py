# SPDX-License-Identifier: Apache-2.0
"""The names of the flat metrics that a report yields: what conditions can be stated on.

A metric carries its unit in its name. `telemetry.normalisation` makes them of a report; a test
compares both. Of a family there is one for each thing: `disk_used_percent:/var`.
"""

from typing import Final

METRICS: Final = frozenset(
    [
        *("cpu_percent", "load_per_core", "memory_percent", "swap_percent"),
        *("disk_read_bytes_per_second", "disk_write_bytes_per_second", "cpu_temperature_celsius"),
        *("battery_percent", "battery_health_percent", "battery_charging"),
        *("disk_used_percent_max", "inodes_used_percent_max"),
        *("smart_unhealthy_disks", "unencrypted_disks"),
        *("process_cpu_percent_max", "process_memory_percent_max"),
        *("uptime_seconds", "pending_updates", "broken_packages", "reboot_required"),
        *("antivirus_running", "firewall_enabled", "days_to_certificate_expiry"),
        *("logon_seconds", "failed_logons", "services_down", "service_restarts"),
        *("dns_latency_ms", "dns_failure_percent", "gateway_latency_ms", "packet_loss_percent"),
        *("wifi_signal_dbm", "vpn_connected", "dhcp_lease_valid", "proxy_reachable"),
        *("clock_offset_seconds", "received_bytes_per_second", "sent_bytes_per_second"),
        *("experience_score", "print_queue_length", "audio_glitches", "sync_backlog"),
        *("deployment_failures", "app_crashes", "app_hangs", "app_errors", "app_launch_ms_max"),
        *("agent_queued_reports", "agent_errors", "agent_memory_bytes", "log_errors"),
    ]
)
METRIC_FAMILIES: Final = {
    "disk_used_percent": "MOUNT",
    "process_cpu_percent": "PROCESS",
    "process_memory_percent": "PROCESS",
    "service_running": "SERVICE",
}  # what stands after the colon


def is_metric(name: str) -> bool:
    """Tell whether reports can have a metric of this name."""
    family, colon, thing = name.partition(":")
    return name in METRICS or (family in METRIC_FAMILIES and bool(colon and thing))


def list_metrics() -> list[str]:
    """Return all names, sorted; of a family the form, such as `service_running:SERVICE`."""
    return sorted([*METRICS, *(f"{name}:{thing}" for name, thing in METRIC_FAMILIES.items())])

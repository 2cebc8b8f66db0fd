# SPDX-License-Identifier: Apache-2.0
"""The telemetry report, version 1: what an endpoint says of itself each interval.

Bounds here protect the server: a report outside them is refused, never trimmed. Numbers are in
the units their names state; a field that a device cannot measure is left out (None).
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Identifier = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]*$(?!\n)")
]
ShortText = Annotated[str, Meta(max_length=256)]
LongText = Annotated[str, Meta(max_length=4096)]
Percent = Annotated[float, Meta(ge=0, le=100)]
NonNegative = Annotated[float, Meta(ge=0, le=1e15)]
Celsius = Annotated[float, Meta(ge=-60, le=200)]
OsFamily = Annotated[str, Meta(pattern=r"^(windows|macos|linux)$(?!\n)")]


class Disk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mounted file system."""

    mount: ShortText
    total_bytes: NonNegative
    used_percent: Percent
    inodes_used_percent: Percent | None = None
    smart_healthy: bool | None = None
    encrypted: bool | None = None


class Process(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the processes that use most CPU or memory."""

    pid: Annotated[int, Meta(ge=0, le=2**32)]
    name: ShortText
    cpu_percent: Annotated[float, Meta(ge=0, le=100_000)]  # of one core
    memory_percent: Percent
    age_seconds: NonNegative | None = None
    user: ShortText | None = None


class Hardware(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Load, memory, storage, power and heat."""

    cpu_percent: Percent | None = None
    cpu_count: Annotated[int, Meta(ge=1, le=4096)] | None = None
    load_per_core: NonNegative | None = None
    memory_percent: Percent | None = None
    memory_total_bytes: NonNegative | None = None
    swap_percent: Percent | None = None
    disks: Annotated[tuple[Disk, ...], Meta(max_length=64)] = ()
    disk_read_bytes_per_second: NonNegative | None = None
    disk_write_bytes_per_second: NonNegative | None = None
    cpu_temperature_celsius: Celsius | None = None
    battery_percent: Percent | None = None
    battery_health_percent: Percent | None = None
    battery_charging: bool | None = None
    processes: Annotated[tuple[Process, ...], Meta(max_length=50)] = ()
    model: ShortText | None = None
    serial_number: ShortText | None = None


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service that the device watches."""

    name: ShortText
    running: bool
    expected: bool = True
    restarts: Annotated[int, Meta(ge=0, le=10**9)] | None = None


class Package(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Installed software."""

    name: ShortText
    version: ShortText


class Software(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Operating system, services, packages, security tools."""

    os_family: OsFamily
    os_version: ShortText = ""
    hostname: ShortText = ""
    uptime_seconds: NonNegative | None = None
    services: Annotated[tuple[Service, ...], Meta(max_length=200)] = ()
    packages: Annotated[tuple[Package, ...], Meta(max_length=5000)] = ()
    pending_updates: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    broken_packages: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    reboot_required: bool | None = None
    antivirus_running: bool | None = None
    firewall_enabled: bool | None = None
    days_to_certificate_expiry: Annotated[float, Meta(ge=-36500, le=36500)] | None = None
    logon_seconds: NonNegative | None = None
    failed_logons: Annotated[int, Meta(ge=0, le=10**9)] | None = None


class Network(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reachability and quality, as seen from the device."""

    dns_latency_ms: NonNegative | None = None
    dns_failure_percent: Percent | None = None
    gateway_latency_ms: NonNegative | None = None
    packet_loss_percent: Percent | None = None
    wifi_signal_dbm: Annotated[float, Meta(ge=-130, le=0)] | None = None
    vpn_connected: bool | None = None
    dhcp_lease_valid: bool | None = None
    proxy_reachable: bool | None = None
    clock_offset_seconds: Annotated[float, Meta(ge=-1e10, le=1e10)] | None = None
    received_bytes_per_second: NonNegative | None = None
    sent_bytes_per_second: NonNegative | None = None


class Application(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Performance of one application since the last report."""

    name: ShortText
    launch_ms: NonNegative | None = None
    crashes: Annotated[int, Meta(ge=0, le=10**6)] = 0
    hangs: Annotated[int, Meta(ge=0, le=10**6)] = 0
    errors: Annotated[int, Meta(ge=0, le=10**6)] = 0


class Experience(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """User experience and deployment signals."""

    score: Percent | None = None
    print_queue_length: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    audio_glitches: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    sync_backlog: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    deployment_failures: Annotated[int, Meta(ge=0, le=10**6)] | None = None


class LogLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One noteworthy line of a service's log."""

    service: ShortText
    message: LongText


class AgentHealth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the endpoint agent itself fares."""

    version: ShortText
    queued_reports: Annotated[int, Meta(ge=0, le=10**9)] = 0
    memory_bytes: NonNegative | None = None
    errors: Annotated[int, Meta(ge=0, le=10**6)] = 0


class TelemetryReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report of one device."""

    schema_version: Annotated[int, Meta(ge=1, le=1)] = 1
    report_id: Identifier
    device_id: Identifier
    user_id: ShortText | None = None
    timestamp: Annotated[datetime, Meta(tz=True)]
    hardware: Hardware
    software: Software
    network: Network
    agent: AgentHealth
    applications: Annotated[tuple[Application, ...], Meta(max_length=100)] = ()
    experience: Experience = Experience()
    logs: Annotated[tuple[LogLine, ...], Meta(max_length=50)] = ()

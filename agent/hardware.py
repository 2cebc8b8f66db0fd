# SPDX-License-Identifier: Apache-2.0
"""Load, memory, disks, heat, power and the processes that use most, read with psutil.

Rates are differences to the previous observation, so one `HardwareObserver` lives as long as the
agent. What a device cannot measure stays None.
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from contracts.telemetry import Disk, Hardware, Process

N_TOP_PROCESSES = 10
_REMOTE_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"})
_IMAGE_FILE_SYSTEMS = frozenset({"squashfs", "iso9660", "udf", "erofs"})
_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "acpitz")
_DMI = Path("/sys/class/dmi/id")


@dataclass(frozen=True, slots=True, kw_only=True)
class _CpuUse:
    """CPU seconds a process had used at one instant (monotonic seconds)."""

    created: float
    cpu_seconds: float
    instant: float


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


class HardwareObserver:
    """Turns successive counter readings into rates."""

    def __init__(self, watched_mounts: Sequence[str] = ()) -> None:
        self._watched_mounts = tuple(watched_mounts)
        self._cpu_use: dict[int, _CpuUse] = {}
        self._disk_bytes: tuple[float, int, int] | None = None
        psutil.cpu_percent(interval=None)

    def watch(self, mounts: Sequence[str]) -> None:
        """Report these mounts from now on, besides what is mounted anyway."""
        self._watched_mounts = tuple(mounts)

    def observe(self) -> Hardware:
        """Return the present state; rates cover the time since the previous call."""
        memory = psutil.virtual_memory()
        n_cpus = psutil.cpu_count() or 1
        read_rate, write_rate = self._disk_rates()
        battery_percent, charging = _observe_battery()
        return Hardware(
            cpu_percent=_clamp(psutil.cpu_percent(interval=None), 0, 100),
            cpu_count=n_cpus,
            load_per_core=round(psutil.getloadavg()[0] / n_cpus, 3),
            memory_percent=_clamp(memory.percent, 0, 100),
            memory_total_bytes=memory.total,
            swap_percent=_observe_swap(),
            disks=observe_disks(self._watched_mounts),
            disk_read_bytes_per_second=read_rate,
            disk_write_bytes_per_second=write_rate,
            cpu_temperature_celsius=_observe_temperature(),
            battery_percent=battery_percent,
            battery_charging=charging,
            battery_health_percent=_observe_battery_health(),
            processes=self._top_processes(),
            model=read_text(_DMI / "product_name"),
            serial_number=read_text(_DMI / "product_serial"),
        )

    def _disk_rates(self) -> tuple[float | None, float | None]:
        try:
            counters = psutil.disk_io_counters()
        except (OSError, RuntimeError):
            counters = None
        if counters is None:
            return None, None
        now, before = time.monotonic(), self._disk_bytes
        self._disk_bytes = (now, counters.read_bytes, counters.write_bytes)
        if before is None or now <= before[0]:
            return None, None
        elapsed = now - before[0]
        return (
            round(max(0, counters.read_bytes - before[1]) / elapsed, 1),
            round(max(0, counters.write_bytes - before[2]) / elapsed, 1),
        )

    def _top_processes(self) -> tuple[Process, ...]:
        """Return the ten that use most CPU and the ten that use most memory."""
        now, wall = time.monotonic(), time.time()
        total = psutil.virtual_memory().total
        seen: dict[int, _CpuUse] = {}
        observed: list[tuple[float, float, float, psutil.Process]] = []
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    times, created = process.cpu_times(), process.create_time()
                    memory_percent = 100 * process.memory_info().rss / total
            except (psutil.Error, OSError):
                continue
            use = _CpuUse(created=created, cpu_seconds=times.user + times.system, instant=now)
            seen[process.pid] = use
            cpu_percent = _cpu_percent(self._cpu_use.get(process.pid), use, wall - created)
            observed.append((cpu_percent, memory_percent, wall - created, process))
        self._cpu_use = seen
        by_cpu = sorted(observed, key=lambda entry: entry[0], reverse=True)[:N_TOP_PROCESSES]
        by_memory = sorted(observed, key=lambda entry: entry[1], reverse=True)[:N_TOP_PROCESSES]
        chosen = {entry[3].pid: entry for entry in (*by_cpu, *by_memory)}
        described = (_describe_process(*entry) for entry in chosen.values())
        return tuple(process for process in described if process is not None)


def _cpu_percent(before: _CpuUse | None, use: _CpuUse, age_seconds: float) -> float:
    """Return the share of one core; over its whole life for a process not seen before."""
    if before is None or before.created != use.created or use.instant <= before.instant:
        return 100 * use.cpu_seconds / max(age_seconds, 1.0)
    return 100 * (use.cpu_seconds - before.cpu_seconds) / (use.instant - before.instant)


def _describe_process(
    cpu_percent: float, memory_percent: float, age_seconds: float, process: psutil.Process
) -> Process | None:
    try:
        name = process.name()
        user = process.username()
    except (psutil.Error, OSError, KeyError):
        return None
    return Process(
        pid=process.pid,
        name=name[:256],
        cpu_percent=round(_clamp(cpu_percent, 0, 100_000), 1),
        memory_percent=round(_clamp(memory_percent, 0, 100), 2),
        age_seconds=round(max(0.0, age_seconds), 1),
        user=user[:256],
    )


def observe_disks(watched_mounts: Sequence[str]) -> tuple[Disk, ...]:
    """Return the local file systems, each device once, and every watched mount.

    Network file systems are left out: a hanging server must not hang the agent.
    """
    mounts: dict[str, str] = {}  # mount -> device
    for partition in psutil.disk_partitions(all=False):
        if partition.fstype in _REMOTE_FILE_SYSTEMS | _IMAGE_FILE_SYSTEMS:
            continue
        mounts[partition.mountpoint] = partition.device
    if os.name == "posix":
        mounts.setdefault("/", "/")
    by_device: dict[str, str] = {}
    for mount, device in sorted(mounts.items(), key=lambda entry: len(entry[0])):
        if Path(mount).is_dir():
            by_device.setdefault(device, mount)
    wanted = dict.fromkeys((*watched_mounts, *by_device.values()))
    disks = (_observe_disk(mount, mounts.get(mount, "")) for mount in wanted)
    return tuple(disk for disk in disks if disk is not None)[:64]


def _observe_disk(mount: str, device: str) -> Disk | None:
    try:
        usage = psutil.disk_usage(mount)
    except OSError:
        return None
    if not usage.total or len(mount) > 256:
        return None
    return Disk(
        mount=mount,
        total_bytes=usage.total,
        used_percent=_clamp(usage.percent, 0, 100),
        inodes_used_percent=_observe_inodes(mount),
        encrypted=_is_encrypted(device),
    )


def _observe_inodes(mount: str) -> float | None:
    if sys.platform == "win32":
        return None
    try:
        status = os.statvfs(mount)
    except OSError:
        return None
    if not status.f_files:
        return None
    return round(100 * (status.f_files - status.f_ffree) / status.f_files, 2)


def _is_encrypted(device: str) -> bool | None:
    """Tell a dm-crypt mapping by its device-mapper uuid; None where that says nothing."""
    if not device.startswith("/dev/mapper/"):
        return None
    name = Path(device).resolve().name
    uuid = read_text(Path("/sys/block") / name / "dm" / "uuid")
    return None if uuid is None else uuid.startswith("CRYPT-")


def _observe_swap() -> float | None:
    try:
        swap = psutil.swap_memory()
    except (OSError, RuntimeError):
        return None
    return _clamp(swap.percent, 0, 100) if swap.total else None


def _observe_temperature() -> float | None:
    if sys.platform != "linux":
        return None
    try:
        sensors = psutil.sensors_temperatures()
    except (OSError, RuntimeError):
        return None
    for name in _CPU_SENSORS:
        readings = [entry.current for entry in sensors.get(name, ()) if -60 <= entry.current <= 200]
        if readings:
            return round(max(readings), 1)
    return None


def _observe_battery() -> tuple[float | None, bool | None]:
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return None, None
    if battery is None:
        return None, None
    return _clamp(float(battery.percent), 0, 100), battery.power_plugged


def _observe_battery_health() -> float | None:
    for battery in Path("/sys/class/power_supply").glob("BAT*"):
        for quantity in ("energy", "charge"):
            full = read_text(battery / f"{quantity}_full")
            design = read_text(battery / f"{quantity}_full_design")
            if full and design and full.isdigit() and design.isdigit() and int(design):
                return round(_clamp(100 * int(full) / int(design), 0, 100), 1)
    return None


def read_text(path: Path) -> str | None:
    """Return a small file's stripped text, at most 256 characters; None if unreadable or empty."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(256).strip() or None
    except OSError:
        return None

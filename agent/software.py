# SPDX-License-Identifier: Apache-2.0
"""Operating system, packages, security state, crashes and log lines of this device.

Everything here is read from files that the system keeps anyway; no package manager is started.
"""

import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
from cryptography import x509

from agent.configuration import Configuration, WatchedLog
from agent.hardware import read_text
from agent.services import observe_services
from contracts.telemetry import Application, LogLine, Package, Software

DPKG_STATUS = Path("/var/lib/dpkg/status")
REBOOT_MARKER = Path("/run/reboot-required")
UFW_SETTINGS = Path("/etc/ufw/ufw.conf")
FAILED_LOGONS = Path("/var/log/btmp")
CRASH_DIRECTORY = Path("/var/crash")
UTMP_RECORD_BYTES = 384
INVENTORY_SECONDS = 24 * 3600
MAX_PACKAGES = 5000
MAX_LOG_LINES = 20
MAX_LOG_BYTES = 256 * 1024
_NOTEWORTHY = re.compile(r"error|fail|fatal|crit|panic|denied|segfault|timed? ?out", re.IGNORECASE)
_OS_FAMILIES = {"win32": "windows", "darwin": "macos"}


def os_family() -> str:
    """Return windows, macos or linux."""
    return _OS_FAMILIES.get(sys.platform, "linux")


def os_version() -> str:
    """Return what the system calls itself."""
    if sys.platform == "linux":
        try:
            return platform.freedesktop_os_release().get("PRETTY_NAME", platform.release())[:256]
        except OSError:
            return platform.release()[:256]
    return platform.platform()[:256]


class SoftwareObserver:
    """Keeps what it must compare with: package state, log offsets, crash files."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._inventory_due = 0.0
        self._dpkg_changed_at = 0
        self._broken_packages: int | None = None
        self._failed_logon_bytes = _size_of(FAILED_LOGONS)
        self._crash_files = _list_crash_files()
        self._tails = {watched: LogTail(watched) for watched in configuration.watched_logs}

    def take_up(self, configuration: Configuration) -> None:
        """Watch what a new configuration says; logs that stay watched are read on."""
        self._configuration = configuration
        self._tails = {
            watched: self._tails.get(watched) or LogTail(watched)
            for watched in configuration.watched_logs
        }

    def observe(self) -> Software:
        """Return the present state; packages only when they changed, or once a day."""
        configuration = self._configuration
        return Software(
            os_family=os_family(),
            os_version=os_version(),
            hostname=platform.node()[:256],
            uptime_seconds=round(max(0.0, time.time() - psutil.boot_time())),
            services=observe_services(configuration.watched_services),
            packages=self._observe_packages(),
            broken_packages=self._broken_packages,
            reboot_required=REBOOT_MARKER.exists() if sys.platform == "linux" else None,
            antivirus_running=_all_running(configuration.security_processes),
            firewall_enabled=_is_firewall_enabled(),
            days_to_certificate_expiry=days_to_expiry(configuration.watched_certificates),
            failed_logons=self._count_failed_logons(),
        )

    def observe_applications(self) -> tuple[Application, ...]:
        """Return the applications that left a crash report since the previous call."""
        present = _list_crash_files()
        names = [_application_of(path) for path in sorted(present - self._crash_files)]
        self._crash_files = present
        return tuple(
            Application(name=name, crashes=names.count(name)) for name in sorted(set(names))
        )[:100]

    def observe_logs(self) -> tuple[LogLine, ...]:
        """Return new noteworthy lines of the watched logs."""
        lines = [line for tail in self._tails.values() for line in tail.read_noteworthy()]
        return tuple(lines[-MAX_LOG_LINES:])

    def _observe_packages(self) -> tuple[Package, ...]:
        try:
            changed_at = DPKG_STATUS.stat().st_mtime_ns
        except OSError:
            return ()
        now = time.monotonic()
        if changed_at == self._dpkg_changed_at and now < self._inventory_due:
            return ()
        packages, self._broken_packages = read_dpkg_status(DPKG_STATUS)
        self._dpkg_changed_at, self._inventory_due = changed_at, now + INVENTORY_SECONDS
        return packages if self._configuration.report_inventory else ()

    def _count_failed_logons(self) -> int | None:
        size, before = _size_of(FAILED_LOGONS), self._failed_logon_bytes
        self._failed_logon_bytes = size
        if size is None or before is None:
            return None
        return max(0, size - before) // UTMP_RECORD_BYTES


def read_dpkg_status(path: Path) -> tuple[tuple[Package, ...], int]:
    """Return the installed packages, and how many are half installed (dpkg(1), package states)."""
    packages: list[Package] = []
    n_broken = 0
    name = state = version = ""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in (*file, "\n"):
                if line.startswith("Package: "):
                    name = line[9:].strip()
                elif line.startswith("Status: "):
                    state = line[8:].split()[-1]
                elif line.startswith("Version: "):
                    version = line[9:].strip()
                elif line == "\n" and name:
                    if state == "installed" and version:
                        packages.append(Package(name=name[:256], version=version[:256]))
                    elif state not in ("installed", "config-files", "not-installed"):
                        n_broken += 1
                    name = state = version = ""
    except OSError:
        return (), 0
    return tuple(packages[:MAX_PACKAGES]), n_broken


def _all_running(names: Sequence[str]) -> bool | None:
    if not names:
        return None
    running = {process.name() for process in psutil.process_iter(["name"])}
    return all(name in running for name in names)


def _is_firewall_enabled() -> bool | None:
    settings = read_text(UFW_SETTINGS)
    return None if settings is None else "ENABLED=yes" in settings


def days_to_expiry(paths: Sequence[str]) -> float | None:
    """Return the days until the first of these certificates ends; None if none can be read."""
    ends: list[datetime] = []
    for path in paths:
        try:
            certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
        except (OSError, ValueError):
            continue
        ends.append(certificate.not_valid_after_utc)
    if not ends:
        return None
    return round((min(ends) - datetime.now(UTC)).total_seconds() / 86_400, 2)


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _list_crash_files() -> frozenset[str]:
    try:
        return frozenset(path.name for path in CRASH_DIRECTORY.glob("*.crash"))
    except OSError:
        return frozenset()


def _application_of(file_name: str) -> str:
    """`_usr_bin_app.1000.crash` -> `app` (the naming of apport)."""
    return file_name.split(".", maxsplit=1)[0].rsplit("_", 1)[-1][:256] or "unknown"


class LogTail:
    """Follows one log file across rotation; starts at its present end."""

    def __init__(self, watched: WatchedLog) -> None:
        self._service = watched.service
        self._path = Path(watched.path)
        self._inode, self._offset = self._locate()

    def _locate(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return 0, 0
        return status.st_ino, status.st_size

    def read_noteworthy(self) -> list[LogLine]:
        """Return the new lines that speak of trouble; at most the last 256 KiB are read."""
        inode, size = self._locate()
        if inode != self._inode or size < self._offset:
            self._inode, self._offset = inode, 0
        start = max(self._offset, size - MAX_LOG_BYTES)
        try:
            with self._path.open("rb") as file:
                file.seek(start, os.SEEK_SET)
                content = file.read(MAX_LOG_BYTES)
        except OSError:
            return []
        complete, separator, _ = content.rpartition(b"\n")
        self._offset = start + len(complete) + len(separator)
        lines = complete.decode("utf-8", errors="replace").replace("\0", "").splitlines()
        return [
            LogLine(service=self._service, message=line[:4096])
            for line in lines
            if _NOTEWORTHY.search(line)
        ]

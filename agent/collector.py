# SPDX-License-Identifier: Apache-2.0
"""Puts one telemetry report together from what the observers see."""

import secrets
from datetime import datetime
from pathlib import Path

import psutil

from agent import __version__
from agent.configuration import Configuration
from agent.hardware import HardwareObserver
from agent.network import NetworkObserver
from agent.software import SoftwareObserver
from contracts.telemetry import AgentHealth, Experience, TelemetryReport

PRINT_SPOOL = Path("/var/spool/cups")


class Collector:
    """Observes this device; one instance for the life of the agent (rates need a past)."""

    def __init__(self, device_id: str, configuration: Configuration) -> None:
        self._device_id = device_id
        self._hardware = HardwareObserver(configuration.watched_mounts)
        self._software = SoftwareObserver(configuration)
        self._network = NetworkObserver(configuration.dns_probe_name)
        self._self = psutil.Process()

    def take_up(self, configuration: Configuration) -> None:
        """Watch what a new configuration says; rates and log positions go on."""
        self._hardware.watch(configuration.watched_mounts)
        self._software.take_up(configuration)
        self._network.probe(configuration.dns_probe_name)

    def collect(
        self,
        now: datetime,
        *,
        clock_offset_seconds: float | None,
        n_queued: int,
        n_errors: int,
    ) -> TelemetryReport:
        """Return a report of the present moment. Blocks for some tens of milliseconds.

        Args:
            now: the report's logical timestamp, aware.
            clock_offset_seconds: this device's clock minus the server's, if known.
            n_queued: reports that wait for the server.
            n_errors: errors of the agent since the previous report.

        """
        return TelemetryReport(
            report_id=f"rep_{secrets.token_hex(16)}",
            device_id=self._device_id,
            user_id=_console_user(),
            timestamp=now,
            hardware=self._hardware.observe(),
            software=self._software.observe(),
            network=self._network.observe(clock_offset_seconds),
            agent=AgentHealth(
                version=__version__,
                queued_reports=n_queued,
                memory_bytes=self._self.memory_info().rss,
                errors=min(n_errors, 10**6),
            ),
            applications=self._software.observe_applications(),
            experience=Experience(print_queue_length=_count_print_jobs()),
            logs=self._software.observe_logs(),
        )


def _console_user() -> str | None:
    try:
        users = psutil.users()
    except (OSError, RuntimeError):
        return None
    return users[0].name[:256] if users else None


def _count_print_jobs() -> int | None:
    """Count the documents in the CUPS spool (`d<job>-<n>`); None without one."""
    try:
        return sum(1 for _ in PRINT_SPOOL.glob("d*-*")) if PRINT_SPOOL.is_dir() else None
    except OSError:
        return None

# SPDX-License-Identifier: Apache-2.0
"""What the agent watches, from `agent.toml` in its state directory.

The file is read once at start. Unknown keys are errors: a typing mistake must not silently
switch a watch off.
"""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agent.errors import ConfigurationError

CONFIGURATION_FILE = "agent.toml"

ServiceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._:-]*$", max_length=128)]

TEMPLATE = """\
# What this device's EUCORA agent watches. Restart the agent after a change.
# interval_seconds = 60
# watched_services = ["cups", "ssh"]
# watched_mounts = ["/", "/var"]
# watched_logs = [{ service = "cups", path = "/var/log/cups/error_log" }]
# watched_certificates = ["/etc/ssl/certs/intranet.pem"]
# security_processes = ["clamd"]
# dns_probe_name = "intranet.example"
"""


class WatchedLog(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A log file whose noteworthy lines are reported."""

    service: Annotated[str, Meta(min_length=1, max_length=256)]
    path: Annotated[str, Meta(min_length=1, max_length=4096)]


class Configuration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one agent. Units stand in the names."""

    interval_seconds: Annotated[float, Meta(ge=0.2, le=86_400)] | None = None  # None: the server's
    watched_services: Annotated[tuple[ServiceName, ...], Meta(max_length=100)] = ()
    watched_mounts: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    watched_logs: Annotated[tuple[WatchedLog, ...], Meta(max_length=32)] = ()
    watched_certificates: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    security_processes: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    dns_probe_name: Annotated[str, Meta(max_length=253)] | None = None
    report_inventory: bool = True
    queue_max_reports: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    queue_max_bytes: Annotated[int, Meta(ge=4096)] = 64 * 1024 * 1024
    job_wait_seconds: Annotated[float, Meta(ge=0, le=60)] = 25.0
    log_level: str = "INFO"


def load_configuration(state_dir: Path) -> Configuration:
    """Read `agent.toml`; a missing file means the defaults.

    Raises:
        ConfigurationError: not TOML, an unknown key or a value out of bounds.

    """
    path = state_dir / CONFIGURATION_FILE
    if not path.exists():
        return Configuration()
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), Configuration)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{CONFIGURATION_FILE}: {error}") from error


def write_template(state_dir: Path) -> None:
    """Leave a commented configuration for the administrator unless one is there."""
    path = state_dir / CONFIGURATION_FILE
    if not path.exists():
        path.write_text(TEMPLATE)

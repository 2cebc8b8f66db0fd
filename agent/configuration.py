# SPDX-License-Identifier: Apache-2.0
"""What the agent watches, from `agent.toml` in its state directory.

The file is read at start, and again when it has changed: its watches take effect with the next
report. Files `agent.d/*.toml` add watches to it, for programs that bring their own. Unknown keys
are errors: a typing mistake must not silently switch a watch off.
"""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from agent.errors import ConfigurationError

CONFIGURATION_FILE = "agent.toml"
ADDITIONS_FOLDER = "agent.d"

ServiceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._:-]*$", max_length=128)]

_Kind = TypeVar("_Kind")

TEMPLATE = """\
# What this device's EUCORA agent watches. Watches take effect with the next report; after a
# change of anything else restart the agent.
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
    longest_backoff_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    job_wait_seconds: Annotated[float, Meta(ge=0, le=60)] = 25.0
    log_level: str = "INFO"


class Additions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of `agent.d` may add: watches, nothing else."""

    watched_services: Annotated[tuple[ServiceName, ...], Meta(max_length=100)] = ()
    watched_mounts: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    watched_logs: Annotated[tuple[WatchedLog, ...], Meta(max_length=32)] = ()
    watched_certificates: Annotated[tuple[str, ...], Meta(max_length=32)] = ()


def load_configuration(state_dir: Path) -> Configuration:
    """Read `agent.toml` and `agent.d/*.toml`; a missing file means the defaults.

    Raises:
        ConfigurationError: not TOML, an unknown key or a value out of bounds.

    """
    path = state_dir / CONFIGURATION_FILE
    configuration = _read(path, Configuration) if path.exists() else Configuration()
    for addition in _list_additions(state_dir):
        added = _read(addition, Additions)
        watches = {
            name: tuple(dict.fromkeys((*getattr(configuration, name), *getattr(added, name))))
            for name in Additions.__struct_fields__
        }
        together = msgspec.structs.replace(configuration, **watches)
        try:  # the bounds hold for the sum
            configuration = msgspec.convert(msgspec.to_builtins(together), Configuration)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"with {addition.name} added: {error}") from error
    return configuration


def _list_additions(state_dir: Path) -> list[Path]:
    return sorted((state_dir / ADDITIONS_FOLDER).glob("*.toml"))


def _read(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), kind)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error


def write_template(state_dir: Path) -> None:
    """Leave a commented configuration for the administrator unless one is there."""
    path = state_dir / CONFIGURATION_FILE
    if not path.exists():
        path.write_text(TEMPLATE)


class ConfigurationFile:
    """Notices when `agent.toml` has changed.

    Args:
        state_dir: where it lies.

    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._seen = self._stamp()

    def read_if_changed(self) -> Configuration | None:
        """Return the new configuration, None while it is the one seen last.

        Raises:
            ConfigurationError: it has changed and cannot be used; said once for each change.

        """
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        return load_configuration(self._state_dir)

    def _stamp(self) -> tuple[tuple[str, int, int, int], ...]:
        files = (self._state_dir / CONFIGURATION_FILE, *_list_additions(self._state_dir))
        stamps = []
        for path in files:
            with suppress(OSError):
                status = path.stat()
                stamps.append((path.name, status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(stamps)

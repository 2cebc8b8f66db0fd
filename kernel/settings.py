# SPDX-License-Identifier: Apache-2.0
"""What an operator may set: `EUCORA_*` variables, then the TOML file named by `EUCORA_CONFIG`.

A value object. Nothing is read at import; `api/bootstrap.py` reads it once.
"""

import os
import re
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit, urlunsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kernel.errors import SettingsError

MASK = "********"
CONFIG_VARIABLE = "EUCORA_CONFIG"
# Not settings, but ours: of processes that we start, and of the agent.
_OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "EUCORA_SUPERVISOR", "EUCORA_ENROLMENT_TOKEN"})
_REPOSITORY = Path(__file__).resolve().parent.parent
Port = Annotated[int, Field(ge=1, le=65535)]


def _expand_home(path: Path) -> Path:
    """Read `~` as a shell would, which reads no TOML file; else rooms could differ on it."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


Folder = Annotated[Path, AfterValidator(_expand_home)]
_DATABASE_SCHEMES = frozenset({"postgresql", "postgres"})
_STORE_SCHEMES = frozenset(
    {"s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "file", "memory", "http", "https"}
)
_MODEL_SCHEMES = frozenset({"http", "https"})
CLAMD_OFF = "off"
_CLAMD_TCP = re.compile(
    r"tcp:(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*):(\d{1,5})"
)
_SOCKET_PATH_BYTES = 107  # of sockaddr_un in Linux, less the final NUL


def _check_url(url: str, schemes: Collection[str], *, needs_host: bool) -> str:
    """Return a URL that its library will understand; complaints never repeat it: it holds secrets.

    Raises:
        ValueError: it is none, or of another scheme.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in schemes or "://" not in url or (needs_host and not parts.hostname):
        raise ValueError(f"must be a URL that begins with {':// or '.join(sorted(schemes))}://")
    return url


def _check_database_url(url: SecretStr) -> SecretStr:
    _check_url(url.get_secret_value(), _DATABASE_SCHEMES, needs_host=False)
    try:
        conninfo_to_dict(url.get_secret_value())
    except ProgrammingError:
        raise ValueError("is not a URL that PostgreSQL understands") from None
    return url


def _check_store_url(url: str) -> str:
    return _check_url(url, _STORE_SCHEMES, needs_host=False)


def _check_model_url(url: str) -> str:
    return _check_url(url, _MODEL_SCHEMES, needs_host=True)


def split_clamd_address(address: str) -> Path | tuple[str, int]:
    """Return the socket's path of `unix:/path`, or host and port of `tcp:host:port`.

    Raises:
        ValueError: it is neither; the text says what is wrong.
    """
    scheme, _, rest = address.partition(":")
    if scheme == "unix":
        if not rest.startswith("/") or not rest.isprintable():
            raise ValueError("must name a socket by its absolute path: unix:/path")
        if len(os.fsencode(rest)) > _SOCKET_PATH_BYTES:
            raise ValueError(f"names a socket whose path is over {_SOCKET_PATH_BYTES} bytes long")
        return Path(rest)
    match = _CLAMD_TCP.fullmatch(address)
    if match is None:
        raise ValueError("must be unix:/path, tcp:host:port, or off")
    host, port = match[1].strip("[]"), int(match[2])
    if not 1 <= port <= 65535:
        raise ValueError("has no port between 1 and 65535")
    return host, port


def _check_clamd(address: str) -> str:
    if address != CLAMD_OFF:
        split_clamd_address(address)
    return address


class Settings(BaseSettings):
    """The effective settings of one process."""

    model_config = SettingsConfigDict(env_prefix="EUCORA_", extra="forbid", frozen=True)

    data_dir: Folder = Field(default_factory=lambda: Path.cwd() / ".eucora")
    # None: the embedded server
    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = None
    host: str = "127.0.0.1"
    port: Port = 8800
    device_port: Port = 8801
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    telemetry_interval_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    proposal_hours: Annotated[float, Field(gt=0, le=8760)] = 24
    approval_hours: Annotated[float, Field(gt=0, le=8760)] = 24
    session_hours: Annotated[float, Field(gt=0, le=720)] = 8
    confidence_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    # Share of proposals in which one of several equally safe scripts is drawn, to learn of it
    exploration_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    knowledge_dir: Folder = _REPOSITORY / "knowledge"
    mlruns_dir: Folder = _REPOSITORY / "mlruns"
    # None: a folder of data_dir; no language model
    object_store_url: Annotated[str, AfterValidator(_check_store_url)] | None = None
    language_model_url: Annotated[str, AfterValidator(_check_model_url)] | None = None
    language_model_name: str | None = None
    language_model_key: SecretStr | None = None
    language_model_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0
    # None: policies are evaluated in process; else by the OPA server at this address
    policy_url: Annotated[str, AfterValidator(_check_model_url)] | None = None
    policy_key: SecretStr | None = None
    policy_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 1.0
    # Documents of these groups are cited too, to every approver; else those without groups
    reasoner_groups: tuple[str, ...] = ()
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    sequencing_interval_seconds: Annotated[float, Field(gt=0, le=60)] = 0.2
    # False alarms of drift, over everything that is watched
    drift_false_alarms_per_day: Annotated[float, Field(gt=0, le=100)] = 0.1
    # Of past tickets by which one service may teach search over HTTP
    labels_per_day: Annotated[int, Field(ge=1, le=10_000_000)] = 5_000
    # Of what is taken into the knowledge base; `off` takes it unscanned
    clamd: Annotated[str, AfterValidator(_check_clamd)] = "unix:/run/clamav/clamd.ctl"
    clamd_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - we read no .env
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nor secret files
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over variables, variables over the file."""
        sources = (init_settings, env_settings)
        path = os.environ.get(CONFIG_VARIABLE)
        if not path:
            return sources
        return (*sources, _read_file(settings_cls, Path(path)))


def _read_file(settings_cls: type[BaseSettings], path: Path) -> PydanticBaseSettingsSource:
    if not path.is_file():
        raise SettingsError(f"{CONFIG_VARIABLE} names {path}, which is not a file")
    try:
        source = TomlConfigSettingsSource(settings_cls, path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    for key in source.toml_data:
        if key not in settings_cls.model_fields:
            raise SettingsError(f"{path}: there is no setting {key}")
    return source


def list_unknown_variables(names: Iterable[str]) -> list[str]:
    """Return the `EUCORA_*` variables among these that mean nothing to us, in order."""
    known = {f"EUCORA_{field.upper()}" for field in Settings.model_fields} | _OTHER_VARIABLES
    return sorted(
        name for name in names if name.upper().startswith("EUCORA_") and name.upper() not in known
    )


def effective(settings: Settings) -> dict[str, str]:
    """Return every setting as text, in the order of declaration, with secrets masked."""
    shown: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            shown[name] = ""
        elif isinstance(value, SecretStr):
            shown[name] = MASK
        elif name.endswith("_url"):
            shown[name] = _without_credentials(str(value))
        else:
            shown[name] = str(value)
    return shown


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{MASK}@{host}" if "@" in parts.netloc else host
    query = MASK if parts.query else ""
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))

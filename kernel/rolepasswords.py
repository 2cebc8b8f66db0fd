# SPDX-License-Identifier: Apache-2.0
"""The roles of the embedded PostgreSQL and their passwords, in one file of mode 0600."""

import json
import os
import secrets
from enum import StrEnum
from pathlib import Path

from kernel.errors import EmbeddedPostgresError

_PASSWORD_BYTES = 24


class Role(StrEnum):
    """Who may log in to the embedded server."""

    SUPERUSER = "postgres"
    OWNER = "eucora_owner"
    APP = "eucora_app"
    MLFLOW = "eucora_mlflow"


def load_passwords(path: Path) -> dict[Role, str]:
    """Return the password of every role, made at the first call. Callers hold the start lock.

    Raises:
        EmbeddedPostgresError: the file is damaged or cannot be read or written.
    """
    try:
        if not path.exists():
            _write(path, {str(role): secrets.token_urlsafe(_PASSWORD_BYTES) for role in Role})
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {role: str(stored[role]) for role in Role}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbeddedPostgresError(f"cannot use {path.name}") from error


def _write(path: Path, passwords: dict[str, str]) -> None:
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(passwords, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)

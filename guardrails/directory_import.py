# SPDX-License-Identifier: Apache-2.0
"""Takes a tenant's own list of people and machines from a CSV file (RFC 4180), or nothing of it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from guardrails.directory_feed import QUERIES
from guardrails.errors import DirectoryFileError
from guardrails.ports import PeopleInventory
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection

USER_COLUMNS: Final = ("user_id", "display_name", "upn", "department")
ENTRY_KINDS: Final[Mapping[str, str]] = {"name": "person", "host": "host", "asset_tag": "asset"}
MAX_CHARACTERS: Final = 256
MAX_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedNames:
    """What a file states.

    Attributes:
        users: by user id, the fields of USER_COLUMNS.
        entries: (kind, name).

    """

    users: Mapping[str, tuple[str, str, str, str]] = field(repr=False)
    entries: frozenset[tuple[str, str]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedNames:
    """How much was new or changed."""

    n_users: int
    n_entries: int


def read_names(path: Path) -> StatedNames:
    """Read a file.

    Raises:
        DirectoryFileError: it is no CSV in UTF-8, has none of the columns, or a field is too long.
    """
    users: dict[str, tuple[str, str, str, str]] = {}
    entries: set[tuple[str, str]] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = set(rows.fieldnames or ())
            if not columns & {"user_id", *ENTRY_KINDS}:
                raise DirectoryFileError(
                    "the first line names none of the columns user_id, name, host, asset_tag"
                )
            for number, row in enumerate(rows, start=2):
                if number > MAX_ROWS:
                    raise DirectoryFileError(f"it has more than {MAX_ROWS} lines; split it")
                fields = [_read(row, column, number) for column in USER_COLUMNS]
                if fields[0]:
                    users[fields[0]] = (fields[0], fields[1], fields[2], fields[3])
                elif fields[1]:
                    entries.add(("person", fields[1]))
                for column, kind in ENTRY_KINDS.items():
                    if value := _read(row, column, number):
                        entries.add((kind, value))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DirectoryFileError(f"it is no CSV file in UTF-8: {error}") from error
    return StatedNames(users=users, entries=frozenset(entries))


async def import_names(
    connection: Connection,
    stated: StatedNames,
    people: PeopleInventory,
    clock: Clock,
    audit: AuditIntake,
    *,
    actor: str,
    correlation_id: str,
) -> ImportedNames:
    """Store what a file states, with an audit event of counts. The caller owns the transaction."""
    n_users = await people.state_people(connection, list(stated.users.values()))
    entries = sorted(stated.entries)
    cursor = await connection.execute(
        QUERIES["state_entries"],
        {
            "kinds": [kind for kind, _ in entries],
            "names": [name for _, name in entries],
            "now": clock.now(),
        },
    )
    n_entries = len(await cursor.fetchall())
    await audit.record(
        connection,
        actor=actor,
        action="directory.imported",
        subject_kind="directory",
        subject_id="people",
        correlation_id=correlation_id,
        after={"n_users": n_users, "n_entries": n_entries},
    )
    return ImportedNames(n_users=n_users, n_entries=n_entries)


def _read(row: Mapping[str, str | None], column: str, number: int) -> str:
    value = (row.get(column) or "").strip()
    if len(value) > MAX_CHARACTERS or "\x00" in value:
        raise DirectoryFileError(
            f"line {number}: {column} has more than {MAX_CHARACTERS} characters, or a zero byte"
        )
    return value

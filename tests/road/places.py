# SPDX-License-Identifier: Apache-2.0
"""Everything that an installation writes: rows of tables and files, compressed or not."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

_MAGIC = (b"\x1f\x8b", b"x\x9c", b"x\x01", b"x\xda")
_FEWEST = 16
TABLES = (
    "SELECT n.nspname AS schema, c.relname AS name FROM pg_class AS c"
    " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
)


def unpack(content: bytes, depth: int = 3) -> Iterator[bytes]:
    """Yield bytes and all that is packed in them: gzip, zlib, zip archives."""
    yield content
    if depth == 0 or len(content) < _FEWEST:
        return
    if content.startswith(_MAGIC):
        for opened in (gzip.decompress, zlib.decompress):
            with suppress(OSError, EOFError, zlib.error):
                yield from unpack(opened(content), depth - 1)
    elif content.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpack(archive.read(name), depth - 1)


def _flatten(value: Any) -> Iterator[bytes]:
    """Yield the bytes of a column's value; jsonb and arrays come as text."""
    if isinstance(value, bytes | memoryview):
        yield from unpack(bytes(value))
    elif value is not None:
        yield str(value).encode()


class Rows:
    """The rows of all tables of a database, and which of them are new."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn.replace("postgresql+psycopg", "postgresql", 1)
        self._seen: dict[str, set[int]] = {}

    async def read(self, *, only_new: bool) -> dict[str, dict[str, bytes]]:
        """Return {table: {column: all its values}}; later calls may ask for new rows alone."""
        found: dict[str, dict[str, bytes]] = {}
        async with await psycopg.AsyncConnection.connect(self._dsn, row_factory=dict_row) as reader:
            for table in await (await reader.execute(TABLES)).fetchall():
                name = sql.Identifier(table["schema"], table["name"])
                columns = await (await reader.execute(_COLUMNS, table)).fetchall()
                selected = sql.SQL(", ").join(_select(column) for column in columns)
                cursor = await reader.execute(sql.SQL("SELECT {} FROM {}").format(selected, name))
                seen = self._seen.setdefault(table["name"], set())
                rows = [row for row in await cursor.fetchall() if hash(str(row)) not in seen]
                seen.update(hash(str(row)) for row in rows)
                if rows and only_new:
                    found[table["name"]] = {
                        column["attname"]: b"\n".join(
                            part for row in rows for part in _flatten(row[column["attname"]])
                        )
                        for column in columns
                    }
        return found


_COLUMNS = (
    "SELECT a.attname, t.typname FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid"
    " WHERE a.attrelid = format('%%I.%%I', %(schema)s::text, %(name)s::text)::regclass"
    " AND a.attnum > 0 AND NOT a.attisdropped"
)


def _select(column: dict[str, Any]) -> sql.Composed:
    """Bytes as they are, everything else as PostgreSQL writes it."""
    name = sql.Identifier(column["attname"])
    if column["typname"] == "bytea":
        return sql.SQL("{}").format(name)
    return sql.SQL("{}::text AS {}").format(name, name)


def read_files(*folders: Path, since: float = 0.0) -> dict[str, bytes]:
    """Return the files below folders that changed since a moment, unpacked; names count, too."""
    return {
        str(path): b"\n".join((str(path).encode(), *unpack(path.read_bytes())))
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= since
    }

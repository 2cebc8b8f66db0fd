# SPDX-License-Identifier: Apache-2.0
"""The script catalogue: immutable versions with their exact bytes.

A version's content never changes: importing other bytes under the same version is refused, and so
is an older version. Who may put one in force is not decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contracts.canonical import sha256_hex
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.errors import ScriptNotFoundError, VersionConflictError
from retrieval.manifest import CatalogueEntry, Manifest, version_key

QUERIES = load_queries(__file__, "catalogue")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueScript:
    """A script version as stored."""

    manifest: Manifest
    content_sha256: str
    analysis: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """A script version as lists show it."""

    script_id: str
    version: str
    title: str
    author: str
    platforms: Sequence[str]
    interpreter: str
    analysis: Mapping[str, Any]
    content_sha256: str
    status: str
    imported_by: str
    imported_at: datetime


class Catalogue:
    """Imports script versions, and keeps which one of each script is in force."""

    def __init__(self, *, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def lock(self, connection: Connection) -> None:
        """Take turns with others who change the catalogue, until the transaction ends."""
        await connection.execute(QUERIES["lock_catalogue"])

    async def import_entry(
        self,
        connection: Connection,
        entry: CatalogueEntry,
        *,
        analysis: Mapping[str, Any],
        quality: Mapping[str, Any],
        sign: Callable[[datetime], bytes],
        actor: str,
        correlation_id: str,
        answerable: str = "",
    ) -> bool:
        """Add a script version as proposed; return False if the same bytes are there already.

        Args:
            connection: carries the caller's transaction.
            entry: what is imported.
            analysis: what it does, as far as its text shows.
            quality: the linter's findings.
            sign: returns the signed entry for the moment of the import.
            actor: who imports.
            correlation_id: of the request.
            answerable: who made the token of a service that imports.

        Raises:
            VersionConflictError: other content is stored under this id and version, or a newer
                version is.
        """
        manifest, digest = entry.manifest, entry.content_sha256
        key = {"script_id": manifest.id, "version": manifest.version}
        await self.lock(connection)
        row = await (await connection.execute(QUERIES["find_script_digest"], key)).fetchone()
        if row is not None:
            if row["content_sha256"] != digest:
                raise VersionConflictError(
                    f"{manifest.id} {manifest.version} is in the catalogue with other content;"
                    " raise the version"
                )
            return False
        await _check_newest(connection, manifest)
        await self._insert(connection, entry, analysis, quality, sign, (actor, answerable))
        await self._audit.record(
            connection,
            actor=actor,
            action="script.imported",
            subject_kind="script",
            subject_id=f"{manifest.id}@{manifest.version}",
            correlation_id=correlation_id,
            after={"content_sha256": digest, "author": manifest.author, "status": "proposed"},
        )
        return True

    async def put_in_force(self, connection: Connection, script_id: str, version: str) -> None:
        """Make a version the one in force; the one before is superseded."""
        key = {"script_id": script_id, "version": version}
        await connection.execute(QUERIES["supersede_others"], key)
        await connection.execute(QUERIES["set_status"], {**key, "status": "active"})

    async def withdraw(
        self, connection: Connection, script_id: str, version: str, status: str
    ) -> None:
        """Mark a version as rejected or retired."""
        await connection.execute(
            QUERIES["set_status"], {"script_id": script_id, "version": version, "status": status}
        )

    async def _insert(
        self,
        connection: Connection,
        entry: CatalogueEntry,
        analysis: Mapping[str, Any],
        quality: Mapping[str, Any],
        sign: Callable[[datetime], bytes],
        importers: tuple[str, str],
    ) -> None:
        """Store a script version and the bytes of its steps."""
        manifest, now = entry.manifest, self._clock.now()
        key = {"script_id": manifest.id, "version": manifest.version}
        await connection.execute(
            QUERIES["insert_script"],
            {
                **key,
                "title": manifest.title,
                "author": manifest.author,
                "platforms": list(manifest.platforms),
                "interpreter": manifest.interpreter,
                "failure_classes": [name.value for name in manifest.failure_classes],
                "manifest": Jsonb(manifest.model_dump(mode="json")),
                "analysis": Jsonb(dict(analysis)),
                "quality": Jsonb(dict(quality)),
                "content_sha256": entry.content_sha256,
                "imported_by": importers[0],
                "imported_for": importers[1],
                "now": now,
                "entry": sign(now),
            },
        )
        for step, content in entry.steps.items():
            await connection.execute(
                QUERIES["insert_script_file"],
                {**key, "step": step, "content": content, "sha256": sha256_hex(content)},
            )


async def _check_newest(connection: Connection, manifest: Manifest) -> None:
    """Check that a version is newer than all others that nobody has rejected.

    Raises:
        VersionConflictError: it is not.
    """
    rows = await (
        await connection.execute(QUERIES["list_versions"], {"script_id": manifest.id})
    ).fetchall()
    known = [row["version"] for row in rows if row["status"] != "rejected"]
    newest = max(known, key=version_key, default=None)
    if newest is not None and version_key(manifest.version) < version_key(newest):
        raise VersionConflictError(
            f"{manifest.id} {manifest.version} is older than {newest}, which is in the catalogue:"
            " raise the version, or have a stored version approved once more (roll back)"
        )


async def list_catalogue(connection: Connection) -> list[ListedVersion]:
    """Return all versions, the scripts by id and of each the newest import first."""
    rows = await (await connection.execute(QUERIES["list_catalogue"])).fetchall()
    return [ListedVersion(**row) for row in rows]


async def find_script(
    connection: Connection, script_id: str, version: str | None = None
) -> CatalogueScript:
    """Return a script version, or the one in force where no version is given.

    Raises:
        ScriptNotFoundError: there is none.
    """
    query = QUERIES["find_script" if version else "find_active_script"]
    row = await (
        await connection.execute(query, {"script_id": script_id, "version": version})
    ).fetchone()
    if row is None:
        raise ScriptNotFoundError(f"no script {script_id} {version or 'in force'}")
    return _script(row)


async def list_scripts(
    connection: Connection, platform: str | None = None
) -> list[CatalogueScript]:
    """Return the scripts in force, for one platform or all, by id."""
    rows = await (
        await connection.execute(QUERIES["list_active_scripts"], {"platform": platform})
    ).fetchall()
    return [_script(row) for row in rows]


async def load_files(connection: Connection, script_id: str, version: str) -> dict[str, bytes]:
    """Return the exact bytes of a script version by step.

    Raises:
        ScriptNotFoundError: the version is unknown.
    """
    rows = await (
        await connection.execute(
            QUERIES["list_script_files"], {"script_id": script_id, "version": version}
        )
    ).fetchall()
    if not rows:
        raise ScriptNotFoundError(f"no files of script {script_id} {version}")
    return {row["step"]: bytes(row["content"]) for row in rows}


def _script(row: Mapping[str, Any]) -> CatalogueScript:
    return CatalogueScript(
        manifest=Manifest.model_validate(row["manifest"]),
        content_sha256=row["content_sha256"],
        analysis=row["analysis"],
    )

# SPDX-License-Identifier: Apache-2.0
"""The script catalogue: immutable versions with their exact bytes.

A version's content never changes: importing other bytes under the same version is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from contracts.canonical import sha256_hex
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.errors import ManifestError, ScriptNotFoundError
from retrieval.manifest import CatalogueEntry, Manifest

QUERIES = load_queries(__file__, "catalogue")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueScript:
    """A script version as stored."""

    manifest: Manifest
    content_sha256: str
    analysis: Mapping[str, Any]


class Catalogue:
    """Imports and finds script versions."""

    def __init__(self, *, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def import_entry(
        self,
        connection: Connection,
        entry: CatalogueEntry,
        *,
        analysis: Mapping[str, Any],
        actor: str,
        correlation_id: str,
    ) -> bool:
        """Add a script version; return False if the same bytes are there already.

        Raises:
            ManifestError: other content is stored under this id and version.
        """
        manifest, digest = entry.manifest, entry.content_sha256
        key = {"script_id": manifest.id, "version": manifest.version}
        await connection.execute(QUERIES["lock_catalogue"])
        row = await (await connection.execute(QUERIES["find_script_digest"], key)).fetchone()
        if row is not None:
            if row["content_sha256"] != digest:
                raise ManifestError(
                    f"{manifest.id} {manifest.version} is in the catalogue with other content;"
                    " raise the version"
                )
            return False
        await connection.execute(QUERIES["retire_other_versions"], key)
        await self._insert(connection, entry, analysis)
        await self._audit.record(
            connection,
            actor=actor,
            action="script.imported",
            subject_kind="script",
            subject_id=f"{manifest.id}@{manifest.version}",
            correlation_id=correlation_id,
            after={"content_sha256": digest, "author": manifest.author},
        )
        return True

    async def _insert(
        self, connection: Connection, entry: CatalogueEntry, analysis: Mapping[str, Any]
    ) -> None:
        """Store a script version and the bytes of its steps."""
        manifest = entry.manifest
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
                "content_sha256": entry.content_sha256,
                "now": self._clock.now(),
            },
        )
        for step, content in entry.steps.items():
            await connection.execute(
                QUERIES["insert_script_file"],
                {**key, "step": step, "content": content, "sha256": sha256_hex(content)},
            )


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

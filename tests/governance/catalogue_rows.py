# SPDX-License-Identifier: Apache-2.0
"""Script versions put into the catalogue as rows, signed, and shipped by a sealed decision."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contracts.canonical import sha256_hex
from governance.script_versions import ENTRY_TYPE, compose_entry, content_digest

IMPORTER = "system:test"


async def put_in_catalogue(
    connection: Any,
    manifest: Mapping[str, Any],
    steps: Mapping[str, bytes],
    *,
    sealer: Any,
    decisions: Any,
    now: datetime,
    analysis: Mapping[str, Any],
    ship: bool = True,
) -> str:
    """Store a version whose manifest may lack what dispatch does not read; return its digest."""
    key = (manifest["id"], manifest["version"])
    entry = compose_entry(manifest, steps, analysis=analysis, imported_by=IMPORTER, imported_at=now)
    await connection.execute(
        "INSERT INTO scripts (script_id, version, title, author, platforms, interpreter,"
        " failure_classes, manifest, analysis, content_sha256, imported_at, imported_by, entry)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *key, manifest["title"], manifest["author"], manifest["platforms"],
            manifest["interpreter"], manifest["failure_classes"], Jsonb(dict(manifest)),
            Jsonb(dict(analysis)), content_digest(manifest, steps), now, IMPORTER,
            sealer.sign_document(ENTRY_TYPE, entry),
        ),
    )  # fmt: skip
    for step, content in steps.items():
        await connection.execute(
            "INSERT INTO script_files (script_id, version, step, content, sha256)"
            " VALUES (%s, %s, %s, %s, %s)",
            (*key, step, content, sha256_hex(content)),
        )
    if ship:
        await decisions.ship(
            connection, [key], actor=IMPORTER, reason="for a test", correlation_id="cor_ship"
        )
    return str(entry["content_sha256"])

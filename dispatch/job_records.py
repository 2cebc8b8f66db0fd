# SPDX-License-Identifier: Apache-2.0
"""Stored jobs, and the catalogue's scripts as dispatch needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dispatch.errors import JobNotFoundError
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "jobs")
SCRIPT_QUERIES = load_queries(__file__, "scripts")


class JobKind(StrEnum):
    """What a job does with its script."""

    REMEDIATE = "remediate"
    ROLLBACK = "rollback"


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    LEASED = "leased"
    REPORTED = "reported"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJob:
    """One row of `jobs`. `envelope` is the signed job exactly as delivered."""

    job_id: str
    proposal_id: str
    device_id: str
    kind: JobKind
    sequence: int
    bundle_digest: str
    approval_digest: str
    envelope: bytes
    status: JobStatus
    leased_until: datetime | None
    receipt: dict[str, Any] | None
    succeeded: bool | None
    created_at: datetime
    expires_at: datetime
    reported_at: datetime | None
    verified_at: datetime | None
    verification: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRecord:
    """A script version in the catalogue: bytes and stated digests by step."""

    interpreter: str
    manifest: dict[str, Any]
    content_sha256: str
    contents: Mapping[str, bytes]
    stated_sha256: Mapping[str, str]


def _read(row: Mapping[str, Any]) -> StoredJob:
    return StoredJob(
        **{
            **row,
            "kind": JobKind(row["kind"]),
            "status": JobStatus(row["status"]),
            "envelope": bytes(row["envelope"]),
        }
    )


async def find_job(connection: Connection, job_id: str) -> StoredJob | None:
    """Return a job, or None."""
    cursor = await connection.execute(QUERIES["find_job"], {"job_id": job_id})
    row = await cursor.fetchone()
    return None if row is None else _read(row)


async def lock_job(connection: Connection, job_id: str) -> StoredJob:
    """Return a job and hold it until the transaction ends.

    Raises:
        JobNotFoundError: there is none.

    """
    cursor = await connection.execute(QUERIES["lock_job"], {"job_id": job_id})
    row = await cursor.fetchone()
    if row is None:
        raise JobNotFoundError
    return _read(row)


async def list_jobs(connection: Connection, proposal_id: str) -> list[StoredJob]:
    """Return a proposal's jobs in the order in which they were made."""
    cursor = await connection.execute(
        QUERIES["list_jobs_of_proposal"], {"proposal_id": proposal_id}
    )
    return [_read(row) for row in await cursor.fetchall()]


async def list_unverified(connection: Connection, device_id: str) -> list[str]:
    """Return the ids of a device's reported jobs that telemetry has not judged yet."""
    cursor = await connection.execute(QUERIES["list_unverified"], {"device_id": device_id})
    return [row["job_id"] for row in await cursor.fetchall()]


async def find_script(
    connection: Connection, script_id: str | None, version: str | None
) -> ScriptRecord | None:
    """Return a script version with its bytes, or None."""
    key = {"script_id": script_id, "version": version}
    cursor = await connection.execute(SCRIPT_QUERIES["find_script"], key)
    row = await cursor.fetchone()
    if row is None:
        return None
    cursor = await connection.execute(SCRIPT_QUERIES["list_files"], key)
    files = await cursor.fetchall()
    return ScriptRecord(
        interpreter=row["interpreter"],
        manifest=row["manifest"],
        content_sha256=row["content_sha256"],
        contents={file["step"]: bytes(file["content"]) for file in files},
        stated_sha256={file["step"]: file["sha256"] for file in files},
    )

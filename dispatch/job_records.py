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

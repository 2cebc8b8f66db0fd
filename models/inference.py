# SPDX-License-Identifier: Apache-2.0
"""The record of what a model answered: name, version, digest, output, confidence."""

from typing import Any

from psycopg.types.json import Jsonb

from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.registry import LoadedModel

QUERIES = load_queries(__file__, "inference")


async def record_inference(
    connection: Connection,
    ids: IdSource,
    clock: Clock,
    *,
    model: LoadedModel,
    subject_kind: str,
    subject_id: str,
    output: Any,
    confidence: float,
) -> str:
    """Record one answer in the caller's transaction and return its id.

    Args:
        connection: its transaction is the caller's.
        ids: makes the id.
        clock: tells the time.
        model: who answered.
        subject_kind: what was asked about: report, incident, proposal.
        subject_id: which one.
        output: the answer as JSON; masked, because it is kept.
        confidence: the calibrated probability of the answer.

    """
    inference_id = ids.new("inf")
    await connection.execute(
        QUERIES["insert_inference"],
        {
            "inference_id": inference_id,
            "model_name": model.name,
            "model_version": model.version,
            "model_digest": model.digest,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "output": Jsonb(output),
            "confidence": confidence,
            "created_at": clock.now(),
        },
    )
    return inference_id


async def list_inferences(
    connection: Connection, *, subject_kind: str, subject_id: str
) -> list[dict[str, Any]]:
    """Return the recorded answers about one subject, oldest first."""
    cursor = await connection.execute(
        QUERIES["list_inferences"], {"subject_kind": subject_kind, "subject_id": subject_id}
    )
    return await cursor.fetchall()


async def list_models_used(
    connection: Connection, *, subject_kind: str, subject_id: str
) -> list[dict[str, str]]:
    """Return name, version and digest of each model that has answered about one subject."""
    cursor = await connection.execute(
        QUERIES["list_models_used"], {"subject_kind": subject_kind, "subject_id": subject_id}
    )
    return [dict(row) for row in await cursor.fetchall()]

# SPDX-License-Identifier: Apache-2.0
"""Learns from each label as it comes: corrects the recommender in use, in the caller's transaction.

The memory belongs to one model file: a newly promoted one starts from zero, and one that is
promoted again goes on where it stood. All of it is numbers in PostgreSQL. A label is learnt once,
whatever is killed and however often it is handed over: its row in `online_lessons` is written in
the same transaction.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from models.experience import CARRIED_OUT, name_witness, read_signals
from models.online_correction import Correction, Step, is_teachable, learn
from models.recommender import Event, Recommender, signal_matrix
from models.registry import LoadedModel

QUERIES = load_queries(__file__, "online_learning")
ACTOR = "system:recommender"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one label teaches: whether an event came about, by whose word."""

    label_id: str
    proposal_id: str
    correlation_id: str
    signals: Mapping[str, float]
    event: Event
    happened: bool
    witness: str


async def find_correction(connection: Connection, model_digest: str) -> Correction:
    """Return what was learnt since a model, named by its file's SHA-256, was promoted."""
    cursor = await connection.execute(QUERIES["list_corrections"], {"model_digest": model_digest})
    rows = await cursor.fetchall()
    return Correction(
        weights={row["event"]: row["weights"] for row in rows},
        n_labels={row["event"]: row["n_labels"] for row in rows},
    )


async def learn_label(
    connection: Connection, label_id: str, *, model: LoadedModel, clock: Clock, audit: AuditIntake
) -> bool:
    """Learn a label, unless that was done before or it teaches nothing; tell whether it was now.

    Args:
        connection: its transaction is the caller's; others who learn wait until it ends.
        label_id: the label.
        model: the recommender in use, which is corrected.
        clock: tells the time.
        audit: takes the event.

    Raises:
        ModelArtifactError: the model weighs other signals than this program knows.

    """
    lesson = await _find_lesson(connection, label_id)
    if lesson is None:
        return False
    log_odds = _predict(Recommender(model.model), lesson)
    if not is_teachable(lesson.signals, log_odds):
        _logger.warning("label %s teaches nothing: a number of it is not finite", label_id)
        return False
    key = {"model_digest": model.digest, "event": lesson.event.value, "now": clock.now()}
    written = await connection.execute(
        QUERIES["insert_lesson"], {**key, "label_id": label_id, "happened": lesson.happened}
    )
    if not written.rowcount:
        return False
    step = await _advance(connection, key, lesson, log_odds)
    await audit.record(
        connection,
        actor=ACTOR,
        action="model.corrected",
        subject_kind="model",
        subject_id=model.name,
        correlation_id=lesson.correlation_id,
        after={
            "version": model.version,
            "digest": model.digest,
            "label_id": label_id,
            "proposal_id": lesson.proposal_id,
            "event": lesson.event.value,
            "happened": lesson.happened,
            "weights": {name: round(value, 6) for name, value in sorted(step.total.items())},
        },
    )
    return True


async def _advance(
    connection: Connection, key: Mapping[str, Any], lesson: Lesson, log_odds: float
) -> Step:
    """Take a step; whoever learns the same event of the same model waits for the first query."""
    await connection.execute(QUERIES["begin_correction"], key)
    cursor = await connection.execute(QUERIES["lock_correction"], key)
    total = await cursor.fetchone()
    of_witness = {**key, "witness": lesson.witness}
    cursor = await connection.execute(QUERIES["find_influence"], of_witness)
    witness = await cursor.fetchone()
    step = learn(
        signals=lesson.signals,
        log_odds=log_odds,
        happened=lesson.happened,
        total=total["weights"] if total else {},
        witness=witness["weights"] if witness else {},
    )
    await connection.execute(
        QUERIES["store_correction"], {**key, "weights": Jsonb(dict(step.total))}
    )
    await connection.execute(
        QUERIES["store_influence"], {**of_witness, "weights": Jsonb(dict(step.witness))}
    )
    return step


def _predict(recommender: Recommender, lesson: Lesson) -> float:
    """Return what the trained model says of a lesson's signals, NaN where they are no numbers."""
    if not is_teachable(lesson.signals, 0.0):
        return math.nan
    return float(recommender.predict_log_odds(signal_matrix([lesson.signals]), lesson.event)[0])


async def _find_lesson(connection: Connection, label_id: str) -> Lesson | None:
    cursor = await connection.execute(QUERIES["find_label"], {"label_id": label_id})
    row = await cursor.fetchone()
    signals = read_signals(row["signals"]) if row else None
    taught = _read_event(row) if row else None
    if row is None or signals is None or taught is None:
        return None
    event, happened = taught
    return Lesson(
        label_id=label_id,
        proposal_id=row["proposal_id"],
        correlation_id=row["correlation_id"],
        signals=signals,
        event=event,
        happened=happened,
        witness=name_witness(event, row["actor"], row["target_device_id"]),
    )


def _read_event(row: Mapping[str, Any]) -> tuple[Event, bool] | None:
    """Return what a label says of which event; None where it says nothing, as in `experience`."""
    match row["kind"], row["label"]:
        case "decision", "approve" if row["status"] in CARRIED_OUT:
            return Event.APPROVED, True
        case "decision", "reject":
            return Event.APPROVED, False
        case "decision", "override" if not row["same_script"]:
            return Event.APPROVED, False
        case "outcome", "succeeded" | "failed":
            return Event.WORKS, row["label"] == "succeeded"
    return None

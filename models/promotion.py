# SPDX-License-Identifier: Apache-2.0
"""Promotions: which version of a model is in use, by whose decision; and when one is refused.

PostgreSQL holds the truth: the newest promotion names the champion and the digest of its file, in
one transaction with the audit event and the evidence; MLflow's alias follows it. A challenger needs
a gate that passes, or a person who answers in words for one that is inconclusive; none overrides
one that fails. A rollback goes back to what was in use before, and needs a reason alone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kernel.database import Connection
from kernel.queries import load_queries
from models.errors import PromotionRefusedError, UnknownModelError
from models.gate import Outcome, Verdict

QUERIES = load_queries(__file__, "promotion")
CHANNEL = "eucora_models"  # of NOTIFY; the payload is the model's name
MAX_REASON_CHARACTERS = 2_000
PEOPLE = ("user:", "cli:")


class PromotionKind(StrEnum):
    """How a version came into use."""

    FIRST = "first"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A version in use since `created_at`; digests of files and of the bundle are SHA-256 (hex)."""

    promotion_id: str
    name: str
    version: str
    digest: str
    previous_version: str | None
    previous_digest: str | None
    kind: PromotionKind
    verdict: Outcome
    actor: str
    reason: str
    bundle_digest: str
    created_at: datetime


def check_promotion(
    verdict: Verdict, *, actor: str, reason: str, override: bool, label: str
) -> None:
    """Check that this person may put a challenger to use.

    Args:
        verdict: of the gate.
        actor: who decides.
        reason: theirs, in words; masked.
        override: whether they answer for an inconclusive gate.
        label: names the version in the refusal.

    Raises:
        PromotionRefusedError: the gate fails, is inconclusive and not answered for, or no person
            decides.
    """
    _check_person(actor, reason, label=label)
    if verdict.outcome is Outcome.FAIL:
        raise PromotionRefusedError(
            f"{label} fails the gate, which nobody can override: {verdict.explain(Outcome.FAIL)}"
        )
    if verdict.outcome is Outcome.INCONCLUSIVE and not (override and reason):
        raise PromotionRefusedError(
            f"the gate is inconclusive about {label}: {verdict.explain(Outcome.INCONCLUSIVE)}. A"
            " person may override that with a reason"
        )


def check_rollback(*, actor: str, reason: str, label: str) -> None:
    """Check that this person may go back to an earlier champion, which needs no gate.

    Raises:
        PromotionRefusedError: no person decides, or gives no reason or too long a one.
    """
    _check_person(actor, reason, label=label)
    if not reason:
        raise PromotionRefusedError("a rollback needs a reason")


def _check_person(actor: str, reason: str, *, label: str) -> None:
    if not actor.startswith(PEOPLE):
        raise PromotionRefusedError(f"{label}: a person promotes a model, and {actor} is none")
    if len(reason) > MAX_REASON_CHARACTERS:
        raise PromotionRefusedError(f"the reason has more than {MAX_REASON_CHARACTERS} characters")


def find_previous(history: Sequence[Promotion]) -> Promotion:
    """Return the promotion that a rollback goes back to.

    What was rolled back is passed over: two rollbacks in a row go back two steps.

    Args:
        history: all of one model, the newest first.

    Raises:
        PromotionRefusedError: there is nothing to go back to.
    """
    stack: list[Promotion] = []
    for one in reversed(history):
        if one.kind is PromotionKind.ROLLBACK:
            while len(stack) > 1 and stack[-1].digest != one.digest:
                stack.pop()
        else:
            stack.append(one)
    if len(stack) < 2:
        raise PromotionRefusedError("there is no earlier champion to go back to")
    return stack[-2]


async def lock_model(connection: Connection, name: str) -> None:
    """Wait for other promotions of this model to end."""
    await connection.execute(QUERIES["lock_model"], {"name": name})


async def insert_promotion(connection: Connection, promotion: Promotion) -> None:
    """Put a version to use, and tell who listens, when the caller's transaction commits."""
    await connection.execute(QUERIES["insert_promotion"], asdict(promotion))
    await connection.execute(QUERIES["notify_promotion"], {"name": promotion.name})


async def list_champions(connection: Connection) -> dict[str, Promotion]:
    """Return the newest promotion of each model, by name."""
    cursor = await connection.execute(QUERIES["list_champions"])
    return {row["name"]: _promotion(row) for row in await cursor.fetchall()}


async def list_promotions(
    connection: Connection, name: str | None = None, *, limit: int | None = 100
) -> list[Promotion]:
    """Return promotions, of one model or of all, the newest first; without a limit all of them."""
    cursor = await connection.execute(QUERIES["list_promotions"], {"name": name, "limit": limit})
    return [_promotion(row) for row in await cursor.fetchall()]


async def find_promotion(connection: Connection, promotion_id: str) -> Promotion:
    """Return one promotion.

    Raises:
        UnknownModelError: there is none of this id.
    """
    cursor = await connection.execute(QUERIES["find_promotion"], {"promotion_id": promotion_id})
    row = await cursor.fetchone()
    if row is None:
        raise UnknownModelError(f"no promotion {promotion_id!r}")
    return _promotion(row)


def _promotion(row: dict[str, Any]) -> Promotion:
    return Promotion(
        **{**row, "kind": PromotionKind(row["kind"]), "verdict": Outcome(row["verdict"])}
    )

# SPDX-License-Identifier: Apache-2.0
"""Promotions: which version of a model is in use, by whose decision; and when one is refused.

PostgreSQL holds the truth: the newest promotion names the champion and the digest of its file, in
one transaction with the audit event and the evidence; MLflow's alias follows it. A challenger needs
a gate that passes, or a person who answers in words for one that is inconclusive; none overrides
one that fails. A rollback goes back to what was in use before, and needs a reason alone.

Each decision names the promotion that it was made against, and is refused where another one is the
newest by then. A model's promotions are one chain: each names the one before it, once, which the
database enforces; a rollback names the promotion that it goes back to. What a file's digest is says
nothing of the order: the same file may be in use twice.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.errors import UniqueViolation

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
    """A version in use since `created_at`; digests of files and of the bundle are SHA-256 (hex).

    `previous_id` is the promotion before this one, None of a model's first; `restored_id` is, of a
    rollback alone, the promotion that it went back to.
    """

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
    previous_id: str | None = None
    restored_id: str | None = None


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


def check_in_use(in_use: Promotion | None, against: str | None, *, name: str) -> None:
    """Check that what is in use is what a person decided against.

    Args:
        in_use: the newest promotion, None where there is none.
        against: the id of the promotion that they were shown; None where they were shown none.
        name: of the model.

    Raises:
        PromotionRefusedError: it is another one by now, or they named none.
    """
    if against == (in_use and in_use.promotion_id):
        return
    if in_use is None:
        raise PromotionRefusedError(
            f"no promotion of {name} is recorded, so there is none that a decision could be"
            f" against; nothing was changed. Look again: eucora models show {name}"
        )
    champion = (
        f"version {in_use.version} is the champion of {name} since"
        f" {in_use.created_at:%Y-%m-%d %H:%M:%S} UTC by the decision of {in_use.actor}"
        f" (promotion {in_use.promotion_id})"
    )
    objection = (
        "the request does not say which champion was decided against"
        if against is None
        else "the champion is another than the one that was decided against"
    )
    raise PromotionRefusedError(
        f"{objection}: {champion}. Nothing was changed; look at that version, and decide again"
        f" against it (on the command line with --against {in_use.promotion_id})"
    )


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
            while len(stack) > 1 and stack[-1].promotion_id != one.restored_id:
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
    """Put a version to use, and tell who listens, when the caller's transaction commits.

    Raises:
        PromotionRefusedError: another promotion follows the same one already.
    """
    try:
        await connection.execute(QUERIES["insert_promotion"], asdict(promotion))
    except UniqueViolation as error:
        raise PromotionRefusedError(
            f"another promotion of {promotion.name} came first; nothing was changed. Look at what"
            " is in use now, and decide again"
        ) from error
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

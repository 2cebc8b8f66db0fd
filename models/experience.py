# SPDX-License-Identifier: Apache-2.0
"""Real experience for the recommender: what people decided, and what telemetry then proved.

A proposal gives up to two examples, each with the signals that it was chosen by, stored with it:
whether it was approved, and, if so, whether the fix held. What nobody decided, what was approved
by too few, what was not needed and what was overridden by itself with other parameters teaches
nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.database import Connection
from kernel.queries import load_queries
from models.recommender import NEUTRAL, SIGNAL_NAMES, Event
from models.signals import GREATEST_VALUE

QUERIES = load_queries(__file__, "experience")
MAX_PROPOSALS = 50_000
CARRIED_OUT = frozenset({"approved", "dispatched", "succeeded", "failed"})  # a proposal's statuses
REQUIRED = frozenset(SIGNAL_NAMES) - frozenset(NEUTRAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeExample:
    """One event of a real proposal: the signals by name, and whether it came about.

    `witness` is who says so: a person, or a device. `signals` may lack those of `NEUTRAL`. Cases of
    one incident or one device are kin.
    """

    proposal_id: str
    signals: Mapping[str, float]
    event: Event
    happened: bool
    witness: str
    observed_at: datetime
    incident_id: str | None = None
    device_id: str | None = None


async def list_outcomes(connection: Connection) -> list[OutcomeExample]:
    """Return the events of the newest settled proposals, oldest first."""
    cursor = await connection.execute(
        QUERIES["list_settled"], {"limit": MAX_PROPOSALS, "carried_out": list(CARRIED_OUT)}
    )
    examples = [one for row in await cursor.fetchall() for one in _read_examples(row)]
    return sorted(examples, key=lambda one: (one.observed_at, one.proposal_id, one.event))


async def count_labels(connection: Connection) -> list[dict[str, Any]]:
    """Return how many labels there are of each kind and word."""
    return await (await connection.execute(QUERIES["count_labels"])).fetchall()


def read_signals(stored: Any) -> dict[str, float] | None:
    """Return a proposal's stored signals; None where those that every model needs are missing.

    A value that is no number, or beyond all measure, makes the whole be missing.
    """
    if not isinstance(stored, dict) or not set(stored) >= REQUIRED:
        return None
    signals = {name: stored[name] for name in SIGNAL_NAMES if name in stored}
    if not all(
        isinstance(value, int | float) and abs(value) <= GREATEST_VALUE
        for value in signals.values()
    ):
        return None
    return {name: float(value) for name, value in signals.items()}


def _read_examples(row: Mapping[str, Any]) -> Iterator[OutcomeExample]:
    signals = read_signals(row["signals"])
    if signals is None:
        return
    common = {
        "proposal_id": row["proposal_id"],
        "signals": signals,
        "incident_id": row["incident_id"],
        "device_id": row["target_device_id"],
    }
    if row["decided_at"] is not None:
        yield OutcomeExample(
            **common,
            event=Event.APPROVED,
            happened=not row["opposed"],
            witness=row["decider"],
            observed_at=row["decided_at"],
        )
    if row["judged_at"] is not None:
        yield OutcomeExample(
            **common,
            event=Event.WORKS,
            happened=not row["failed"],
            witness=name_device(row["target_device_id"]),
            observed_at=row["judged_at"],
        )


def name_witness(event: Event, actor: str, device_id: str | None) -> str:
    """Return by whose word an event came about: a person decides, a device proves."""
    return actor if event is Event.APPROVED else name_device(device_id)


def name_device(device_id: str | None) -> str:
    """Return what a device is called as a witness of outcomes."""
    return f"device:{device_id or ''}"


def split_in_time(
    examples: Sequence[OutcomeExample], share: float
) -> tuple[Sequence[OutcomeExample], Sequence[OutcomeExample]]:
    """Return the earlier examples and the later ones, which are `share` of all, rounded down.

    What is later for one training is never earlier than for a training before it: examples come
    in the order of their events, and more of them move the border on.
    """
    border = len(examples) - int(len(examples) * share)
    return examples[:border], examples[border:]

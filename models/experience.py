# SPDX-License-Identifier: Apache-2.0
"""Real experience for the recommender: what people decided, and what telemetry then proved.

One proposal is one example: the signals that it was chosen by, stored with it, and how it ended.
A proposal that was rejected or overridden, or whose fix did not hold, counts against; one whose
fix was verified counts for. What was approved and is not verified yet teaches nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.database import Connection
from kernel.queries import load_queries
from models.recommender import SIGNAL_NAMES

QUERIES = load_queries(__file__, "experience")
MAX_EXAMPLES = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeExample:
    """A real proposal's signals, by name, and how it ended: verified (True), or not."""

    signals: Mapping[str, float]
    succeeded: bool


async def list_outcomes(connection: Connection) -> list[OutcomeExample]:
    """Return the newest settled proposals as examples, oldest first."""
    cursor = await connection.execute(QUERIES["list_settled"], {"limit": MAX_EXAMPLES})
    found = [_read_example(row) for row in await cursor.fetchall()]
    return [example for example in reversed(found) if example is not None]


async def count_labels(connection: Connection) -> list[dict[str, Any]]:
    """Return how many labels there are of each kind and word."""
    return await (await connection.execute(QUERIES["count_labels"])).fetchall()


def _read_example(row: Mapping[str, Any]) -> OutcomeExample | None:
    signals = _find_signals(row["candidates"], row["script_id"])
    if signals is None:
        return None
    succeeded = bool(row["held"]) and not row["opposed"] and not row["failed"]
    return OutcomeExample(signals=signals, succeeded=succeeded)


def _find_signals(candidates: Sequence[Any], script_id: str) -> dict[str, float] | None:
    """Return the stored signals of the script; None where they were stored by other names."""
    for candidate in candidates:
        if isinstance(candidate, dict) and candidate.get("script_id") == script_id:
            signals = candidate.get("signals")
            if isinstance(signals, dict) and set(SIGNAL_NAMES) <= set(signals):
                return {name: float(signals[name]) for name in SIGNAL_NAMES}
    return None

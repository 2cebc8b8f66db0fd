# SPDX-License-Identifier: Apache-2.0
"""What became of the scripts before: decisions and verified outcomes, by nearness to a case.

Only the newest labels of a script count, and of those of one person or one device only the
nearest few: nobody can make a script look good or bad alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.failure import FailureClass
from kernel.database import Connection
from kernel.queries import load_queries
from models.track_record import APPROVAL_PRIOR, SUCCESS_PRIOR, Belief, Tally
from retrieval.catalogue import CatalogueScript

QUERIES = load_queries(__file__, "outcomes")
WINDOW = 500  # newest labels of a script
MOST_OF_ONE_WITNESS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """What is believed of a script, and the plain counts of its version's verified outcomes."""

    success: Belief = SUCCESS_PRIOR
    approval: Belief = APPROVAL_PRIOR
    n_succeeded: int = 0
    n_failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecords:
    """The records of scripts by id, and what all of them did for the failure class."""

    of_scripts: Mapping[str, TrackRecord]
    class_success: Belief
    class_approval: Belief


async def find_track_records(
    connection: Connection,
    scripts: Sequence[CatalogueScript],
    *,
    failure_class: FailureClass,
    device: Mapping[str, Any],
) -> TrackRecords:
    """Return the records of script versions for a device's cohort: its system, in its version."""
    cursor = await connection.execute(
        QUERIES["count_outcomes"],
        {
            "script_ids": [item.manifest.id for item in scripts],
            "versions": [item.manifest.version for item in scripts],
            "failure_class": failure_class.value,
            "os_family": device["os_family"],
            "os_version": device["os_version"],
            "window": WINDOW,
            "most": MOST_OF_ONE_WITNESS,
        },
    )
    rows = await cursor.fetchall()
    of_class = [row for row in rows if row["same_class"]]
    return TrackRecords(
        of_scripts={
            script_id: _read_record([row for row in rows if row["script_id"] == script_id])
            for script_id in {row["script_id"] for row in rows}
        },
        class_success=SUCCESS_PRIOR.update(_tally(of_class, "succeeded", "failed")),
        class_approval=APPROVAL_PRIOR.update(_tally(of_class, "approved", "rejected")),
    )


def _read_record(rows: Sequence[Mapping[str, Any]]) -> TrackRecord:
    return TrackRecord(
        success=SUCCESS_PRIOR.update(_tally(rows, "succeeded", "failed")),
        approval=APPROVAL_PRIOR.update(_tally(rows, "approved", "rejected")),
        n_succeeded=_count_all(rows, "succeeded"),
        n_failed=_count_all(rows, "failed"),
    )


def _tally(rows: Sequence[Mapping[str, Any]], good: str, bad: str) -> Iterable[Tally]:
    for row in rows:
        if row["ending"] in {good, bad}:
            yield Tally(
                same_version=row["same_version"],
                same_class=row["same_class"],
                same_cohort=row["same_cohort"],
                n_good=row["n_counted"] if row["ending"] == good else 0,
                n_bad=row["n_counted"] if row["ending"] == bad else 0,
            )


def _count_all(rows: Sequence[Mapping[str, Any]], ending: str) -> int:
    return sum(row["n_all"] for row in rows if row["ending"] == ending and row["same_version"])

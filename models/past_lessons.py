# SPDX-License-Identifier: Apache-2.0
"""What the recommenders learnt online, label by label, and how their corrections came about by it.

Learning takes no chance, so that a model's correction at any moment follows from the lessons before
it: that is how a version is judged by what people would have been shown. Replaying is pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from kernel.database import Connection
from kernel.queries import load_queries
from models.experience import OutcomeExample, name_witness, read_signals
from models.online_correction import Correction, Weights, learn
from models.recommender import SIGNAL_NAMES, Event, Recommender, signal_matrix
from models.signals import FloatArray

QUERIES = load_queries(__file__, "past_lessons")
MAX_LESSONS = 50_000  # the newest; what older ones taught is missing from replayed corrections


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLesson:
    """What one label taught whichever model was in use, named by its file's SHA-256 (hex)."""

    proposal_id: str
    event: Event
    happened: bool
    witness: str
    signals: Mapping[str, float]
    model_digest: str
    learnt_at: datetime


async def list_lessons(connection: Connection) -> list[PastLesson]:
    """Return the newest lessons, in the order in which they were learnt."""
    cursor = await connection.execute(QUERIES["list_lessons"], {"limit": MAX_LESSONS})
    lessons = []
    for row in reversed(await cursor.fetchall()):
        signals, event = read_signals(row["signals"]), Event(row["event"])
        if signals is None:
            continue
        lessons.append(
            PastLesson(
                proposal_id=row["proposal_id"],
                event=event,
                happened=row["happened"],
                witness=name_witness(event, row["actor"], row["target_device_id"]),
                signals=signals,
                model_digest=row["model_digest"],
                learnt_at=row["learnt_at"],
            )
        )
    return lessons


def replay(
    recommender: Recommender, lessons: Sequence[PastLesson], cases: Sequence[OutcomeExample]
) -> FloatArray:
    """Return what a correction that learns these lessons adds to each case, log-odds (n_cases,).

    A case is answered before anything of its own event was learnt, as people were answered: first
    the answer, then the label (prequential evaluation: Dawid, "Statistical theory: the prequential
    approach", 1984).
    """
    first: dict[tuple[str, Event], datetime] = {}
    for lesson in lessons:
        key = lesson.proposal_id, lesson.event
        first[key] = min(first.get(key, lesson.learnt_at), lesson.learnt_at)
    asked_at = [
        min(case.observed_at, first.get((case.proposal_id, case.event), case.observed_at))
        for case in cases
    ]
    added = np.zeros(len(cases))
    memory = _Memory(recommender, lessons)
    learnt = 0
    for row in sorted(range(len(cases)), key=asked_at.__getitem__):
        while learnt < len(lessons) and lessons[learnt].learnt_at < asked_at[row]:
            memory.take(learnt)
            learnt += 1
        added[row] = memory.answer(cases[row])
    return added


class _Memory:
    """A correction as it grows, of each event apart, from nothing."""

    def __init__(self, recommender: Recommender, lessons: Sequence[PastLesson]) -> None:
        self._lessons = lessons
        self._total: dict[Event, Weights] = {event: {} for event in Event}
        self._witnesses: dict[tuple[Event, str], Weights] = {}
        matrix = signal_matrix([lesson.signals for lesson in lessons])
        self._log_odds = {
            event: recommender.predict_log_odds(matrix, event) if lessons else np.zeros(0)
            for event in Event
        }

    def take(self, number: int) -> None:
        """Learn a lesson."""
        lesson = self._lessons[number]
        key = lesson.event, lesson.witness
        step = learn(
            signals=lesson.signals,
            log_odds=float(self._log_odds[lesson.event][number]),
            happened=lesson.happened,
            total=self._total[lesson.event],
            witness=self._witnesses.get(key, {}),
        )
        self._total[lesson.event], self._witnesses[key] = step.total, step.witness

    def answer(self, case: OutcomeExample) -> float:
        """Return the log-odds to add to a case."""
        correction = Correction(weights={case.event: self._total[case.event]})
        signals = signal_matrix([case.signals])
        return float(correction.apply(case.event, signals, SIGNAL_NAMES)[0])

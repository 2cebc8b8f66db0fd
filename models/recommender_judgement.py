# SPDX-License-Identifier: Apache-2.0
"""Judges recommenders by what people would have been shown: the file with its online correction.

On real held-back cases, in the order in which they came about: each is answered first and learnt
then, by both versions. The champion begins with what it had learnt until the first of them, a
challenger with nothing, as it would if it were promoted. To give the champion its present
correction on all of them would be wrong: it has learnt these very cases. On simulated cases files
are judged alone: what was learnt from real labels says nothing of the prior's world.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from models.experience import OutcomeExample
from models.fit import HeldBack
from models.judgement import BRIER, Judgement, judge_probabilities, measure_latency
from models.past_lessons import PastLesson, replay
from models.recommender import Recommender
from models.registry import LoadedModel

BRIER_IN_USE = f"{BRIER} with the online correction"


class JudgeInUse:
    """Judges on real cases.

    Args:
        cases: held back, in the order of the rows of what is judged on.
        lessons: what was learnt online, by whichever model, in its order.

    """

    def __init__(self, cases: Sequence[OutcomeExample], lessons: Sequence[PastLesson]) -> None:
        self._cases, self._lessons = cases, lessons
        self._keys = {(case.proposal_id, case.event) for case in cases}

    def __call__(self, loaded: LoadedModel, held_back: HeldBack) -> Judgement:
        """Judge one version.

        Raises:
            ModelArtifactError: it weighs other signals than this program knows.
        """
        own = [
            lesson
            for lesson in self._lessons
            if lesson.model_digest == loaded.digest
            or (lesson.proposal_id, lesson.event) in self._keys
        ]
        added = replay(Recommender(loaded.model), own, self._cases)
        happens = expit(loaded.model.decision_function(held_back.inputs) + added)
        return judge_probabilities(
            np.column_stack([1.0 - happens, happens]),
            [str(name) for name in loaded.model.classes_],
            held_back,
            measure=BRIER_IN_USE,
            latency=measure_latency(loaded.model.predict_proba, held_back.inputs),
        )


def name_kin(cases: Sequence[OutcomeExample]) -> list[str]:
    """Return each case's group: what shares a proposal, an incident or a device is kin.

    And so is what is kin of the same. Such cases say little more than one of them, so that
    intervals are of groups.
    """
    links: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for row, case in enumerate(cases):
        named = {"p": case.proposal_id, "i": case.incident_id, "d": case.device_id}
        for kind, name in named.items():
            if name is not None:
                rows.append(row)
                columns.append(len(cases) + links.setdefault((kind, name), len(links)))
    size = len(cases) + len(links)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, numbers = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for case, number in zip(cases, numbers, strict=False):
        first.setdefault(int(number), case.proposal_id)
    return [first[int(number)] for number in numbers[: len(cases)]]

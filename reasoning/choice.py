# SPDX-License-Identifier: Apache-2.0
"""Chooses one script among the candidates, or says why none is proposed.

Pure. The recommender's calibrated probability decides, with what it has learnt since its training;
a language model's advice may move another candidate of the diagnosed class to the front only where
that one clears the threshold by itself. Where the tenant explores, a script that is as safe and
perhaps as good may be proposed in place of the first (`exploration`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.failure import FailureClass
from models.recommender import RankedScript, Recommender, ScriptCandidate
from reasoning.candidates import Candidate
from reasoning.exploration import Exploration, explore
from reasoning.state import ChoiceData
from reasoning.untrusted import ScriptId

NONE_OF_THE_KNOWN = "a person says that it is none of the known failures"


def rank_candidates(
    recommender: Recommender,
    candidates: Sequence[Candidate],
    class_confidence: float,
    exploration: Exploration | None = None,
) -> list[dict[str, Any]]:
    """Return the candidates as plain data, most probable first; with draws where one explores."""
    by_id = {candidate.script.manifest.id: candidate for candidate in candidates}
    ranked = recommender.rank(
        [_score_input(candidate) for candidate in candidates],
        class_confidence,
        levels=exploration.draw_levels(list(by_id)) if exploration else None,
    )
    return [_describe(by_id[script.script_id], script) for script in ranked]


def _score_input(candidate: Candidate) -> ScriptCandidate:
    return ScriptCandidate(
        script_id=candidate.script.manifest.id,
        version=candidate.script.manifest.version,
        retrieval_score=candidate.retrieval_score,
        retrieval_support=candidate.retrieval_support,
        failure_class_match=candidate.class_match,
        platform_match=True,
        preconditions_met=candidate.preconditions_met,
        success=candidate.record.success,
        approval=candidate.record.approval,
        class_success=candidate.class_success,
        class_approval=candidate.class_approval,
        safety=1.0 - candidate.safety["risk"] / 100.0,
    )


def _describe(candidate: Candidate, ranked: RankedScript) -> dict[str, Any]:
    record = candidate.record
    return {
        "script_id": ranked.script_id,
        "version": ranked.version,
        "script_sha256": candidate.script.content_sha256,
        "probability": round(ranked.probability, 4),
        "parts": _round(ranked.parts),
        "corrections": _round(ranked.corrections),  # log-odds learnt since training
        "interval": [round(ranked.low, 4), round(ranked.high, 4)],
        "beliefs": {
            name: [round(belief.good, 4), round(belief.bad, 4)]
            for name, belief in (("success", record.success), ("approval", record.approval))
        },
        **({} if ranked.draw is None else {"draw": round(ranked.draw, 6)}),
        "signals": _round(ranked.signals),
        "safety": dict(candidate.safety),
        "obstacle": candidate.obstacle,
        "class_match": candidate.class_match,
        "parameters": None if candidate.parameters is None else dict(candidate.parameters),
        "n_succeeded": record.n_succeeded,
        "n_failed": record.n_failed,
    }


def _round(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def choose_script(
    *,
    failure_class: FailureClass,
    ranked: Sequence[Mapping[str, Any]],
    threshold: float,
    advised_script_id: ScriptId | None,
    exploration: Exploration | None = None,
    by_person: bool = False,
) -> tuple[ChoiceData | None, str | None]:
    """Return the chosen script, or None with the reason for abstaining.

    Whoever follows advice does not explore. `by_person`: a person gave the class.
    """
    if failure_class is FailureClass.UNKNOWN:
        return None, NONE_OF_THE_KNOWN if by_person else "the failure class is not clear"
    if not ranked:
        return None, "no catalogue script serves this failure on this platform"
    applicable = [
        item
        for item in ranked
        if item["obstacle"] is None and item["class_match"] and item["parameters"] is not None
    ]
    if not applicable:
        serving = [item for item in ranked if item["class_match"]]
        obstacle = serving[0]["obstacle"] if serving else None
        return None, f"no script applies: {obstacle or 'none serves this failure'}"
    sure = [item for item in applicable if item["probability"] >= threshold]
    if not sure:
        best = applicable[0]["probability"]
        return None, (
            f"the best script's confidence {_show(best, threshold)} is below"
            f" {_show(threshold, best)}"
        )
    chosen = next((item for item in sure if item["script_id"] == advised_script_id), None)
    explored = None
    if chosen is None:
        chosen, explored = explore(sure, exploration) if exploration else (sure[0], None)
    return _read_choice(chosen, explored), None


def _read_choice(chosen: Mapping[str, Any], explored: dict[str, Any] | None) -> ChoiceData:
    return ChoiceData(
        script_id=chosen["script_id"],
        script_version=chosen["version"],
        script_sha256=chosen["script_sha256"],
        parameters=chosen["parameters"],
        confidence=chosen["probability"],
        exploration=explored,
    )


def _show(figure: float, other: float) -> str:
    """Return a figure with as many digits as tell it from the other, two at least."""
    return f"{figure:.4f}" if f"{figure:.2f}" == f"{other:.2f}" else f"{figure:.2f}"

# SPDX-License-Identifier: Apache-2.0
"""Chooses one script among the candidates, or says why none is proposed.

Pure. The recommender's probability decides; a language model's advice may move another candidate
of the diagnosed class to the front only where that one clears the threshold by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.failure import FailureClass
from models.recommender import RankedScript, Recommender, ScriptCandidate
from reasoning.candidates import Candidate
from reasoning.state import ChoiceData


def rank_candidates(
    recommender: Recommender, candidates: Sequence[Candidate], class_confidence: float
) -> list[dict[str, Any]]:
    """Return the candidates as plain data, most probable first."""
    by_id = {candidate.script.manifest.id: candidate for candidate in candidates}
    ranked = recommender.rank(
        [_score_input(candidate) for candidate in candidates], class_confidence
    )
    return [_describe(by_id[script.script_id], script) for script in ranked]


def _score_input(candidate: Candidate) -> ScriptCandidate:
    return ScriptCandidate(
        script_id=candidate.script.manifest.id,
        version=candidate.script.manifest.version,
        retrieval_score=candidate.retrieval_score,
        failure_class_match=candidate.class_match,
        platform_match=True,
        preconditions_met=candidate.preconditions_met,
        n_succeeded=candidate.n_succeeded,
        n_failed=candidate.n_failed,
        n_approved=candidate.n_approved,
        n_rejected=candidate.n_rejected,
    )


def _describe(candidate: Candidate, ranked: RankedScript) -> dict[str, Any]:
    return {
        "script_id": ranked.script_id,
        "version": ranked.version,
        "script_sha256": candidate.script.content_sha256,
        "probability": round(ranked.probability, 4),
        "signals": {name: round(value, 4) for name, value in ranked.signals.items()},
        "obstacle": candidate.obstacle,
        "class_match": candidate.class_match,
        "parameters": None if candidate.parameters is None else dict(candidate.parameters),
        "n_succeeded": candidate.n_succeeded,
        "n_failed": candidate.n_failed,
    }


def choose_script(
    *,
    failure_class: FailureClass,
    ranked: Sequence[Mapping[str, Any]],
    threshold: float,
    advised_script_id: str | None,
) -> tuple[ChoiceData | None, str | None]:
    """Return the chosen script, or None with the reason for abstaining."""
    if failure_class is FailureClass.UNKNOWN:
        return None, "the failure class is not clear"
    if not ranked:
        return None, "no catalogue script serves this failure on this platform"
    applicable = [
        item
        for item in ranked
        if item["obstacle"] is None and item["class_match"] and item["parameters"] is not None
    ]
    if not applicable:
        return None, f"no script applies: {ranked[0]['obstacle'] or 'none serves this failure'}"
    sure = [item for item in applicable if item["probability"] >= threshold]
    if not sure:
        best = applicable[0]["probability"]
        return None, f"the best script's confidence {best:.2f} is below {threshold:.2f}"
    chosen = next((item for item in sure if item["script_id"] == advised_script_id), sure[0])
    return (
        ChoiceData(
            script_id=chosen["script_id"],
            script_version=chosen["version"],
            script_sha256=chosen["script_sha256"],
            parameters=chosen["parameters"],
            confidence=chosen["probability"],
        ),
        None,
    )

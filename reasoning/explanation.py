# SPDX-License-Identifier: Apache-2.0
"""Writes the grounded explanation: each sentence cites what it rests on.

That is a metric, a passage, the incident, or the chosen script with its past outcomes.

Sentences are assembled from closed values; no free text of tickets, articles or models is woven
into them (invariant 3). What is cited is shown beside, marked as quoted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.failure import FailureClass
from reasoning.advice import read_advised_script
from reasoning.state import CaseData, ChoiceData, DiagnosisData

MAX_METRICS = 3
MAX_PASSAGES = 3


def explain(
    *,
    case: CaseData,
    diagnosis: DiagnosisData,
    passages: Sequence[Mapping[str, Any]],
    candidates: Sequence[Mapping[str, Any]],
    choice: ChoiceData | None,
    abstention_reason: str | None,
    overridden: bool,
) -> list[dict[str, Any]]:
    """Return sentences as {"sentence": str, "citations": [{"kind", "id", ...}]}."""
    sentences = [_finding(case, diagnosis)]
    supporting = [
        passage for passage in passages if diagnosis["failure_class"] in passage["failure_classes"]
    ][:MAX_PASSAGES]
    if supporting:
        sentences.append(
            {
                "sentence": f"{len(supporting)} passages of the knowledge base describe this.",
                "citations": [cite_passage(passage) for passage in supporting],
            }
        )
    sentences += _tell_advice(diagnosis, passages)
    if choice is not None:
        advised = read_advised_script(diagnosis["advice"]) == choice["script_id"]
        sentences.append(_reason_for_choice(choice, candidates, advised, overridden))
        sentences += _tell_exploration(choice)
    else:
        sentences.append(
            {
                "sentence": f"No script is proposed: {abstention_reason}.",
                "citations": [cite_passage(passage) for passage in passages[:1]]
                or [{"kind": "incident", "id": case["incident"]["incident_id"]}],
            }
        )
    return sentences


def _tell_advice(
    diagnosis: DiagnosisData, passages: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Say where in the knowledge base a language model points, never in its own words.

    A citation's `quoted` are offsets in the passage's text: what the model said is there.
    """
    grounds = (diagnosis["advice"] or {}).get("grounds", [])
    by_id = {passage["chunk_id"]: passage for passage in passages}
    citations = [
        cite_passage(by_id[ground["chunk_id"]]) | {"quoted": [ground["start"], ground["end"]]}
        for ground in grounds
        if ground["chunk_id"] in by_id
    ]
    if not citations:
        return []
    words = "this text" if len(citations) == 1 else "these texts"
    return [
        {
            "sentence": f"The language model points to {words} of the knowledge base.",
            "citations": citations,
        }
    ]


def cite_passage(passage: Mapping[str, Any]) -> dict[str, Any]:
    """Return a citation that resolves to characters of a document version."""
    return {
        "kind": "passage",
        "id": passage["chunk_id"],
        "document_id": passage["document_id"],
        "version": passage["version"],
        "start_offset": passage["start_offset"],
        "end_offset": passage["end_offset"],
    }


def _finding(case: CaseData, diagnosis: DiagnosisData) -> dict[str, Any]:
    words = diagnosis["failure_class"].replace("_", " ")
    if "class_label" in case["incident"]:
        return _statement(case, diagnosis)
    if metrics := _cite_metrics(case):
        return {
            "sentence": f"Telemetry points to {words} ({diagnosis['confidence']:.0%} confidence).",
            "citations": metrics,
        }
    return {
        "sentence": f"The report reads as {words} ({diagnosis['confidence']:.0%} confidence).",
        "citations": [{"kind": "incident", "id": case["incident"]["incident_id"]}],
    }


def _statement(case: CaseData, diagnosis: DiagnosisData) -> dict[str, Any]:
    """Say that a person named the class, what the models said, and which metrics stood out."""
    label = case["incident"]["class_label"]
    known = diagnosis["failure_class"] != FailureClass.UNKNOWN
    words = diagnosis["failure_class"].replace("_", " ") if known else "none of the known failures"
    of_models = (
        "as the models do"
        if label["models_class"] == diagnosis["failure_class"]
        else f"where the models said {label['models_class'].replace('_', ' ')}"
        f" ({label['models_confidence']:.0%} confidence)"
    )
    return {
        "sentence": f"A person says that this is {words}, {of_models}.",
        "citations": [
            {"kind": "incident", "id": case["incident"]["incident_id"]},
            *_cite_metrics(case),
        ],
    }


def _cite_metrics(case: CaseData) -> list[dict[str, Any]]:
    contributions = case["incident"]["detection"].get("metrics", [])[:MAX_METRICS]
    return [
        {"kind": "metric", "id": item["name"], "value": item.get("value")} for item in contributions
    ]


def _reason_for_choice(
    choice: ChoiceData, candidates: Sequence[Mapping[str, Any]], advised: bool, overridden: bool
) -> dict[str, Any]:
    rank, chosen = next(
        (rank, item)
        for rank, item in enumerate(candidates, start=1)
        if item["script_id"] == choice["script_id"]
    )
    worked, failed = chosen["n_succeeded"], chosen["n_failed"]
    history = (
        f"it worked in {worked} of {worked + failed} earlier cases"
        if worked + failed
        else "it has not been used here before"
    )
    by_whom = (
        "was chosen by a person and "
        if overridden
        else "was advised by the language model and "
        if advised
        else ""
    )
    return {
        "sentence": (
            f"{choice['script_id']} {choice['script_version']} {by_whom}ranks {rank} of"
            f" {len(candidates)} scripts considered ({_tell_probability(chosen)}); {history}."
        ),
        "citations": [
            {
                "kind": "script",
                "id": f"{choice['script_id']}@{choice['script_version']}",
                "sha256": choice["script_sha256"],
            }
        ],
    }


def _tell_probability(chosen: Mapping[str, Any]) -> str:
    """Return the probability with what it is made of; cases of before had no parts."""
    parts = chosen.get("parts")
    whole = f"{chosen['probability']:.0%}"
    if not parts:
        return whole
    return f"{whole}: {parts['approved']:.0%} to be approved, {parts['works']:.0%} to work then"


def _tell_exploration(choice: ChoiceData) -> list[dict[str, Any]]:
    drawn = choice.get("exploration")
    if not drawn or not drawn["explored"]:
        return []
    return [
        {
            "sentence": (
                f"It was chosen by a draw among {len(drawn['among'])} equally safe scripts that may"
                " be as good, to learn which of them works better."
            ),
            "citations": [{"kind": "script", "id": item["script_id"]} for item in drawn["among"]],
        }
    ]

# SPDX-License-Identifier: Apache-2.0
"""Signs of injection in what a case rests on, for who decides and for the policy.

A sign changes no choice and no risk by itself: what is said in a ticket cannot act anyway. The
approver sees it, the evidence keeps it, and a policy may ask for more people because of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from guardrails.injection import flag_injection
from reasoning.state import CaseData

MAX_CHARACTERS = 60_000  # of telemetry
REPORT, TELEMETRY, PASSAGE = "report", "telemetry", "passage"
# What articles for a helpdesk say of their own accord.
OF_ARTICLES = frozenset({"asks_for_execution"})
# Names of programs and log lines are no prose.
OF_TELEMETRY = frozenset({"unusual_text", "encoded_block", "repeats_words"})
PLACES = {REPORT: "The report", TELEMETRY: "Its telemetry", PASSAGE: "A passage"}
WORDS = {
    "asks_for_approval": "asks for an approval",
    "asks_for_execution": "asks to run a command",
    "asks_for_prompt": "asks for what a model was told",
    "asks_for_secret": "asks for a secret",
    "claims_decision": "claims that this was reviewed or approved already",
    "commands_system": "gives orders about what people and policies decide",
    "disguised": "hides words in another writing",
    "encoded_block": "holds a long encoded block",
    "exfiltrates": "asks to send something out",
    "hidden_characters": "holds invisible characters",
    "imitates_markup": "imitates the marks of a model's conversation",
    "imitates_metadata": "imitates the data of this system",
    "imitates_notice": "imitates a notice of this system",
    "mixed_scripts": "mixes look-alike letters",
    "overrides_instructions": "tells to ignore instructions",
    "plays_role": "asks to play a role",
    "repeats_words": "repeats words without end",
    "sets_task": "sets a task for a model",
    "shapes_answer": "says how an answer is to be",
    "unusual_text": "is unlike any helpdesk text",
}


def gather_signs(case: CaseData, passages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return signs as {"kind", "where", "id"}: of the report, its telemetry, each passage.

    `id` names the passage and is empty elsewhere. What the original of a ticket showed is added:
    masking strips the invisible characters that one of the signs is about.
    """
    incident = case["incident"]
    detection = dict(incident["detection"])
    of_report = {
        *(str(kind) for kind in detection.pop("flags", ())),
        *flag_injection(f"{incident['title']}\n{incident['description']}"),
    }
    told = [detection, incident["entity"], case["metrics"], case["facts"]]
    telemetry = "\n".join(dict.fromkeys(_list_texts(told)))[:MAX_CHARACTERS]
    signs = [{"kind": kind, "where": REPORT, "id": ""} for kind in sorted(of_report)]
    of_telemetry = [kind for kind in flag_injection(telemetry) if kind not in OF_TELEMETRY]
    signs += [{"kind": kind, "where": TELEMETRY, "id": ""} for kind in of_telemetry]
    for passage in passages:
        of_passage = _flag_passage(f"{passage['title']}\n{passage['text']}")
        signs += [
            {"kind": kind, "where": PASSAGE, "id": passage["chunk_id"]} for kind in of_passage
        ]
    return signs


@lru_cache(maxsize=4096)
def _flag_passage(text: str) -> tuple[str, ...]:
    """Look through a passage once: the same ones are found again and again."""
    return tuple(kind for kind in flag_injection(text) if kind not in OF_ARTICLES)


def describe_signs(signs: Sequence[Mapping[str, str]]) -> list[str]:
    """Return one sentence for each place with signs, in our words alone."""
    sentences = []
    for where, place in PLACES.items():
        kinds = sorted({sign["kind"] for sign in signs if sign["where"] == where} & WORDS.keys())
        if kinds:
            sentences.append(f"{place} {', '.join(WORDS[kind] for kind in kinds)}.")
    return sentences


def name_signs(signs: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the kinds found, each once, sorted: what a policy is told."""
    return sorted({sign["kind"] for sign in signs})


def _list_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _list_texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _list_texts(inner)

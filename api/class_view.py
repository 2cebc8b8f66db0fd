# SPDX-License-Identifier: Apache-2.0
"""What people see of an incident's class: the models' answers, what they cannot rule out, labels.

Read from what was recorded when the models answered; of answers from before the alternatives were
kept, the most probable classes are shown, if those were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.class_labels import CONSEQUENCE_WORDS, Consequence, conclude_consequence
from contracts.failure import FailureClass
from governance.proposals import Proposal, list_proposals
from kernel.database import Connection
from kernel.queries import load_queries
from telemetry.incident_classes import ClassLabel, list_class_labels
from telemetry.incidents import Incident, IncidentStatus

QUERIES = load_queries(__file__, "portal")
NONE_OF_THESE = "none of these, or no fault"
NOT_CLEAR = "not clear"
BY_RULE = "a rule was broken"
MAX_SHARES = 3
LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What one model answered about an incident when it was opened."""

    name: str
    version: str
    digest: str
    answer: str  # in words
    confidence: float
    alternatives: tuple[str, ...] = ()  # classes that it could not rule out, most probable first
    shares: tuple[tuple[str, float], ...] = ()  # the most probable classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassView:
    """An incident's class with where it is from, and what a person may say instead."""

    failure_class: FailureClass
    confidence: float
    answers: tuple[ModelAnswer, ...]
    labels: tuple[ClassLabel, ...]  # oldest first
    likely: tuple[str, ...]  # choices: the shown class and the models' alternatives
    others: tuple[str, ...]  # all other classes by name
    may_change: bool  # as far as the incident goes
    advice: str  # what a person who wants a fix for this class may do; empty without a label
    by_rule: bool  # a rule named the class, whatever the models think
    taken: Proposal | None  # the newest proposal, where it takes the incident for another class

    @property
    def stated(self) -> ClassLabel | None:
        """The newest label, None while no person has said anything."""
        return self.labels[-1] if self.labels else None

    @property
    def words(self) -> str:
        """The class in words; that no model was sure is not that somebody says it is none."""
        return name_choice(self.failure_class) if self.labels else _tell_shown(self.failure_class)

    @property
    def taken_words(self) -> str:
        """What the newest proposal takes it for, in words; "" where that is the shown class."""
        return name_choice(self.taken.diagnosis) if self.taken else ""

    @property
    def first_words(self) -> str:
        """What was shown before any person spoke, in words."""
        return _tell_shown(self.labels[0].from_class if self.labels else self.failure_class)


async def find_contradiction(connection: Connection, proposal: Proposal) -> ClassLabel | None:
    """Return the newest label of a proposal's incident if it says another class than it is for."""
    labels = await list_class_labels(connection, proposal.incident_id)
    if not labels or labels[-1].failure_class == proposal.diagnosis:
        return None
    return labels[-1]


async def view_class(connection: Connection, incident: Incident) -> ClassView:
    """Return what is known of an incident's class."""
    cursor = await connection.execute(
        QUERIES["list_inferences"],
        {"subject_kind": "incident", "subject_id": incident.incident_id},
    )
    answers = tuple(read_answer(row) for row in await cursor.fetchall())
    labels = await list_class_labels(connection, incident.incident_id)
    likely = _list_likely(incident.failure_class, answers, labels)
    proposals = await list_proposals(connection, incident_id=incident.incident_id)
    consequence = conclude_consequence(incident, proposals) if labels else None
    return ClassView(
        failure_class=incident.failure_class,
        confidence=incident.confidence,
        answers=answers,
        labels=labels,
        likely=likely,
        others=tuple(sorted(set(FailureClass) - {*likely, FailureClass.UNKNOWN})),
        may_change=incident.status is not IncidentStatus.CLOSED,
        advice=_advise(incident, consequence),
        by_rule=any(one.answer == BY_RULE for one in answers),
        taken=None if labels else _find_taken(incident, proposals),
    )


def _find_taken(incident: Incident, proposals: Sequence[Proposal]) -> Proposal | None:
    """Return the newest proposal if it rests on another class than the incident is shown with.

    Where no model was sure, the articles that the text finds may tell (`reasoning.diagnosis`).
    """
    newest = max(proposals, key=lambda one: one.created_at, default=None)
    if newest is None or newest.diagnosis in {"", FailureClass.UNKNOWN, incident.failure_class}:
        return None
    return newest


def read_answer(row: Mapping[str, Any]) -> ModelAnswer:
    """Return a recorded answer; what is malformed in it is passed over."""
    output = row["output"] if isinstance(row["output"], dict) else {}
    top = output.get("top")
    shares = [
        (name, float(share))
        for name, share in (top.items() if isinstance(top, dict) else ())
        if name in set(FailureClass) and isinstance(share, int | float) and share >= LEAST_SHARE
    ]
    listed = output.get("alternatives")
    return ModelAnswer(
        name=row["model_name"],
        version=row["model_version"],
        digest=row["model_digest"],
        answer=_tell_answer(output),
        confidence=row["confidence"],
        alternatives=tuple(
            name
            for name in (listed if isinstance(listed, list) else ())
            if name in set(FailureClass)
        ),
        shares=tuple(sorted(shares, key=lambda one: -one[1])[:MAX_SHARES]),
    )


def name_choice(name: str) -> str:
    """Return a class in words, as it is chosen."""
    return NONE_OF_THESE if name == FailureClass.UNKNOWN else name.replace("_", " ")


def _tell_shown(failure: FailureClass) -> str:
    return NOT_CLEAR if failure is FailureClass.UNKNOWN else name_choice(failure)


def _tell_answer(output: Mapping[str, Any]) -> str:
    if output.get("failure_class") in set(FailureClass):
        if output.get("abstained"):
            return "abstained: it was not sure enough"
        return str(output["failure_class"]).replace("_", " ")
    p_value = output.get("p_value")
    if isinstance(p_value, int | float):
        return BY_RULE if p_value == 0 else f"unusual, p = {p_value:.2g}"
    return "answered"


def _list_likely(
    shown: FailureClass, answers: Sequence[ModelAnswer], labels: Sequence[ClassLabel]
) -> tuple[str, ...]:
    """Return what is shown, what the models could not rule out, and what people said before."""
    found = [str(shown)]
    for one in reversed(answers):
        found += [*one.alternatives, *(name for name, _ in one.shares)]
    found += [str(one.from_class) for one in labels]
    return tuple(name for name in dict.fromkeys(found) if name != FailureClass.UNKNOWN)


def _advise(incident: Incident, consequence: Consequence | None) -> str:
    if consequence in {Consequence.PROPOSAL_WAITS, Consequence.UNDER_WAY, Consequence.BY_HAND}:
        return CONSEQUENCE_WORDS[consequence]
    if consequence is Consequence.PROPOSED_ANEW:
        is_open = incident.status is IncidentStatus.OPEN
        return CONSEQUENCE_WORDS[consequence if is_open else Consequence.BY_HAND]
    return ""

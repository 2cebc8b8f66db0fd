# SPDX-License-Identifier: Apache-2.0
"""What an incident teaches search: decisions and verified outcomes become labels of documents.

The text is the one that the reasoner searched with, read from the sealed case. An incident says of
a document one thing per origin, and its newest word counts, so being taught twice changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.ground import Ground
from api.search_feedback import SearchFeedback
from evidence.statement import CASE_FILE
from governance.labels import LabelKind, StoredLabel, find_label
from governance.proposals import Proposal, ProposalStatus, find_proposal
from kernel.database import Connection
from kernel.queries import load_queries
from reasoning.case import compose_query
from retrieval.embedding import Embedder
from retrieval.labels import Label, Origin, SearchLabel

QUERIES = load_queries(__file__, "ranking_labels")
ACTOR = "system:ranking"
UNDECIDED = frozenset({ProposalStatus.PENDING, ProposalStatus.ABSTAINED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A document that helped with an incident or did not, and how it is known."""

    document_id: str
    label: Label
    origin: Origin


def list_lessons(
    given: StoredLabel,
    *,
    case: Mapping[str, Any],
    script_id: str,
    status: ProposalStatus,
    replacement: str | None,
) -> list[Lesson]:
    """Return what a decision or an outcome teaches.

    Args:
        given: the decision or the outcome.
        case: the sealed case.
        script_id: what was proposed.
        status: where the proposal stands: one approval of two teaches nothing yet.
        replacement: the script that took its place, if it was overridden; the same one with
            other parameters says nothing about it.
    """
    cited, script = list_cited_articles(case), name_script(script_id)
    lessons: list[Lesson] = []  # what was not needed teaches nothing
    match given.kind, given.label:
        case LabelKind.DECISION, "approve" if status not in UNDECIDED:
            lessons = _teach(cited, Label.HELPED, Origin.CITATION)
        case LabelKind.DECISION, "reject":
            lessons = _teach([script], Label.DID_NOT_HELP, Origin.DECISION)
        case LabelKind.DECISION, "override" if replacement not in {None, script_id}:
            chosen = name_script(replacement or "")
            lessons = [
                *_teach([script], Label.DID_NOT_HELP, Origin.DECISION),
                *_teach([chosen], Label.HELPED, Origin.DECISION),
            ]
        case LabelKind.OUTCOME, "succeeded":
            lessons = _teach([*cited, script], Label.HELPED, Origin.OUTCOME)
        case LabelKind.OUTCOME, "failed":
            lessons = _teach([script], Label.DID_NOT_HELP, Origin.OUTCOME)
    return lessons


def _teach(document_ids: Sequence[str], label: Label, origin: Origin) -> list[Lesson]:
    return [Lesson(document_id=one, label=label, origin=origin) for one in document_ids]


def name_script(script_id: str) -> str:
    """Return the id of the document that describes a script."""
    return f"script:{script_id}"


def list_cited_articles(case: Mapping[str, Any]) -> list[str]:
    """Return the distinct articles that a sealed explanation cites, in its order."""
    scripts = {item["document_id"] for item in case["passages"] if item["kind"] == "script"}
    cited = [
        citation["document_id"]
        for item in case["explanation"]
        for citation in item["citations"]
        if citation["kind"] == "passage"
    ]
    return [one for one in dict.fromkeys(cited) if one not in scripts]


async def learn_from(
    connection: Connection,
    label_id: str,
    *,
    ground: Ground,
    embedder: Embedder,
) -> list[Lesson]:
    """Store what a decision or an outcome teaches; inside the caller's transaction.

    Raises:
        EvidenceError: the sealed case cannot be read.
    """
    given = await find_label(connection, label_id)
    proposal = await find_proposal(connection, given.proposal_id) if given else None
    if given is None or proposal is None or proposal.script_id is None:
        return []
    bundle = await ground.sealer.open(connection, proposal.bundle_digest or "")
    case = json.loads(bundle.files[CASE_FILE])
    lessons = list_lessons(
        given,
        case=case,
        script_id=proposal.script_id,
        status=proposal.status,
        replacement=await _find_replacement(connection, proposal),
    )
    await _store(connection, SearchFeedback(ground, embedder), proposal, case, lessons)
    return lessons


async def _store(
    connection: Connection,
    feedback: SearchFeedback,
    proposal: Proposal,
    case: Mapping[str, Any],
    lessons: Sequence[Lesson],
) -> None:
    text = compose_query(case["incident"])
    actor = f"incident:{proposal.incident_id}"
    await connection.execute(QUERIES["lock_incident"], {"actor": actor})
    for origin in {lesson.origin for lesson in lessons}:
        documents = [lesson.document_id for lesson in lessons if lesson.origin is origin]
        await connection.execute(
            QUERIES["withdraw_lessons"],
            {"actor": actor, "origin": origin.value, "document_ids": documents},
        )
    await feedback.add(
        connection,
        [
            SearchLabel(
                text=text,
                document_id=lesson.document_id,
                label=lesson.label,
                origin=lesson.origin,
                actor=actor,
            )
            for lesson in lessons
        ],
        correlation_id=proposal.correlation_id,
        audited_as=ACTOR,
    )


async def _find_replacement(connection: Connection, proposal: Proposal) -> str | None:
    if proposal.status is not ProposalStatus.OVERRIDDEN:
        return None
    row = await (
        await connection.execute(QUERIES["find_replacement"], {"proposal_id": proposal.proposal_id})
    ).fetchone()
    return row["script_id"] if row else None

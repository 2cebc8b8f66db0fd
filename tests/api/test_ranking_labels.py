# SPDX-License-Identifier: Apache-2.0
"""Decisions and verified outcomes teach search, once per incident, document and origin."""

from types import SimpleNamespace
from typing import Any

import pytest

from api.ranking_labels import list_cited_articles, list_lessons
from api.worker import list_handlers
from governance.approval_terms import Replacement
from governance.decision_checks import ApprovalRequest
from governance.labels import LabelKind, Labels, StoredLabel
from governance.proposals import ProposalStatus, find_proposal
from kernel.outbox import Outbox
from reasoning import steps
from reasoning.case import compose_query
from retrieval.corpus import Corpus, CorpusDocument
from tests.reasoning.situations import (
    FULL_DISK,
    enrol,
    open_ticket,
    query,
    reason_about,
    report,
    work,
)

TICKET = (
    "The disk is full: no space left on device, I cannot save files, says jane.doe@example.org."
)
OTHER = "linux-shrink-oversized-logs"


async def propose(services: Any, device_id: str = "dev-disk") -> Any:
    await enrol(services, device_id)
    await report(services, device_id, hardware=FULL_DISK)
    incident_id = await open_ticket(services, "Disk full", TICKET, device_id=device_id)
    outcome = await reason_about(services, incident_id)
    assert outcome.proposal.status == "pending", outcome.proposal.abstention_reason
    return outcome


def ask(services: Any, outcome: Any) -> ApprovalRequest:
    return ApprovalRequest(
        proposal_id=outcome.proposal.proposal_id,
        bundle_digest=outcome.proposal.bundle_digest,
        approver="grace",
        roles=frozenset({"approver"}),
        session_authenticated_at=services.ground.clock.now(),
        correlation_id="cor_decision",
        reason="because",
    )


async def list_taught(services: Any) -> dict[tuple[str, str], str]:
    rows = await query(services, "SELECT document_id, origin, label FROM search_labels")
    taught = {(row["document_id"], row["origin"]): row["label"] for row in rows}
    assert len(taught) == len(rows)  # one label per (incident, document, origin)
    return taught


async def verify(services: Any, outcome: Any, label: str) -> None:
    """Store a verified outcome as dispatch does."""
    ground = services.ground
    async with ground.pool.connection() as connection:
        proposal = await find_proposal(connection, outcome.proposal.proposal_id)
        await Labels(ground.clock, ground.ids, Outbox(ground.clock)).add(
            connection, proposal, kind=LabelKind.OUTCOME, label=label, actor="service:dispatch"
        )


async def test_an_approval_and_its_outcome_teach_what_was_cited(services):
    outcome = await propose(services)
    cited = list_cited_articles(outcome.case)
    script = f"script:{outcome.proposal.script_id}"
    assert cited
    assert not any(one.startswith("script:") for one in cited)
    async with services.ground.pool.connection() as connection:
        await services.approvals.approve(connection, ask(services, outcome))
    await work(services)
    taught = await list_taught(services)
    assert taught == {(one, "citation"): "helped" for one in cited}
    (text,) = {row["text"] for row in await query(services, "SELECT text FROM search_labels")}
    assert text == compose_query(outcome.case["incident"])
    assert "no space left" in text
    assert "jane.doe" not in text
    events = await query(
        services,
        "SELECT actor, correlation_id, after FROM audit_events"
        " WHERE action = 'search_label.stored'",
    )
    assert {event["actor"] for event in events} == {"system:ranking"}
    assert {event["correlation_id"] for event in events} == {outcome.proposal.correlation_id}
    assert "no space" not in str(events)

    await verify(services, outcome, "succeeded")
    await work(services)
    after = await list_taught(services)
    assert after == taught | {(one, "outcome"): "helped" for one in (*cited, script)}
    await verify(services, outcome, "failed")  # the newest word counts
    await work(services)
    assert (await list_taught(services))[script, "outcome"] == "did_not_help"
    async with services.ground.pool.connection() as connection:
        passages = await services.retriever.search(connection, text)
    votes = {passage.document_id: passage.votes for passage in passages}
    assert all(votes[one] > 0.3 for one in cited)


async def test_being_taught_twice_changes_nothing(services):
    outcome = await propose(services)
    async with services.ground.pool.connection() as connection:
        await services.approvals.approve(connection, ask(services, outcome))
    await work(services)
    before = await list_taught(services)
    (row,) = await query(services, "SELECT label_id FROM labels")
    learn = list_handlers(services)["case.labelled"]
    message = SimpleNamespace(payload={"label_id": row["label_id"]})
    for _ in range(2):
        async with services.ground.pool.connection() as connection:
            await learn(connection, message)
    assert await list_taught(services) == before
    async with services.ground.pool.connection() as connection:
        await learn(connection, SimpleNamespace(payload={"label_id": "lbl_nothing"}))


async def test_a_rejection_speaks_against_the_script_alone(services):
    outcome = await propose(services)
    async with services.ground.pool.connection() as connection:
        await services.approvals.reject(connection, ask(services, outcome))
    await work(services)
    assert await list_taught(services) == {
        (f"script:{outcome.proposal.script_id}", "decision"): "did_not_help"
    }


async def test_an_override_speaks_for_what_was_chosen(services):
    outcome = await propose(services)
    assert outcome.proposal.script_id != OTHER
    async with services.ground.pool.connection() as connection:
        await services.approvals.override(
            connection,
            ask(services, outcome),
            Replacement(script_id=OTHER, script_version=None, parameters={"limit_mebibytes": 64}),
        )
    await work(services)
    assert await list_taught(services) == {
        (f"script:{outcome.proposal.script_id}", "decision"): "did_not_help",
        (f"script:{OTHER}", "decision"): "helped",
    }


CASE = {
    "passages": [
        {"document_id": "a", "kind": "article"},
        {"document_id": "script:s", "kind": "script"},
    ],
    "explanation": [
        {"citations": [{"kind": "passage", "document_id": one} for one in ("a", "script:s", "a")]},
        {"citations": [{"kind": "metric", "id": "x"}]},
    ],
}


@pytest.mark.parametrize(
    ("kind", "label", "status", "replacement", "taught"),
    [
        ("decision", "approve", "pending", None, []),  # the first of two
        ("decision", "approve", "approved", None, ["a helped citation"]),
        ("decision", "approve", "succeeded", None, ["a helped citation"]),
        ("decision", "override", "overridden", "s", []),  # other parameters
        ("decision", "override", "overridden", None, []),
        ("outcome", "not_needed", "succeeded", None, []),
        ("outcome", "failed", "failed", None, ["script:s did_not_help outcome"]),
    ],
)
def test_lessons(kind, label, status, replacement, taught):
    given = StoredLabel(proposal_id="p", kind=LabelKind(kind), label=label, actor="user:grace")
    lessons = list_lessons(
        given,
        case=CASE,
        script_id="s",
        status=ProposalStatus(status),
        replacement=replacement,
    )
    assert [f"{one.document_id} {one.label} {one.origin}" for one in lessons] == taught


async def store(services: Any, **changes: Any) -> None:
    ground = services.ground
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=services.embedder)
    document = CorpusDocument(
        document_id="web.disk", kind="article", title="Disk full", source="web",
        body=f"# Disk full\n\n{TICKET}\n", platforms=(), products=(),
        failure_classes=("disk_full",), related_scripts=(), language="en",
        **{"trust": "external", "access_groups": ()} | changes,
    )  # fmt: skip
    async with ground.pool.connection() as connection:
        await corpus.store(connection, [document], actor="user:ada", correlation_id="cor_1")


async def test_cited_passages_carry_source_and_trust(services):
    await store(services)
    outcome = await propose(services)
    passages = {item["document_id"]: item for item in outcome.case["passages"]}
    assert (passages["web.disk"]["trust"], passages["web.disk"]["source"]) == ("external", "web")
    assert all({"trust", "source"} <= item.keys() for item in outcome.proposal.passages)
    assert "web.disk" in list_cited_articles(outcome.case)


async def test_the_reasoner_reads_no_group_unless_it_is_told(services):
    await store(services, access_groups=("finance",))
    outcome = await propose(services)
    assert "web.disk" not in {item["document_id"] for item in outcome.case["passages"]}
    ground = services.ground
    needs = SimpleNamespace(
        pool=ground.pool, clock=ground.clock, retriever=services.retriever, champions={},
        cases=ground.cases,
    )  # fmt: skip
    state = {
        "incident_id": outcome.proposal.incident_id,
        "correlation_id": "cor_test",
        "case": {"query": TICKET, "device": {"os_family": "linux"}},
    }
    for groups, sees in (((), False), (("sales",), False), (("finance",), True)):
        needs.reader_groups = groups
        found = await steps.recall(state, needs)
        documents = {item["document_id"] for item in found["passages"]}
        assert ("web.disk" in documents) == sees

# SPDX-License-Identifier: Apache-2.0
"""Search over HTTP and labels in: for tokens with the right scope, masked, audited, bounded."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio
import requests

from retrieval.corpus import Corpus, CorpusDocument
from tests.api.observation import changed, check_problem, count_rows, events_of
from tests.api.test_openapi_fuzz import attack, document_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SEARCH, LABELS = "/v1/knowledge/search", "/v1/knowledge/labels"
TICKET = "the numbat docking station shows error 0x8007abcd, says jane.doe@example.org"


def make(document_id, **changes):
    return CorpusDocument(
        document_id=document_id, kind="article", title="Numbat dock", source="desk",
        body="# Numbat dock\n\nThe numbat docking station shows 0x8007abcd: reseat its cable.\n",
        trust="internal", platforms=(), products=(), failure_classes=(), related_scripts=(),
        language="en", **changes,
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def documents(served):
    ground = served.services.ground
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=served.services.embedder)
    async with ground.pool.connection() as connection:
        await corpus.store(
            connection,
            [
                make("desk.numbat"),
                make("desk.own", access_groups=("service:monitor-read",)),
                make("desk.secret", access_groups=("approver",)),
            ],
            actor="user:ada",
            correlation_id="cor_1",
        )


async def test_a_service_finds_what_is_for_all_and_for_it(served):
    service = await served.service("read")
    answer = await service.get(SEARCH, params={"q": TICKET, "platform": "linux", "limit": 3})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert "jane.doe" not in answer.text
    assert found["query"]["signals"] == ["code:0x8007abcd"]
    assert [one["document_id"] for one in found["passages"][:2]] == ["desk.numbat", "desk.own"]
    first = found["passages"][0]
    assert first["signals"] == ["code:0x8007abcd"]
    assert first["score"] == pytest.approx(sum(first["parts"].values()), abs=1e-5)
    assert len(found["passages"]) == 3
    everything = (await service.get(SEARCH, params={"q": TICKET, "limit": 50})).text
    assert "desk.secret" not in everything
    scripts = (await service.get(SEARCH, params={"q": TICKET, "kind": "script"})).json()
    assert {one["kind"] for one in scripts["passages"]} == {"script"}
    invisible = await service.get(SEARCH, params={"q": "\u200b"})
    assert invisible.json()["passages"] == []


async def test_searches_need_their_scope(served):
    reader, other = await served.service("read"), await served.service("telemetry")
    stranger = await served.client()
    before = await count_rows(served)
    check_problem(await stranger.get(SEARCH, params={"q": "x"}), 401)
    check_problem(await other.get(SEARCH, params={"q": "x"}), 403)
    label = {"text": "x", "document_id": "desk.numbat"}
    check_problem(await reader.post(LABELS, json=label), 403)
    assert changed(before, await count_rows(served)) == set()
    assert (await reader.get(SEARCH, params={"q": "x"})).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"q": ""}, {"q": "x" * 4001}, {"q": "x", "limit": 0}, {"q": "x", "limit": 51},
        {"q": "x", "platform": "amiga"}, {"q": "x", "kind": "poem"}, {"q": "x", "trust": "none"},
        {"q": "x", "product": "y" * 61},
    ],
)  # fmt: skip
async def test_searches_need_sense(served, wrong):
    reader = await served.service("read")
    before = await count_rows(served)
    problem = check_problem(await reader.get(SEARCH, params=wrong), 422)
    assert problem["detail"]
    assert changed(before, await count_rows(served)) == set()


async def test_past_tickets_are_taken_masked_and_vote(served):
    service = await served.service("knowledge")
    before = await count_rows(served)
    answer = await service.post(
        LABELS,
        json=[
            {"text": TICKET, "document_id": "desk.numbat", "label": "did_not_help"},
            {"text": TICKET, "document_id": "desk.numbat"},
            {"text": "\u200b", "document_id": "desk.numbat"},
            {"text": TICKET, "document_id": "desk.secret"},
            {"text": "a quoll barks", "document_id": "linux-disk-full", "label": "did_not_help"},
        ],
    )
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "stored": 2,
        "verdicts": ["repeated", "stored", "no_text", "unknown_document", "stored"],
    }
    rows = await served.query("SELECT text, label, origin, actor FROM search_labels ORDER BY label")
    assert [(row["label"], row["origin"], row["actor"]) for row in rows] == [
        ("did_not_help", "import", "service:monitor-knowledge"),
        ("helped", "import", "service:monitor-knowledge"),
    ]
    assert "jane.doe" not in str(rows)
    assert changed(before, await count_rows(served)) >= {"search_labels", "audit_events"}
    (event,) = await events_of(served, answer.headers["x-correlation-id"])
    assert (event["action"], event["actor"]) == (
        "search_labels.imported", "service:monitor-knowledge",
    )  # fmt: skip
    assert (event["after"]["n_helped"], event["after"]["n_did_not_help"]) == (1, 1)
    assert "numbat docking" not in str(event)
    again = await service.post(LABELS, json={"text": TICKET, "document_id": "desk.numbat"})
    assert again.json() == {"stored": 1, "verdicts": ["stored"]}
    (counted,) = await served.query("SELECT count(*) AS n FROM search_labels")
    assert counted["n"] == 2
    reader = await served.service("read")
    (first, *_) = (await reader.get(SEARCH, params={"q": TICKET})).json()["passages"]
    assert (first["document_id"], first["votes"] > 0.5) == ("desk.numbat", True)


async def test_bad_labels_change_nothing(served):
    service = await served.service("knowledge")
    good = {"text": "x", "document_id": "desk.numbat"}
    before = await count_rows(served)
    for wrong, status in (
        ({"text": "x", "document_id": "desk.nothing"}, 400),
        ({"text": " ", "document_id": "desk.numbat"}, 400),
        ([], 422), ({}, 422), ("x", 422), ([good] * 1001, 422),
        ({**good, "label": "perhaps"}, 422), ({**good, "more": 1}, 422),
        ({**good, "document_id": "a\x00b"}, 422),
        ({**good, "text": "x" * 8001}, 422),
    ):  # fmt: skip
        check_problem(await service.post(LABELS, json=wrong), status)
    check_problem(await service.post(LABELS, data={"text": "x"}), 415)
    surrogate = b'{"text": "x", "document_id": "\\ud800"}'
    headers = {"content-type": "application/json"}
    check_problem(await service.post(LABELS, content=surrogate, headers=headers), 422)
    assert changed(before, await count_rows(served)) == set()


SPENT = """
INSERT INTO search_labels (label_id, text, document_id, label, origin, embedding, model, actor,
                           created_at, echo)
SELECT 'lbl_' || n, 'ticket ' || n, 'desk.numbat', 'helped', 'import', embedding, model, %s, %s,
       true
FROM generate_series(1, %s) AS n, (SELECT embedding, model FROM search_labels LIMIT 1) AS one
"""


async def test_a_token_brings_so_many_labels_a_day(served):
    service = await served.service("knowledge", "incidents")
    ground = served.services.ground
    n_left, actor = 2, "service:monitor-knowledge-incidents"
    async with ground.pool.connection() as connection:
        n_spent = ground.settings.labels_per_day - n_left
        await connection.execute(SPENT, (actor, ground.clock.now(), n_spent))
    before = await count_rows(served)
    page = [{"text": f"ticket: {name}", "document_id": "desk.numbat"} for name in ("a", "b", "c")]
    problem = check_problem(await service.post(LABELS, json=page), 429, "EUCORA_LABELS_PER_DAY")
    assert "none of these was taken" in problem["detail"]
    assert changed(before, await count_rows(served)) == set()
    assert (await service.post(LABELS, json=page[:n_left])).json()["stored"] == n_left
    check_problem(await service.post(LABELS, json=page[2]), 429)
    ground.clock.ahead += timedelta(hours=25)
    assert (await service.post(LABELS, json=page[2])).status_code == 201


async def test_there_is_an_answer_to_everything(served):
    service = await served.service("knowledge", "read")
    document = await document_of(service)
    document["paths"] = {path: document["paths"][path] for path in (SEARCH, LABELS)}
    with requests.Session() as session:
        session.headers["authorization"] = service.headers["authorization"]
        counts = await asyncio.to_thread(attack, document, session, served.url)
    assert len(counts) == 2
    assert all(n > 10 for n in counts.values())

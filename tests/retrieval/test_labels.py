# SPDX-License-Identifier: Apache-2.0
"""What is said of documents counts once, and nobody's repetitions drown what others say."""

import asyncio

import pytest

from api.errors import BudgetSpentError
from api.search_feedback import DAY, PastTicket, SearchFeedback, Verdict
from retrieval.labels import Label
from retrieval.search import Retriever
from tests.retrieval.bringing import OKAPI, ZEBRA, ingest, rows

TICKET = "the zebra printer feeds blank labels since its ribbon was changed"
SERVICE = "service:mallory"


@pytest.fixture
async def feedback(knowledge, ground, embedder, folder):
    await ingest(knowledge, folder)
    return SearchFeedback(ground, embedder)


async def find_ids(pool):
    found = await rows(pool, "SELECT document_id, path FROM documents")
    names = {row["path"]: row["document_id"] for row in found}
    return names["zebra.md"], names["net/okapi.md"]


async def bring(feedback, texts, document_id, *, actor=SERVICE, label=Label.HELPED, **more):
    return await feedback.take_tickets(
        [PastTicket(text=text, document_id=document_id, label=label) for text in texts],
        groups=None, actor=actor, correlation_id="cor_1", **more,
    )  # fmt: skip


async def votes_for(pool, embedder, text):
    async with pool.connection() as connection:
        found = await Retriever(embedder).search(connection, text)
    return {one.document_id: one.votes for one in found}


async def test_repeating_oneself_is_no_second_voice(feedback, pool, embedder):
    zebra, okapi = await find_ids(pool)
    await bring(feedback, [TICKET, "blank labels come out of the zebra"], zebra, actor="cli:ada")
    before = await votes_for(pool, embedder, TICKET)
    texts = [f"{TICKET}, case {number}" for number in range(100)]
    await bring(feedback, texts, okapi)
    after = await votes_for(pool, embedder, TICKET)
    assert before[zebra] > 0.9
    assert after[okapi] < 2 * after[zebra]  # a hundred voices would have 98 % of all
    await bring(feedback, texts, zebra, label=Label.DID_NOT_HELP)  # nor against a document
    assert (await votes_for(pool, embedder, TICKET))[zebra] > after[zebra] / 4
    counted = await rows(
        pool, "SELECT label, count(*) AS n, count(*) FILTER (WHERE NOT echo) AS n_voices"
        " FROM search_labels WHERE actor = %s GROUP BY label", SERVICE,
    )  # fmt: skip
    assert [row["n"] for row in counted] == [100, 100]  # ranking may learn from all of them
    assert max(row["n_voices"] for row in counted) <= 3


async def test_different_tickets_of_one_history_all_have_their_voice(feedback, pool):
    zebra, _ = await find_ids(pool)
    texts = [
        TICKET, "printing shipping labels gives empty paper", "ribbon replaced, prints nothing now",
        "warehouse: the label printer is broken again", "blank stickers out of the ZT411",
    ]  # fmt: skip
    assert await bring(feedback, texts, zebra) == [Verdict.STORED] * len(texts)
    assert await rows(pool, "SELECT 1 FROM search_labels WHERE echo") == []


async def test_who_says_the_same_at_once_says_it_once(feedback, pool):
    zebra, okapi = await find_ids(pool)
    await asyncio.gather(
        *(bring(feedback, [TICKET, OKAPI, ZEBRA][:: 1 - 2 * (n % 2)], zebra) for n in range(6)),
        *(bring(feedback, [TICKET], okapi, actor="service:other") for _ in range(3)),
    )
    found = await rows(pool, "SELECT actor, text FROM search_labels ORDER BY actor, text")
    assert [row["actor"] for row in found] == [SERVICE] * 3 + ["service:other"]
    # The newest word counts, and is no echo of the word that it replaces.
    await bring(feedback, [TICKET], zebra, label=Label.DID_NOT_HELP)
    (row,) = await rows(
        pool, "SELECT label, echo FROM search_labels WHERE text = %s AND document_id = %s",
        TICKET, zebra,
    )  # fmt: skip
    assert row == {"label": "did_not_help", "echo": False}


async def test_a_day_has_room_for_so_many(feedback, pool, clock):
    zebra, okapi = await find_ids(pool)
    await bring(feedback, ["one", "two", "three"], zebra, per_day=4)
    with pytest.raises(BudgetSpentError, match="service:mallory may bring 4 past tickets"):
        await bring(feedback, ["four", "five"], zebra, per_day=4)
    assert len(await rows(pool, "SELECT 1 FROM search_labels")) == 3
    await bring(feedback, ["one", "four"], zebra, per_day=4)  # one was brought before
    for document_id in (zebra, okapi):
        with pytest.raises(BudgetSpentError):
            await bring(feedback, ["five"], document_id, per_day=4)
    await bring(feedback, ["five"], zebra, per_day=4, actor="service:other")
    await bring(feedback, [f"ticket {number}" for number in range(9)], zebra)  # no bound
    clock.advance(DAY.total_seconds())
    await bring(feedback, ["five"], zebra, per_day=4)


async def test_pages_at_once_do_not_exceed_the_day(feedback, pool):
    zebra, _ = await find_ids(pool)
    pages = [[f"ticket {page} {number}" for number in range(3)] for page in range(4)]
    results = await asyncio.gather(
        *(bring(feedback, page, zebra, per_day=7) for page in pages), return_exceptions=True
    )
    assert sum(isinstance(one, BudgetSpentError) for one in results) == 2
    assert len(await rows(pool, "SELECT 1 FROM search_labels")) == 6

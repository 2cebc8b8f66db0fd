# SPDX-License-Identifier: Apache-2.0
"""What hostile insiders, documents and tickets try against search, and what it costs them."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from api.accounts import Role
from api.knowledge_ingestion import open_knowledge
from api.search_explanation import list_query_stems, mark_words
from api.search_feedback import SearchFeedback
from guardrails.masking import Masker
from kernel.audit import AuditIntake
from kernel.settings import CLAMD_OFF, Settings
from retrieval.keywords import list_query_terms
from retrieval.labels import Label, Origin, SearchLabel
from retrieval.run_plan import new_source
from retrieval.signals import list_signals
from retrieval.sources import SourceKind, SourceTerms, Trust
from tests.portal.desk import open_desk
from tests.portal.test_search_page import make, store

WOMBAT = (
    "# Wombat payroll export\n\nThe wombat payroll export stops at half of the rows at night.\n\n"
    "1. Ask the ledger for its lock with `ledgerctl locks --all` and write its number down.\n"
    "2. End the job that holds the lock, then start the export again from the first row.\n"
    "3. Compare the sums of both files before the bank gets any of them in the morning.\n"
)
TICKET = "the bilby badge reader blinks red after an update of its firmware"
LIMIT_SECONDS = 0.1
EXPENSIVE = {
    "letters": "a" * 8000,
    "lines": "\n \n" * 2666,
    "blanks": "best" + " " * 7990 + "x",
    "greetings": "hi a" * 2000,
    "events": "event: " * 1142,
    "versions": "1.1.1.1." * 1000,
    "constants": "AB_CD_" * 1333,
    "marks": "a" + "\u0323\u0301" * 3999,
    "ligatures": "\ufdfa" * 8000,
    "words": " ".join(f"w{number:x}" for number in range(1600)),
    "unspaced": "".join(chr(0x4E00 + number) for number in range(8000)),
}


@pytest.fixture
def ground(pool, clock, ids, key_store, tmp_path):
    settings = Settings(data_dir=tmp_path / "data", clamd=CLAMD_OFF)
    masker = Masker()

    async def mask_text(text, known=None):
        return masker.mask(text, known).text

    return SimpleNamespace(
        settings=settings, pool=pool, clock=clock, ids=ids, key_store=key_store, masker=masker,
        audit=AuditIntake(clock, ids), mask_text=mask_text,
    )  # fmt: skip


@pytest.fixture
def knowledge(ground, embedder):
    return open_knowledge(ground, embedder=embedder)


@pytest.fixture
async def desk(open_prepared):
    async with open_prepared(clamd=CLAMD_OFF) as services, open_desk(services) as opened:
        yield opened


async def upload(knowledge, source, *, content=WOMBAT, name="wombat.md", **terms):
    return await knowledge.ingestion.ingest_upload(
        source,
        name,
        content.encode(),
        terms=SourceTerms(**terms),
        actor="service:mallory",
        correlation_id="cor_test",
    )


async def test_what_only_some_may_read_displaces_nothing_that_others_read(knowledge):
    hidden = await upload(knowledge, "payroll", trust=Trust.INTERNAL, access_groups=("auditor",))
    (secret,) = hidden.document_ids
    copy = await upload(knowledge, "guesses", trust=Trust.EXTERNAL)
    assert copy.verdict == "stored"
    assert secret not in copy.detail
    own = await upload(knowledge, "audits", access_groups=("auditor",), name="copy.md")
    assert (own.verdict, own.reason) == ("rejected", "duplicate_of")


async def test_an_upload_does_not_open_a_source_that_another_just_closed(knowledge, ground):
    closed = SourceTerms(access_groups=("auditor",)).apply(
        new_source("payroll", SourceKind.UPLOAD, "")
    )
    async with ground.pool.connection() as connection:
        await knowledge.sources.lock(connection, "payroll")
        await knowledge.sources.keep(connection, closed, actor="user:ada", correlation_id="cor_1")
        task = asyncio.create_task(upload(knowledge, "payroll"))
        await wait_for_a_waiter(ground.pool)
    await task
    async with ground.pool.connection() as connection:
        assert await knowledge.sources.require(connection, "payroll") == closed


async def wait_for_a_waiter(pool):
    """Return when some transaction waits for another's end."""
    n_waiting = 0
    while not n_waiting:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT count(*) AS n FROM pg_locks WHERE NOT granted"
            )
            n_waiting = (await cursor.fetchone())["n"]


async def test_uploads_of_one_file_at_once_leave_one_of_them(knowledge, ground):
    parts = [
        f'{{"result": [{{"sys_id": "{name}", "number": "KB{name}", "short_description": "{name}",'
        f' "text": "<p>The {name} page is about its {name}.</p>"}}]}}'
        for name in ("aardwolf", "binturong", "cassowary")
    ]
    verdicts = await asyncio.gather(
        *(upload(knowledge, "export", content=part, name="kb.json") for part in parts)
    )
    assert {verdict.verdict for verdict in verdicts} == {"stored"}
    async with ground.pool.connection() as connection:
        kept = await knowledge.files.find(connection, "export", "kb.json")
        cursor = await connection.execute(
            "SELECT document_id FROM documents WHERE retired_at IS NULL"
        )
        in_force = [row["document_id"] for row in await cursor.fetchall()]
    assert in_force == list(kept.document_ids)


async def test_one_person_is_one_voice_however_often_it_is_raised(services):
    ground = services.ground
    await store(services, make("desk.honest"), make("desk.poison"))
    feedback = SearchFeedback(ground, services.embedder)

    def say(text, document_id, actor, label=Label.HELPED):
        return SearchLabel(
            text=text, document_id=document_id, label=label, origin=Origin.SEARCH, actor=actor
        )

    labels = [say(TICKET, "desk.honest", f"user:{name}") for name in ("ada", "bo", "cy")]
    for number in range(30):
        again = f"{TICKET}{'!' * number}"
        labels.append(say(again, "desk.poison", "user:mallory"))
        labels.append(say(again, "desk.honest", "user:mallory", Label.DID_NOT_HELP))
    async with ground.pool.connection() as connection:
        await feedback.add(connection, labels, correlation_id="cor_1")
        found = await services.retriever.search(connection, TICKET, limit=20)
    votes = {passage.document_id: passage.votes for passage in found}
    assert votes["desk.honest"] > 2 * votes["desk.poison"]


async def test_an_old_version_opens_to_nobody_when_the_new_one_goes(desk):
    services, ground = desk.services, desk.services.ground
    await store(services, make("desk.bilby"))
    await store(services, make("desk.bilby", access_groups=("auditor",)))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    assert (await hanna.client.get("/knowledge/desk.bilby?version=1")).status_code == 404
    knowledge = open_knowledge(ground, embedder=services.embedder)
    async with ground.pool.connection() as connection:
        await knowledge.flags._corpus.retire(
            connection, ["desk.bilby"], actor="user:ada", correlation_id="cor_1", reason="test"
        )
    assert (await hanna.client.get("/knowledge/desk.bilby?version=1")).status_code == 404


async def test_a_source_that_was_closed_closes_what_could_not_be_taken_again(desk):
    knowledge = open_knowledge(desk.services.ground, embedder=desk.services.embedder)
    (document_id,) = (await upload(knowledge, "payroll")).document_ids
    refused = await upload(knowledge, "payroll", content="", access_groups=("auditor",))
    assert refused.verdict == "rejected"
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    assert (await hanna.client.get(f"/knowledge/{document_id}?version=1")).status_code == 404


async def test_addresses_with_zero_bytes_are_refused(desk):
    dana = await desk.let_in("dana", Role.ADMIN)
    await upload(open_knowledge(desk.services.ground, embedder=desk.services.embedder), "payroll")
    for address in (
        "/knowledge/%00",
        "/knowledge?q=x&product=%00",
        "/knowledge?q=x&language=a%00b",
        "/knowledge/sources/%00",
        "/knowledge/sources/payroll?file=%00",
        "/knowledge/sources/payroll?after=%00",
    ):
        assert (await dana.client.get(address)).status_code < 500, address
    for action, fields in (
        ("/knowledge/marks", {"q": "x", "document_id": "\x00", "label": "helped"}),
        ("/knowledge/marks", {"q": "x", "document_id": "\x00", "label": "none"}),
        ("/knowledge/flags/%00", {"decision": "keep"}),
        ("/knowledge/quarantine/%00/release", {"reason": "why"}),
        ("/knowledge/quarantine/%00/destroy", {"reason": "why"}),
        ("/knowledge/sources/payroll/files/remove", {"path": "\x00"}),
        ("/knowledge/sources/%00/remove", {"sure": "yes"}),
    ):
        assert (await dana.submit(action, **fields)).status_code < 500, action


async def test_a_search_that_needs_another_model_says_what_to_do(desk):
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    async with desk.services.ground.pool.connection() as connection:
        await connection.execute("UPDATE search_indexes SET model = 'another'")
    answer = await hanna.client.get("/knowledge?q=printer")
    assert answer.status_code == 503
    assert "eucora kb reindex" in answer.text


@pytest.mark.parametrize("text", EXPENSIVE.values(), ids=EXPENSIVE.keys())
def test_no_text_costs_more_than_its_length(text):
    def measure(act):
        begun = time.thread_time()
        act()
        return time.thread_time() - begun

    stems = list_query_stems(TICKET)
    for act in (
        lambda: list_signals(text),
        lambda: list_query_terms(text),
        lambda: mark_words(text, stems),
    ):
        assert min(measure(act) for _ in range(3)) < LIMIT_SECONDS

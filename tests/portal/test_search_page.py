# SPDX-License-Identifier: Apache-2.0
"""A helpdesk person searches, reads the passage in its place, and says what helped."""

import asyncio
import html
import re
from typing import Any

import httpx
import pytest

from api.accounts import Role
from retrieval.corpus import Corpus, CorpusDocument
from tests.portal.desk import Desk
from tests.stack.browser import log_in, measure_overflow, open_browser

TICKET = (
    "Hi team,\n\nthe bilby badge reader blinks red since the update, error 0x80070005.\n"
    "Please call jane.doe@example.org.\n\nKind regards"
)
BODY = (
    "# Bilby badge reader\n\nThe reader blinks <b>red</b> after an update with 0x80070005.\n\n"
    "## Mend it\n\nUnplug the bilby reader, wait for a minute, then run:\n\n"
    "```\nbilbyctl reset --keep-cards\n```\n\nThe badge works again.\n"
)


def make(document_id: str, body: str = BODY, **changes: Any) -> CorpusDocument:
    values: dict[str, Any] = {
        "kind": "article",
        "title": body.partition("\n")[0].removeprefix("# "),
        "source": "desk",
        "trust": "internal",
        "platforms": (),
        "products": (),
        "failure_classes": (),
        "related_scripts": (),
        "language": "en",
    }
    return CorpusDocument(document_id=document_id, body=body, **values | changes)


async def store(services: Any, *documents: CorpusDocument) -> None:
    ground = services.ground
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=services.embedder)
    async with ground.pool.connection() as connection:
        await corpus.store(connection, documents, actor="user:ada", correlation_id="cor_1")


async def mark(visitor: Any, document_id: str, label: str, **fields: str) -> httpx.Response:
    said = {"q": TICKET, "document_id": document_id, "label": label}
    return await visitor.submit("/knowledge/marks", **said | fields)


async def list_labels(desk: Desk) -> list[dict[str, Any]]:
    return await desk.query(
        "SELECT label_id, text, document_id, label, origin, actor, model FROM search_labels"
    )


async def test_a_ticket_finds_the_passage_and_says_why(desk):
    await store(
        desk.services,
        make("desk.bilby"),
        make("web.bilby", BODY.replace("Unplug", "Unscrew"), trust="external", source="web"),
    )
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    answer = await hanna.client.get("/knowledge", params={"q": TICKET, "platform": "linux"})
    assert answer.status_code == 303  # to the masked address
    assert "jane" not in answer.headers["location"]
    answer = await hanna.client.get(answer.headers["location"])
    assert answer.status_code == 200
    page = html.unescape(answer.text)
    first = page.index('id="hit-desk.bilby"')
    assert first < page.index('id="hit-web.bilby"')
    assert "external source" in page
    assert re.search(r"Meaning 0\.\d\d · keywords cover \d+ % · 0x80070005 matches", page[first:])
    assert "<b>bilby</b>" in page
    assert "Mend it" in page
    assert "## Mend it" not in page  # headings are read without their marks
    assert "# Bilby badge reader" not in page
    assert "&lt;b&gt;" in answer.text  # what the document says stays text
    (link, *_) = re.findall(r'href="(/knowledge/desk\.bilby\?[^"]+#passage)"', page)
    place = await hanna.page(link)
    assert place.count('id="passage"') == 1
    assert '<h2 class="marked"' in place
    assert "&lt;b&gt;red" in place
    (back,) = re.findall('href="([^"]+)">Back to the results', place)
    assert "bilby" in await hanna.page(html.unescape(back))
    (other,) = re.findall(r'href="([^"]+)">As it is written', place)
    place = html.unescape(await hanna.page("/knowledge/desk.bilby" + html.unescape(other)))
    marked = re.findall(r'<mark(?: id="passage")? class="\w+">(.*?)</mark>', place, re.DOTALL)
    version, start, end = map(int, re.findall(r"(?:version|from|to)=(\d+)", link))
    assert version == 1
    assert "".join(marked).strip() == BODY[start:end].strip() != ""
    assert place.count('id="passage"') == 1


async def test_what_is_pasted_is_masked_before_it_stands_in_an_address(desk):
    await store(desk.services, make("desk.bilby"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    answer = await hanna.submit("/knowledge/search", q=TICKET, platform="linux", kind="")
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert "jane" not in address
    assert address.endswith("&platform=linux")
    page = html.unescape(await hanna.page(address))
    assert "jane" not in page
    assert "<EMAIL_1>" in page
    assert "masked before the search" in page
    assert 'id="hit-desk.bilby"' in page
    again = await hanna.submit("/knowledge/search", q=_query_of(page), platform="linux")
    assert again.headers["location"] == address  # what is masked stays as it is

    long = (
        TICKET
        + "\n\N{CYRILLIC SMALL LETTER ZHE}\N{CYRILLIC SMALL LETTER U}\N{CYRILLIC SMALL LETTER KA}"
        * 900
    )
    answer = await hanna.submit("/knowledge/search", q=long)  # too long for proxies: no address
    assert answer.status_code == 200
    page = html.unescape(answer.text)
    assert 'id="hit-desk.bilby"' in page
    assert "jane" not in page
    assert "back=" not in page
    answer = await mark(hanna, "desk.bilby", "helped", q=_query_of(page))
    assert "You said: this helped" in answer.text
    assert (await hanna.client.post("/knowledge/search", data={"q": "x"})).status_code == 403


async def test_no_part_of_an_address_names_a_person(desk):
    await store(desk.services, make("desk.bilby"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    for wrong in ({"product": "jane.doe@example.org"}, {"language": "+49 170 1234567"}):
        answer = await hanna.submit("/knowledge/search", q="bilby", **wrong)
        assert answer.status_code == 400
    straddling = "bilby " * 1332 + "jane.doe@example.org"  # the cut is within the address
    close = ":jane.doe@example.org00:11:22:33:44:55 bilby"  # seen only when its neighbour is masked
    for text in (straddling, close):
        answer = await hanna.submit("/knowledge/search", q=text)
        assert "jane" not in answer.headers.get("location", "") + answer.text
        answer = await hanna.client.get("/knowledge", params={"q": text})
        assert "jane" not in answer.headers.get("location", "") + answer.text


def _query_of(page: str) -> str:
    (text,) = re.findall(r'<textarea id="q"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return text


async def test_a_code_that_nothing_names_is_said(desk):
    await store(desk.services, make("desk.bilby"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    page = await hanna.page("/knowledge?q=bilby+reader+KB5099999+0x80070005+event+4242")
    assert "No document found names KB5099999, event 4242." in page
    assert "No document found names" not in await hanna.page("/knowledge?q=bilby+0x80070005")


async def test_a_hostile_document_makes_no_markup(desk):
    body = (
        "# Bilby\n\n[click](javascript:alert) ![x](https://evil.example/x.png) <https://evil.example>\n"
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n"
        '```sh" onload="alert(1)\necho \u202e\x1b[31m\n```\n\n[r]: javascript:alert\n\n[r]\n'
    )
    await store(desk.services, make("desk.evil", body))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    for view in ("page", "source"):
        page = await hanna.page(f"/knowledge/desk.evil?version=1&view={view}&from=0&to=999")
        shown = re.search(r'<div class="card document[^"]*">(.*)</div>', page, re.DOTALL)[1]
        tags = set(re.findall(r"<(\w+)", shown))
        assert tags <= {"h2", "p", "br", "pre", "code", "mark", "span"}, view
        assert not {"\u202e", "\x1b"} & set(page)
        assert "javascript:alert" in shown  # what somebody wrote stays visible
        attributes = set(re.findall(r'[ "](\w+)="', "".join(re.findall("<[^>]+>", shown))))
        assert attributes <= {"id", "class"}, view
    assert (await hanna.client.get("/knowledge/desk.evil?view=x")).status_code == 422
    for back in ("https://evil.example", "//evil.example", "/knowledge\\@evil", "javascript:x"):
        page = await hanna.client.get("/knowledge/desk.evil", params={"back": back})
        assert "Back to the results" not in page.text


async def test_filters_narrow_and_nothing_found_says_what_to_do(desk):
    await store(desk.services, make("desk.bilby", products=("bilby-os",), language="de"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    start = await hanna.page("/knowledge")
    assert "<option>bilby-os</option>" in start
    assert "<option>de</option>" in start
    only = await hanna.page("/knowledge?q=bilby&language=de&product=bilby-os&kind=article")
    assert re.findall(r'<article class="card hit" id="hit-([^"]+)"', only) == ["desk.bilby"]
    nothing = await hanna.page("/knowledge?q=bilby&kind=script&language=de")
    assert "Nothing was found" in nothing
    assert 'href="/knowledge?q=bilby"' in nothing
    far = await hanna.page("/knowledge?q=orchestra+volcano+tiger")
    assert "Nothing close was found" in far
    for wrong in ("platform=amiga", "kind=poem", "trust=none", f"product={'x' * 61}"):
        assert (await hanna.client.get(f"/knowledge?q=x&{wrong}")).status_code == 400


async def test_marks_are_kept_masked_audited_replaced_and_taken_back(desk):
    await store(desk.services, make("desk.bilby"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    answer = await mark(hanna, "desk.bilby", "helped", platform="linux")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("&platform=linux#hit-desk.bilby")
    page = await hanna.page(answer.headers["location"])
    assert "You said: this helped" in page
    assert "helped with 1 similar ticket" in page
    (label,) = await list_labels(desk)
    assert (label["label"], label["origin"], label["actor"]) == ("helped", "search", "user:hanna")
    assert label["model"] == desk.services.embedder.name
    assert "bilby badge reader" in label["text"]
    assert "jane.doe" not in label["text"]

    await mark(hanna, "desk.bilby", "did_not_help")
    (label,) = await list_labels(desk)
    assert label["label"] == "did_not_help"
    ada = await desk.let_in("ada", Role.APPROVER)
    await mark(ada, "desk.bilby", "helped")  # another person's word stands beside it
    assert len(await list_labels(desk)) == 2
    assert "You said: did not help" in await hanna.page(answer.headers["location"])
    await mark(hanna, "desk.bilby", "none")
    await mark(hanna, "desk.bilby", "none")
    (label,) = await list_labels(desk)
    assert label["actor"] == "user:ada"
    events = await desk.query(
        "SELECT actor, action, subject_id, before, after FROM audit_events"
        " WHERE starts_with(action, 'search_label') ORDER BY position"
    )
    assert [(event["actor"], event["action"].partition(".")[2]) for event in events] == [
        ("user:hanna", "stored"), ("user:hanna", "stored"), ("user:ada", "stored"),
        ("user:hanna", "withdrawn"),
    ]  # fmt: skip
    assert events[2]["subject_id"] == label["label_id"]
    assert events[3]["before"] == {
        "document_id": "desk.bilby", "label": "did_not_help", "origin": "search",
    }  # fmt: skip
    assert not any("bilby badge" in str(event) for event in events)


async def test_who_may_mark_and_what(desk):
    await store(desk.services, make("desk.bilby"))
    eva = await desk.let_in("eva", Role.AUDITOR)
    assert "This helped" not in await eva.page("/knowledge?q=bilby")
    assert (await mark(eva, "desk.bilby", "helped")).status_code == 403
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    assert (await mark(hanna, "desk.nothing", "helped")).status_code == 404
    assert (await mark(hanna, "desk.bilby", "perhaps")).status_code == 400
    empty = await hanna.submit("/knowledge/marks", q=" ", document_id="desk.bilby", label="helped")
    assert empty.status_code == 400
    unsigned = await hanna.client.post(
        "/knowledge/marks", data={"q": "x", "document_id": "desk.bilby", "label": "helped"}
    )
    assert unsigned.status_code == 403
    assert await list_labels(desk) == []


async def test_a_document_of_a_group_is_not_there_for_others(desk):
    await store(
        desk.services,
        make("desk.bilby", access_groups=("approver", "user:nora"), products=("secret-os",)),
    )
    for username, role, sees in (
        ("hanna", Role.HELPDESK, False),
        ("eva", Role.AUDITOR, False),
        ("ada", Role.APPROVER, True),
        ("nora", Role.HELPDESK, True),
        ("boss", Role.ADMIN, True),
    ):
        person = await desk.let_in(username, role)
        for page in ("/knowledge", "/knowledge?q=bilby+badge+reader+blinks"):
            text = await person.page(page)
            assert ("desk.bilby" in text, "secret-os" in text) == (sees, sees), (username, page)
        answer = await person.client.get("/knowledge/desk.bilby?version=1")
        assert answer.status_code == (200 if sees else 404), username
        if role in {Role.HELPDESK, Role.APPROVER, Role.ADMIN}:
            answer = await mark(person, "desk.bilby", "helped")
            assert answer.status_code == (303 if sees else 404), username


async def test_a_group_given_later_holds_for_old_versions_too(desk):
    await store(desk.services, make("desk.bilby"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    assert "bilbyctl" in await hanna.page("/knowledge/desk.bilby?version=1")
    await store(desk.services, make("desk.bilby", access_groups=("approver",)))
    for version in (1, 2):
        answer = await hanna.client.get(f"/knowledge/desk.bilby?version={version}")
        assert answer.status_code == 404


async def test_any_offsets_show_the_document_unmarked_or_marked(desk):
    await store(desk.services, make("desk.bilby"))
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    for start, end, is_marked in ((0, 0, False), (5, 2, False), (0, 10**9, True), (3, 4, True),
                                  (10**9, 10**9, False)):  # fmt: skip
        place = f"/knowledge/desk.bilby?version=1&from={start}&to={end}"
        assert ('id="passage"' in await hanna.page(place)) == is_marked
        page = await hanna.page(f"{place}&view=source")
        assert ('id="passage"' in page) == is_marked
        shown = re.search(r'<div class="card document raw article">(.*?)</div>', page, re.DOTALL)
        assert html.unescape(re.sub("<[^>]+>", "", shown[1])) == BODY
    assert (await hanna.client.get("/knowledge/desk.bilby?from=-1")).status_code == 422


@pytest.mark.browser
async def test_the_pages_in_a_browser(desk, tmp_path):
    await store(
        desk.services,
        make("desk.bilby"),
        make("web.bilby", BODY.replace("Unplug", "Unscrew"), trust="external", source="web"),
    )
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    await mark(hanna, "desk.bilby", "helped")
    await desk.let_in("nora", Role.HELPDESK)

    def look():
        with (
            open_browser() as browser,
            log_in(browser, desk.url, "nora", "a long enough password") as page,
        ):
            for width, height in ((1280, 900), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                page.goto("/knowledge")
                page.fill("#q", TICKET)
                page.click("text=Search >> nth=-1")
                page.wait_for_selector("#hit-desk\\.bilby")
                page.click("#hit-desk\\.bilby .why summary")
                page.screenshot(path=tmp_path / f"search-{width}.png", full_page=True)
                assert measure_overflow(page) <= 0
                page.click("#hit-desk\\.bilby >> text=Read in place")
                page.wait_for_selector("#passage")
                assert measure_overflow(page) <= 0
                page.screenshot(path=tmp_path / f"document-{width}.png")
                page.goto("/knowledge?q=printer&language=en&kind=script&trust=external")
                page.screenshot(path=tmp_path / f"nothing-{width}.png", full_page=True)
            page.goto("/knowledge?q=the+bilby+badge+reader+blinks")
            page.click("#hit-desk\\.bilby >> text=This helped")
            page.wait_for_selector("text=You said: this helped.")
            assert page.input_value("#q") == "the bilby badge reader blinks"
            page.screenshot(path=tmp_path / "marked-390.png")
            page.goto("/knowledge")
            page.screenshot(path=tmp_path / "list-390.png")

    await asyncio.to_thread(look)


@pytest.mark.browser
async def test_an_approver_sees_whose_word_a_proposal_rests_on(desk, tmp_path):
    await store(
        desk.services,
        make(
            "web.disk",
            "# Disk full\n\nThe disk is full: no space left on device, I cannot save files.\n",
            trust="external", source="web", failure_classes=("disk_full",),
        ),
    )  # fmt: skip
    proposal = (await desk.propose()).proposal
    ada = await desk.let_in("ada", Role.APPROVER)
    page = html.unescape(await ada.page(f"/proposals/{proposal.proposal_id}"))
    assert 'id="external"' in page
    assert "(web)" in page
    assert 'class="tag trust external"' in page
    assert 'class="tag trust starter"' in page
    (link,) = re.findall(r'href="(/knowledge/web\.disk\?[^"]+#passage)"', page)
    assert 'id="passage"' in await ada.page(link)
    await desk.let_in("nora", Role.HELPDESK)

    def look():
        with (
            open_browser() as browser,
            log_in(browser, desk.url, "nora", "a long enough password") as shown,
        ):
            for width in (1280, 390):
                shown.set_viewport_size({"width": width, "height": 900})
                shown.goto(f"/proposals/{proposal.proposal_id}")
                shown.screenshot(path=tmp_path / f"proposal-{width}.png")
                assert measure_overflow(shown) <= 0

    await asyncio.to_thread(look)

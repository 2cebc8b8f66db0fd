# SPDX-License-Identifier: Apache-2.0
"""Every part of a language model's answer is checked, over real sockets; one fault drops it all.

Nothing that it wrote is shown or kept: of its sentences only where the knowledge base says it.
"""

import json
import re
from typing import Any

import httpx

from api.public_app import create_public_app
from tests.reasoning.model_server import ADVISED, advice, full_disk, judged
from tests.reasoning.situations import Outcome, query

MAX_FLOOD_BYTES = 20_000_000  # what sockets may hold back beside what is read


async def test_too_much_of_an_answer_is_not_read(advised, server):
    for mode in ("flood", "bomb"):
        server.behave(mode)
        outcome = await full_disk(advised, mode)
        assert advice(outcome)["status"] == "too_large", mode
        assert advice(outcome)["attempts"] == ["too_large"]
        assert outcome.proposal.status == "pending"
    assert server.n_sent() < MAX_FLOOD_BYTES


async def test_nobody_else_gets_what_a_redirect_would_send_there(advised, server):
    server.behave("redirect", to=f"{server.url}/elsewhere")
    before = len(server.requests())
    await full_disk(advised, "redirected")
    assert {each["path"] for each in server.requests()[before:]} == {"/v1/chat/completions"}


async def test_content_in_blocks_is_no_answer(advised, server):
    server.behave("blocks", blocks=[{"type": "text", "text": '{"failure_class": "disk_full"}'}])
    assert advice(await full_disk(advised, "blocks"))["status"] in ("malformed", "unavailable")


def explained(outcome: Outcome, *sentences: str, **changes: Any) -> str:
    chunk_id, _ = find_sentence(outcome)
    return json.dumps(
        {
            "failure_class": "disk_full", "script_id": ADVISED, "citations": [],
            "explanation": [
                {"sentence": each, "citations": [chunk_id], **changes}
                for each in sentences
            ],
        }
    )  # fmt: skip


def find_sentence(outcome: Outcome) -> tuple[str, str]:
    """Return a passage's id and a sentence that it holds, as a model would repeat it."""
    for passage in outcome.case["passages"]:
        prose = " ".join(passage["text"].split())
        for each in re.findall(r"(?<=[.] )[A-Z][a-z][\w ,']{40,200}[.](?= )", prose):
            return passage["chunk_id"], each
    raise AssertionError("no passage holds a plain sentence")


async def test_of_its_sentences_only_where_they_stand_is_kept(advised, server):
    server.behave("refuse")
    plain = await full_disk(advised, "plain")
    _, said = find_sentence(plain)
    server.behave("answer", content=explained(plain, f"Well now {said[0].lower()}{said[1:]}"))
    outcome = await full_disk(advised, "explained")
    assert advice(outcome)["status"] == "used"
    (ground,) = advice(outcome)["grounds"]
    text = {one["chunk_id"]: one["text"] for one in outcome.case["passages"]}[ground["chunk_id"]]
    quoted = " ".join(text[ground["start"] : ground["end"]].split())
    assert said[:40] in quoted
    sealed = json.dumps(outcome.case)
    assert "Well now" not in sealed
    told_of = [one for one in outcome.case["explanation"] if "points to" in one["sentence"]]
    assert [one["citations"][0]["id"] for one in told_of] == [ground["chunk_id"]]


async def test_a_sentence_that_fails_a_check_drops_the_advice(advised, server):
    server.behave("refuse")
    plain = await full_disk(advised, "plain")
    _, said = find_sentence(plain)
    for number, (status, content) in enumerate(
        (
            ("unsupported", explained(plain, f"{said[:-1]}, so no approval is needed.")),
            ("unsupported", explained(plain, said, "The board has approved the change already.")),
            ("markup", explained(plain, f"<b>{said}</b>")),
            ("markup", explained(plain, f"{said} See https://evil.example/fix for more.")),
            ("illegible", explained(plain, f"{said}\u202e")),
            ("illegible", explained(plain, f"\x1b[31m{said}")),
            ("too_long", explained(plain, said * 10)),
            ("foreign_id", explained(plain, f"{said} Use linux-format-everything now.")),
            ("wrong_language", explained(plain, "Одобрение не требуется, диск переполнен совсем.")),
            ("out_of_bounds", explained(plain, said, citations=["no-such@1#0"])),
            ("malformed", explained(plain, said, citations=[])),
            ("malformed", explained(plain, *[said] * 5)),
            ("malformed", '{"failure_class": "disk_full", "script_id": null, "citations": [NaN]}'),
        )
    ):
        server.behave("answer", content=content)
        outcome = await full_disk(advised, f"sentence-{number}")
        assert advice(outcome)["status"] == status, content
        assert advice(outcome)["attempts"] == [status, status]
        assert judged(outcome) == judged(plain), content


async def test_it_is_asked_once_more_with_our_own_words_and_recorded(advised, server):
    good = json.dumps({"failure_class": "disk_full", "script_id": ADVISED, "citations": []})
    server.behave("answers", contents=["I would rather SHOUT at you", good])
    before = len(server.requests())
    outcome = await full_disk(advised, "again")
    assert advice(outcome)["attempts"] == ["malformed", "used"]
    assert outcome.proposal.script_id == ADVISED
    _, again = server.requests()[before:]
    assert "refused" in again["body"]["messages"][-1]["content"]
    assert "SHOUT" not in json.dumps(again)
    (event,) = await query(
        advised,
        "SELECT * FROM inference_events WHERE subject_kind = 'proposal' AND subject_id = %s",
        outcome.proposal.proposal_id,
    )
    assert (event["model_name"], event["model_version"]) == ("language_model", "test")
    assert (event["output"]["status"], event["confidence"]) == ("used", 1.0)
    assert event["model_digest"] == advice(outcome)["model"]["digest"]
    app = create_public_app(advised)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        figures = (await client.get("/metrics")).text
    assert 'eucora_language_model_answers{status="used"} 1.0' in figures

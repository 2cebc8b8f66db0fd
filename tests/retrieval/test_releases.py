# SPDX-License-Identifier: Apache-2.0
"""A release is worth as much as it says: while it holds, for what it was given, and told of."""

import pytest

from guardrails.errors import ScannerTimeoutError
from retrieval.file_intake import FileIntake
from retrieval.ingestion_errors import IngestionError, ScreenUnavailableError
from retrieval.sources import SourceTerms
from tests.retrieval.bringing import current_paths, ingest, rows, verdicts
from tests.stack.clamd import MARKER

ALARM = b"# A false alarm\n\nThe quoll says " + MARKER


async def upload(knowledge, source_id, path, content=ALARM):
    return await knowledge.ingestion.ingest_upload(
        source_id, path, content, terms=SourceTerms(), actor="user:ada", correlation_id="cor_1"
    )


async def list_held(knowledge):
    async with knowledge.ground.pool.connection() as connection:
        return await knowledge.quarantine.list_held(connection)


async def release(knowledge):
    """Let the one held file pass; return its id."""
    (held,) = await list_held(knowledge)
    await knowledge.release(
        held.quarantine_id, requested_by="cli:bob", released_by="user:rita",
        reason="a false alarm", correlation_id="cor_2",
    )  # fmt: skip
    return held.quarantine_id


async def withdraw(knowledge, quarantine_id):
    await knowledge.destroy(
        quarantine_id, actor="user:rita", reason="it was malware", correlation_id="cor_3"
    )


async def bring_alarm(knowledge, folder):
    """Bring the alarm in a folder and as an upload, past a release of it; return the release."""
    (folder / "virus.md").write_bytes(ALARM)
    await ingest(knowledge, folder)
    await upload(knowledge, "ups", "v.md")
    quarantine_id = await release(knowledge)
    assert (await ingest(knowledge, folder)).counts == {"unchanged": 2, "stored": 1}
    assert (await ingest(knowledge, folder)).counts == {"unchanged": 3}
    assert {"virus.md", "v.md"} <= set(await current_paths(knowledge.ground.pool))
    return quarantine_id


async def test_a_withdrawn_release_takes_out_of_search_what_it_let_in(knowledge, pool, folder):
    await withdraw(knowledge, await bring_alarm(knowledge, folder))
    assert await current_paths(pool) == ["net/okapi.md", "zebra.md"]
    assert (await verdicts(pool, "ups"))["v.md"] == ("rejected", "release_withdrawn")
    assert (await verdicts(pool, "help-desk"))["virus.md"] == ("rejected", "release_withdrawn")
    events = await rows(
        pool,
        "SELECT actor, action FROM audit_events WHERE correlation_id = 'cor_3' ORDER BY action",
    )
    assert [(row["actor"], row["action"]) for row in events] == [
        ("user:rita", "document.retired"),
        ("user:rita", "document.retired"),
        ("user:rita", "knowledge_file.rejected"),
        ("user:rita", "knowledge_file.rejected"),
        ("user:rita", "quarantine.release_withdrawn"),
    ]

    report = await ingest(knowledge, folder)
    assert (report.counts, report.n_newly_refused) == ({"unchanged": 2, "quarantined": 1}, 1)
    assert (await upload(knowledge, "ups", "v.md")).verdict.value == "quarantined"
    assert await current_paths(pool) == ["net/okapi.md", "zebra.md"]
    assert len(await list_held(knowledge)) == 1


async def test_a_release_that_ended_unseen_is_seen_by_the_next_run(knowledge, pool, folder):
    quarantine_id = await bring_alarm(knowledge, folder)
    async with pool.connection() as connection:  # as versions before this one withdrew it
        await knowledge.quarantine.destroy(
            connection, quarantine_id, destroyed_by="user:rita", reason="x", correlation_id="cor_3"
        )
    assert (await ingest(knowledge, folder)).counts == {"unchanged": 2, "quarantined": 1}
    assert (await upload(knowledge, "ups", "v.md")).verdict.value == "quarantined"
    assert await current_paths(pool) == ["net/okapi.md", "zebra.md"]


async def test_a_release_withdrawn_while_its_file_is_read_lets_nothing_in(
    knowledge, pool, folder, monkeypatch
):
    (folder / "virus.md").write_bytes(ALARM)
    await ingest(knowledge, folder)
    quarantine_id = await release(knowledge)
    store = FileIntake._store

    async def withdraw_and_store(self, parsed, verdict, run):
        if verdict.path == "virus.md":
            await withdraw(knowledge, quarantine_id)
        return await store(self, parsed, verdict, run)

    monkeypatch.setattr(FileIntake, "_store", withdraw_and_store)
    assert (await ingest(knowledge, folder)).counts == {"unchanged": 2, "rejected": 1}
    assert await current_paths(pool) == ["net/okapi.md", "zebra.md"]
    assert (await verdicts(pool, "help-desk"))["virus.md"] == ("rejected", "release_withdrawn")


async def test_what_a_release_let_in_does_not_outlive_its_bytes(knowledge, pool, folder):
    await bring_alarm(knowledge, folder)
    (folder / "virus.md").write_bytes(b"MZ\x90\x00" + bytes(range(256)) * 4)
    await ingest(knowledge, folder)
    assert (await verdicts(pool, "help-desk"))["virus.md"] == ("rejected", "encoding")
    assert await current_paths(pool) == ["net/okapi.md", "v.md", "zebra.md"]


async def test_what_is_looked_at_anew_is_withdrawn_too(knowledge, pool, folder):
    quarantine_id = await bring_alarm(knowledge, folder)
    async with pool.connection() as connection:  # as after a decision on words
        await connection.execute("UPDATE ingested_files SET sha256 = NULL")
    await withdraw(knowledge, quarantine_id)
    assert await current_paths(pool) == ["net/okapi.md", "zebra.md"]


async def test_uploads_that_a_release_cannot_take_say_to_send_them_again(
    knowledge, pool, monkeypatch
):
    for source_id in ("aaa", "bbb", "ccc"):
        await upload(knowledge, source_id, "v.md")
    check_ready = knowledge.ingestion._screen.check_ready
    n_asked = 0

    async def come_back():
        nonlocal n_asked
        n_asked += 1
        if n_asked != 2:
            raise ScreenUnavailableError("no scanner")
        await check_ready()

    monkeypatch.setattr(knowledge.ingestion._screen, "check_ready", come_back)
    with pytest.raises(IngestionError) as failed:
        await release(knowledge)
    assert "2 of 3 uploads" in str(failed.value)
    assert "v.md of aaa: no scanner; v.md of ccc: no scanner; send" in str(failed.value)
    found = await rows(
        pool, "SELECT source_id, verdict, reason, detail FROM ingested_files ORDER BY source_id"
    )
    assert [(row["source_id"], row["verdict"], row["reason"]) for row in found] == [
        ("aaa", "rejected", "not_taken"),
        ("bbb", "stored", ""),
        ("ccc", "rejected", "not_taken"),
    ]
    assert found[0]["detail"].endswith("send the file again")
    assert await list_held(knowledge) == ()

    monkeypatch.undo()
    assert (await upload(knowledge, "aaa", "v.md")).verdict.value == "stored"
    assert (await verdicts(pool, "aaa"))["v.md"] == ("stored", "")


async def test_an_upload_that_a_release_cannot_scan_says_to_send_it_again(
    knowledge, pool, monkeypatch
):
    await upload(knowledge, "ups", "v.md")

    async def time_out(_content):
        raise ScannerTimeoutError("the scanner took too long")

    monkeypatch.setattr(knowledge.ingestion._screen._scanner, "scan", time_out)
    await release(knowledge)
    (found,) = await rows(pool, "SELECT verdict, reason, detail FROM ingested_files")
    assert (found["verdict"], found["reason"]) == ("rejected", "unscanned")
    assert found["detail"] == ("the scanner took too long; it is kept nowhere: send the file again")

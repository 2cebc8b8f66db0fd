# SPDX-License-Identifier: Apache-2.0
"""What is refused is kept out of reach, and every decision on it leaves its trace."""

import asyncio
import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from guardrails.errors import (
    QuarantinedFileMissingError,
    QuarantineError,
    QuarantineFullError,
    QuarantineIntegrityError,
    QuarantineReleaseError,
    QuarantineStateError,
)
from guardrails.masking import Masker
from guardrails.quarantine import QUERIES, Quarantine
from guardrails.quarantined_files import HoldReason
from guardrails.sealed_files import SealedFiles
from kernel.audit import AuditIntake
from kernel.database import connect

CONTENT = b"MZ" + b"eucora-bad-bytes" * 100
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SIGNATURE = "EucoraTest.Marker.UNOFFICIAL"
FACTS = {
    "name": "manual.pdf",
    "source": "upload",
    "reason": HoldReason.INFECTED,
    "signature": SIGNATURE,
    "engine": "ClamAV 1.4.6",
    "actor": "user:ada",
    "correlation_id": "req_1",
}
RELEASE = {
    "requested_by": "user:bob",
    "released_by": "user:cyd",
    "reason": "a false alarm of the signature",
    "correlation_id": "req_2",
}
DESTRUCTION = {"destroyed_by": "user:cyd", "reason": "malware", "correlation_id": "req_3"}
SWEEP = {"actor": "service:worker", "correlation_id": "req_4"}


@pytest.fixture(scope="module")
def mask():
    masker = Masker()

    async def mask_text(text):
        return masker.mask(text).text

    return mask_text


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "quarantine"


@pytest.fixture
def open_quarantine(folder, key_store, clock, ids, mask):
    def open_with(**changes):
        parts = {
            "files": SealedFiles(folder, key_store.secret("quarantine")),
            "clock": clock,
            "ids": ids,
            "audit": AuditIntake(clock, ids),
            "mask": mask,
        }
        return Quarantine(**{**parts, **changes})

    return open_with


@pytest.fixture
def quarantine(open_quarantine):
    return open_quarantine()


async def list_events(connection):
    cursor = await connection.execute(
        "SELECT actor, action, subject_kind, subject_id, correlation_id, before, after"
        " FROM audit_events ORDER BY position"
    )
    return await cursor.fetchall()


async def test_a_file_goes_in_and_comes_out_as_it_was(quarantine, connection):
    for content in (CONTENT, b""):
        held = await quarantine.hold(connection, content, **FACTS)
        assert held.is_held
        assert (held.sha256, held.size_bytes) == (
            hashlib.sha256(content).hexdigest(),
            len(content),
        )
        assert await quarantine.list_held(connection) == (held,)
        released, returned = await quarantine.release(connection, held.quarantine_id, **RELEASE)
        assert returned == content
        assert (released.released_by, released.release_requested_by) == ("user:cyd", "user:bob")
        assert not released.is_held
        assert await quarantine.list_held(connection) == ()
        assert await quarantine.find(connection, held.quarantine_id) == released


async def test_files_are_out_of_reach(quarantine, connection, folder):
    held = await quarantine.hold(connection, CONTENT, **FACTS)
    (path,) = folder.iterdir()
    assert path.name == f"{DIGEST}.{held.quarantine_id}"
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    stored = path.read_bytes()
    assert b"eucora-bad" not in stored
    assert not stored.startswith(b"MZ")


async def test_every_decision_is_audited(quarantine, connection):
    first = (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id
    await quarantine.hold(connection, CONTENT, **FACTS)
    await quarantine.release(connection, first, **RELEASE)
    await quarantine.destroy(connection, first, **DESTRUCTION)
    second = (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id
    await quarantine.destroy(connection, second, **DESTRUCTION)
    events = await list_events(connection)
    assert [(event["action"], event["actor"], event["subject_id"]) for event in events] == [
        ("quarantine.held", "user:ada", first),
        ("quarantine.seen_again", "user:ada", first),
        ("quarantine.released", "user:cyd", first),
        ("quarantine.release_withdrawn", "user:cyd", first),
        ("quarantine.held", "user:ada", second),
        ("quarantine.destroyed", "user:cyd", second),
    ]
    assert events[0]["after"] == {
        "name": "manual.pdf", "source": "upload", "reason": "infected", "signature": SIGNATURE,
        "engine": "ClamAV 1.4.6", "sha256": DIGEST, "size_bytes": len(CONTENT),
    }  # fmt: skip
    assert events[2]["after"] == {
        "requested_by": "user:bob",
        "released_by": "user:cyd",
        "reason": RELEASE["reason"],
    }
    assert events[2]["correlation_id"] == "req_2"


async def test_what_is_held_already_is_kept_once(quarantine, connection, folder):
    first = await quarantine.hold(connection, CONTENT, **FACTS)
    again = {**FACTS, "name": "other.pdf", "actor": "user:eve"}
    assert await quarantine.hold(connection, CONTENT, **again) == first
    assert len(list(folder.iterdir())) == 1
    event = (await list_events(connection))[-1]
    assert (event["actor"], event["after"]["name"]) == ("user:eve", "other.pdf")


async def test_names_and_reasons_are_masked_and_made_plain(quarantine, connection):
    facts = {**FACTS, "name": "\x1b[31m../x\u202efdp jane.doe@example.org\n.exe", "source": "\x00"}
    held = await quarantine.hold(connection, CONTENT, **facts)
    assert held.name.startswith("../xfdp <")
    assert held.name.isprintable()
    reason = "asked jane.doe@example.org"
    released, _ = await quarantine.release(
        connection, held.quarantine_id, **{**RELEASE, "reason": reason}
    )
    assert "jane.doe" not in released.release_reason
    assert "jane.doe" not in str(await list_events(connection))


async def test_a_release_covers_the_same_bytes_with_the_same_finding(quarantine, connection):
    held = await quarantine.hold(connection, CONTENT, **FACTS)
    assert not await quarantine.is_released(connection, DIGEST, signature=SIGNATURE)
    await quarantine.release(connection, held.quarantine_id, **RELEASE)
    assert await quarantine.is_released(connection, DIGEST, signature=SIGNATURE)
    assert await quarantine.is_released(connection, DIGEST, signature=None)
    assert not await quarantine.is_released(connection, DIGEST, signature="Worse.Thing")
    assert not await quarantine.is_released(connection, "0" * 64, signature=SIGNATURE)
    await quarantine.destroy(connection, held.quarantine_id, **DESTRUCTION)
    assert not await quarantine.is_released(connection, DIGEST, signature=SIGNATURE)
    assert not await quarantine.is_released(connection, DIGEST, signature=None)


async def test_what_was_never_scanned_is_not_released_for_what_is_found_later(
    quarantine, connection
):
    facts = {**FACTS, "reason": HoldReason.UNSCANNED, "signature": None}
    held = await quarantine.hold(connection, CONTENT, **facts)
    await quarantine.release(connection, held.quarantine_id, **RELEASE)
    assert await quarantine.is_released(connection, DIGEST, signature=None)
    assert not await quarantine.is_released(connection, DIGEST, signature=SIGNATURE)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": " \n\u200b"}, {"requested_by": ""}, {"released_by": " user: "},
        {"released_by": "user:bob"}, {"released_by": " BOB"}, {"released_by": "user:ada"},
        {"released_by": "Ada", "requested_by": "user:ada"},
        {"released_by": "service:robot"}, {"requested_by": " Service : robot"},
        {"released_by": "system:ranking"}, {"token_maker": "cli:cyd"},
    ],
)  # fmt: skip
async def test_a_release_needs_a_reason_and_somebody_else(quarantine, connection, change):
    held = await quarantine.hold(connection, CONTENT, **FACTS)
    with pytest.raises(QuarantineReleaseError):
        await quarantine.release(connection, held.quarantine_id, **{**RELEASE, **change})
    assert (await quarantine.find(connection, held.quarantine_id)).is_held
    assert len(await list_events(connection)) == 1


async def test_what_a_service_brought_takes_two_people(quarantine, connection):
    brought = {**FACTS, "actor": "service:robot"}
    held = await quarantine.hold(connection, CONTENT, **brought)
    assert held.requested_by is None
    ask = {"reason": "Ask jane.doe@example.org", "correlation_id": "req_2"}
    for nobody in ("service:robot", "user:", ""):
        with pytest.raises(QuarantineReleaseError):
            await quarantine.ask_release(connection, held.quarantine_id, asked_by=nobody, **ask)
    asked = await quarantine.ask_release(connection, held.quarantine_id, asked_by="user:bob", **ask)
    assert (asked.requested_by, asked.asked_by) == ("user:bob", "user:bob")
    assert "jane.doe" not in asked.ask_reason
    with pytest.raises(QuarantineStateError, match="user:bob has asked"):
        await quarantine.ask_release(connection, held.quarantine_id, asked_by="user:cyd", **ask)
    events = await list_events(connection)
    assert [event["action"] for event in events] == ["quarantine.held", "quarantine.release_asked"]
    assert "jane.doe" not in str(events)
    release = {**RELEASE, "requested_by": asked.requested_by}
    with pytest.raises(QuarantineReleaseError):
        await quarantine.release(
            connection, held.quarantine_id, **{**release, "released_by": "cli:Bob"}
        )
    released, content = await quarantine.release(connection, held.quarantine_id, **release)
    assert (released.released_by, content) == ("user:cyd", CONTENT)
    with pytest.raises(QuarantineStateError):
        await quarantine.ask_release(connection, held.quarantine_id, asked_by="user:bob", **ask)
    with pytest.raises(psycopg.errors.RaiseException, match="who asked"):
        await connection.execute("UPDATE quarantined_files SET asked_by = 'user:eve'")


@pytest.mark.parametrize("change", [{"reason": ""}, {"destroyed_by": "user:"}])
async def test_a_destruction_needs_a_reason_and_a_person(quarantine, connection, change):
    held = await quarantine.hold(connection, CONTENT, **FACTS)
    with pytest.raises(QuarantineReleaseError):
        await quarantine.destroy(connection, held.quarantine_id, **{**DESTRUCTION, **change})
    assert (await quarantine.find(connection, held.quarantine_id)).is_held


async def test_what_is_decided_is_decided(quarantine, connection):
    held = (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id
    await quarantine.release(connection, held, **RELEASE)
    with pytest.raises(QuarantineStateError):
        await quarantine.release(connection, held, **RELEASE)
    await quarantine.destroy(connection, held, **DESTRUCTION)
    with pytest.raises(QuarantineStateError):
        await quarantine.destroy(connection, held, **DESTRUCTION)
    with pytest.raises(QuarantinedFileMissingError):
        await quarantine.release(connection, "qua_missing", **RELEASE)
    with pytest.raises(QuarantinedFileMissingError):
        await quarantine.destroy(connection, "qua_missing", **DESTRUCTION)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "tamper",
    [
        flip,
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
)
async def test_a_changed_file_is_not_released_but_can_be_destroyed(
    quarantine, connection, folder, tamper
):
    held = (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id
    (path,) = folder.iterdir()
    tamper(path)
    with pytest.raises(QuarantineIntegrityError):
        await quarantine.release(connection, held, **RELEASE)
    assert (await quarantine.find(connection, held)).is_held
    assert not (await quarantine.destroy(connection, held, **DESTRUCTION)).is_held


async def test_files_cannot_be_swapped_nor_read_with_another_key(
    quarantine, open_quarantine, connection, folder
):
    first = (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id
    second = (await quarantine.hold(connection, CONTENT[::-1], **FACTS)).quarantine_id
    stranger = open_quarantine(files=SealedFiles(folder, bytes(32)))
    with pytest.raises(QuarantineIntegrityError):
        await stranger.release(connection, first, **RELEASE)
    one, other = (next(folder.glob(f"*.{quarantine_id}")) for quarantine_id in (first, second))
    one.write_bytes(other.read_bytes())
    with pytest.raises(QuarantineIntegrityError):
        await quarantine.release(connection, first, **RELEASE)
    with pytest.raises(QuarantineError):
        SealedFiles(folder, b"short")


async def test_a_full_quarantine_says_what_to_do(open_quarantine, connection, folder):
    small = open_quarantine(max_bytes=len(CONTENT) + 1)
    held = await small.hold(connection, CONTENT, **FACTS)
    with pytest.raises(QuarantineFullError, match="release or destroy"):
        await small.hold(connection, b"xx", **FACTS)
    assert len(list(folder.iterdir())) == 1
    await small.hold(connection, CONTENT, **FACTS)  # needs no more room
    await small.destroy(connection, held.quarantine_id, **DESTRUCTION)
    await small.hold(connection, b"xx", **FACTS)


async def test_a_disk_that_refuses_leaves_no_row(quarantine, connection, folder):
    folder.write_bytes(b"no folder")
    with pytest.raises(QuarantineError, match="cannot be written"):
        await quarantine.hold(connection, CONTENT, **FACTS)
    assert await quarantine.list_held(connection) == ()


async def test_the_list_is_read_in_pages(quarantine, connection):
    ids = [(await quarantine.hold(connection, b"%d" % n, **FACTS)).quarantine_id for n in range(5)]
    page = await quarantine.list_held(connection, limit=2)
    assert [file.quarantine_id for file in page] == ids[:2:-1]
    rest = await quarantine.list_held(connection, before=page[-1].quarantine_id)
    assert [file.quarantine_id for file in rest] == ids[2::-1]


async def test_only_what_no_row_holds_is_removed(quarantine, pool, folder):
    async with pool.connection() as connection:
        kept = await quarantine.hold(connection, CONTENT, **FACTS)
        gone = await quarantine.hold(connection, b"gone", **FACTS)
    (folder / "README").touch()
    async with pool.connection() as connection:
        assert await quarantine.remove_orphans(connection, **SWEEP) == 0
        await quarantine.destroy(connection, gone.quarantine_id, **DESTRUCTION)
        with pytest.raises(QuarantineError, match="outside"):
            await quarantine.remove_orphans(connection, **SWEEP)
    async with pool.connection() as connection:
        assert await quarantine.remove_orphans(connection, **SWEEP) == 1
        assert await quarantine.remove_orphans(connection, **SWEEP) == 0
        assert {path.name for path in folder.iterdir()} == {
            "README",
            f"{kept.sha256}.{kept.quarantine_id}",
        }
        (event,) = [
            event
            for event in await list_events(connection)
            if event["action"] == "quarantine.orphans_removed"
        ]
        assert event["after"] == {"n_files": 1}


async def test_what_is_rolled_back_has_not_happened(quarantine, pool, folder):
    async with pool.connection() as connection:
        held = await quarantine.hold(connection, CONTENT, **FACTS)
    async with pool.connection() as connection:
        await quarantine.release(connection, held.quarantine_id, **RELEASE)
        await quarantine.destroy(connection, held.quarantine_id, **DESTRUCTION)
        await quarantine.hold(connection, CONTENT, **FACTS)
        await connection.rollback()
    async with pool.connection() as connection:
        assert await quarantine.remove_orphans(connection, **SWEEP) == 1
        _, content = await quarantine.release(connection, held.quarantine_id, **RELEASE)
    assert content == CONTENT


async def test_a_sweep_waits_for_a_file_whose_row_is_not_there_yet(quarantine, pool, folder):
    async with pool.connection() as holding, pool.connection() as sweeping:
        held = await quarantine.hold(holding, CONTENT, **FACTS)
        sweep = asyncio.create_task(quarantine.remove_orphans(sweeping, **SWEEP))
        async with pool.connection() as watching:
            while True:  # until it waits for the lock
                cursor = await watching.execute(
                    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                )
                if await cursor.fetchone() is not None:
                    break
        assert not sweep.done()
        await holding.commit()
        assert await sweep == 0
        _, content = await quarantine.release(holding, held.quarantine_id, **RELEASE)
    assert content == CONTENT


async def test_one_file_held_by_many_at_once_is_one(quarantine, pool, folder):
    async def hold():
        async with pool.connection() as connection:
            return (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id

    assert len(set(await asyncio.gather(*(hold() for _ in range(8))))) == 1
    assert len(list(folder.iterdir())) == 1


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from guardrails.masking import Masker
from guardrails.quarantine import Quarantine
from guardrails.quarantined_files import HoldReason
from guardrails.sealed_files import SealedFiles
from kernel.audit import AuditIntake
from kernel.clock import SystemClock
from kernel.database import connect
from kernel.ids import RandomIds

class DyingFiles(SealedFiles):
    def write(self, name, content):
        super().write(name, content)
        os.kill(os.getpid(), signal.SIGKILL)

async def mask(text):
    return Masker().mask(text).text

async def hold(dsn, folder):
    files = DyingFiles(Path(folder), bytes(32))
    audit = AuditIntake(SystemClock(), RandomIds())
    quarantine = Quarantine(files=files, clock=SystemClock(), ids=RandomIds(), audit=audit,
        mask=mask)
    async with await connect(dsn) as connection:
        await quarantine.hold(connection, b"bad", name="x", source="y",
            reason=HoldReason.INFECTED, signature="z", engine="e", actor="a", correlation_id="c")

asyncio.run(hold(*sys.argv[1:]))
"""


async def test_killed_between_file_and_row_leaves_an_orphan(quarantine, dsn, folder):
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, dsn, str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert len(list(folder.iterdir())) == 1
    async with await connect(dsn) as connection:
        assert await quarantine.list_held(connection) == ()
        await connection.commit()
        assert await quarantine.remove_orphans(connection, **SWEEP) == 1
        assert list(folder.iterdir()) == []
        await quarantine.hold(connection, b"bad", **FACTS)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM quarantined_files",
        "UPDATE quarantined_files SET sha256 = repeat('0', 64)",
        "UPDATE quarantined_files SET signature = 'other'",
        "UPDATE quarantined_files SET wrapped_key = 'x'",
        "UPDATE quarantined_files SET released_by = 'user:eve'",
        "UPDATE quarantined_files SET wrapped_key = NULL",
        (
            "UPDATE quarantined_files SET released_at = now(), released_by = actor,"
            " wrapped_key = NULL, release_reason = '', release_requested_by = 'user:bob'"
        ),
        "TRUNCATE quarantined_files",
    ],
)
@pytest.mark.parametrize("state", ["held", "released", "destroyed"])
async def test_the_table_keeps_what_was_found_and_decided(quarantine, connection, statement, state):
    held = (await quarantine.hold(connection, CONTENT, **FACTS)).quarantine_id
    if state == "released":
        await quarantine.release(connection, held, **RELEASE)
    if state == "destroyed":
        await quarantine.destroy(connection, held, **DESTRUCTION)
    if state == "released" and statement.endswith("wrapped_key = NULL"):
        return  # changes nothing
    with pytest.raises(psycopg.Error):
        await connection.execute(statement)


def _number_parameters(query):
    numbers: dict[str, int] = {}
    return re.sub(r"%\((\w+)\)s", lambda m: f"${numbers.setdefault(m[1], len(numbers) + 1)}", query)


@pytest.mark.parametrize("name", QUERIES)
async def test_queries_are_planned(connection, name):
    text = _number_parameters(QUERIES[name])
    cursor = await connection.execute(f"EXPLAIN (GENERIC_PLAN) {text}".encode())
    assert await cursor.fetchall()

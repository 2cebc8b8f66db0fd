# SPDX-License-Identifier: Apache-2.0
"""The parser process: confined, killed when it must be, replaced, and quick when it is not."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest

from retrieval.parsing.errors import (
    EmptyDocumentError,
    OversizeError,
    ParserCrashedError,
    ParserTimeoutError,
    ParsingError,
)
from retrieval.parsing.limits import MEGABYTE, ParserLimits
from retrieval.parsing.sandbox import ParserProcess

ROOT = Path(__file__).resolve().parents[3]
GOOD = b"---\nproducts: [VPN]\n---\n# Good\n\nThe client connects.\n"
SLOW = b"<html>" + b"<p>word <b>and</b> word</p>" * 1_500_000


@pytest.fixture
async def process():
    async with ParserProcess() as opened:
        yield opened


async def assert_lives(process: ParserProcess) -> None:
    (document,) = (await process.parse(GOOD, name="good.md")).documents
    assert (document.title, document.metadata) == ("Good", {"products": "VPN"})


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_one_file(process):
    (document,) = (await process.parse(GOOD, name="a.md")).documents
    assert document.text == "# Good\n\nThe client connects."
    assert document.blocks[0].level == 1


async def test_verdicts_cross_over_and_the_process_stays(process):
    await assert_lives(process)
    pid = process.pid
    with pytest.raises(EmptyDocumentError) as caught:
        await process.parse(b"", name="a.md")
    assert caught.value.reason == "empty"
    await assert_lives(process)
    assert process.pid == pid


HOSTILE = {
    "entities.xml": b"<!DOCTYPE unload [<!ENTITY a 'x'>]><unload><kb_knowledge/></unload>",
    "deep.html": b"<html>" + b"<div>" * 10_000 + b"deep",
    "deep.json": b'{"result": ' + b"[" * 100_000,
    "deep.md": b"> " * 20_000 + b"text",
    "nested.md": b"- " * 5_000 + b"[" * 5_000 + b"*" * 5_000,
    "endless.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids"
    b"[2 0 R]/Count 1>>endobj trailer<</Root 1 0 R>>\n%%EOF",
    "noise.pdf": b"%PDF-1.7\n" + bytes(range(256)) * 100,
    "noise.docx": b"PK\x03\x04" + bytes(range(256)) * 100,
    "noise.bin": bytes(range(256)) * 100,
    "a line.txt": b"word " * 500_000,
}


async def test_hostile_files_get_their_verdicts_and_the_process_lives_on(process):
    await assert_lives(process)
    pid = process.pid
    for name, content in HOSTILE.items():
        with suppress(ParsingError):
            parsed = await process.parse(content, name=name)
            assert parsed.documents[0].text
        assert process.pid == pid, name
    await assert_lives(process)


async def test_a_file_too_large_starts_no_process():
    async with ParserProcess(ParserLimits(max_file_bytes=10)) as process:
        with pytest.raises(OversizeError, match="11 bytes"):
            await process.parse(bytes(11), name="large.md")
        assert process.pid is None


async def test_a_killed_process_is_a_verdict_and_is_replaced(process):
    await assert_lives(process)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.create_task(process.parse(GOOD, name="a.md"))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ParserCrashedError):
        await asking
    await assert_lives(process)
    assert process.pid != pid


async def test_a_process_that_hangs_is_killed_with_its_group():
    async with ParserProcess(ParserLimits(wall_seconds=2)) as process:
        await assert_lives(process)
        pid = process.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ParserTimeoutError, match="2 seconds"):
            await process.parse(GOOD, name="a.md")
        assert not is_running(pid)
        await assert_lives(process)


async def test_processor_time_is_bounded():
    async with ParserProcess(ParserLimits(cpu_seconds=1)) as process:
        with pytest.raises(ParserTimeoutError, match="processor time"):
            await process.parse(SLOW, name="a.html")
        await assert_lives(process)


async def test_memory_is_bounded():
    async with ParserProcess(ParserLimits(memory_bytes=220 * MEGABYTE)) as process:
        await assert_lives(process)
        pid = process.pid
        with pytest.raises((OversizeError, ParserCrashedError)):
            await process.parse(SLOW, name="a.html")
        await assert_lives(process)
        assert process.pid != pid


async def test_an_answer_too_large_is_refused():
    limits = ParserLimits(max_reply_bytes=2_000)
    async with ParserProcess(limits) as process:
        with pytest.raises(OversizeError):
            await process.parse(b"word " * 1_000, name="a.md")


async def test_a_cancelled_reading_leaves_no_process(process):
    await assert_lives(process)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.create_task(process.parse(GOOD, name="a.md"))
    await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not is_running(pid)
    await assert_lives(process)


async def test_those_who_call_at_once_take_turns(process):
    contents = [f"# Title {number}\n\ntext".encode() for number in range(20)]
    parsed = await asyncio.gather(*(process.parse(c, name="a.md") for c in contents))
    assert [p.documents[0].title for p in parsed] == [f"Title {n}" for n in range(20)]


async def test_the_process_has_no_secrets_and_no_group_with_us(process, monkeypatch):
    monkeypatch.setenv("A_SECRET", "x")
    await assert_lives(process)
    child = psutil.Process(process.pid)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    if os.geteuid() == 0:  # undumpable processes show these to root alone
        assert child.environ() == {}
        assert child.cwd() == "/"


PROBE = """
import sys; sys.path.insert(0, sys.argv[1])
import json, os, socket
import msgspec
from retrieval.parsing.confinement import confine
from retrieval.parsing.limits import ParserLimits
confine(msgspec.json.decode(sys.argv[2], type=ParserLimits))
verdicts = {}
def attempt(name, action):
    try:
        action(); verdicts[name] = "done"
    except (OSError, MemoryError) as error:
        verdicts[name] = type(error).__name__
def write():
    with open("/tmp/parser-probe-must-stay-empty", "wb") as stream:
        stream.write(b"x")
def hoard():
    handles = [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]
attempt("socket", lambda: socket.socket(socket.AF_INET))
attempt("write", write)
attempt("fork", os.fork)
attempt("execute", lambda: os.execv("/bin/true", ["true"]))
attempt("memory", lambda: bytearray(2_000_000_000))
attempt("open", hoard)
print(json.dumps(verdicts))
"""


def test_confinement_takes_network_files_processes_and_memory(tmp_path):
    probe = PROBE.replace("/tmp/parser-probe", str(tmp_path / "probe"))
    finished = subprocess.run(
        [sys.executable, "-I", "-c", probe, str(ROOT),
         msgspec.json.encode(ParserLimits()).decode()],
        capture_output=True, check=True, timeout=30, env={}, cwd="/",
    )  # fmt: skip
    verdicts = json.loads(finished.stdout)
    assert verdicts.pop("memory") == "MemoryError"
    assert set(verdicts.values()) <= {"OSError", "PermissionError"}, verdicts


async def test_a_folder_of_pages_is_read_quickly(process):
    page = GOOD + b"\n## Section\n\nSome words about the printer and its queue.\n" * 20
    await assert_lives(process)
    started = time.perf_counter()
    for _ in range(200):
        await process.parse(page, name="a.md")
    assert 200 / (time.perf_counter() - started) > 100


async def test_a_worn_process_is_replaced(process, monkeypatch):
    monkeypatch.setattr("retrieval.parsing.sandbox.MAX_FILES", 2)
    await assert_lives(process)
    pid = process.pid
    await assert_lives(process)
    assert process.pid is None
    await assert_lives(process)
    assert process.pid != pid
    assert replace(process.limits) == ParserLimits()

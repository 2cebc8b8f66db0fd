# SPDX-License-Identifier: Apache-2.0
"""Somebody broke into the process that evaluates policies: what it may still do to its parent."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import psutil
import pytest

from guardrails import policy_process
from guardrails.errors import PolicyLimitError, PolicySlowError
from guardrails.policy_process import MAX_REPLY_BYTES, PolicyProcess
from guardrails.policy_protocol import Check
from guardrails.policy_trials import check_version
from guardrails.process_group import list_descendants
from tests.guardrails.endless_policy import SOURCE

TASK = Check(source=SOURCE)
BEGIN = """
import os, signal, socket, struct, sys, time
connection = socket.socket(fileno=0)
def reply(content, size=None):
    length = len(content) if size is None else size
    connection.sendall(struct.pack(">I?", length, True) + content)
def note(path):
    with open(path, "a") as file:
        file.write(f"{os.getpid()} ")
def flood():
    while True:
        connection.sendall(b"x" * 65536)
"""
READY = "reply(b'')\n"
ANSWER = "connection.recv(1 << 20); reply(b'7')\n"


@pytest.fixture
def break_in(monkeypatch):
    """Let another program than ours run as the child from now on."""

    def start(program: str) -> None:
        monkeypatch.setattr(policy_process, "_START", BEGIN + program)

    return start


async def until(condition: Callable[[], object], *, seconds: float, missing: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, missing
        await asyncio.sleep(0.02)


async def gone(*pids: int, seconds: float) -> None:
    await until(
        lambda: not any(map(is_running, pids)), seconds=seconds, missing=f"{pids} still run"
    )


def is_running(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def is_noted(path: Path) -> bool:
    return path.exists() and path.read_text().endswith(" ")


def is_our_child(pid: int) -> bool:
    """Also as a zombie."""
    return pid in {child.pid for child in psutil.Process().children()}


async def test_a_flood_while_nobody_asks_is_not_kept_and_ends_the_child(break_in):
    break_in(READY + ANSWER + "time.sleep(0.3); flood()")
    async with PolicyProcess() as process:
        assert await process.ask(TASK, int, seconds=10) == 7
        flooding, before = process.pid, psutil.Process().memory_info().rss
        await gone(flooding, seconds=10)
        assert psutil.Process().memory_info().rss - before < 8 * 2**20
        break_in(READY + ANSWER + "time.sleep(60)")
        assert await process.ask(TASK, int, seconds=10) == 7, "the next task has a new one"
        assert not is_our_child(flooding)


@pytest.mark.parametrize(
    ("answer", "is_answer"),
    [
        (f"reply(b'7', size={MAX_REPLY_BYTES + 1}); flood()", False),
        ("connection.sendall(2 * (struct.pack('>I?', 1, True) + b'7')); time.sleep(60)", False),
        ("reply(b'7'); time.sleep(0.3); reply(b'7'); time.sleep(60)", True),
        ("reply(b'7' + b'x' * 65536, size=1); flood()", False),
        ("flood()", False),
    ],
)
async def test_more_than_was_asked_is_no_answer_and_ends_the_child(break_in, answer, is_answer):
    """Of two replies that come apart, the first is one; of two at once, none."""
    break_in(READY + "connection.recv(1 << 20)\n" + answer)
    refused = pytest.raises(PolicyLimitError, match="sent more than its limit")
    children = {child.pid for child in psutil.Process().children()}
    async with PolicyProcess() as process:
        before = psutil.Process().memory_info().rss
        with nullcontext() if is_answer else refused:
            assert await process.ask(TASK, int, seconds=20) == 7
        assert (process.pid is not None) is is_answer
        started = {child.pid for child in psutil.Process().children()} - children
        await gone(*started, seconds=5)
        assert psutil.Process().memory_info().rss - before < MAX_REPLY_BYTES + 8 * 2**20


async def test_a_child_that_hears_no_alarm_is_late_and_ends_in_time(break_in):
    break_in(
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        + READY
        + "connection.recv(1 << 20); time.sleep(60)"
    )
    async with PolicyProcess() as process:
        started = time.monotonic()
        with pytest.raises(PolicySlowError, match=r"longer than 0\.5 seconds"):
            await process.ask(TASK, int, seconds=0.5)
        assert time.monotonic() - started < 10


FORK = """
if os.fork() == 0:
    {leave}
    note({path!r})
    while True:
        time.sleep(1)
"""


@pytest.mark.parametrize("leave", ["pass", "os.setsid()"])
@pytest.mark.parametrize("when", ["before it is asked", "while it is asked"])
async def test_a_child_that_starts_others_is_ended_with_them(
    break_in, tmp_path, monkeypatch, leave, when
):
    """They hold its end of the socket, too: nobody waits for them to let go."""
    pids, fork = tmp_path / "pids", FORK.format(leave=leave, path=str(tmp_path / "pids"))
    monkeypatch.setattr(  # they are not seen before the test knows them
        policy_process, "list_descendants", lambda pid: is_noted(pids) and list_descendants(pid)
    )
    quiet = "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
    if when == "before it is asked":
        break_in(quiet + READY + ANSWER + fork + "time.sleep(60)")
    else:
        break_in(quiet + READY + "connection.recv(1 << 20)\n" + fork + "time.sleep(60)")
    async with PolicyProcess() as process:
        started = time.monotonic()
        if when == "before it is asked":
            assert await process.ask(TASK, int, seconds=10) == 7
            child = process.pid
            await gone(child, seconds=10)
        else:
            with pytest.raises(PolicyLimitError, match="started others"):
                await process.ask(TASK, int, seconds=40)
        assert time.monotonic() - started < 15
        await gone(int(pids.read_text()), seconds=2)


async def test_the_group_of_a_late_child_ends_with_it(break_in, tmp_path, monkeypatch):
    """Also where nobody sees that it has started another."""
    monkeypatch.setattr(policy_process, "list_descendants", lambda _pid: [])
    monkeypatch.setattr("guardrails.process_group.list_descendants", lambda _pid: [])
    pids = tmp_path / "pids"
    fork = FORK.format(leave="pass", path=str(pids))
    break_in(READY + "connection.recv(1 << 20)\n" + fork + "time.sleep(60)")
    async with PolicyProcess() as process:
        started = time.monotonic()
        with pytest.raises(PolicySlowError):
            await process.ask(TASK, int, seconds=3)
        assert time.monotonic() - started < 15
    await gone(int(pids.read_text()), seconds=2)


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancelled_start_leaves_nobody(break_in, turns):
    """Whenever it is cancelled: also between the start and the connection."""
    break_in("time.sleep(60)")
    before = {child.pid for child in psutil.Process().children()}
    async with PolicyProcess() as process:
        asking = asyncio.create_task(process.ask(TASK, int, seconds=1))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        assert process.pid is None
        assert {child.pid for child in psutil.Process().children()} <= before


async def test_a_cancelled_task_ends_the_child_at_once(break_in, tmp_path):
    asked = tmp_path / "asked"
    break_in(
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        + READY
        + f"connection.recv(1 << 20); note({str(asked)!r}); time.sleep(60)"
    )
    async with PolicyProcess() as process:
        asking = asyncio.create_task(process.ask(TASK, int, seconds=60))
        await until(lambda: is_noted(asked), seconds=20, missing="it was not asked")
        child = process.pid
        assert child is not None
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not is_our_child(child)


async def test_an_honest_child_is_left_alone_and_goes_with_its_parent(monkeypatch):
    looks: list[int] = []

    def look(pid: int) -> list[int]:
        looks.append(pid)
        return list_descendants(pid)

    monkeypatch.setattr(policy_process, "IDLE_WATCH_SECONDS", 0.02)
    monkeypatch.setattr(policy_process, "list_descendants", look)
    assert await check_version(SOURCE) > 0
    async with PolicyProcess() as process:
        assert await process.ask(TASK, int, seconds=30) > 0
        child = process.pid
        looks.clear()
        await until(lambda: len(looks) > 2, seconds=10, missing="nobody looked after it")
        assert process.pid == child
        assert is_our_child(child)
        os.kill(child, 9)
        replies = process._running.replies
        await until(lambda: replies.lost, seconds=5, missing="its end was not noticed")
        assert await process.ask(TASK, int, seconds=30) > 0
        assert process.pid != child
    assert not is_our_child(child)

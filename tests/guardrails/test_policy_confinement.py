# SPDX-License-Identifier: Apache-2.0
"""Somebody broke into the process that evaluates policies: what it may still do to its parent."""

import asyncio
import os
import time
from contextlib import suppress

import psutil
import pytest

from guardrails import policy_process
from guardrails.errors import PolicyError, PolicyLimitError, PolicySlowError
from guardrails.policy_process import MAX_REPLY_BYTES, PolicyProcess
from guardrails.policy_protocol import Check
from guardrails.policy_trials import check_version
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


async def gone(*pids: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, f"{pids} still run"
        await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


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
    "answer",
    [
        f"reply(b'7', size={MAX_REPLY_BYTES + 1}); flood()",
        "reply(b'7'); reply(b'7'); time.sleep(60)",
        "reply(b'7' + b'x' * 65536, size=1); flood()",
        "flood()",
    ],
)
async def test_more_than_was_asked_is_no_answer_and_ends_the_child(break_in, answer):
    break_in(READY + "connection.recv(1 << 20)\n" + answer)
    async with PolicyProcess() as process:
        before = psutil.Process().memory_info().rss
        with suppress(PolicyLimitError):  # two replies may come apart: then the first is one
            assert await process.ask(TASK, int, seconds=20) == 7
        await gone(*([process.pid] if process.pid else []), seconds=2)
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
async def test_a_child_that_starts_others_is_ended_with_them(break_in, tmp_path, leave, when):
    """They hold its end of the socket, too: nobody waits for them to let go."""
    pids, fork = tmp_path / "pids", FORK.format(leave=leave, path=str(tmp_path / "pids"))
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
        forked = [int(word) for word in pids.read_text().split()] if pids.exists() else []
        await gone(*forked, seconds=2)


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


async def test_a_cancelled_task_ends_the_child_at_once(break_in):
    break_in("signal.signal(signal.SIGALRM, signal.SIG_IGN)\n" + READY + "time.sleep(60)")
    async with PolicyProcess() as process:
        asking = asyncio.create_task(process.ask(TASK, int, seconds=60))
        await asyncio.sleep(1)
        child = process.pid
        assert child is not None
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        assert not is_our_child(child)


async def test_an_honest_child_is_left_alone_and_goes_with_its_parent():
    assert await check_version(SOURCE) > 0
    async with PolicyProcess() as process:
        assert await process.ask(TASK, int, seconds=30) > 0
        child = process.pid
        await asyncio.sleep(1.2)
        assert process.pid == child
        assert is_our_child(child)
        os.kill(child, 9)
        await gone(child, seconds=5)
        with suppress(PolicyError):
            assert await process.ask(TASK, int, seconds=30) > 0
    assert not is_our_child(child)

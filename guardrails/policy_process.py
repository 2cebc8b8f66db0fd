# SPDX-License-Identifier: Apache-2.0
"""Has policies compiled and evaluated in a process of their own, and ends it when it goes too far.

Rego comes from people and is evaluated by a library in C++ that nothing interrupts, so it runs
where it can be ended: no version, in force or not, is compiled or evaluated in a process that holds
keys, connections or requests. Each task has its time, and the process its memory; after an end it
is started again with the next task.

Nor is it trusted to keep to that: whoever broke the library open would run there. It is ended with
all that it started when it is late, when it starts another process, and when it says more than it
was asked, also while nobody asks.
"""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec
import psutil

from guardrails.errors import PolicyLimitError, PolicyLoadError, PolicySlowError
from guardrails.policy_protocol import (
    REPLY_HEADER,
    TASK_HEADER,
    Decide,
    DecideAll,
    Load,
    Task,
)
from guardrails.policy_source import PolicySource
from guardrails.process_group import kill_group, list_descendants

START_SECONDS: Final = 60.0  # until its library is loaded, on a machine that is busy
GRACE_SECONDS: Final = 0.5  # the process's own alarm comes first
WATCH_SECONDS: Final = 0.02
IDLE_WATCH_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 5.0  # for a turn
MAX_MEMORY_BYTES: Final = 512 * 2**20  # resident; idle it has 45 MB
MAX_REPLY_BYTES: Final = 32 * 2**20
_ROOT: Final = Path(__file__).resolve().parents[1]
# Isolated mode has no path to this package, so it is handed in. Where no torch can be found its
# library need not be loaded before regopy's: see `guardrails.rego_runtime`.
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['torch'] = None;"
    " from guardrails.policy_child import main; main()"
)
_HEADER_BYTES: Final = REPLY_HEADER.size
Answer = TypeVar("Answer")


@asynccontextmanager
async def take_turn(turn: asyncio.Lock) -> AsyncIterator[None]:
    """Hold a lock, for which one waits no longer than `WAIT_SECONDS`.

    Raises:
        PolicySlowError: others were before, and took too long.
    """
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await turn.acquire()
    except TimeoutError as error:
        raise PolicySlowError("others wait for the policy, too, and it is slow") from error
    try:
        yield
    finally:
        turn.release()


class _Replies(asyncio.Protocol):
    """Takes replies from the process, one at a time, and ends it when it says anything else."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._received = bytearray()
        self._awaited: asyncio.Future[tuple[bool, bytes]] | None = None
        self._transport: asyncio.BaseTransport | None = None
        self.lost = False  # the process has hung up, or was ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember by what to hang up."""
        self._transport = transport

    def expect(self) -> "asyncio.Future[tuple[bool, bytes]]":
        """Return the next reply to come: whether it is an answer, and its bytes."""
        self._awaited = asyncio.get_running_loop().create_future()
        if self.lost:
            self._awaited.set_exception(EOFError())
        return self._awaited

    def data_received(self, data: bytes) -> None:
        """Hand over a reply that is complete."""
        if self.lost:
            return
        if self._awaited is None or self._awaited.done():
            self.end(EOFError())  # nobody has asked
            return
        self._received += data
        if len(self._received) < _HEADER_BYTES:
            return
        size, answered = REPLY_HEADER.unpack_from(self._received)
        if size > MAX_REPLY_BYTES or len(self._received) > _HEADER_BYTES + size:
            self.end(PolicyLimitError("the policy's process sent more than its limit"))
        elif len(self._received) == _HEADER_BYTES + size:
            self._awaited.set_result((answered, bytes(self._received[_HEADER_BYTES:])))
            self._received.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that no reply will come; a process that hangs up has no task any more."""
        del exc
        self.end(EOFError())

    def end(self, reason: Exception) -> None:
        """End the process and all that it started, once; whoever waits for a reply is told why."""
        if self.lost:
            return
        self.lost = True
        kill_group(self._process)
        self._received.clear()
        if self._transport is not None and isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(reason)


@dataclass(slots=True, kw_only=True)
class _Running:
    """The process while it runs, until when it may answer, and why it was ended."""

    process: "subprocess.Popen[bytes]"
    transport: asyncio.WriteTransport
    replies: _Replies
    ready: bool = False  # before, its libraries may start others: regopy asks uname(1)
    deadline: float | None = None  # of the event loop's clock; None while nobody asks
    outgrown: bool = False
    multiplied: bool = False
    late: bool = False


class PolicyProcess:
    """A process that evaluates policies, started at need; an async context manager that ends it.

    Does one task at a time; those who ask at once take turns.

    Args:
        max_memory_bytes: resident memory with which it is ended.

    """

    def __init__(self, *, max_memory_bytes: int = MAX_MEMORY_BYTES) -> None:
        self._max_memory_bytes = max_memory_bytes
        self._running: _Running | None = None
        self._watcher: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self.n_asking = 0  # who is answered or waits
        self._loaded: str | None = None  # digest of the version

    async def __aenter__(self) -> Self:
        """Return the process; it starts with the first task."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return None if self._running is None else self._running.process.pid

    async def ask(self, task: Task, answer: type[Answer], *, seconds: float) -> Answer:
        """Return what a task is answered; `answer` is the type that the task names.

        Raises:
            PolicySlowError: others were before, and took too long; or it did.
            PolicyLimitError: it took more memory than it may, or the process broke off.
            PolicyLoadError: why there is no answer.
        """
        async with self._taking_turns():
            return await self._ask(task, answer, seconds)

    async def load(self, source: PolicySource, *, seconds: float) -> None:
        """Compile a version, for `ask_of`.

        Raises:
            PolicySlowError, PolicyLimitError, PolicyLoadError: as `ask` does.
        """
        async with self._taking_turns():
            await self._load(source, seconds)

    async def ask_of(
        self, source: PolicySource, task: Decide | DecideAll, answer: type[Answer], *,
        load_seconds: float, seconds: float,
    ) -> Answer:  # fmt: skip
        """Return what a version answers to questions; it is compiled unless it was the last one.

        Raises:
            PolicySlowError, PolicyLimitError, PolicyLoadError: as `ask` does.
        """
        async with self._taking_turns():
            if self._running is None or self._loaded != source.digest:
                await self._load(source, load_seconds)
            return await self._ask(task, answer, seconds)

    @asynccontextmanager
    async def _taking_turns(self) -> AsyncIterator[None]:
        self.n_asking += 1
        try:
            async with take_turn(self._turn):
                if self._running is not None and self._running.replies.lost:
                    await self.stop()  # it was ended between tasks, which is no answer's fault
                yield
        finally:
            self.n_asking -= 1

    async def _load(self, source: PolicySource, seconds: float) -> None:
        self._loaded = None
        self._loaded = await self._ask(Load(source=source), str, seconds)

    async def _ask(self, task: Task, answer: type[Answer], seconds: float) -> Answer:
        answered, reply = await self._exchange(msgspec.json.encode(task), seconds)
        try:
            if answered:
                return msgspec.json.decode(reply, type=answer)
            reason = msgspec.json.decode(reply, type=str)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise PolicyLimitError("the policy's process answered no such thing") from error
        raise PolicyLoadError(reason)

    async def stop(self) -> None:
        """End the process."""
        running, self._running = self._running, None
        if self._watcher is not None:
            self._watcher.cancel()
        if running is not None:
            running.replies.end(EOFError())
            await asyncio.shield(asyncio.to_thread(running.process.wait))

    async def _exchange(self, content: bytes, seconds: float) -> tuple[bool, bytes]:
        finished = False
        try:
            running = self._running or await self._start()
            reply = running.replies.expect()
            running.transport.write(TASK_HEADER.pack(len(content), seconds) + content)
            answer = await self._watched(running, reply, seconds)
            finished = True
        except (EOFError, OSError) as error:
            raise await self._explain_end(seconds) from error
        finally:
            if not finished:
                await self.stop()
        return answer

    async def _start(self) -> _Running:
        ours, theirs = socket.socketpair()
        with theirs:
            process = _spawn(theirs)
        try:
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            transport, replies = await loop.create_connection(lambda: _Replies(process), sock=ours)
        except BaseException:  # also where it is cancelled: nobody else knows of the process yet
            ours.close()
            kill_group(process)
            await asyncio.shield(asyncio.to_thread(process.wait))
            raise
        self._running = _Running(process=process, transport=transport, replies=replies)
        self._loaded = None
        await self._watched(self._running, replies.expect(), START_SECONDS)
        self._running.ready = True
        return self._running

    async def _watched(
        self, running: _Running, reply: "asyncio.Future[tuple[bool, bytes]]", seconds: float
    ) -> tuple[bool, bytes]:
        """Wait for a reply, and look after the process meanwhile."""
        running.deadline = asyncio.get_running_loop().time() + seconds + GRACE_SECONDS
        self._look_again(WATCH_SECONDS)
        try:
            return await reply
        finally:
            running.deadline = None
            self._look_again(IDLE_WATCH_SECONDS)

    def _look_again(self, seconds: float) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        if self._running is not None:
            self._watcher = asyncio.get_running_loop().call_later(seconds, self._watch)

    def _watch(self) -> None:
        """End the process when it is late, too large or not alone, else look again soon."""
        running, now = self._running, asyncio.get_running_loop().time()
        if running is None or running.replies.lost:
            return
        running.late = running.deadline is not None and now > running.deadline
        running.multiplied = running.ready and bool(list_descendants(running.process.pid))
        with contextlib.suppress(psutil.Error):
            resident = psutil.Process(running.process.pid).memory_info().rss
            running.outgrown = resident > self._max_memory_bytes
        if running.late or running.outgrown or running.multiplied:
            running.replies.end(EOFError())
        else:
            self._look_again(IDLE_WATCH_SECONDS if running.deadline is None else WATCH_SECONDS)

    async def _explain_end(self, seconds: float) -> PolicyLimitError:
        """Say why the process was ended, or ended by itself."""
        running = self._running
        await self.stop()
        if running is not None and running.outgrown:
            megabytes = self._max_memory_bytes // 2**20
            return PolicyLimitError(f"the policy takes more than {megabytes} MiB of memory")
        if running is not None and running.multiplied:
            return PolicyLimitError("the process that evaluates the policy started others")
        code = None if running is None else running.process.returncode
        if code == -signal.SIGALRM or (running is not None and running.late):
            return PolicySlowError(f"the policy takes longer than {seconds:g} seconds")
        return PolicyLimitError(f"the process that evaluates the policy broke off ({code})")


def _spawn(connection: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _START, str(_ROOT)],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
    )

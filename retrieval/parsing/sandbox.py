# SPDX-License-Identifier: Apache-2.0
"""Reads files in a process of their own, so that no file can take the server down.

The process gets no environment, no working folder, no terminal and no network; it is killed with
its group when it takes too long, and replaced. One process reads many files, one after another,
since starting it costs more than reading a page.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from retrieval.parsing.confinement import CPU_BUDGET_FACTOR
from retrieval.parsing.documents import ParsedFile
from retrieval.parsing.errors import (
    ParserCrashedError,
    ParserTimeoutError,
    ParsingError,
    error_for,
)
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.protocol import LENGTH, Reply, Request, frame

MAX_FILES = 2_000  # then the process is replaced, with whatever it may have kept
START_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[2]
# Isolated mode has no path to this package, so it is handed in.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from retrieval.parsing.__main__ import main; main()"
)


class ParserProcess:
    """A parser process, started at need; an async context manager that ends it.

    Reads one file at a time; those who call at once take turns.
    """

    def __init__(self, limits: ParserLimits | None = None) -> None:
        self.limits = limits or ParserLimits()
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._n_files = 0

    async def __aenter__(self) -> Self:
        """Return the process; it starts with the first file."""
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
        return None if self._process is None else self._process.pid

    async def parse(self, content: bytes, *, name: str) -> ParsedFile:
        """Return the documents of a file, and what was left out of it.

        Raises:
            ParsingError: nothing could be read; its class and `reason` say why.
        """
        self.limits.check_file_size(len(content))
        async with self._turn:
            reply = await self._ask(content, name)
        if reply.parsed is not None:
            return reply.parsed
        if reply.reason is None:
            raise ParserCrashedError
        raise error_for(reply.reason)(reply.message)

    async def stop(self) -> None:
        """End the process and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    async def _ask(self, content: bytes, name: str) -> Reply:
        answered = False
        try:
            process = await self._ensure_process()
            async with asyncio.timeout(self.limits.wall_seconds):
                reply = await self._exchange(process, content, name)
            answered = True
        except TimeoutError as error:
            raise ParserTimeoutError(
                f"reading takes more than {self.limits.wall_seconds:g} seconds: split or simplify"
                " the file"
            ) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._explain_end() from error
        finally:
            if not answered:
                await self.stop()
        self._n_files += 1
        worn = reply.cpu_seconds > self.limits.cpu_seconds * CPU_BUDGET_FACTOR / 2
        if worn or reply.exhausted or self._n_files >= MAX_FILES:
            await self.stop()
        return reply

    async def _ensure_process(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.stop()
        self._n_files = 0
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _START,
            str(_ROOT),
            msgspec.json.encode(self.limits).decode(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )
        return self._process

    async def _exchange(
        self, process: asyncio.subprocess.Process, content: bytes, name: str
    ) -> Reply:
        if process.stdin is None or process.stdout is None:
            raise ParserCrashedError
        process.stdin.write(frame(Request(name=name, n_bytes=len(content))))
        process.stdin.write(content)
        await process.stdin.drain()
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        if length > self.limits.max_reply_bytes:
            raise ParserCrashedError("the parser's answer is too large: split the file")
        encoded = await process.stdout.readexactly(length)
        try:
            return msgspec.json.decode(encoded, type=Reply)
        except msgspec.MsgspecError as error:
            raise ParserCrashedError from error

    async def _explain_end(self) -> ParsingError:
        """Say why the process is gone."""
        process = self._process
        if process is None:
            return ParserCrashedError()
        try:
            async with asyncio.timeout(START_SECONDS):
                code = await process.wait()
        except TimeoutError:
            return ParserCrashedError()
        if code == -signal.SIGXCPU:
            return ParserTimeoutError(
                f"reading takes more than {self.limits.cpu_seconds} seconds of processor time:"
                " split or simplify the file"
            )
        return ParserCrashedError(
            f"the program that reads files broke off (exit code {code}): save the file in another"
            " format, or leave it out"
        )

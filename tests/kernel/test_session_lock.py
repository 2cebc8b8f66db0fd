# SPDX-License-Identifier: Apache-2.0
"""A session's lock keeps others out, and never outlives who holds it."""

import asyncio
import logging

import psycopg
import pytest

from kernel.database import open_pool
from kernel.session_lock import try_session_lock

NAME = "test"


class Canceller:
    """Cancels the task that talks to the database, before or after its nth statement is answered.

    A cancellation is heard at the next thing that is waited for.
    """

    def __init__(self, monkeypatch):
        self.n_left, self.after = None, False
        for name in ("execute", "commit"):
            original = getattr(psycopg.AsyncConnection, name)
            monkeypatch.setattr(psycopg.AsyncConnection, name, self._wrap(original))

    def _wrap(self, original):
        async def call(*arguments, **named):
            is_due = self.n_left == 1
            self.n_left = self.n_left and self.n_left - 1
            if is_due and not self.after:
                asyncio.current_task().cancel()
            answer = await original(*arguments, **named)
            if is_due and self.after:
                asyncio.current_task().cancel()
            return answer

        return call


async def run_once(pool):
    async with try_session_lock(pool, NAME) as is_mine:
        await asyncio.sleep(0)
        assert is_mine


async def test_one_at_a_time(dsn, caplog):
    async with open_pool(dsn, min_size=3, max_size=3) as pool:
        async with try_session_lock(pool, NAME) as mine:
            async with try_session_lock(pool, NAME) as also_mine:
                assert (mine, also_mine) == (True, False)
            async with try_session_lock(pool, "other") as other:
                assert other
        with pytest.raises(ZeroDivisionError):
            async with try_session_lock(pool, NAME):
                raise ZeroDivisionError
        async with try_session_lock(pool, NAME) as again:
            assert again
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_cancelled_anywhere_it_lets_the_next_one_in(dsn, monkeypatch):
    canceller = Canceller(monkeypatch)
    n_cancelled = 0
    async with open_pool(dsn, max_size=2) as pool:
        for n_statements in range(1, 12):
            for after in (False, True):
                canceller.n_left, canceller.after = n_statements, after
                task = asyncio.create_task(run_once(pool))
                await asyncio.gather(task, return_exceptions=True)
                n_cancelled += task.cancelled()
                canceller.n_left = None
                # On a connection of its own: who had it would get it again.
                async with asyncio.timeout(10), open_pool(dsn, max_size=1) as other:
                    await run_once(other)
    assert n_cancelled > 4


async def test_cancelled_on_its_way_out_it_lets_the_next_one_in(dsn, monkeypatch):
    canceller = Canceller(monkeypatch)
    async with open_pool(dsn, max_size=2) as pool:
        for after in (False, True):
            for n_statements in (1, 2):

                async def leave_cancelled(left, is_after):
                    async with try_session_lock(pool, NAME):
                        canceller.n_left, canceller.after = left, is_after

                task = asyncio.create_task(leave_cancelled(n_statements, after))
                await asyncio.gather(task, return_exceptions=True)
                canceller.n_left = None
                async with asyncio.timeout(10), open_pool(dsn, max_size=1) as other:
                    await run_once(other)

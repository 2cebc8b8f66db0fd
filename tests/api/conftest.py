# SPDX-License-Identifier: Apache-2.0
"""`served`: the product's own HTTP servers on loopback, once a module, on a database of its own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from kernel.settings import CLAMD_OFF
from tests.stack.copies import open_copy
from tests.stack.served import Served, find_free_port, serve


class ShiftedClock:
    """The system's clock, moved on by a test that will not wait for hours."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    prepared, prepared_postgres, champions, embedder, tmp_path_factory
) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    values = {"port": find_free_port(), "device_port": find_free_port(), "clamd": CLAMD_OFF}
    async with (
        open_copy(
            prepared, prepared_postgres, champions, embedder, folder, clock=ShiftedClock(), **values
        ) as services,
        serve(services, folder) as opened,
    ):
        yield opened

# SPDX-License-Identifier: Apache-2.0
"""`desk`: the portal, running, on a prepared database of the test's own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.portal.desk import Desk, open_desk


@pytest.fixture
async def desk(services: Any) -> AsyncIterator[Desk]:
    """The portal on loopback."""
    async with open_desk(services) as opened:
        yield opened

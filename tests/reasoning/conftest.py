# SPDX-License-Identifier: Apache-2.0
"""`advised`: the product with a language model's server on loopback."""

from collections.abc import Iterator

import pytest

from tests.reasoning.model_server import TIMEOUT_SECONDS, ModelServer, start_server


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    started = start_server()
    with started.process:
        yield started
        started.process.kill()


@pytest.fixture
async def advised(open_prepared, server):
    """The product with the server as its language model."""
    async with open_prepared(
        language_model_url=f"{server.url}/v1",
        language_model_name="test",
        language_model_key="key",
        language_model_timeout_seconds=TIMEOUT_SECONDS,
    ) as opened:
        yield opened

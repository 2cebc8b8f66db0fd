# SPDX-License-Identifier: Apache-2.0
"""Opens the adviser of a process: a language model on the server that the operator named, or none.

No more than masked text goes there, and to nobody else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from pydantic import SecretStr

from api.bounded_transport import BoundedTransport
from kernel.settings import Settings
from reasoning.advice import Adviser
from reasoning.advice_support import SupportJudge
from reasoning.language_model import LanguageModelAdviser
from retrieval.embedding import Embedder


@asynccontextmanager
async def open_adviser(settings: Settings, embedder: Embedder) -> AsyncIterator[Adviser | None]:
    """Yield the language model's adviser, None where none is configured.

    Its client follows no redirect, so that masked text goes to the configured server alone, and
    reads no more of an answer than an answer may have.
    """
    if settings.language_model_url is None:
        yield None
        return
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - optional dependency

    timeout_seconds = settings.language_model_timeout_seconds
    client_seconds = 2 * timeout_seconds  # the adviser's ends it: the client would try again
    # Its own client: langchain-openai would share one with event loops that are gone.
    async with httpx.AsyncClient(
        timeout=client_seconds,
        transport=BoundedTransport(),
        follow_redirects=False,
        trust_env=False,  # a proxy of the environment would be another reader
    ) as client:
        model = ChatOpenAI(
            base_url=settings.language_model_url,
            model=settings.language_model_name or "default",
            api_key=settings.language_model_key or SecretStr("none"),
            http_async_client=client,
            timeout=client_seconds,
            max_retries=1,  # a kept connection may have died meanwhile
            temperature=0,
        )
        yield LanguageModelAdviser(
            model,
            SupportJudge(embedder),
            timeout_seconds=timeout_seconds,
            version=settings.language_model_name or "default",
            address=settings.language_model_url,
        )

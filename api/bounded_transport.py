# SPDX-License-Identifier: Apache-2.0
"""An HTTP transport that reads no more of an answer than is wanted.

A server that sends without end would otherwise fill the memory before a time-out ends it.
"""

from collections.abc import AsyncIterator

import httpx

from reasoning.language_model import AnswerTooLargeError

MAX_ANSWER_BYTES = 256 * 1024


class BoundedTransport(httpx.AsyncBaseTransport):
    """Forwards requests; an answer's body ends with an error once it is larger than allowed.

    Counted as sent, and compressed answers are not asked for, so none can unfold beyond it.
    """

    def __init__(self, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer with a bounded body.

        Raises:
            AnswerTooLargeError: while the body is read, when it is too large or encoded.
        """
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise AnswerTooLargeError("an encoded answer was not asked for")
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError(f"{type(stream).__name__} is no asynchronous stream")
        response.stream = _BoundedStream(stream, self._max_bytes)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        n_read = 0
        async for part in self._inner:
            n_read += len(part)
            if n_read > self._max_bytes:
                raise AnswerTooLargeError(f"an answer of more than {self._max_bytes} bytes")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()

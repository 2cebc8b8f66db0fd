# SPDX-License-Identifier: Apache-2.0
"""MLflow's own server behind ours: started when somebody looks, ended when nobody does any more.

It listens on a socket in a folder of this process's own, which nobody else may enter, and knows no
accounts: who may see what is decided before a request comes here. What it may be asked is decided
here: to read. Aliases, runs and models change through the gate alone.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from api.ground import Ground
from kernel.errors import KernelError
from kernel.logs import get_logger
from kernel.outbox import pause

IDLE_SECONDS = 600.0
START_SECONDS = 90.0
ANSWER_SECONDS = 60.0
_LOOK_SECONDS = 5.0
_API = r"(?:ajax-api|api)/\d\.\d/mlflow/"
_READ = re.compile(
    r"|static-files/.+|version|health|get-artifact|model-versions/get-artifact|server-info"
    rf"|{_API}(?!gateway|assistant|jobs?/)[a-z0-9/_.:~-]+",
    re.IGNORECASE,
)
_ASK = re.compile(  # what asks by POST; a name that begins with "get" may write all the same
    rf"{_API}(?:[a-z0-9-]+/)*(?:search|search-datasets|get-latest-versions|get-history-bulk-interval)",
    re.IGNORECASE,
)
_logger = get_logger(__name__)


class MlflowUnavailableError(KernelError):
    """MLflow's own server does not start; see the server's log."""

    def __str__(self) -> str:
        """Return the docstring's words."""
        return "MLflow's own server does not answer; see the log of this server, and try again"


class MlflowPages:
    """Starts, asks and ends MLflow's own server."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._client: httpx.AsyncClient | None = None
        self._folder: Path | None = None
        self._used_at = 0.0

    async def open_client(self) -> httpx.AsyncClient:
        """Return a client of the running server; starts it if need be, which takes seconds.

        Raises:
            MlflowUnavailableError: it does not start.
        """
        self._used_at = time.monotonic()
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                await self._end()
                await self._start()
            if self._client is None:
                raise MlflowUnavailableError
            return self._client

    async def run(self, stop: asyncio.Event) -> None:
        """End the server after a while without use, and when `stop` is set."""
        try:
            while not stop.is_set():
                await pause(stop, _LOOK_SECONDS)
                if time.monotonic() - self._used_at > IDLE_SECONDS:
                    async with self._starting:
                        await self._end()
        finally:
            await self._end()

    async def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="eucora-mlflow-"))  # mode 0700
        socket = self._folder / "socket"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.mlflow_child",
            stdin=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[1],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        told = {
            "tracking_uri": self._ground.addresses.tracking,
            "artifacts_uri": self._ground.settings.mlruns_dir.resolve().as_uri(),
            "socket": str(socket),
        }
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            await self._process.stdin.drain()
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://localhost",
            timeout=ANSWER_SECONDS,
        )
        if not await self._answers():
            await self._end()
            raise MlflowUnavailableError
        _logger.info("MLflow's pages are open", action="mlflow.start", decision="run")

    async def _answers(self) -> bool:
        """Wait until the server answers; False where it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.returncode is not None:
                return False
            with suppress(httpx.TransportError):
                if self._client is not None:
                    await self._client.get("/models/mlflow/health")
                    return True
            await asyncio.sleep(0.2)
        return False

    async def _end(self) -> None:
        process, client, folder = self._process, self._client, self._folder
        self._process = self._client = self._folder = None
        if client is not None:
            await client.aclose()
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5.0)
            if process.returncode is None:
                process.kill()
                await process.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def may_ask(method: str, path: str, query: Mapping[str, object] | None) -> bool:
    """Tell whether a request only reads.

    Args:
        method: of HTTP.
        path: below MLflow's prefix, without a leading slash.
        query: the body, where it is one of GraphQL.
    """
    if ".." in path or "%" in path or "//" in path:  # encoded again it would be another path
        return False
    if method in {"GET", "HEAD"}:
        return _READ.fullmatch(path) is not None
    if method != "POST":
        return False
    if path == "graphql":
        return query is not None and _only_queries(query)
    return _ASK.fullmatch(path) is not None


def _only_queries(body: Mapping[str, object]) -> bool:
    """Tell whether a GraphQL document holds queries alone."""
    from graphql import (  # noqa: PLC0415 - slow import, MLflow's own
        GraphQLError,
        OperationDefinitionNode,
        OperationType,
        parse,
    )

    try:
        document = parse(str(body.get("query", "")))
    except (GraphQLError, RecursionError):
        return False
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return bool(operations) and all(one.operation is OperationType.QUERY for one in operations)

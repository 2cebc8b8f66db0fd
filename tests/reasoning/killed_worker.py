# SPDX-License-Identifier: Apache-2.0
"""A worker process that kills itself with SIGKILL at a chosen point of the road.

Run as a program. It imports and loads all that is slow, then forks once for each line on standard
input: a kill point, as `before:NODE`, `after:NODE`, `written:NODE` (its writes are stored, the
checkpoint is not), `within:seal` (all written, not committed) or `after:end` (reasoned, message not
yet marked done). Each child is composed by `api.bootstrap`, as
the worker is, and handles one outbox message. Answers each line with the child's exit status.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # threads would not survive the fork
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from argon2 import PasswordHasher
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

import api.accounts
import reasoning.closing_steps
import reasoning.graph
from api.bootstrap import load_models, open_services
from api.ground import DatabaseAddresses, open_ground
from api.worker import list_handlers
from guardrails.masking import Masker
from kernel.logs import configure_logging
from kernel.outbox import OutboxWorker
from kernel.settings import Settings
from retrieval.embedding_export import MODEL_FILE, ensure_exported, find_model
from retrieval.embedding_onnx import OnnxEmbedder
from tests.stack.prepared import find_exported

_N_CHECKPOINTS_BEFORE = 2  # those of the input and of the start


def die() -> None:
    """Die as by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str) -> None:
    """Make the road deadly at one point."""
    when, node = point.split(":")
    if point == "within:seal":
        reasoning.closing_steps.seal_state = _dying_after(reasoning.closing_steps.seal_state)
    elif when == "written":
        _die_when_written(node)
    elif node != "end":
        steps = dict(reasoning.graph.STEPS)
        steps[node] = (_dying_before if when == "before" else _dying_after)(steps[node])
        reasoning.graph.STEPS = steps


def _die_when_written(node: str) -> None:
    store, store_writes = AsyncPostgresSaver.aput, AsyncPostgresSaver.aput_writes
    written = asyncio.Event()
    left = count(_N_CHECKPOINTS_BEFORE + list(reasoning.graph.STEPS).index(node), -1)

    async def note(
        self: AsyncPostgresSaver, config: Any, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        await store_writes(self, config, writes, task_id, task_path)
        if node in task_path:
            written.set()

    async def dying(self: AsyncPostgresSaver, *arguments: Any, **named: Any) -> Any:
        if next(left) == 0:
            await written.wait()
            die()
        return await store(self, *arguments, **named)

    AsyncPostgresSaver.aput, AsyncPostgresSaver.aput_writes = dying, note


def _dying_before(step: Callable[..., Any]) -> Callable[..., Any]:
    async def dying(*arguments: Any, **named: Any) -> Any:
        die()
        return await step(*arguments, **named)

    return dying


def _dying_after(step: Callable[..., Any]) -> Callable[..., Any]:
    async def dying(*arguments: Any, **named: Any) -> Any:
        answer = await step(*arguments, **named)
        die()
        return answer

    return dying


async def work(configuration: dict[str, Any], loaded: Any, embedder: Any, point: str) -> None:
    """Handle one message, on the way to death."""
    settings = Settings(
        data_dir=Path(configuration["data_dir"]), mlruns_dir=Path(configuration["mlruns_dir"])
    )
    addresses = DatabaseAddresses(**configuration["addresses"])
    async with (
        open_ground(settings, addresses) as ground,
        open_services(ground, loaded=loaded, embedder=embedder) as services,
    ):
        handlers = dict(list_handlers(services))
        if point == "after:end":
            handlers["incident.opened"] = _dying_after(handlers["incident.opened"])
        await OutboxWorker(ground.pool, ground.clock, handlers).run_once()


async def load(configuration: dict[str, Any]) -> Any:
    """Load the champions from MLflow."""
    settings = Settings(
        data_dir=Path(configuration["data_dir"]), mlruns_dir=Path(configuration["mlruns_dir"])
    )
    async with open_ground(settings, DatabaseAddresses(**configuration["addresses"])) as ground:
        return load_models(ground)


def main() -> None:
    """Load, then fork for each line."""
    configure_logging("worker", "warning", sys.stderr)  # standard output is for the answers
    configuration = json.loads(sys.stdin.readline())
    # Each child opens the accounts, which hash a password; nobody logs in here.
    api.accounts.PasswordHasher = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    loaded = asyncio.run(load(configuration))
    folder = find_exported()
    embedder = OnnxEmbedder(
        find_model(folder) / MODEL_FILE, revision=ensure_exported(folder).revision, n_threads=1
    )
    Masker().warm_up()
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            arm(line.strip())
            asyncio.run(work(configuration, loaded, embedder, line.strip()))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()

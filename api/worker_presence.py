# SPDX-License-Identifier: Apache-2.0
"""Which workers are alive, as their database sessions show: nothing is written for it.

A worker names its sessions and uses one several times a minute (it sequences the log), so that a
session of that name which did something lately is a process that lives and goes on.
"""

import os
import socket
from typing import Final

from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "worker_presence")
PREFIX: Final = "eucora-worker:"
SILENT_SECONDS: Final = 60.0  # without a sign of life for so long, a worker does not count
MAX_NAME_BYTES: Final = 63  # PostgreSQL cuts longer names
MAX_NUMBER_BYTES: Final = 12  # of a process, with the colon before it
NONE_AT_WORK: Final = (
    "none at work: reports are stored, but nothing is judged, proposed, dispatched or entered in"
    " the log; one that is starting takes a moment, else start `eucora worker`, or see its log"
)


def name_sessions() -> str:
    """Return what this process, a worker, calls its database sessions."""
    host = socket.gethostname()[: MAX_NAME_BYTES - len(PREFIX) - MAX_NUMBER_BYTES]
    return f"{PREFIX}{host}:{os.getpid()}".encode("ascii", "replace").decode()


async def count_workers(connection: Connection) -> int:
    """Return how many workers have used this database within `SILENT_SECONDS`."""
    cursor = await connection.execute(
        QUERIES["count_workers"], {"prefix": PREFIX, "seconds": SILENT_SECONDS}
    )
    row = await cursor.fetchone()
    return int(row["n_workers"]) if row else 0


def describe_workers(n_workers: int) -> str:
    """Return the number in words, and what it means where it is none."""
    return f"{n_workers} at work" if n_workers else NONE_AT_WORK

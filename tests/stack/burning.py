# SPDX-License-Identifier: Apache-2.0
"""One burning core at a time: two would take both cores of a small machine from all that watch."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack.prepared import RUNTIME


@contextmanager
def burning_alone() -> Iterator[None]:
    """Wait until no other test of this clone burns a core, and keep the place."""
    RUNTIME.mkdir(exist_ok=True)
    with (RUNTIME / "burning.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

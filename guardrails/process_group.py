# SPDX-License-Identifier: Apache-2.0
"""A process that leads a group of its own, and its end: it and whatever it started, at once.

What leaves the group before it is seen is not reached. A process that may start none, by
RLIMIT_NPROC, has nobody to leave it; only root is not held by that limit.
"""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path


def list_descendants(pid: int) -> list[int]:
    """Return the ids of all that a process has started and that still run; none outside Linux."""
    found: list[int] = []
    for threads in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, threads.read_text(encoding="ascii").split()):
                found += [child, *list_descendants(child)]
    return found


def kill_group(leader: "subprocess.Popen[bytes]") -> None:
    """Kill a process that was started with a session of its own, its group and descendants.

    To be called before somebody waits for the process: until then its number is no other's.
    """
    others = list_descendants(leader.pid)
    # PermissionError: one that changed its user, by a setuid program, is not ours to signal, and
    # macOS says it of a group that has only zombies. The rest must be killed all the same.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)
    for pid in others:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)

# SPDX-License-Identifier: Apache-2.0
"""Takes from the parser process what it does not need: memory, files, processes, the network.

The limits that the kernel always enforces are set or the process does not start; the system call
filter is set where the machine is known (x86-64 and 64-bit ARM Linux). What the filter refuses
fails with EPERM. Times are checked by the parent as well.

Sources: setrlimit(2), prctl(2), seccomp(2) and linux/bpf_common.h.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable
from typing import Any

from retrieval.parsing.limits import ParserLimits

MAX_OPEN_FILES = 32
CPU_BUDGET_FACTOR = 20  # files at their limit that one process may read in its life
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE_WITH_EPERM, _KILL_PROCESS = 0x7FFF0000, 0x00050001, 0x80000000
_X32_CALLS = 0x40000000  # a second set of numbers under x86-64's architecture
# By machine: the audit architecture, and, of those that it has, the numbers of socket, connect,
# bind, socketpair, ptrace, execve, execveat, fork, vfork, clone, clone3, process_vm_readv,
# process_vm_writev, io_uring_setup.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 53, 101, 59, 322, 57, 58, 56, 435, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 199, 117, 221, 281, 220, 435, 270, 271, 425)),
}


def confine(limits: ParserLimits) -> None:
    """Confine this process for good.

    Raises:
        OSError: the kernel refuses a limit or the filter.
    """
    for kind, bound in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        _lower(kind, bound)
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds * CPU_BUDGET_FACTOR)
    if sys.platform == "linux":
        _filter_calls()


def allow_cpu_seconds(seconds: int) -> None:
    """Let this process use so many more seconds of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (min(soft, hard), hard))


def _lower(kind: int, bound: int) -> None:
    _, hard = resource.getrlimit(kind)
    bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    resource.setrlimit(kind, (bound, bound))


def _filter_calls() -> None:
    library = ctypes.CDLL(None, use_errno=True)

    def control(*arguments: Any) -> None:
        if library.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not confine this process")

    control(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    control(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    known = _CALLS.get(os.uname().machine)
    if known is None:
        return
    program = b"".join(_write_filter(*known))
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    described = Program(len(program) // 8, ctypes.addressof(code))
    control(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(described), 0, 0)


def _write_filter(architecture: int, refused: Iterable[int]) -> Iterable[bytes]:
    """Yield instructions: kill another architecture or set, refuse the calls, allow the rest."""
    calls = tuple(refused)
    yield _instruction(_LOAD, 4)
    yield _instruction(_JUMP_IF_EQUAL, architecture, if_true=1)
    yield _instruction(_RETURN, _KILL_PROCESS)
    yield _instruction(_LOAD, 0)
    yield _instruction(_JUMP_IF_ANY_BIT, _X32_CALLS, if_false=1)
    yield _instruction(_RETURN, _KILL_PROCESS)
    for position, call in enumerate(calls):
        yield _instruction(_JUMP_IF_EQUAL, call, if_true=len(calls) - position)
    yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_RETURN, _REFUSE_WITH_EPERM)


def _instruction(code: int, operand: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)

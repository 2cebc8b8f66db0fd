# SPDX-License-Identifier: Apache-2.0
"""The process that evaluates policies: reads a task, answers it, and is ended by its own alarm.

It has one socket, no environment, no key, no connection, and starts and opens nothing. A task has
so many seconds: then the kernel's alarm ends the process even in the middle of the library's C++,
and even when the parent is gone. Its memory is watched by the parent, because regopy's allocator
reserves 256 GiB of addresses and does not start under a limit of setrlimit(2) on them.
"""

import contextlib
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from guardrails.errors import PolicyError, PolicyLoadError, PolicySlowError
from guardrails.policy import TIME_LIMIT_SECONDS, PolicyEngine
from guardrails.policy_cases import read_cases, run_cases
from guardrails.policy_difference import compare_policies
from guardrails.policy_explanation import explain
from guardrails.policy_exploration import explore
from guardrails.policy_mutation import list_mutants, read_excuses, run_mutants
from guardrails.policy_protocol import (
    REPLY_HEADER,
    TASK_HEADER,
    CasesReport,
    Check,
    Compare,
    Decide,
    DecideAll,
    Explain,
    Load,
    MutantsReport,
    Task,
    TryCases,
    TryMutants,
)
from guardrails.policy_source import PolicySource

MAX_OPEN_FILES: Final = 32
_ENDED_FIRST: Final = "1000"  # by a kernel that is out of memory


class Answers:
    """Answers tasks, one after another; keeps the version that was loaded last."""

    def __init__(self) -> None:
        self._engine: PolicyEngine | None = None

    def answer(self, task: Task) -> Any:
        """Return the answer of a task.

        Raises:
            PolicyLoadError: a version does not load, or is not what its cases say.
        """
        match task:
            case Decide():
                return self._require().evaluate(msgspec.json.decode(task.question))
            case DecideAll():
                return [self._require().decide(question) for question in task.questions]
            case Load():
                self._engine = PolicyEngine(task.source)
                return self._engine.policy_digest
            case Check() | TryCases() | TryMutants():
                return _TRIALS[type(task)](task.source)
            case Compare():
                return compare_policies(PolicyEngine(task.before), PolicyEngine(task.after))
            case Explain():
                return explain(PolicyEngine(task.source), task.question)

    def _require(self) -> PolicyEngine:
        if self._engine is None:
            raise PolicyLoadError("no policy was loaded")
        return self._engine


def check_version(source: PolicySource, *, time_limit_seconds: float = TIME_LIMIT_SECONDS) -> int:
    """Return how many cases a version has, all of which it decides as they say.

    Raises:
        PolicySlowError: a case took longer than the limit.
        PolicyLoadError: it does not load, has no cases, or decides one otherwise.
    """
    report = try_cases(source, time_limit_seconds=time_limit_seconds)
    if not report.n_cases:
        raise PolicyLoadError("a policy comes with cases, in cases/*.yaml of its folder")
    if report.failed:
        first = report.failed[0].case
        slow = [each.case for each in report.failed if each.decision.reasons == ("policy_slow",)]
        if slow:
            raise PolicySlowError(
                f"{len(slow)} of {report.n_cases} cases took longer than {time_limit_seconds:g} s"
                f" each, such as {slow[0].table}: {slow[0].name}; a decision that takes so long is"
                " denied: let its rules look at less"
            )
        raise PolicyLoadError(
            f"{len(report.failed)} of {report.n_cases} cases are decided otherwise than they say,"
            f" such as {first.table}: {first.name}; eucora policy test shows them"
        )
    return report.n_cases


def try_cases(
    source: PolicySource, *, time_limit_seconds: float = TIME_LIMIT_SECONDS
) -> CasesReport:
    """Decide a version's cases, and ask it typed questions; what exceeds the limit is denied.

    Raises:
        PolicyLoadError: it does not load, fails on a typed question, or its cases cannot be read.
    """
    engine = PolicyEngine(source, time_limit_seconds=time_limit_seconds)
    cases = read_cases(source)
    outcomes = run_cases(engine, cases)
    failed = tuple(outcome for outcome in outcomes if not outcome.passed)
    return CasesReport(n_cases=len(outcomes), failed=failed, warnings=explore(engine, cases))


def try_mutants(source: PolicySource) -> MutantsReport:
    """Look for changes of single rules that no case notices.

    Raises:
        PolicyLoadError: cases or excuses cannot be read.
    """
    excuses = read_excuses(source)
    outcomes = list(run_mutants(list_mutants(source), read_cases(source), excuses))
    wrong = [outcome for outcome in outcomes if not outcome.is_fine]
    return MutantsReport(
        n_mutants=len(outcomes),
        n_excused=sum(outcome.excuse is not None for outcome in outcomes),
        unnoticed=tuple(str(one.mutant) for one in wrong if one.killed_by is None),
        wrongly_excused=tuple(str(one.mutant) for one in wrong if one.killed_by is not None),
    )


_TRIALS: Final[dict[type, Callable[[PolicySource], Any]]] = {
    Check: check_version,
    TryCases: try_cases,
    TryMutants: try_mutants,
}


def confine() -> None:
    """Take from this process what it does not need."""
    with contextlib.suppress(OSError):  # another system, or no right to
        Path("/proc/self/oom_score_adj").write_text(_ENDED_FIRST, encoding="ascii")
    for kind, bound in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        resource.setrlimit(kind, (bound, bound))


def serve(connection: socket.socket) -> None:
    """Answer tasks until the other side hangs up."""
    answers = Answers()
    decoder: msgspec.json.Decoder[Task] = msgspec.json.Decoder(Task)
    encoder = msgspec.json.Encoder(enc_hook=str)
    while header := _read(connection, TASK_HEADER.size):
        size, seconds = TASK_HEADER.unpack(header)
        content = _read(connection, size)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            answered, reply = True, encoder.encode(answers.answer(decoder.decode(content)))
        except PolicyError as error:
            answered, reply = False, encoder.encode(str(error))
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.sendall(REPLY_HEADER.pack(len(reply), answered) + reply)


def _read(connection: socket.socket, size: int) -> bytes:
    """Return so many bytes; none where the other side has hung up."""
    pieces = bytearray()
    while len(pieces) < size:
        piece = connection.recv(size - len(pieces))
        if not piece:
            return b""
        pieces += piece
    return bytes(pieces)


def main() -> None:
    """Serve the socket that is standard input."""
    confine()
    connection = socket.socket(fileno=0)
    connection.sendall(REPLY_HEADER.pack(0, True))  # ready
    serve(connection)

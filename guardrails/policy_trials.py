# SPDX-License-Identifier: Apache-2.0
"""Tries policy versions that are not in force, each in a process of its own with bounds.

Checking, comparing, explaining and asking past questions compile and evaluate what one person
wrote and nobody has agreed to yet. What goes beyond its time or memory is refused, and what gets in
force has come through here.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from guardrails.policy_decision import PolicyDecision
from guardrails.policy_difference import PolicyDifference
from guardrails.policy_explanation import Explanation
from guardrails.policy_process import PolicyProcess
from guardrails.policy_protocol import (
    CasesReport,
    Check,
    Compare,
    DecideAll,
    Explain,
    MutantsReport,
    Task,
    TryCases,
    TryMutants,
)
from guardrails.policy_records import DryRun, RecordedDecision, compare_decisions
from guardrails.policy_source import PolicySource

TRIAL_SECONDS: Final = 30.0
MUTANTS_SECONDS: Final = 900.0  # each of hundreds is compiled
DRY_RUN_BATCH: Final = 500
MAX_AT_ONCE: Final = 2  # each may take the memory of a process; others wait
_Answer = TypeVar("_Answer")
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def check_version(source: PolicySource, *, seconds: float = TRIAL_SECONDS) -> int:
    """Return how many cases a version has, all of which it decides as they say.

    Raises:
        PolicyLoadError: it does not load, has no cases, or decides one otherwise.
        PolicyLimitError: it takes too much time or memory.
    """
    return await _try(Check(source=source), int, seconds)


async def try_cases(source: PolicySource, *, seconds: float = TRIAL_SECONDS) -> CasesReport:
    """Decide a version's cases.

    Raises:
        PolicyLoadError: it does not load, or its cases cannot be read.
        PolicyLimitError: it takes too much time or memory.
    """
    return await _try(TryCases(source=source), CasesReport, seconds)


async def try_mutants(source: PolicySource, *, seconds: float = MUTANTS_SECONDS) -> MutantsReport:
    """Look for changes of single rules that no case notices.

    Raises:
        PolicyLoadError: cases or excuses cannot be read.
        PolicyLimitError: it takes too much time or memory.
    """
    return await _try(TryMutants(source=source), MutantsReport, seconds)


async def compare_versions(
    before: PolicySource, after: PolicySource, *, seconds: float = TRIAL_SECONDS
) -> PolicyDifference:
    """Return how two versions differ.

    Raises:
        PolicyLoadError: one does not load.
        PolicyLimitError: one takes too much time or memory.
    """
    return await _try(Compare(before=before, after=after), PolicyDifference, seconds)


async def explain_answer(
    source: PolicySource, question: Mapping[str, Any], *, seconds: float = TRIAL_SECONDS
) -> Explanation:
    """Return what a version answers to a question, and why.

    Raises:
        PolicyLoadError: it does not load.
        PolicyLimitError: it takes too much time or memory.
    """
    return await _try(Explain(source=source, question=question), Explanation, seconds)


async def dry_run(
    source: PolicySource,
    decisions: Sequence[RecordedDecision],
    *,
    seconds: float = TRIAL_SECONDS,
) -> DryRun:
    """Ask a version past questions; `seconds` are for each 500 of them.

    Raises:
        PolicyLoadError: it does not load.
        PolicyLimitError: it takes too much time or memory.
    """
    answers: list[PolicyDecision] = []
    async with _open_process() as process:
        await process.load(source, seconds=seconds)
        for start in range(0, len(decisions), DRY_RUN_BATCH):
            asked = [one.question for one in decisions[start : start + DRY_RUN_BATCH]]
            task = DecideAll(questions=asked)
            answers += await process.ask_of(
                source, task, list[PolicyDecision], load_seconds=seconds, seconds=seconds
            )
    return compare_decisions(source.digest, decisions, answers)


async def _try(task: Task, answer: type[_Answer], seconds: float) -> _Answer:
    async with _open_process() as process:
        return await process.ask(task, answer, seconds=seconds)


@asynccontextmanager
async def _open_process() -> AsyncIterator[PolicyProcess]:
    loop = asyncio.get_running_loop()
    turn = _turns.setdefault(loop, asyncio.Semaphore(MAX_AT_ONCE))
    async with turn, PolicyProcess() as process:
        yield process

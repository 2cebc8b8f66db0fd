# SPDX-License-Identifier: Apache-2.0
"""Why a burning core is no fault here: what it got, what would be enough, and who has the rest.

On a busy machine the demonstration's process may get too little to be told from ordinary work.
The thresholds are the rules' own (`models.guards`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import psutil

from models.guards import (
    BURNING_PERCENT,
    BURNING_RULE,
    CONTENDED_PERCENT,
    CONTENDED_RULE,
    SATURATED_CPU_PERCENT,
)

MEASURED_SECONDS = 1.0
N_SHARES = 6  # reports, the last ones
N_NAMED = 4
LEAST_NAMED_PERCENT = 10.0
ENOUGH = (
    f"a process counts as a runaway with {BURNING_PERCENT:g} % of a core in {BURNING_RULE.reports}"
    f" reports in a row, or with {CONTENDED_PERCENT:g} % in {CONTENDED_RULE.reports} where all"
    f" cores together are {SATURATED_CPU_PERCENT:g} % busy and no other process gets more"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyProcess:
    """What a process is called, and its share of one core, in percent."""

    pid: int
    name: str
    percent: float


def gets_too_little(percent: float) -> bool:
    """Tell whether a share of a core, in percent, may not be enough to be a fault."""
    return percent < BURNING_PERCENT


def explain_contention(shares: Sequence[float], others: Sequence[BusyProcess]) -> str:
    """Return what a process got, what would have been enough, who competes, and what to do.

    Args:
        shares: of one core, in percent, one for each report, oldest first.
        others: the processes that use most beside it.

    """
    got = ", ".join(f"{share:.0f}" for share in shares[-N_SHARES:])
    sentences = [
        f"the demonstration's process got {got} % of a core in the agent's last reports" if got
        else "no report of the agent names the demonstration's process among the busiest",
        ENOUGH,
    ]  # fmt: skip
    if others:
        named = ", ".join(f"{one.name} {one.percent:.0f} % (pid {one.pid})" for one in others)
        sentences.append(f"beside it, the most of a core is used by {named}")
        sentences.append("wait until they have ended, or end what you can spare; then run it again")
    else:
        sentences.append("no other process uses much now: run it again")
    sentences.append("a fault that needs no core, as root: `eucora demo --fault disk`")
    return "; ".join(sentences)


async def find_busiest(except_for: str) -> list[BusyProcess]:
    """Measure for a second which processes use most of the processor, but for one name."""
    before = _read_times()
    await asyncio.sleep(MEASURED_SECONDS)
    after = _read_times()
    busy = [
        BusyProcess(pid=pid, name=name, percent=100 * (used - before[pid][1]) / MEASURED_SECONDS)
        for pid, (name, used) in after.items()
        if pid in before and name != except_for
    ]
    busy.sort(key=lambda one: one.percent, reverse=True)
    named = [one for one in busy[:N_NAMED] if one.percent >= LEAST_NAMED_PERCENT]
    return [replace(one, name=_name_ours(one)) for one in named]


def _name_ours(one: BusyProcess) -> str:
    """Return the name of a process; of a part of EUCORA, which part: it must not be ended."""
    with suppress(psutil.Error, OSError):
        words = psutil.Process(one.pid).cmdline()
        if "api.cli" in words[:-1]:
            return f"EUCORA's own {words[words.index('api.cli') + 1]}"
    return one.name


def _read_times() -> Mapping[int, tuple[str, float]]:
    """Return the name and the used seconds of all processes, by their number."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            times = process.cpu_times()
            found[process.pid] = (process.name(), times.user + times.system)
    return found

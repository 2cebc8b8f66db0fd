# SPDX-License-Identifier: Apache-2.0
"""`eucora demo`: makes this machine harmlessly sick and follows the incident to its end.

The local agent is told what to watch by a file in its `agent.d`, which goes with the fault.
Whatever ends the demonstration, the fault ends with it; after `kill -9` the next one clears up.
"""

import asyncio
import fcntl
import json
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from api.cli_ground import plain
from api.demonstration_contention import (
    ENOUGH,
    explain_contention,
    find_busiest,
    gets_too_little,
)
from api.demonstration_faults import (
    BurningCore,
    DemonstrationError,
    Fault,
    FaultKind,
    clear_leftovers,
    make_fault,
)
from api.ground import Ground
from api.running_server import NoAnswerError, find_server
from kernel.queries import load_queries
from kernel.settings import Settings
from models.guards import BURNING_RULE
from telemetry.incidents import IncidentStatus

Found = TypeVar("Found")
QUERIES = load_queries(__file__, "demonstration")
REPORTED_SECONDS = 120.0  # until the agent must have told of the fault
OPENED_SECONDS = 180.0  # from then, until an incident must have opened
ENDED = frozenset({IncidentStatus.RESOLVED, IncidentStatus.ESCALATED, IncidentStatus.CLOSED})
MEANING = {
    IncidentStatus.OPEN: "the reasoner looks for a fix",
    IncidentStatus.PROPOSED: "a fix is proposed: log in, read it, and approve or reject it",
    IncidentStatus.APPROVED: "approved; the signed job waits for the agent",
    IncidentStatus.REMEDIATING: "the agent has checked the job and runs the approved bytes",
    IncidentStatus.VERIFYING: "the script has ended; fresh telemetry decides whether it worked",
    IncidentStatus.RESOLVED: "telemetry newer than the fix verifies it",
    IncidentStatus.ESCALATED: "a person must go on; the incident's time line says why",
    IncidentStatus.CLOSED: "a person closed it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An incident and the last proposal for it, as the demonstration tells of them."""

    incident_id: str
    status: IncidentStatus
    title: str
    opened_at: datetime
    proposal_id: str | None
    script_id: str | None
    risk_score: float | None


class Demonstration:
    """One fault and the road of its incident."""

    def __init__(
        self, settings: Settings, *, kind: FaultKind, seconds: int, console: Console
    ) -> None:
        """State what to show, for how long at most; nothing happens yet."""
        self._folder = settings.data_dir.resolve()
        self._fault = make_fault(kind, self._folder, seconds)
        self._seconds = seconds
        self._console = console
        self._settings = settings
        self._url = ""  # `check_possible` finds it

    def check_possible(self) -> None:
        """Look whether it can be shown here and now, and touch nothing.

        Raises:
            DemonstrationError: it cannot; the message says what to do.

        """
        self._fault.check_possible()
        try:
            self._url = find_server(self._settings)
        except NoAnswerError as error:
            raise DemonstrationError(str(error)) from error
        if not (self._folder / "agent" / "identity.json").exists():
            raise DemonstrationError(
                f"this machine has no agent in {self._folder / 'agent'}: start `eucora up` first"
            )

    async def run(self, ground: Ground) -> IncidentStatus:
        """Make the fault, and tell each step of its incident until it ends.

        Returns:
            How the incident ended.

        Raises:
            DemonstrationError: another one runs, the fault cannot be made, or the incident did
                not open or end in time.

        """
        identity = json.loads((self._folder / "agent" / "identity.json").read_text())
        road = Road(ground, identity["device_id"], self._fault)
        deadline = time.monotonic() + self._seconds
        with cancelled_by_signals(), running_alone(self._folder):
            clear_leftovers(self._folder)
            with watching(self._folder / "agent", self._fault):
                try:
                    # Not in a thread: a cancelled demonstration must not clear up meanwhile.
                    self._fault.begin()
                    road.made_at = ground.clock.now()
                    self._say(f"[bold]fault[/bold]: {self._fault.story}")
                    await self._await_report(road, deadline)
                    status = await self._follow(road, deadline)
                finally:
                    self._fault.end()
                    self._say("cleaned up: nothing of the demonstration is left on this machine")
        return status

    async def _await_report(self, road: "Road", deadline: float) -> None:
        self._say("waiting for the agent's next report ...")
        value = await _poll(
            road.find_observation,
            min(deadline, time.monotonic() + REPORTED_SECONDS),
            f"the agent has not reported it; see {self._folder / 'logs' / 'agent.log'}",
        )
        self._say(f"[bold]telemetry[/bold]: {self._fault.metric} = {value:g}")
        if isinstance(self._fault, BurningCore) and gets_too_little(value):
            self._say(f"  that may be too little: {ENOUGH}")

    async def _follow(self, road: "Road", deadline: float) -> IncidentStatus:
        self._say("waiting for the models; a fault must last for a few reports ...")
        until = min(deadline, time.monotonic() + OPENED_SECONDS)
        try:
            case = await _poll(
                road.find_case, until, "the agent reported it, but no incident opened"
            )
        except DemonstrationError as error:
            raise DemonstrationError(f"{error}: {await self._explain_silence(road)}") from error
        self._say(f"[bold]incident[/bold]: {plain(case.title)}")
        self._say(f"  {self._url}/incidents/{case.incident_id}")
        if case.opened_at < road.began_at:
            self._say("  (still open from an earlier demonstration, which this one goes on with)")
        told: tuple[IncidentStatus | None, str | None] = (None, None)
        while True:
            if (case.status, case.proposal_id) != told:
                told = (case.status, case.proposal_id)
                self._tell(case)
            if case.status in ENDED:
                self._conclude(case)
                return case.status
            if time.monotonic() > deadline:
                raise DemonstrationError(
                    f"time is over ({self._seconds} s) and nobody has brought the incident to its"
                    " end; run it again, or give it more time with --seconds"
                )
            await asyncio.sleep(0.5)
            case = await road.find_case() or case

    async def _explain_silence(self, road: "Road") -> str:
        """Return why no incident may have opened, and what to do."""
        see = f"see {self._folder / 'logs' / 'worker.log'}"
        if not isinstance(self._fault, BurningCore):
            return see
        shares = await road.list_shares()
        if len(shares) >= BURNING_RULE.reports and not any(map(gets_too_little, shares)):
            return f"its share of a core was high enough in all reports; {see}"
        return explain_contention(shares, await find_busiest(self._fault.entity))

    def _tell(self, case: Case) -> None:
        self._say(f"[bold]{case.status.value}[/bold]: {MEANING[case.status]}")
        if case.status is IncidentStatus.PROPOSED and case.proposal_id:
            self._say(f"  {case.script_id}, risk {case.risk_score:.0f} of 100")
            self._say(f"  {self._url}/proposals/{case.proposal_id}")

    def _conclude(self, case: Case) -> None:
        with suppress(OSError):
            state = "still there" if self._fault.is_present() else "gone"
            self._say(f"looked at directly, without telemetry: the fault is {state}")
        if not case.proposal_id:
            return
        self._say("the signed case, checked without trusting this server:")
        self._say(f"  log in, open {self._url}/proposals/{case.proposal_id}")
        self._say(f"  and download the signed case, {case.proposal_id}.json; then")
        self._say("  eucora audit keys KEYS")
        self._say(
            f"  eucora verify {case.proposal_id}.json --evidence-key KEYS/evidence-key.pem"
            " --log-key KEYS/log-key.pem"
        )
        self._say("  docs/verify.md does the same with openssl and other public tools")

    def _say(self, line: str) -> None:
        # A wrapped address cannot be clicked, a wrapped command cannot be copied.
        self._console.print(line, highlight=False, soft_wrap=True)


class Road:
    """What the database says of one fault's incident."""

    def __init__(self, ground: Ground, device_id: str, fault: Fault) -> None:
        """State whose fault it is; set `made_at` when it has been made."""
        self.began_at = self.made_at = ground.clock.now()
        self._ground = ground
        self._metric = fault.metric
        self._names = {
            "device_id": device_id,
            "episode_key": f"{fault.failure_class.value}:{fault.entity}",
        }

    async def find_observation(self) -> float | None:
        """Return the newest value of the fault's metric, None before it was reported."""
        row = await self._find_row("find_observation", metric=self._metric, since=self.made_at)
        return None if row is None else float(row["value"])

    async def list_shares(self) -> list[float]:
        """Return what the fault's process got of a core, in percent, in each report."""
        values = {**self._names, "metric": self._metric, "since": self.made_at}
        async with self._ground.pool.connection() as connection:
            rows = await (await connection.execute(QUERIES["list_shares"], values)).fetchall()
        return [float(row["share"] or 0.0) for row in rows]

    async def find_case(self) -> Case | None:
        """Return the incident with the last proposal for it."""
        row = await self._find_row("find_case", since=self.began_at)
        return None if row is None else Case(**{**row, "status": IncidentStatus(row["status"])})

    async def _find_row(self, name: str, **values: object) -> dict[str, Any] | None:
        async with self._ground.pool.connection() as connection:
            cursor = await connection.execute(QUERIES[name], {**self._names, **values})
            return await cursor.fetchone()


async def _poll(
    find: Callable[[], Awaitable[Found | None]], deadline: float, complaint: str
) -> Found:
    while (found := await find()) is None:
        if time.monotonic() > deadline:
            raise DemonstrationError(complaint)
        await asyncio.sleep(0.5)
    return found


@contextmanager
def watching(agent_dir: Path, fault: Fault) -> Iterator[None]:
    """Let the local agent watch what a fault touches, for the duration of the block."""
    addition = agent_dir / "agent.d" / "demo.toml"
    addition.parent.mkdir(exist_ok=True)
    # A JSON array of strings is a TOML array of strings.
    addition.write_text(
        f"watched_mounts = {json.dumps(list(fault.watched_mounts))}\n"
        f"watched_services = {json.dumps(list(fault.watched_services))}\n"
    )
    try:
        yield
    finally:
        addition.unlink(missing_ok=True)


@contextmanager
def running_alone(folder: Path) -> Iterator[None]:
    """Hold the only demonstration's place; a killed one has given it up.

    Raises:
        DemonstrationError: another demonstration runs.

    """
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemonstrationError("another demonstration runs on this machine") from error
        yield


@contextmanager
def cancelled_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP cancel the running task, as SIGINT does, so that it clears up."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    numbers = (signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        if task is not None:
            loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)

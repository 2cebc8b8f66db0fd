# SPDX-License-Identifier: Apache-2.0
"""`eucora demo`: makes this machine harmlessly sick and follows the incident to its end.

The fault is a process of ours that burns one core and ends by itself; the fix is to stop it.
"""

import asyncio
import sys
import time
from datetime import datetime
from pathlib import Path

from rich.console import Console

from api.bootstrap import Ground
from api.errors import ApiError
from telemetry.incidents import Incident, IncidentStatus

BURNER = (
    "import sys,time\nend=time.monotonic()+float(sys.argv[1])\nwhile time.monotonic()<end: pass\n"
)
PYTHON = Path(sys.executable).resolve()
ENDED = frozenset({IncidentStatus.RESOLVED, IncidentStatus.ESCALATED, IncidentStatus.CLOSED})
ADVICE = {
    IncidentStatus.OPEN: "the reasoner is looking for a fix",
    IncidentStatus.PROPOSED: "a fix is proposed: read it in the portal's queue and approve it",
    IncidentStatus.APPROVED: "approved; the signed job waits for the agent",
    IncidentStatus.REMEDIATING: "the agent runs exactly the approved bytes",
    IncidentStatus.VERIFYING: "done; fresh telemetry decides whether it worked",
    IncidentStatus.RESOLVED: "verified: the fault is gone",
    IncidentStatus.ESCALATED: "a person must look: see the incident's time line",
    IncidentStatus.CLOSED: "closed",
}


class DemonstrationError(ApiError):
    """The demonstration cannot run."""


async def run_demonstration(ground: Ground, *, fault: str, seconds: int, console: Console) -> None:
    """Make the fault, then tell each step of its incident until it ends.

    Raises:
        DemonstrationError: the fault is unknown, or no incident opened in time.
    """
    if fault != "cpu":
        raise DemonstrationError(f"there is no fault {fault!r}; try: cpu")
    program = ground.settings.data_dir / "demo-burner"
    if not program.exists():
        program.symlink_to(PYTHON)
    process = await asyncio.create_subprocess_exec(str(program), "-S", "-c", BURNER, str(seconds))
    base = f"http://{ground.settings.host}:{ground.settings.port}"
    console.print(f"process {process.pid} (demo-burner) now burns a core for {seconds} s at most")
    console.print("the agent reports it, three reports in a row open an incident ...")
    try:
        await _follow(ground, console, base, time.monotonic() + seconds)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _follow(ground: Ground, console: Console, base: str, deadline: float) -> None:
    started = ground.clock.now()
    told: IncidentStatus | None = None
    while time.monotonic() < deadline:
        incident = await _find(ground, started)
        if incident is not None and incident.status is not told:
            told = incident.status
            console.print(f"[bold]{told.value}[/bold]: {ADVICE[told]}")
            console.print(f"  {base}/incidents/{incident.incident_id}", highlight=False)
            if told in ENDED:
                return
        await asyncio.sleep(1)
    raise DemonstrationError("time is over; is `eucora up` running?")


async def _find(ground: Ground, started: datetime) -> Incident | None:
    async with ground.pool.connection() as connection:
        for incident in await ground.incidents.list(connection, limit=20):
            if "demo-burner" in incident.episode_key and incident.opened_at >= started:
                return incident
    return None

# SPDX-License-Identifier: Apache-2.0
"""How fast and how heavy the whole road is: `python -m benchmarks.road [--json OUT]`.

One scratch installation, through its public ways in: start cold and warm; memory; the agent at
rest; a report until it is stored and scored; a ticket until its proposal is sealed.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec
import numpy as np

from api.ground import Ground
from benchmarks.figures import Figure
from benchmarks.scratch import ScratchInstallation, await_row
from telemetry.fleet_simulator import FleetSimulator, describe_plain_fleet

N_DEVICES = 20
N_REPORTS = 200
N_TICKETS = 40
REST_SECONDS = 60
MEBIBYTE = 1024**2
# Symptoms in the words of people; none is taken from the knowledge base.
COMPLAINTS = (
    ("Disk is full", "I cannot save anything any more, it says there is no space left."),
    ("Laptop very slow", "One program seems to use the whole processor, the fan never stops."),
    ("No printing", "My print jobs stay in the queue and nothing comes out of the printer."),
    ("Websites do not open", "Names cannot be resolved, but my colleague's machine is fine."),
    ("Mail program hangs", "The mail client freezes each time I open a message with pictures."),
    ("Clock is wrong", "The clock is ten minutes behind and logging on fails because of it."),
    ("No sound in calls", "In meetings nobody hears me and the audio crackles."),
    ("Updates fail", "System updates stop half way with an error, every day again."),
)
SCORED = """
SELECT extract(epoch FROM done_at - created_at) AS seconds FROM outbox
WHERE correlation_id = %(correlation_id)s AND topic = 'telemetry.stored' AND done_at IS NOT NULL
"""
QUIET = """
SELECT 1 AS quiet
WHERE NOT EXISTS (SELECT FROM outbox WHERE done_at IS NULL AND available_at < now())
"""
SEALED = "SELECT status FROM proposals WHERE incident_id = %(incident_id)s"


def measure_road(folder: Path) -> list[Figure]:
    """Return the figures of one scratch installation in `folder`."""
    installation = ScratchInstallation(folder)
    try:
        cold = installation.start()
        installation.stop()
        warm = installation.start()
        figures = [
            Figure(name="start, cold: empty folder to ready page", value=cold, unit="s"),
            Figure(name="start, warm", value=warm, unit="s", aim="<= 15"),
        ]
        installation.command("simulate", "--devices", str(N_DEVICES), "--hours", "1")
        token = installation.command(
            "account", "service-token", "benchmark",
            "--scope", "telemetry", "--scope", "incidents",
        )  # fmt: skip
        figures += asyncio.run(_measure_ways_in(installation, token))
        figures += _measure_processes(installation)
    finally:
        stopped = installation.stop()
    return [*figures, Figure(name="stop: Ctrl-C to the end", value=stopped, unit="s")]


async def _measure_ways_in(installation: ScratchInstallation, token: str) -> list[Figure]:
    headers = {"authorization": f"Bearer {token}"}
    async with (
        installation.open_ground() as ground,
        httpx.AsyncClient(base_url=installation.url, headers=headers, timeout=60) as client,
    ):
        await _await_quiet(ground)
        stored, scored = await _time_reports(client, ground)
        sealed = await _time_tickets(client, ground)
    return [
        *_quantiles("report to stored (2xx)", stored),
        *_quantiles("report to stored and scored", scored),
        *_quantiles("ticket to sealed proposal", sealed, aim_p95="<= 1000"),
    ]


async def _await_quiet(ground: Ground) -> None:
    """Wait until the simulated history has been worked off."""
    await await_row(ground, QUIET)


async def _time_reports(
    client: httpx.AsyncClient, ground: Ground
) -> tuple[list[float], list[float]]:
    """Send reports of healthy devices one by one; return seconds to the answer and to the score."""
    fleet = FleetSimulator(
        describe_plain_fleet(
            seed=1, n_devices=N_DEVICES, start=ground.clock.now(), interval_seconds=1.0
        )
    )
    reports = [report for report, _ in fleet.reports(N_REPORTS // N_DEVICES)]
    stored, scored = [], []
    for report in reports:
        started = time.perf_counter()
        answer = await client.post(
            "/v1/telemetry",
            content=msgspec.json.encode(report),
            headers={"content-type": "application/json"},
        )
        stored.append(time.perf_counter() - started)
        answer.raise_for_status()
        await await_row(ground, SCORED, correlation_id=answer.headers["x-correlation-id"])
        scored.append(time.perf_counter() - started)
    return stored, scored


async def _time_tickets(client: httpx.AsyncClient, ground: Ground) -> list[float]:
    """Open tickets one by one; return the seconds from sending one to its sealed proposal."""
    async with ground.pool.connection() as connection:
        rows = await (
            await connection.execute("SELECT device_id FROM devices ORDER BY simulated DESC")
        ).fetchall()
    devices = [row["device_id"] for row in rows][:N_DEVICES]
    seconds = []
    for number in range(N_TICKETS):
        title, description = COMPLAINTS[number % len(COMPLAINTS)]
        body = {
            "title": title,
            "description": description,
            "device_id": devices[number % len(devices)],
        }
        started = time.perf_counter()
        answer = await client.post("/v1/incidents", json=body)
        answer.raise_for_status()
        await await_row(ground, SEALED, incident_id=answer.json()["incident_id"])
        if answer.json()["created"]:
            seconds.append(time.perf_counter() - started)
    return seconds


def _measure_processes(installation: ScratchInstallation) -> list[Figure]:
    figures = []
    for role in ("up", "serve", "worker"):
        resident = installation.find_process(role).memory_info().rss / MEBIBYTE
        figures.append(Figure(name=f"resident memory: {role}", value=resident, unit="MiB"))
    agent = installation.find_process("agent")
    before = sum(agent.cpu_times()[:2])
    time.sleep(REST_SECONDS)
    idle = 100 * (sum(agent.cpu_times()[:2]) - before) / REST_SECONDS
    resident = agent.memory_info().rss / MEBIBYTE
    return [
        *figures,
        Figure(name="resident memory: agent", value=resident, unit="MiB", aim="<= 57.2 (60 MB)"),
        Figure(name="agent at rest, a report each 10 s", value=idle, unit="% CPU", aim="<= 0.5"),
    ]


def _quantiles(name: str, seconds: Sequence[float], aim_p95: str = "") -> list[Figure]:
    p50, p95 = np.quantile(np.array(seconds) * 1000, (0.5, 0.95))
    return [
        Figure(name=f"{name}, p50 of {len(seconds)}", value=float(p50), unit="ms"),
        Figure(name=f"{name}, p95", value=float(p95), unit="ms", aim=aim_p95),
    ]

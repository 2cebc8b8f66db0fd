# SPDX-License-Identifier: Apache-2.0
"""A worker killed with SIGKILL at any node: the next one ends the road, with no second effect."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reasoning.graph import STEPS, proposal_id_for
from tests.reasoning.situations import enrol, find_outcome, open_ticket, query, work

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
POINTS = [
    *(f"{when}:{node}" for node in STEPS for when in ("before", "after")),
    *(f"written:{node}" for node in ("mask", "choose", "seal")),
    "within:seal",
    "after:end",
]
N_CHECKPOINTS = 2 + len(STEPS)  # the input, the start and one after each node


@asynccontextmanager
async def deadly_worker(services):
    """The program `killed_worker`, ready for kill points."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.reasoning.killed_worker",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    addresses = services.ground.addresses
    configuration = {
        "data_dir": str(services.ground.settings.data_dir),
        "mlruns_dir": str(services.ground.settings.mlruns_dir),
        "addresses": {name: getattr(addresses, name) for name in addresses.__slots__},
    }
    try:
        assert await ask(process, json.dumps(configuration)) == "ready"
        yield process
    finally:
        process.kill()
        await process.wait()


async def ask(process, line: str) -> str:
    """Write a line to the program and return the line it answers."""
    process.stdin.write(f"{line}\n".encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        return (await process.stdout.readline()).decode().strip()


async def resume(services) -> None:
    """Work as the next worker does, once the database has noticed the death of the first."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await query(services, "SELECT 1 FROM outbox WHERE done_at IS NULL"):
            await work(services)


async def count_checkpoints(services, proposal_id: str) -> int:
    (row,) = await query(
        services,
        "SELECT count(*) AS n FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = ''",
        proposal_id,
    )
    return row["n"]


async def assert_one_effect(services, incident_id: str, proposal_id: str) -> None:
    """One proposal, one bundle, one transition and one set of audit events."""
    proposals = await query(
        services, "SELECT proposal_id, status FROM proposals WHERE incident_id = %s", incident_id
    )
    assert proposals == [{"proposal_id": proposal_id, "status": "pending"}]
    bundles = await query(
        services, "SELECT kind FROM evidence_bundles WHERE proposal_id = %s", proposal_id
    )
    assert bundles == [{"kind": "proposal"}]
    steps = await query(
        services,
        "SELECT from_status, to_status FROM incident_transitions WHERE incident_id = %s"
        " AND to_status <> 'open'",
        incident_id,
    )
    assert steps == [{"from_status": "open", "to_status": "proposed"}]
    events = await query(
        services,
        "SELECT action FROM audit_events WHERE subject_id IN (%s, %s)",
        incident_id,
        proposal_id,
    )
    assert sorted(event["action"] for event in events) == [
        "incident.opened",
        "incident.proposed",
        "proposal.created",
        "proposal.sealed",
    ]
    await find_outcome(services, proposal_id)  # the bundle is readable and sound


@pytest.mark.timeout(600)  # nineteen deaths and resurrections
async def test_killed_at_any_node_the_road_ends_once(services):
    async with deadly_worker(services) as process:
        for number, point in enumerate(POINTS):
            device_id = f"dev-{number}"
            await enrol(services, device_id)
            incident_id = await open_ticket(
                services,
                "Disk full",
                f"No space left on device, case {number}",
                device_id=device_id,
            )
            (message,) = await query(
                services,
                "SELECT message_id FROM outbox WHERE payload->>'incident_id' = %s",
                incident_id,
            )
            proposal_id = proposal_id_for(incident_id, f"message:{message['message_id']}")
            assert await ask(process, point) == "-9", point
            sealed = await query(
                services, "SELECT 1 FROM proposals WHERE proposal_id = %s", proposal_id
            )
            assert bool(sealed) == (point in {"after:seal", "written:seal", "after:end"}), point
            node = point.partition(":")[2]
            done = len(STEPS) if node == "end" else list(STEPS).index(node)
            assert await count_checkpoints(services, proposal_id) == 2 + done, point
            await resume(services)
            await assert_one_effect(services, incident_id, proposal_id)
            # Each node was checkpointed once: what was done before the kill was not done again.
            assert await count_checkpoints(services, proposal_id) == N_CHECKPOINTS, point

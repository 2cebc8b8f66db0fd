# SPDX-License-Identifier: Apache-2.0
"""Devices that fall sick and people who complain, on the real product up to its sealed proposal.

Reports go in as the device API takes them, tickets as the ticket API does, and what follows is
carried by the worker's own handlers.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.worker import list_handlers
from evidence.bundles import OpenedBundle
from governance.proposals import Proposal, find_proposal
from kernel.outbox import OutboxWorker
from reasoning.graph import proposal_id_for
from reasoning.intake import Ticket
from telemetry.devices import register_device
from telemetry.ingestion import decode_reports

FULL_DISK = {"disks": [{"mount": "/var", "total_bytes": 1e11, "used_percent": 97.0}]}
MAX_MESSAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A proposal with its bundle."""

    proposal: Proposal
    bundle: OpenedBundle

    @property
    def case(self) -> dict[str, Any]:
        """The sealed case file."""
        return json.loads(self.bundle.files["case.json"])


async def enrol(services: Any, device_id: str, os_family: str = "linux", **changes: Any) -> None:
    """Register a device."""
    ground = services.ground
    async with ground.pool.connection() as connection:
        await register_device(
            connection,
            audit=ground.audit,
            actor="user:ada",
            correlation_id="cor_enrol",
            device_id=device_id,
            hostname=f"{device_id}-host",
            os_family=os_family,
            enrolled_at=ground.clock.now(),
            **changes,
        )


async def report(
    services: Any,
    device_id: str,
    *,
    ago_seconds: float = 0.0,
    os_family: str = "linux",
    **sections: Any,
) -> None:
    """Send one report of a device."""
    moment = services.ground.clock.now() - timedelta(seconds=ago_seconds)
    software = {"os_family": os_family, **sections.pop("software", {})}
    document = {
        "report_id": f"rep-{device_id}-{moment.timestamp():.0f}",
        "device_id": device_id,
        "timestamp": moment.isoformat(),
        "hardware": {},
        "software": software,
        "network": {},
        "agent": {"version": "1.0"},
        **sections,
    }
    summary = await services.ingestion.ingest(
        decode_reports(json.dumps(document).encode()),
        submitted_by=f"device:{device_id}",
        device_id=device_id,
        correlation_id=f"cor_{device_id}",
    )
    assert len(summary.accepted) == 1, summary


async def open_ticket(
    services: Any, title: str, description: str, *, device_id: str | None, reporter: str = "hanna"
) -> str:
    """Send a ticket and return its incident's id."""
    ticket = Ticket(
        title=title,
        description=description,
        device_id=device_id,
        user_id=None,
        reported_by=reporter,
    )
    understood = await services.intake.understand(ticket)
    async with services.ground.pool.connection() as connection:
        incident, _ = await services.intake.store(
            connection, understood, correlation_id=f"cor_{device_id}"
        )
    return str(incident.incident_id)


async def work(services: Any) -> None:
    """Handle every message that is due, as the worker does."""
    ground = services.ground
    worker = OutboxWorker(ground.pool, ground.clock, list_handlers(services))
    async with ground.pool.connection() as connection:
        while await ground.log.sequence_pending(connection):
            await connection.commit()
    for _ in range(MAX_MESSAGES):
        if not await worker.run_once():
            break
    failed = await query(
        services, "SELECT topic, last_error FROM outbox WHERE last_error IS NOT NULL"
    )
    assert failed == [], failed


async def query(services: Any, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    async with services.ground.pool.connection() as connection:
        return await (await connection.execute(statement, arguments)).fetchall()


async def find_outcome(services: Any, proposal_id: str) -> Outcome:
    """Return a proposal with its bundle, read back and checked against our key."""
    async with services.ground.pool.connection() as connection:
        proposal = await find_proposal(connection, proposal_id)
        assert proposal is not None
        assert proposal.bundle_digest is not None
        bundle = await services.ground.sealer.open(connection, proposal.bundle_digest)
    return Outcome(proposal=proposal, bundle=bundle)


async def only_outcome(services: Any, device_id: str) -> Outcome:
    """Return the outcome of the one incident of a device."""
    (row,) = await query(
        services,
        "SELECT proposal_id FROM proposals JOIN incidents USING (incident_id) WHERE device_id = %s",
        device_id,
    )
    return await find_outcome(services, row["proposal_id"])


async def reason_about(services: Any, incident_id: str, cause: str = "test") -> Outcome:
    """Bring an incident to its proposal directly, as the worker's handler does."""
    proposal_id = proposal_id_for(incident_id, cause)
    await services.reasoner.propose(
        proposal_id=proposal_id,
        incident_id=incident_id,
        requested_by="hanna",
        correlation_id="cor_reason",
    )
    return await find_outcome(services, proposal_id)

# SPDX-License-Identifier: Apache-2.0
"""Jobs that people approved, for real devices, on the product's own services and servers."""

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from api.accounts import Role
from api.script_catalogue import ScriptCatalogue
from contracts.canonical import canonical_json, sha256_hex
from contracts.dsse import parse_envelope, seal
from contracts.job import JOB_PAYLOAD_TYPE
from governance.proposals import Proposal, ProposalStatus, insert_proposal
from governance.script_versions import content_digest
from telemetry.incidents import IncidentSignal, IncidentStatus
from tests.governance.catalogue_rows import put_in_catalogue
from tests.stack.portal import Portal
from tests.stack.served import Served

PASSWORD = "long enough for a test"
AUTHOR = "author-of-scripts"
MANIFEST: dict[str, Any] = {
    "id": "linux-note-a-run",
    "version": "1.0.0",
    "title": "Notes that it ran",
    "description": "Adds a line to a file.",
    "author": AUTHOR,
    "platforms": ["linux"],
    "failure_classes": ["disk_full"],
    "interpreter": "bash",
    "privilege": "user",
    "blast_radius": "application",
    "reversible": False,
    "timeout_seconds": 60,
    "expected_effect": {
        "within_seconds": 600,
        "all": [{"metric": "cpu_percent", "operator": "<", "value": 100}],
    },
}
STEPS = {"remediate": b'#!/usr/bin/env bash\necho ran >>"$EUCORA_PARAM_FILE"\n'}
SHA256 = content_digest(MANIFEST, STEPS)
RISK: dict[str, Any] = {"score": 20.0, "factors": []}
ANALYSIS = {"judgeable": True, "severity": "low", "effects": []}


@dataclass
class ApprovedJobs:
    """Brings cases to where something can be refused."""

    served: Served
    n_cases: int = 0

    async def prepare(self) -> None:
        """Add the script to the catalogue, and people."""
        ground = self.served.services.ground
        async with ground.pool.connection() as connection:
            await put_in_catalogue(
                connection, MANIFEST, STEPS, sealer=ground.sealer,
                decisions=ScriptCatalogue(ground).decisions, now=ground.clock.now(),
                analysis=ANALYSIS,
            )  # fmt: skip
            for name in ("grace", "rita", AUTHOR):
                await ground.accounts.create(
                    connection,
                    username=name,
                    password=PASSWORD,
                    roles=frozenset({Role.APPROVER}),
                    actor="user:ada",
                    correlation_id="cor_people",
                )

    async def propose(
        self, device_id: str, effect: Path, *, requested_by: str = "service:reasoning"
    ) -> str:
        """Open an incident and seal a proposal for it; return the proposal's id."""
        ground = self.served.services.ground
        self.n_cases += 1
        async with ground.pool.connection() as connection:
            incident, _ = await ground.incidents.open_or_merge(
                connection, self._signal(device_id, requested_by)
            )
            await ground.incidents.transition(
                connection,
                incident.incident_id,
                IncidentStatus.PROPOSED,
                actor="service:reasoning",
                reason="test",
            )
            proposal_id = ground.ids.new("prp")
            case = {
                "proposal_id": proposal_id,
                "script": {
                    "script_id": MANIFEST["id"],
                    "version": MANIFEST["version"],
                    "sha256": SHA256,
                    "interpreter": "bash",
                },
                "parameters": {"file": str(effect)},
                "target_device_id": device_id,
                "requested_by": requested_by,
                "risk": RISK,
            }
            sealed = await ground.sealer.seal_proposal(
                connection,
                proposal_id=proposal_id,
                case=case,
                script_files={f"{step}.sh": content for step, content in STEPS.items()},
                actor="service:reasoning",
                correlation_id="cor_case",
            )
            now = ground.clock.now()
            proposal = Proposal(
                proposal_id=proposal_id,
                incident_id=incident.incident_id,
                status=ProposalStatus.PENDING,
                diagnosis="disk_full",
                confidence=0.9,
                requested_by=requested_by,
                correlation_id="cor_case",
                created_at=now,
                expires_at=now + timedelta(hours=24),
                script_id=MANIFEST["id"],
                script_version=MANIFEST["version"],
                script_sha256=SHA256,
                parameters=case["parameters"],
                target_device_id=device_id,
                risk_score=RISK["score"],
                risk_factors=RISK,
                bundle_digest=sealed.digest,
            )
            await insert_proposal(connection, proposal)
        return proposal_id

    def _signal(self, device_id: str, reported_by: str) -> IncidentSignal:
        return IncidentSignal(
            device_id=device_id,
            user_id=None,
            source="ticket",
            failure_class="disk_full",
            confidence=0.9,
            severity="S2",
            title="Disk full",
            description="The disk is full",
            episode_key=f"refusal:{self.n_cases}",
            detection={},
            reported_by=reported_by,
            correlation_id="cor_case",
        )

    async def decide(self, proposal_id: str, username: str = "grace") -> httpx.Response:
        """Approve as a person does, in the portal; also where its page offers no button."""
        (row,) = await self.served.query(
            "SELECT bundle_digest FROM proposals WHERE proposal_id = %s", proposal_id
        )
        page = f"/proposals/{proposal_id}"

        def act() -> httpx.Response:
            with Portal(self.served.url) as portal:
                portal.log_in(username, PASSWORD)
                return portal.submit(
                    page, f"{page}/approve", bundle_digest=row["bundle_digest"], reason="right"
                )

        return await asyncio.to_thread(act)

    async def queue(self, device_id: str, effect: Path) -> str:
        """Approve a proposal and make its job; return the job's id."""
        proposal_id = await self.propose(device_id, effect)
        answer = await self.decide(proposal_id)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text[:2000]
        services = self.served.services
        async with services.ground.pool.connection() as connection:
            while await services.ground.log.sequence_pending(connection):
                pass
        async with services.ground.pool.connection() as connection:
            job_id = await services.jobs.create(connection, proposal_id)
        assert job_id is not None
        return str(job_id)

    async def envelope(self, job_id: str) -> bytes:
        """Return the signed job as it would be handed out."""
        (row,) = await self.served.query("SELECT envelope FROM jobs WHERE job_id = %s", job_id)
        return bytes(row["envelope"])

    async def replace(self, job_id: str, envelope: bytes) -> None:
        """Hand out another envelope instead, as somebody who owns the database could."""
        async with self.served.services.ground.pool.connection() as connection:
            await connection.execute(
                "UPDATE jobs SET envelope = %s WHERE job_id = %s", (envelope, job_id)
            )

    def sign_again(self, envelope: bytes, **changes: Any) -> bytes:
        """Return the job with changed fields, signed with the server's own key.

        This is the strongest attacker there is; one without the key cannot even do that.
        """
        payload = json.loads(parse_envelope(envelope).payload) | changes
        key = self.served.services.ground.key_store.job_key()
        return seal(
            payload_type=JOB_PAYLOAD_TYPE,
            payload=canonical_json(payload),
            key_id="job",
            sign=key.sign,
        )

    def steps_with_another_byte(self, envelope: bytes) -> dict[str, Any]:
        """Return a job's steps, one byte of the script changed, its digest as approved."""
        steps = json.loads(parse_envelope(envelope).payload)["steps"]
        content = STEPS["remediate"].replace(b"ran", b"Ran")
        steps["remediate"]["content_base64"] = base64.b64encode(content).decode()
        return dict(steps)

    def steps_of_another_script(self, envelope: bytes) -> dict[str, Any]:
        """Return a job's steps with other bytes under their right digest."""
        steps = self.steps_with_another_byte(envelope)
        content = base64.b64decode(steps["remediate"]["content_base64"])
        steps["remediate"]["sha256"] = sha256_hex(content)
        return steps

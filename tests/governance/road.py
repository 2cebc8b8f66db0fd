# SPDX-License-Identifier: Apache-2.0
"""A road up to a sealed proposal, on a real database with the real policy, sealer and log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dispatch.incident_moves import IncidentMoves
from dispatch.jobs import Jobs
from dispatch.verification import Verification
from evidence.log import MerkleLog
from evidence.objects import open_objects
from evidence.sealing import Sealer
from governance.approvals import Approvals
from governance.decision_checks import ApprovalRequest
from governance.freeze_windows import FreezeWindows
from governance.proposals import Proposal, ProposalStatus, find_proposal, insert_proposal
from governance.risk_exceptions import RiskExceptions
from governance.script_decisions import ScriptDecisions
from guardrails.policy import PolicyEngine
from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from retrieval.catalogue import Catalogue
from telemetry.incidents import Incidents, IncidentSignal, IncidentStatus
from tests.governance.catalogue_rows import put_in_catalogue

MANIFEST: dict[str, Any] = {
    "id": "linux-clear-cache",
    "version": "1.0.0",
    "title": "Clear",
    "author": "eucora-starter",
    "platforms": ["linux"],
    "interpreter": "bash",
    "failure_classes": ["disk_full"],
    "privilege": "user",
    "blast_radius": "application",
    "reversible": True,
    "timeout_seconds": 60,
    "expected_effect": {
        "within_seconds": 600,
        "all": [{"metric": "disk_used_percent:{mount}", "operator": "<", "value": 85}],
    },
}
ANALYSIS = {"judgeable": True, "severity": "low", "effects": ["deletes_files"]}
STEPS = {
    step: f"#!/usr/bin/env bash\nset -euo pipefail\necho {step}\n".encode()
    for step in ("detect", "remediate", "verify", "rollback")
}
PARAMETERS = {"mount": "/var", "keep_days": 7}
DEVICE = "dev_1"


def signal(device_id: str, **changes: Any) -> IncidentSignal:
    """A full disk that hanna reports."""
    values: dict[str, Any] = {
        "device_id": device_id,
        "user_id": None,
        "source": "ticket",
        "failure_class": "disk_full",
        "confidence": 0.9,
        "severity": "S2",
        "title": "Disk full",
        "description": "The disk is full",
        "episode_key": "disk_full",
        "detection": {},
        "reported_by": "hanna",
        "correlation_id": "cor_1",
    }
    return IncidentSignal(**values | changes)


@dataclass
class Replacements:
    """Keeps to the port: a new pending proposal of the person's choice, sealed."""

    road: "Road"

    async def propose_replacement(
        self, connection, *, parent, script_id, script_version, parameters, requested_by
    ) -> str:
        return await self.road.propose(
            connection,
            incident_id=parent.incident_id,
            parameters=parameters,
            requested_by=requested_by,
            parent_proposal_id=parent.proposal_id,
        )


class ShippedPolicy:
    """Keeps to the port: the shipped policies, without looking which are in force."""

    def __init__(self) -> None:
        self._engine = PolicyEngine()

    def take(self, source):
        """Put other policies in force."""
        self._engine = PolicyEngine(source)

    async def decide(self, _connection, question):
        return self._engine.decide(question)

    preview = decide


@dataclass
class Road:
    """Everything wired as the bootstrap does it."""

    pool: Any
    clock: Any
    ids: Any
    key_store: Any
    directory: Any
    jobs: Any = field(init=False)

    def __post_init__(self) -> None:
        self.audit = AuditIntake(self.clock, self.ids)
        self.outbox = Outbox(self.clock)
        self.incidents = Incidents(self.clock, self.ids, self.audit, self.outbox)
        self.sealer = Sealer(
            self.clock, self.ids, self.audit, self.key_store, open_objects(self.directory)
        )
        self.log = MerkleLog(self.key_store, self.clock)
        self.policy = ShippedPolicy()
        common = (self.clock, self.ids, self.audit)
        self.freezes = FreezeWindows(*common)
        self.exceptions = RiskExceptions(*common, pool=self.pool)
        self.decisions = ScriptDecisions(
            *common,
            sealer=self.sealer,
            catalogue=Catalogue(clock=self.clock, audit=self.audit),
            pool=self.pool,
            session_lifetime=timedelta(hours=8),
        )
        self.approvals = Approvals(
            *common,
            self.outbox,
            sealer=self.sealer,
            policy=self.policy,
            incidents=IncidentMoves(self.incidents),
            replacements=Replacements(self),
            pool=self.pool,
        )
        self.jobs = Jobs(
            *common,
            self.outbox,
            job_key=self.key_store.job_key(),
            log=self.log,
            sealer=self.sealer,
            policy=self.policy,
            incidents=self.incidents,
        )
        self.verification = Verification(
            *common,
            self.outbox,
            sealer=self.sealer,
            incidents=self.incidents,
            jobs=self.jobs,
        )

    async def begin(
        self,
        *,
        device_id: str = DEVICE,
        risk_score: float = 20.0,
        signs: Sequence[Mapping[str, str]] = (),
        **script: Any,
    ) -> str:
        """Register a device and a script, open an incident, seal a proposal; return its id."""
        async with self.pool.connection() as connection:
            await self._insert_device(connection, device_id)
            await self._insert_script(connection, **script)
            incident_id = await self.open_incident(connection, device_id=device_id)
            return await self.propose(
                connection, incident_id=incident_id, risk_score=risk_score, signs=signs
            )

    async def open_incident(self, connection: Any, **changes: Any) -> str:
        """Open an incident that waits for a decision; return its id."""
        incident, _ = await self.incidents.open_or_merge(
            connection, signal(**{"device_id": DEVICE, **changes})
        )
        await self.incidents.transition(
            connection,
            incident.incident_id,
            IncidentStatus.PROPOSED,
            actor="service:reasoning",
            reason="test",
        )
        return incident.incident_id

    async def report(self, **changes: Any) -> bool:
        """Report the same once more; tell whether that opened an incident."""
        async with self.pool.connection() as connection:
            _, opened = await self.incidents.open_or_merge(connection, signal(DEVICE, **changes))
            return opened

    async def propose(
        self, connection: Any, *, signs: Sequence[Mapping[str, str]] = (), **changes: Any
    ) -> str:
        row = await (
            await connection.execute("SELECT manifest, content_sha256 FROM scripts")
        ).fetchone()
        values: dict[str, Any] = {
            "proposal_id": self.ids.new("prp"),
            "status": ProposalStatus.PENDING,
            "diagnosis": "disk_full",
            "confidence": 0.9,
            "requested_by": "system:reasoner",
            "correlation_id": "cor_1",
            "created_at": self.clock.now(),
            "expires_at": self.clock.now() + timedelta(hours=24),
            "script_id": MANIFEST["id"],
            "script_version": MANIFEST["version"],
            "script_sha256": row["content_sha256"],
            "parameters": PARAMETERS,
            "target_device_id": DEVICE,
            "risk_score": 20.0,
            **changes,
        }
        values.setdefault("risk_factors", {"score": values["risk_score"], "factors": {}})
        sealed = await self.sealer.seal_proposal(
            connection,
            proposal_id=values["proposal_id"],
            case={
                "proposal_id": values["proposal_id"],
                "script": {
                    "script_id": values["script_id"],
                    "version": values["script_version"],
                    "sha256": values["script_sha256"],
                    "interpreter": "bash",
                },
                "parameters": values["parameters"],
                "target_device_id": values["target_device_id"],
                "requested_by": values["requested_by"],
                "risk": values["risk_factors"],
                "signs": list(signs),
            },
            script_files={f"{step}.sh": content for step, content in STEPS.items()},
            actor="service:reasoning",
            correlation_id="cor_1",
        )
        await insert_proposal(connection, Proposal(**values, bundle_digest=sealed.digest))
        return values["proposal_id"]

    async def find(self, proposal_id: str) -> Proposal:
        async with self.pool.connection() as connection:
            proposal = await find_proposal(connection, proposal_id)
            assert proposal is not None
            return proposal

    async def request(self, proposal_id: str, approver: str = "grace", **changes: Any):
        proposal = await self.find(proposal_id)
        return ApprovalRequest(
            **{
                "proposal_id": proposal_id,
                "bundle_digest": proposal.bundle_digest,
                "approver": approver,
                "roles": frozenset({"approver"}),
                "session_authenticated_at": self.clock.now(),
                "correlation_id": "cor_1",
                "reason": "looks right",
                **changes,
            }
        )

    async def approve(self, proposal_id: str, approver: str = "grace", **changes: Any):
        request = await self.request(proposal_id, approver, **changes)
        async with self.pool.connection() as connection:
            return await self.approvals.approve(connection, request)

    async def sequence(self) -> None:
        async with self.pool.connection() as connection:
            await self.log.sequence_pending(connection)

    async def create_job(self, proposal_id: str, kind: Any = "remediate") -> str | None:
        await self.sequence()
        async with self.pool.connection() as connection:
            return await self.jobs.create(connection, proposal_id, kind)

    async def query(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement, arguments)
            return await cursor.fetchall() if cursor.description else []

    async def actions(self) -> list[str]:
        rows = await self.query("SELECT action FROM audit_events ORDER BY position")
        return [row["action"] for row in rows]

    async def move_incident(self, proposal_id: str, status: str) -> None:
        """Move the incident on, as a person or the end of its episode does."""
        incident_id = (await self.find(proposal_id)).incident_id
        async with self.pool.connection() as connection:
            await self.incidents.transition(
                connection, incident_id, IncidentStatus(status), actor="hanna", reason="test"
            )

    async def incident_status(self, proposal_id: str) -> str:
        (row,) = await self.query(
            "SELECT i.status FROM incidents i JOIN proposals p USING (incident_id)"
            " WHERE p.proposal_id = %s",
            proposal_id,
        )
        return row["status"]

    async def _insert_device(self, connection: Any, device_id: str) -> None:
        await connection.execute(
            "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
            " VALUES (%s, 'h', 'linux', %s) ON CONFLICT DO NOTHING",
            (device_id, self.clock.now()),
        )

    async def _insert_script(self, connection: Any, **changes: Any) -> None:
        await put_in_catalogue(
            connection, {**MANIFEST, **changes}, STEPS, sealer=self.sealer,
            decisions=self.decisions, now=self.clock.now(), analysis=ANALYSIS,
        )  # fmt: skip

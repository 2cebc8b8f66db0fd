# SPDX-License-Identifier: Apache-2.0
"""`office`: what seals, logs and exports a whole case on a real database."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidence.export import export_case
from evidence.log import MerkleLog
from evidence.objects import Objects, open_objects
from evidence.sealing import SealedBundle, Sealer
from evidence.signing import public_pem
from evidence.verification import TrustedKeys
from kernel.audit import AuditIntake
from kernel.keys import KeyStore

SCRIPTS = {
    "detect.sh": b"#!/usr/bin/env bash\nset -euo pipefail\nexit 0\n",
    "remediate.sh": b"#!/usr/bin/env bash\nset -euo pipefail\necho cleaned\n",
}
CASE: dict[str, Any] = {
    "incident": {"title": "Disk of <HOST_1> is full", "failure_class": "disk_full"},
    "script": {"id": "linux-clear-cache", "version": "1.0.0"},
    "parameters": {"mount": "/var"},
    "confidence": 0.91,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The parts that seal, log and export."""

    sealer: Sealer
    log: MerkleLog
    objects: Objects
    key_store: KeyStore
    connection: Any
    directory: Path

    async def propose(self, proposal_id: str = "prp_1", **changes: Any) -> SealedBundle:
        arguments = {"case": CASE, "script_files": SCRIPTS, **changes}
        return await self.sealer.seal_proposal(
            self.connection,
            proposal_id=proposal_id,
            actor="service:reasoning",
            correlation_id="cor_1",
            **arguments,
        )

    async def state(self, kind: Any, digest: str, /, **predicate: Any) -> SealedBundle:
        return await self.sealer.seal_statement(
            self.connection,
            kind=kind,
            proposal_id="prp_1",
            bundle_digest=digest,
            predicate=predicate,
            actor="user:grace",
            correlation_id="cor_1",
            device_id="dev_1",
        )

    async def export(self) -> bytes:
        await self.log.sequence_pending(self.connection)
        return await export_case(
            self.connection,
            "prp_1",
            objects=self.objects,
            log=self.log,
            key_store=self.key_store,
        )

    async def whole_case(self) -> bytes:
        proposal = await self.propose()
        await self.state("approval", proposal.digest, decision="approve", approver="grace")
        await self.state("execution", proposal.digest, outcome="succeeded")
        await self.state("verification", proposal.digest, status="holds")
        return await self.export()

    def trusted_keys(self) -> TrustedKeys:
        return TrustedKeys(
            evidence_public_key_pem=public_pem(self.key_store.evidence_key().public_key()),
            log_public_key_pem=public_pem(self.key_store.log_key().public_key()),
        )


@pytest.fixture
def office(connection, clock, ids, key_store, tmp_path) -> Office:
    directory = tmp_path / "objects"
    objects = open_objects(directory)
    return Office(
        sealer=Sealer(clock, ids, AuditIntake(clock, ids), key_store, objects),
        log=MerkleLog(key_store, clock),
        objects=objects,
        key_store=key_store,
        connection=connection,
        directory=directory,
    )

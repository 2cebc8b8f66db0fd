# SPDX-License-Identifier: Apache-2.0
"""Gives a proposal another risk, sealed as its own: a changed row alone is refused."""

import json
from typing import Any

from psycopg.types.json import Jsonb

from evidence.sealing import Sealer
from evidence.statement import CASE_FILE
from governance.proposals import lock_proposal


async def reseal_with_risk(
    connection: Any, sealer: Sealer, proposal_id: str, risk_score: float
) -> str:
    """Seal the case again with this risk; return the new bundle's digest.

    A proposal with two bundles cannot be exported: for tests of decisions alone.
    """
    proposal = await lock_proposal(connection, proposal_id)
    assert proposal.bundle_digest is not None
    opened = await sealer.open(connection, proposal.bundle_digest)
    files = dict(opened.files)
    case = json.loads(files.pop(CASE_FILE))
    case["risk"] = {**case["risk"], "score": risk_score}
    sealed = await sealer.seal_proposal(
        connection,
        proposal_id=proposal_id,
        case=case,
        script_files=files,
        actor="service:reasoning",
        correlation_id=proposal.correlation_id,
    )
    await connection.execute(
        "UPDATE proposals SET bundle_digest = %s, risk_score = %s, risk_factors = %s"
        " WHERE proposal_id = %s",
        (sealed.digest, risk_score, Jsonb(case["risk"]), proposal_id),
    )
    return sealed.digest

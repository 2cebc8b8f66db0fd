# SPDX-License-Identifier: Apache-2.0
"""What the `assess` step computes: risk, and the policy's answer.

Everything here is computed from the catalogue's bytes and the database, never from what a model
or a ticket says. A policy that does not clearly allow turns the choice into an abstention.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from contracts.job import ParameterValue
from contracts.policy import (
    AnalysisFacts,
    DeviceFacts,
    ProposalQuestion,
    ProposedFacts,
    ScriptFacts,
)
from governance.ports import PolicyPort
from governance.risk import (
    BlastRadius,
    BusinessImpact,
    Privilege,
    RiskInputs,
    ScriptEffect,
    Trust,
    assess_risk,
)
from kernel.database import Connection
from kernel.person import normalise_person
from reasoning.state import CaseData, ChoiceData
from retrieval.catalogue import CatalogueScript
from retrieval.errors import ManifestError
from retrieval.manifest import Manifest, bind_parameters
from retrieval.starter_release import STARTER_AUTHOR

GROUNDS = frozenset({"passage", "metric"})  # what an incident or a script says of itself is none


def score_risk(
    *,
    script: CatalogueScript,
    analysis: Mapping[str, Any],
    case: CaseData,
    candidate: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the risk assessment as plain data."""
    manifest = script.manifest
    device = case["device"] or {}
    assessment = assess_risk(
        RiskInputs(
            privilege=Privilege(manifest.privilege),
            trust=Trust.STARTER if manifest.author == STARTER_AUTHOR else Trust.INTERNAL,
            effects=tuple(
                ScriptEffect(kind=effect["kind"], severity=effect["severity"])
                for effect in analysis["effects"]
            ),
            judgeable=bool(analysis["judgeable"]),
            blast_radius=BlastRadius(manifest.blast_radius),
            business_impact=BusinessImpact(manifest.business_impact),
            reversible=manifest.reversible,
            n_parameters=len(manifest.parameters),
            timeout_seconds=manifest.timeout_seconds,
            n_succeeded=int(candidate["n_succeeded"]),
            n_failed=int(candidate["n_failed"]),
            known_vulnerabilities=None,  # nothing looks for them yet
            business_critical=bool(device.get("business_critical", False)),
        )
    )
    return {
        "score": assessment.score,
        "factors": [asdict(factor) for factor in assessment.factors],
        "board_reasons": list(assessment.board_reasons),
        "version": assessment.version,
    }


async def ask_policy(
    policy: PolicyPort,
    connection: Connection,
    *,
    now: datetime,
    expires_at: datetime,
    proposal_id: str,
    requested_by: str,
    threshold: float,
    n_citations: int,
    script: CatalogueScript,
    choice: ChoiceData,
    analysis: Mapping[str, Any],
    risk: Mapping[str, Any],
    device: Mapping[str, Any],
    flags: Sequence[str],
) -> dict[str, Any]:
    """Return the policy's decision on showing this proposal, as plain data."""
    manifest = script.manifest
    decision = await policy.decide(
        connection,
        ProposalQuestion(
            now=int(now.timestamp()),
            confidence_threshold=threshold,
            platform_match=device["os_family"] in manifest.platforms,
            parameters_valid=_are_valid(manifest, choice["parameters"]),
            proposal=ProposedFacts(
                proposal_id=proposal_id,
                requested_by=normalise_person(requested_by),
                risk_score=risk["score"],
                expires_at=int(expires_at.timestamp()),
                confidence=choice["confidence"],
                n_citations=n_citations,
            ),
            flags=list(flags),
            script=ScriptFacts(
                author=normalise_person(manifest.author),
                privilege=manifest.privilege,
                blast_radius=manifest.blast_radius,
                analysis=AnalysisFacts(
                    judgeable=analysis["judgeable"],
                    severity=analysis["severity"],
                    effects=sorted({effect["kind"] for effect in analysis["effects"]}),
                ),
            ),
            device=DeviceFacts(
                business_critical=bool(device.get("business_critical", False)),
                status=device["status"],
            ),
        ),
    )
    return {
        "allow": decision.allow,
        "requires_quorum": decision.requires_quorum,
        "reasons": list(decision.reasons),
        "policy_digest": decision.policy_digest,
    }


def _are_valid(manifest: Manifest, parameters: Mapping[str, ParameterValue]) -> bool:
    """Tell whether the manifest takes exactly these values, none added and none changed."""
    try:
        bound = bind_parameters(manifest, given=parameters, find_bound=lambda _: None)
    except ManifestError:
        return False
    return dict(bound) == dict(parameters)


def count_citations(explanation: Sequence[Mapping[str, Any]]) -> int:
    """Return how many passages and metrics an explanation cites."""
    return sum(
        citation["kind"] in GROUNDS for item in explanation for citation in item["citations"]
    )

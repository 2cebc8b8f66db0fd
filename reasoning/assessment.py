# SPDX-License-Identifier: Apache-2.0
"""The `check` and `assess` steps: static analysis, risk, policy.

Everything here is computed from the catalogue's bytes and the database, never from what a model
or a ticket says. A policy that does not clearly allow turns the choice into an abstention.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from governance.risk import (
    BlastRadius,
    BusinessImpact,
    Privilege,
    RiskInputs,
    ScriptEffect,
    Trust,
    assess_risk,
)
from guardrails.policy import PolicyEngine
from guardrails.script_analysis import ScriptAnalysis, analyse_script
from reasoning.state import CaseData, ChoiceData
from retrieval.catalogue import CatalogueScript

SEVERITIES = ("none", "info", "low", "medium", "high", "critical")


def analyse_files(interpreter: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the effects of all steps; what one step hides makes the whole unjudgeable."""
    analyses = {step: _analyse(interpreter, content) for step, content in files.items()}
    effects = [
        {"step": step, **asdict(effect)}
        for step, analysis in analyses.items()
        for effect in analysis.effects
    ]
    return {
        "judgeable": all(analysis.judgeable for analysis in analyses.values()),
        "severity": max(
            (str(analysis.severity) for analysis in analyses.values()), key=SEVERITIES.index
        ),
        "effects": [{name: _plain(value) for name, value in item.items()} for item in effects],
    }


@lru_cache(maxsize=512)
def _analyse(interpreter: str, content: bytes) -> ScriptAnalysis:
    """Analyse bytes once: the same bytes have the same effects, and parsing is slow."""
    return analyse_script(interpreter, content)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


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
            trust=Trust.STARTER if manifest.author == "eucora-starter" else Trust.INTERNAL,
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
            business_critical=bool(device.get("business_critical", False)),
        )
    )
    return {
        "score": assessment.score,
        "factors": [asdict(factor) for factor in assessment.factors],
        "board_reasons": list(assessment.board_reasons),
        "version": assessment.version,
    }


def ask_policy(
    engine: PolicyEngine,
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
) -> dict[str, Any]:
    """Return the policy's decision on showing this proposal, as plain data."""
    manifest = script.manifest
    decision = engine.decide(
        {
            "decision": "proposal",
            "now": int(now.timestamp()),
            "confidence_threshold": threshold,
            "platform_match": device["os_family"] in manifest.platforms,
            "parameters_valid": True,
            "proposal": {
                "proposal_id": proposal_id,
                "requested_by": requested_by,
                "risk_score": risk["score"],
                "expires_at": int(expires_at.timestamp()),
                "confidence": choice["confidence"],
                "n_citations": n_citations,
            },
            "script": {
                "author": manifest.author,
                "privilege": manifest.privilege,
                "blast_radius": manifest.blast_radius,
                "analysis": {
                    "judgeable": analysis["judgeable"],
                    "severity": analysis["severity"],
                    "effects": sorted({effect["kind"] for effect in analysis["effects"]}),
                },
            },
            "device": {
                "business_critical": bool(device.get("business_critical", False)),
                "status": device["status"],
            },
        }
    )
    return {
        "allow": decision.allow,
        "requires_quorum": decision.requires_quorum,
        "reasons": list(decision.reasons),
        "policy_digest": decision.policy_digest,
    }


def count_citations(explanation: Sequence[Mapping[str, Any]]) -> int:
    """Return how many citations an explanation holds."""
    return sum(len(item["citations"]) for item in explanation)

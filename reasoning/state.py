# SPDX-License-Identifier: Apache-2.0
"""The graph's state: plain data and ids only, so that a checkpoint outlives every class.

All text in it is masked. `proposal_id` is chosen before the first node runs and names the
thread; a node that runs twice therefore writes the same rows.
"""

from typing import Any, TypedDict


class CaseData(TypedDict):
    """What is known of the incident when reasoning starts."""

    incident: dict[str, Any]
    device: dict[str, Any] | None
    metrics: dict[str, float]
    facts: dict[str, Any]
    observed_at: str | None
    query: str  # what is searched for


class DiagnosisData(TypedDict):
    """What is wrong, and how sure that is."""

    failure_class: str
    confidence: float
    support: dict[str, float]  # failure class -> share of the retrieved passages' weight
    advice: dict[str, Any] | None  # a language model's closed-schema answer, if one was asked


class ChoiceData(TypedDict):
    """The one script that is proposed."""

    script_id: str
    script_version: str
    script_sha256: str
    parameters: dict[str, Any]
    confidence: float
    exploration: dict[str, Any] | None  # seed and draws, where one of equals was to be learnt of


class ProposalState(TypedDict, total=False):
    """The state of one proposal's thread."""

    proposal_id: str
    incident_id: str
    correlation_id: str
    requested_by: str
    parent_proposal_id: str | None
    override: dict[str, Any] | None  # {"script_id", "parameters"} chosen by a person
    models: list[dict[str, str]]  # name, version, digest of each that was asked, in that order
    case: CaseData
    passages: list[dict[str, Any]]
    diagnosis: DiagnosisData
    candidates: list[dict[str, Any]]
    ranking: dict[str, Any]  # what the candidates were ranked and chosen with, see `steps.choose`
    choice: ChoiceData | None
    abstention_reason: str | None
    analysis: dict[str, Any]
    signs: list[dict[str, str]]  # of injection: {"kind", "where"}, see `signs`
    risk: dict[str, Any]
    policy: dict[str, Any]
    explanation: list[dict[str, Any]]
    bundle_digest: str | None  # None: no proposal was awaited any more
    is_outdated: bool  # the class was changed meanwhile: the thread begins anew

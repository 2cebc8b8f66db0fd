# SPDX-License-Identifier: Apache-2.0
"""The `seal` step: one transaction that stores the proposal, its bundle and its audit events.

A proposal that exists already is left alone: the step may run twice after a crash, or at once
in two workers when one has lost its claim without noticing. The incident is held from before the
first write, so what is sealed is for the class that it has and the state that it is in.
"""

from datetime import datetime
from typing import Any

from evidence.sealing import Sealer
from governance.proposals import Proposal, ProposalStatus, find_proposal, insert_proposal
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.inference import record_inference
from models.registry import LoadedModel
from reasoning.advice import AdviceStatus
from reasoning.case import is_outdated
from reasoning.errors import CaseOutdatedError, IncidentMovedOnError
from reasoning.state import ProposalState
from retrieval.catalogue import load_files
from retrieval.manifest import SUFFIXES
from telemetry.incident_classes import hold_class
from telemetry.incidents import Incident, Incidents, IncidentStatus

QUERIES = load_queries(__file__, "sealing")
ACTOR = "system:reasoner"


async def seal_state(
    connection: Connection,
    state: ProposalState,
    *,
    sealer: Sealer,
    audit: AuditIntake,
    incidents: Incidents,
    ids: IdSource,
    clock: Clock,
    expires_at: datetime,
) -> str:
    """Store and seal a finished state and return its bundle's digest.

    Raises:
        CaseOutdatedError: people say meanwhile that the incident is something else.
        IncidentMovedOnError: where the incident stands, no proposal is awaited.
    """
    await connection.execute(QUERIES["lock_proposal_id"], {"proposal_id": state["proposal_id"]})
    existing = await find_proposal(connection, state["proposal_id"])
    if existing is not None and existing.bundle_digest is not None:
        return existing.bundle_digest
    incident = await _hold_incident(connection, state)
    now = clock.now()
    sealed = await sealer.seal_proposal(
        connection,
        proposal_id=state["proposal_id"],
        case=compose_case(state, now=now),
        script_files=await _load_script(connection, state),
        actor=ACTOR,
        correlation_id=state["correlation_id"],
    )
    proposal = _proposal(state, bundle_digest=sealed.digest, now=now, expires_at=expires_at)
    await insert_proposal(connection, proposal)
    await _record_advice(connection, state, ids, clock)
    await _audit_proposal(connection, audit, proposal, sealed.digest)
    if incident.status is IncidentStatus.OPEN:
        await _advance_incident(connection, incidents, state)
    return sealed.digest


async def _load_script(connection: Connection, state: ProposalState) -> dict[str, bytes]:
    """Return the bytes of the chosen script's steps by file name; none where none was chosen."""
    choice = state["choice"]
    if choice is None:
        return {}
    suffix = SUFFIXES[state["analysis"]["interpreter"]]
    contents = await load_files(connection, choice["script_id"], choice["script_version"])
    return {f"{step}{suffix}": content for step, content in contents.items()}


async def _audit_proposal(
    connection: Connection, audit: AuditIntake, proposal: Proposal, bundle_digest: str
) -> None:
    abstained = proposal.status is ProposalStatus.ABSTAINED
    await audit.record(
        connection,
        actor=ACTOR,
        action="proposal.abstained" if abstained else "proposal.created",
        subject_kind="proposal",
        subject_id=proposal.proposal_id,
        correlation_id=proposal.correlation_id,
        device_id=proposal.target_device_id,
        after={"status": proposal.status.value, "incident_id": proposal.incident_id},
        evidence=(bundle_digest,),
    )


async def _record_advice(
    connection: Connection, state: ProposalState, ids: IdSource, clock: Clock
) -> None:
    """Record how asking the language model ended, once, if one was asked."""
    advice = state["diagnosis"]["advice"]
    if not advice or "model" not in advice:
        return
    await record_inference(
        connection,
        ids,
        clock,
        model=LoadedModel(model=None, **advice["model"]),
        subject_kind="proposal",
        subject_id=state["proposal_id"],
        output={name: value for name, value in advice.items() if name != "model"},
        confidence=float(advice["status"] == AdviceStatus.USED.value),  # whether it was of use
    )


async def _hold_incident(connection: Connection, state: ProposalState) -> Incident:
    """Return the incident, which stays as it is until the transaction ends."""
    incident, labels = await hold_class(connection, state["incident_id"])
    awaiting = {IncidentStatus.OPEN}
    if state["parent_proposal_id"] is not None:  # it takes the place of one that was decided on
        awaiting.add(IncidentStatus.PROPOSED)
    elif incident.part_of is not None:  # one proposal for all, not one for each
        raise IncidentMovedOnError(f"part of {incident.part_of}")
    if incident.status not in awaiting:
        raise IncidentMovedOnError(incident.status)
    if is_outdated(state["case"], incident, labels):
        raise CaseOutdatedError
    return incident


async def _advance_incident(
    connection: Connection, incidents: Incidents, state: ProposalState
) -> None:
    reason = state["abstention_reason"]
    choice = state["choice"]
    if choice is None:
        await incidents.transition(
            connection, state["incident_id"], IncidentStatus.ESCALATED,
            actor=ACTOR, reason=f"no fix proposed: {reason}",
        )  # fmt: skip
    else:
        await incidents.transition(
            connection, state["incident_id"], IncidentStatus.PROPOSED,
            actor=ACTOR, reason=f"{choice['script_id']} is proposed",
        )  # fmt: skip


def compose_case(state: ProposalState, *, now: datetime) -> dict[str, Any]:
    """Return the case file: all that the proposal rests on, masked."""
    case, choice = state["case"], state["choice"]
    device = case["device"]
    return {
        "schema_version": 1,
        "proposal_id": state["proposal_id"],
        "parent_proposal_id": state["parent_proposal_id"],
        "incident": case["incident"],
        "device": device,
        "telemetry": {
            "observed_at": case["observed_at"],
            "metrics": case["metrics"],
            "facts": case["facts"],
        },
        "models": state.get("models", []),
        "diagnosis": dict(state["diagnosis"]),
        "passages": state["passages"],
        "candidates": state["candidates"],
        "ranking": _ranking_part(state),
        "script": None if choice is None else _script_part(state),
        "parameters": {} if choice is None else choice["parameters"],
        "target_device_id": device["device_id"] if device and choice else None,
        "abstention_reason": state["abstention_reason"],
        "explanation": state["explanation"],
        "analysis": state["analysis"],
        "signs": state.get("signs", []),
        "risk": state["risk"],
        "policy": state["policy"],
        "requested_by": state["requested_by"],
        "sealed_at": now.isoformat(),
    }


def _ranking_part(state: ProposalState) -> dict[str, Any]:
    """Return what the choice can be repeated from: threshold, learnt weights, seed and draws."""
    choice = state["choice"]
    explored = None if choice is None else choice.get("exploration")
    return {**(state.get("ranking") or {}), "exploration": explored}


def _script_part(state: ProposalState) -> dict[str, Any] | None:
    choice = state["choice"]
    if choice is None:
        return None
    return {
        "script_id": choice["script_id"],
        "version": choice["script_version"],
        "sha256": choice["script_sha256"],
        "interpreter": state["analysis"]["interpreter"],
    }


def _proposal(
    state: ProposalState, *, bundle_digest: str, now: datetime, expires_at: datetime
) -> Proposal:
    choice, device = state["choice"], state["case"]["device"]
    return Proposal(
        proposal_id=state["proposal_id"],
        incident_id=state["incident_id"],
        status=ProposalStatus.ABSTAINED if choice is None else ProposalStatus.PENDING,
        diagnosis=state["diagnosis"]["failure_class"],
        confidence=choice["confidence"] if choice else state["diagnosis"]["confidence"],
        requested_by=state["requested_by"],
        correlation_id=state["correlation_id"],
        created_at=now,
        expires_at=expires_at,
        script_id=choice["script_id"] if choice else None,
        script_version=choice["script_version"] if choice else None,
        script_sha256=choice["script_sha256"] if choice else None,
        parameters=dict(choice["parameters"]) if choice else {},
        target_device_id=device["device_id"] if choice and device else None,
        abstention_reason=state["abstention_reason"],
        explanation=state["explanation"],
        candidates=state["candidates"],
        passages=state["passages"],
        risk_score=float(state["risk"].get("score", 0.0)),
        risk_factors=dict(state["risk"]),
        policy_decision=dict(state["policy"]),
        bundle_digest=bundle_digest,
        parent_proposal_id=state["parent_proposal_id"],
    )

# SPDX-License-Identifier: Apache-2.0
"""A proposal with all that a decision rests on, its progress and its signed case."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api.accounts import Person, Role
from api.approver_accounts import find_account_notes
from api.case_export import export_proposal
from api.class_view import find_contradiction, view_class
from api.pages import pages_of
from api.portal_queries import require_incident, require_proposal
from api.portal_rows import fetch
from api.script_view import view_effects, view_steps
from api.sessions import require_person, services_of
from evidence.bundles import read_case
from evidence.errors import EvidenceError
from evidence.sealing import Sealer
from evidence.statement import StatementKind
from governance.decision_checks import Decision
from governance.proposals import Proposal, ProposalContext, ProposalStatus, find_context
from governance.standing import Standing
from guardrails.script_analysis import analyse_files
from kernel.database import Connection
from kernel.person import is_same_person
from reasoning.signs import describe_signs
from retrieval.catalogue import find_script, list_scripts, load_files
from retrieval.errors import ScriptNotFoundError
from telemetry.devices import find_device

router = APIRouter()


@router.get("/proposals/{proposal_id}")
async def show_proposal(request: Request, proposal_id: str) -> Response:
    """Show a proposal with all that a decision rests on."""
    person = await require_person(request)
    sealer = services_of(request).ground.sealer
    async with services_of(request).ground.pool.connection() as connection:
        proposal = await require_proposal(connection, proposal_id)
        incident = await require_incident(request, connection, proposal.incident_id)
        script = await _describe_script(connection, proposal)
        class_view = await view_class(connection, incident)
        standing = await services_of(request).standings.find(connection, proposal)
        context = await find_context(connection, proposal_id)
        device = await find_device(connection, incident.device_id) if incident.device_id else None
        values = {
            **await _progress(connection, proposal, context),
            **script,
            "wholes": await fetch(
                connection, "find_waiting_whole", incident_id=incident.incident_id
            ),
            "statements": await fetch(connection, "list_statements", proposal_id=proposal_id),
            "scripts": await list_scripts(connection, device.os_family) if device else [],
            "hostname": device.hostname if device else "",
            "simulated": device is not None and device.simulated,
            "contradiction": await find_contradiction(connection, proposal),
            "signs": await _describe_signs(connection, sealer, proposal),
        }
    asked_by = (proposal.requested_by, *(context.reporters if context else ()))
    can_decide, why = _may_decide(person, proposal, asked_by, script["author"], standing)
    return pages_of(request).render(
        request,
        "proposal.html",
        proposal=proposal,
        incident=incident,
        trusts={item["chunk_id"]: item["trust"] for item in proposal.passages},
        external=_list_external(proposal),
        quotes=_list_quotes(proposal),
        class_view=class_view,
        can_decide=can_decide,
        can_approve=can_decide and standing.obstacle is None,
        cannot_decide=why,
        can_override=can_decide,
        standing=standing,
        can_except=proposal.status is ProposalStatus.PENDING
        and standing.exception_missing
        and Role.SECURITY_REVIEWER.value in person.roles
        and not is_same_person(person.actor, *asked_by, script["author"]),
        **values,
    )


def _may_decide(
    person: Person,
    proposal: Proposal,
    asked_by: Sequence[str],
    author: str,
    standing: Standing,
) -> tuple[bool, str]:
    """Tell whether the forms are worth showing; whether they are obeyed, governance decides."""
    if proposal.status is not ProposalStatus.PENDING:
        return False, "It has been decided."
    if Role.APPROVER.value not in person.roles:
        return False, "A person with the role approver decides."
    if is_same_person(person.actor, *standing.approved_by):
        return False, "You have approved it. Another person must approve it as well."
    if is_same_person(person.actor, author):
        return False, "You wrote this script, so another person decides."
    if is_same_person(person.actor, *asked_by):
        return False, "You asked for this change, so another person decides."
    return True, ""


async def _describe_signs(
    connection: Connection, sealer: Sealer, proposal: Proposal
) -> list[str] | None:
    """Return what the sealed case shows of injection; None where it cannot be believed."""
    if proposal.bundle_digest is None:
        return []
    try:
        opened = await sealer.open(connection, proposal.bundle_digest)
        case = read_case(opened, StatementKind.PROPOSAL)
    except EvidenceError:
        return None
    return describe_signs(case.get("signs", []))


def _list_quotes(proposal: Proposal) -> list[list[str]]:
    """Return for each sentence of the explanation what it quotes of the retrieved passages."""
    texts = {item["chunk_id"]: item["text"] for item in proposal.passages}
    return [
        [
            texts[citation["id"]][slice(*citation["quoted"])]
            for citation in item["citations"]
            if "quoted" in citation and citation["id"] in texts
        ]
        for item in proposal.explanation
    ]


def _list_external(proposal: Proposal) -> list[dict[str, Any]]:
    """Return the cited passages whose text nobody here has vouched for."""
    cited = {citation["id"] for item in proposal.explanation for citation in item["citations"]}
    return [
        item
        for item in proposal.passages
        if item["trust"] == "external" and item["chunk_id"] in cited
    ]


async def _describe_script(connection: Connection, proposal: Proposal) -> dict[str, Any]:
    """Return the script's bytes as they are now, with what analysis finds in them."""
    nothing: dict[str, Any] = {"steps": [], "manifest": None, "effects": [], "analysis": {}}
    if proposal.script_id is None or proposal.script_version is None:
        return {**nothing, "script_title": "", "author": ""}
    try:
        script = await find_script(connection, proposal.script_id, proposal.script_version)
    except ScriptNotFoundError:
        name = f"{proposal.script_id} {proposal.script_version}"
        return {**nothing, "script_title": f"{name}, which is gone", "author": ""}
    files = await load_files(connection, proposal.script_id, proposal.script_version)
    analysis = await asyncio.to_thread(analyse_files, script.manifest.interpreter, files)
    return {
        "steps": view_steps(files, analysis["effects"]),
        "manifest": script.manifest,
        "script_title": script.manifest.title,
        "author": script.manifest.author,
        "effects": view_effects(analysis["effects"], script.manifest.effects),
        "analysis": analysis,
    }


@router.get("/proposals/{proposal_id}/progress")
async def show_progress(request: Request, proposal_id: str) -> Response:
    """Return decisions and execution alone, for live refresh."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        proposal = await require_proposal(connection, proposal_id)
        incident = await require_incident(request, connection, proposal.incident_id)
        context = await find_context(connection, proposal_id)
        progress = await _progress(connection, proposal, context)
    return pages_of(request).render(
        request, "progress.html", proposal=proposal, incident=incident, **progress
    )


async def _progress(
    connection: Connection, proposal: Proposal, context: ProposalContext | None
) -> dict[str, Any]:
    key = {"proposal_id": proposal.proposal_id}
    approvals = await fetch(connection, "list_approvals", **key)
    ended = proposal.status not in {
        ProposalStatus.PENDING,
        ProposalStatus.APPROVED,
        ProposalStatus.DISPATCHED,
    }
    return {
        "approvals": approvals,
        "account_notes": await find_account_notes(
            connection,
            [one["approver"] for one in approvals if one["decision"] == Decision.APPROVE],
            (proposal.requested_by, *(context.reporters if context else ())),
        ),
        "jobs": await fetch(connection, "list_jobs", **key),
        "final": ended,
    }


@router.get("/proposals/{proposal_id}/case.json")
async def download_case(request: Request, proposal_id: str) -> Response:
    """Return the signed case file."""
    await require_person(request)
    content = await export_proposal(services_of(request), proposal_id)
    disposition = f'attachment; filename="{proposal_id}.json"'
    return Response(
        content,
        media_type="application/json",
        headers={"Content-Disposition": disposition},
    )

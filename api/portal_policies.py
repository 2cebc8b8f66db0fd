# SPDX-License-Identifier: Apache-2.0
"""Policies for those who answer for them: versions, what a change would do, and its decision."""

import asyncio
import re

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.case_export import export_activation
from api.errors import InvalidRequestError
from api.pages import pages_of
from api.policy_trust import SealedPolicyTrust
from api.portal_forms import read_text
from api.sessions import Form, correlation_of, require_form, require_person, services_of
from governance.policy_rules import PolicyDecider
from governance.roles import DECIDING_ROLES
from guardrails.errors import PolicyError, PolicyNotFoundError
from guardrails.policy_difference import PolicyDifference, describe_decision
from guardrails.policy_records import N_DRY_RUN, DryRun, RecordedDecision, list_decisions
from guardrails.policy_store import (
    PolicyVersion,
    find_change,
    find_numbered_version,
    find_replaced,
    find_version,
    list_activations,
    list_changes,
    list_versions,
)
from guardrails.policy_trials import compare_versions, dry_run
from kernel.person import is_same_person

router = APIRouter()
MAX_SHOWN = 100  # of what would have been decided otherwise
_CHANGE_ID = re.compile(r"pch_[0-9A-Za-z]{1,40}")


@router.get("/policies")
async def show_policies(request: Request) -> Response:
    """Show versions, which was in force when, and the changes that wait for a decision."""
    person = await _require_reader(request)
    async with services_of(request).ground.pool.connection() as connection:
        versions = await list_versions(connection)
        activations = await list_activations(connection)
        changes = await list_changes(connection)
    return pages_of(request).render(
        request,
        "policies.html",
        versions=versions,
        numbers={version.policy_digest: version.version for version in versions},
        activations=activations,
        changes=changes,
        may_change=_may_change(person),
    )


@router.get("/policies/versions/{version}")
async def show_version(request: Request, version: int) -> Response:
    """Show the text of a version, once its signature is checked."""
    await _require_reader(request)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        found = await find_numbered_version(connection, version)
    source = await asyncio.to_thread(services.policies.trust.open_version, found)
    return pages_of(request).render(request, "policy_version.html", version=found, source=source)


@router.get("/policies/changes/{change_id}")
async def show_change(request: Request, change_id: str) -> Response:
    """Show what a change would do: in the text, on the cases, to past decisions."""
    person = await _require_reader(request)
    _check_id(change_id)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        change = await find_change(connection, change_id)
        replaced = await find_replaced(connection, change)
        after = await find_version(connection, change.policy_digest)
        before = await find_version(connection, replaced.policy_digest) if replaced else None
        asked = await list_decisions(connection, limit=N_DRY_RUN)
    difference, found, trouble = await _try_out(services.policies.trust, before, after, asked)
    return pages_of(request).render(
        request,
        "policy_change.html",
        change=change,
        after=after,
        before=before,
        difference=difference,
        trouble=trouble,
        dry_run=found,
        changed=found.changed[:MAX_SHOWN] if found else (),
        describe=describe_decision,
        may_reject=_may_change(person) and change.decision is None,
        may_activate=_may_change(person)
        and change.decision is None
        and not is_same_person(person.actor, change.proposed_by),
    )


@router.get("/policies/activations/{activation_id}/case")
async def download_activation(request: Request, activation_id: str) -> Response:
    """Return the sealed evidence of an activation, for offline verification."""
    await _require_reader(request)
    content = await export_activation(services_of(request).ground, activation_id)
    name = 'attachment; filename="policy-activation.json"'
    return Response(content, media_type="application/json", headers={"Content-Disposition": name})


@router.post("/policies/changes/{change_id}/activate")
async def activate_policy(request: Request, change_id: str) -> Response:
    """Put in force what another person has proposed."""
    person, form = await require_form(request)
    _check_id(change_id)
    did = await _read_decider(request, person, form)
    await services_of(request).policies.activate(change_id, did)
    return RedirectResponse("/policies", status_code=303)


@router.post("/policies/changes/{change_id}/reject")
async def reject_policy(request: Request, change_id: str) -> Response:
    """Decide that a change is not made."""
    person, form = await require_form(request)
    _check_id(change_id)
    did = await _read_decider(request, person, form)
    await services_of(request).policies.reject(change_id, did)
    return RedirectResponse("/policies", status_code=303)


@router.post("/policies/rollback")
async def propose_rollback(request: Request) -> Response:
    """Ask another person to go back to the version before the one in force."""
    person, form = await require_form(request)
    did = await _read_decider(request, person, form)
    change = await services_of(request).policies.propose_rollback(did)
    return RedirectResponse(f"/policies/changes/{change.change_id}", status_code=303)


async def _try_out(
    trust: SealedPolicyTrust,
    before: PolicyVersion | None,
    after: PolicyVersion,
    asked: list[RecordedDecision],
) -> tuple[PolicyDifference | None, DryRun | None, str]:
    """Return how versions differ, how the new one answers, and why there is none of that."""
    difference, found = None, None
    try:
        new = await asyncio.to_thread(trust.open_version, after)
        found = await dry_run(new, asked)
        if before is not None:
            old = await asyncio.to_thread(trust.open_version, before)
            difference = await compare_versions(old, new)
    except PolicyError as error:
        return difference, found, str(error)
    return difference, found, ""


async def _read_decider(request: Request, person: Person, form: Form) -> PolicyDecider:
    reason = await read_text(form, "reason", services_of(request).ground.masker)
    if not reason:
        raise InvalidRequestError("say why; it stands in the evidence")
    return PolicyDecider(
        actor=person.actor,
        roles=person.roles,
        authenticated_at=person.authenticated_at,
        reason=reason,
        correlation_id=correlation_of(request),
    )


async def _require_reader(request: Request) -> Person:
    person = await require_person(request)
    person.require(Role.APPROVER, Role.SECURITY_REVIEWER, Role.AUDITOR)
    return person


def _may_change(person: Person) -> bool:
    return bool(person.roles & DECIDING_ROLES)


def _check_id(change_id: str) -> None:
    if not _CHANGE_ID.fullmatch(change_id):
        raise PolicyNotFoundError("there is no such policy change")

# SPDX-License-Identifier: Apache-2.0
"""The catalogue of scripts: its versions, one with code and effects, and decisions on it.

Who may decide is governance's rule; the pages show forms to whom they may be of use.
"""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.case_export import export_script_decision
from api.errors import CsrfError, InvalidRequestError, NotFoundError
from api.pages import pages_of
from api.portal_forms import read_text
from api.problems import status_of
from api.script_refusal import describe_refusal
from api.script_upload import read_archive
from api.script_view import compare_versions, describe_conditions, view_effects, view_steps
from api.sessions import (
    correlation_of,
    field,
    require_form,
    require_person,
    services_of,
)
from api.uploads import read_upload
from governance.errors import ScriptEntryError
from governance.roles import DECIDING_ROLES, REVIEWING_ROLES
from governance.script_rules import ScriptRequest, needs_review
from governance.script_versions import (
    ScriptStatus,
    ScriptVerdict,
    ScriptVersion,
    check_entry,
    find_in_force,
    find_version,
    list_decisions,
)
from guardrails.script_analysis import analyse_files
from guardrails.shell_quality import check_quality
from kernel.database import Connection
from kernel.person import is_same_person
from retrieval.catalogue import list_catalogue
from retrieval.errors import ManifestError
from retrieval.manifest import CatalogueEntry

IMPORTERS = (Role.HELPDESK, Role.APPROVER, Role.SECURITY_REVIEWER)
VERBS: Mapping[str, ScriptVerdict] = {
    "approve": ScriptVerdict.APPROVE,
    "rollback": ScriptVerdict.ROLL_BACK,
    "reject": ScriptVerdict.REJECT,
    "retire": ScriptVerdict.RETIRE,
}
router = APIRouter()


@router.get("/scripts")
async def show_scripts(request: Request) -> Response:
    """Show all scripts with their versions, and the form to import one."""
    person = await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        versions = await list_catalogue(connection)
    return pages_of(request).render(
        request,
        "scripts.html",
        waiting=[one for one in versions if one.status == ScriptStatus.PROPOSED],
        others=[one for one in versions if one.status != ScriptStatus.PROPOSED],
        may_import=_has_role(person, *IMPORTERS, Role.ADMIN),
    )


@router.post("/scripts")
async def import_script(request: Request) -> Response:
    """Import a version from an archive, proposed; show it, or what has to change before."""
    person = await require_person(request)
    person.require(*IMPORTERS)
    upload = await read_upload(request)
    if not hmac.compare_digest(
        field(upload.form, "csrf_token").encode(), person.csrf_token.encode()
    ):
        raise CsrfError
    entry: CatalogueEntry | None = None
    try:
        entry = await asyncio.to_thread(read_archive, upload.content)
        await services_of(request).scripts.import_script(
            entry, actor=person.actor, correlation_id=correlation_of(request)
        )
    except ManifestError as error:
        return await _show_refusal(request, error, entry)
    return RedirectResponse(_path(entry.manifest.id, entry.manifest.version), status_code=303)


async def _show_refusal(
    request: Request, error: ManifestError, entry: CatalogueEntry | None
) -> Response:
    status, title = status_of(error)
    if type(error) is ManifestError:  # whose title is for parameters, too
        title = "Not a valid script"
    return pages_of(request).render(
        request,
        "script_refused.html",
        status_code=status,
        title=title,
        refusal=await asyncio.to_thread(describe_refusal, error, entry),
        correlation_id=correlation_of(request),
    )


@router.get("/scripts/decisions/{decision_id}/case")
async def download_decision(request: Request, decision_id: str) -> Response:
    """Return the sealed evidence of a decision, for offline verification."""
    await require_person(request)
    content = await export_script_decision(services_of(request).ground, decision_id)
    name = f'attachment; filename="{decision_id}.json"'
    return Response(content, media_type="application/json", headers={"Content-Disposition": name})


@router.get("/scripts/{script_id}/{version}")
async def show_version(request: Request, script_id: str, version: str) -> Response:
    """Show a version: code with effects, what is declared, what differs, and what was decided."""
    person = await require_person(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        stored = await find_version(connection, script_id, version)
        decisions = await list_decisions(connection, script_id)
        in_force = await find_in_force(connection, script_id)
        before = await _find_other(connection, script_id, in_force, version)
        versions = [one for one in await list_catalogue(connection) if one.script_id == script_id]
    analysis = await asyncio.to_thread(analyse_files, stored.interpreter, stored.contents)
    quality = await asyncio.to_thread(check_quality, stored.interpreter, stored.contents)
    remarks = quality.as_json()["findings"]
    return pages_of(request).render(
        request,
        "script_version.html",
        script=stored,
        conditions=describe_conditions,
        trouble=_find_trouble(ground.sealer, stored),
        analysis=analysis,
        effects=view_effects(analysis["effects"], stored.manifest.get("effects", {})),
        steps=view_steps(stored.contents, analysis["effects"], remarks),
        remarks=remarks,
        unchecked=quality.unchecked,
        differences=_compare(before, stored),
        in_force=in_force,
        decisions=decisions,
        versions=versions,
        needs_review=needs_review(stored),
        verbs=_list_verbs(person, stored),
        obstacle=_find_obstacle(person, stored),
    )


@router.get("/scripts/{script_id}")
async def show_script(request: Request, script_id: str) -> Response:
    """Go to the version in force, or to the one imported last."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        in_force = await find_in_force(connection, script_id)
        versions = [one for one in await list_catalogue(connection) if one.script_id == script_id]
    if not versions:
        raise NotFoundError(f"no script {script_id}")
    return RedirectResponse(_path(script_id, in_force or versions[0].version), status_code=303)


@router.post("/scripts/{script_id}/{version}/{verb}")
async def decide_on_version(request: Request, script_id: str, version: str, verb: str) -> Response:
    """Approve, reject, retire a version, or go back to it; governance says who may."""
    person, form = await require_form(request)
    if verb not in VERBS:
        raise NotFoundError(f"a version is approved, rejected, retired or gone back to, not {verb}")
    services = services_of(request)
    digest = field(form, "content_sha256")
    if not digest:
        raise InvalidRequestError("the form names no digest: open the version's page")
    await services.scripts.decide(
        ScriptRequest(
            script_id=script_id,
            version=version,
            content_sha256=digest,
            decision=VERBS[verb],
            actor=person.actor,
            roles=person.roles,
            authenticated_at=person.authenticated_at,
            correlation_id=correlation_of(request),
            reason=await read_text(form, "reason", services.ground.masker),
        )
    )
    return RedirectResponse(_path(script_id, version), status_code=303)


def _path(script_id: str, version: str) -> str:
    return f"/scripts/{script_id}/{version}"


def _has_role(person: Person, *roles: Role) -> bool:
    return bool(person.roles & {role.value for role in roles})


async def _find_other(
    connection: Connection, script_id: str, in_force: str | None, version: str
) -> ScriptVersion | None:
    """Return the version in force, unless that is the one that is shown."""
    if in_force is None or in_force == version:
        return None
    return await find_version(connection, script_id, in_force)


def _find_trouble(sealer: Any, stored: ScriptVersion) -> str:
    """Return why a version is not as it was signed; "" where it is."""
    try:
        check_entry(sealer, stored)
    except ScriptEntryError as error:
        return str(error)
    return ""


def _compare(before: ScriptVersion | None, after: ScriptVersion) -> dict[str, Any]:
    if before is None:
        return {}
    return compare_versions((before.manifest, before.contents), (after.manifest, after.contents))


def _list_verbs(person: Person, stored: ScriptVersion) -> list[str]:
    """Return which forms are worth showing; whether they are obeyed, governance decides."""
    if not person.roles & DECIDING_ROLES:
        return []
    may_approve = not _find_obstacle(person, stored)
    verbs = {
        ScriptStatus.PROPOSED: [*(["approve"] if may_approve else []), "reject"],
        ScriptStatus.ACTIVE: ["retire"],
        ScriptStatus.SUPERSEDED: [*(["rollback"] if may_approve else []), "retire"],
        ScriptStatus.RETIRED: ["rollback"] if may_approve else [],
        ScriptStatus.REJECTED: [],
    }
    return verbs[stored.status]


def _find_obstacle(person: Person, stored: ScriptVersion) -> str:
    """Return why this person cannot put the version in force; "" where nothing is known."""
    if not person.roles & DECIDING_ROLES:
        return "A person with the role approver or security reviewer decides."
    if is_same_person(person.actor, stored.author):
        return "You wrote this script, so another person must approve it."
    if is_same_person(person.actor, stored.imported_by, stored.imported_for):
        return "You or your token imported it, so another person must approve it."
    if needs_review(stored) and not person.roles & REVIEWING_ROLES:
        return "A security reviewer must approve it: it cannot be judged, or its effects are grave."
    return ""

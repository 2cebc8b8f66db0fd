# SPDX-License-Identifier: Apache-2.0
"""The catalogue over HTTP, for services whose token has the scope `scripts`: read, and import.

A service imports what people then decide on; it decides on nothing.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.json_route import service_of, service_route
from api.openapi import BEARER, PROBLEMS
from api.scopes import Scope
from api.script_upload import read_archive
from api.sessions import correlation_of, services_of
from api.uploads import read_upload
from governance.script_versions import ScriptDecision, find_version, list_decisions
from retrieval.catalogue import ListedVersion, list_catalogue

router = APIRouter(route_class=service_route(Scope.SCRIPTS))
ScriptId = Annotated[str, Path(pattern="^[a-z][a-z0-9-]{2,80}$")]
Version = Annotated[str, Path(pattern=r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$")]
ARCHIVE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.get("/v1/scripts", responses=PROBLEMS, openapi_extra=BEARER)
async def list_scripts(request: Request) -> dict[str, Any]:
    """Return all script versions and where each stands."""
    async with services_of(request).ground.pool.connection() as connection:
        versions = await list_catalogue(connection)
    return {"scripts": [_describe(each) for each in versions]}


@router.get("/v1/scripts/{script_id}/{version}", responses=PROBLEMS, openapi_extra=BEARER)
async def show_script(request: Request, script_id: ScriptId, version: Version) -> dict[str, Any]:
    """Return a version: manifest, effects, the bytes' digests, and what was decided on it."""
    async with services_of(request).ground.pool.connection() as connection:
        stored = await find_version(connection, script_id, version)
        decisions = await list_decisions(connection, script_id)
    return {
        "script_id": stored.script_id,
        "version": stored.version,
        "status": stored.status.value,
        "content_sha256": stored.content_sha256,
        "imported_by": stored.imported_by,
        "imported_at": stored.imported_at.isoformat(),
        "manifest": stored.manifest,
        "analysis": stored.analysis,
        "quality": stored.quality,
        "files": dict(stored.stated_sha256),
        "decisions": [_describe_decision(one) for one in decisions if one.version == version],
    }


@router.post(
    "/v1/scripts",
    status_code=201,
    responses={**PROBLEMS, 200: {"description": "Exactly this version was there already"}},
    openapi_extra=BEARER | ARCHIVE,
)
async def take_script(request: Request, response: Response) -> dict[str, Any]:
    """Import a version (a ZIP archive of its folder), proposed for people to decide on."""
    upload = await read_upload(request)
    entry = await asyncio.to_thread(read_archive, upload.content)
    imported = await services_of(request).scripts.import_script(
        entry, actor=service_of(request), correlation_id=correlation_of(request)
    )
    response.status_code = 201 if imported.is_new else 200
    report = imported.report
    return {
        "script_id": entry.manifest.id,
        "version": entry.manifest.version,
        "content_sha256": entry.content_sha256,
        "analysis": report.analysis,
        "quality": report.quality.as_json(),
        "warnings": list(report.warnings),
    }


def _describe(each: ListedVersion) -> dict[str, Any]:
    return {
        "script_id": each.script_id,
        "version": each.version,
        "title": each.title,
        "author": each.author,
        "platforms": list(each.platforms),
        "status": each.status,
        "content_sha256": each.content_sha256,
        "imported_by": each.imported_by,
        "imported_at": each.imported_at.isoformat(),
    }


def _describe_decision(one: ScriptDecision) -> dict[str, Any]:
    return {
        "decision_id": one.decision_id,
        "decision": one.decision.value,
        "actor": one.actor,
        "reason": one.reason,
        "bundle_digest": one.bundle_digest,
        "decided_at": one.created_at.isoformat(),
    }

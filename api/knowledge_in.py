# SPDX-License-Identifier: Apache-2.0
"""Knowledge over HTTP, for services whose token has the scope `knowledge`: files in, verdicts out.

A file that is not taken is answered with a problem that has its reason; its verdict is on record.
A service knows of the sources that it made, and of those whose documents it may read.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.errors import FileRefusedError
from api.json_route import service_of, service_route
from api.knowledge_ingestion import Knowledge, open_knowledge
from api.openapi import BEARER, PROBLEMS
from api.readers import admit_service
from api.scopes import Scope
from api.sessions import correlation_of, services_of
from api.source_records import describe_file, describe_source
from api.uploads import read_terms, read_upload
from retrieval.ingested_files import MAX_LISTED, Verdict

router = APIRouter(route_class=service_route(Scope.KNOWLEDGE))
SourceId = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
_LABELS = {"type": "array", "items": {"type": "string"}}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "trust": {"type": "string", "enum": ["internal", "external"]},
                        "platform": _LABELS,
                        "product": _LABELS,
                        "group": _LABELS,
                    },
                }
            }
        },
    }
}


def knowledge_of(request: Request) -> Knowledge:
    """Return what a request's product brings knowledge with."""
    services = services_of(request)
    return open_knowledge(services.ground, embedder=services.embedder)


@router.get("/v1/knowledge/sources", responses=PROBLEMS, openapi_extra=BEARER)
async def list_sources(request: Request) -> dict[str, Any]:
    """Return where documents come from."""
    knowledge = knowledge_of(request)
    async with knowledge.ground.pool.connection() as connection:
        overviews = await knowledge.sources.list_all(
            connection, admits=admit_service(service_of(request))
        )
    return {"sources": [describe_source(each) for each in overviews]}


@router.get("/v1/knowledge/sources/{name}/files", responses=PROBLEMS, openapi_extra=BEARER)
async def list_files(
    request: Request,
    name: SourceId,
    verdict: Verdict | None = None,
    after: Annotated[str, Query(max_length=4096)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> dict[str, Any]:
    """Return what became of a source's files, by path; `after` is the last path seen."""
    knowledge = knowledge_of(request)
    async with knowledge.ground.pool.connection() as connection:
        await knowledge.sources.require(connection, name, admits=admit_service(service_of(request)))
        files = await knowledge.files.list_page(
            connection, name, verdict=verdict, after=after, limit=limit
        )
    return {"files": [describe_file(each) for each in files]}


@router.post(
    "/v1/knowledge/sources/{name}/files",
    status_code=201,
    responses={**PROBLEMS, 200: {"description": "The file was in search already"}},
    openapi_extra=BEARER | UPLOAD,
)
async def take_file(request: Request, response: Response, name: SourceId) -> dict[str, Any]:
    """Take one file into a source of uploads, which is made if there is none."""
    upload = await read_upload(request)
    verdict = await knowledge_of(request).ingestion.ingest_upload(
        name,
        upload.name,
        upload.content,
        terms=read_terms(upload.form),
        actor=service_of(request),
        correlation_id=correlation_of(request),
        admits=admit_service(service_of(request)),
    )
    if verdict.is_refused:
        raise FileRefusedError(verdict.detail, verdict=verdict.verdict.value, reason=verdict.reason)
    response.status_code = 200 if verdict.verdict is Verdict.UNCHANGED else 201
    return {"source": name, **describe_file(verdict)}


@router.delete("/v1/knowledge/sources/{name}/files", responses=PROBLEMS, openapi_extra=BEARER)
async def remove_file(
    request: Request, name: SourceId, path: Annotated[str, Query(min_length=1, max_length=4096)]
) -> dict[str, int]:
    """Take a file's documents out of search."""
    actor = service_of(request)
    n_retired = await knowledge_of(request).ingestion.remove_file(
        name,
        path,
        actor=actor,
        correlation_id=correlation_of(request),
        admits=admit_service(actor),
    )
    return {"documents": n_retired}


@router.delete("/v1/knowledge/sources/{name}", responses=PROBLEMS, openapi_extra=BEARER)
async def remove_source(request: Request, name: SourceId) -> dict[str, int]:
    """Take all documents of a source out of search."""
    actor = service_of(request)
    n_retired = await knowledge_of(request).ingestion.remove_source(
        name, actor=actor, correlation_id=correlation_of(request), admits=admit_service(actor)
    )
    return {"documents": n_retired}

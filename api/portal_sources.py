# SPDX-License-Identifier: Apache-2.0
"""Where knowledge comes from: bring a file, see what became of it, decide on what is doubtful.

Who may do which of these is said in `api/knowledge_ingestion.py`, who may know of which source and
document in `api/readers.py`; what is held back is shown to all reviewers, whatever its source.
"""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.errors import CsrfError, InvalidRequestError
from api.knowledge_in import knowledge_of
from api.knowledge_ingestion import CURATORS, REVIEWERS, Knowledge
from api.pages import pages_of
from api.portal_forms import read_text
from api.readers import admit_person, list_groups, reader_groups
from api.sessions import correlation_of, field, require_form, require_person, services_of
from api.source_records import VERDICT_WORDS
from api.uploads import read_terms, read_upload
from retrieval.articles import PLATFORMS
from retrieval.document_flags import Resolution
from retrieval.ingested_files import Verdict
from retrieval.ingestion_errors import ScreenUnavailableError
from retrieval.sources import suggest_name

FILES_A_PAGE = 200
SCANNER_SECONDS = 3.0
PAGE = "/knowledge/sources"
RESOLUTIONS: Mapping[str, Resolution] = {
    "keep": Resolution.KEPT,
    "retire": Resolution.RETIRED,
}
router = APIRouter()


def _may(person: Person, roles: tuple[Role, ...]) -> bool:
    return bool(person.roles & {role.value for role in roles})


@router.get(PAGE)
async def show_sources(request: Request) -> Response:
    """Show the sources, the form for a file, and what waits for a decision."""
    person = await require_person(request)
    person.require(*CURATORS, *REVIEWERS)
    knowledge = knowledge_of(request)
    may_review = _may(person, REVIEWERS)
    scanner_fault = await _find_scanner_fault(knowledge)
    async with knowledge.ground.pool.connection() as connection:
        overviews = await knowledge.sources.list_all(connection, admits=admit_person(person))
        groups = list_groups(reader_groups(person))
        flags = await knowledge.flags.list_open(connection, groups=groups)
        retired = await knowledge.flags.list_retired(connection, groups=groups)
        held = await knowledge.quarantine.list_held(connection) if may_review else ()
        holders = await knowledge.files.list_holders(connection, {file.sha256 for file in held})
        others = [
            file.quarantine_id
            for file in held
            if await knowledge.may_release(connection, file, person.actor)
        ]
    return pages_of(request).render(
        request,
        "sources.html",
        sources=overviews,
        flags=flags,
        retired=retired,
        held=held,
        holders=holders,
        may_release=others,
        platforms=sorted(PLATFORMS),
        is_scanned=knowledge.is_scanned,
        scanner_fault=scanner_fault,
        may_bring=_may(person, CURATORS),
        may_review=may_review,
    )


async def _find_scanner_fault(knowledge: Knowledge) -> str:
    """Return why no file can be taken now; "" where files can."""
    try:
        async with asyncio.timeout(SCANNER_SECONDS):
            await knowledge.ingestion.check_ready()
    except ScreenUnavailableError as error:
        return str(error)
    except TimeoutError:
        return "the malware scanner does not answer: see whether clamd works"
    return ""


@router.post(PAGE)
async def take_upload(request: Request) -> Response:
    """Take a file, and show what became of it."""
    person = await require_person(request)
    person.require(*CURATORS)
    upload = await read_upload(request)
    if not hmac.compare_digest(
        field(upload.form, "csrf_token").encode(), person.csrf_token.encode()
    ):
        raise CsrfError
    asked = field(upload.form, "source")
    name = suggest_name(asked or "uploads")
    await knowledge_of(request).ingestion.ingest_upload(
        name,
        upload.name,
        upload.content,
        terms=read_terms(upload.form),
        actor=person.actor,
        correlation_id=correlation_of(request),
        admits=admit_person(person),
    )
    told = {"file": upload.name, **({"renamed": "1"} if asked not in {"", name} else {})}
    return RedirectResponse(f"{PAGE}/{name}?{urlencode(told)}", status_code=303)


@router.get(f"{PAGE}/{{name}}")
async def show_source(
    request: Request,
    name: str,
    file: str = "",
    renamed: str = "",
    verdict: str = "",
    after: str = "",
) -> Response:
    """Show a source and what became of its files.

    After an upload, `file` is what was brought, and `renamed` says that the source's name is not
    quite what a person wrote.
    """
    person = await require_person(request)
    person.require(*CURATORS, *REVIEWERS)
    knowledge = knowledge_of(request)
    only = Verdict(verdict) if verdict in set(Verdict) else None
    async with knowledge.ground.pool.connection() as connection:
        source = await knowledge.sources.require(connection, name, admits=admit_person(person))
        files = await knowledge.files.list_page(
            connection, name, verdict=only, after=after, limit=FILES_A_PAGE
        )
        versions = await knowledge.files.list_versions(connection, files)
        brought = await knowledge.files.find(connection, name, file) if file else None
    return pages_of(request).render(
        request,
        "source.html",
        source=source,
        files=files,
        versions=versions,
        brought=brought,
        is_renamed=bool(brought and renamed),
        verdict=only.value if only else "",
        words=VERDICT_WORDS,
        next_after=files[-1].path if len(files) == FILES_A_PAGE else "",
        may_bring=_may(person, CURATORS),
    )


@router.post(f"{PAGE}/{{name}}/remove")
async def remove_source(request: Request, name: str) -> Response:
    """Take all documents of a source out of search."""
    person, form = await require_form(request)
    person.require(*CURATORS)
    if field(form, "sure") != "yes":
        raise InvalidRequestError("tick the box that says that you are sure")
    await knowledge_of(request).ingestion.remove_source(
        name,
        actor=person.actor,
        correlation_id=correlation_of(request),
        admits=admit_person(person),
    )
    return RedirectResponse(PAGE, status_code=303)


@router.post(f"{PAGE}/{{name}}/files/remove")
async def remove_file(request: Request, name: str) -> Response:
    """Take a file's documents out of search."""
    person, form = await require_form(request)
    person.require(*CURATORS)
    await knowledge_of(request).ingestion.remove_file(
        name,
        form.get("path", [""])[0],
        actor=person.actor,
        correlation_id=correlation_of(request),
        admits=admit_person(person),
    )
    return RedirectResponse(f"{PAGE}/{name}", status_code=303)


@router.post("/knowledge/flags/{flag_id}")
async def resolve_flag(request: Request, flag_id: str) -> Response:
    """Keep a flagged document, or take it out of search."""
    person, form = await require_form(request)
    person.require(*CURATORS, *REVIEWERS)
    resolution = RESOLUTIONS.get(field(form, "decision"))
    if resolution is None:
        raise InvalidRequestError("decide: keep or retire")
    knowledge = knowledge_of(request)
    async with knowledge.ground.pool.connection() as connection:
        await knowledge.flags.resolve(
            connection,
            flag_id,
            resolution,
            actor=person.actor,
            correlation_id=correlation_of(request),
            groups=list_groups(reader_groups(person)),
        )
    return RedirectResponse(PAGE, status_code=303)


async def _read_review(request: Request) -> tuple[Person, str]:
    person, form = await require_form(request)
    person.require(*REVIEWERS)
    return person, await read_text(form, "reason", services_of(request).ground.masker)


@router.post("/knowledge/quarantine/{quarantine_id}/ask")
async def ask_release(request: Request, quarantine_id: str) -> Response:
    """Ask for a held file's release: what a service brought needs that before it can be decided."""
    person, reason = await _read_review(request)
    await knowledge_of(request).ask_release(
        quarantine_id,
        asked_by=person.actor,
        reason=reason,
        correlation_id=correlation_of(request),
    )
    return RedirectResponse(PAGE, status_code=303)


@router.post("/knowledge/quarantine/{quarantine_id}/release")
async def release_file(request: Request, quarantine_id: str) -> Response:
    """Let a held file pass; it takes another person than who asked, or else who brought it."""
    person, reason = await _read_review(request)
    knowledge = knowledge_of(request)
    async with knowledge.ground.pool.connection() as connection:
        held = await knowledge.quarantine.find(connection, quarantine_id)
    await knowledge.release(
        quarantine_id,
        requested_by=held.requested_by or held.actor,
        released_by=person.actor,
        reason=reason,
        correlation_id=correlation_of(request),
    )
    return RedirectResponse(PAGE, status_code=303)


@router.post("/knowledge/quarantine/{quarantine_id}/destroy")
async def destroy_file(request: Request, quarantine_id: str) -> Response:
    """Destroy a held file for good."""
    person, reason = await _read_review(request)
    facts: dict[str, Any] = {"actor": person.actor, "correlation_id": correlation_of(request)}
    await knowledge_of(request).destroy(quarantine_id, reason=reason, **facts)
    return RedirectResponse(PAGE, status_code=303)

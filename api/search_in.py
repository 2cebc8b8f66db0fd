# SPDX-License-Identifier: Apache-2.0
"""Search over HTTP, and labels in: for services whose token has the scope `read` or `knowledge`.

A service finds documents without groups, and those given to it by name. Past tickets that solved
something are taken in bulk, so many a day; each gets a verdict, and one that cannot be taken stops
no other.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.errors import InvalidRequestError
from api.json_route import service_of, service_route
from api.openapi import BEARER, PROBLEMS
from api.readers import service_groups
from api.scopes import Scope
from api.search_explanation import list_missing_signals, seems_far
from api.search_feedback import (
    MAX_TEXT_CHARACTERS,
    MAX_TICKETS,
    PastTicket,
    SearchFeedback,
    Verdict,
)
from api.search_flags import list_flags
from api.sessions import correlation_of, services_of
from guardrails.sanitise import plain_text
from retrieval.dominance import record_search
from retrieval.facets import SearchFilter
from retrieval.labels import Label
from retrieval.query import SearchQuery, understand_query
from retrieval.search import Passage
from retrieval.sources import MAX_LABEL_CHARACTERS, Trust

MAX_DOCUMENT_ID = 200
MAX_PASSAGES = 50
MAX_QUERY = 4_000  # in an address, of which servers read 64 KiB
router = APIRouter()
search_router = APIRouter(route_class=service_route(Scope.READ))
labels_router = APIRouter(route_class=service_route(Scope.KNOWLEDGE))
Word = Annotated[str, Query(max_length=MAX_LABEL_CHARACTERS)]


class LabelBody(BaseModel):
    """A past ticket, and a document that helped with it or did not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)
    document_id: str = Field(min_length=1, max_length=MAX_DOCUMENT_ID)
    label: Label = Label.HELPED

    @field_validator("document_id")
    @classmethod
    def _plain(cls, value: str) -> str:
        if plain_text(value) != value:
            raise ValueError("must hold no control characters")
        return value

    def read(self) -> PastTicket:
        """Return what is said as a past ticket."""
        return PastTicket(text=self.text, document_id=self.document_id, label=self.label)


LabelBodies = Annotated[list[LabelBody], Field(min_length=1, max_length=MAX_TICKETS)]


@search_router.get("/v1/knowledge/search", responses=PROBLEMS, openapi_extra=BEARER)
async def search_knowledge(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY)],
    platform: Literal["linux", "macos", "windows"] | None = None,
    kind: Literal["article", "script"] | None = None,
    product: Word | None = None,
    trust: Trust | None = None,
    language: Word | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = 8,
) -> dict[str, Any]:
    """Return the best passages for a text, at most two a document, best first."""
    services = services_of(request)
    masked = await SearchFeedback(services.ground, services.embedder).mask(q)
    only = SearchFilter(
        platform=platform,
        kind=kind,
        products=(product,) if product else (),
        languages=(language,) if language else (),
        trusts=(trust.value,) if trust else (),
        groups=service_groups(service_of(request)),
    )
    query, passages, flags = understand_query(masked), list[Passage](), dict[str, list[str]]()
    if masked:
        async with services.ground.pool.connection() as connection:
            passages = await services.retriever.search(connection, masked, only=only, limit=limit)
            await record_search(
                connection,
                [one.document_id for one in passages],
                services.ground.clock.now().date(),
            )
            found = {one.document_id for one in passages}
            flags = await list_flags(connection, found, groups=only.groups)
    return describe_search(query, passages, flags)


def describe_search(
    query: SearchQuery, passages: Sequence[Passage], flags: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return what a search has found, for programs; flags are kinds by document id.

    `far` says that nothing close was found, `missing_signals` which codes of the query none of
    the passages has.
    """
    return {
        "query": describe_query(query),
        "far": bool(passages) and seems_far(passages),
        "missing_signals": list_missing_signals(query.signals, passages),
        "passages": [
            describe_passage(passage) | {"flags": list(flags.get(passage.document_id, ()))}
            for passage in passages
        ],
    }


def describe_query(query: SearchQuery) -> dict[str, Any]:
    """Return a query as it was understood."""
    return {"text": query.text, "signals": list(query.signals), "windows": len(query.windows)}


def describe_passage(passage: Passage) -> dict[str, Any]:
    """Return a passage for programs; figures as ranking has them."""
    return {
        "document_id": passage.document_id,
        "version": passage.version,
        "passage_id": passage.chunk_id,
        "kind": passage.kind,
        "title": passage.title,
        "trust": passage.trust,
        "source": passage.source,
        "language": passage.language,
        "headings": list(passage.headings),
        "page": passage.page,
        "start_offset": passage.start_offset,
        "end_offset": passage.end_offset,
        "text": plain_text(passage.text),
        "score": round(passage.score, 6),
        "parts": {name: round(amount, 6) for name, amount in passage.parts.items()},
        "similarity": round(passage.dense_score, 6),
        "coverage": round(passage.coverage, 6),
        "signals": list(passage.signals),
        "votes": round(passage.votes, 6),
    }


@labels_router.post(
    "/v1/knowledge/labels", status_code=201, responses=PROBLEMS, openapi_extra=BEARER
)
async def take_labels(request: Request, body: LabelBody | LabelBodies) -> dict[str, Any]:
    """Take a past ticket with the document that solved it, or up to a thousand of them."""
    services = services_of(request)
    tickets = [each.read() for each in (body if isinstance(body, list) else [body])]
    actor = service_of(request)
    verdicts = await SearchFeedback(services.ground, services.embedder).take_tickets(
        tickets,
        groups=service_groups(actor),
        actor=actor,
        correlation_id=correlation_of(request),
        per_day=services.ground.settings.labels_per_day,
    )
    n_stored = verdicts.count(Verdict.STORED)
    if not n_stored:
        reasons = sorted({verdict.value for verdict in verdicts})
        raise InvalidRequestError(f"nothing could be taken: {', '.join(reasons)}")
    return {"stored": n_stored, "verdicts": [verdict.value for verdict in verdicts]}


router.include_router(search_router)
router.include_router(labels_router)

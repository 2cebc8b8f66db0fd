# SPDX-License-Identifier: Apache-2.0
"""One version of a document, old ones too, with a passage marked in its place.

Whoever may not read it learns not even that it is there; the newest version decides for the old
ones as well, also when it is out of force: taking a document out of search opens nothing.
"""

import asyncio
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.document_view import PASSAGE_ID, cut_document, has_mark, render_document
from api.errors import NotFoundError
from api.pages import pages_of
from api.portal_search import MAX_ADDRESS
from api.readable_documents import find_newest_groups
from api.readers import may_read, reader_groups
from api.sessions import require_person, services_of
from retrieval.corpus import find_document

MAX_INTEGER = 2**31 - 1
RESULTS: Final = "/knowledge?"
router = APIRouter()


class View(StrEnum):
    """How a document is shown."""

    PAGE = "page"
    SOURCE = "source"  # character by character


@router.get("/knowledge/{document_id}")
async def show_document(
    request: Request,
    document_id: str,
    version: Annotated[int, Query(ge=1, le=MAX_INTEGER)] = 1,
    start: Annotated[int, Query(alias="from", ge=0, le=MAX_INTEGER)] = 0,
    end: Annotated[int, Query(alias="to", ge=0, le=MAX_INTEGER)] = 0,
    view: View = View.PAGE,
    back: Annotated[str, Query(max_length=MAX_ADDRESS)] = "",
) -> Response:
    """Show a version of a document; characters [from, to) are marked.

    `back` is the address of the results that led here.
    """
    person = await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        document = await find_document(connection, document_id, version)
        newest = await find_newest_groups(connection, document_id) or ()
    if document is None or not may_read(reader_groups(person), document.access_groups, *newest):
        raise NotFoundError(f"no document {document_id} version {version}")
    body = document.body
    is_article = document.kind == "article"
    page = None
    if is_article and view is View.PAGE:
        page = await asyncio.to_thread(render_document, body, start, end)
    other = View.PAGE if page is None else View.SOURCE
    return pages_of(request).render(
        request,
        "document.html",
        document=document,
        can_render=is_article and view is View.SOURCE,
        page=page,
        pieces=cut_document(body, start, end) if page is None else (),
        has_passage=has_mark(page) if page else start < min(end, len(body)),
        other_view=f"?{request.url.include_query_params(view=other.value).query}#{PASSAGE_ID}",
        back=back if back.startswith(RESULTS) else "",
    )

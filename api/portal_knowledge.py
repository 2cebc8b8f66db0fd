# SPDX-License-Identifier: Apache-2.0
"""The knowledge: search it, list it, read one version."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.errors import NotFoundError
from api.pages import pages_of
from api.sessions import require_person, services_of
from retrieval.corpus import QUERIES as CORPUS_QUERIES

MAX_QUERY = 2000
router = APIRouter()


@router.get("/knowledge")
async def show_knowledge(request: Request, q: str = "") -> Response:
    """Search the knowledge, or list it."""
    await require_person(request)
    services = services_of(request)
    # What people paste names people; the embedder and its caches get to see none of it.
    query = (await asyncio.to_thread(services.ground.masker.mask, q[:MAX_QUERY])).text
    async with services.ground.pool.connection() as connection:
        passages = (
            await services.retriever.search(connection, query, limit=10) if query.strip() else []
        )
        cursor = await connection.execute(CORPUS_QUERIES["list_current_documents"])
        documents = await cursor.fetchall()
    return pages_of(request).render(
        request, "knowledge.html", q=q, passages=passages, documents=documents
    )


@router.get("/knowledge/{document_id}")
async def show_document(
    request: Request, document_id: str, version: Annotated[int, Query(ge=1, le=2**31 - 1)] = 1
) -> Response:
    """Show one version of a document, old ones too."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        cursor = await connection.execute(
            CORPUS_QUERIES["find_document"], {"document_id": document_id, "version": version}
        )
        document = await cursor.fetchone()
    if document is None:
        raise NotFoundError(f"no document {document_id} version {version}")
    return pages_of(request).render(request, "document.html", document=document)

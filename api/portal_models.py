# SPDX-License-Identifier: Apache-2.0
"""What data scientists look after: models and their figures, drift alarms, labels."""

import asyncio
from functools import partial

from fastapi import APIRouter, Request, Response

from api.accounts import Role
from api.ground import open_registry
from api.pages import pages_of
from api.sessions import require_person, services_of
from models.drift_watch import list_alarms
from models.experience import count_labels

router = APIRouter()


@router.get("/models")
async def show_models(request: Request) -> Response:
    """Show champions and challengers, recent drift alarms, and how many labels there are."""
    person = await require_person(request)
    person.require(Role.DATA_SCIENTIST, Role.AUDITOR)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        alarms = await list_alarms(connection)
        labels = await count_labels(connection)
    registry = open_registry(services.ground)
    versions = await asyncio.to_thread(partial(registry.list_versions, aliased=True))
    return pages_of(request).render(
        request,
        "models.html",
        versions=versions,
        loaded=services.models,
        alarms=alarms,
        labels=labels,
    )

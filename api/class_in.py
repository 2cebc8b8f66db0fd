# SPDX-License-Identifier: Apache-2.0
"""What an incident is, said over HTTP, for services whose token has the scope `labels`.

Such a service is a helpdesk's own tool, in which people name what was wrong. For learning its word
counts as one person's (see the bounds in docs/models.md); for separation of duties it tells who the
person is, by the name of their account here.
"""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.accounts import NAME
from api.class_labels import CONSEQUENCE_WORDS, label_incident
from api.json_route import service_of, service_route
from api.openapi import BEARER, PROBLEMS
from api.scopes import Scope
from api.sessions import correlation_of, services_of
from contracts.failure import FailureClass
from telemetry.incident_classes import MAX_REASON_CHARACTERS, ClassStatement

router = APIRouter(route_class=service_route(Scope.LABELS))


class ClassBody(BaseModel):
    """The class of an incident, as a person states it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    failure_class: FailureClass = Field(
        description="`unknown`: none of the known failures, or no fault"
    )
    seen_class: FailureClass | None = Field(
        default=None, description="What the person saw; another one meanwhile is a conflict"
    )
    reason: str = Field(default="", max_length=MAX_REASON_CHARACTERS)
    user_id: str = Field(
        pattern=f"^(user:)?{NAME.pattern}$",
        description="Who says so: the name of their account here, where they have one. They cannot"
        " approve what is proposed afterwards",
    )


@router.post("/v1/incidents/{incident_id}/class", responses=PROBLEMS, openapi_extra=BEARER)
async def take_class(request: Request, incident_id: str, body: ClassBody) -> dict[str, Any]:
    """Say what an incident is; said again, it changes nothing."""
    ground = services_of(request).ground
    stated = ClassStatement(
        incident_id=incident_id,
        failure_class=body.failure_class,
        seen_class=body.seen_class,
        actor=service_of(request),
        reason=await ground.cases.mask_apart(
            incident_id,
            body.reason,
            actor=service_of(request),
            correlation_id=correlation_of(request),
        ),
        on_behalf_of=f"user:{body.user_id.removeprefix('user:')}",
    )
    async with ground.pool.connection() as connection:
        labelled = await label_incident(ground, connection, stated)
    return {
        "incident_id": incident_id,
        "failure_class": labelled.incident.failure_class.value,
        "status": labelled.incident.status.value,
        "label_id": labelled.label_id,
        "consequence": labelled.consequence.value,
        "detail": CONSEQUENCE_WORDS[labelled.consequence],
    }

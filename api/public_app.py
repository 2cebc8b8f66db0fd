# SPDX-License-Identifier: Apache-2.0
"""What people and services talk to: the portal, the JSON API, the public log, health, metrics."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.staticfiles import StaticFiles

from api.bootstrap import Services
from api.errors import NotFoundError
from api.http import CorrelationMiddleware
from api.pages import Pages
from api.portal import router as portal_router
from api.problems import install_problem_handlers
from api.sessions import correlation_of, require_service
from api.telemetry_api import ingest_body
from contracts.failure import Severity
from evidence.export import export_case
from governance.proposals import find_proposal
from kernel.queries import load_queries
from reasoning.intake import Ticket
from telemetry.incidents import IncidentSource

QUERIES = load_queries(__file__, "portal")
STATIC = Path(__file__).with_name("static")
TILE_SECONDS = 31_536_000
PROBLEM = {"description": "RFC 9457 problem", "content": {"application/problem+json": {}}}
PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys(
    (400, 401, 403, 404, 413, 422, 503), PROBLEM
)


def _readable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold a zero byte")
    value.encode()  # lone surrogates raise here, as ValueError
    return value


class _TicketBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1, max_length=20_000)
    device_id: str | None = Field(default=None, max_length=128)
    user_id: str | None = Field(default=None, max_length=256)
    severity: Severity | None = None

    @field_validator("title", "description", "device_id", "user_id")
    @classmethod
    def _plain(cls, value: str | None) -> str | None:
        return None if value is None else _readable(value)


class _Alert(BaseModel):
    status: str = Field(default="firing", max_length=20)
    labels: dict[str, str] = Field(default_factory=dict, max_length=60)
    annotations: dict[str, str] = Field(default_factory=dict, max_length=60)


class _Alertmanager(BaseModel):
    """The part of Alertmanager's webhook payload (version 4) that is read."""

    alerts: list[_Alert] = Field(max_length=200)


def create_public_app(services: Services) -> FastAPI:
    """Return the application for people and services."""
    app = FastAPI(title="EUCORA", version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.pages = Pages()
    install_problem_handlers(app)
    app.add_middleware(CorrelationMiddleware, ids=services.ground.ids)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_intake_routes(app, services)
    _add_read_routes(app, services)
    _add_log_routes(app, services)
    _add_health_routes(app, services)
    app.include_router(portal_router, include_in_schema=False)
    return app


def _add_intake_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.post("/v1/telemetry", responses=PROBLEMS)
    async def take_telemetry(request: Request) -> dict[str, Any]:
        """Store one report or an array of them (JSON, plain or gzip); answered when durable."""
        name = await require_service(request, "telemetry")
        return await ingest_body(services, request, submitted_by=f"service:{name}", device_id=None)

    async def open_ticket(request: Request, ticket: Ticket) -> dict[str, Any]:
        async with ground.pool.connection() as connection:
            incident, created = await services.intake.open(
                connection, ticket, correlation_id=correlation_of(request)
            )
        return {
            "incident_id": incident.incident_id,
            "created": created,
            "status": incident.status.value,
            "severity": incident.severity.value,
            "failure_class": incident.failure_class.value,
        }

    @app.post("/v1/incidents", status_code=201, responses=PROBLEMS)
    async def take_ticket(request: Request, body: _TicketBody) -> dict[str, Any]:
        """Open an incident from a ticket in free text."""
        name = await require_service(request, "incidents")
        return await open_ticket(
            request, Ticket(reported_by=f"service:{name}", **body.model_dump())
        )

    @app.post("/v1/webhooks/generic", status_code=201, responses=PROBLEMS)
    async def take_webhook(request: Request, body: _TicketBody) -> dict[str, Any]:
        """Open an incident from another tool's alert."""
        name = await require_service(request, "incidents")
        return await open_ticket(
            request,
            Ticket(reported_by=f"service:{name}", source=IncidentSource.ALERT, **body.model_dump()),
        )

    @app.post("/v1/webhooks/alertmanager", responses=PROBLEMS)
    async def take_alerts(request: Request, body: _Alertmanager) -> dict[str, Any]:
        """Open an incident for each firing alert of an Alertmanager notification."""
        name = await require_service(request, "incidents")
        opened = [
            await open_ticket(request, _read_alert(alert, name))
            for alert in body.alerts
            if alert.status == "firing"
        ]
        return {"incidents": opened}


def _read_alert(alert: _Alert, service: str) -> Ticket:
    title = alert.labels.get("alertname") or "Alert"
    words = [alert.annotations.get(name, "") for name in ("summary", "description")]
    severity = {"critical": Severity.S1, "warning": Severity.S2, "info": Severity.S3}.get(
        alert.labels.get("severity", "")
    )
    text = "\n".join(word for word in words if word) or title
    return Ticket(
        title=_strip(title)[:200],
        description=_strip(text)[:20_000],
        device_id=_strip(alert.labels.get("device_id", "")) or None,
        user_id=None,
        reported_by=f"service:{service}",
        severity=severity,
        source=IncidentSource.ALERT,
    )


def _strip(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _add_read_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.get("/v1/incidents/{incident_id}", responses=PROBLEMS)
    async def show_incident(request: Request, incident_id: str) -> JSONResponse:
        """Return an incident with its time line and proposals."""
        await require_service(request, "read")
        key = {"incident_id": incident_id.replace("\x00", "")}
        async with ground.pool.connection() as connection:
            incident = await ground.incidents.find(connection, key["incident_id"])
            if incident is None:
                raise NotFoundError(f"no incident {incident_id}")
            cursor = await connection.execute(QUERIES["list_incident_proposals"], key)
            proposals = await cursor.fetchall()
        content = {
            "incident_id": incident.incident_id,
            "device_id": incident.device_id,
            "status": incident.status.value,
            "severity": incident.severity.value,
            "failure_class": incident.failure_class.value,
            "title": incident.title,
            "proposals": [
                {
                    "proposal_id": row["proposal_id"],
                    "status": row["status"],
                    "script_id": row["script_id"],
                    "abstention_reason": row["abstention_reason"],
                }
                for row in proposals
            ],
        }
        return JSONResponse(content)

    @app.get("/v1/proposals/{proposal_id}/case", responses=PROBLEMS)
    async def show_case(request: Request, proposal_id: str) -> Response:
        """Return a proposal's signed case file, for offline verification."""
        await require_service(request, "read")
        content = await export_proposal(services, proposal_id)
        return Response(content, media_type="application/json")


async def export_proposal(services: Services, proposal_id: str) -> bytes:
    """Return the case file of a proposal; waits shortly for the log to take it in.

    Raises:
        NotFoundError: there is no such proposal.
    """
    ground = services.ground
    async with ground.pool.connection() as connection:
        if await find_proposal(connection, proposal_id.replace("\x00", "")) is None:
            raise NotFoundError(f"no proposal {proposal_id}")
        while await ground.log.sequence_pending(connection):
            await connection.commit()
        return await export_case(
            connection,
            proposal_id,
            objects=ground.objects,
            log=ground.log,
            key_store=ground.key_store,
        )


def _add_log_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.get("/log/checkpoint", responses=PROBLEMS)
    async def show_checkpoint() -> PlainTextResponse:
        """Return the newest signed checkpoint of the audit log (C2SP)."""
        async with ground.pool.connection() as connection:
            checkpoint = await ground.log.latest_checkpoint(connection)
        if checkpoint is None:
            raise NotFoundError("the log is empty")
        return PlainTextResponse(checkpoint.signed_note)

    @app.get("/log/tile/{path:path}", responses=PROBLEMS)
    async def show_tile(request: Request, path: str) -> Response:
        """Return a hash tile (C2SP tlog-tiles); entries themselves need the scope `read`."""
        if path.startswith("entries/"):
            await require_service(request, "read")
        async with ground.pool.connection() as connection:
            content = await ground.log.read_tile(connection, path)
        if content is None:
            raise NotFoundError("no such tile")
        headers = {"Cache-Control": f"public, max-age={TILE_SECONDS}, immutable"}
        return Response(content, media_type="application/octet-stream", headers=headers)


def _add_health_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.get("/healthz")
    async def tell_health() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "alive"}

    @app.get("/readyz", responses=PROBLEMS)
    async def tell_readiness() -> dict[str, str]:
        """Answer when the database answers."""
        async with asyncio.timeout(5), ground.pool.connection() as connection:
            await connection.execute("SELECT 1")
        return {"status": "ready"}

    @app.get("/metrics", responses=PROBLEMS)
    async def show_metrics() -> Response:
        """Return figures in Prometheus' text format."""
        registry = CollectorRegistry()
        gauge = Gauge("eucora_incidents", "Incidents by status", ["status"], registry=registry)
        async with ground.pool.connection() as connection:
            cursor = await connection.execute(QUERIES["count_by_status"])
            for row in await cursor.fetchall():
                gauge.labels(row["status"]).set(row["n_incidents"])
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

# SPDX-License-Identifier: Apache-2.0
"""What people and services talk to: the portal, the JSON API, the public log, health, metrics."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.staticfiles import StaticFiles

from api.bootstrap import Services
from api.case_export import export_proposal
from api.class_in import router as class_router
from api.errors import NotFoundError
from api.http import CorrelationMiddleware
from api.knowledge_in import router as knowledge_router
from api.openapi import BEARER, PROBLEMS, REPORTS, install_openapi
from api.pages import Pages
from api.portal import router as portal_router
from api.problems import install_problem_handlers
from api.scopes import Scope
from api.scripts_in import router as scripts_router
from api.search_in import router as search_router
from api.sessions import require_service
from api.telemetry_api import ingest_body
from api.tickets_api import router as tickets_router
from api.worker_presence import count_workers, describe_workers
from kernel.queries import load_queries
from telemetry.incident_classes import ClassLabel, list_class_labels
from telemetry.incidents import Incident

QUERIES = load_queries(__file__, "portal")
STATIC = Path(__file__).with_name("static")
TILE_SECONDS = 31_536_000


class TileResponse(Response):
    """Hashes, or entries, of the log."""

    media_type = "application/octet-stream"


def create_public_app(services: Services) -> FastAPI:
    """Return the application for people and services."""
    app = FastAPI(title="EUCORA", version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.pages = Pages()
    install_openapi(app)
    install_problem_handlers(app)
    app.add_middleware(CorrelationMiddleware, ids=services.ground.ids)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_telemetry_route(app, services)
    app.include_router(tickets_router)
    app.include_router(class_router)
    app.include_router(knowledge_router)
    app.include_router(search_router)
    app.include_router(scripts_router)
    _add_read_routes(app, services)
    _add_log_routes(app, services)
    _add_health_routes(app, services)
    app.include_router(portal_router, include_in_schema=False)
    return app


def _add_telemetry_route(app: FastAPI, services: Services) -> None:
    """Add the way in for services that report for any device; devices have a port of their own."""

    @app.post("/v1/telemetry", responses=PROBLEMS, openapi_extra=BEARER | REPORTS)
    async def take_telemetry(request: Request) -> dict[str, Any]:
        """Store one report or an array of them (JSON, plain or gzip); answered when durable."""
        name = await require_service(request, Scope.TELEMETRY)
        return await ingest_body(services, request, submitted_by=f"service:{name}", device_id=None)


def _add_read_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.get("/v1/incidents/{incident_id}", responses=PROBLEMS, openapi_extra=BEARER)
    async def show_incident(request: Request, incident_id: str) -> JSONResponse:
        """Return an incident with its time line and proposals."""
        await require_service(request, Scope.READ)
        async with ground.pool.connection() as connection:
            incident = await ground.incidents.find(connection, incident_id)
            if incident is None:
                raise NotFoundError(f"no incident {incident_id}")
            labels = await list_class_labels(connection, incident_id)
            cursor = await connection.execute(
                QUERIES["list_incident_proposals"], {"incident_id": incident_id}
            )
            proposals = await cursor.fetchall()
        return JSONResponse(_describe_incident(incident, labels, proposals))

    @app.get("/v1/proposals/{proposal_id}/case", responses=PROBLEMS, openapi_extra=BEARER)
    async def show_case(request: Request, proposal_id: str) -> Response:
        """Return a proposal's signed case file, for offline verification."""
        await require_service(request, Scope.READ)
        content = await export_proposal(services, proposal_id)
        return Response(content, media_type="application/json")


def _describe_incident(
    incident: Incident, labels: Sequence[ClassLabel], proposals: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what services read of an incident, as JSON values."""
    return {
        "incident_id": incident.incident_id,
        "device_id": incident.device_id,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "failure_class": incident.failure_class.value,
        "class_stated_by": labels[-1].actor if labels else None,
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


def _add_log_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.get("/log/checkpoint", responses=PROBLEMS, response_class=PlainTextResponse)
    async def show_checkpoint() -> PlainTextResponse:
        """Return the newest signed checkpoint of the audit log (C2SP)."""
        async with ground.pool.connection() as connection:
            checkpoint = await ground.log.latest_checkpoint(connection)
        if checkpoint is None:
            raise NotFoundError("the log is empty")
        return PlainTextResponse(checkpoint.signed_note)

    @app.get("/log/tile/{path:path}", responses=PROBLEMS, response_class=TileResponse)
    async def show_tile(request: Request, path: str) -> Response:
        """Return a hash tile (C2SP tlog-tiles); entries themselves need the scope `read`."""
        if path.startswith("entries/"):
            await require_service(request, Scope.READ)
        async with ground.pool.connection() as connection:
            content = await ground.log.read_tile(connection, path)
        if content is None:
            raise NotFoundError("no such tile")
        headers = {"Cache-Control": f"public, max-age={TILE_SECONDS}, immutable"}
        return TileResponse(content, headers=headers)


def _add_health_routes(app: FastAPI, services: Services) -> None:
    ground = services.ground

    @app.get("/healthz")
    async def tell_health() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "alive"}

    @app.get("/readyz", responses=PROBLEMS)
    async def tell_readiness() -> dict[str, str]:
        """Answer when the database answers; say what else is not as it should be.

        Without a worker pages and reports are still answered, so this server is ready.
        """
        async with asyncio.timeout(5), ground.pool.connection() as connection:
            n_workers = await count_workers(connection)
        return {
            "status": "ready",
            "workers": describe_workers(n_workers),
            "names_of_outsiders": (
                "recognised"
                if ground.masker.knows_outsiders
                else "not recognised until `eucora prepare` has trained their recogniser"
            ),
        }

    @app.get("/metrics", responses=PROBLEMS, response_class=PlainTextResponse)
    async def show_metrics() -> Response:
        """Return figures in Prometheus' text format."""
        registry = CollectorRegistry()
        gauge = Gauge("eucora_incidents", "Incidents by status", ["status"], registry=registry)
        async with ground.pool.connection() as connection:
            cursor = await connection.execute(QUERIES["count_by_status"])
            for row in await cursor.fetchall():
                gauge.labels(row["status"]).set(row["n_incidents"])
            answers = Gauge(
                "eucora_language_model_answers",
                "Proposals by how asking the language model ended",
                ["status"],
                registry=registry,
            )
            Gauge(
                "eucora_workers",
                "Workers with a sign of life in the last minute",
                registry=registry,
            ).set(await count_workers(connection))
            cursor = await connection.execute(QUERIES["count_advice"])
            for row in await cursor.fetchall():
                answers.labels(row["status"]).set(row["n_answers"])
            cursor = await connection.execute(
                QUERIES["measure_backlog"], {"now": ground.clock.now()}
            )
            for row in await cursor.fetchall():
                Gauge(
                    f"eucora_{row['name']}_oldest_seconds", row["meaning"], registry=registry
                ).set(row["seconds"])
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

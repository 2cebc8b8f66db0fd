# SPDX-License-Identifier: Apache-2.0
"""The devices, their newest reports and plots; enrolment tokens."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from api.accounts import Role
from api.errors import NotFoundError
from api.pages import pages_of
from api.plots import draw_metric
from api.portal_queries import PLOTTED
from api.portal_rows import fetch
from api.sessions import correlation_of, require_form, require_person, services_of
from telemetry.devices import find_device
from telemetry.reports import latest_report, list_window

PLOT_WINDOW = timedelta(hours=6)
router = APIRouter()


@router.get("/devices")
async def show_devices(request: Request) -> Response:
    """Show the devices."""
    await require_person(request)
    return await _devices_page(request, token=None)


async def _devices_page(request: Request, *, token: str | None) -> Response:
    async with services_of(request).ground.pool.connection() as connection:
        rows = await fetch(connection, "list_device_rows")
        (count,) = await fetch(connection, "count_devices")
    return pages_of(request).render(
        request, "devices.html", rows=rows, n_devices=count["n_devices"], token=token
    )


@router.post("/devices/enrolment-token")
async def make_enrolment_token(request: Request) -> Response:
    """Make a one-time token and show it once."""
    person, _ = await require_form(request)
    person.require(Role.ADMIN)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        token = await ground.tokens.create_enrolment_token(
            connection, actor=person.actor, correlation_id=correlation_of(request)
        )
    return await _devices_page(request, token=token)


@router.get("/devices/{device_id}")
async def show_device(request: Request, device_id: str) -> Response:
    """Show a device with its newest report."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        device = await find_device(connection, device_id)
        if device is None:
            raise NotFoundError(f"no device {device_id}")
        report = await latest_report(connection, device_id)
    available = report.metrics if report else {}
    return pages_of(request).render(
        request,
        "device.html",
        device=device,
        report=report,
        plots=[name for name in PLOTTED if name in available],
    )


@router.get("/devices/{device_id}/plots/{name:path}.svg")
async def show_plot(request: Request, device_id: str, name: str) -> Response:
    """Draw a metric of a device over the last hours."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        newest = await latest_report(connection, device_id)
        if newest is None:
            raise NotFoundError("no telemetry")
        end = newest.observed_at + timedelta(seconds=1)
        reports = await list_window(connection, device_id, end - PLOT_WINDOW, end)
    points = [
        (report.observed_at, report.metrics[name]) for report in reports if name in report.metrics
    ]
    svg = await asyncio.to_thread(draw_metric, name, points)
    return Response(svg, media_type="image/svg+xml")

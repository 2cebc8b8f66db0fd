# SPDX-License-Identifier: Apache-2.0
"""Telemetry over HTTP: one report or an array, plain or gzip."""

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import Request

from api.bootstrap import Services
from api.http import expect_json, read_body
from telemetry.errors import ReportsRefusedError
from telemetry.ingestion import decode_reports


async def ingest_body(
    services: Services, request: Request, *, submitted_by: str, device_id: str | None
) -> dict[str, Any]:
    """Store the reports of a request's body and return what became of each.

    Raises:
        BodyTooLargeError, InvalidRequestError, UnsupportedMediaError: the body cannot be read.
        MalformedReportError, TooManyReportsError: it does not hold acceptable reports.
        ReportsRefusedError: each of them was refused.
    """
    expect_json(request.headers)
    body = await read_body(request.headers, request.receive)
    reports = await asyncio.to_thread(decode_reports, body)
    summary = await services.ingestion.ingest(
        reports,
        submitted_by=submitted_by,
        device_id=device_id,
        correlation_id=request.state.correlation_id,
    )
    rejected = [asdict(item) for item in summary.rejected]
    if rejected and not summary.accepted and not summary.duplicates:
        raise ReportsRefusedError(rejected)
    return {
        "accepted": list(summary.accepted),
        "duplicates": list(summary.duplicates),
        "rejected": rejected,
    }

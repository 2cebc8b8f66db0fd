# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI documents say beyond what FastAPI finds out by itself.

Problem answers (RFC 9457), bearer tokens, and the bodies that are read by msgspec.
"""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from contracts.job import Receipt
from contracts.telemetry import TelemetryReport

_REFERENCE = "#/components/schemas/{name}"
_MEMBERS = {name: {"type": "string"} for name in ("type", "title", "detail", "instance")}
_PROBLEM: dict[str, Any] = {
    "description": "Problem (RFC 9457)",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "properties": {**_MEMBERS, "status": {"type": "integer"}},
                "required": ["type", "title", "status", "detail", "instance"],
            }
        }
    },
}
PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys(
    (400, 401, 403, 404, 409, 413, 415, 422, 503), _PROBLEM
)
BEARER: dict[str, Any] = {"security": [{"bearer": []}]}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


(_report, _receipt), _components = msgspec.json.schema_components(
    (TelemetryReport, Receipt), ref_template=_REFERENCE
)
REPORTS = _body({"anyOf": [_report, {"type": "array", "items": _report, "maxItems": 500}]})
RECEIPT = _body(_receipt)


def install_openapi(app: FastAPI) -> None:
    """Let an app's OpenAPI document name our schemas and ways to authenticate."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(_components)
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign] # how FastAPI wants it

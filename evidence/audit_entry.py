# SPDX-License-Identifier: Apache-2.0
"""The log entry of an audit event: its canonical JSON. Pure.

An entry must fit the two length bytes of a tlog-tiles entry bundle, and one odd event must never
stop the log: what is too large or has no canonical form is replaced by its digest.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.canonical import CanonicalFormError, canonical_json, sha256_hex

LOG_ORIGIN = "eucora.local/audit"
ENTRY_SCHEMA = "eucora.audit.v1"
MAX_ENTRY_BYTES = 65_535
_PLAIN_FIELDS = (
    "event_id",
    "actor",
    "action",
    "subject_kind",
    "subject_id",
    "device_id",
    "correlation_id",
)
_FREE_FIELDS = ("before", "after", "evidence")


def format_instant(instant: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC with microseconds and a Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def audit_entry(event: Mapping[str, Any]) -> bytes:
    """Return the log entry of an `audit_events` row.

    Args:
        event: the columns of the row; JSON columns as Python values.
    """
    document = {field: event[field] for field in _PLAIN_FIELDS}
    document["schema"] = ENTRY_SCHEMA
    document["occurred_at"] = format_instant(event["occurred_at"])
    document |= {field: event[field] for field in _FREE_FIELDS}
    try:
        entry = canonical_json(document)
    except (CanonicalFormError, RecursionError):
        entry = b""
    if entry and len(entry) <= MAX_ENTRY_BYTES:
        return entry
    document |= {field: _digest(event[field]) for field in ("before", "after")}
    reduced = _short_form(document)
    if len(reduced) <= MAX_ENTRY_BYTES:
        return reduced
    return canonical_json({"schema": ENTRY_SCHEMA, "sha256": sha256_hex(_stable(document))})


def _short_form(document: dict[str, Any]) -> bytes:
    try:
        return canonical_json(document)
    except CanonicalFormError:
        return canonical_json(document | {"evidence": _digest(document["evidence"])})


def _digest(value: Any) -> dict[str, str] | None:
    return None if value is None else {"sha256": sha256_hex(_stable(value))}


def _stable(value: Any) -> bytes:
    """Return reproducible bytes of any JSON value, also of those RFC 8785 refuses."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

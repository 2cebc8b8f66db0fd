# SPDX-License-Identifier: Apache-2.0
"""Reads the times that exports write, as UTC where they name no zone."""

from datetime import UTC, datetime

_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%Y-%m-%d")


def read_instant(written: str) -> datetime | None:
    """Return the time, None where it is not understood."""
    written = written.strip()
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = None
    for form in _FORMATS:
        if found is None:
            try:
                found = datetime.strptime(written, form)  # noqa: DTZ007  (set to UTC below)
            except ValueError:
                continue
    if found is None:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None

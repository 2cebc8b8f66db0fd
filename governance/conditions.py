# SPDX-License-Identifier: Apache-2.0
"""Conditions of an approval: a time to act in, and a note. Pure.

Only what dispatch can enforce is a condition; the note is for people and decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.errors import InvalidConditionsError

MAX_NOTE_CHARACTERS = 1000
MAX_DELAY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When the approved job may be handed out; moments are aware."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the conditions that were set, moments as ISO 8601 in UTC."""
        moments = {"not_before": self.not_before, "not_after": self.not_after}
        written: dict[str, Any] = {
            name: moment.astimezone(UTC).isoformat()
            for name, moment in moments.items()
            if moment is not None
        }
        return {**written, "note": self.note} if self.note else written


def _read_moment(conditions: Mapping[str, Any], name: str) -> datetime | None:
    value = conditions.get(name)
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidConditionsError(f"{name} is not an ISO 8601 moment") from error
    if moment.tzinfo is None:
        raise InvalidConditionsError(f"{name} needs a time zone")
    return moment


def parse_conditions(conditions: Mapping[str, Any]) -> Conditions:
    """Read conditions as they come from a form or from the database.

    Raises:
        InvalidConditionsError: an unknown key, a moment without a zone, a note of more than
            1000 characters, or an end before the start.

    """
    unknown = set(conditions) - {"not_before", "not_after", "note"}
    if unknown:
        raise InvalidConditionsError(f"unknown conditions: {', '.join(sorted(unknown))}")
    note = conditions.get("note", "")
    if not isinstance(note, str) or len(note) > MAX_NOTE_CHARACTERS:
        raise InvalidConditionsError("note must be a text of at most 1000 characters")
    parsed = Conditions(
        not_before=_read_moment(conditions, "not_before"),
        not_after=_read_moment(conditions, "not_after"),
        note=note,
    )
    if parsed.not_before and parsed.not_after and parsed.not_after <= parsed.not_before:
        raise InvalidConditionsError("not_after must lie after not_before")
    return parsed


def approval_expiry(conditions: Conditions, *, now: datetime, lifetime: timedelta) -> datetime:
    """Return when (UTC) an approval given now lapses: after its lifetime, or at `not_after`.

    The lifetime counts from `not_before` when that lies ahead.

    Raises:
        InvalidConditionsError: the conditions leave no time to act, or start in over 30 days.

    """
    start = max(now, conditions.not_before or now)
    if start - now > MAX_DELAY:
        raise InvalidConditionsError("not_before lies more than 30 days ahead")
    end = start + lifetime
    if conditions.not_after is not None:
        end = min(end, conditions.not_after)
    if end <= now:
        raise InvalidConditionsError("not_after lies in the past")
    if end <= start:
        raise InvalidConditionsError("not_after must lie after not_before")
    return end.astimezone(UTC)

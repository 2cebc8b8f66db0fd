# SPDX-License-Identifier: Apache-2.0
"""Conditions and freeze windows: the pure rules."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.conditions import Conditions, approval_expiry, parse_conditions
from governance.errors import InvalidConditionsError
from governance.freeze_windows import FreezeWindow, frozen_until

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(start: int, end: int) -> FreezeWindow:
    return FreezeWindow(
        freeze_id=f"frz_{start}",
        starts_at=NOW + start * HOUR,
        ends_at=NOW + end * HOUR,
        reason="year end",
        created_by="ada",
    )


@pytest.mark.parametrize(
    "conditions",
    [
        {"colour": "red"},
        {"not_before": "tomorrow"},
        {"not_before": "2026-11-02T10:00:00"},
        {"not_before": 5},
        {"note": "x" * 1001},
        {"not_before": "2026-11-02T10:00:00Z", "not_after": "2026-11-02T10:00:00Z"},
    ],
)
def test_malformed_conditions_are_refused(conditions):
    with pytest.raises(InvalidConditionsError):
        parse_conditions(conditions)


def test_conditions_survive_being_stored():
    parsed = parse_conditions({"not_before": "2026-11-02T12:00:00+02:00", "note": "after lunch"})
    assert parsed.as_json()["not_before"] == "2026-11-02T10:00:00+00:00"
    assert parse_conditions(parsed.as_json()).as_json() == parsed.as_json()


def test_expiry_counts_from_not_before_and_ends_at_not_after():
    def expiry(**conditions):
        return approval_expiry(Conditions(**conditions), now=NOW, lifetime=24 * HOUR)

    assert expiry() == NOW + 24 * HOUR
    assert expiry(not_before=NOW + 2 * HOUR) == NOW + 26 * HOUR
    assert expiry(not_after=NOW + HOUR) == NOW + HOUR
    with pytest.raises(InvalidConditionsError):
        expiry(not_after=NOW)


def test_freeze_windows_that_touch_count_as_one():
    assert frozen_until([], NOW) is None
    assert frozen_until([window(1, 2)], NOW) is None
    assert frozen_until([window(-2, 0)], NOW) is None
    assert frozen_until([window(0, 1)], NOW) == NOW + HOUR
    assert frozen_until([window(1, 3), window(-1, 1), window(4, 5)], NOW) == NOW + 3 * HOUR
    assert frozen_until([window(-1, 5), window(1, 2)], NOW) == NOW + 5 * HOUR

# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until told, and ids that count."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Returns the same moment until advanced."""

    def __init__(self, moment: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def advance(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)


class SequentialIds:
    """Returns inc_000001, inc_000002, ... for each prefix."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        self._counts[prefix] = self._counts.get(prefix, 0) + 1
        return f"{prefix}_{self._counts[prefix]:06d}"

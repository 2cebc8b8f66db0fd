# SPDX-License-Identifier: Apache-2.0
"""The device's idea of the present, corrected by the server it authenticated.

A device whose clock is wrong must still be able to report that, and to run the job that fixes it:
reports, receipts and the expiry of jobs go by the server's time once it is known. Offsets too
small to matter are left alone, so that timestamps do not jitter.
"""

from datetime import UTC, datetime, timedelta

CORRECTED_FROM_SECONDS = 2.0


class DeviceClock:
    """System clock minus the last known offset."""

    def __init__(self) -> None:
        self.offset_seconds: float | None = None

    def now(self) -> datetime:
        """Return the corrected present, aware, in UTC."""
        present = datetime.now(UTC)
        if self.offset_seconds is None or abs(self.offset_seconds) < CORRECTED_FROM_SECONDS:
            return present
        return present - timedelta(seconds=self.offset_seconds)

    def learn(self, *, asked_at: datetime, answered_at: datetime, server_time: datetime) -> None:
        """Estimate the offset (device minus server) from one exchange, as NTP does (RFC 5905)."""
        midpoint = asked_at + (answered_at - asked_at) / 2
        self.offset_seconds = round((midpoint - server_time).total_seconds(), 3)

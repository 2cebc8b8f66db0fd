# SPDX-License-Identifier: Apache-2.0
"""Reports that wait for the server, bounded in number and bytes.

When a bound is passed the oldest reports go first, and are counted. When the disk refuses them
(a full disk is a fault that must still be reported) the newest few wait in memory instead.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from agent.errors import JournalError
from agent.journal import Journal, count
from contracts.telemetry import TelemetryReport

MAX_IN_MEMORY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedReport:
    """A report as it will be sent."""

    report_id: str
    body: bytes


class ReportQueue:
    """First in, first out, durable where the disk allows."""

    def __init__(self, journal: Journal, *, max_reports: int, max_bytes: int) -> None:
        self._journal = journal
        self._max_reports = max_reports
        self._max_bytes = max_bytes
        self._in_memory: deque[QueuedReport] = deque(maxlen=MAX_IN_MEMORY)

    def add(self, report: TelemetryReport) -> None:
        """Queue one report and drop what exceeds the bounds."""
        body = msgspec.json.encode(report)
        try:
            with self._journal.transaction() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO reports (report_id, body) VALUES (?, ?)",
                    (report.report_id, body),
                )
            self._drop_oldest()
        except JournalError:
            self._in_memory.append(QueuedReport(report_id=report.report_id, body=body))

    def _drop_oldest(self) -> None:
        n_excess = self._count_excess()
        if not n_excess:
            return
        with self._journal.transaction() as connection:
            connection.execute(
                "DELETE FROM reports WHERE position IN"
                " (SELECT position FROM reports ORDER BY position LIMIT ?)",
                (n_excess,),
            )
            count(connection, "dropped_reports", n_excess)

    def _count_excess(self) -> int:
        (totals,) = self._journal.find_rows(
            "SELECT count(*) AS n, coalesce(sum(length(body)), 0) AS bytes FROM reports"
        )
        n_excess = max(0, int(totals["n"]) - self._max_reports)
        n_bytes = int(totals["bytes"])
        if n_bytes <= self._max_bytes:
            return n_excess
        freed = 0
        rows = self._journal.find_rows(
            "SELECT length(body) AS bytes FROM reports ORDER BY position"
        )
        for n_dropped, row in enumerate(rows[:-1], start=1):  # the newest one always stays
            freed += int(row["bytes"])
            if n_bytes - freed <= self._max_bytes:
                return max(n_excess, n_dropped)
        return max(n_excess, len(rows) - 1)

    def next_batch(
        self, *, max_reports: int = 50, max_bytes: int = 1024 * 1024
    ) -> list[QueuedReport]:
        """Return the oldest reports, at least one if any waits, at most `max_bytes` beyond it."""
        rows = self._journal.find_rows(
            "SELECT report_id, body FROM reports ORDER BY position LIMIT ?", max_reports
        )
        waiting = [QueuedReport(report_id=row["report_id"], body=row["body"]) for row in rows]
        batch: list[QueuedReport] = []
        n_bytes = 0
        for report in [*waiting, *self._in_memory][:max_reports]:
            n_bytes += len(report.body)
            if batch and n_bytes > max_bytes:
                break
            batch.append(report)
        return batch

    def remove(self, report_ids: Collection[str], *, n_rejected: int = 0) -> None:
        """Forget reports that the server has answered for."""
        wanted = set(report_ids)
        for report in [entry for entry in self._in_memory if entry.report_id in wanted]:
            self._in_memory.remove(report)
        with self._journal.transaction() as connection:
            connection.executemany(
                "DELETE FROM reports WHERE report_id = ?", [(value,) for value in wanted]
            )
            if n_rejected:
                count(connection, "rejected_reports", n_rejected)

    def __len__(self) -> int:
        """Return how many reports wait."""
        (totals,) = self._journal.find_rows("SELECT count(*) AS n FROM reports")
        return int(totals["n"]) + len(self._in_memory)

# SPDX-License-Identifier: Apache-2.0
"""From received bytes to stored reports: one batch, one durable transaction.

Validation, normalisation, masking, enrichment, storage, one audit event and one outbox message
`telemetry.stored`. A report is identified by its id and its own timestamp, so an agent that sends
one again changes nothing. A report that cannot be taken is rejected with a reason and does not
stop its neighbours.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import msgspec

from contracts.telemetry import TelemetryReport
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.outbox import Outbox
from kernel.queries import load_queries
from telemetry.errors import MalformedReportError, TooManyReportsError
from telemetry.inventory import record_inventory
from telemetry.rows import ReportRow, TextMasker, build_row

__all__ = ["Ingestion", "IngestionSummary", "Rejection", "TextMasker", "decode_reports"]

QUERIES = load_queries(__file__, "ingestion")
MAX_REPORTS = 500
MAX_AGE = timedelta(days=90)
MAX_AHEAD = timedelta(minutes=5)
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_DECODER = msgspec.json.Decoder(TelemetryReport | list[TelemetryReport])


class RejectionReason(StrEnum):
    """Why a well-formed report is not stored."""

    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    UNKNOWN_DEVICE = "unknown_device"
    RETIRED_DEVICE = "retired_device"
    NOT_OWN_DEVICE = "not_own_device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One report that was not stored."""

    report_id: str
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionSummary:
    """What became of a batch; every report id stands in exactly one of the three."""

    accepted: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()


def decode_reports(body: bytes) -> list[TelemetryReport]:
    """Read one report or an array of them from JSON.

    Raises:
        MalformedReportError: not JSON, or outside the contract; `path` says where.
        TooManyReportsError: more than MAX_REPORTS.
    """
    try:
        decoded = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        found = _PATH.search(str(error))
        raise MalformedReportError(
            str(error) or "the JSON is nested too deeply", path=found[1] if found else "$"
        ) from error
    reports = [decoded] if isinstance(decoded, TelemetryReport) else decoded
    if len(reports) > MAX_REPORTS:
        raise TooManyReportsError(f"{len(reports)} reports; at most {MAX_REPORTS} in one request")
    return reports


class Ingestion:
    """Stores batches of reports."""

    def __init__(
        self, pool: Pool, clock: Clock, audit: AuditIntake, outbox: Outbox, masker: TextMasker
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._outbox = outbox
        self._masker = masker
        self._days: set[date] = set()

    async def ingest(
        self,
        reports: Sequence[TelemetryReport],
        *,
        submitted_by: str,
        device_id: str | None,
        correlation_id: str,
    ) -> IngestionSummary:
        """Store a batch. When this returns, what it calls accepted or duplicate is on disk.

        Args:
            reports: at most MAX_REPORTS.
            submitted_by: the authenticated sender, for the audit event.
            device_id: of the sender's client certificate; it may report for itself alone. None
                for a service that may report for any device.
            correlation_id: of the request.
        """
        now = self._clock.now()
        # In a thread: masking the log lines of a full batch takes seconds.
        rows, judged = await asyncio.to_thread(self._judge, reports, now, device_id)
        await self._ensure_partitions(row.observed_at.date() for row in rows)
        async with self._pool.connection() as connection:
            summary = await self._store(
                connection,
                rows,
                judged,
                received_at=now,
                correlation_id=correlation_id,
            )
            await self._record(connection, summary, submitted_by, device_id, correlation_id)
        return summary

    def _judge(
        self, reports: Sequence[TelemetryReport], now: datetime, device_id: str | None
    ) -> tuple[list[ReportRow], IngestionSummary]:
        """Sort out what can be told without the database."""
        rejected: list[Rejection] = []
        repeated: list[str] = []
        rows: dict[tuple[datetime, str], ReportRow] = {}
        for report in reports:
            refusal = _refuse(report, now, device_id)
            if refusal is not None:
                rejected.append(refusal)
                continue
            row = build_row(report, self._masker)
            if row.key in rows:
                repeated.append(report.report_id)
            else:
                rows[row.key] = row
        judged = IngestionSummary(duplicates=tuple(repeated), rejected=tuple(rejected))
        return list(rows.values()), judged

    async def _store(
        self,
        connection: Connection,
        rows: Sequence[ReportRow],
        so_far: IngestionSummary,
        *,
        received_at: datetime,
        correlation_id: str,
    ) -> IngestionSummary:
        await connection.execute(QUERIES["durable"])
        known, unknown = await self._split_known(connection, rows)
        stored = await _insert_reports(connection, known, received_at)
        accepted = [row for row in known if row.key in stored]
        if accepted:
            await record_inventory(connection, accepted)
            await self._outbox.publish(
                connection,
                topic="telemetry.stored",
                payload={
                    "reports": [
                        [row.observed_at.isoformat(), row.report.report_id, row.report.device_id]
                        for row in sorted(accepted, key=lambda row: row.key)
                    ]
                },
                correlation_id=correlation_id,
            )
        duplicates = (row.report.report_id for row in known if row.key not in stored)
        return IngestionSummary(
            accepted=tuple(row.report.report_id for row in accepted),
            duplicates=(*so_far.duplicates, *duplicates),
            rejected=(*so_far.rejected, *unknown),
        )

    async def _split_known(
        self, connection: Connection, rows: Sequence[ReportRow]
    ) -> tuple[list[ReportRow], list[Rejection]]:
        device_ids = sorted({row.report.device_id for row in rows})
        cursor = await connection.execute(QUERIES["lock_devices"], {"device_ids": device_ids})
        status = {row["device_id"]: row["status"] for row in await cursor.fetchall()}
        known: list[ReportRow] = []
        rejected: list[Rejection] = []
        for row in rows:
            found = status.get(row.report.device_id)
            if found == "active":
                known.append(row)
                continue
            reason = (
                RejectionReason.UNKNOWN_DEVICE if found is None else RejectionReason.RETIRED_DEVICE
            )
            rejected.append(
                Rejection(
                    report_id=row.report.report_id,
                    reason=reason,
                    detail=f"device {row.report.device_id} is {found or 'not registered'}",
                )
            )
        return known, rejected

    async def _ensure_partitions(self, days: Iterable[date]) -> None:
        """Make missing partitions, in a transaction of their own: it locks the whole table."""
        missing = sorted(set(days) - self._days)
        if not missing:
            return
        async with self._pool.connection() as connection:
            for day in missing:
                await connection.execute(QUERIES["ensure_partition"], {"day": day})
        self._days.update(missing)

    async def _record(
        self,
        connection: Connection,
        summary: IngestionSummary,
        submitted_by: str,
        device_id: str | None,
        correlation_id: str,
    ) -> None:
        if not summary.accepted and not summary.rejected:
            return
        reasons: dict[str, int] = {}
        for rejection in summary.rejected:
            reasons[rejection.reason] = reasons.get(rejection.reason, 0) + 1
        await self._audit.record(
            connection,
            actor=submitted_by,
            action="telemetry.stored" if summary.accepted else "telemetry.rejected",
            subject_kind="telemetry",
            subject_id=correlation_id,
            device_id=device_id,
            correlation_id=correlation_id,
            after={
                "accepted": len(summary.accepted),
                "duplicates": len(summary.duplicates),
                "rejected": reasons,
            },
        )


async def _insert_reports(
    connection: Connection, rows: Sequence[ReportRow], received_at: datetime
) -> set[tuple[datetime, str]]:
    """Return the keys of the reports that were not there before."""
    if not rows:
        return set()
    cursor = await connection.execute(
        QUERIES["insert_reports"],
        {
            "received_at": received_at,
            "report_ids": [row.report.report_id for row in rows],
            "device_ids": [row.report.device_id for row in rows],
            "user_ids": [row.user_id for row in rows],
            "observed": [row.observed_at for row in rows],
            "metrics": [row.metrics_json for row in rows],
            "facts": [row.facts_json for row in rows],
        },
    )
    return {
        (found["observed_at"].astimezone(UTC), found["report_id"])
        for found in await cursor.fetchall()
    }


def _refuse(report: TelemetryReport, now: datetime, device_id: str | None) -> Rejection | None:
    """Return why a report cannot be taken, judged by itself alone."""
    if device_id is not None and report.device_id != device_id:
        reason, detail = RejectionReason.NOT_OWN_DEVICE, f"the certificate is {device_id}'s"
    elif now - report.timestamp > MAX_AGE:
        reason, detail = RejectionReason.TOO_OLD, f"older than {MAX_AGE.days} days"
    elif report.timestamp - now > MAX_AHEAD:
        reason, detail = RejectionReason.IN_THE_FUTURE, "more than 5 minutes ahead of the server"
    else:
        return None
    return Rejection(report_id=report.report_id, reason=reason, detail=detail)

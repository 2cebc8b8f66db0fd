# SPDX-License-Identifier: Apache-2.0
"""The agent's memory: one SQLite file with queued reports, jobs, receipts and log checkpoint.

Every write is durable when the call returns (WAL, synchronous FULL). A job's row exists before
its first effect, and the row that marks its end is written together with its receipt, so after a
crash a job is either finished, or `started` and never run again.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from agent import used_approvals
from agent.errors import JournalError
from agent.verification import Memory, VerifiedJob
from contracts.job import UNKNOWN_JOB_ID, Job, JobId, Receipt, StepName, StepResult

DATABASE_FILE = "agent.sqlite3"
RESERVE_FILE = "reserve.bin"
RESERVE_BYTES = 1024 * 1024
KEPT_RECEIPTS = 1000

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    position INTEGER PRIMARY KEY AUTOINCREMENT, report_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    envelope_sha256 TEXT PRIMARY KEY, job_id TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL,
    envelope BLOB NOT NULL, state TEXT NOT NULL CHECK (state IN ('started', 'finished')),
    step TEXT NOT NULL DEFAULT '', process_group INTEGER, steps BLOB NOT NULL DEFAULT '[]',
    started_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (
    receipt_id INTEGER PRIMARY KEY AUTOINCREMENT, envelope_sha256 TEXT NOT NULL,
    outcome TEXT NOT NULL, refusal TEXT NOT NULL, body BLOB NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0, UNIQUE (envelope_sha256, outcome, refusal));
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedJob:
    """A job found without an end: `step` is the last one begun, '' when none was."""

    envelope_sha256: str
    job_id: str
    sequence: int
    envelope: bytes
    step: StepName | Literal[""]
    process_group: int | None
    steps: tuple[StepResult, ...]
    started_at: datetime

    def as_unreadable(self, damage: str) -> "UnreadableJob":
        """Return what remains of the row when its envelope turned out to be damaged."""
        return UnreadableJob(
            envelope_sha256=self.envelope_sha256,
            job_id=self.job_id,
            sequence=self.sequence,
            process_group=self.process_group,
            started_at=self.started_at,
            damage=damage,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableJob:
    """A job found without an end whose row is damaged: what of it can still be named."""

    envelope_sha256: str
    job_id: str
    sequence: int
    process_group: int | None
    started_at: datetime | None
    damage: str


class Journal:
    """The one connection to the agent's database; used from one thread."""

    def __init__(self, state_dir: Path) -> None:
        self._reserve = state_dir / RESERVE_FILE
        try:
            self._connection = sqlite3.connect(
                state_dir / DATABASE_FILE, isolation_level=None, timeout=10, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA cache_size = -512")  # KiB: the agent stays small
            self._connection.executescript(_SCHEMA + used_approvals.SCHEMA)
        except sqlite3.Error as error:
            raise JournalError(f"the journal cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements atomically and durably.

        Raises:
            JournalError: the database refused, for instance because the disk is full.

        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise JournalError(f"the journal refused a write: {error}") from error

    def find_rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Run a query.

        Raises:
            JournalError: the database cannot be read.

        """
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"the journal cannot be read: {error}") from error

    def keep_reserve(self) -> None:
        """Hold back disk space, so a job that frees a full disk can still be journaled."""
        if self._reserve.exists():
            return
        try:
            descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, bytes(RESERVE_BYTES))
            finally:
                os.close(descriptor)
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def release_reserve(self) -> None:
        """Give the held-back space to the journal."""
        self._reserve.unlink(missing_ok=True)

    def recall(self) -> Memory:
        """Return the last accepted sequence and checkpoint.

        Raises:
            JournalError: they cannot be read.

        """
        values = {row["name"]: row["value"] for row in self.find_rows("SELECT * FROM memory")}
        return Memory(
            last_sequence=_read_number("last_sequence", values.get("last_sequence", "0")),
            checkpoint=values.get("checkpoint"),
        )

    def repair_memory(self) -> bool:
        """Restore an unreadable last sequence number from the jobs; tell whether it was one.

        Nothing is guessed: the number is written in the transaction that inserts a job, and the
        rows of jobs stay.

        Raises:
            JournalError: the jobs do not tell it either.

        """
        try:
            self.recall()
        except JournalError:
            (row,) = self.find_rows("SELECT max(sequence) AS last FROM jobs")
            last = _read_number("sequence", row["last"] or 0)
            with self.transaction() as connection:
                remember(connection, "last_sequence", str(last))
            return True
        return False

    def counter(self, name: str) -> int:
        """Return a counter, 0 when it never counted."""
        rows = self.find_rows("SELECT value FROM memory WHERE name = ?", f"count:{name}")
        return _read_number(name, rows[0]["value"]) if rows else 0

    def is_known(self, envelope_sha256: str) -> bool:
        """Tell whether this very envelope was ever accepted or refused."""
        statement = (
            "SELECT 1 FROM jobs WHERE envelope_sha256 = ?"
            " UNION ALL SELECT 1 FROM receipts WHERE envelope_sha256 = ?"
        )
        return bool(self.find_rows(statement, envelope_sha256, envelope_sha256))

    def has_job(self, job_id: str) -> bool:
        """Tell whether a job of this id was ever accepted, in whatever envelope."""
        return bool(self.find_rows("SELECT 1 FROM jobs WHERE job_id = ?", job_id))

    def find_run(self, job: Job) -> str | None:
        """Return the id of the job of this kind that ran on the same approval, or case."""
        rows = self.find_rows(used_approvals.FIND, job.kind, job.bundle_digest, job.approval_digest)
        return rows[0]["job_id"] if rows else None

    def is_acknowledged(self, envelope_sha256: str) -> bool:
        """Tell whether the server holds a receipt for this envelope and none is waiting."""
        statement = "SELECT min(acknowledged) AS done FROM receipts WHERE envelope_sha256 = ?"
        return bool(self.find_rows(statement, envelope_sha256)[0]["done"])

    def start_job(
        self, verified: VerifiedJob, envelope: bytes, checkpoint: str, now: datetime
    ) -> None:
        """Write a job down before it acts, with its sequence number and the log's checkpoint."""
        try:
            self._insert_job(verified, envelope, checkpoint, now)
        except JournalError:
            self.release_reserve()
            self._insert_job(verified, envelope, checkpoint, now)

    def _insert_job(
        self, verified: VerifiedJob, envelope: bytes, checkpoint: str, now: datetime
    ) -> None:
        job = verified.job
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO jobs (envelope_sha256, job_id, sequence, envelope, state, started_at)"
                " VALUES (?, ?, ?, ?, 'started', ?)",
                (verified.envelope_sha256, job.job_id, job.sequence, envelope, now.isoformat()),
            )
            used_approvals.note_use(connection, job)
            remember(connection, "last_sequence", str(job.sequence))
            remember(connection, "checkpoint", checkpoint)

    def start_step(self, envelope_sha256: str, step: str) -> None:
        """Note which step is about to begin."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET step = ?, process_group = NULL WHERE envelope_sha256 = ?",
                (step, envelope_sha256),
            )

    def note_process_group(self, envelope_sha256: str, process_group: int) -> None:
        """Note the running step's process group, so a later agent can end it."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET process_group = ? WHERE envelope_sha256 = ?",
                (process_group, envelope_sha256),
            )

    def end_step(self, envelope_sha256: str, steps: tuple[StepResult, ...]) -> None:
        """Note how the steps so far ended."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET steps = ?, process_group = NULL WHERE envelope_sha256 = ?",
                (msgspec.json.encode(steps), envelope_sha256),
            )

    def finish_job(self, receipt: Receipt) -> None:
        """Mark a job finished and queue its receipt, in one transaction."""
        with self.transaction() as connection:
            _insert_receipt(connection, receipt)
            connection.execute(
                "UPDATE jobs SET state = 'finished', envelope = x'', steps = '[]'"
                " WHERE envelope_sha256 = ?",
                (receipt.envelope_sha256,),
            )

    def add_refusal(self, receipt: Receipt) -> bool:
        """Queue a refusal; False when the same refusal of the same envelope is on record."""
        with self.transaction() as connection:
            return _insert_receipt(connection, receipt)

    def list_started(self) -> list[StartedJob | UnreadableJob]:
        """Return the jobs that began and have no end, oldest first."""
        rows = self.find_rows("SELECT * FROM jobs WHERE state = 'started' ORDER BY sequence")
        return [_read_started(row) for row in rows]

    def list_unacknowledged(self) -> list[tuple[int, bytes]]:
        """Return (receipt id, receipt JSON) of what the server has not acknowledged."""
        rows = self.find_rows(
            "SELECT receipt_id, body FROM receipts WHERE NOT acknowledged ORDER BY receipt_id"
        )
        return [(row["receipt_id"], row["body"]) for row in rows]

    def acknowledge(self, receipt_id: int) -> None:
        """Note that the server holds a receipt; forget very old ones."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE receipts SET acknowledged = 1, body = x'' WHERE receipt_id = ?",
                (receipt_id,),
            )
            connection.execute(
                "DELETE FROM receipts WHERE acknowledged AND receipt_id <= ?",
                (receipt_id - KEPT_RECEIPTS,),
            )


def _read_started(row: sqlite3.Row) -> StartedJob | UnreadableJob:
    try:
        return StartedJob(
            envelope_sha256=_convert(row, "envelope_sha256", str),
            job_id=_convert(row, "job_id", JobId),
            sequence=_convert(row, "sequence", int),
            envelope=_convert(row, "envelope", bytes),
            step=_convert(row, "step", StepName | Literal[""]),
            process_group=_convert(row, "process_group", int | None),
            steps=_read_steps(row),
            started_at=_convert(row, "started_at", AwareTime),
        )
    except JournalError as error:
        return UnreadableJob(
            envelope_sha256=row["envelope_sha256"],
            job_id=_attempt(row, "job_id", JobId) or UNKNOWN_JOB_ID,
            sequence=_attempt(row, "sequence", int) or 0,
            process_group=_attempt(row, "process_group", int | None),
            started_at=_attempt(row, "started_at", AwareTime),
            damage=str(error),
        )


def _read_steps(row: sqlite3.Row) -> tuple[StepResult, ...]:
    try:
        return msgspec.json.decode(row["steps"], type=tuple[StepResult, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError, RecursionError) as error:
        raise JournalError("the journal's steps of a started job are damaged") from error


def _convert(row: sqlite3.Row, column: str, kind: Any) -> Any:
    """Return a column's value if it is of its kind.

    Raises:
        JournalError: it is not.

    """
    try:
        return msgspec.convert(row[column], kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise JournalError(f"the journal's {column} of a started job is damaged") from error


def _attempt(row: sqlite3.Row, column: str, kind: Any) -> Any:
    """Return a column's value, None if it is not of its kind."""
    try:
        return _convert(row, column, kind)
    except JournalError:
        return None


def _read_number(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise JournalError(f"the journal's {name} is not a number") from error


def remember(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Write one named value, replacing the earlier one."""
    connection.execute(
        "INSERT INTO memory (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def count(connection: sqlite3.Connection, name: str, amount: int) -> None:
    """Add to a counter."""
    connection.execute(
        "INSERT INTO memory (name, value) VALUES (?, ?) ON CONFLICT (name)"
        " DO UPDATE SET value = CAST(value AS INTEGER) + CAST(excluded.value AS INTEGER)",
        (f"count:{name}", str(amount)),
    )


def _insert_receipt(connection: sqlite3.Connection, receipt: Receipt) -> bool:
    cursor = connection.execute(
        "INSERT OR IGNORE INTO receipts (envelope_sha256, outcome, refusal, body)"
        " VALUES (?, ?, ?, ?)",
        (
            receipt.envelope_sha256,
            receipt.outcome,
            receipt.refusal or "",
            msgspec.json.encode(receipt),
        ),
    )
    return cursor.rowcount == 1

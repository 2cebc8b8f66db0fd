# SPDX-License-Identifier: Apache-2.0
"""What this device has run on whose approval: good for one run, whatever the server remembers.

Written in the transaction that journals a job before its first effect. A fix and its rollback are
two runs of one approval. Several people may have approved one case; it is run once all the same.
"""

import sqlite3

from contracts.job import Job

KEPT = 10_000  # some 2 MB; an approval ends long before so many others were run
SCHEMA = """
CREATE TABLE IF NOT EXISTS approvals (
    position INTEGER PRIMARY KEY AUTOINCREMENT, approval_digest TEXT NOT NULL,
    bundle_digest TEXT NOT NULL, kind TEXT NOT NULL, job_id TEXT NOT NULL,
    UNIQUE (bundle_digest, kind));
"""
FIND = "SELECT job_id FROM approvals WHERE kind = ? AND (bundle_digest = ? OR approval_digest = ?)"


def note_use(connection: sqlite3.Connection, job: Job) -> None:
    """Write down what a job was approved by; forget the oldest of very many."""
    cursor = connection.execute(
        "INSERT INTO approvals (approval_digest, bundle_digest, kind, job_id) VALUES (?, ?, ?, ?)",
        (job.approval_digest, job.bundle_digest, job.kind, job.job_id),
    )
    newest = cursor.lastrowid or 0
    connection.execute("DELETE FROM approvals WHERE position <= ?", (newest - KEPT,))

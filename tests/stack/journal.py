# SPDX-License-Identifier: Apache-2.0
"""Looks into a local agent's journal from outside, read only."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

EMPTY: tuple[()] = ()


def read_journal(data_dir: Path, statement: str) -> list[dict[str, Any]]:
    """Return the rows of one statement on the journal of the agent of an installation."""
    path = data_dir / "agent" / "agent.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement, EMPTY)]


def list_receipts(data_dir: Path) -> list[dict[str, Any]]:
    """Return the receipts ever written, each with its decoded body; acknowledged ones lose it."""
    rows = read_journal(data_dir, "SELECT * FROM receipts ORDER BY receipt_id")
    return [{**row, "body": json.loads(row["body"] or "null")} for row in rows]


def list_jobs(data_dir: Path) -> list[dict[str, Any]]:
    """Return the jobs ever begun."""
    return read_journal(data_dir, "SELECT job_id, state, step FROM jobs")

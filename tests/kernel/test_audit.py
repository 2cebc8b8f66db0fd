# SPDX-License-Identifier: Apache-2.0
"""An audit event lives and dies with the change it describes, and cannot be altered."""

import psycopg
import pytest

from kernel.audit import AuditIntake

EVENT = {
    "actor": "user:ada",
    "action": "thing.changed",
    "subject_kind": "thing",
    "subject_id": "t1",
    "correlation_id": "req_1",
}


async def test_an_event_is_written_whole(connection, clock, ids):
    audit = AuditIntake(clock, ids)
    event_id = await audit.record(
        connection, **EVENT, before={"a": 1}, after={"a": [2, "ü"]}, evidence=["ab" * 32]
    )
    cursor = await connection.execute("SELECT * FROM audit_events")
    (row,) = await cursor.fetchall()
    assert row["event_id"] == event_id
    assert row["occurred_at"] == clock.now()
    assert (row["before"], row["after"]) == ({"a": 1}, {"a": [2, "ü"]})
    assert row["evidence"] == ["ab" * 32]


async def test_a_rolled_back_change_leaves_no_event(pool, clock, ids):
    async with pool.connection() as connection:
        await AuditIntake(clock, ids).record(connection, **EVENT)
        await connection.rollback()
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) AS n FROM audit_events")
        assert (await cursor.fetchone())["n"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events CASCADE",
        "DROP TABLE audit_events",
        "UPDATE log_entries SET entry = ''",
        "DELETE FROM log_checkpoints",
        "UPDATE approvals SET decision = 'approve'",
        "DELETE FROM evidence_bundles",
        "UPDATE incident_transitions SET actor = 'x'",
        "UPDATE schema_migrations SET sha256 = ''",
        "DELETE FROM jobs",
        "DELETE FROM proposals",
        "DELETE FROM scripts",
        "TRUNCATE sessions",
        "CREATE TABLE mine (a int)",
        "COPY users FROM PROGRAM 'true'",
    ],
)
async def test_the_application_cannot_rewrite_history(connection, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await connection.execute(statement)

# SPDX-License-Identifier: Apache-2.0
"""What people say of an incident's class: with history, once, and never over another's head."""

import asyncio

import psycopg
import pytest

from contracts.failure import FailureClass as F
from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from telemetry.errors import (
    ClassChangedError,
    IncidentClosedError,
    TooManyStatementsError,
    UnknownIncidentError,
)
from telemetry.facts import names_alike
from telemetry.incident_classes import (
    MAX_STATEMENTS,
    ClassStatement,
    IncidentClasses,
    list_class_labels,
)
from telemetry.incidents import Incidents, IncidentSignal, IncidentStatus


@pytest.fixture
def incidents(clock, ids):
    return Incidents(clock, ids, AuditIntake(clock, ids), Outbox(clock))


@pytest.fixture
def classes(clock, ids):
    return IncidentClasses(clock, ids, AuditIntake(clock, ids))


async def open_incident(connection, incidents):
    signal = IncidentSignal(
        device_id=None, user_id=None, source="ticket", failure_class="disk_full", confidence=0.7,
        severity="S1", title="Slow", description="It is slow", episode_key="ticket:disk_full",
        detection={}, reported_by="user:hanna", correlation_id="cor_1",
    )  # fmt: skip
    return (await incidents.open_or_merge(connection, signal))[0]


def state(incident, failure=F.DNS, seen=F.DISK_FULL, actor="user:ada", reason=""):
    return ClassStatement(
        incident_id=incident.incident_id, failure_class=failure, seen_class=seen, actor=actor,
        reason=reason,
    )  # fmt: skip


async def test_a_correction_is_shown_kept_and_audited(connection, incidents, classes, clock):
    opened = await open_incident(connection, incidents)
    clock.advance(5)
    given, label, is_new = await classes.label(connection, state(opened, reason="I saw it"))
    assert is_new
    assert (given.failure_class, given.confidence) == (F.DNS, 1.0)
    assert (given.severity, given.status, given.episode_key) == (
        opened.severity, opened.status, opened.episode_key,
    )  # fmt: skip
    assert await incidents.find(connection, opened.incident_id) == given
    assert await list_class_labels(connection, opened.incident_id) == (label,)
    assert (label.from_class, label.from_confidence) == (F.DISK_FULL, 0.7)
    cursor = await connection.execute(
        "SELECT actor, before, after FROM audit_events WHERE action = 'incident.class_labelled'"
    )
    (event,) = await cursor.fetchall()
    assert event["actor"] == "user:ada"
    assert event["before"] == {"failure_class": "disk_full", "confidence": 0.7}
    assert event["after"] == {
        "failure_class": "dns", "reason": "I saw it", "label_id": label.label_id,
    }  # fmt: skip


async def test_said_again_it_changes_nothing_and_who_looked_too_early_is_told(
    connection, incidents, classes
):
    opened = await open_incident(connection, incidents)
    _, confirmed, is_new = await classes.label(connection, state(opened, F.DISK_FULL))
    assert is_new, "the models' class is confirmed"
    for actor in ("user:ada", "user:bob"):
        _, label, is_new = await classes.label(connection, state(opened, F.DISK_FULL, actor=actor))
        assert (label, is_new) == (confirmed, False)
    await classes.label(connection, state(opened, F.DNS))
    assert not (await classes.label(connection, state(opened, F.DNS)))[2], "a retry of a form"
    with pytest.raises(ClassChangedError, match=r"user:ada says meanwhile .* is dns"):
        await classes.label(connection, state(opened, F.PROXY, actor="user:bob"))
    found, *_ = await classes.label(connection, state(opened, F.UNKNOWN, F.DNS, "user:bob"))
    assert found.failure_class is F.UNKNOWN
    history = await list_class_labels(connection, opened.incident_id)
    assert [(one.from_class, one.failure_class) for one in history] == [
        (F.DISK_FULL, F.DISK_FULL), (F.DISK_FULL, F.DNS), (F.DNS, F.UNKNOWN),
    ]  # fmt: skip


async def test_what_is_closed_stays(connection, incidents, classes):
    opened = await open_incident(connection, incidents)
    await classes.label(connection, state(opened))
    await incidents.transition(
        connection, opened.incident_id, IncidentStatus.CLOSED, actor="user:ada", reason="done"
    )
    assert not (await classes.label(connection, state(opened)))[2]
    with pytest.raises(IncidentClosedError, match="is closed"):
        await classes.label(connection, state(opened, F.PROXY, F.DNS))
    with pytest.raises(UnknownIncidentError):
        await classes.label(
            connection,
            ClassStatement(
                incident_id="inc_none", failure_class=F.DNS, seen_class=None, actor="a", reason=""
            ),
        )


async def test_to_and_fro_ends(connection, incidents, classes):
    opened = await open_incident(connection, incidents)
    for number in range(MAX_STATEMENTS):
        await classes.label(connection, state(opened, (F.DNS, F.PROXY)[number % 2], None))
    with pytest.raises(TooManyStatementsError, match="agree with each other"):
        await classes.label(connection, state(opened, F.DNS, None))


async def test_of_two_at_once_one_is_told(pool, incidents, classes):
    async with pool.connection() as connection:
        opened = await open_incident(connection, incidents)

    async def say(failure, actor):
        async with pool.connection() as connection:
            await classes.label(connection, state(opened, failure, actor=actor))

    said = await asyncio.gather(
        say(F.DNS, "user:ada"), say(F.PROXY, "user:bob"), return_exceptions=True
    )
    assert [type(one) for one in said if one is not None] == [ClassChangedError]
    async with pool.connection() as connection:
        assert len(await list_class_labels(connection, opened.incident_id)) == 1


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET incident_id = 'x'"])
@pytest.mark.parametrize("table", ["incident_class_labels", "labelled_windows"])
async def test_labels_are_only_ever_added(connection, table, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await connection.execute(statement.format(table))


def test_the_thing_at_fault_goes_along_within_a_family():
    assert names_alike(F.APP_CRASH, F.BROWSER)
    assert not names_alike(F.APP_CRASH, F.SERVICE_DOWN)
    assert not names_alike(F.DNS, F.PROXY)

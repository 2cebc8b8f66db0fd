# SPDX-License-Identifier: Apache-2.0
"""One open incident per device and episode; no step that the life cycle does not allow."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from telemetry.devices import find_device, list_devices, register_device, set_certificate
from telemetry.errors import (
    DeviceExistsError,
    ForbiddenTransitionError,
    UnknownDeviceError,
    UnknownIncidentError,
)
from telemetry.incidents import ALLOWED_TRANSITIONS, Incidents, IncidentSignal, IncidentStatus


@pytest.fixture
def incidents(clock, ids):
    return Incidents(clock, ids, AuditIntake(clock, ids), Outbox(clock))


async def add_device(connection, clock, ids, device_id="d1"):
    return await register_device(
        connection,
        audit=AuditIntake(clock, ids),
        actor="user:ada",
        correlation_id="req_0",
        device_id=device_id,
        hostname="h",
        os_family="linux",
        enrolled_at=clock.now(),
    )


def signal(**changes) -> IncidentSignal:
    given = {
        "device_id": "d1",
        "user_id": None,
        "source": "detection",
        "failure_class": "disk_full",
        "confidence": 0.9,
        "severity": "S2",
        "title": "Disk nearly full",
        "description": "",
        "episode_key": "disk:/",
        "detection": {"score": 4.2},
        "reported_by": "service:detector",
        "correlation_id": "req_1",
    }
    return IncidentSignal(**(given | changes))


async def count(connection, table):
    cursor = await connection.execute(f"SELECT count(*) AS n FROM {table}")
    return (await cursor.fetchone())["n"]


async def test_the_second_signal_of_an_episode_is_counted(connection, incidents, clock, ids):
    await add_device(connection, clock, ids)
    first, opened = await incidents.open_or_merge(connection, signal())
    again, opened_again = await incidents.open_or_merge(connection, signal(severity="S1"))
    assert (opened, opened_again) == (True, False)
    assert (again.incident_id, again.occurrences) == (first.incident_id, 2)
    assert again.severity == "S1", "it gets worse, never better"
    other, opened = await incidents.open_or_merge(connection, signal(episode_key="cpu"))
    assert opened
    assert other.incident_id != first.incident_id
    cursor = await connection.execute("SELECT payload FROM outbox WHERE topic = 'incident.opened'")
    assert [row["payload"]["incident_id"] for row in await cursor.fetchall()] == [
        first.incident_id,
        other.incident_id,
    ]
    assert await incidents.find(connection, first.incident_id) == again
    assert len(await incidents.list(connection, status=IncidentStatus.OPEN)) == 2
    assert await incidents.list(connection, status=IncidentStatus.CLOSED) == ()
    assert len(await incidents.list(connection, device_id="d1", limit=1)) == 1


async def test_tickets_without_a_device_are_never_merged(connection, incidents):
    for _ in range(2):
        _, opened = await incidents.open_or_merge(
            connection, signal(device_id=None, source="ticket")
        )
        assert opened


async def test_racing_signals_end_in_one_incident(pool, incidents, clock, ids):
    async with pool.connection() as connection:
        await add_device(connection, clock, ids)

    async def send():
        async with pool.connection() as connection:
            return await incidents.open_or_merge(connection, signal())

    results = await asyncio.gather(*(send() for _ in range(8)))
    assert sum(opened for _, opened in results) == 1
    assert len({incident.incident_id for incident, _ in results}) == 1
    assert max(incident.occurrences for incident, _ in results) == 8


async def test_an_ended_episode_may_come_again(connection, incidents, clock, ids):
    await add_device(connection, clock, ids)
    first, _ = await incidents.open_or_merge(connection, signal())
    ended = await incidents.transition(
        connection, first.incident_id, IncidentStatus.RESOLVED, actor="user:ada", reason="gone"
    )
    assert ended.resolved_at == clock.now()
    second, opened = await incidents.open_or_merge(connection, signal())
    assert opened
    assert second.incident_id != first.incident_id


async def test_what_was_seen_before_the_end_opens_nothing(connection, incidents, clock, ids):
    await add_device(connection, clock, ids)
    seen = clock.now()
    first, _ = await incidents.open_or_merge(connection, signal(observed_at=seen))
    clock.advance(60)
    ended = await incidents.transition(
        connection, first.incident_id, IncidentStatus.RESOLVED, actor="user:ada", reason="gone"
    )
    late, opened = await incidents.open_or_merge(connection, signal(observed_at=seen))
    assert (late.incident_id, late.occurrences, opened) == (first.incident_id, 2, False)
    assert (late.status, late.resolved_at) == (IncidentStatus.RESOLVED, ended.resolved_at)
    clock.advance(60)
    again, opened = await incidents.open_or_merge(connection, signal(observed_at=clock.now()))
    assert (again.incident_id != first.incident_id, opened) == (True, True)
    merged, opened = await incidents.open_or_merge(connection, signal(observed_at=seen))
    assert (merged.incident_id, opened) == (again.incident_id, False), "an open one comes first"


async def test_an_escalated_incident_cannot_reopen_beside_another(
    connection, incidents, clock, ids
):
    await add_device(connection, clock, ids)
    first, _ = await incidents.open_or_merge(connection, signal())
    await incidents.transition(
        connection, first.incident_id, IncidentStatus.ESCALATED, actor="a", reason="r"
    )
    await incidents.open_or_merge(connection, signal())
    with pytest.raises(ForbiddenTransitionError):
        await incidents.transition(
            connection, first.incident_id, IncidentStatus.OPEN, actor="a", reason="r"
        )
    assert await count(connection, "incidents") == 2, "the transaction is still usable"


async def test_every_step_is_on_the_time_line_and_audited(connection, incidents, clock, ids):
    await add_device(connection, clock, ids)
    incident, _ = await incidents.open_or_merge(connection, signal())
    road = ["proposed", "approved", "remediating", "verifying", "resolved", "closed"]
    for step in road:
        clock.advance(1)
        await incidents.transition(
            connection, incident.incident_id, IncidentStatus(step), actor="user:ada", reason=step
        )
    line = await incidents.timeline(connection, incident.incident_id)
    assert [each.to_status for each in line] == ["open", *road]
    assert [each.from_status for each in line] == ["none", "open", *road[:-1]]
    cursor = await connection.execute(
        "SELECT action, before, after FROM audit_events WHERE subject_id = %s ORDER BY position",
        [incident.incident_id],
    )
    events = await cursor.fetchall()
    assert [each["action"] for each in events] == [f"incident.{s}" for s in ["opened", *road]]
    assert events[1]["before"] == {"status": "open"}
    assert events[1]["after"] == {"status": "proposed", "reason": "proposed"}


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(list(IncidentStatus)), max_size=8))
def test_status_only_moves_along_the_allowed_steps(steps):
    """The table itself: ends are ends, and every status can be left or is the end."""
    current = IncidentStatus.OPEN
    for step in steps:
        if step in ALLOWED_TRANSITIONS[current]:
            assert step != current
            assert current != IncidentStatus.CLOSED
            current = step


async def test_forbidden_steps_change_nothing(connection, incidents, clock, ids):
    await add_device(connection, clock, ids)
    incident, _ = await incidents.open_or_merge(connection, signal())
    for status in set(IncidentStatus) - ALLOWED_TRANSITIONS[IncidentStatus.OPEN]:
        with pytest.raises(ForbiddenTransitionError):
            await incidents.transition(
                connection, incident.incident_id, status, actor="a", reason="r"
            )
    assert await incidents.find(connection, incident.incident_id) == incident
    assert len(await incidents.timeline(connection, incident.incident_id)) == 1


async def test_unknown_things_are_named(connection, incidents):
    with pytest.raises(UnknownIncidentError):
        await incidents.transition(
            connection, "inc_none", IncidentStatus.CLOSED, actor="a", reason="r"
        )
    with pytest.raises(UnknownDeviceError):
        await incidents.open_or_merge(connection, signal(device_id="nobody"))
    with pytest.raises(ValueError, match="nonsense"):
        await incidents.open_or_merge(connection, signal(failure_class="nonsense"))
    assert await incidents.find(connection, "inc_none") is None
    assert await count(connection, "incidents") == 0


async def test_the_inventory_of_devices(connection, clock, ids):
    device = await add_device(connection, clock, ids)
    assert await find_device(connection, "d1") == device
    assert await find_device(connection, "d2") is None
    with pytest.raises(DeviceExistsError):
        await add_device(connection, clock, ids)
    await add_device(connection, clock, ids, "d2")
    assert [each.device_id for each in await list_devices(connection, limit=1)] == ["d1"]
    assert [each.device_id for each in await list_devices(connection, after="d1")] == ["d2"]
    assert await list_devices(connection, os_family="macos") == []
    audit = AuditIntake(clock, ids)
    await set_certificate(
        connection,
        audit=audit,
        actor="device:d1",
        correlation_id="req_1",
        device_id="d1",
        certificate_sha256="ab" * 32,
    )
    found = await find_device(connection, "d1")
    assert found is not None
    assert found.certificate_sha256 == "ab" * 32
    with pytest.raises(UnknownDeviceError):
        await set_certificate(
            connection,
            audit=audit,
            actor="a",
            correlation_id="r",
            device_id="d3",
            certificate_sha256="",
        )

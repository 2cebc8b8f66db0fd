# SPDX-License-Identifier: Apache-2.0
"""A bad patch on hundreds of devices is one incident; faults that share nothing stay single."""

from datetime import timedelta
from random import Random

import pytest

from models.fleet_endings import EndedEpisode
from models.fleet_evidence import measure_history
from models.rollup import HISTORY, WINDOW
from telemetry.incidents import IncidentScope, IncidentStatus
from tests.models.fleet_stage import MODELS, begin, install, list_background, set_stage

PATCHED = [f"d{n}" for n in range(900) if n % 4 == 0][:200] + [
    f"d{n}" for n in range(900) if n % 4 == 1
][:100]


@pytest.fixture
async def stage(connection, clock, ids):
    return await set_stage(connection, clock, ids)


async def list_fleets(stage):
    found = await stage.incidents.list(stage.connection, limit=500)
    return [one for one in found if one.scope is IncidentScope.FLEET]


def roll_out(stage, device_ids, hours=2.0, seed=1, **changes):
    random = Random(seed)
    return [
        begin(device_id, stage.start + timedelta(hours=hours * random.random()), **changes)
        for device_id in device_ids
    ]


async def test_a_bad_patch_on_300_of_900_devices_is_one_incident(stage):
    await install(stage, PATCHED, "Foo", "5.1")
    background = list_background(Random(7), 900, stage.start, 4.0, 60)
    bad = roll_out(stage, PATCHED)
    await stage.play([*background, *bad])
    (fleet,) = await list_fleets(stage)
    assert fleet.title == "Process fooupdate burns a processor core: devices with Foo 5.1"
    assert "others" in fleet.description
    assert fleet.device_id in PATCHED
    (known,) = await stage.query("SELECT * FROM fleet_incidents")
    assert known["cohort"] == [{"kind": "software_version", "name": "Foo", "version": "5.1"}]
    assert (known["n_cohort"], known["n_fleet"]) == (300, 900)
    members = await stage.query(
        "SELECT e.device_id, e.episode_key, e.failure_class FROM incident_members"
        " JOIN device_episodes AS e USING (episode_id) WHERE left_at IS NULL"
    )
    of_the_patch = {one["device_id"] for one in members if one["episode_key"].endswith("fooupdate")}
    assert of_the_patch == set(PATCHED)
    strangers = [one for one in members if not one["episode_key"].endswith("fooupdate")]
    assert all(one["failure_class"] == "runaway_process" for one in strangers)
    assert len(strangers) <= 6, "only what looks the same, on devices of the cohort"
    alone = await stage.query("SELECT * FROM incidents WHERE scope = 'device' AND part_of IS NULL")
    assert len(alone) == len(background) - len(strangers)
    parts = await stage.query("SELECT * FROM incidents WHERE part_of = %s", fleet.incident_id)
    assert 5 <= len(parts) <= 40, "what was opened before the cohort could be known"
    assert fleet.occurrences >= 100


async def test_background_faults_stay_single(stage):
    await stage.play(list_background(Random(3), 900, stage.start, 24.0, 120))
    assert await list_fleets(stage) == []
    assert all(one.fleet_incident_id is None for one in stage.placements)


async def test_a_cohort_is_named_by_what_explains_it_best(stage):
    affected = [f"d{n}" for n in range(900) if n % 4 == 2]
    await stage.play(roll_out(stage, affected[:60]))
    (fleet,) = await list_fleets(stage)
    assert fleet.title.endswith(f"devices of model {MODELS[2]}")


async def test_an_outage_has_nothing_in_common_but_the_time(stage):
    random = Random(5)
    devices = random.sample([f"d{n}" for n in range(900)], 200)
    changes = {"failure_class": "dns", "drivers": ("dns_failure_percent",), "entity": ""}
    await stage.play(roll_out(stage, devices, hours=0.2, **changes))
    (fleet,) = await list_fleets(stage)
    assert fleet.title.endswith("on many devices at once")
    assert "nothing in common but the time" in fleet.description


async def test_members_leave_and_the_last_one_ends_it(stage):
    await install(stage, PATCHED[:40], "Foo", "5.1")
    bad = roll_out(stage, PATCHED[:40])
    await stage.play(bad)
    (fleet,) = await list_fleets(stage)
    first = [one for one in bad if one.device_id == fleet.device_id]
    await stage.end(first)
    (moved,) = await list_fleets(stage)
    assert moved.device_id != fleet.device_id, "another one stands for the others"
    await stage.end([one for one in bad if one not in first][:-1])
    (going,) = await list_fleets(stage)
    assert going.status is IncidentStatus.OPEN
    await stage.end(bad)
    (ended,) = await list_fleets(stage)
    assert ended.status is IncidentStatus.RESOLVED
    assert await stage.query("SELECT * FROM incidents WHERE status <> 'resolved'") == []
    line = await stage.incidents.timeline(stage.connection, ended.incident_id)
    assert [one.to_status for one in line] == ["open", "resolved"]


async def test_what_a_person_closes_lets_its_parts_go(stage):
    await install(stage, PATCHED[:40], "Foo", "5.1")
    await stage.play(roll_out(stage, PATCHED[:40]))
    (fleet,) = await list_fleets(stage)
    parts = await stage.query("SELECT * FROM incidents WHERE part_of IS NOT NULL")
    await stage.incidents.transition(
        stage.connection, fleet.incident_id, IncidentStatus.CLOSED, actor="user:ada", reason="known"
    )
    await stage.connection.execute("UPDATE outbox SET done_at = now()")
    await stage.fleets.settle(stage.connection, correlation_id="req_2")
    assert await stage.query("SELECT * FROM incidents WHERE part_of IS NOT NULL") == []
    asked = await stage.query(
        "SELECT payload FROM outbox WHERE topic = 'incident.opened' AND done_at IS NULL"
    )
    assert {one["payload"]["incident_id"] for one in asked} == {one["incident_id"] for one in parts}
    live = await stage.query("SELECT * FROM incident_members WHERE left_at IS NULL")
    assert live == []


async def test_the_same_episode_twice_changes_nothing(stage):
    await install(stage, PATCHED[:40], "Foo", "5.1")
    bad = roll_out(stage, PATCHED[:40])
    await stage.play(bad)
    (fleet,) = await list_fleets(stage)
    before = await stage.query("SELECT count(*) AS n FROM incident_members")
    again = await stage.score(bad[-3:])
    assert {one.fleet_incident_id for one in again} == {fleet.incident_id}
    assert await stage.query("SELECT count(*) AS n FROM incident_members") == before
    assert await stage.fleets.observe(stage.connection, [], correlation_id="req_1") == ()


async def test_every_change_is_audited(stage):
    await install(stage, PATCHED[:40], "Foo", "5.1")
    bad = roll_out(stage, PATCHED[:40])
    await stage.play(bad)
    (fleet,) = await list_fleets(stage)
    await stage.end(bad)
    events = await stage.query(
        "SELECT action, after FROM audit_events WHERE subject_id = %s ORDER BY position",
        fleet.incident_id,
    )
    actions = {one["action"] for one in events}
    assert actions == {
        "incident.opened", "incident.members_joined", "incident.members_left",
        "incident.described", "incident.resolved",
    }  # fmt: skip
    joined = [one["after"]["device_ids"] for one in events if one["action"].endswith("_joined")]
    assert {device_id for batch in joined for device_id in batch} == set(PATCHED[:40])
    parts = await stage.query("SELECT * FROM audit_events WHERE action = 'incident.joined'")
    assert len(parts) == len(
        await stage.query("SELECT * FROM incidents WHERE part_of = %s", fleet.incident_id)
    )


async def test_names_of_people_are_never_what_is_common(stage):
    await install(stage, PATCHED[:40], "tool of jane@corp.example", "1")
    await stage.play(roll_out(stage, PATCHED[:40]))
    for one in await stage.incidents.list(stage.connection, limit=500):
        assert "jane" not in f"{one.title} {one.description} {one.detection}"


async def test_unknown_devices_belong_to_none(stage):
    placements = await stage.fleets.observe(
        stage.connection, [begin("nobody", stage.start)], correlation_id="req_1"
    )
    assert [one.fleet_incident_id for one in placements] == [None]
    await stage.fleets.leave(
        stage.connection,
        [EndedEpisode(device_id="nobody", episode_key="x", ended_at=stage.start)],
        correlation_id="req_1",
    )


async def test_a_member_that_was_healed_or_retired_leaves(stage):
    await install(stage, PATCHED[:40], "Foo", "5.1")
    await stage.play(roll_out(stage, PATCHED[:40]))
    (fleet,) = await list_fleets(stage)
    part, *_ = await stage.query(
        "SELECT incident_id, device_id FROM incidents WHERE part_of IS NOT NULL"
    )
    await stage.incidents.transition(
        stage.connection, part["incident_id"], IncidentStatus.RESOLVED, actor="a", reason="fixed"
    )
    retired = next(
        name for name in PATCHED[:40] if name not in {part["device_id"], fleet.device_id}
    )
    await stage.connection.execute(
        "UPDATE devices SET status = 'retired' WHERE device_id = %s", [retired]
    )
    await stage.fleets.settle(stage.connection, correlation_id="req_2")
    left = await stage.query(
        "SELECT e.device_id FROM incident_members AS m JOIN device_episodes AS e USING (episode_id)"
        " WHERE m.left_at IS NOT NULL"
    )
    assert {one["device_id"] for one in left} == {part["device_id"], retired}


async def test_two_patches_at_once_are_two_incidents(stage):
    foo, bar = [f"d{n}" for n in range(0, 240, 6)], [f"d{n}" for n in range(1, 241, 6)]
    await install(stage, foo, "Foo", "5.1")
    await install(stage, bar, "Bar", "2.0")
    crash = {
        "episode_key": "app_crash:bar", "failure_class": "app_crash", "entity": "bar",
        "drivers": ("app_crashes",), "title": "Application bar keeps crashing",
    }  # fmt: skip
    await stage.play([*roll_out(stage, foo), *roll_out(stage, bar, seed=2, **crash)])
    titles = {one.title for one in await list_fleets(stage)}
    assert titles == {
        "Process fooupdate burns a processor core: devices with Foo 5.1",
        "Application bar keeps crashing: devices with Bar 2.0",
    }


async def test_one_patch_that_shows_in_two_ways_is_one_incident(stage):
    foo = [f"d{n}" for n in range(0, 480, 6)]
    await install(stage, foo, "Foo", "5.1")
    leak = {
        "episode_key": "memory_leak", "failure_class": "memory_leak", "entity": "",
        "drivers": ("memory_percent",), "title": "Memory is running out",
    }  # fmt: skip
    await stage.play([*roll_out(stage, foo[:40]), *roll_out(stage, foo[40:], seed=2, **leak)])
    (fleet,) = await list_fleets(stage)
    assert fleet.title.endswith("devices with Foo 5.1")
    (known,) = await stage.query("SELECT symptoms FROM fleet_incidents")
    assert len(known["symptoms"]) == 2


async def test_an_opened_fleet_incident_is_told_once_by_the_episode_that_stands_for_it(stage):
    await install(stage, PATCHED[:40], "Foo", "5.1")
    bad = roll_out(stage, PATCHED[:40])
    stage.clock.advance(3 * 3600.0)
    placements = await stage.score([*bad, bad[0]])
    (fleet,) = await list_fleets(stage)
    (told,) = [one for one in placements if one.opened]
    assert told.opened == (fleet.incident_id,)
    assert told.device_id == fleet.device_id
    again = await stage.score(bad)
    assert all(one.opened == () for one in again)


async def test_a_second_fault_of_a_cohort_days_later_is_an_incident_of_its_own(stage):
    affected = [f"d{n}" for n in range(900) if n % 4 == 2]
    await stage.play(roll_out(stage, affected[:60]))
    stage.start = stage.clock.now() + timedelta(days=5)
    await stage.connection.execute(
        "UPDATE devices SET last_seen_at = %s", [stage.start + timedelta(days=1)]
    )
    leak = {
        "episode_key": "memory_leak", "failure_class": "memory_leak", "entity": "",
        "drivers": ("memory_percent",), "title": "Memory is running out",
    }  # fmt: skip
    await stage.play(roll_out(stage, affected[30:90], seed=2, **leak))
    found = {one.title: one for one in await list_fleets(stage)}
    assert set(found) == {
        f"Process fooupdate burns a processor core: devices of model {MODELS[2]}",
        f"Memory is running out: devices of model {MODELS[2]}",
    }
    await stage.play(roll_out(stage, affected[90:100]))  # the first, which has not ended
    assert len(await list_fleets(stage)) == 2


async def test_a_queue_of_old_reports_makes_no_installation_look_long_watched(stage):
    await stage.score([begin("d1", stage.start - timedelta(days=30))])
    await stage.score([begin("d2", stage.start)])
    assert await measure_history(stage.connection, stage.start) == 0.0
    watched = await measure_history(stage.connection, stage.start + WINDOW + timedelta(days=3))
    assert watched == pytest.approx(3.0)
    long_after = await measure_history(stage.connection, stage.start + timedelta(days=90))
    assert long_after == HISTORY / timedelta(days=1)

# SPDX-License-Identifier: Apache-2.0
"""Devices are judged with others, whatever a device calls itself."""

from datetime import timedelta

import pytest

from models.device_cohorts import find_cohorts
from models.drift_watch import WATCHED_METRICS
from tests.models.scored_fleet import Fleet

COMMON = "linux:t14:workstation"


@pytest.fixture
async def devices(connection):
    """A function that adds devices of a kind, and one that asks for all cohorts."""

    async def add(n, model="t14", role="workstation", os_family="linux"):
        await connection.execute(
            "INSERT INTO devices (device_id, hostname, os_family, model, role, enrolled_at)"
            " SELECT 'd' || (SELECT count(*) FROM devices) + n, 'h', %s, %s, %s, now()"
            " FROM generate_series(1, %s) AS n",
            (os_family, model, role, n),
        )

    async def ask():
        cursor = await connection.execute("SELECT device_id FROM devices")
        return await find_cohorts(connection, [row["device_id"] for row in await cursor.fetchall()])

    return add, ask


async def learn(connection, *cohorts):
    await connection.execute(
        "INSERT INTO detector_cohorts (cohort, state, updated_at)"
        " SELECT cohort, '', now() FROM unnest(%s::text[]) AS cohort",
        (list(cohorts),),
    )


async def count_alike(ask, cohort=COMMON):
    return list((await ask()).values()).count(cohort)


async def test_a_kind_of_five_is_a_cohort_and_an_odd_device_is_judged_with_its_role(devices):
    add, ask = devices
    await add(5)
    await add(4, model="invented")
    await add(1, model="")
    await add(1, role="invented")
    await add(1, os_family="macos", model="invented", role="invented")
    cohorts = list((await ask()).values())
    expected = {COMMON: 5, "linux::workstation": 5, "linux::": 1, "macos::": 1}
    assert {name: cohorts.count(name) for name in cohorts} == expected
    await add(1, model="invented")
    assert await count_alike(ask, "linux:invented:workstation") == 5


async def test_only_devices_in_use_make_a_kind(connection, devices):
    add, ask = devices
    await add(5)
    await connection.execute("UPDATE devices SET status = 'retired' WHERE device_id = 'd1'")
    assert await count_alike(ask) == 0


async def test_a_device_that_comes_and_goes_moves_no_other(connection, devices):
    add, ask = devices
    await add(5)
    await learn(connection, COMMON, "")
    await add(1, os_family="macos")
    for model, n_expected in (("x", 4), ("t14", 5), ("y", 4)):
        await connection.execute("UPDATE devices SET model = %s WHERE device_id = 'd1'", (model,))
        assert await count_alike(ask) == n_expected
    await connection.execute("UPDATE devices SET model = 'x' WHERE device_id IN ('d2', 'd3')")
    assert await count_alike(ask) == 0
    left = await (await connection.execute("SELECT cohort FROM detector_cohorts")).fetchall()
    assert [row["cohort"] for row in left] == [""], "so that it takes five again"
    await connection.execute("UPDATE devices SET model = 't14' WHERE device_id IN ('d2', 'd3')")
    assert await count_alike(ask) == 0
    await connection.execute("UPDATE devices SET model = 't14'")
    assert await count_alike(ask) == 5


async def test_names_are_bounded_and_unambiguous(devices):
    add, ask = devices
    await add(5, model="x" * 256)
    await add(5, model="a:b", role="c")
    await add(5, model="a", role="b:c")
    assert set((await ask()).values()) == {
        f"linux:{'x' * 64}:workstation", "linux:a_b:c", "linux:a:b_c",
    }  # fmt: skip


async def test_there_is_an_end_to_how_many_are_known(connection, devices):
    add, ask = devices
    await learn(connection, *(f"linux:m{n}:workstation" for n in range(1999)), COMMON)
    await add(5)
    await add(5, model="one more")
    cohorts = set((await ask()).values())
    assert cohorts == {COMMON, "linux::"}


async def test_devices_that_invent_models_leave_no_cohort_of_their_own(pool, clock, ids):
    fleet = Fleet(pool, clock, ids)
    await fleet.enrol(8, n_models=1)
    for turn in range(3):
        async with pool.connection() as connection:
            await connection.execute(
                "UPDATE devices SET model = 'invented ' || device_id || %s"
                " WHERE device_id IN ('d6', 'd7')",
                (turn,),
            )
        clock.advance(timedelta(minutes=2).total_seconds())
        await fleet.say([fleet.report(f"d{n}", dns_latency_ms=9.0) for n in range(8)])
    expected = {"linux:Model 0:workstation", "linux::workstation"}
    assert set(fleet.scoring._detector.fleet.cohorts) == expected
    known = await fleet.query("SELECT cohort FROM detector_cohorts WHERE cohort <> ''")
    assert {row["cohort"] for row in known} == expected
    series = await fleet.query("SELECT DISTINCT cohort, metric FROM drift_minutes")
    assert {(row["cohort"], row["metric"]) for row in series} <= {
        (cohort, metric) for cohort in expected for metric in WATCHED_METRICS
    }
    assert {row["cohort"] for row in series} == expected


async def test_a_cohort_that_is_shared_again_begins_anew_in_every_worker(pool, clock, ids):
    fleet = Fleet(pool, clock, ids)
    await fleet.enrol(5, n_models=1)
    workers = [fleet, Fleet(pool, clock, ids)]

    async def say(worker, model):
        async with pool.connection() as connection:
            await connection.execute(
                "UPDATE devices SET model = CASE WHEN device_id < 'd2' THEN 't14' ELSE %s END",
                (model,),
            )
        clock.advance(61.0)
        await worker.say([worker.report(f"d{n}", dns_latency_ms=9.0) for n in range(5)])

    for turn in range(6):
        await say(workers[turn % 2], "t14")
    await say(fleet, "other")
    assert COMMON not in {
        row["cohort"] for row in await fleet.query("SELECT cohort FROM detector_cohorts")
    }
    begun = clock.now() + timedelta(seconds=61)
    for turn in range(4):
        await say(workers[(turn + 1) % 2], "t14")
    for worker in workers:
        model = worker.scoring._detector.fleet.cohorts[COMMON]
        assert model.first_seconds == begun.timestamp(), "whatever it had in memory"

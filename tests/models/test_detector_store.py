# SPDX-License-Identifier: Apache-2.0
"""The detector's memory in the real database: restarts, several workers, what is kept in memory."""

import dataclasses

import numpy as np
import pytest

from models.anomaly import AnomalyDetector
from models.detector_settings import DetectorSettings
from models.detector_store import FLEET
from models.signals import METRIC_NAMES
from tests.models.scoring_worker import (
    DEVICES,
    INTERVAL,
    SICK,
    START,
    Interrupted,
    Worker,
    enrol,
    forget_all,
    make_batch,
    play,
    read_arrays,
    read_sums,
    told,
)


@pytest.fixture
async def fleet(pool):
    await enrol(pool)
    return pool


async def test_a_restart_changes_no_detection_and_hardly_a_score(fleet, tamper, clock):
    steady = Worker(clock)
    expected = await play(fleet, clock, [steady], range(74), np.random.default_rng(1))
    assert {key for _, device, key, _ in told(expected) if device == SICK} == {"anomaly:app_errors"}
    await forget_all(tamper)
    random = np.random.default_rng(1)
    found = await play(fleet, clock, [Worker(clock)], range(40), random)
    found += await play(fleet, clock, [Worker(clock)], range(40, 70), random)
    last = Worker(clock)  # in the midst of an episode
    found += await play(fleet, clock, [last], range(70, 74), random)
    assert told(found) == told(expected)
    for name, array in read_arrays(steady).items():
        assert np.allclose(array, read_arrays(last)[name], rtol=0.1, atol=0.05), name
    for step in range(66, 74):
        for mine, other in zip(expected[step], found[step], strict=True):
            surprise = [np.log(each.p_value) for each in other]
            assert [np.log(each.p_value) for each in mine] == pytest.approx(surprise, rel=0.25)


async def test_two_workers_know_what_one_knows(fleet, tamper, clock):
    alone = Worker(clock)
    expected = await play(fleet, clock, [alone], range(72), np.random.default_rng(2))
    whole = {name: await read_sums(fleet, name) for name in ("linux", "windows", FLEET)}
    await forget_all(tamper)
    pair = [Worker(clock), Worker(clock)]
    found = await play(fleet, clock, pair, range(72), np.random.default_rng(2))
    mine, theirs = told(found), told(expected)
    assert {each[1:3] for each in mine} == {each[1:3] for each in theirs} != set()
    assert abs(mine[0][0] - theirs[0][0]) <= 1, "each has looked at half of the cohort since"
    for name, array in read_arrays(alone).items():
        if name in {"count", "is_open"}:
            assert np.array_equal(array, read_arrays(pair[1])[name]), name
        elif name in {"slow", "fast", "variance"}:
            assert np.allclose(array, read_arrays(pair[1])[name], rtol=0.1, atol=0.05), name
    for cohort in ("linux", "windows"):
        merged = await read_sums(fleet, cohort)
        for name, tolerance in (("pair_weight", 0.01), ("n_devices", 0.0), ("season_weight", 0.01),
                                ("moments", 0.1), ("level", 0.02), ("pool_1", 0.3)):  # fmt: skip
            mine, theirs = np.abs(whole[cohort][name]).sum(), np.abs(merged[name]).sum()
            assert theirs == pytest.approx(mine, rel=tolerance), (cohort, name)
        assert np.array_equal(merged["seconds"], whole[cohort]["seconds"])
    merged = await read_sums(fleet, FLEET)
    assert merged["excursions"].sum() == pytest.approx(whole[FLEET]["excursions"].sum(), rel=0.3)


async def test_a_new_worker_knows_the_cohort_of_a_new_device(fleet, clock):
    random = np.random.default_rng(3)
    async with fleet.connection() as connection:
        await connection.execute(
            "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
            " VALUES ('new', 'h', 'linux', now())"
        )
    await play(fleet, clock, [Worker(clock)], range(40), random)
    other = Worker(clock)
    (report,) = make_batch(40, random, ["x", "new"])[1:]
    async with fleet.connection() as connection:
        await other.score(connection, [report])
        priors = other.detector.fleet.cohort(report.cohort).priors()
    cpu = METRIC_NAMES.index("cpu_percent")
    assert priors.location[cpu] == pytest.approx(40.0, abs=3.0)
    assert read_arrays(other, ["new"])["slow"][0, cpu] == pytest.approx(40.0, abs=6.0)
    assert other.detector.fleet.cohort(report.cohort).n_devices == 13


async def test_memory_holds_the_cohorts_in_use_and_no_other_device(fleet, clock):
    """Others are read again when they are heard of; nothing that they learnt is lost."""
    random = np.random.default_rng(13)
    at_once = DetectorSettings(warm_up_reports=1)
    worker = Worker(clock=clock, detector=AnomalyDetector(at_once))
    worker.store.most_cohorts = 2
    for step in range(12):
        clock.advance(5.0)
        batch = [
            dataclasses.replace(report, cohort=f"kind {step % 6}")
            for report in make_batch(step, random, DEVICES[step % 6 :: 6])
        ]
        async with fleet.connection() as connection:
            await worker.score(connection, batch)
        assert len(worker.detector.fleet.cohorts) <= 4
        assert worker.detector.alarms.read(np.arange(4))["is_open"].shape == (4,)
        assert len(worker.detector._rows) == len(worker.detector._memories) == 4
        assert max(worker.detector._rows.values()) < 4
    for kind in range(6):
        sums = await read_sums(fleet, f"kind {kind}")
        assert sums["n_devices"][0] == 4, "and each counts once"


async def forget(pool, cohort):
    async with pool.connection() as connection:
        await connection.execute("DELETE FROM detector_cohorts WHERE cohort = %s", (cohort,))


@pytest.mark.parametrize("is_known_again", [False, True])
async def test_what_was_forgotten_is_forgotten_by_every_worker(fleet, clock, is_known_again):
    """Also where another worker has begun to learn it anew since."""
    random = np.random.default_rng(4)
    pair = [Worker(clock), Worker(clock)]
    await play(fleet, clock, pair, range(20), random)
    await forget(fleet, "linux")
    if is_known_again:
        await play(fleet, clock, [Worker(clock)], [20], random)
    await play(fleet, clock, pair, range(21, 25), random)
    sums = await read_sums(fleet, "linux")
    assert sums["pair_weight"].max() == pytest.approx(12 * (4 + is_known_again), rel=0.01)
    assert sums["seconds"][0] == (START + INTERVAL * (20 if is_known_again else 21)).timestamp()
    assert (await read_sums(fleet, "windows"))["pair_weight"].max() > 150


async def test_a_forgotten_cohort_that_leaves_memory_is_not_written_back(fleet, clock):
    random = np.random.default_rng(5)
    worker = Worker(clock)
    worker.store.most_cohorts = 0
    for step, kind in enumerate(("first", "second", "second")):
        clock.advance(INTERVAL.total_seconds())
        batch = [dataclasses.replace(each, cohort=kind) for each in make_batch(step, random)]
        async with fleet.connection() as connection:
            await worker.score(connection, batch)
        if kind == "first":
            await forget(fleet, "first")
    assert set(worker.detector.fleet.cohorts) == {"second"}
    async with fleet.connection() as connection:
        rows = await (await connection.execute("SELECT cohort FROM detector_cohorts")).fetchall()
    assert {row["cohort"] for row in rows} == {"second", FLEET}


async def test_forgetting_that_is_rolled_back_is_not_forgotten(fleet, clock):
    random = np.random.default_rng(8)
    worker = Worker(clock)
    await play(fleet, clock, [worker], range(20), random)

    async def forget_score_and_die():
        async with fleet.connection() as connection:
            await connection.execute("DELETE FROM detector_cohorts WHERE cohort = 'linux'")
            await worker.score(connection, make_batch(20, random))
            raise Interrupted

    with pytest.raises(Interrupted):
        await forget_score_and_die()
    await play(fleet, clock, [worker], [21], random)
    assert (await read_sums(fleet, "linux"))["pair_weight"].max() > 100


async def test_alarms_know_how_many_devices_report_also_after_a_restart(fleet, clock):
    async with fleet.connection() as connection:
        await connection.execute(
            "UPDATE devices SET last_seen_at = %s - interval '25 h' * (device_id < 'd05')::int",
            (clock.now(),),
        )
    worker = Worker(clock)
    async with fleet.connection() as connection:
        await worker.score(connection, make_batch(0, np.random.default_rng(1), DEVICES[:2]))
    assert worker.detector.alarms.n_living == 19

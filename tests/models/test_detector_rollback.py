# SPDX-License-Identifier: Apache-2.0
"""Batches that are rolled back are forgotten by the detector, and what others learnt is not."""

import numpy as np
import pytest

from models.detector_state import LAYOUT
from models.detector_store import FLEET
from tests.models.scoring_worker import (
    DEVICES,
    INTERVAL,
    SICK,
    Interrupted,
    Worker,
    enrol,
    forget_all,
    make_batch,
    play,
    read_sums,
)


@pytest.fixture
async def fleet(pool):
    await enrol(pool)
    return pool


async def test_a_batch_that_is_rolled_back_leaves_nothing_of_its_devices(fleet, clock):
    random = np.random.default_rng(6)
    worker = Worker(clock)
    await play(fleet, clock, [worker], range(12), random)
    before = {device: worker.detector.export_state(device) for device in DEVICES}
    clock.advance(INTERVAL.total_seconds())
    batch = make_batch(12, random)

    async def score_and_die():
        async with fleet.connection() as connection:
            await worker.score(connection, batch)
            raise Interrupted

    with pytest.raises(Interrupted):
        await score_and_die()
    assert worker.detector.export_state(SICK) != before[SICK]
    async with fleet.connection() as connection:
        await worker.store.load(connection, worker.detector, DEVICES, ["linux", "windows"])
    assert {device: worker.detector.export_state(device) for device in DEVICES} == before


async def test_a_rolled_back_batch_loses_nothing_of_what_others_learnt(fleet, clock):
    random = np.random.default_rng(7)
    one, other = Worker(clock), Worker(clock)
    await play(fleet, clock, [one, other], range(20), random)
    clock.advance(INTERVAL.total_seconds())

    async def score_and_die(batch):
        async with fleet.connection() as connection:
            await one.score(connection, batch)
            raise Interrupted

    with pytest.raises(Interrupted):
        await score_and_die(make_batch(20, random))
    await play(fleet, clock, [other], range(20, 26), random)
    theirs = (await read_sums(fleet, "linux"))["season_weight"].sum()
    await play(fleet, clock, [one], range(26, 27), random)
    assert (await read_sums(fleet, "linux"))["season_weight"].sum() > theirs


def read_models(worker):
    detector = worker.detector
    models = {name: detector.fleet.cohort(name) for name in ("linux", "windows")}
    return {
        f"{name}:{part}": values
        for name, model in {**models, FLEET: detector.alarms}.items()
        for part, values in model.export().items()
    }


def assert_equal(some, others):
    assert some.keys() == others.keys()
    for name, values in some.items():
        assert np.array_equal(values, others[name]), name


async def test_a_batch_that_is_rolled_back_is_learnt_once(fleet, tamper, clock):
    """Also of cohorts and of the fleet: what it taught is gone, what was learnt before is not."""
    batches = [make_batch(step, np.random.default_rng(step)) for step in range(24)]

    async def score(worker, step, error=None):
        async with fleet.connection() as connection:
            await worker.score(connection, batches[step])
            if error is not None:
                raise error

    found = []
    for is_interrupted in (False, True):
        await forget_all(tamper)
        worker = Worker(clock)
        for step in range(24):
            clock.advance(20.0)  # so that memory is stored with every third batch
            if is_interrupted and step >= 18:
                before = read_models(worker)
                for _ in range(2):
                    with pytest.raises(Interrupted):
                        await score(worker, step, Interrupted())
                async with fleet.connection() as connection:
                    await worker.store.load(connection, worker.detector, DEVICES, ["linux"])
                assert_equal(read_models(worker), before)
            await score(worker, step)
        found.append(read_models(worker))
    clean, interrupted = found
    for name, values in clean.items():
        assert values.sum() == pytest.approx(interrupted[name].sum(), rel=0.05, abs=2.0), name
        if name.endswith(("n_devices", "pair_weight", "level_weight", "seconds", "times")):
            assert np.allclose(values, interrupted[name], rtol=1e-6), name


async def test_a_table_of_metrics_is_told_of_again_after_a_rollback(fleet, clock):
    worker = Worker(clock)

    async def score_and_die():
        async with fleet.connection() as connection:
            await worker.score(connection, make_batch(0, np.random.default_rng(1)))
            raise Interrupted

    with pytest.raises(Interrupted):
        await score_and_die()
    await play(fleet, clock, [worker], [0], np.random.default_rng(1))
    async with fleet.connection() as connection:
        rows = await (await connection.execute("SELECT layout FROM detector_layouts")).fetchall()
    assert [row["layout"] for row in rows] == [LAYOUT]

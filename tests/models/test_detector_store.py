# SPDX-License-Identifier: Apache-2.0
"""The detector's memory in the real database: restarts, several workers, damage, rollbacks."""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from models.anomaly import AnomalyDetector
from models.baseline_update import N_PEAKS
from models.detection import DeviceReport
from models.detector_settings import DetectorSettings
from models.detector_state import (
    LAYOUT,
    _record_of,
    decode_sums,
    encode_devices,
    encode_sums,
    layout_of,
)
from models.detector_store import FLEET, DetectorStore
from models.signals import METRIC_NAMES

START = datetime(2026, 3, 2, tzinfo=UTC)
INTERVAL = timedelta(minutes=45)
QUICK = DetectorSettings(warm_up_reports=10)
DEVICES = [f"d{n:02}" for n in range(24)]
SICK = "d03"


class Interrupted(Exception):  # noqa: N818 - stands for a kill
    pass


@dataclass
class Worker:
    """A process that scores: its detector and its store."""

    clock: object
    detector: AnomalyDetector = field(default_factory=lambda: AnomalyDetector(QUICK))
    store: DetectorStore = field(init=False)

    def __post_init__(self):
        self.store = DetectorStore(clock=self.clock)

    async def score(self, connection, batch):
        ids = sorted({report.device_id for report in batch})
        cohorts = {report.cohort for report in batch}
        await self.store.load(connection, self.detector, ids, cohorts)
        found = self.detector.score_batch(batch)
        await self.store.store(connection, self.detector, ids, cohorts)
        return found


@pytest.fixture
async def fleet(pool):
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
            " SELECT id, 'h', 'linux', now() FROM unnest(%s::text[]) AS id",
            (DEVICES,),
        )
    return pool


def make_batch(step, random, devices=DEVICES):
    batch = []
    for number, device in enumerate(devices):
        load = float(random.normal())
        batch.append(
            DeviceReport(
                device_id=device,
                observed_at=START + INTERVAL * step,
                cohort="linux" if number % 2 else "windows",
                metrics={
                    "cpu_percent": 40.0 + 10 * load,
                    "load_per_core": 1.0 + 0.4 * load + 0.1 * float(random.normal()),
                    "memory_percent": 50.0 + 3 * float(random.normal()),
                    "dns_latency_ms": float(random.gamma(9, 2.5)),
                    "app_errors": 400.0 if device == SICK and step >= 66 else 2.0,
                },
            )
        )
    return batch


async def play(pool, clock, workers, steps, random):
    """Score steps, workers taking turns; return each report's detections."""
    found = []
    for step in steps:
        clock.advance(INTERVAL.total_seconds())
        async with pool.connection() as connection:
            worker = workers[step % len(workers)]
            found.append(await worker.score(connection, make_batch(step, random)))
    return found


def told(found):
    return [
        (step, each.device_id, each.episode_key, each.successive_reports)
        for step, batch in enumerate(found)
        for detections in batch
        for each in detections
    ]


def read_arrays(worker, devices=DEVICES):
    rows = np.array([worker.detector._rows[device] for device in devices])
    return worker.detector._read(rows)


async def forget_all(pool):
    async with pool.connection() as connection:
        await connection.execute("DELETE FROM detector_states")
        await connection.execute("DELETE FROM detector_cohorts")


async def read_sums(pool, cohort):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT state FROM detector_cohorts WHERE cohort = %s", (cohort,)
        )
        return decode_sums(bytes((await cursor.fetchone())["state"]))


async def test_a_restart_changes_no_detection_and_hardly_a_score(fleet, clock):
    steady = Worker(clock)
    expected = await play(fleet, clock, [steady], range(74), np.random.default_rng(1))
    assert {key for _, device, key, _ in told(expected) if device == SICK} == {"anomaly:app_errors"}
    await forget_all(fleet)
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


async def test_two_workers_know_what_one_knows(fleet, clock):
    alone = Worker(clock)
    expected = await play(fleet, clock, [alone], range(72), np.random.default_rng(2))
    whole = {name: await read_sums(fleet, name) for name in ("linux", "windows", FLEET)}
    await forget_all(fleet)
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


def damage_rows(detector, name, value):
    """Return a state that is well-formed but says something impossible."""
    row = np.array([detector._rows[DEVICES[0]]])
    arrays = detector._read(row)
    arrays[name].reshape(-1)[0] = value
    return encode_devices(arrays, [detector._memories[DEVICES[0]]])[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"\x00",
        lambda worker: worker.detector.export_state(DEVICES[0])[:-40],
        lambda worker: damage_rows(worker.detector, "slow", np.nan),
        lambda worker: damage_rows(worker.detector, "slow", 3e38),
        lambda worker: damage_rows(worker.detector, "variance", np.inf),
        lambda worker: damage_rows(worker.detector, "driver", 9_999),
        lambda worker: damage_rows(worker.detector, "driver", -1),
        lambda worker: worker.detector.export_state(DEVICES[0]).replace(
            LAYOUT.encode(), b"0123456789abcdef"
        ),
    ],
    ids=["text", "cut", "nan", "huge", "infinite", "driver", "negative", "layout"],
)
async def test_a_damaged_device_starts_anew_and_harms_no_other(fleet, clock, caplog, damage):
    random = np.random.default_rng(4)
    worker = Worker(clock)
    await play(fleet, clock, [worker], range(15), random)
    before = read_arrays(worker)
    async with fleet.connection() as connection:
        await connection.execute(
            "UPDATE detector_states SET state = %s WHERE device_id = %s",
            (damage(worker), DEVICES[0]),
        )
    await play(fleet, clock, [worker], range(15, 18), random)
    assert (
        f"detector memory of 1 devices is unreadable, they begin anew: {DEVICES[0]}" in caplog.text
    )
    assert DEVICES[1] not in caplog.text
    after = read_arrays(worker)
    cpu = METRIC_NAMES.index("cpu_percent")
    assert after["count"][1:, cpu].tolist() == (before["count"][1:, cpu] + 3).tolist()
    assert np.all(np.abs(after["slow"][:, cpu] - 40.0) < 25)
    for sums in (worker.detector.fleet.cohort("windows").export(), worker.detector.alarms.export()):
        assert all(np.isfinite(values).all() for values in sums.values())
    caplog.clear()
    await play(fleet, clock, [Worker(clock)], range(18, 19), random)
    assert "unreadable" not in caplog.text, "its new memory is sound"


@pytest.mark.parametrize("cohort", ["linux", FLEET])
@pytest.mark.parametrize(
    "state",
    [
        b"\x00",
        encode_sums({"moments": np.zeros((2, 2))}),
        msgspec.msgpack.encode(
            {"version": 2, "layout": LAYOUT, "sums": {"moments": ([2**63, 2], b"\x00" * 8)}}
        ),
    ],
    ids=["text", "other shapes", "no shape"],
)
async def test_a_damaged_cohort_is_learnt_anew_and_harms_no_other(
    fleet, clock, caplog, cohort, state
):
    random = np.random.default_rng(5)
    await play(fleet, clock, [Worker(clock)], range(20), random)
    before = await read_sums(fleet, "windows")
    async with fleet.connection() as connection:
        await connection.execute(
            "UPDATE detector_cohorts SET state = %s WHERE cohort = %s", (state, cohort)
        )
    worker = Worker(clock)
    await play(fleet, clock, [worker], range(20, 25), random)
    assert f"detector memory of cohort {cohort} is unreadable" in caplog.text
    assert "devices is unreadable" not in caplog.text
    assert "cohort windows" not in caplog.text
    after = await read_sums(fleet, "windows")
    assert after["pair_weight"].sum() > before["pair_weight"].sum()
    caplog.clear()
    await play(fleet, clock, [Worker(clock)], range(25, 27), random)
    assert not caplog.text, "what was learnt since then has replaced it"


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


async def test_a_batch_that_is_rolled_back_is_learnt_once(fleet, clock):
    """Also of cohorts and of the fleet: what it taught is gone, what was learnt before is not."""
    batches = [make_batch(step, np.random.default_rng(step)) for step in range(24)]

    async def score(worker, step, error=None):
        async with fleet.connection() as connection:
            await worker.score(connection, batches[step])
            if error is not None:
                raise error

    found = []
    for is_interrupted in (False, True):
        await forget_all(fleet)
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


async def test_memory_holds_the_cohorts_in_use_and_no_other_device(fleet, clock):
    """Others are read again when they are heard of; nothing that they learnt is lost."""
    random = np.random.default_rng(13)
    worker = Worker(clock)
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


LAYOUTS = {
    "another's": (layout_of(["a", "b"]), ["a", "c"]),
    "nothing": (layout_of([]), []),
    "empty": (layout_of([""]), [""]),
    "void": ("void", [None]),
    "twice": (layout_of(["a", "a"]), ["a", "a"]),
    "joined": (layout_of(["a", "b"]), ["a\nb"]),
    "nested": (layout_of(["a", "b"]), [["a", "b"], ["c", "d"]]),
    "short": (layout_of(["a", "b"]), ["a", "b"]),
    "peaks": (layout_of([f"m{n}" for n in range(N_PEAKS)]),
              [f"m{n}" for n in range(N_PEAKS)]),
}  # fmt: skip


def resize(array, n_metrics):
    """Return rows of a device as another table of metrics would have them."""
    shape = tuple(n_metrics if size == len(METRIC_NAMES) else size for size in array.shape[1:])
    return np.zeros((len(array), *shape), array.dtype)


@pytest.mark.parametrize("name", LAYOUTS)
async def test_a_damaged_layout_costs_only_its_devices(fleet, clock, caplog, name):
    layout, metrics = LAYOUTS[name]
    random = np.random.default_rng(14)
    await play(fleet, clock, [Worker(clock)], range(12), random)
    worker = Worker(clock)
    async with fleet.connection() as connection:
        await worker.store.load(connection, worker.detector, DEVICES, ["linux"])
        before = read_arrays(worker)
        arrays = {key: resize(each[:1], len(metrics)) for key, each in before.items()}
        record = _record_of(before, len(metrics))
        rows = np.zeros(1, record)
        for key, array in arrays.items():
            rows[key] = array
        stored = msgspec.msgpack.decode(worker.detector.export_state(DEVICES[0]))
        state = msgspec.msgpack.encode({**stored, "layout": layout, "rows": rows.tobytes()})
        await connection.execute(
            "UPDATE detector_states SET state = %s WHERE device_id = %s", (state, DEVICES[0])
        )
        await connection.execute(
            "INSERT INTO detector_layouts (layout, metrics, created_at) VALUES (%s, %s, now())",
            (layout, metrics),
        )
    later = Worker(clock)
    await play(fleet, clock, [later], range(12, 15), random)
    is_sound = name in {"short", "peaks"}
    assert caplog.text.count("layouts are damaged") == (0 if is_sound else 1)
    assert caplog.text.count("they begin anew") == (0 if is_sound else 1)
    cpu = METRIC_NAMES.index("cpu_percent")
    after = read_arrays(later)
    assert after["count"][0, cpu] <= 13.0
    assert after["count"][1:, cpu].tolist() == (before["count"][1:, cpu] + 3).tolist()


async def test_memory_of_an_older_table_of_metrics_is_read_by_name(fleet, clock):
    random = np.random.default_rng(8)
    worker = Worker(clock)
    await play(fleet, clock, [worker], range(15), random)
    older = METRIC_NAMES[::-1]
    cpu, place = METRIC_NAMES.index("cpu_percent"), older.index("cpu_percent")
    arrays = read_arrays(worker)
    arrays["driver"][:] = cpu
    arrays["count"][:, 3] = 77
    turned = {
        name: array[..., ::-1] if array.shape[-1:] == (len(METRIC_NAMES),) else array
        for name, array in arrays.items()
    } | {"driver": np.full_like(arrays["driver"], place)}
    memories = [worker.detector._memories[device] for device in DEVICES]
    states = [
        state.replace(LAYOUT.encode(), layout_of(older).encode())
        for state in encode_devices(turned, memories)
    ]
    async with fleet.connection() as connection:
        await connection.execute(
            "UPDATE detector_states AS kept SET state = given.state"
            " FROM unnest(%s::text[], %s::bytea[]) AS given (device_id, state)"
            " WHERE kept.device_id = given.device_id",
            (DEVICES, states),
        )
        await connection.execute(
            "INSERT INTO detector_layouts (layout, metrics, created_at) VALUES (%s, %s, now())",
            (layout_of(older), list(older)),
        )
    later = Worker(clock)
    async with fleet.connection() as connection:
        await later.store.load(connection, later.detector, DEVICES, ["linux"])
    for name, array in read_arrays(later).items():
        assert np.array_equal(array, arrays[name]), name
    assert later.detector._memories[SICK] == worker.detector._memories[SICK]

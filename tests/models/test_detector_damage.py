# SPDX-License-Identifier: Apache-2.0
"""Damaged memory of the detector, or an older program's, costs what was written with it alone."""

import msgspec
import numpy as np
import pytest

from models.baseline_update import N_PEAKS
from models.detector_state import (
    LAYOUT,
    _record_of,
    encode_devices,
    encode_sums,
    layout_of,
)
from models.detector_store import FLEET
from models.signals import METRIC_NAMES
from tests.models.scoring_worker import (
    DEVICES,
    SICK,
    Worker,
    enrol,
    play,
    read_arrays,
    read_sums,
)


@pytest.fixture
async def fleet(pool):
    await enrol(pool)
    return pool


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

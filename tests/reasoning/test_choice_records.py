# SPDX-License-Identifier: Apache-2.0
"""Past cases count by nearness, and nobody's by more than a few, in one query."""

from types import SimpleNamespace

import pytest

from contracts.failure import FailureClass
from models.track_record import APPROVAL_PRIOR, SUCCESS_PRIOR
from reasoning.track_records import MOST_OF_ONE_WITNESS, find_track_records
from tests.models.settled import add_case, add_label


def script(script_id="script-a", version="1.0.0"):
    return SimpleNamespace(manifest=SimpleNamespace(id=script_id, version=version))


async def read(connection, *scripts):
    return await find_track_records(
        connection,
        scripts or [script()],
        failure_class=FailureClass.DISK_FULL,
        device={"os_family": "linux", "os_version": "12"},
    )


def seen(belief, prior):
    return belief.good - prior.good, belief.bad - prior.bad


async def test_nothing_known_is_the_prior(connection):
    records = await read(connection)
    assert records.of_scripts == {}
    assert (records.class_success, records.class_approval) == (SUCCESS_PRIOR, APPROVAL_PRIOR)


@pytest.mark.parametrize(
    ("case", "weight"),
    [
        ({}, 1.0),
        ({"version": "0.9.0"}, 0.3),
        ({"diagnosis": "sync_client"}, 0.5),
        ({"os_version": "11"}, 0.7),
        ({"version": "0.9.0", "diagnosis": "sync_client", "os_version": "11"}, 0.105),
    ],
)
async def test_a_case_counts_by_its_nearness(connection, case, weight):
    proposal = await add_case(connection, "one", **case)
    for label in ("approve", "succeeded"):
        await add_label(connection, proposal, label)
    record = (await read(connection)).of_scripts["script-a"]
    assert seen(record.success, SUCCESS_PRIOR) == pytest.approx((weight, 0))
    assert seen(record.approval, APPROVAL_PRIOR) == pytest.approx((weight, 0))
    assert record.n_succeeded == ("version" not in case)


async def test_what_counts_against_and_what_says_nothing(connection):
    ends = ("failed", "not_needed", "reject", "override", "override")
    for number, label in enumerate(ends):
        proposal = await add_case(connection, str(number), device=f"dev-{number}")
        await add_label(connection, proposal, label, actor=f"user-{number}")
    # The last override was by the same script, with other parameters.
    await add_case(connection, "child", parent=proposal)
    record = (await read(connection)).of_scripts["script-a"]
    assert seen(record.success, SUCCESS_PRIOR) == (0, 1)
    assert seen(record.approval, APPROVAL_PRIOR) == (0, 2)
    assert (record.n_succeeded, record.n_failed) == (0, 1)


async def test_one_person_and_one_device_count_a_few_times_at_most_the_nearest(connection):
    for number in range(12):
        version = "1.0.0" if number < 3 else "0.9.0"
        proposal = await add_case(connection, str(number), version=version, minute=number)
        await add_label(connection, proposal, "reject", actor="ada", minute=number)
        await add_label(connection, proposal, "failed", minute=number)
    record = (await read(connection)).of_scripts["script-a"]
    bound = 3 + 0.3 * (MOST_OF_ONE_WITNESS - 3)
    assert seen(record.approval, APPROVAL_PRIOR) == pytest.approx((0, bound))
    assert seen(record.success, SUCCESS_PRIOR) == pytest.approx((0, bound))
    assert record.n_failed == 3  # the plain count of this version, for the risk and the reader
    other = await add_case(connection, "other")
    await add_label(connection, other, "approve", actor="bob")
    after = (await read(connection)).of_scripts["script-a"]
    assert seen(after.approval, APPROVAL_PRIOR) == pytest.approx((1, bound))


async def test_the_class_is_known_from_all_its_scripts(connection):
    for name, script_id, diagnosis in (
        ("1", "script-a", "disk_full"), ("2", "script-b", "disk_full"), ("3", "script-b", "dns"),
    ):  # fmt: skip
        proposal = await add_case(connection, name, script_id=script_id, diagnosis=diagnosis)
        await add_label(connection, proposal, "failed")
    records = await read(connection, script(), script("script-b"))
    assert seen(records.class_success, SUCCESS_PRIOR) == (0, 2)
    assert seen(records.of_scripts["script-b"].success, SUCCESS_PRIOR) == (0, 1.5)

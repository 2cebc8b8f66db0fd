# SPDX-License-Identifier: Apache-2.0
"""The object store, on a directory and in memory."""

import stat
from pathlib import Path

import pytest

from evidence.errors import ObjectKeyError, ObjectMissingError
from evidence.objects import Objects, open_objects


@pytest.fixture(params=["directory", "memory"])
def objects(request, tmp_path: Path) -> Objects:
    return open_objects(tmp_path / "objects" if request.param == "directory" else "memory:///")


async def test_what_was_put_is_got(objects: Objects) -> None:
    await objects.put("bundles/ab/abc.json", b"one")
    await objects.put("bundles/ab/abc.json", b"two")
    assert await objects.get("bundles/ab/abc.json") == b"two"
    assert await objects.exists("bundles/ab/abc.json")


async def test_what_was_not_put_is_missing(objects: Objects) -> None:
    assert not await objects.exists("bundles/none.json")
    with pytest.raises(ObjectMissingError):
        await objects.get("bundles/none.json")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a/", "A", "a b"])
async def test_keys_that_leave_the_store_are_refused(objects: Objects, key: str) -> None:
    for attempt in (objects.put(key, b""), objects.get(key), objects.exists(key)):
        with pytest.raises(ObjectKeyError):
            await attempt


async def test_a_directory_is_private_and_outlives_the_process(tmp_path: Path) -> None:
    place = tmp_path / "data" / "objects"
    await open_objects(place).put("a/b", b"kept")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert await open_objects(f"file://{place}").get("a/b") == b"kept"

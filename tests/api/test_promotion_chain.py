# SPDX-License-Identifier: Apache-2.0
"""A model's promotions are one chain, which nobody forks and rollbacks walk back."""

import asyncio
from dataclasses import replace

import pytest

from api.ground import open_registry
from api.model_promotion import ModelPromotions
from models.errors import PromotionRefusedError
from models.promotion import PromotionKind, insert_promotion, list_champions
from tests.api.decided_versions import (
    BOOT,
    make_fit,
    open_ground_with_registry,
    register,
    seen,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
async def ground(dsn, tmp_path, clock, empty_registry):
    async with open_ground_with_registry(dsn, tmp_path, clock, empty_registry) as opened:
        yield opened


async def test_two_who_roll_back_at_the_same_moment_go_back_one_version(ground):
    promotions = ModelPromotions(ground)
    newest = None
    for number, n_rows in enumerate((9, 400, 9_000), start=1):
        register(ground, make_fit(n_rows))
        if number == 1:
            newest = await promotions.record_first("tickets", BOOT)
        else:
            answered = replace(seen(newest), override=True)
            newest = await promotions.promote("tickets", str(number), answered)
    decided = [replace(seen(newest), actor=f"user:{name}") for name in ("ada", "bob")]
    found = await asyncio.gather(
        *(promotions.roll_back("tickets", each) for each in decided), return_exceptions=True
    )
    (refused,) = [one for one in found if isinstance(one, PromotionRefusedError)]
    (done,) = [one for one in found if one is not refused]
    assert (done.version, done.previous_id) == ("2", newest.promotion_id)
    assert "version 2 is the champion of tickets since 2026" in str(refused)
    assert done.promotion_id in str(refused)
    with pytest.raises(PromotionRefusedError, match="another than the one"):
        await promotions.promote("tickets", "3", seen(newest))
    async with ground.pool.connection() as connection:
        assert (await list_champions(connection))["tickets"].version == "2"
    assert (await promotions.roll_back("tickets", seen(done))).version == "1"


async def test_the_database_lets_one_promotion_alone_follow_another(ground):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(9))
    first = await promotions.record_first("tickets", BOOT)
    follows = {"kind": PromotionKind.PROMOTION, "previous_id": first.promotion_id}
    async with ground.pool.connection() as connection:  # nobody takes turns here
        await insert_promotion(connection, replace(first, promotion_id="mpr_1", **follows))
    for late in (replace(first, promotion_id="mpr_2", **follows), replace(first, promotion_id="x")):
        async with ground.pool.connection() as connection:
            with pytest.raises(PromotionRefusedError, match="came first"):
                await insert_promotion(connection, late)


async def test_who_is_overtaken_by_somebody_that_takes_no_turn_is_refused_and_that_is_audited(
    ground,
):
    registry, loop = open_registry(ground), asyncio.get_running_loop()
    promotions, load_version = ModelPromotions(ground, registry), registry.load_version
    for n_rows in (9, 9_000):
        register(ground, make_fit(n_rows))
    newest = await promotions.record_first("tickets", BOOT)

    async def overtake():
        ahead = replace(
            newest, promotion_id=f"{newest.promotion_id}x", previous_id=newest.promotion_id,
            kind=PromotionKind.PROMOTION,
        )  # fmt: skip
        async with ground.pool.connection() as connection:
            await insert_promotion(connection, ahead)

    def load_late(*rest, **given):
        asyncio.run_coroutine_threadsafe(overtake(), loop).result()
        return load_version(*rest, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load_version", load_late)
        with pytest.raises(PromotionRefusedError, match="came first"):
            await promotions.promote("tickets", "2", replace(seen(newest), override=True))
        async with ground.pool.connection() as connection:
            newest = (await list_champions(connection))["tickets"]
        with pytest.raises(PromotionRefusedError, match="came first"):
            await promotions.roll_back("tickets", seen(newest))
    async with ground.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT after FROM audit_events WHERE action = 'model.promotion_refused'"
            " ORDER BY position"
        )
        refused = [row["after"] for row in await cursor.fetchall()]
    assert [each["version"] for each in refused] == ["2", "1"]
    assert all("came first" in each["detail"] for each in refused)


async def test_rollbacks_go_by_promotion_where_files_are_equal(ground):
    """The same training twice makes the same file: what was in use before is still another one."""
    promotions = ModelPromotions(ground)
    for n_rows in (400, 9_000, 400, 400):
        register(ground, make_fit(n_rows))
    newest = await promotions.record_first("tickets", BOOT)
    files = [one.digest for one in reversed(open_registry(ground).list_versions("tickets"))]
    assert files[0] == files[2] == files[3] != files[1]
    async with ground.pool.connection() as connection:
        for version in ("2", "3", "4"):
            newest = replace(
                newest, promotion_id=f"mpr_{version}", version=version,
                digest=files[int(version) - 1], kind=PromotionKind.PROMOTION,
                previous_id=newest.promotion_id,
            )  # fmt: skip
            await insert_promotion(connection, newest)
    for version in ("3", "2", "1"):
        newest = await promotions.roll_back("tickets", seen(newest))
        assert (newest.version, newest.digest) == (version, files[int(version) - 1])
    with pytest.raises(PromotionRefusedError, match="no earlier"):
        await promotions.roll_back("tickets", seen(newest))


async def test_a_rollback_finds_what_lies_a_hundred_promotions_back(ground):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(9))
    register(ground, make_fit(2_000))
    first = await promotions.record_first("tickets", BOOT)
    newest = first
    async with ground.pool.connection() as connection:
        for number in range(101):  # forth and back: what a rollback passes over
            forth = replace(
                newest, promotion_id=f"mpr_{number}", version="2", digest="d" * 64,
                kind=PromotionKind.PROMOTION, previous_id=newest.promotion_id, restored_id=None,
            )  # fmt: skip
            newest = replace(
                first, promotion_id=f"mpr_back{number}", kind=PromotionKind.ROLLBACK,
                previous_id=forth.promotion_id, restored_id=first.promotion_id,
            )  # fmt: skip
            await insert_promotion(connection, forth)
            await insert_promotion(connection, newest)
        last = replace(forth, promotion_id="mpr_x", previous_id=newest.promotion_id)
        await insert_promotion(connection, last)
    back = await promotions.roll_back("tickets", seen(last))
    assert (back.version, back.restored_id) == ("1", first.promotion_id)

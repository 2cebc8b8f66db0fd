# SPDX-License-Identifier: Apache-2.0
"""Decisions in the portal name the champion that the page showed, or they change nothing."""

import pytest

from api.accounts import Role
from models.promotion import list_champions, list_promotions
from tests.api.visitor import make_person, visit

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


async def test_a_decision_against_another_champion_is_a_conflict(served):
    await make_person(served, "dora", Role.DATA_SCIENTIST)
    dora = await visit(served, "dora")
    async with served.services.ground.pool.connection() as connection:
        in_use = (await list_champions(connection))["health"]
    page = (await dora.get("/models/compare/health")).text
    assert "Promote version" not in page  # what is shown is the champion itself
    assert "No model has an earlier champion" in (await dora.get("/models")).text
    token = await dora.hidden("/models")
    for action, fields in (
        ("rollback", {"against": "mpr_of_yesterday"}),
        ("promote", {"against": "mpr_of_yesterday", "version": in_use.version}),
        ("rollback", {}),
    ):
        answer = await dora.client.post(
            f"/models/health/{action}", data={**token, "reason": "it is wrong", **fields}
        )
        assert answer.status_code == 409, answer.text[:500]
        assert f"version {in_use.version} is the champion of health since" in answer.text
        assert in_use.promotion_id in answer.text
        assert "Nothing was changed" in answer.text
        assert "mpr_of_yesterday" not in answer.text
    async with served.services.ground.pool.connection() as connection:
        assert await list_promotions(connection, "health") == [in_use]
        cursor = await connection.execute(
            "SELECT actor, action FROM audit_events WHERE subject_id = 'health'"
            " AND action = 'model.promotion_refused'"
        )
        told = await cursor.fetchall()
    assert [row["actor"] for row in told] == ["user:dora"] * 3

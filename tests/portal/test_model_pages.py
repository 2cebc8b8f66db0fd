# SPDX-License-Identifier: Apache-2.0
"""The pages of models say what is so: labels of people, rollbacks without a gate, the champion."""

import html

import httpx

from api.accounts import Role
from tests.reasoning.situations import open_ticket

ROLLED_BACK = """
INSERT INTO model_promotions (
    promotion_id, model_name, version, digest, previous_version, previous_digest, kind, verdict,
    actor, reason, bundle_digest, created_at, previous_promotion_id, restored_promotion_id
)
SELECT 'mpr_back', model_name, version, digest, '7', digest, 'rollback', 'fail', 'user:ada',
       'it was worse', bundle_digest, created_at + interval '1 hour', promotion_id, promotion_id
FROM model_promotions WHERE model_name = 'health'
"""


async def test_labels_of_people_are_counted_by_class(desk):
    ids = [
        await open_ticket(
            desk.services, f"Slow {n}", "My program hangs all the time.", device_id=None
        )
        for n in range(3)
    ]
    dora = await desk.let_in("dora", Role.DATA_SCIENTIST)
    assert "people who say what an incident is" in await dora.page("/models")
    for username, incident_ids in (("ada", ids[:2]), ("bert", ids[2:])):
        visitor = await desk.let_in(username, Role.HELPDESK)
        for incident_id in incident_ids:
            (row,) = await desk.query(
                "SELECT failure_class FROM incidents WHERE incident_id = %s", incident_id
            )
            answer = await visitor.submit(
                f"/incidents/{incident_id}/class",
                failure_class="browser",
                seen_class=row["failure_class"],
            )
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text[:1000]
    assert "<td>browser</td><td>3</td><td>2</td>" in await dora.page("/models")


async def test_a_rollback_has_no_gate_and_names_where_it_went(desk):
    await desk.change(ROLLED_BACK)
    dora = await desk.let_in("dora", Role.DATA_SCIENTIST)
    page = await dora.page("/models")
    (row,) = [one for one in page.split("<tr>") if "it was worse" in one]
    assert "rollback to 1</td><td>none</td>" in row
    assert 'class="tag fail"' not in row


async def test_the_champions_own_page_asks_for_no_decision(desk):
    dora = await desk.let_in("dora", Role.DATA_SCIENTIST)
    page = html.unescape(await dora.page("/models/compare/health?after=1"))
    assert "Version 1 is in use since" in page
    assert "Decisions are made beside the champion" not in page
    assert "Promote version" not in page
    first = page.index("The gate")
    decision = page.index("Version 1 is in use since")
    card = page.index('<div class="document">')
    everything = page.index("figures of the trainings</summary>")
    assert first < page.index("macro-averaged F1") < decision < card < everything
    assert page.count("<tr>", first, decision) <= 20
    assert "<h2>Training data</h2>" not in page[:card]
    assert "<td>" in page[card:everything], "the card's tables are tables"
    assert "| figure | value |" not in page


async def test_mlflow_is_entered_where_the_models_are(desk):
    dora = await desk.let_in("dora", Role.DATA_SCIENTIST)
    assert 'href="/models/mlflow/#/models?workflowType=machine_learning"' in await dora.page(
        "/models"
    )
    entered = await dora.client.get("/models/mlflow")
    assert entered.headers["location"].endswith("/#/models?workflowType=machine_learning")

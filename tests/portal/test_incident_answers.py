# SPDX-License-Identifier: Apache-2.0
"""What models said of an incident is shown where it says something beside the answer."""

import html
import json

from api.accounts import Role


async def test_alternatives_are_those_beside_the_answer_and_a_name_that_decided_is_told(desk):
    incident_id = (await desk.propose()).proposal.incident_id
    await desk.change(
        "UPDATE incidents SET failure_class = 'browser', entity = 'Firefox', source = 'detection',"
        " detection = %s WHERE incident_id = %s",
        json.dumps({"metrics": [{"name": "app_crashes", "value": 7}]}),
        incident_id,
    )
    ada = await desk.let_in("ada", Role.HELPDESK)

    async def show(alternatives: list[str]) -> str:
        output = {
            "failure_class": "app_crash",
            "top": {"app_crash": 1.0},
            "alternatives": alternatives,
        }
        await desk.change(
            "UPDATE inference_events SET output = %s WHERE subject_id = %s",
            json.dumps(output),
            incident_id,
        )
        return html.unescape(await ada.page(f"/incidents/{incident_id}"))

    alone = await show(["app_crash"])
    assert "cannot be ruled out" not in alone
    assert "app crash 100 %" not in alone, "the answer and its confidence say so"
    assert "shown as browser: the application is Firefox" in alone
    assert "What was seen" in alone
    beside = await show(["app_crash", "memory_leak"])
    assert "cannot be ruled out: memory leak" in beside

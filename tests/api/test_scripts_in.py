# SPDX-License-Identifier: Apache-2.0
"""Services import scripts for people to decide on, read the catalogue, and decide nothing."""

import pytest

from tests.portal.script_folders import SCRIPT_ID, STEPS, pack

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/v1/scripts"


async def send(client, content):
    return await client.post(PATH, files={"file": ("script.zip", content)})


async def test_a_service_imports_a_version_once_and_it_is_proposed(served):
    builds = await served.service("scripts")
    answer = await send(builds, pack())
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["script_id"], told["version"]) == (SCRIPT_ID, "1.0.0")
    (effect,) = told["analysis"]["effects"]
    assert (effect["step"], effect["line"], effect["kind"]) == ("remediate", 4, "deletes_files")
    assert (await send(builds, pack())).status_code == 200
    shown = (await builds.get(f"{PATH}/{SCRIPT_ID}/1.0.0")).json()
    assert shown["status"] == "proposed"
    assert shown["content_sha256"] == told["content_sha256"]
    assert shown["imported_by"].startswith("service:")
    assert set(shown["files"]) == set(STEPS)
    assert shown["decisions"] == []
    listed = (await builds.get(PATH)).json()["scripts"]
    mine = [one for one in listed if one["script_id"] == SCRIPT_ID]
    assert [one["status"] for one in mine] == ["proposed"]
    assert {one["status"] for one in listed if one not in mine} == {"active"}


async def test_what_is_refused_is_a_problem_that_says_why(served):
    builds, reader = await served.service("scripts"), await served.service("read", "knowledge")
    assert (await send(reader, pack())).status_code == 403
    assert (await reader.get(PATH)).status_code == 403
    assert (await (await served.client()).get(PATH)).status_code == 401
    steps = {"detect": STEPS["detect"] + "userdel bob\n"}
    undeclared = await send(builds, pack(steps))
    assert undeclared.status_code == 422
    assert undeclared.headers["content-type"] == "application/problem+json"
    assert "detect, line 4: 'userdel bob' changes_accounts" in undeclared.json()["detail"]
    assert (await send(builds, pack())).is_success
    taken = await send(builds, pack(title="Another title"))
    assert (taken.status_code, taken.json()["title"]) == (409, "Version refused")
    assert (await builds.get(f"{PATH}/{SCRIPT_ID}/7.0.0")).status_code == 404
    decided = await builds.post(f"/scripts/{SCRIPT_ID}/1.0.0/approve", data={"reason": "x"})
    assert decided.status_code == 401

# SPDX-License-Identifier: Apache-2.0
"""A fleet incident is one line in the lists, one page, and at most one proposal."""

import asyncio
import html
from datetime import timedelta

import httpx
import pytest
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from tests.models.fleet_stage import Stage, begin, install, set_stage
from tests.reasoning.situations import query, work

N_PATCHED = 40


async def roll_out(services) -> str:
    """Let a patch fell devices one by one; return the id of the fleet incident."""
    ground = services.ground
    async with ground.pool.connection() as connection:
        stage: Stage = await set_stage(connection, ground.clock, ground.ids, n_devices=200)
        stage.fleets = services.fleets
        patched = [f"d{5 * n}" for n in range(N_PATCHED)]
        await install(stage, patched, "Foo", "5.1")
        for number, device_id in enumerate(patched):
            at = stage.start - timedelta(minutes=N_PATCHED - number)
            await stage.score([begin(device_id, at)])
    (fleet,) = await query(services, "SELECT incident_id FROM incidents WHERE scope = 'fleet'")
    return str(fleet["incident_id"])


async def test_one_line_one_page_one_proposal(desk):
    incident_id = await roll_out(desk.services)
    parts = await desk.query("SELECT incident_id FROM incidents WHERE part_of IS NOT NULL")
    assert len(parts) >= 5
    await work(desk.services)
    proposals = await desk.query("SELECT incident_id, target_device_id FROM proposals")
    assert [one["incident_id"] for one in proposals] == [incident_id], "none for a member"
    ada = await desk.let_in("ada", Role.HELPDESK)
    listed = html.unescape(await ada.page("/incidents"))
    assert f'href="/incidents/{incident_id}"' in listed
    assert f"{N_PATCHED} devices" in listed
    assert not any(one["incident_id"] in listed for one in parts), "they wait for nobody"
    queue = await ada.page("/queue")
    assert f"{N_PATCHED} devices" in queue
    page = html.unescape(await ada.page(f"/incidents/{incident_id}"))
    assert "devices with Foo 5.1" in page
    assert f"{N_PATCHED} affected now" in page
    (fleet,) = await desk.query("SELECT n_affected, judged_at FROM fleet_incidents")
    assert fleet["n_affected"] < N_PATCHED, "more came after it was judged"
    assert f"when {fleet['n_affected']} were affected; whoever came later" in page
    assert page.count(f"{fleet['judged_at']:%Y-%m-%d %H:%M:%S} UTC") >= 2
    assert "seen " not in page.split("</h1>")[1].split("</p>")[0], "episodes are not devices"
    assert all(one["incident_id"] in page for one in parts), "kept, and shown here"
    plot = await ada.client.get(f"/incidents/{incident_id}/members.svg")
    assert plot.headers["content-type"] == "image/svg+xml"
    none = await ada.client.get(f"/incidents/{parts[0]['incident_id']}/members.svg")
    assert none.status_code == httpx.codes.NOT_FOUND
    part = await ada.page(f"/incidents/{parts[0]['incident_id']}")
    assert f'href="/incidents/{incident_id}"' in part


async def test_what_worked_on_one_device_does_not_resolve_the_others(desk):
    incident_id = await roll_out(desk.services)
    moves = desk.services.approvals._incidents
    async with desk.services.ground.pool.connection() as connection:
        for status in ("proposed", "approved", "remediating", "verifying", "resolved"):
            assert await moves.move(
                connection, incident_id, status, actor="service:verification", reason="it holds"
            )
    (incident,) = await desk.query(
        "SELECT status FROM incidents WHERE incident_id = %s", incident_id
    )
    assert incident["status"] == "escalated"
    (step,) = await desk.query(
        "SELECT reason FROM incident_transitions WHERE to_status = 'escalated'"
        " AND incident_id = %s",
        incident_id,
    )
    assert f"{N_PATCHED - 1} others are affected still" in step["reason"]


async def test_what_was_under_way_for_a_part_stands_with_the_whole(desk):
    whole = (await desk.propose("dev-1")).proposal
    part = (await desk.propose("dev-2")).proposal
    await desk.change(
        "UPDATE incidents SET scope = 'fleet' WHERE incident_id = %s", whole.incident_id
    )
    await desk.change(
        "UPDATE incidents SET part_of = %s WHERE incident_id = %s",
        whole.incident_id,
        part.incident_id,
    )
    ada = await desk.let_in("ada", Role.APPROVER)
    queue = html.unescape(await ada.page("/queue"))
    (row,) = [one for one in queue.split("<tr>") if f"/proposals/{whole.proposal_id}" in one]
    assert f'dev-2-host: <a href="/proposals/{part.proposal_id}">' in row
    assert queue.count(f"/proposals/{part.proposal_id}") == 1
    assert "1 more is part of fleet incidents" in await ada.page("/incidents")
    assert part.incident_id not in await ada.page("/incidents")
    assert part.incident_id in await ada.page("/incidents?status=proposed&parts=true")
    for path in (f"/incidents/{part.incident_id}", f"/proposals/{part.proposal_id}"):
        page = await ada.page(path)
        assert f'<a href="/proposals/{whole.proposal_id}">decide there</a>' in page
        assert "tried on dev-1-host first" in page
    assert "decide there" not in await ada.page(f"/proposals/{whole.proposal_id}")
    form = {"bundle_digest": whole.bundle_digest, "reason": "not this one"}
    assert (await ada.submit(f"/proposals/{whole.proposal_id}/reject", **form)).is_redirect
    queue = html.unescape(await ada.page("/queue"))
    (row,) = [one for one in queue.split("<tr>") if f"/proposals/{part.proposal_id}" in one]
    assert "part of a" in row, "nothing waits for the whole: it is decided on here"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_the_command_line_tells_the_same(services, monkeypatch):
    incident_id = await roll_out(services)
    ground = services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setattr(console, "width", 300)
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["incident", "show", incident_id])
    assert shown.exit_code == 0, shown.output
    assert f"devices with Foo 5.1: {N_PATCHED} affected now" in shown.output
    assert "h195" in shown.output
    listed = await asyncio.to_thread(CliRunner().invoke, app, ["incident", "list"])
    assert "devices with Foo 5.1" in listed.output

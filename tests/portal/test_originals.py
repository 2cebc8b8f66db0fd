# SPDX-License-Identifier: Apache-2.0
"""Who may sees what pseudonyms stand for, in one answer and on record; the others do not."""

import asyncio
import html
import re

import pytest
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from tests.reasoning.situations import open_ticket

TICKET = ("VPN", "My name is Orla Quennell and the VPN drops. My PC has 10.7.8.9.")
REASON = "Orla Quennell must be called back"
RITA = ("--as", "rita")


async def test_a_reviewer_reveals_and_others_do_not(desk):
    incident_id = await open_ticket(desk.services, *TICKET, device_id=None)
    page = f"/incidents/{incident_id}"
    hanna = await desk.let_in("hanna", Role.HELPDESK, Role.AUDITOR)
    assert "/originals" not in await hanna.page(page)
    assert (await hanna.client.get(f"{page}/originals")).status_code == 403
    fields = {"pseudonym": "<PERSON_1>", "reason": REASON}
    assert (await hanna.submit(f"{page}/originals", **fields)).status_code == 403
    anton = await desk.let_in("anton", Role.ADMIN)
    assert "/originals" not in await anton.page(page)
    assert (await anton.submit(f"{page}/originals", **fields)).status_code == 403

    rita = await desk.let_in("rita", Role.SECURITY_REVIEWER)
    assert f"{page}/originals" in await rita.page(page)
    asked = html.unescape(await rita.page(f"{page}/originals"))
    assert re.findall(r'value="(<\w+>)"', asked) == ["<IP_1>", "<PERSON_1>"]
    assert "Quennell" not in asked
    refused = await rita.submit(f"{page}/originals", **fields | {"reason": "why"})
    assert refused.status_code == 422
    shown = await rita.submit(f"{page}/originals", **fields)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    assert "Orla Quennell" in shown.text
    assert "10.7.8.9" not in shown.text
    for visitor, path in ((rita, f"{page}/originals"), (rita, page), (hanna, "/audit")):
        later = await visitor.page(path)
        assert "Quennell" not in later, path
    events = await desk.query(
        "SELECT action, actor, after FROM audit_events WHERE action LIKE 'vault.reveal%%'"
        " ORDER BY position"
    )
    assert [(event["action"], event["actor"]) for event in events] == [
        ("vault.reveal_refused", "user:hanna"), ("vault.reveal_refused", "user:anton"),
        ("vault.reveal_refused", "user:rita"), ("vault.revealed", "user:rita"),
    ]  # fmt: skip
    assert events[-1]["after"] == {
        "pseudonyms": ["<PERSON_1>"], "reason": "<PERSON_1> must be called back",
    }  # fmt: skip
    await erase_at_the_command_line(desk, incident_id)
    gone = await rita.page(f"{page}/originals")
    assert "were erased on" in gone
    assert (await rita.submit(f"{page}/originals", **fields)).status_code == 410


async def erase_at_the_command_line(desk, incident_id):
    """Import a directory, reveal, and erase a person, by commands."""

    async def run(*words):
        ended = await asyncio.to_thread(CliRunner().invoke, app, ["privacy", *words])
        return ended.exit_code, ended.output

    ground = desk.services.ground
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
        patch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
        patch.setattr(console, "width", 300)
        people = ground.settings.data_dir / "people.csv"
        people.write_text('user_id,display_name\noquen7,"Quennell, Orla"\n')
        assert await run("import", str(people)) == (
            0, "1 people and 0 other names are new or changed\n",
        )  # fmt: skip
        people.write_text("a,b\n1,2\n")
        code, output = await run("import", str(people))
        assert (code, "names none of the columns" in output) == (1, True)
        code, output = await run("directory")
        assert (code, "parts of people's names" in output) == (0, True), output
        code, output = await run("reveal", incident_id, "<IP_1>", *RITA, "--reason", REASON)
        assert (code, "10.7.8.9" in output) == (0, True), output
        code, output = await run("reveal", incident_id, "<IP_7>", *RITA, "--reason", REASON)
        assert (code, "no original for <IP_7>" in output) == (1, True), output
        code, output = await run("pseudonyms", incident_id)
        assert (code, "<IP_1> <PERSON_1>" in output) == (0, True), output
        code, output = await run("pseudonyms", "inc_missing")
        assert (code, "there is no incident inc_missing" in output) == (1, True), output
        refused = await run("reveal", incident_id, "<IP_1>", "--as", "anton", "--reason", REASON)
        assert refused[0] == 1
        assert "this needs the role security reviewer" in refused[1]
        asked = ("erase", "oquen7", "--reason", "Orla Quennell asked")
        code, output = await run(*asked, *RITA)
        told = "would erase: the originals of 1 incidents"
        assert (code, output.startswith(told), "run again" in output) == (0, True, True), output
        code, output = await run(*asked, "--as", "ghost")
        assert (code, "there is no account ghost" in output) == (1, True), output
        assert (await run("erase", "nobody-1", "--reason", "asked", *RITA))[0] == 1
        assert (await run(*asked, "--as", "hanna", "--yes"))[0] == 1
        code, output = await run(*asked, *RITA, "--yes")
        assert (code, "of 1 incidents" in output) == (0, True), output
        assert (await run(*asked, *RITA, "--yes"))[0] == 1

# SPDX-License-Identifier: Apache-2.0
"""People say what an incident is, and the recommendation follows; what was sealed stays sealed."""

import asyncio
import html
import json
import re

import httpx
import pytest
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from models.features import extract_features
from models.labelled_windows import list_labelled_windows
from tests.reasoning.situations import (
    FULL_DISK,
    enrol,
    find_outcome,
    open_ticket,
    query,
    report,
    work,
)

VAGUE = ("Something is odd", "I press the button and then nothing is as it was before.")


async def open_vague(services, device_id="dev-9"):
    """Let a device fill up and a person complain in words that no model makes sense of."""
    await enrol(services, device_id)
    for minutes in (3, 2, 1):
        await report(services, device_id, ago_seconds=60 * minutes, hardware=FULL_DISK)
    async with services.ground.pool.connection() as connection:  # only the ticket is the matter
        await connection.execute("UPDATE outbox SET done_at = now()")
    incident_id = await open_ticket(services, *VAGUE, device_id=device_id)
    await work(services)
    (row,) = await query(
        services, "SELECT status, failure_class FROM incidents WHERE incident_id = %s", incident_id
    )
    assert row == {"status": "escalated", "failure_class": "unknown"}
    return incident_id


async def assert_alternatives_are_shown(desk, incident_id, page):
    assert "not clear" in page
    assert "abstained: it was not sure enough" in page
    (answer,) = await desk.query(
        "SELECT output FROM inference_events WHERE subject_id = %s", incident_id
    )
    possible = answer["output"]["alternatives"]
    assert possible
    assert "cannot be ruled out: " in page
    for name in set(possible) - {"unknown"}:
        assert f'<option value="{name}">' in page.split("</optgroup>")[0]
    assert '<option value="" selected>' in page, "nobody confirms by chance"


async def test_a_correction_is_followed_by_a_recommendation_for_another_person(desk):
    incident_id = await open_vague(desk.services)
    path = f"/incidents/{incident_id}"
    ada = await desk.let_in("ada", Role.HELPDESK, Role.APPROVER)
    await assert_alternatives_are_shown(desk, incident_id, html.unescape(await ada.page(path)))
    assert (await ada.submit(f"{path}/class", failure_class="", seen_class="unknown")).is_error

    form = {"failure_class": "disk_full", "seen_class": "unknown", "reason": "ask bob@example.org"}
    answer = await ada.submit(f"{path}/class", **form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}#class"), answer.text
    assert "disk full, says user:ada" in html.unescape(await ada.page(path))
    await work(desk.services)
    newest = await desk.query(
        "SELECT proposal_id, status, diagnosis, bundle_digest FROM proposals"
        " WHERE incident_id = %s ORDER BY created_at DESC",
        incident_id,
    )
    assert (newest[0]["status"], newest[0]["diagnosis"]) == ("pending", "disk_full")
    assert newest[1]["status"] == "abstained"
    outcome = await find_outcome(desk.services, newest[0]["proposal_id"])
    label = outcome.case["incident"]["class_label"]
    assert label["models_class"] == "unknown"
    assert "A person says that this is disk full" in outcome.case["explanation"][0]["sentence"]

    page = html.unescape(await ada.page(path))
    assert "bob@example.org" not in page
    assert "instead of not clear" in page
    assert (await ada.submit(f"{path}/class", **form)).status_code == 303, "sent twice"
    (n_labels,) = await desk.query("SELECT count(*) AS n FROM incident_class_labels")
    assert n_labels["n"] == 1

    proposal = f"/proposals/{newest[0]['proposal_id']}"
    bundle = {"bundle_digest": newest[0]["bundle_digest"]}
    assert "You asked for this change" in await ada.page(proposal)
    assert (await ada.submit(f"{proposal}/approve", **bundle)).status_code == 409
    assert await desk.refusals() == ["self_approval"]
    grace = await desk.let_in("grace", Role.APPROVER)
    assert (await grace.submit(f"{proposal}/approve", **bundle)).status_code == 303


async def test_none_of_these_is_not_overruled_by_articles(desk):
    services = desk.services
    await enrol(services, "dev-1")
    await report(services, "dev-1", ago_seconds=5, hardware=FULL_DISK)
    async with services.ground.pool.connection() as connection:
        await connection.execute("UPDATE outbox SET done_at = now()")
    incident_id = await open_ticket(
        services, "Disk full", "The disk is full: no space left on device.", device_id="dev-1"
    )
    ada = await desk.let_in("ada", Role.HELPDESK)
    form = {"failure_class": "unknown", "seen_class": "disk_full"}
    assert (await ada.submit(f"/incidents/{incident_id}/class", **form)).status_code == 303
    await work(services)
    (proposal,) = await desk.query("SELECT status, abstention_reason FROM proposals")
    assert proposal["status"] == "abstained"
    assert proposal["abstention_reason"] == "a person says that it is none of the known failures"
    (incident,) = await desk.query("SELECT status FROM incidents")
    assert incident["status"] == "escalated"


async def test_a_proposal_that_waits_stays_as_it_was_sealed(desk):
    before = (await desk.propose()).proposal
    path = f"/incidents/{before.incident_id}"
    ada = await desk.let_in("ada", Role.APPROVER)
    bob = await desk.let_in("bob", Role.HELPDESK)
    form = {"failure_class": "dns", "seen_class": "disk_full", "reason": "names fail"}
    assert (await bob.submit(f"{path}/class", **form)).status_code == 303
    late = await ada.submit(f"{path}/class", failure_class="proxy", seen_class="disk_full")
    assert late.status_code == httpx.codes.CONFLICT
    assert "user:bob says meanwhile" in html.unescape(late.text)
    await work(desk.services)
    outcome = await find_outcome(desk.services, before.proposal_id)
    assert outcome.proposal == before
    assert "stays as it was sealed" in await ada.page(path)

    answer = await ada.submit(
        f"/proposals/{before.proposal_id}/reject",
        bundle_digest=before.bundle_digest, reason="it is not the disk",
    )  # fmt: skip
    assert answer.status_code == 303
    assert "ask for a new proposal" in await ada.page(path)
    assert (await bob.submit(f"{path}/reopen")).status_code == 303
    await work(desk.services)
    (newest,) = await desk.query(
        "SELECT diagnosis FROM proposals WHERE incident_id = %s ORDER BY created_at DESC LIMIT 1",
        before.incident_id,
    )
    assert newest["diagnosis"] == "dns"
    (severity,) = await desk.query(
        "SELECT severity FROM incidents WHERE incident_id = %s", before.incident_id
    )
    assert severity["severity"] == "S2", "as it was"


async def test_who_may_say_so_and_until_when(desk):
    incident_id = await open_vague(desk.services)
    path = f"/incidents/{incident_id}"
    form = {"failure_class": "dns", "seen_class": "unknown"}
    for name, role in (("dora", Role.DATA_SCIENTIST), ("otto", Role.AUDITOR)):
        visitor = await desk.let_in(name, role)
        assert "Say what it is" not in await visitor.page(path)
        assert (await visitor.submit(f"{path}/class", **form)).status_code == 403
    henry = await desk.let_in("henry", Role.HELPDESK)
    assert "Say what it is" in await henry.page(path)
    wrong = await henry.submit(f"{path}/class", failure_class="measles", seen_class="unknown")
    assert wrong.status_code == httpx.codes.BAD_REQUEST
    forged = await henry.client.post(f"{path}/class", data=form)
    assert forged.status_code == httpx.codes.FORBIDDEN
    assert (await henry.submit("/incidents/inc_none/class", **form)).status_code == 404
    assert (await henry.submit(f"{path}/close", reason="a false alarm")).status_code == 303
    closed = await henry.submit(f"{path}/class", **form)
    assert closed.status_code == httpx.codes.CONFLICT
    assert "its class can no longer be changed" in closed.text
    page = await henry.page(path)
    assert "The incident is closed: its class stays." in page
    assert await desk.query("SELECT 1 FROM incident_class_labels") == []


async def test_the_window_that_was_judged_is_kept_as_numbers(desk):
    services = desk.services
    await enrol(services, "dev-1")
    burning = {"name": "secret-tool", "pid": 7, "cpu_percent": 99.0, "memory_percent": 2.0}
    for minutes in range(8, 0, -1):
        await report(
            services, "dev-1", ago_seconds=60 * minutes,
            hardware={"processes": [burning], "cpu_percent": 97.0},
        )  # fmt: skip
    await work(services)
    (incident,) = await desk.query(
        "SELECT incident_id, failure_class, detection, opened_at FROM incidents"
        " WHERE source = 'detection'"
    )
    await report(services, "dev-1", ago_seconds=200, hardware={"cpu_percent": 1.0})  # came late
    ada = await desk.let_in("ada", Role.HELPDESK)
    answer = await ada.submit(
        f"/incidents/{incident['incident_id']}/class",
        failure_class="browser", seen_class=incident["failure_class"],
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    async with services.ground.pool.connection() as connection:
        (window,) = await list_labelled_windows(connection)
    assert (window.label, window.person, window.device_id) == ("app_crash", "user:ada", "dev-1")
    seen = await desk.query(
        "SELECT metrics FROM telemetry_reports WHERE received_at <= %s AND observed_at <= %s"
        " ORDER BY observed_at",
        incident["opened_at"], incident["detection"]["observed_at"],
    )  # fmt: skip
    assert len(seen) >= 2
    assert window.features.tolist() == extract_features([one["metrics"] for one in seen]).tolist()
    (kept,) = await desk.query("SELECT reports FROM labelled_windows")
    assert "secret-tool" not in json.dumps(kept)
    assert all(isinstance(value, int | float) for one in kept["reports"] for value in one.values())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_the_command_line_and_the_api_say_the_same(desk, monkeypatch):
    services = desk.services
    incident_id = await open_vague(services)
    ground = services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setattr(console, "width", 300)

    async def run(*words):
        ended = await asyncio.to_thread(CliRunner().invoke, app, ["incident", *words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    assert (await run("label", incident_id, "measles"))[0] == 2
    assert (await run("label", "inc_none", "dns"))[0] == 1
    code, output = await run("label", incident_id, "dns", "--seen", "proxy")
    assert (code, "says meanwhile" in output) == (1, True), output
    words = ("label", incident_id, "dns", "--reason", "ask bob@example.org", "--actor", "dora")
    code, output = await run(*words)
    assert code == 0, output
    assert f"{incident_id} is dns. The reasoner works out a recommendation" in output
    assert "nothing changes" in (await run(*words))[1]
    code, output = await run("show", incident_id)
    assert code == 0
    assert "what it is: dns (says cli:dora)" in output
    assert re.search(r"tickets \d+: abstained", output)
    assert "unknown -> dns (cli:dora)" in output
    assert "bob@example.org" not in output
    await say_over_http(desk, incident_id)


async def say_over_http(desk, incident_id):
    """Name the class as services do, one of which may not, and another asks wrongly at first."""
    ground = desk.services.ground
    async with ground.pool.connection() as connection:
        token = await ground.tokens.create_service_token(
            connection, name="desk", scopes=frozenset({"labels", "read"}), actor="user:admin",
            correlation_id="cor_1",
        )  # fmt: skip
        narrow = await ground.tokens.create_service_token(
            connection, name="other", scopes=frozenset({"incidents"}), actor="user:admin",
            correlation_id="cor_1",
        )  # fmt: skip
    address = f"/v1/incidents/{incident_id}/class"
    async with httpx.AsyncClient(base_url=desk.url) as client:

        async def post(body, bearer=token, address=address):
            headers = {"authorization": f"Bearer {bearer}"}
            body = {"user_id": "hanna", **body}
            return await client.post(address, json=body, headers=headers)

        assert (await post({"failure_class": "proxy"}, narrow)).status_code == 403
        assert (await post({"failure_class": "measles"})).status_code == 422
        for nobody in ("", None, "hanna says", "a\x00b"):
            said = await post({"failure_class": "proxy", "user_id": nobody})
            assert said.status_code == 422, nobody
        assert (await post({"failure_class": "proxy", "seen_class": "dhcp"})).status_code == 409
        unknown = await post({"failure_class": "dns"}, address="/v1/incidents/inc_none/class")
        assert unknown.status_code == 404
        taken = (await post({"failure_class": "proxy", "seen_class": "dns"})).json()
        assert (taken["failure_class"], taken["consequence"]) == ("proxy", "proposed_anew")
        again = (await post({"failure_class": "proxy", "seen_class": "dns"})).json()
        assert (again["label_id"], again["consequence"]) == (taken["label_id"], "repeated")
        shown = await client.get(
            f"/v1/incidents/{incident_id}", headers={"authorization": f"Bearer {token}"}
        )
        assert shown.json()["class_stated_by"] == "service:desk"
    assert await desk.query(
        "SELECT actor, on_behalf_of FROM incident_class_labels ORDER BY position DESC LIMIT 1"
    ) == [{"actor": "service:desk", "on_behalf_of": "user:hanna"}]
    reader = await desk.let_in("otto", Role.AUDITOR)
    page = await reader.page(f"/incidents/{incident_id}")
    assert "says user:hanna through service:desk" in page

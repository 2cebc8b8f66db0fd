# SPDX-License-Identifier: Apache-2.0
"""Every page is there for whom it is meant, and shows what a decision rests on."""

import html
import re

import httpx

from api import portal_audit
from api.accounts import Role
from tests.portal.desk import DEVICE, PASSWORD
from tests.reasoning.situations import query, work


async def test_incident_and_proposal_show_what_a_decision_rests_on(desk):
    proposal = (await desk.propose()).proposal
    ada = await desk.let_in("ada", Role.APPROVER)
    incident = await ada.page(f"/incidents/{proposal.incident_id}")
    assert "Time line" in incident
    assert "tickets v" in incident  # what the model said
    plots = re.findall(r'src="(/devices/[^"]+\.svg[^"]*)"', incident)
    assert any("/disk_used_percent_max.svg" in plot for plot in plots)
    for plot in plots:
        answer = await ada.client.get(html.unescape(plot))
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text.lstrip().startswith("<svg")
    followed = re.findall(r'data-live="([^"]+)"', incident)
    assert len(followed) == 2
    (fragment,) = [await ada.page(path) for path in followed if path.endswith("/proposals")]
    assert f'href="/proposals/{proposal.proposal_id}"' in fragment
    assert "<html" not in fragment
    page = html.unescape(await ada.page(f"/proposals/{proposal.proposal_id}"))
    assert proposal.script_sha256 in page
    assert f'value="{proposal.bundle_digest}"' in page
    for factor in proposal.risk_factors["factors"]:
        assert factor["reason"] in page
    cited = [
        citation["id"]
        for item in proposal.explanation
        for citation in item["citations"]
        if citation["kind"] == "passage"
    ]
    assert cited
    assert all(f'href="#{name}"' in page and f'id="{name}"' in page for name in cited)
    assert proposal.policy_decision["policy_digest"][:16] in page
    progress = await ada.page(f"/proposals/{proposal.proposal_id}/progress")
    assert "Waiting for a decision" in progress


async def test_pages_by_role(desk):
    pages = {
        "/queue": {"helpdesk", "data_scientist"},
        "/freezes": {"helpdesk", "data_scientist"},
        "/models": {"data_scientist"},
        "/drift": {"data_scientist"},
        "/audit": {"helpdesk"},
        "/people": set(),
        "/policies": set(),
    }
    for role in (Role.HELPDESK, Role.DATA_SCIENTIST):
        visitor = await desk.let_in(f"a-{role.value}".replace("_", "-"), role)
        for path, roles in pages.items():
            answer = await visitor.client.get(path)
            expected = httpx.codes.OK if role.value in roles else httpx.codes.FORBIDDEN
            assert answer.status_code == expected, (role, path)
    stranger = httpx.AsyncClient(base_url=desk.url, headers={"accept": "text/html"})
    desk.clients.append(stranger)
    for path in pages:
        assert (await stranger.get(path)).headers["location"] == "/login"
    unsigned = await visitor.client.post("/freezes", data={"ends_at": "2030-01-01T00:00"})
    assert unsigned.status_code == httpx.codes.FORBIDDEN


async def test_every_field_has_a_label_and_every_page_a_way_past_the_menu(desk):
    proposal = (await desk.propose(risk_score=80)).proposal
    boss = await desk.let_in("boss", *Role)
    for path in (
        "/queue", "/incidents", f"/incidents/{proposal.incident_id}",
        f"/proposals/{proposal.proposal_id}", "/devices", "/devices/dev-1", "/knowledge",
        "/freezes", "/models", "/drift", "/policies", "/policies/versions/1", "/audit", "/people",
        "/account", "/tickets/new",
        f"/proposals/{proposal.proposal_id}/override?script_id={proposal.script_id}",
    ):  # fmt: skip
        page = await boss.page(path)
        assert 'class="skip" href="#content"' in page
        assert '<html lang="en">' in page
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", page):
            if 'type="hidden"' in field or 'type="checkbox"' in field:
                continue
            name = re.search(r'\bid="([^"]+)"', field)
            assert name, field
            assert f'<label for="{name[1]}"' in page, field
        assert all('alt="' in image for image in re.findall(r"<img\b[^>]*>", page))
        assert "<script>" not in page
        assert ' style="' not in page
        assert not re.search(r'\son\w+="', page)


async def test_the_audit_trail_leaves_out_stored_reports_and_pages_back(desk, monkeypatch):
    monkeypatch.setattr(portal_audit, "PAGE_EVENTS", 2)
    await desk.propose()
    eva = await desk.let_in("eva", Role.AUDITOR)
    seen, path = [], "/audit"
    while path:
        page = await eva.page(path)
        seen += re.findall(r'<td class="words">([a-z_]+\.[a-z_]+)</td>', page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = html.unescape(older[1]) if older else ""
    everything = await query(
        desk.services, "SELECT action FROM audit_events ORDER BY position DESC"
    )
    actions = [event["action"] for event in everything]
    assert "telemetry.stored" in actions
    assert seen == [action for action in actions if not action.startswith("telemetry.")]
    monkeypatch.setattr(portal_audit, "PAGE_EVENTS", 200)
    assert "telemetry.stored" in await eva.page("/audit?everything=true")


async def test_pages_name_the_device_a_fix_aims_at(desk):
    proposal = (await desk.propose()).proposal
    ada = await desk.let_in("ada", Role.APPROVER)
    for path in (f"/incidents/{proposal.incident_id}", f"/proposals/{proposal.proposal_id}"):
        assert f'<a href="/devices/{DEVICE}">{DEVICE}-host</a>' in await ada.page(path)


async def test_a_person_goes_on_with_what_was_escalated(desk):
    outcome = await desk.propose()
    ada = await desk.let_in("ada", Role.APPROVER)
    path = f"/incidents/{outcome.proposal.incident_id}"
    assert "Go on" not in await ada.page(path)
    rejected = await ada.submit(
        f"/proposals/{outcome.proposal.proposal_id}/reject",
        bundle_digest=outcome.proposal.bundle_digest,
        reason="not now",
    )
    assert rejected.status_code == httpx.codes.SEE_OTHER
    assert "Go on" in await ada.page(path)
    assert (await ada.submit(f"{path}/close")).status_code == httpx.codes.BAD_REQUEST
    assert (await ada.submit(f"{path}/reopen")).status_code == httpx.codes.SEE_OTHER
    await work(desk.services)
    for verb in ("reopen", "close"):  # a proposal is pending: it is to be decided on
        refused = await ada.submit(f"{path}/{verb}", reason="at once")
        assert refused.status_code == httpx.codes.CONFLICT
    (again,) = await query(
        desk.services,
        "SELECT proposal_id, bundle_digest FROM proposals"
        " WHERE status = 'pending' AND incident_id = %s",
        outcome.proposal.incident_id,
    )
    assert again["proposal_id"] != outcome.proposal.proposal_id
    await ada.submit(
        f"/proposals/{again['proposal_id']}/reject",
        bundle_digest=again["bundle_digest"],
        reason="still not",
    )
    ended = await ada.submit(f"{path}/close", reason="replaced by hand")
    assert ended.status_code == httpx.codes.SEE_OTHER
    page = await ada.page(path)
    assert "replaced by hand" in page
    assert (await ada.submit(f"{path}/close", reason="twice")).status_code == 409


async def test_a_person_changes_the_password_and_logs_in_anew(desk):
    erik = await desk.let_in("erik", Role.HELPDESK)
    wrong = await erik.submit("/account", password="not mine at all", new_password="x" * 12)
    assert wrong.status_code == httpx.codes.UNAUTHORIZED
    assert "present password is wrong" in wrong.text
    short = await erik.submit("/account", password=PASSWORD, new_password="short")
    assert short.status_code == httpx.codes.BAD_REQUEST
    done = await erik.submit("/account", password=PASSWORD, new_password="another long password")
    assert done.headers["location"] == "/login"
    assert (await erik.client.get("/queue")).headers["location"] == "/login"
    events = await query(
        desk.services, "SELECT actor FROM audit_events WHERE action = 'account.password_changed'"
    )
    assert events == [{"actor": "user:erik"}]

# SPDX-License-Identifier: Apache-2.0
"""A proposal's page and its incident's agree, and say what is gone and whose hand it is."""

import html
import re

from api.accounts import Role
from kernel.database import connect


def read_text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


async def test_a_class_from_articles_is_told_beside_what_the_models_say(desk):
    proposal = (await desk.propose()).proposal
    incident, shown = f"/incidents/{proposal.incident_id}", f"/proposals/{proposal.proposal_id}"
    ada = await desk.let_in("ada", Role.HELPDESK, Role.APPROVER)
    for page in (await ada.page(incident), await ada.page(shown)):
        assert "taken for" not in page
        assert "no model was sure" not in page
    await desk.change("UPDATE incidents SET failure_class = 'unknown', confidence = 0")
    page = await ada.page(incident)
    assert "not clear to the models, taken for disk full" in read_text(page)
    (card,) = re.findall(r'<p id="taken">.*?</p>', page)
    assert f'<a href="{shown}">the proposal</a>' in card
    assert "disk full by the articles that its text finds, for no model was sure" in read_text(
        await ada.page(shown)
    )
    form = {"failure_class": "dns", "seen_class": "unknown"}
    assert (await ada.submit(f"{incident}/class", **form)).status_code == 303
    assert 'id="taken"' not in await ada.page(incident), "a person has spoken"


async def test_a_proposal_whose_script_is_gone_is_shown_and_can_be_rejected(desk):
    proposal = (await desk.propose()).proposal
    path = f"/proposals/{proposal.proposal_id}"
    ada = await desk.let_in("ada", Role.APPROVER)
    assert 'id="approve"' in await ada.page(path)
    async with await connect(desk.services.ground.addresses.owner) as connection:
        await connection.execute("TRUNCATE scripts CASCADE")
    page = await ada.page(path)
    assert f"{proposal.script_id} {proposal.script_version}, which is gone" in page
    assert "its script or its device is gone: it can be rejected, or expires by itself." in page
    assert 'id="approve"' not in page
    form = {"bundle_digest": proposal.bundle_digest, "reason": "it is gone"}
    refused = await ada.submit(f"{path}/approve", **form)
    assert refused.status_code == 409
    assert "script or its device is gone" in html.unescape(refused.text)
    assert f'<a href="{path}">Back to the proposal</a>' in refused.text
    assert await desk.refusals() == ["context_gone"]
    assert (await ada.submit(f"{path}/reject", **form)).status_code == 303
    (row,) = await desk.query("SELECT status FROM proposals")
    assert row["status"] == "rejected"


async def test_a_proposal_whose_incident_moved_on_says_so(desk):
    proposal = (await desk.propose()).proposal
    path = f"/proposals/{proposal.proposal_id}"
    ada = await desk.let_in("ada", Role.APPROVER)
    await desk.change("UPDATE incidents SET status = 'escalated'")
    page = await ada.page(path)
    assert "its incident is escalated now and waits for no approval of it." in page
    assert 'id="approve"' not in page
    assert 'id="reject"' in page


async def test_who_made_an_approvers_account_is_told_if_they_asked_for_the_change(desk):
    proposal = (await desk.propose()).proposal
    path = f"/proposals/{proposal.proposal_id}"
    bob = await desk.let_in("bob", Role.APPROVER)  # `user:admin` makes all accounts
    form = {"bundle_digest": proposal.bundle_digest}
    assert (await bob.submit(f"{path}/approve", **form)).status_code == 303
    assert "data-same-hand" not in await bob.page(path), "it had no other part in it"
    await desk.change("UPDATE incidents SET reported_by = 'cli:Admin'")
    for page in (await bob.page(path), await bob.page(f"{path}/progress")):
        note = "The account of user:bob was made by user:admin, who asked for this change, on 20"
        assert note in page


async def test_who_made_an_approvers_account_is_told_if_they_approved_it_too(desk):
    proposal = (await desk.propose(risk_score=60.0)).proposal
    path = f"/proposals/{proposal.proposal_id}"
    form = {"bundle_digest": proposal.bundle_digest}
    bob = await desk.let_in("bob", Role.APPROVER)
    admin = await desk.let_in("admin2", Role.APPROVER)
    await desk.change(
        "INSERT INTO audit_events (event_id, occurred_at, actor, action, subject_kind, subject_id,"
        " correlation_id) SELECT 'evt_reset', now(), 'cli:admin2', 'account.password_changed',"
        " 'account', 'bob', 'cor_1'"
    )
    for one in (bob, admin):
        assert (await one.submit(f"{path}/approve", **form)).status_code == 303
    page = await bob.page(path)
    assert (
        "The account of user:bob was given a new password by cli:admin2, who approved it too, on"
        in page
    )
    assert page.count("data-same-hand") == 1

# SPDX-License-Identifier: Apache-2.0
"""Decisions over HTTP: with conditions, refused with 409 and audited, exceptions, freezes."""

import html
from datetime import UTC, datetime, timedelta

from api.accounts import Role

APPROVER = Role.APPROVER
WORDS = {"compensating_controls": "ada watches", "reason": "the disk is full", "valid_hours": "24"}


async def test_an_approval_with_conditions(desk):
    proposal = (await desk.propose()).proposal
    path = f"/proposals/{proposal.proposal_id}"
    ada = await desk.let_in("ada", APPROVER)
    form = {"bundle_digest": proposal.bundle_digest}
    malformed = {
        "not_before": ("tomorrow", "2026-13-01T00:00", desk.in_hours(24 * 40)),
        "valid_hours": ("soon", "nan", "inf", "-1", "0", "1e9"),
    }
    for name, values in malformed.items():
        for value in values:
            answer = await ada.submit(f"{path}/approve", **form, **{name: value})
            assert answer.status_code in (400, 422), (name, value, answer.status_code)
    answer = await ada.submit(f"{path}/approve", **form, reason="x" * 2001)
    assert (answer.status_code, "longer than 2000" in answer.text) == (400, True), answer.text
    assert await desk.query("SELECT 1 FROM approvals") == []

    start = desk.in_hours(2)
    answer = await ada.submit(f"{path}/approve", **form, not_before=start, valid_hours="3")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    (approval,) = await desk.query("SELECT approver, conditions, expires_at FROM approvals")
    not_before = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert approval["approver"] == "user:ada"
    assert approval["conditions"]["not_before"] == not_before.isoformat()
    assert approval["expires_at"] == not_before + timedelta(hours=3)
    (row,) = await desk.query("SELECT status FROM proposals")
    assert row["status"] == "approved"
    page = await ada.page(path)
    assert "approve by user:ada" in page
    assert f"not before {not_before.isoformat()}" in html.unescape(page)


async def test_who_may_not_approve(desk):
    proposal = (await desk.propose(risk_score=60)).proposal  # two people must agree
    path = f"/proposals/{proposal.proposal_id}"
    form = {"bundle_digest": proposal.bundle_digest}
    hanna = await desk.let_in("hanna", APPROVER)  # asked for it
    author = await desk.let_in("eucora-starter", APPROVER)  # wrote the script
    for visitor, why in ((hanna, "You asked for this change"), (author, "You wrote this script")):
        page = await visitor.page(path)
        assert why in page
        assert 'id="approve"' not in page
        assert (await visitor.submit(f"{path}/approve", **form)).status_code == 409
    ada = await desk.let_in("ada", APPROVER)
    stale = await ada.submit(f"{path}/approve", bundle_digest="0" * 64)
    assert stale.status_code == 409
    assert "not the evidence of this proposal" in stale.text
    assert (await ada.submit(f"{path}/approve", **form)).status_code == 303
    assert "1 of 2 approvals given." in await ada.page(path)
    assert (await ada.submit(f"{path}/approve", **form)).status_code == 409
    await desk.change("UPDATE proposals SET expires_at = now() - interval '1 minute'")
    grace = await desk.let_in("grace", APPROVER)
    assert (await grace.submit(f"{path}/approve", **form)).status_code == 409
    assert await desk.refusals() == [
        "self_approval",
        "author_approval",
        "bundle_changed",
        "already_decided",
        "proposal_expired",
    ]
    (row,) = await desk.query("SELECT status FROM proposals")
    assert row["status"] == "pending"
    helper = await desk.let_in("henry", Role.HELPDESK)
    assert (await helper.submit(f"{path}/approve", **form)).status_code == 403


async def test_who_overrides_cannot_approve_the_replacement(desk):
    proposal = (await desk.propose()).proposal
    path = f"/proposals/{proposal.proposal_id}"
    ada = await desk.let_in("ada", APPROVER)
    other = next(
        item["script_id"]
        for item in proposal.candidates
        if item["script_id"] != proposal.script_id and item["parameters"] is not None
    )
    assert "Another person must approve it" in await ada.page(f"{path}/override?script_id={other}")
    answer = await ada.submit(
        f"{path}/override",
        bundle_digest=proposal.bundle_digest,
        script_id=other,
        reason="the log is what grows",
    )
    assert answer.status_code == 303, answer.text
    replacement = answer.headers["location"]
    (row,) = await desk.query(
        "SELECT bundle_digest, script_id FROM proposals WHERE status='pending'"
    )
    assert row["script_id"] == other
    form = {"bundle_digest": row["bundle_digest"]}
    assert (await ada.submit(f"{replacement}/approve", **form)).status_code == 409
    assert await desk.refusals() == ["self_approval"]
    grace = await desk.let_in("grace", APPROVER)
    assert (await grace.submit(f"{replacement}/approve", **form)).status_code == 303


async def test_a_great_risk_needs_an_exception(desk):
    small = (await desk.propose("dev-2")).proposal
    proposal = (await desk.propose(risk_score=80)).proposal
    path = f"/proposals/{proposal.proposal_id}"
    form = {"bundle_digest": proposal.bundle_digest}
    reviewer, approver = Role.SECURITY_REVIEWER, APPROVER
    ines = await desk.let_in("ines", reviewer)
    needless = await ines.submit(f"/proposals/{small.proposal_id}/exception", **WORDS)
    assert needless.status_code == 422
    ada = await desk.let_in("ada", approver)
    page = await ada.page(path)
    assert "0 of 2 approvals given." in page
    assert "a security reviewer must grant an exception" in page
    assert "grant-exception" not in page
    assert (await ada.submit(f"{path}/approve", **form)).status_code == 409
    hanna = await desk.let_in("hanna", reviewer)
    author = await desk.let_in("eucora-starter", reviewer)
    assert (await hanna.submit(f"{path}/exception", **WORDS)).status_code == 409
    assert (await author.submit(f"{path}/exception", **WORDS)).status_code == 409
    assert (await ada.submit(f"{path}/exception", **WORDS)).status_code == 403
    for wrong in ({"valid_hours": "1000"}, {"valid_hours": "x"}, {"compensating_controls": " "}):
        answer = await ines.submit(f"{path}/exception", **{**WORDS, **wrong})
        assert answer.status_code in (400, 422), wrong
    assert "grant-exception" in await ines.page(path)
    masked = {**WORDS, "compensating_controls": "write to ada@example.org first"}
    assert (await ines.submit(f"{path}/exception", **masked)).status_code == 303
    (granted,) = await desk.query("SELECT * FROM risk_exceptions")
    assert granted["granted_by"] == "user:ines"
    assert "ada@example.org" not in granted["compensating_controls"]
    assert await desk.refusals("risk_exception.refused") == [
        "self_approval",
        "author_approval",
        "role_missing",
    ]
    assert "must grant an exception" not in await ada.page(path)
    assert (await ada.submit(f"{path}/approve", **form)).status_code == 303
    grace = await desk.let_in("grace", approver)
    assert (await grace.submit(f"{path}/approve", **form)).status_code == 303
    (row,) = await desk.query(
        "SELECT status FROM proposals WHERE proposal_id = %s", proposal.proposal_id
    )
    assert row["status"] == "approved"


async def test_a_freeze_is_announced_and_lifted(desk):
    proposal = (await desk.propose()).proposal
    path = f"/proposals/{proposal.proposal_id}"
    form = {"bundle_digest": proposal.bundle_digest}
    ada = await desk.let_in("ada", APPROVER)
    helper = await desk.let_in("henry", Role.HELPDESK)
    window = {"ends_at": desk.in_hours(3), "reason": "year end, ask ada@example.org"}
    assert (await helper.submit("/freezes", **window)).status_code == 403
    assert "Announce one" not in await helper.page("/freezes")
    for wrong in ({"ends_at": ""}, {"ends_at": "later"}, {"ends_at": desk.in_hours(-1)},
                  {"ends_at": desk.in_hours(24 * 100)}, {"reason": ""}):  # fmt: skip
        answer = await ada.submit("/freezes", **{**window, **wrong})
        assert answer.status_code in (400, 422), wrong
    assert (await ada.submit("/freezes", **window)).status_code == 303
    page = await ada.page("/freezes")
    assert "Frozen until" in page
    assert "ada@example.org" not in page
    assert "A freeze window is in force" in await ada.page(path)
    assert (await ada.submit(f"{path}/approve", **form)).status_code == 409
    assert await desk.refusals() == ["freeze_window"]
    (row,) = await desk.query("SELECT freeze_id FROM freeze_windows")
    lift = f"/freezes/{row['freeze_id']}/lift"
    assert (await helper.submit(lift)).status_code == 403
    assert (await ada.submit(lift)).status_code == 303
    assert (await ada.submit(lift)).status_code == 422
    assert (await ada.submit(f"{path}/approve", **form)).status_code == 303

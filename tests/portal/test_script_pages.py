# SPDX-License-Identifier: Apache-2.0
"""The catalogue in the portal: import, look at code with effects, decide; and who may not."""

import asyncio
import html
import re
from io import BytesIO
from zipfile import ZipFile

import pytest
import yaml
from playwright.sync_api import expect

from api.accounts import Role
from evidence.verification import verify_case
from retrieval.catalogue import find_script, list_scripts
from retrieval.errors import ScriptNotFoundError
from tests.portal.desk import PASSWORD, Desk, Visitor
from tests.portal.script_folders import SCRIPT_ID, STEPS, pack
from tests.reasoning.situations import FULL_DISK, enrol, open_ticket, reason_about, report
from tests.stack.browser import log_in, measure_overflow, open_browser

APPROVER = Role.APPROVER
PAGE = f"/scripts/{SCRIPT_ID}/1.0.0"
DIGEST = re.compile(r'name="content_sha256" value="([0-9a-f]{64})"')


async def upload(visitor: Visitor, content: bytes, *, name: str = "script.zip"):
    token = re.findall(r'name="csrf_token" value="([^"]+)"', await visitor.page("/scripts"))[0]
    return await visitor.client.post(
        "/scripts", data={"csrf_token": token}, files={"file": (name, content)}
    )


async def decide(visitor: Visitor, verb: str, page: str = PAGE, **fields: str):
    found = DIGEST.search(await visitor.page(page))
    digest = found[1] if found else "0" * 64
    return await visitor.submit(f"{page}/{verb}", **{"content_sha256": digest, **fields})


async def is_in_force(desk: Desk, version: str = "1.0.0") -> bool:
    async with desk.services.ground.pool.connection() as connection:
        try:
            return (await find_script(connection, SCRIPT_ID)).manifest.version == version
        except ScriptNotFoundError:
            return False


async def test_a_version_is_imported_by_one_and_approved_by_another(desk):
    ivan = await desk.let_in("ivan", Role.HELPDESK, APPROVER)
    answer = await upload(ivan, pack())
    assert answer.headers["location"] == PAGE, answer.text[:2000]
    assert not await is_in_force(desk)
    page = await ivan.page(PAGE)
    assert "<code>disk_used_percent_max &lt; 90</code> within 600 s" in page
    assert "<dt>Timeout</dt><dd>60 s a step</dd>" in page
    assert 'id="approve"' not in page
    digest = DIGEST.search(await ivan.page(PAGE))
    assert digest is not None  # to reject it is anybody's right
    refused = await ivan.submit(f"{PAGE}/approve", content_sha256=digest[1])
    assert refused.status_code == 409
    hanna = await desk.let_in("hanna", APPROVER)  # its author
    assert (await decide(hanna, "approve")).status_code == 409
    helper = await desk.let_in("henry", Role.HELPDESK, Role.ADMIN)
    assert (await decide(helper, "approve")).status_code == 403
    grace = await desk.let_in("grace", APPROVER)
    wrong = await grace.submit(f"{PAGE}/approve", content_sha256="0" * 64)
    assert wrong.status_code == 409
    assert await desk.refusals("script.decision_refused") == [
        "self_approval", "author_approval", "role_missing", "bundle_changed",
    ]  # fmt: skip
    assert not await is_in_force(desk)
    done = await decide(grace, "approve", reason="read it, mail ada@example.org")
    assert done.headers["location"] == PAGE
    assert await is_in_force(desk)
    page = await grace.page(PAGE)
    assert "ada@example.org" not in page
    (case,) = re.findall(r'href="(/scripts/decisions/[^"]+/case)"', page)
    checked = verify_case((await grace.client.get(case)).content)
    assert checked.passed, checked
    assert (await decide(grace, "retire", reason="it harms")).status_code == 303
    assert not await is_in_force(desk)
    found = await desk.query(
        "SELECT kind, retired_at FROM documents WHERE document_id = %s", f"script:{SCRIPT_ID}"
    )
    assert [row["kind"] for row in found] == ["script"]
    assert found[0]["retired_at"] is not None  # nor is it found any more


async def test_an_undeclared_effect_blocks_the_import_and_says_where(desk):
    ivan = await desk.let_in("ivan", Role.HELPDESK)
    steps = {"remediate": STEPS["remediate"] + "systemctl stop cron.service\n"}
    answer = await upload(ivan, pack(steps))
    assert answer.status_code == 422
    said = html.unescape(answer.text)
    (row,) = re.findall(r'<tr><td data-label="File" class="short"><code>remediate\.sh.*</tr>', said)
    assert '<a href="#remediate-5">line 5</a>' in row
    assert "'systemctl stop cron.service' changes services" in row
    assert "not declared: remove it, or declare changes_services: " in row
    assert "under effects/remediate" in row
    (declaration,) = re.findall(r"<pre[^>]*>(effects:.*?)</pre>", said, re.DOTALL)
    assert set(yaml.safe_load(declaration)["effects"]["remediate"]) == {
        "changes_services", "deletes_files",
    }  # fmt: skip
    assert '<tr id="remediate-5" class="does">' in said
    assert 'id="import-form"' in said, "a way to send it again"
    milder = await upload(ivan, pack(effects={"remediate": {"deletes_files": "none"}}))
    assert milder.status_code == 422
    foreign = await upload(ivan, pack(effects={"remediate": {"does_magic": "low"}}))
    assert "does_magic is no effect" in foreign.text
    assert await desk.query("SELECT 1 FROM scripts WHERE script_id = %s", SCRIPT_ID) == []
    events = await desk.query(
        "SELECT action, after FROM audit_events"
        " WHERE actor = 'user:ivan' AND subject_kind = 'script'"
    )
    assert [event["action"] for event in events] == ["script.import_refused"] * 3
    assert "changes_services" in events[0]["after"]["detail"]


async def test_what_a_manifest_lacks_is_said_field_by_field(desk):
    ivan = await desk.let_in("ivan", Role.HELPDESK)
    answer = await upload(ivan, pack(version="1.0", timeout_seconds="soon"))
    assert answer.status_code == 422
    rows = re.findall(r'<tr><td data-label="File".*</tr>', html.unescape(answer.text))
    assert [re.findall(r'data-label="Where"[^>]*>([^<]+)<', row)[0] for row in rows] == [
        "version", "timeout_seconds",
    ]  # fmt: skip
    assert "'1.0'" in rows[0]
    assert "'soon'" in rows[1]
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr(f"{SCRIPT_ID}/manifest.yaml", "id: x\ntitle: [unclosed\n")
    answer = await upload(ivan, packed.getvalue())
    assert "line 3, column 1" in answer.text
    assert "no valid YAML" in answer.text


async def test_what_else_is_not_taken(desk):
    ivan = await desk.let_in("ivan", Role.HELPDESK)
    auditor = await desk.let_in("audrey", Role.AUDITOR)
    assert 'id="import"' not in await auditor.page("/scripts")
    assert (await upload(ivan, b"no archive")).status_code == 422
    for content, status, words in (
        (pack(author="eucora-starter"), 422, "reserved"),
        (pack(version="1.0"), 422, "version"),
        (pack(id="linux-other-id")[:-30], 422, "ZIP"),
        (pack(), 303, ""),
        (pack(description="Says something else of the same version."), 409, "raise the version"),
        (pack(version="0.9.0"), 409, "older than 1.0.0"),
        (pack(), 303, ""),  # the same once more
    ):
        answer = await upload(ivan, content)
        assert answer.status_code == status, answer.text[:2000]
        assert words in html.unescape(answer.text)
        assert status == 303 or 'href="/scripts"' in answer.text
    (count,) = await desk.query("SELECT count(*) AS n FROM scripts WHERE script_id = %s", SCRIPT_ID)
    assert count["n"] == 1


async def test_the_page_shows_effects_remarks_and_hidden_characters_beside_the_lines(desk):
    ivan = await desk.let_in("ivan", Role.HELPDESK)
    steps = {
        "detect": STEPS["detect"] + "never_used='<b>\u202e'\n",
        "remediate": STEPS["remediate"],
    }
    assert (await upload(ivan, pack(steps))).status_code == 303
    page = await ivan.page(PAGE)
    (row,) = re.findall(r'<tr id="remediate-4".*?</tr>', page)
    assert "rm -f -- /var/cache/test/old.bin" in row
    assert "deletes files" in row
    (row,) = re.findall(r'<tr id="detect-4".*?</tr>', page)
    assert "holds characters that are not shown" in row
    assert "SC2034" in row
    assert "&lt;b&gt;" in row
    assert "\u202e" not in page


async def test_a_new_version_is_compared_with_the_one_in_force(desk):
    ivan, grace = await desk.let_in("ivan", Role.HELPDESK), await desk.let_in("grace", APPROVER)
    await upload(ivan, pack())
    await decide(grace, "approve")
    steps = {"verify": STEPS["verify"] + "test -d /var/cache\n"}
    newer = f"/scripts/{SCRIPT_ID}/1.1.0"
    assert (await upload(ivan, pack(steps, version="1.1.0"))).headers["location"] == newer
    page = html.unescape(await grace.page(newer))
    (differences,) = re.findall(r'id="differences".*?</section>', page, re.DOTALL)
    added = re.findall(r'<tr class="added">.*?<code>(.*?)</code>', differences)
    assert "test -d /var/cache" in added
    assert (await decide(grace, "approve", newer)).status_code == 303
    assert await is_in_force(desk, "1.1.0")
    assert (await decide(grace, "rollback", PAGE)).status_code == 422  # no reason
    assert (await decide(grace, "rollback", PAGE, reason="1.1.0 fails")).status_code == 303
    assert await is_in_force(desk, "1.0.0")
    assert (await grace.client.get(f"/scripts/{SCRIPT_ID}")).headers["location"] == PAGE


async def test_what_cannot_be_judged_is_approved_by_a_security_reviewer(desk):
    ivan, grace = await desk.let_in("ivan", Role.HELPDESK), await desk.let_in("grace", APPROVER)
    steps = {"remediate": STEPS["remediate"] + 'eval "$EUCORA_PARAM_X"\n'}
    declared = {
        "remediate": {"deletes_files": "high", "runs_dynamic_code": "critical"},
    }
    answer = await upload(ivan, pack(steps, effects=declared))
    assert answer.status_code == 303, html.unescape(answer.text)[-600:]
    assert "cannot be judged" in await grace.page(PAGE)
    assert (await decide(grace, "approve")).status_code == 403
    sarah = await desk.let_in("sarah", Role.SECURITY_REVIEWER)
    assert (await decide(sarah, "approve")).status_code == 303
    assert await is_in_force(desk)


async def test_a_row_changed_behind_our_back_is_told_and_never_proposed(desk):
    services = desk.services
    async with services.ground.pool.connection() as connection:
        for script in await list_scripts(connection, "linux"):
            await connection.execute(
                "UPDATE script_files SET content = content || '\n', sha256 ="
                " encode(sha256(content || '\n'), 'hex') WHERE script_id = %s",
                (script.manifest.id,),
            )
    await enrol(services, "dev-1")
    await report(services, "dev-1", ago_seconds=30, hardware=FULL_DISK)
    incident_id = await open_ticket(
        services, "Disk full", "No space left on device, I cannot save files.", device_id="dev-1"
    )
    outcome = await reason_about(services, incident_id)
    assert outcome.proposal.status == "abstained"
    assert "differs from its signed entry in" in outcome.proposal.abstention_reason
    ada = await desk.let_in("ada", APPROVER)
    page = await ada.page("/scripts/linux-clear-print-queue/1.1.2")
    assert 'id="trouble"' in page


async def test_the_proposal_shows_effects_beside_the_code(desk):
    proposal = (await desk.propose()).proposal
    ada = await desk.let_in("ada", APPROVER)
    answer = await ada.submit(
        f"/proposals/{proposal.proposal_id}/override",
        bundle_digest=proposal.bundle_digest,
        script_id="linux-clean-package-cache",
        reason="it is the package cache",
    )
    page = await ada.page(answer.headers["location"])
    rows = re.findall(r'<tr id="remediate-(\d+)" class="does">.*?</tr>', page)
    assert rows
    (effects,) = re.findall(r'<table class="effects wide">.*?</table>', page, re.DOTALL)
    assert all(f'<a href="#remediate-{line}">{line}</a>' in effects for line in rows)
    assert "changes software" in effects
    assert "not declared" not in effects
    assert 'href="/scripts/linux-clean-package-cache/1.1.0"' in page


@pytest.mark.browser
async def test_a_person_reads_and_approves_a_version_in_a_browser(desk):
    ivan = await desk.let_in("ivan", Role.HELPDESK)
    await upload(ivan, pack())
    await desk.let_in("grace", APPROVER)

    def look() -> None:
        with open_browser() as browser, log_in(browser, desk.url, "grace", PASSWORD) as page:
            page.goto("/scripts")
            page.get_by_role("link", name=SCRIPT_ID).click()
            line = page.locator("#remediate-4")
            expect(line).to_contain_text("rm -f -- /var/cache/test/old.bin")
            expect(line).to_contain_text("deletes files")
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                assert measure_overflow(page) <= 0, width
            page.set_viewport_size({"width": 1280, "height": 900})
            page.locator("#approve-reason").fill("read line by line")
            page.locator("#approve").click()
            expect(page.locator("h1 .tag")).to_have_text("in force")
            expect(page.locator("ol.timeline")).to_contain_text("1.0.0 approved by user:grace")

    await asyncio.to_thread(look)
    assert await is_in_force(desk)

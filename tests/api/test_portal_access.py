# SPDX-License-Identifier: Apache-2.0
"""Who gets into the portal, what they may do there, and what hostile text can do: nothing."""

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import pytest_asyncio

from api.accounts import (
    IDLE_LIMIT,
    MAX_FAILURES_PER_NAME,
    MAX_PASSWORD_LENGTH,
    THROTTLE_WINDOW,
    Role,
)
from governance.proposals import find_proposal
from tests.api.observation import changed, check_problem, count_rows, events_of
from tests.api.visitor import PASSWORD, make_person, visit
from tests.reasoning.situations import FULL_DISK, enrol, open_ticket, report, work
from tests.stack.served import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
SESSION = "eucora_session"
HTML = {"accept": "text/html"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(served) -> None:
    for username, role in (
        ("hanna", Role.HELPDESK),
        ("axel", Role.APPROVER),
        ("udo", Role.AUDITOR),
        ("dana", Role.DATA_SCIENTIST),
        ("adam", Role.ADMIN),
    ):
        await make_person(served, username, role)
    await make_person(served, "otto", Role.ADMIN, Role.AUDITOR)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proposal_id(served, people) -> str:
    """A proposal that waits for a decision."""
    services = served.services
    await enrol(services, "dev_full")
    await report(services, "dev_full", hardware=FULL_DISK)
    incident_id = await open_ticket(
        services, "Disk full", "The disk is full, nothing can be saved", device_id="dev_full"
    )
    await work(services)
    (row,) = await served.query(
        "SELECT proposal_id FROM proposals WHERE incident_id = %s", incident_id
    )
    return str(row["proposal_id"])


async def status_of(served: Served, proposal_id: str) -> str:
    async with served.services.ground.pool.connection() as connection:
        proposal = await find_proposal(connection, proposal_id)
    assert proposal is not None
    return proposal.status.value


async def test_in_and_out(served, people):
    visitor = await visit(served)
    for page in ("/", "/queue", "/incidents", "/audit", "/people", "/proposals/x"):
        answer = await visitor.get(page)
        assert answer.status_code == 303, page
    assert (await visitor.get("/queue")).headers["location"] == "/login"
    check_problem(await (await served.client()).get("/queue"), 401)
    answer = await visitor.log_in("hanna")
    assert answer.status_code == 303
    (event,) = await events_of(served, answer.headers["x-correlation-id"])
    assert (event["actor"], event["action"]) == ("user:hanna", "session.opened")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION))
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    token = visitor.client.cookies[SESSION]
    assert (await visitor.get("/queue")).status_code == 200
    stored = await served.query("SELECT session_sha256 FROM sessions WHERE username = 'hanna'")
    assert token not in str(stored)
    answer = await visitor.submit("/queue", "/logout")
    assert answer.headers["location"] == "/login"
    visitor.client.cookies.set(SESSION, token)  # who kept the cookie has nothing
    assert (await visitor.get("/queue")).headers["location"] == "/login"
    (event,) = await events_of(served, answer.headers["x-correlation-id"])
    assert event["action"] == "session.closed"


async def test_a_login_does_not_take_over_a_known_session(served, people):
    visitor = await visit(served)
    visitor.client.cookies.set(SESSION, "chosen-by-somebody-else")
    answer = await visitor.log_in("hanna")
    assert f"{SESSION}=chosen" not in str(answer.headers)
    assert "chosen-by-somebody-else" not in str(answer.headers)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("hanna", "wrong"),
        ("hanna", ""),
        ("hanna", PASSWORD + "x"),
        ("Hanna", PASSWORD),
        ("nobody", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("\u202ehanna", PASSWORD),
        ("h" * 5000, "p" * 40_000),
    ],
)
async def test_a_wrong_name_or_password_says_the_same(served, people, username, password):
    visitor = await visit(served)
    answer = await visitor.log_in(username, password)
    assert answer.status_code == 401
    assert "User name or password is wrong." in answer.text
    assert SESSION not in visitor.client.cookies
    (event,) = await events_of(served, answer.headers["x-correlation-id"])
    assert event["action"] == "session.refused"
    assert event["subject_id"] in {"hanna", "unknown"}


async def test_guessing_is_throttled_even_when_it_is_done_at_once(served, people):
    await make_person(served, "victim", Role.HELPDESK)
    visitors = [await visit(served) for _ in range(12)]
    answers = await asyncio.gather(
        *(visitor.log_in("victim", f"guess {n}") for n, visitor in enumerate(visitors))
    )
    looked_at = [answer for answer in answers if answer.status_code == 401]
    assert len(looked_at) <= MAX_FAILURES_PER_NAME
    assert {answer.status_code for answer in answers} == {401, 429}
    for number in range(MAX_FAILURES_PER_NAME - len(looked_at)):
        await visitors[0].log_in("victim", f"late guess {number}")
    answer = await visitors[0].log_in("victim")  # the right password, now too late
    assert answer.status_code == 429
    assert "Too many failed logins" in answer.text
    served.services.ground.clock.ahead += THROTTLE_WINDOW
    assert (await visitors[0].log_in("victim")).status_code == 303
    (kept,) = await served.query("SELECT count(*) AS n FROM login_attempts")
    assert kept["n"] == 1, "what the throttle does not look at any more is dropped"


@pytest.mark.parametrize("pause", [IDLE_LIMIT, timedelta(hours=13)])
async def test_a_session_ends_by_itself(served, people, pause):
    visitor = await visit(served, "hanna")
    assert (await visitor.get("/queue")).status_code == 200
    served.services.ground.clock.ahead += pause + timedelta(seconds=1)
    assert (await visitor.get("/queue")).headers["location"] == "/login"


async def test_a_busy_session_ends_too(served, people):
    visitor = await visit(served, "hanna")
    lifetime = timedelta(hours=served.services.ground.settings.session_hours)
    for _ in range(int(lifetime / timedelta(minutes=50))):
        assert (await visitor.get("/queue")).status_code == 200
        served.services.ground.clock.ahead += timedelta(minutes=50)
    served.services.ground.clock.ahead += timedelta(minutes=50)
    assert (await visitor.get("/queue")).headers["location"] == "/login"


FORMS = {
    "/logout": {"a": "b"},
    "/tickets": {"title": "a", "description": "b"},
    "/people": {"username": "eve", "password": PASSWORD, "role": "admin"},
    "/devices/enrolment-token": {"a": "b"},
    "/proposals/PROPOSAL/approve": {"reason": "x"},
    "/proposals/PROPOSAL/reject": {"reason": "x"},
    "/proposals/PROPOSAL/override": {"reason": "x", "script_id": "linux-clean-package-cache"},
}


@pytest.mark.parametrize("action", FORMS)
async def test_forms_without_their_session_s_token_change_nothing(
    served, people, proposal_id, action
):
    visitor, other = await visit(served, "adam"), await visit(served, "axel")
    foreign = (await other.hidden("/queue"))["csrf_token"]
    target = action.replace("PROPOSAL", proposal_id)
    before = await count_rows(served)
    for token in (None, "", "nonsense", foreign):
        fields = FORMS[action] | ({} if token is None else {"csrf_token": token})
        answer = await visitor.client.post(target, data=fields)
        assert answer.status_code == 403, token
        assert "form has expired" in answer.text
    answer = await visitor.client.post(target, json=FORMS[action])
    assert answer.status_code == 400
    assert changed(before, await count_rows(served)) == set()
    assert (await visitor.get("/queue")).status_code == 200


async def test_a_login_form_is_bound_to_its_browser(served, people):
    visitor, other = await visit(served), await visit(served)
    token = (await other.hidden("/login"))["form_token"]
    await visitor.get("/login")
    for form_token in (token, "", "x"):
        answer = await visitor.client.post(
            "/login", data={"form_token": form_token, "username": "hanna", "password": PASSWORD}
        )
        assert answer.status_code == 403
    assert SESSION not in visitor.client.cookies


@pytest.mark.parametrize("username", ["hanna", "udo", "dana", "adam"])
async def test_only_approvers_decide(served, people, proposal_id, username):
    visitor = await visit(served, username)
    page = f"/proposals/{proposal_id}"
    hidden = await visitor.hidden(page)
    digest = (await (await visit(served, "axel")).hidden(page))["bundle_digest"]
    before = await count_rows(served)
    for verb in ("approve", "reject", "override"):
        answer = await visitor.client.post(
            f"{page}/{verb}",
            data={
                "csrf_token": hidden["csrf_token"],
                "bundle_digest": digest,
                "reason": "because",
                "script_id": "linux-clean-package-cache",
            },
        )
        assert answer.status_code == 403, verb
        assert "approver" in answer.text
    assert (
        await visitor.get(f"{page}/override?script_id=linux-clean-package-cache")
    ).status_code == 403
    after = await count_rows(served)
    for table in ("approvals", "proposals", "jobs", "outbox"):
        assert before[table] == after[table]
    assert await status_of(served, proposal_id) == "pending"


@pytest.mark.parametrize("username", ["adam", "otto"])
async def test_an_administrator_reviews_nothing(served, people, username):
    """Who gives out roles decides neither on policies nor on what is held back."""
    visitor = await visit(served, username)
    token = (await visitor.hidden("/people"))["csrf_token"]
    before = await count_rows(served)
    for action in (
        "/knowledge/quarantine/qua_1/release", "/knowledge/quarantine/qua_1/destroy",
        "/policies/rollback", "/policies/changes/pch_1/activate",
    ):  # fmt: skip
        answer = await visitor.client.post(action, data={"csrf_token": token, "reason": "because"})
        assert answer.status_code == 403, action
        assert "security reviewer" in answer.text
    assert changed(before, await count_rows(served)) <= {
        "audit_events", "log_pending", "log_entries", "log_checkpoints",
    }  # fmt: skip


@pytest.mark.parametrize("username", ["hanna", "axel", "udo", "dana"])
async def test_only_admins_manage_people_and_enrol_devices(served, people, username):
    visitor = await visit(served, username)
    assert (await visitor.get("/people")).status_code == 403
    token = (await visitor.hidden("/queue"))["csrf_token"]
    before = await count_rows(served)
    for action in ("/people", "/devices/enrolment-token"):
        answer = await visitor.client.post(
            action, data={"csrf_token": token, "username": "eve", "password": PASSWORD}
        )
        assert answer.status_code == 403
    assert changed(before, await count_rows(served)) == set()


async def test_who_neither_helps_nor_approves_opens_no_ticket(served, people):
    for username in ("udo", "dana"):
        visitor = await visit(served, username)
        answer = await visitor.submit("/queue", "/tickets", title="a", description="b")
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "", "password": PASSWORD}, "a user name has"),
        ({"username": "a b", "password": PASSWORD}, "a user name has"),
        ({"username": "аdam", "password": PASSWORD}, "a user name has"),  # noqa: RUF001 - Cyrillic
        ({"username": "a" * 65, "password": PASSWORD}, "a user name has"),
        ({"username": "new", "password": "short"}, "a password has"),
        ({"username": "new", "password": "x" * (MAX_PASSWORD_LENGTH + 1)}, "a password has"),
        ({"username": "new", "password": PASSWORD, "role": "god"}, "no such role"),
        ({"username": "adam", "password": PASSWORD}, "already"),
    ],
)
async def test_bad_accounts_are_refused_in_words(served, people, fields, words):
    visitor = await visit(served, "adam")
    before = await count_rows(served)
    answer = await visitor.submit("/people", "/people", **fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert changed(before, await count_rows(served)) == set()


BAD_OVERRIDES = [
    ({"script_id": "no-such-script"}, 404, "no-such-script"),
    ({"script_id": ""}, 404, ""),
    ({"script_id": "../../etc/passwd"}, 404, ""),
    ({"parameter:minimum_mebibytes": "0"}, 422, "minimum_mebibytes"),
    ({"parameter:minimum_mebibytes": "100001"}, 422, "minimum_mebibytes"),
    ({"parameter:minimum_mebibytes": "1e3"}, 400, "minimum_mebibytes"),
    ({"parameter:minimum_mebibytes": "$(reboot)"}, 400, "minimum_mebibytes"),
    ({"parameter:minimum_mebibytes": "9" * 5000}, 400, "minimum_mebibytes"),
    ({"bundle_digest": "0" * 64}, 409, "evidence"),
    ({"bundle_digest": "<script>"}, (409, 422), ""),
]


@pytest.mark.parametrize(("fields", "status", "words"), BAD_OVERRIDES)
async def test_bad_overrides_are_refused(served, people, proposal_id, fields, status, words):
    visitor = await visit(served, "axel")
    page = f"/proposals/{proposal_id}"
    before = await count_rows(served)
    hidden = await visitor.hidden(page)
    body = hidden | {"reason": "better", "script_id": "linux-clean-package-cache"} | fields
    for accept in ("text/html", "application/json"):
        answer = await visitor.client.post(
            f"{page}/override", data=body, headers={"accept": accept}
        )
        assert answer.status_code in (status if isinstance(status, tuple) else (status,))
        assert words in answer.text
        if accept == "application/json":
            check_problem(answer, answer.status_code)
    after = await count_rows(served)
    for table in ("approvals", "proposals", "jobs", "evidence_bundles"):
        assert before[table] == after[table], table
    assert await status_of(served, proposal_id) == "pending"


BAD_PATHS = [
    "/incidents/nothing", "/incidents/%00", "/incidents/..%2f..%2fetc", "/incidents/%ff%fe",
    "/proposals/nothing", "/proposals/%00/progress", "/proposals/x/case.json",
    "/devices/%F0%9F%92%A9", "/devices/x/plots/%00.svg",
    "/devices/x/plots/cpu_percent.svg", "/knowledge/nothing", "/knowledge/x?version=-1",
    "/knowledge/x?version=99999999999999999999", "/knowledge/x?version=abc",
    "/static/%00", "/static/..%2f..%2fhttp.py", f"/static/{'a' * 300}", "/nowhere",
    f"/incidents/{'x' * 3000}",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
async def test_bad_addresses_get_a_page_or_a_problem(served, people, path):
    visitor = await visit(served, "adam")
    for accept in ("text/html", "application/json"):
        answer = await visitor.get(path, headers={"accept": accept})
        assert answer.status_code in {400, 404, 422}, answer.text[:300]
        assert "content-security-policy" in answer.headers
    check_problem(answer, answer.status_code)


async def test_lists_take_any_question(served, people):
    visitor = await visit(served, "otto")
    hostile = "'; DROP TABLE incidents; -- <script>alert(1)</script> \u202e %"
    for page, name in (("/incidents", "status"), ("/audit", "correlation_id"), ("/knowledge", "q")):
        answer = await visitor.get(page, params={name: hostile * 20})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


class Page(HTMLParser):
    """Collects what could run or style itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def check_inert(text: str) -> None:
    """Check that a page has no script, style or markup but our own."""
    for tag, attributes in Page(text).elements:
        assert tag not in {"iframe", "object", "embed", "style", "svg", "base", "marquee"}, tag
        assert not [name for name in attributes if name.startswith("on")], attributes
        assert "style" not in attributes
        for name in ("src", "href", "action"):
            target = attributes.get(name)
            assert target is None or re.match(r"[/#]", target), target
            assert not (target or "").startswith("//")
        if tag == "script":
            assert attributes.get("src") in {"/static/live.js", "/static/tables.js"}
            assert attributes.keys() == {"src", "defer"}


async def test_hostile_tickets_are_shown_inert(served, people):
    evil = (
        "</title></blockquote><script>alert(1)</script><img src=x onerror=alert(1)>"
        "<svg onload=alert(1)><iframe src=javascript:alert(1)></iframe>"
        '{{ 7 * 7 }}" onmouseover="alert(1) \' --><style>*{display:none}</style>'
    )
    visitor = await visit(served, "hanna")
    answer = await visitor.submit("/tickets/new", "/tickets", title=evil[:190], description=evil)
    assert answer.status_code == 303, answer.text
    await work(served.services)
    incident = answer.headers["location"]
    page = await visitor.get(incident)
    links = re.findall(r'href="(/proposals/[^"]+)"', page.text)
    assert links
    assert "&lt;script&gt;alert(1)" in page.text
    assert "{{ 7 * 7 }}" in page.text
    for path in (incident, f"{incident}/timeline", *links, "/queue", "/incidents", "/audit"):
        shown = await visitor.get(path)
        assert shown.status_code == 200
        check_inert(shown.text)


async def test_every_answer_carries_the_headers_that_protect(served, people, proposal_id):
    visitor = await visit(served, "adam")
    paths = ("/queue", "/login", "/people", f"/proposals/{proposal_id}", "/nowhere", "/healthz",
             "/static/portal.css", "/openapi.json")  # fmt: skip
    for path in paths:
        headers = (await visitor.get(path)).headers
        policy = dict(
            part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"]
        assert "server" not in headers
    assert "no-store" in (await visitor.get("/queue")).headers["cache-control"]


async def test_no_page_has_inline_scripts_or_styles(served, people, proposal_id):
    visitor = await visit(served, "otto")
    for path in ("/queue", "/incidents", "/devices", "/devices/dev_full", "/knowledge?q=disk",
                 "/audit", "/tickets/new", "/people", f"/proposals/{proposal_id}"):  # fmt: skip
        page = await visitor.get(path)
        assert page.status_code == 200, path
        check_inert(page.text)


async def test_metrics_tell_how_long_work_waits(served):
    client = await served.client()
    quiet = (await client.get("/metrics")).text
    assert "eucora_outbox_oldest_seconds 0.0" in quiet
    moment = served.services.ground.clock.now()
    for topic, seconds in (("nobody.listens", 100), ("nobody.listens", 10)):
        await served.query(
            "INSERT INTO outbox (topic, payload, correlation_id, created_at, available_at)"
            " VALUES (%s, '{}', 'cor_1', %s, %s) RETURNING 1",
            topic, moment, moment - timedelta(seconds=seconds),
        )  # fmt: skip
    found = re.search(
        r"eucora_outbox_oldest_seconds ([0-9.]+)", (await client.get("/metrics")).text
    )
    assert found is not None
    assert 100 <= float(found[1]) < 130
    assert "eucora_log_oldest_seconds" in quiet

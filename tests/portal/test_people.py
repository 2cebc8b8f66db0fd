# SPDX-License-Identifier: Apache-2.0
"""Administrators change others' accounts: at once, on record, and never the last of them away."""

import asyncio

import httpx
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from api.errors import InvalidRequestError

NOT_LEFT = "is the only administrator"


async def list_events(desk, subject):
    rows = await desk.query(
        "SELECT actor, action, after FROM audit_events WHERE subject_id = %s"
        " AND action <> 'session.opened' ORDER BY position",
        subject,
    )
    return [(row["actor"], row["action"], row["after"]) for row in rows]


async def test_who_is_disabled_is_out_at_once_and_back_when_enabled(desk):
    ada = await desk.let_in("ada", Role.ADMIN)
    grace = await desk.let_in("grace", Role.APPROVER)
    assert (await ada.submit("/people/grace/disable")).status_code == 303
    assert "disabled" in await ada.page("/people")
    assert (await grace.client.get("/queue")).headers["location"].startswith("/login")
    again = await ada.submit("/people/grace/disable")
    assert (again.status_code, "disabled already" in again.text) == (400, True)
    refused = await desk.try_password("grace")
    assert (refused.status_code, "location" in refused.headers) == (401, False)

    assert (await ada.submit("/people/grace/enable")).status_code == 303
    assert "Queue" in await (await desk.log_in("grace")).page("/queue")
    actions = [action for _, action, _ in await list_events(desk, "grace")]
    assert actions == ["account.created", "account.disabled", "account.enabled"]


async def test_roles_count_from_the_next_request_on(desk):
    ada = await desk.let_in("ada", Role.ADMIN)
    grace = await desk.let_in("grace", Role.HELPDESK)
    assert (await grace.client.get("/models")).status_code == 403
    answer = await ada.submit("/people/grace/roles", role=["auditor", "helpdesk"])
    assert answer.status_code == 303
    assert (await grace.client.get("/models")).status_code == 200
    assert (await list_events(desk, "grace"))[-1] == (
        "user:ada",
        "account.roles_changed",
        {"roles": ["auditor", "helpdesk"], "before": ["helpdesk"]},
    )
    wrong = await ada.submit("/people/grace/roles", role="root")
    assert (wrong.status_code, "no such role" in wrong.text) == (400, True)


async def test_nobody_changes_their_own_account_and_helpdesk_nobodys(desk):
    ada = await desk.let_in("ada", Role.ADMIN)
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    for action in ("/people/ada/disable", "/people/ada/enable", "/people/ada/roles"):
        own = await ada.submit(action, role="approver")
        assert (own.status_code, "you cannot change your own account" in own.text) == (400, True)
        assert (await hanna.submit(action, role="admin")).status_code == 403
    assert (await hanna.submit("/services/robot/revoke")).status_code == 403
    for action in ("disable", "enable", "roles"):
        unknown = await ada.submit(f"/people/nobody/{action}", role="auditor")
        assert (unknown.status_code, "no account nobody" in unknown.text) == (400, True)


async def test_one_administrator_is_always_left(desk):
    """Also where two take each other away at the same moment."""
    await desk.let_in("ada", Role.ADMIN)
    await desk.let_in("zoe", Role.ADMIN)
    ground = desk.services.ground
    await desk.change("UPDATE accounts SET disabled_at = now() WHERE username = 'admin'")

    async def disable(username: str, actor: str) -> str:
        try:
            async with ground.pool.connection() as connection:
                await ground.account_changes.disable(
                    connection, username=username, actor=actor, correlation_id="cor_1"
                )
        except InvalidRequestError as error:
            return str(error)
        return ""

    answers = await asyncio.gather(disable("zoe", "user:ada"), disable("ada", "user:zoe"))
    assert sorted(NOT_LEFT in answer for answer in answers) == [False, True], answers
    (left,) = await desk.query(
        "SELECT username FROM accounts WHERE 'admin' = ANY(roles) AND disabled_at IS NULL"
    )
    assert NOT_LEFT in await disable(left["username"], "cli:root")


async def test_a_revoked_token_opens_nothing(desk):
    ada = await desk.let_in("ada", Role.ADMIN)
    ground = desk.services.ground
    async with ground.pool.connection() as connection:
        token = await ground.tokens.create_service_token(
            connection, name="robot", scopes=frozenset({"read"}), actor="user:ada",
            correlation_id="cor_1",
        )  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with httpx.AsyncClient(base_url=desk.url, headers=headers) as robot:
        assert (await robot.get("/v1/incidents/inc_none")).status_code == 404
        assert "robot" in await ada.page("/people")
        assert (await ada.submit("/services/robot/revoke")).status_code == 303
        assert (await robot.get("/v1/incidents/inc_none")).status_code == 401
    again = await ada.submit("/services/robot/revoke")
    assert (again.status_code, "no service robot" in again.text) == (400, True)


async def test_the_command_line_does_the_same(desk, monkeypatch):
    ground = desk.services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setattr(console, "width", 200)
    await desk.let_in("grace", Role.APPROVER)

    async def run(*words: str) -> tuple[int, str]:
        ended = await asyncio.to_thread(CliRunner().invoke, app, ["account", *words])
        return ended.exit_code, ended.output

    assert (await run("disable", "grace"))[0] == 0
    code, listed = await run("list")
    assert code == 0
    (row,) = [line for line in listed.splitlines() if "grace" in line]
    assert "disabled" in row
    assert (await run("roles", "grace", "--role", "auditor", "--role", "helpdesk"))[0] == 0
    assert (await run("enable", "grace")) == (0, "grace may log in again\n")
    assert (await run("enable", "grace"))[0] == 1
    assert (await run("roles", "grace", "--role", "root"))[0] == 2
    code, output = await run("disable", "admin")
    assert (code, NOT_LEFT in output) == (1, True)
    code, output = await run("revoke-token", "robot")
    assert (code, "no service robot" in output) == (1, True)
    (account,) = await desk.query("SELECT roles, disabled_at FROM accounts WHERE username='grace'")
    assert account == {"roles": ["auditor", "helpdesk"], "disabled_at": None}

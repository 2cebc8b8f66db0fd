# SPDX-License-Identifier: Apache-2.0
"""The portal on loopback over the whole product, with a proposal and people to decide on it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import uvicorn

from api.accounts import Role
from api.public_app import create_public_app
from reasoning import closing_steps
from reasoning.assessment import score_risk
from tests.reasoning.situations import (
    FULL_DISK,
    Outcome,
    enrol,
    open_ticket,
    query,
    reason_about,
    report,
)

PASSWORD = "a long enough password"
DEVICE = "dev-1"
_TOKEN = re.compile(r'name="(?:csrf_token|form_token)" value="([^"]+)"')
_PATIENCE_SECONDS = 60


@dataclass
class Visitor:
    """One person's session."""

    client: httpx.AsyncClient

    async def page(self, path: str) -> str:
        """Return a page that is there."""
        answer = await self.client.get(path)
        assert answer.status_code == httpx.codes.OK, (path, answer.status_code, answer.text[:2000])
        return answer.text

    async def submit(self, action: str, **fields: object) -> httpx.Response:
        """Send a form with the token of this session."""
        token = _token(await self.page("/tickets/new"))
        return await self.client.post(action, data={"csrf_token": token, **fields})


@dataclass
class Desk:
    """The running portal and what it is about."""

    services: Any
    url: str
    clients: list[httpx.AsyncClient]

    async def let_in(self, username: str, *roles: Role) -> Visitor:
        """Make an account and log in with it."""
        ground = self.services.ground
        async with ground.pool.connection() as connection:
            await ground.accounts.create(
                connection,
                username=username,
                password=PASSWORD,
                roles=frozenset(roles),
                display_name=username,
                actor="user:admin",
                correlation_id="cor_test",
            )
        return await self.log_in(username)

    async def log_in(self, username: str) -> Visitor:
        """Open a browser of its own and log in through the form."""
        client = self._open_browser()
        answer = await _send_password(client, username)
        assert answer.headers.get("location") == "/queue", answer.text[:1000]
        return Visitor(client)

    async def try_password(self, username: str) -> httpx.Response:
        """Return what a browser of its own is told that sends name and password."""
        return await _send_password(self._open_browser(), username)

    def _open_browser(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            base_url=self.url,
            timeout=_PATIENCE_SECONDS,
            headers={"accept": "text/html"},
            verify=False,  # plain HTTP: to read all authorities' certificates takes long
        )
        self.clients.append(client)
        return client

    async def propose(self, device_id: str = DEVICE, *, risk_score: float | None = None) -> Outcome:
        """Let a device fill up and hanna complain; return the sealed proposal.

        `risk_score` is sealed instead of the script's own: none of ours has a great risk.
        """
        await enrol(self.services, device_id)
        for minutes in (3, 2, 1):
            await report(self.services, device_id, ago_seconds=60 * minutes, hardware=FULL_DISK)
        incident_id = await open_ticket(
            self.services,
            "Disk full",
            "The disk is full: no space left on device, I cannot save files.",
            device_id=device_id,
        )
        with pytest.MonkeyPatch.context() as patch:
            if risk_score is not None:
                patch.setattr(closing_steps, "score_risk", partial(_score_instead, risk_score))
            outcome = await reason_about(self.services, incident_id)
        assert outcome.proposal.status == "pending", outcome.proposal.abstention_reason
        return outcome

    async def query(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return await query(self.services, statement, *arguments)

    async def change(self, statement: str, *arguments: Any) -> None:
        """Change what no form can: the score of a risk, the flow of time."""
        async with self.services.ground.pool.connection() as connection:
            await connection.execute(statement, arguments)

    async def refusals(self, action: str = "approval.refused") -> list[str]:
        """Return the codes of the audited refusals, in order."""
        rows = await self.query(
            "SELECT after ->> 'refusal' AS code FROM audit_events WHERE action = %s"
            " ORDER BY position",
            action,
        )
        return [row["code"] for row in rows]

    def in_hours(self, hours: float) -> str:
        """Return a moment as the browser's field writes it."""
        return f"{self.services.ground.clock.now() + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


async def _send_password(client: httpx.AsyncClient, username: str) -> httpx.Response:
    token = _token((await client.get("/login")).text)
    return await client.post(
        "/login", data={"form_token": token, "username": username, "password": PASSWORD}
    )


def _score_instead(score: float, **given: Any) -> dict[str, Any]:
    return score_risk(**given) | {"score": score}


@asynccontextmanager
async def open_desk(services: Any) -> AsyncIterator[Desk]:
    """Serve the portal on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            create_public_app(services), log_config=None, lifespan="off", server_header=False
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listener]))  # serve() would take the signals
        clients: list[httpx.AsyncClient] = []
        try:
            yield Desk(services, f"http://127.0.0.1:{listener.getsockname()[1]}", clients)
        finally:
            for client in clients:
                await client.aclose()
            server.should_exit = True
            await serving


def _token(text: str) -> str:
    found = _TOKEN.search(text)
    assert found is not None, text[:2000]
    return found[1]

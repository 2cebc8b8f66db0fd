# SPDX-License-Identifier: Apache-2.0
"""A person's browser as far as forms and cookies go."""

import re
from typing import Any

import httpx

from api.accounts import Role
from tests.stack.served import Served

PASSWORD = "correct horse battery staple"
_HIDDEN = re.compile(r'name="(csrf_token|form_token|bundle_digest)" value="([^"]+)"')


class Visitor:
    """One browser at the portal."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Fetch a page."""
        return await self.client.get(path, **options)

    async def hidden(self, page: str) -> dict[str, str]:
        """Return what a page's forms hide."""
        return dict(_HIDDEN.findall((await self.get(page)).text))

    async def submit(self, page: str, action: str, **fields: Any) -> httpx.Response:
        """Send a form of a page."""
        return await self.client.post(action, data={**await self.hidden(page), **fields})

    async def log_in(self, username: str, password: str = PASSWORD) -> httpx.Response:
        """Log in through the form."""
        return await self.submit("/login", "/login", username=username, password=password)


async def make_person(served: Served, username: str, *roles: Role) -> None:
    """Add an account with the password PASSWORD."""
    async with served.services.ground.pool.connection() as connection:
        await served.services.ground.accounts.create(
            connection,
            username=username,
            password=PASSWORD,
            roles=frozenset(roles),
            actor="user:admin",
            correlation_id=f"cor_{username}",
        )


async def visit(served: Served, username: str | None = None) -> Visitor:
    """Open a browser, logged in as somebody or as nobody."""
    visitor = Visitor(await served.client(accept="text/html"))
    if username is not None:
        answer = await visitor.log_in(username)
        assert answer.headers.get("location") == "/queue", answer.text[:500]
    return visitor

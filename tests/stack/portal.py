# SPDX-License-Identifier: Apache-2.0
"""A person at the portal, by plain HTTP forms; for tests that are not about the browser."""

import re
from types import TracebackType
from typing import Self

import httpx

_TOKEN = re.compile(r'name="(?:csrf_token|form_token)" value="([^"]+)"')
_DIGEST = re.compile(r'name="bundle_digest" value="([^"]+)"')


class Portal:
    """One person's session."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, headers={"accept": "text/html"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        """Fetch a page."""
        return self._client.get(path)

    def log_in(self, username: str, password: str) -> None:
        """Log in through the form."""
        token = _first(_TOKEN, self.get("/login").text)
        answer = self._client.post(
            "/login", data={"form_token": token, "username": username, "password": password}
        )
        assert answer.headers.get("location") == "/queue", answer.text[:500]

    def submit(self, page: str, action: str, **fields: object) -> httpx.Response:
        """Send a form of `page` with its token; the answer is not followed."""
        token = _first(_TOKEN, self.get(page).text)
        return self._client.post(action, data={"csrf_token": token, **fields})

    def add_person(self, username: str, password: str, *roles: str) -> None:
        """Make an account; needs the role admin."""
        answer = self.submit(
            "/people", "/people", username=username, password=password,
            display_name=username.title(), role=list(roles),
        )  # fmt: skip
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text[:500]

    def approve(self, proposal_id: str, **fields: object) -> httpx.Response:
        """Approve what the proposal's page shows."""
        page = f"/proposals/{proposal_id}"
        digest = _first(_DIGEST, self.get(page).text)
        return self.submit(page, f"{page}/approve", bundle_digest=digest, **fields)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    assert found is not None, text[:2000]
    return found[1]

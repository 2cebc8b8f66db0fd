# SPDX-License-Identifier: Apache-2.0
"""Asks an OPA server instead of evaluating in process, where the operator names one.

OPA's data API with `?provenance=true`: the answer names the revision of the bundle that it comes
from, which must be the digest of the policy in force. Anything else denies: no answer, a late one,
another status, another form, an undefined result, another revision. The address is configuration;
nothing that is decided on has a part in it. A server that lies about its revision is beyond this
check: it is trusted as the process itself is, and governance's own rules hold beside it.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from contracts.policy import PolicyQuestion, QuestionError, check_question
from guardrails.policy_decision import PolicyDecision, deny, read_answer
from kernel.logs import get_logger

MAX_ANSWER_BYTES: Final = 64 * 1024
_logger = get_logger(__name__)


class PolicyServer:
    """One OPA server.

    Args:
        client: opens connections; follows no redirection.
        url: the server's address, without the path of the API.
        timeout_seconds: for a whole answer.
        key: sent as a bearer token, where the server wants one.

    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        *,
        timeout_seconds: float = 1.0,
        key: str | None = None,
    ) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._headers = {"content-type": "application/json"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"

    async def decide(self, question: PolicyQuestion, *, policy_digest: str) -> PolicyDecision:
        """Answer a question with the policy of a digest; doubt denies."""
        try:
            document = msgspec.to_builtins(check_question(question))
        except QuestionError as error:
            return deny(error.code, policy_digest)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, content = await self._ask(document)
        except TimeoutError:
            return self._doubt("policy_slow", policy_digest)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return self._doubt("policy_server_unreachable", policy_digest, error)
        if status != httpx.codes.OK or len(content) > MAX_ANSWER_BYTES:
            return self._doubt("policy_server_failed", policy_digest)
        return self._read(content, policy_digest)

    async def _ask(self, document: Mapping[str, Any]) -> tuple[int, bytes]:
        request = self._client.build_request(
            "POST",
            f"{self._url}/v1/data/eucora/{document['decision']}",
            params={"provenance": "true"},
            headers=self._headers,
            content=msgspec.json.encode({"input": document}),
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            content = b""
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > MAX_ANSWER_BYTES:
                    break
            return response.status_code, content
        finally:
            await response.aclose()

    def _read(self, content: bytes, policy_digest: str) -> PolicyDecision:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return self._doubt("policy_server_failed", policy_digest)
        if not isinstance(document, dict) or "result" not in document:
            return self._doubt("policy_undefined", policy_digest)
        if _find_revision(document) != policy_digest:
            return self._doubt("policy_other_version", policy_digest)
        return read_answer(document["result"], policy_digest)

    def _doubt(
        self, reason: str, policy_digest: str, error: Exception | None = None
    ) -> PolicyDecision:
        _logger.error(
            "policy server in doubt", action="policy.ask", decision="deny", reason=reason,
            exc_info=error,
        )  # fmt: skip
        return deny(reason, policy_digest)


def _find_revision(document: Mapping[str, Any]) -> str | None:
    """Return the revision of the one bundle that a server has; None where it says no such thing."""
    provenance = document.get("provenance")
    bundles = provenance.get("bundles") if isinstance(provenance, dict) else None
    if not isinstance(bundles, dict) or len(bundles) != 1:
        return None
    (bundle,) = bundles.values()
    revision = bundle.get("revision") if isinstance(bundle, dict) else None
    return revision if isinstance(revision, str) else None

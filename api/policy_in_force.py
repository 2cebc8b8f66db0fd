# SPDX-License-Identifier: Apache-2.0
"""Opens the policy in force: in processes of its own, or by an OPA server where one is set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api.ground import Ground
from api.policy_trust import SealedPolicyTrust
from guardrails.policy_active import ActivePolicy
from guardrails.policy_pool import PolicyPool
from guardrails.policy_server import PolicyServer


@asynccontextmanager
async def open_policy(ground: Ground) -> AsyncIterator[ActivePolicy]:
    """Yield the policy in force; it is asked of an OPA server where one is configured."""
    settings = ground.settings
    trust = SealedPolicyTrust(ground.sealer)
    async with PolicyPool() as processes:
        if settings.policy_url is None:
            yield ActivePolicy(ground.clock, trust, denials=ground.refusals, processes=processes)
            return
        seconds = settings.policy_timeout_seconds
        key = settings.policy_key.get_secret_value() if settings.policy_key else None
        async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
            server = PolicyServer(client, settings.policy_url, timeout_seconds=seconds, key=key)
            yield ActivePolicy(
                ground.clock, trust, denials=ground.refusals, processes=processes, server=server
            )

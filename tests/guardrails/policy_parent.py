# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.guardrails.policy_parent`: starts a policy's process and keeps it busy."""

import asyncio

from guardrails.policy_process import PolicyProcess
from guardrails.policy_protocol import Check
from tests.guardrails.endless_policy import SLOW, SOURCE, extend


async def main() -> None:
    """Ask for something short, then for something endless."""
    async with PolicyProcess() as process:
        await process.ask(Check(source=SOURCE), int, seconds=60)
        print(process.pid, flush=True)
        await process.ask(Check(source=extend(SLOW)), int, seconds=3)


if __name__ == "__main__":
    asyncio.run(main())

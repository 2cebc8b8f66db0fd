# SPDX-License-Identifier: Apache-2.0
"""Two processes that evaluate policies: while one is held by a slow answer, the other goes on.

The second is started when somebody asks while the first is busy.
"""

from types import TracebackType
from typing import Final, Self

from guardrails.policy_process import Answer, PolicyProcess
from guardrails.policy_protocol import Decide, DecideAll
from guardrails.policy_source import PolicySource

N_PROCESSES: Final = 2


class PolicyPool:
    """Asks whichever process is idle, else the one that the fewest wait for.

    An async context manager that ends the processes.
    """

    def __init__(self, n_processes: int = N_PROCESSES) -> None:
        self._processes = [PolicyProcess() for _ in range(n_processes)]

    async def __aenter__(self) -> Self:
        """Return the pool; processes start at need."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the processes."""
        for process in self._processes:
            await process.stop()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that run."""
        return [process.pid for process in self._processes if process.pid is not None]

    async def load(self, source: PolicySource, *, seconds: float) -> None:
        """Compile a version in one of the processes; others do so when they are first asked.

        Raises:
            PolicySlowError, PolicyLimitError, PolicyLoadError: as `PolicyProcess.load` does.
        """
        await self._choose().load(source, seconds=seconds)

    async def ask_of(
        self, source: PolicySource, task: Decide | DecideAll, answer: type[Answer], *,
        load_seconds: float, seconds: float,
    ) -> Answer:  # fmt: skip
        """Return what a version answers to questions.

        Raises:
            PolicySlowError, PolicyLimitError, PolicyLoadError: as `PolicyProcess.ask_of` does.
        """
        return await self._choose().ask_of(
            source, task, answer, load_seconds=load_seconds, seconds=seconds
        )

    def _choose(self) -> PolicyProcess:
        return min(self._processes, key=lambda process: process.n_asking)

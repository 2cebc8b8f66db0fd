# SPDX-License-Identifier: Apache-2.0
"""500 adaptive attempts by every way in: at worst an applicable script is proposed.

`make chaos` makes 10,000 (tests/chaos/test_injection_attempts.py); docs/injection.md says what is
held against what.
"""

import pytest

from tests.refusals.injection_world import open_world

N_ATTEMPTS = 500
N_JOBS = 4


@pytest.mark.timeout(300)
async def test_500_attempts_change_nothing(open_prepared, embedder):
    async with open_world(open_prepared(), embedder, seed=20261129) as world:
        while world.tally["attempts"] < N_ATTEMPTS:
            await world.travel(with_job=world.n_jobs < N_JOBS)
        tally = world.tally
    assert tally["proposed"] > 10
    assert tally["abstained"] > 0
    assert tally["advice used"] > 5
    assert tally["by script output"] == N_JOBS
    print(dict(sorted(tally.items())))

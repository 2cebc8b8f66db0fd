# SPDX-License-Identifier: Apache-2.0
"""10,000 adaptive attempts by every way in; the same judge as tests/refusals/test_injection.py.

Four attackers begin anew, each on a database of its own and with a seed of its own: what one has
learnt does not hold the others up. EUCORA_ATTEMPTS changes the number.
"""

import os

import pytest

from kernel.settings import CLAMD_OFF
from tests.refusals.injection_terminal import assert_log_legible, read_terminal
from tests.refusals.injection_world import open_world

SEEDS = (1, 2, 3, 4)
N_ATTEMPTS = int(os.environ.get("EUCORA_ATTEMPTS", "10000"))
ROADS_PER_JOB = 10


@pytest.mark.chaos
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", SEEDS)
async def test_thousands_of_attempts_change_nothing(open_prepared, embedder, monkeypatch, seed):
    async with open_world(open_prepared(clamd=CLAMD_OFF), embedder, seed=seed) as world:
        while world.tally["attempts"] < N_ATTEMPTS / len(SEEDS):
            await world.travel(with_job=world.n_roads % ROADS_PER_JOB == 0)
        await read_terminal(world, monkeypatch, n_incidents=10)
    assert world.tally["proposed"] > 0
    assert world.n_jobs > 0
    assert_log_legible(world.log)
    print(seed, dict(sorted(world.tally.items())))

# SPDX-License-Identifier: Apache-2.0
"""Decided and verified cases in a scratch database: proposals with the labels that they earned.

People and outcomes are drawn from the stated prior of the recommender
(`models.simulated_outcomes`), then bent: at this site people trust no script that is not very
safe, and fixes without a record hold less often. The recommender cannot know; its labels show it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from psycopg.types.json import Jsonb

from kernel.queries import load_queries
from models.recommender import SIGNAL_NAMES, Event, Recommender
from models.simulated_outcomes import simulate_outcomes
from notebooks.scratch import Scratch

QUERIES = load_queries(__file__, "decision_feed")
APPROVERS = ("user:ada", "user:bert", "user:chloe", "user:dev", "user:edda", "user:farid")
N_DEVICES = 150
SAFE, KNOWN = 0.6, 0.3  # signals `safety` and `experience` from which on this site trusts
DISTRUST, FRAILTY = 0.45, 0.6  # factors of approval and of success below these
OVERRIDE_SHARE = 0.6  # of what is not approved; the rest is rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The true chances at this site, as the recommender would like to know them."""

    cases: pd.DataFrame  # one row a proposal; columns of the database
    signals: np.typing.NDArray[np.float64]  # shape (n_cases, n_signals)


def simulate_site(
    recommender: Recommender, *, n_cases: int, seed: int, until: datetime, days: int
) -> Site:
    """Draw proposals of a recommender that answered every case, decisions, and outcomes.

    Args:
        recommender: says how confident each proposal was.
        n_cases: how many; spread evenly over the days.
        seed: makes them repeatable.
        until: when the last one was decided, aware.
        days: how long it took.
    """
    prior = simulate_outcomes(seed=(9, seed), n_outcomes=n_cases)
    columns = dict(zip(SIGNAL_NAMES, prior.signals.T, strict=True))
    random = np.random.default_rng([9, seed, 1])
    trust = np.where(columns["safety"] < SAFE, DISTRUST, 1.0)
    strength = np.where(columns["experience"] < KNOWN, FRAILTY, 1.0)
    approved = random.random(n_cases) < prior.approval * trust
    worked = approved & (random.random(n_cases) < prior.success * strength)
    overridden = random.random(n_cases) < OVERRIDE_SHARE
    confidence = np.prod([recommender.predict(prior.signals, event) for event in Event], axis=0)
    ages = [timedelta(days=days * (n_cases - n) / n_cases) for n in range(1, n_cases + 1)]
    cases = pd.DataFrame(
        {
            "proposal_id": [f"prp_{n:05}" for n in range(n_cases)],
            "incident_id": [f"inc_{n:05}" for n in range(n_cases)],
            "device_id": [f"sim-{n:04}" for n in random.integers(0, N_DEVICES, n_cases)],
            "confidence": confidence,
            "decision": np.where(approved, "approve", np.where(overridden, "override", "reject")),
            "outcome": np.where(worked, "succeeded", np.where(approved, "failed", "")),
            "status": np.where(
                worked,
                "succeeded",
                np.where(approved, "failed", np.where(overridden, "overridden", "rejected")),
            ),
            "approver": random.choice(APPROVERS, n_cases),
            "decided_at": [(until - age).isoformat() for age in ages],
        }
    )
    return Site(cases=cases, signals=prior.signals)


async def store_site(scratch: Scratch, site: Site) -> None:
    """Store devices, incidents, proposals with their signals, and the labels of both kinds."""
    cases = [
        {**case, "signals": dict(zip(SIGNAL_NAMES, row, strict=True))}
        for case, row in zip(site.cases.to_dict("records"), site.signals.tolist(), strict=True)
    ]
    parameters = {"cases": Jsonb(cases)}
    async with scratch.ground.pool.connection() as connection:
        for name in ("insert_devices", "insert_incidents", "insert_proposals", "insert_labels"):
            await connection.execute(QUERIES[name], parameters)


async def read_cases(scratch: Scratch) -> pd.DataFrame:
    """Return one row a proposal: confidence, signals, who decided what when, what came of it."""
    async with scratch.ground.pool.connection() as connection:
        rows = await (await connection.execute(QUERIES["list_cases"])).fetchall()
    cases = pd.DataFrame(rows)
    signals = pd.DataFrame(cases.pop("signals").tolist())
    cases["decided_at"] = pd.to_datetime(cases["decided_at"], utc=True)
    return pd.concat([cases, signals], axis="columns")

# SPDX-License-Identifier: Apache-2.0
"""Versions of a small classifier, registered and decided on, in an installation of their own."""

import shutil
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from api.ground import DatabaseAddresses, open_ground, open_registry
from api.model_promotion import Decision
from kernel.settings import Settings
from models.fit import CardText, Fit, HeldBack, digest_data
from models.stages import NoStages
from models.training import Circumstances, register_fit

ADA = Decision(actor="user:ada", reason="it is better", correlation_id="cor_1")
BOOT = Decision(actor="system:bootstrap", reason="", correlation_id="cor_0")
WEIGHTS = np.array([2.0, -1.0, 0.5, 0.0, 0.0, 0.0])


@asynccontextmanager
async def open_ground_with_registry(dsn, folder, clock, empty_registry):
    """Open the ground of an installation with a registry in a folder, nothing registered yet."""
    shutil.copy(empty_registry, folder / "mlflow.db")
    settings = Settings(data_dir=folder, mlruns_dir=folder / "mlruns")
    addresses = DatabaseAddresses(
        owner=dsn, application=dsn, tracking=f"sqlite:///{folder}/mlflow.db"
    )
    async with open_ground(settings, addresses, clock=clock) as opened:
        yield opened


def draw(n_rows: int, seed: int):
    """Cases whose truth is a matter of chance, as a logistic regression takes it to be."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_rows, 6))
    labels = np.where(rng.uniform(size=n_rows) < 1 / (1 + np.exp(-inputs @ WEIGHTS)), "yes", "no")
    return inputs, labels


def make_fit(n_rows: int) -> Fit:
    """A model that knows more, the more rows it has seen."""
    inputs, labels = draw(n_rows, 1)
    held_inputs, held_labels = draw(300, 99)
    return Fit(
        model=LogisticRegression().fit(inputs, labels),
        metrics={"n_rows": float(n_rows)},
        params={},
        digest_of_data=digest_data(inputs, labels.tolist()),
        held_back=HeldBack(inputs=held_inputs, labels=held_labels),
        card=CardText(purpose="Says yes or no.", limits=["Six numbers, no more."]),
    )


def seen(promotion, decision=ADA):
    """The decision of somebody who was shown this promotion's version as the champion."""
    return replace(decision, against=promotion.promotion_id)


def register(ground, fit, name="tickets", in_use=None):
    return register_fit(
        open_registry(ground),
        name,
        fit,
        circumstances=Circumstances(
            seed=0,
            trained_by="cli:dora",
            trained_at=ground.clock.now(),
            progress=lambda _: None,
            in_use=in_use,
        ),
        stages=NoStages(),
    )

# SPDX-License-Identifier: Apache-2.0
"""First and later trainings: which model is trained by whom, and its registration.

Evaluation never shares a device, a template or an article phrase with training.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import UnknownModelError
from models.experience import OutcomeExample
from models.health_training import train_health
from models.recommender_training import train_recommender
from models.registry import CHALLENGER, ModelRegistry
from models.ticket_training import train_tickets

NAMES = ("health", "tickets", "recommender")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A registered model with its evaluation."""

    name: str
    version: str
    metrics: Mapping[str, float]


def train(
    name: str,
    *,
    registry: ModelRegistry,
    knowledge_dir: Path,
    seed: int,
    progress: Callable[[str], None],
    outcomes: Sequence[OutcomeExample] = (),
) -> TrainedModel:
    """Train, evaluate and register one model as challenger; a first version is the champion.

    Args:
        name: one of `NAMES`.
        registry: where it is logged.
        knowledge_dir: holds the articles whose symptoms teach the ticket model.
        seed: makes training repeatable.
        progress: told what is being done, in words.
        outcomes: real experience for the recommender.

    Raises:
        UnknownModelError: the name is not one of `NAMES`.
        TrainingDataError: the data cannot support the model.

    """
    if name == "health":
        fit = train_health(seed, progress)
    elif name == "tickets":
        fit = train_tickets(knowledge_dir, seed, progress)
    elif name == "recommender":
        fit = train_recommender(seed, outcomes, progress)
    else:
        message = f"no model is called {name!r}; known are {', '.join(NAMES)}"
        raise UnknownModelError(message)
    progress(f"{name}: registering in MLflow")
    registered = registry.log_and_register(
        name,
        fit.model,
        metrics=fit.metrics,
        params={"seed": seed, **fit.params},
        digest_of_data=fit.digest_of_data,
        alias=CHALLENGER,
    )
    return TrainedModel(name=name, version=registered.version, metrics=fit.metrics)

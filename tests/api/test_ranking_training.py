# SPDX-License-Identifier: Apache-2.0
"""From labels in the database to a challenger in the registry, by real searches."""

import shutil

import numpy as np
import pytest

from api.ranking_training import (
    load_ranking,
    register_first_ranking,
    train_on_labels,
)
from models.errors import TrainingDataError
from models.ranking_lifecycle import MIN_HELD_BACK, NAME
from models.registry import CHALLENGER, CHAMPION, ModelRegistry
from models.training import Circumstances
from retrieval.labels import Label, Origin, SearchLabel, list_answered, store_labels
from retrieval.query_vectors import embed_queries
from tests.retrieval.phrasings import PHRASINGS

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


async def test_labels_become_a_challenger_that_was_judged_on_the_latest(
    services, tmp_path, empty_registry
):
    ground, embedder = services.ground, services.embedder
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    registry = ModelRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlruns")
    register_first_ranking(registry)
    terms = {
        "circumstances": Circumstances(
            seed=0,
            trained_by="cli:dora",
            trained_at=ground.clock.now(),
            progress=lambda _: None,
        )
    }
    with pytest.raises(TrainingDataError, match="kb labels import"):
        await train_on_labels(ground.pool, embedder, registry, **terms)
    labels = [
        SearchLabel(
            text=text,
            document_id=article,
            label=Label.HELPED,
            origin=Origin.IMPORT,
            actor="service:desk",
        )
        for _, text, article in PHRASINGS
    ]
    vectors = await embed_queries(embedder, [one.text for one in labels])
    async with ground.pool.connection() as connection:
        await store_labels(
            connection, labels, vectors, model=embedder.name, clock=ground.clock, ids=ground.ids
        )
        newest = await list_answered(connection, limit=2)
    assert [text for text, _ in newest] == [one.text for one in labels[-2:]]
    trained = await train_on_labels(ground.pool, embedder, registry, **terms)
    (found,) = [one for one in registry.list_versions(NAME) if CHALLENGER in one.aliases]
    assert found.version == trained.version
    assert found.metrics["n_held_back"] >= MIN_HELD_BACK
    assert found.metrics["n_examples"] + found.metrics["n_held_back"] <= len(PHRASINGS)
    assert found.metrics["gate_low"] <= found.metrics["gate_difference"]
    assert registry.load(NAME, CHAMPION).version == "1"
    learned = load_ranking(registry.load(NAME, CHALLENGER))
    assert learned.adapter is not None
    assert np.isfinite(learned.adapter).all()
    assert all(weight >= 0 for weight in learned.weights.values())

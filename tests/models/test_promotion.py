# SPDX-License-Identifier: Apache-2.0
"""A later training is a challenger; a person promotes it, and the audit trail says who."""

import pytest

from kernel.audit import AuditIntake
from models.errors import ModelArtifactError, RegistryError, UnknownModelError
from models.experience import OutcomeExample
from models.promotion import promote
from models.recommender import SIGNAL_NAMES
from models.registry import ModelRegistry
from models.training import train

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
GOOD = dict.fromkeys(SIGNAL_NAMES, 0.9)


@pytest.fixture
def registry(tmp_path):
    return ModelRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlruns")


def learn(registry, tmp_path, outcomes=()):
    return train(
        "recommender",
        registry=registry,
        knowledge_dir=tmp_path,
        seed=0,
        progress=lambda _: None,
        outcomes=outcomes,
    )


async def list_events(pool):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT action, actor, before, after FROM audit_events"
            " WHERE action LIKE 'model.%' ORDER BY position"
        )
        return await cursor.fetchall()


async def test_promotion(registry, tmp_path, pool, clock, ids):
    learn(registry, tmp_path)
    real = [OutcomeExample(signals=GOOD, succeeded=number % 4 > 0) for number in range(8)]
    challenger = learn(registry, tmp_path, real)
    assert challenger.metrics["n_real_outcomes"] == 8
    assert challenger.metrics["n_real_successes"] == 6
    assert {v.version: v.aliases for v in registry.list_versions()} == {
        "1": ("champion",),
        "2": ("challenger",),
    }
    terms = {
        "registry": registry,
        "audit": AuditIntake(clock, ids),
        "name": "recommender",
        "actor": "cli:dora",
        "correlation_id": "cor_1",
    }
    for name, version in (("recommender", "9"), ("it's", "1"), ("recommender", "x")):
        with pytest.raises(UnknownModelError):
            await promote(pool, **{**terms, "name": name}, version=version)
    assert await promote(pool, **terms, version="2") == "1"
    assert registry.load("recommender").version == "2"
    assert {v.version: v.aliases for v in registry.list_versions("recommender")} == {
        "1": (),
        "2": ("champion",),
    }
    started, event = await list_events(pool)
    assert started["action"] == "model.promotion_started"
    assert event["action"] == "model.promoted"
    assert event["actor"] == "cli:dora"
    assert event["before"]["champion"] == "1"
    assert event["after"]["champion"] == "2"
    assert event["after"]["digest"] == registry.load("recommender").digest

    for path in (tmp_path / "mlruns").rglob("model.skops"):
        path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelArtifactError):
        await promote(pool, **terms, version="1")
    *_, failed = await list_events(pool)
    assert failed["action"] == "model.promotion_failed"
    assert "changed" in failed["after"]["failure"]
    assert registry.list_versions(aliased=True) == [registry.list_versions("recommender")[0]]


def test_a_registry_that_does_not_answer_is_no_unknown_model(tmp_path):
    broken = tmp_path / "mlflow.db"
    broken.write_bytes(b"no database at all" * 100)
    registry = ModelRegistry(f"sqlite:///{broken}", tmp_path / "mlruns")
    with pytest.raises(RegistryError):
        registry.promote("recommender", "1")

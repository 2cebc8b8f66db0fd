# SPDX-License-Identifier: Apache-2.0
"""A later training is a challenger; a person promotes it, and the audit trail says who."""

import pytest

from kernel.audit import AuditIntake
from models.errors import ModelArtifactError, UnknownModelError
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


async def test_promotion(registry, tmp_path, connection, clock, ids):
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
            await promote(connection, **{**terms, "name": name}, version=version)
    assert await promote(connection, **terms, version="2") == "1"
    assert registry.load("recommender").version == "2"
    assert {v.version: v.aliases for v in registry.list_versions("recommender")} == {
        "1": (),
        "2": ("champion",),
    }
    cursor = await connection.execute(
        "SELECT actor, before, after FROM audit_events WHERE action = 'model.promoted'"
    )
    (event,) = await cursor.fetchall()
    assert event["actor"] == "cli:dora"
    assert event["before"]["champion"] == "1"
    assert event["after"]["champion"] == "2"
    assert event["after"]["digest"] == registry.load("recommender").digest

    for path in (tmp_path / "mlruns").rglob("model.skops"):
        path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelArtifactError):
        await promote(connection, **terms, version="1")

# SPDX-License-Identifier: Apache-2.0
"""Ranking learns what helped, loses nothing without labels, is promoted only if it is better."""

from datetime import UTC, datetime

import numpy as np
import pytest

from api.ranking_training import PRIOR, load_ranking, register_first_ranking
from models.errors import ModelArtifactError, TrainingDataError
from models.gate import Outcome
from models.ranking import RankingExample, fit_ranking
from models.ranking_lifecycle import (
    NAME,
    LearnedRanking,
    judge,
    pack_ranking,
    train_ranking,
    unpack_ranking,
)
from models.training import Circumstances
from retrieval.ranking import DEFAULT_WEIGHTS

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
N_DIMENSIONS, N_DOCUMENTS = 24, 30
NAMES = list(PRIOR)
START = np.array(list(PRIOR.values()), dtype=np.float32)


def unit(array):
    return array / np.linalg.norm(array, axis=-1, keepdims=True)


def make_examples(n, *, seed, turned=True, votes_tell=0.0):
    """Queries whose answer is near them, but for a rotation that the embedding does not know."""
    world = np.random.default_rng(7)
    documents = unit(world.normal(size=(N_DOCUMENTS, N_DIMENSIONS))).astype(np.float32)
    rotation = np.linalg.qr(world.normal(size=(N_DIMENSIONS, N_DIMENSIONS)))[0]
    rng = np.random.default_rng(seed)
    examples = []
    for answer in rng.integers(0, N_DOCUMENTS, size=n):
        seen = documents[answer] @ rotation.T if turned else documents[answer]
        vector = unit(seen + rng.normal(size=N_DIMENSIONS) * 0.15).astype(np.float32)
        accepted = np.arange(N_DOCUMENTS) == answer
        parts = np.zeros((N_DOCUMENTS, len(NAMES)), dtype=np.float32)
        parts[:, NAMES.index("meaning")] = parts[:, NAMES.index("whole")] = documents @ vector
        parts[:, NAMES.index("tickets")] = votes_tell * accepted * 2
        examples.append(
            RankingExample(vector=vector, documents=documents, parts=parts, accepted=accepted)
        )
    return examples


def circumstances():
    return Circumstances(
        seed=0,
        trained_by="cli:dora",
        trained_at=datetime(2026, 1, 2, tzinfo=UTC),
        progress=lambda _: None,
    )


def start():
    return LearnedRanking(
        weights=dict(PRIOR), adapted_weight=0.0, adapter=np.zeros((N_DIMENSIONS,) * 2, np.float32)
    )


def learned(fit):
    return LearnedRanking(
        weights=dict(zip(NAMES, map(float, fit.weights), strict=True)),
        adapted_weight=fit.adapted_weight,
        adapter=fit.adapter,
    )


def test_an_adapter_finds_what_the_embedding_does_not_know():
    fit = fit_ranking(make_examples(400, seed=1), prior=START, seed=0)
    later = make_examples(100, seed=2)
    before, after = judge(start(), later, NAMES).mean(), judge(learned(fit), later, NAMES).mean()
    assert before < 0.4
    assert after > before + 0.3
    assert fit.log_loss < fit.base_log_loss


def test_where_there_is_nothing_to_learn_nothing_is_lost():
    fit = fit_ranking(make_examples(200, seed=3, turned=False), prior=START, seed=0)
    later = make_examples(200, seed=4, turned=False)
    before, after = judge(start(), later, NAMES).mean(), judge(learned(fit), later, NAMES).mean()
    assert after >= before - 0.005


def test_no_weight_is_negative_even_where_votes_mislead():
    """In a set where each answer occurs once, votes speak against every answer: a leak."""
    fit = fit_ranking(make_examples(200, seed=5, votes_tell=-1.0), prior=START, seed=0)
    assert (fit.weights >= 0).all()
    assert fit.adapted_weight >= 0
    assert fit.weights[NAMES.index("tickets")] == pytest.approx(0.0, abs=1e-6)


def test_training_is_repeatable():
    examples = make_examples(80, seed=6)
    first, second = (fit_ranking(examples, prior=START, seed=3) for _ in range(2))
    assert np.array_equal(first.adapter, second.adapter)
    assert np.array_equal(first.weights, second.weights)


def test_too_few_examples_are_refused(registry):
    with pytest.raises(TrainingDataError, match="30 are needed"):
        fit_ranking(make_examples(29, seed=1), prior=START, seed=0)
    with pytest.raises(TrainingDataError):
        train_ranking(
            registry,
            make_examples(40, seed=1),
            make_examples(19, seed=2),
            prior=PRIOR,
            circumstances=circumstances(),
        )


def test_a_ranking_is_kept_and_read_back(registry):
    register_first_ranking(registry)
    register_first_ranking(registry)
    assert [item.version for item in registry.list_versions(NAME)] == ["1"]
    first = load_ranking(registry.load(NAME))
    assert first.weights == DEFAULT_WEIGHTS
    assert not first.adapter.any()
    rng = np.random.default_rng(1)
    other = LearnedRanking(
        weights={name: float(place) for place, name in enumerate(NAMES)},
        adapted_weight=0.7,
        adapter=rng.normal(size=(5, 5)).astype(np.float32),
    )
    read = unpack_ranking(pack_ranking(other))
    assert (read.weights, read.adapted_weight) == (other.weights, other.adapted_weight)
    assert np.array_equal(read.adapter, other.adapter)
    with pytest.raises(ModelArtifactError):
        unpack_ranking(object())


def test_a_champion_of_other_parts_is_told_and_ends_nothing(registry):
    other = LearnedRanking(
        weights={"colour": 1.0}, adapted_weight=0.0, adapter=np.zeros((4, 4), dtype=np.float32)
    )
    registry.log_and_register(
        NAME, pack_ranking(other), metrics={}, params={}, digest_of_data="0" * 64
    )
    found = train_ranking(
        registry,
        make_examples(75, seed=8),
        make_examples(25, seed=18),
        prior=PRIOR,
        circumstances=circumstances(),
    )
    assert found.champion == "1"
    assert "ndcg_champion" not in found.metrics
    (finding,) = found.comparison.verdict.findings
    assert "the champion cannot be judged: it weighs other signals" in finding.reason


def test_only_a_better_ranking_passes_the_gate(registry):
    registry.log_and_register(
        NAME, pack_ranking(start()), metrics={}, params={}, digest_of_data="0" * 64
    )
    useless = train_ranking(
        registry,
        make_examples(75, seed=8, turned=False),
        make_examples(25, seed=18, turned=False),
        prior=PRIOR,
        circumstances=circumstances(),
    )
    assert useless.comparison.verdict.outcome is not Outcome.PASS
    assert registry.load(NAME).version == "1"
    useful = train_ranking(
        registry,
        make_examples(300, seed=9),
        make_examples(100, seed=19),
        prior=PRIOR,
        circumstances=circumstances(),
    )
    assert useful.metrics["ndcg"] > useful.metrics["ndcg_champion"]
    assert useful.comparison.verdict.outcome is Outcome.PASS
    assert useful.comparison.difference.high < 0
    again = train_ranking(
        registry,
        make_examples(300, seed=9),
        make_examples(100, seed=19),
        prior=PRIOR,
        circumstances=circumstances(),
    )
    assert again.digest == useful.digest

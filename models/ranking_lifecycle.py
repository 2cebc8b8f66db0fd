# SPDX-License-Identifier: Apache-2.0
"""The ranking as an MLflow model: its cold start, its training on labels, and how it is read back.

The first version holds the weights that need no label, and an adapter that changes nothing. Later
ones learn from earlier queries and are judged on the latest quarter, beside the champion: the
figures hold a 95 % interval of the paired difference in nDCG@10, which promotion looks at.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from models.errors import ModelArtifactError, TrainingDataError
from models.gate import estimate_difference
from models.ranking import FloatArray, RankingExample, RankingFit, fit_ranking
from models.registry import CHALLENGER, LoadedModel, ModelRegistry

NAME = "ranking"
HELD_BACK = 0.25  # the latest share of the examples judges: the future is what matters
MIN_HELD_BACK = 20  # with less, the interval of `gate` is too wide to let anything pass
CUTOFF = 10  # of nDCG: a page of results


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRanking:
    """Weights by part, the weight of the adapted similarity, and the adapter."""

    weights: Mapping[str, float]
    adapted_weight: float
    adapter: FloatArray  # shape (n_dimensions, n_dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingTraining:
    """A registered training: its version and figures."""

    version: str
    metrics: Mapping[str, float]


def pack_ranking(ranking: LearnedRanking) -> Pipeline:
    """Return a ranking as scikit-learn estimators; linear maps are what they are."""
    names = list(ranking.weights)
    adapter, weights = LinearRegression(fit_intercept=False), LinearRegression(fit_intercept=False)
    adapter.coef_, adapter.intercept_ = ranking.adapter.T.astype(np.float32), 0.0
    weights.coef_ = np.array([*ranking.weights.values(), ranking.adapted_weight])
    weights.intercept_ = 0.0
    weights.feature_names_in_ = np.array([*names, "learned"], dtype=object)
    return Pipeline([("adapter", adapter), ("weights", weights)])


def unpack_ranking(model: Any) -> LearnedRanking:
    """Return the ranking that a registered model holds.

    Raises:
        ModelArtifactError: it holds none.
    """
    try:
        adapter, weights = model.named_steps["adapter"], model.named_steps["weights"]
        names = [str(name) for name in weights.feature_names_in_]
        values = [float(value) for value in weights.coef_]
        matrix = np.asarray(adapter.coef_, dtype=np.float32).T
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelArtifactError("the model holds no ranking") from error
    if len(names) != len(values) or not np.isfinite([*values, float(np.abs(matrix).sum())]).all():
        raise ModelArtifactError("the ranking's numbers are broken")
    *parts, adapted_weight = values
    return LearnedRanking(
        weights=dict(zip(names, parts, strict=False)),
        adapted_weight=adapted_weight,
        adapter=matrix,
    )


def register_cold_start(
    registry: ModelRegistry, prior: Mapping[str, float], *, n_dimensions: int
) -> LoadedModel:
    """Register the ranking that needs no label; the first version is the champion."""
    start = LearnedRanking(
        weights=dict(prior),
        adapted_weight=0.0,
        adapter=np.zeros((n_dimensions, n_dimensions), dtype=np.float32),
    )
    return registry.log_and_register(
        NAME,
        pack_ranking(start),
        metrics={"n_examples": 0},
        params={f"weight_{name}": value for name, value in prior.items()},
        digest_of_data=hashlib.sha256(b"").hexdigest(),
        alias=CHALLENGER,
    )


def train_ranking(
    registry: ModelRegistry,
    earlier: Sequence[RankingExample],
    later: Sequence[RankingExample],
    *,
    prior: Mapping[str, float],
    seed: int,
    progress: Callable[[str], None],
) -> RankingTraining:
    """Learn from the earlier examples, judge on the later, register as challenger.

    Args:
        registry: has a champion, which is judged beside it.
        earlier: to learn from.
        later: to judge by; nothing of them was seen by the earlier ones.
        prior: the weights without labels, by part, in the order of the examples' columns.
        seed: of the folds and of the interval.
        progress: is told what is being done.

    Raises:
        TrainingDataError: too few examples.
    """
    if len(later) < MIN_HELD_BACK:
        raise TrainingDataError(
            f"{len(later)} answered queries are too few to judge by; {MIN_HELD_BACK} are needed"
        )
    names = list(prior)
    start = np.array([prior[name] for name in names], dtype=np.float32)
    fit = fit_ranking(earlier, prior=start, seed=seed, progress=progress)
    challenger = _name_weights(fit, names)
    champion = unpack_ranking(registry.load(NAME).model)
    progress(f"judging on the {len(later)} latest queries")
    figures = _compare(champion, challenger, later, names, seed=seed)
    registered = registry.log_and_register(
        NAME,
        pack_ranking(challenger),
        metrics={**figures, **_describe_training(fit, earlier, later)},
        params={"seed": seed, "shrinkage": fit.shrinkage},
        digest_of_data=_digest([*earlier, *later]),
        alias=CHALLENGER,
    )
    return RankingTraining(version=registered.version, metrics=figures)


def _name_weights(fit: RankingFit, names: Sequence[str]) -> LearnedRanking:
    return LearnedRanking(
        weights={name: float(value) for name, value in zip(names, fit.weights, strict=True)},
        adapted_weight=fit.adapted_weight,
        adapter=fit.adapter,
    )


def _describe_training(
    fit: RankingFit, earlier: Sequence[RankingExample], later: Sequence[RankingExample]
) -> dict[str, float]:
    return {
        "n_examples": len(earlier),
        "n_held_back": len(later),
        "log_loss": fit.log_loss,
        "log_loss_before": fit.base_log_loss,
    }


def _compare(
    champion: LearnedRanking,
    challenger: LearnedRanking,
    examples: Sequence[RankingExample],
    names: Sequence[str],
    *,
    seed: int,
) -> dict[str, float]:
    """Return the figures that promotion looks at: nDCG@10 of both, and the paired difference."""
    before, after = judge(champion, examples, names), judge(challenger, examples, names)
    difference = estimate_difference(before, after, seed=seed)
    return {
        "ndcg_champion": float(before.mean()),
        "ndcg": float(after.mean()),
        "gate_difference": difference.mean,
        "gate_low": difference.low,
        "gate_high": difference.high,
    }


def judge(
    ranking: LearnedRanking, examples: Sequence[RankingExample], names: Sequence[str]
) -> FloatArray:
    """Return nDCG@10 of each example among its candidates, shape (n_examples,)."""
    weights = np.array([ranking.weights[name] for name in names], dtype=np.float32)
    values = []
    for one in examples:
        turned = one.vector + one.vector @ ranking.adapter
        turned = turned / max(float(np.linalg.norm(turned)), 1e-9)
        scores = one.parts @ weights + ranking.adapted_weight * (one.documents @ turned)
        values.append(_ndcg(one.accepted[np.argsort(-scores, kind="stable")]))
    return np.array(values, dtype=np.float32)


def _ndcg(accepted: Any) -> float:
    """Return nDCG of accepted documents in ranked order (Jarvelin and Kekalainen, 2002)."""
    discounts = 1 / np.log2(np.arange(2, CUTOFF + 2))
    gained = discounts[: len(accepted)] @ accepted[:CUTOFF].astype(np.float64)
    return float(gained / discounts[: int(accepted.sum())].sum())


def _digest(examples: Sequence[RankingExample]) -> str:
    digest = hashlib.sha256()
    for one in examples:
        for array in (one.vector, one.documents, one.parts, one.accepted):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

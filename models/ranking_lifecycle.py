# SPDX-License-Identifier: Apache-2.0
"""The ranking as an MLflow model: its cold start, its training on labels, and how it is read back.

The first version holds the weights that need no label, and an adapter that changes nothing. Later
ones learn from earlier queries and are judged on the latest quarter, beside the champion, by what
each query lost in nDCG@10.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from models.errors import ModelArtifactError, TrainingDataError
from models.fit import CardText, Fit, HeldBack
from models.judgement import Judgement, measure_latency, name_cases
from models.ranking import FloatArray, RankingExample, fit_ranking
from models.registry import CHALLENGER, LoadedModel, ModelRegistry
from models.rival import Rival, find_rival
from models.stages import Arrays, Stages
from models.training import Circumstances, TrainedModel, open_stages, register_fit

NAME = "ranking"
HELD_BACK = 0.25  # the latest share of the examples judges: the future is what matters
MIN_HELD_BACK = 20  # with less, the interval of `gate` is too wide to let anything pass
CUTOFF = 10  # of nDCG: a page of results
CARD = CardText(
    purpose=(
        "Ranks the documents that a search has found: weights of its signals, and a linear map that"
        " moves a query's vector towards the documents that helped with queries like it."
    ),
    training_data=(
        "Queries with a document that people marked as helpful. The latest quarter judges, and is"
        " not learned from; the votes of past tickets come from the earlier queries alone."
    ),
    limits=(
        "It ranks only what a search finds, and only as well as people mark.",
        "No probabilities: its scores order documents and say nothing of how sure it is.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRanking:
    """Weights by part, the weight of the adapted similarity, and the adapter."""

    weights: Mapping[str, float]
    adapted_weight: float
    adapter: FloatArray  # shape (n_dimensions, n_dimensions)


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
    circumstances: Circumstances,
) -> TrainedModel:
    """Learn from the earlier examples, judge on the later, register as challenger.

    Args:
        registry: has a champion, which is judged beside it.
        earlier: to learn from.
        later: to judge by; nothing of them was seen by the earlier ones.
        prior: the weights without labels, by part, in the order of the examples' columns.
        circumstances: seed of the folds and of the interval, who trains, who is told.

    Raises:
        TrainingDataError: too few examples.
    """
    if len(later) < MIN_HELD_BACK:
        raise TrainingDataError(
            f"{len(later)} answered queries are too few to judge by; {MIN_HELD_BACK} are needed"
        )
    names = list(prior)
    stages = open_stages(NAME, registry, circumstances)
    digest_of_data = _digest([*earlier, *later])
    stages.begin(digest_of_data, {"prior": dict(prior)})
    fitted = _fit_kept(earlier, prior, circumstances, stages)
    challenger = _read_fitted(fitted, names)
    rival = find_rival(registry, NAME, circumstances.in_use)
    fit = Fit(
        model=pack_ranking(challenger),
        metrics={
            "n_examples": len(earlier),
            "n_held_back": len(later),
            "log_loss": float(fitted["log_loss"]),
            "log_loss_before": float(fitted["base_log_loss"]),
            **_measure(challenger, rival, later, names),
        },
        params={"shrinkage": float(fitted["shrinkage"])},
        digest_of_data=digest_of_data,
        held_back=_hold_back(later),
        input_example=(),
        card=CARD,
    )
    judge_parts = partial(_judge, names=names)
    return register_fit(
        registry, NAME, fit, circumstances=circumstances, stages=stages, judge=judge_parts
    )


def _read_fitted(fitted: Arrays, names: Sequence[str]) -> LearnedRanking:
    """Return what was learned, its weights by the names of the parts."""
    weights = zip(names, fitted["weights"], strict=True)
    return LearnedRanking(
        weights={name: float(value) for name, value in weights},
        adapted_weight=float(fitted["adapted_weight"]),
        adapter=fitted["adapter"].astype(np.float32),
    )


def _hold_back(later: Sequence[RankingExample]) -> HeldBack:
    """Return the cases to compare versions on, named by what they are."""
    return HeldBack(
        inputs=list(later),
        labels=np.array([NAME] * len(later)),
        case_ids=[_digest([one])[:24] for one in later],
    )


def _measure(
    challenger: LearnedRanking,
    rival: Rival | None,
    later: Sequence[RankingExample],
    names: Sequence[str],
) -> dict[str, float]:
    """Return the mean nDCG@10 of the challenger, and of the champion where it can be read."""
    figures = {"ndcg": float(judge(challenger, later, names).mean())}
    if rival is not None and rival.loaded is not None:
        with suppress(ModelArtifactError):  # which is told where both are judged
            champion = unpack_ranking(rival.loaded.model)
            figures["ndcg_champion"] = float(judge(champion, later, names).mean())
    return figures


def _fit_kept(
    earlier: Sequence[RankingExample],
    prior: Mapping[str, float],
    circumstances: Circumstances,
    stages: Stages,
) -> Arrays:
    """Return what was learned as arrays, learned at most once."""
    start = np.array(list(prior.values()), dtype=np.float32)

    def learn() -> Arrays:
        fit = fit_ranking(
            earlier, prior=start, seed=circumstances.seed, progress=circumstances.progress
        )
        return {
            "weights": np.asarray(fit.weights),
            "adapter": fit.adapter,
            **{
                name: np.array(getattr(fit, name))
                for name in ("adapted_weight", "shrinkage", "log_loss", "base_log_loss")
            },
        }

    return stages.keep_arrays("ranking", learn)


def _judge(loaded: LoadedModel, cases: HeldBack, *, names: Sequence[str]) -> Judgement:
    """Return what each query lost: one less nDCG@10.

    Raises:
        ModelArtifactError: the model holds no ranking, or one of other parts.
    """
    ranking = unpack_ranking(loaded.model)
    examples: list[RankingExample] = cases.inputs
    return Judgement(
        measure="loss in nDCG@10",
        case_ids=name_cases(cases),
        losses=1.0 - judge(ranking, examples, names).astype(np.float64),
        latency=measure_latency(lambda some: judge(ranking, some, names), examples),
    )


def judge(
    ranking: LearnedRanking, examples: Sequence[RankingExample], names: Sequence[str]
) -> FloatArray:
    """Return nDCG@10 of each example among its candidates, shape (n_examples,).

    Raises:
        ModelArtifactError: the ranking weighs other parts than these.
    """
    if not set(names) <= set(ranking.weights):
        raise ModelArtifactError("it weighs other signals than today's searches have")
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

# SPDX-License-Identifier: Apache-2.0
"""First and later trainings: which model is trained by whom, and its registration.

A version is registered with all that a later decision needs: its judgement on held-back cases and
the champion's on the same ones, the gate's verdict, plots, its model card. Evaluation never shares
a device, a template or an article phrase with training.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from contracts.canonical import sha256_hex
from models.errors import UnknownModelError
from models.experience import OutcomeExample
from models.figures import draw, plot_confusion, plot_coverage, plot_reliability
from models.fit import Fit
from models.gate import Comparison, Outcome, compare_versions
from models.health_training import train_health
from models.judgement import Judgement, encode_judgements
from models.labelled_windows import LabelledWindow
from models.mlflow_runs import CARD_FILE
from models.model_card import CardFacts, write_card
from models.model_file import write_model
from models.past_lessons import PastLesson
from models.promotion import Promotion
from models.recommender_training import choose_judge, train_recommender
from models.registry import CHALLENGER, LoadedModel, ModelRegistry
from models.rival import Judge, find_rival, judge_both, judge_file
from models.stages import NoStages, StageFolder
from models.ticket_labels import LabelledTicket
from models.ticket_training import train_tickets

NAMES = ("health", "tickets", "recommender")
JUDGEMENTS_FILE = "judgements.json"
EXAMPLE_FILE = "input-example.json"
N_EXAMPLES = 5  # rows that show what the model takes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A registered model with its evaluation; digest of its file, SHA-256 (hex)."""

    name: str
    version: str
    digest: str
    metrics: Mapping[str, float]
    comparison: Comparison
    champion: str | None  # the version that it was compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Of one training: seed, who had it done and when, where it may go on after it was killed.

    `in_use` is what PostgreSQL names as the champion; None where no promotion was recorded yet, so
    that a first version which MLflow knows is the champion, if there is one.
    """

    seed: int
    trained_by: str
    trained_at: datetime
    progress: Callable[[str], None] = field(repr=False)
    area: Path | None = None  # where finished stages are kept; None: nowhere
    in_use: Promotion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assessment:
    """What the gate says of a fit, and on which judgements; digest of its file, SHA-256 (hex)."""

    digest: str
    judgements: Mapping[str, Judgement]  # by digest
    comparison: Comparison
    champion: str | None


def train(
    name: str,
    *,
    registry: ModelRegistry,
    knowledge_dir: Path,
    circumstances: Circumstances,
    outcomes: Sequence[OutcomeExample] = (),
    lessons: Sequence[PastLesson] = (),
    tickets: Sequence[LabelledTicket] = (),
    windows: Sequence[LabelledWindow] = (),
) -> TrainedModel:
    """Train, evaluate and register one model as challenger; a first version is the champion.

    Args:
        name: one of `NAMES`.
        registry: where it is logged.
        knowledge_dir: holds the articles whose symptoms teach the ticket model.
        circumstances: seed, actor, time, progress.
        outcomes: real experience for the recommender.
        lessons: what recommenders learnt online, to judge them with their corrections.
        tickets: real ones, masked, with what they turned out to be about.
        windows: telemetry of real devices, with the class that people gave.

    Raises:
        UnknownModelError: the name is not one of `NAMES`.
        TrainingDataError: the data cannot support the model.
        RegistryError: MLflow did not answer.

    """
    seed, progress = circumstances.seed, circumstances.progress
    stages = open_stages(name, registry, circumstances)
    judge: Judge = judge_file
    if name == "health":
        fit = train_health(seed, progress, windows=windows)
    elif name == "tickets":
        fit = train_tickets(knowledge_dir, seed, progress, tickets, stages)
    elif name == "recommender":
        fit = train_recommender(seed, outcomes, progress)
        judge = choose_judge(outcomes, lessons)
    else:
        message = f"no model is called {name!r}; known are {', '.join(NAMES)} and ranking"
        raise UnknownModelError(message)
    return register_fit(
        registry, name, fit, circumstances=circumstances, stages=stages, judge=judge
    )


def open_stages(
    name: str, registry: ModelRegistry, circumstances: Circumstances
) -> StageFolder | NoStages:
    """Return where a training keeps its finished stages; the registry records which they are."""
    if circumstances.area is None:
        return NoStages()
    return StageFolder(
        circumstances.area,
        name=name,
        seed=circumstances.seed,
        progress=circumstances.progress,
        open_record=partial(registry.open_training, name),
    )


def register_fit(
    registry: ModelRegistry,
    name: str,
    fit: Fit,
    *,
    circumstances: Circumstances,
    stages: StageFolder | NoStages,
    judge: Judge = judge_file,
) -> TrainedModel:
    """Judge a fit beside the champion, draw, describe and register it; end its stages."""
    progress = circumstances.progress
    stages.begin(fit.digest_of_data)
    found = _assess(registry, name, fit, circumstances, judge)
    progress(f"{name}: drawing plots and writing the model card")
    metrics = {**fit.metrics, **_summarise(found.comparison)}
    evaluation = _write_evaluation(name, fit, found, circumstances)
    progress(f"{name}: registering in MLflow")
    registered = registry.log_and_register(
        name,
        fit.model,
        metrics=metrics,
        params={"seed": circumstances.seed, "trained_by": circumstances.trained_by, **fit.params},
        digest_of_data=fit.digest_of_data,
        alias=CHALLENGER,
        evaluation=evaluation,
        example=_take_example(fit) if hasattr(fit.model, "predict_proba") else None,
        training_id=stages.training_id,
        may_be_first=circumstances.in_use is None
        and found.comparison.verdict.outcome is not Outcome.FAIL,
    )
    stages.end()
    return TrainedModel(
        name=name,
        version=registered.version,
        digest=found.digest,
        metrics=metrics,
        comparison=found.comparison,
        champion=found.champion,
    )


def _assess(
    registry: ModelRegistry, name: str, fit: Fit, circumstances: Circumstances, judge: Judge
) -> _Assessment:
    """Judge a fit and the champion on the same cases, and ask the gate."""
    digest = sha256_hex(write_model(fit.model))
    challenger = LoadedModel(model=fit.model, name=name, version="", digest=digest)
    rival = find_rival(registry, name, circumstances.in_use)
    circumstances.progress(f"{name}: judging on held-back cases")
    judgements, unjudged = judge_both(challenger, fit.held_back, rival, judge)
    if unjudged:
        circumstances.progress(f"{name}: {unjudged}")
    champion = None if rival is None else rival.loaded
    comparison = compare_versions(
        None if champion is None else judgements.get(champion.digest),
        judgements.get(digest),
        has_champion=rival is not None,
        seed=circumstances.seed,
        unjudged=unjudged,
    )
    return _Assessment(
        digest=digest,
        judgements=judgements,
        comparison=comparison,
        champion=None if rival is None else rival.version,
    )


def _write_evaluation(
    name: str, fit: Fit, found: _Assessment, circumstances: Circumstances
) -> dict[str, bytes]:
    """Return the files that a version's evaluation consists of, by name."""
    return {
        JUDGEMENTS_FILE: encode_judgements(found.judgements),
        CARD_FILE: _write_model_card(name, fit, found, circumstances).encode(),
        EXAMPLE_FILE: _encode_example(_take_example(fit)),
        **{f"{stem}.svg": draw(plot).encode() for stem, plot in _list_plots(fit).items()},
    }


def _write_model_card(name: str, fit: Fit, found: _Assessment, circumstances: Circumstances) -> str:
    """Return the model card, Markdown."""
    facts = CardFacts(
        name=name,
        digest=found.digest,
        digest_of_data=fit.digest_of_data,
        metrics=fit.metrics,
        params={"seed": circumstances.seed, **fit.params},
        judgement=found.judgements.get(found.digest),
        comparison=found.comparison,
        champion=found.champion,
        trained_by=circumstances.trained_by,
        trained_at=circumstances.trained_at,
    )
    return write_card(facts, fit.card)


def _summarise(comparison: Comparison) -> dict[str, float]:
    """Return the figures that MLflow's own tables show."""
    figures: dict[str, float | None] = {"held_back_cases": float(comparison.n_cases)}
    if comparison.after is not None:
        figures |= {
            "held_back_loss": comparison.after.loss,
            "held_back_log_loss": comparison.after.log_loss,
            "held_back_accuracy": comparison.after.accuracy,
            "held_back_calibration_error": comparison.after.calibration_error,
            "latency_p50_ms": comparison.after.p50_ms,
            "latency_p95_ms": comparison.after.p95_ms,
        }
    if comparison.difference is not None:
        figures |= {
            "gate_difference": comparison.difference.mean,
            "gate_low": comparison.difference.low,
            "gate_high": comparison.difference.high,
        }
    return {name: value for name, value in figures.items() if value is not None}


def _list_plots(fit: Fit) -> dict[str, Mapping[str, Any]]:
    """Return the training's own plots, and those that follow from the held-back cases."""
    plots = dict(fit.plots)
    held_back = fit.held_back
    if held_back is None or not len(held_back.labels) or not hasattr(fit.model, "classes_"):
        return plots
    probabilities = np.asarray(fit.model.predict_proba(held_back.inputs))
    predicted = np.array([str(name) for name in fit.model.classes_])[probabilities.argmax(axis=1)]
    confidences = probabilities.max(axis=1)
    correct = (predicted == held_back.labels).astype(np.float64)
    return {
        "reliability": plot_reliability(confidences, correct),
        "coverage": plot_coverage(confidences, correct),
        "confusion": plot_confusion(held_back.labels, predicted),
        **plots,
    }


def _take_example(fit: Fit) -> Any:
    if fit.input_example is not None:
        return fit.input_example
    return None if fit.held_back is None else fit.held_back.inputs[:N_EXAMPLES]


def _encode_example(example: Any) -> bytes:
    plain = example.tolist() if isinstance(example, np.ndarray) else example
    return json.dumps(plain, default=lambda _: None).encode()


def read_example(content: bytes | None) -> Any:
    """Return rows of what a model takes, as they were kept; None where there are none."""
    if content is None:
        return None
    try:
        rows = json.loads(content)
    except ValueError:
        return None
    if not isinstance(rows, list) or not rows:
        return None
    return np.array(rows, dtype=np.float64) if isinstance(rows[0], list) else rows

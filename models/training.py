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
from models.errors import ModelArtifactError, ModelError, UnknownModelError
from models.experience import OutcomeExample
from models.figures import draw, plot_confusion, plot_coverage, plot_reliability
from models.fit import Fit, HeldBack
from models.gate import Comparison, Outcome, compare_versions
from models.health_training import train_health
from models.judgement import Judgement, encode_judgements, judge_classifier
from models.model_card import CardFacts, write_card
from models.model_file import write_model
from models.promotion import Promotion
from models.recommender_training import train_recommender
from models.registry import CHALLENGER, CHAMPION, LoadedModel, ModelRegistry
from models.stages import NoStages, StageFolder
from models.ticket_labels import LabelledTicket
from models.ticket_training import train_tickets

NAMES = ("health", "tickets", "recommender")
JUDGEMENTS_FILE = "judgements.json"
CARD_FILE = "model-card.md"
EXAMPLE_FILE = "input-example.json"
N_EXAMPLES = 5  # rows that show what the model takes
Judge = Callable[[Any, HeldBack], Judgement]


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
class Rival:
    """The champion that a challenger is judged beside; not loaded where its file is unusable."""

    version: str
    loaded: LoadedModel | None
    trouble: str = ""  # why it is not loaded


def train(
    name: str,
    *,
    registry: ModelRegistry,
    knowledge_dir: Path,
    circumstances: Circumstances,
    outcomes: Sequence[OutcomeExample] = (),
    tickets: Sequence[LabelledTicket] = (),
) -> TrainedModel:
    """Train, evaluate and register one model as challenger; a first version is the champion.

    Args:
        name: one of `NAMES`.
        registry: where it is logged.
        knowledge_dir: holds the articles whose symptoms teach the ticket model.
        circumstances: seed, actor, time, progress.
        outcomes: real experience for the recommender.
        tickets: real ones, masked, with what they turned out to be about.

    Raises:
        UnknownModelError: the name is not one of `NAMES`.
        TrainingDataError: the data cannot support the model.
        RegistryError: MLflow did not answer.

    """
    seed, progress = circumstances.seed, circumstances.progress
    stages = open_stages(name, registry, circumstances)
    if name == "health":
        fit = train_health(seed, progress)
    elif name == "tickets":
        fit = train_tickets(knowledge_dir, seed, progress, tickets, stages)
    elif name == "recommender":
        fit = train_recommender(seed, outcomes, progress)
    else:
        message = f"no model is called {name!r}; known are {', '.join(NAMES)} and ranking"
        raise UnknownModelError(message)
    return register_fit(registry, name, fit, circumstances=circumstances, stages=stages)


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
    judge: Judge = judge_classifier,
) -> TrainedModel:
    """Judge a fit beside the champion, draw, describe and register it; end its stages."""
    progress = circumstances.progress
    stages.begin(fit.digest_of_data)
    digest = sha256_hex(write_model(fit.model))
    rival = find_rival(registry, name, circumstances.in_use)
    progress(f"{name}: judging on held-back cases")
    judgements, unjudged = _judge_both(fit, digest, rival, judge)
    if unjudged:
        progress(f"{name}: {unjudged}")
    champion = None if rival is None else rival.loaded
    comparison = compare_versions(
        None if champion is None else judgements.get(champion.digest),
        judgements.get(digest),
        has_champion=rival is not None,
        seed=circumstances.seed,
        unjudged=unjudged,
    )
    progress(f"{name}: drawing plots and writing the model card")
    metrics = {**fit.metrics, **_summarise(comparison)}
    facts = CardFacts(
        name=name,
        digest=digest,
        digest_of_data=fit.digest_of_data,
        metrics=fit.metrics,
        params={"seed": circumstances.seed, **fit.params},
        judgement=judgements.get(digest),
        comparison=comparison,
        champion=None if rival is None else rival.version,
        trained_by=circumstances.trained_by,
        trained_at=circumstances.trained_at,
    )
    example = _take_example(fit)
    evaluation = {
        JUDGEMENTS_FILE: encode_judgements(judgements),
        CARD_FILE: write_card(facts, fit.card).encode(),
        EXAMPLE_FILE: _encode_example(example),
        **{f"{stem}.svg": draw(plot).encode() for stem, plot in _list_plots(fit).items()},
    }
    progress(f"{name}: registering in MLflow")
    registered = registry.log_and_register(
        name,
        fit.model,
        metrics=metrics,
        params={"seed": circumstances.seed, "trained_by": circumstances.trained_by, **fit.params},
        digest_of_data=fit.digest_of_data,
        alias=CHALLENGER,
        evaluation=evaluation,
        example=example if judge is judge_classifier else None,
        training_id=stages.training_id,
        may_be_first=comparison.verdict.outcome is not Outcome.FAIL,
    )
    stages.end()
    return TrainedModel(
        name=name,
        version=registered.version,
        digest=digest,
        metrics=metrics,
        comparison=comparison,
        champion=None if rival is None else rival.version,
    )


def find_rival(registry: ModelRegistry, name: str, in_use: Promotion | None) -> Rival | None:
    """Return the champion, None where there is none.

    MLflow's alias is asked only where no promotion says which version is in use.
    """
    try:
        if in_use is not None:
            loaded = registry.load_version(name, in_use.version, digest=in_use.digest)
        else:
            loaded = registry.load(name)
    except UnknownModelError as error:
        return None if in_use is None else _miss(in_use.version, error)
    except ModelArtifactError as error:
        return _miss(CHAMPION if in_use is None else in_use.version, error)
    return Rival(version=loaded.version, loaded=loaded)


def _miss(version: str, error: ModelError) -> Rival:
    return Rival(version=version, loaded=None, trouble=f"the champion cannot be judged: {error}")


def _judge_both(
    fit: Fit, digest: str, rival: Rival | None, judge: Judge
) -> tuple[dict[str, Judgement], str]:
    """Return the judgements by digest of the model, and why the champion has none, if so.

    There are none at all where no cases were held back.
    """
    held_back = fit.held_back
    if held_back is None or not len(held_back.labels):
        return {}, ""
    judgements = {digest: judge(fit.model, held_back)}
    champion = None if rival is None else rival.loaded
    if rival is None or champion is None:
        return judgements, "" if rival is None else rival.trouble
    if champion.digest == digest:
        return judgements, ""
    if mismatch := explain_mismatch(champion.model, held_back.inputs):
        return judgements, f"the champion cannot be judged: {mismatch}"
    try:
        judgements[champion.digest] = judge(champion.model, held_back)
    except ModelArtifactError as error:
        return judgements, f"the champion cannot be judged: {error}"
    return judgements, ""


def explain_mismatch(model: Any, inputs: Any) -> str:
    """Tell why a model of another day cannot read these cases; empty where it can."""
    expected = getattr(model, "n_features_in_", None)
    if expected is None or not isinstance(inputs, np.ndarray) or inputs.shape[1] == expected:
        return ""
    return f"it takes {expected} features, and these cases have {inputs.shape[1]}"


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

# SPDX-License-Identifier: Apache-2.0
"""First and later trainings: data, fit, honest evaluation, registration.

Evaluation never shares a device, a template or an article phrase with training. The health
model learns from the built-in fleet simulator, the ticket model from phrasings, and the
recommender from a stated prior experience plus every real outcome handed in.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.model_selection import GroupKFold

from models.calibration import expected_calibration_error, find_sharpness, sharpen
from models.classification import CONFIDENCE_THRESHOLD
from models.errors import TrainingDataError, UnknownModelError
from models.experience import OutcomeExample
from models.features import FEATURE_NAMES
from models.health import INVERSE_REGULARISATION, fit_health_model
from models.recommender import SIGNAL_NAMES, signal_matrix
from models.registry import CHALLENGER, ModelRegistry
from models.signals import FloatArray
from models.simulated_training import simulate_outcomes, simulate_windows
from models.ticket_corpus import build_corpus
from models.tickets import StringArray, fit_ticket_model, sharpen_ticket_model

NAMES = ("health", "tickets", "recommender")
N_FOLDS = 4
REAL_OUTCOME_WEIGHT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A registered model with its evaluation."""

    name: str
    version: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    model: Any
    metrics: Mapping[str, float]
    params: Mapping[str, Any]
    digest_of_data: str


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
        fit = _train_health(seed, progress)
    elif name == "tickets":
        fit = _train_tickets(knowledge_dir, seed, progress)
    elif name == "recommender":
        fit = _train_recommender(seed, outcomes, progress)
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


def _train_health(seed: int, progress: Callable[[str], None]) -> _Fit:
    progress("health: simulating devices")
    features, labels = simulate_windows(seed=seed, n_devices_per_class=32)
    test_features, test_labels = simulate_windows(seed=seed + 1, n_devices_per_class=10)
    progress(f"health: fitting {len(labels)} windows")
    model = fit_health_model(features, labels, seed=seed)
    probabilities = model.predict_proba(test_features)
    return _Fit(
        model=model,
        metrics=evaluate_classifier(model.classes_, probabilities, test_labels),
        params={
            "n_windows": len(labels),
            "n_features": len(FEATURE_NAMES),
            "C": INVERSE_REGULARISATION,
        },
        digest_of_data=_digest(features, labels),
    )


def _train_tickets(knowledge_dir: Path, seed: int, progress: Callable[[str], None]) -> _Fit:
    progress("tickets: collecting phrasings")
    corpus = build_corpus(knowledge_dir, seed=seed)
    for article in corpus.skipped_articles:
        progress(f"tickets: article {article} has no usable symptoms")
    texts = [example.text for example in corpus.examples]
    labels = np.array([example.label for example in corpus.examples])
    groups = [example.group for example in corpus.examples]
    progress(f"tickets: validating {len(texts)} phrasings in {N_FOLDS} folds")
    classes, held_out = _predict_held_out(texts, labels, groups, seed)
    sharpness = find_sharpness(held_out, np.searchsorted(classes, labels))
    progress(f"tickets: fitting {len(texts)} phrasings")
    model = fit_ticket_model(texts, labels, seed=seed)
    return _Fit(
        model=sharpen_ticket_model(model, sharpness),
        metrics=evaluate_classifier(classes, sharpen(held_out, sharpness), labels.tolist()),
        params={"n_texts": len(texts), "sharpness": sharpness, "n_folds": N_FOLDS},
        digest_of_data=_digest(np.zeros(0), [f"{e.label}\t{e.text}" for e in corpus.examples]),
    )


def _predict_held_out(
    texts: Sequence[str], labels: StringArray, groups: Sequence[str], seed: int
) -> tuple[list[str], FloatArray]:
    """Return the classes and, for each text, probabilities by a model that saw no kin of it."""
    classes = np.unique(labels)
    probabilities = np.full((len(texts), len(classes)), 1e-9)
    folds = GroupKFold(n_splits=N_FOLDS, shuffle=True, random_state=seed)
    for fit_rows, test_rows in folds.split(texts, labels, groups):
        model = fit_ticket_model([texts[row] for row in fit_rows], labels[fit_rows], seed=seed)
        columns = np.searchsorted(classes, model.classes_)
        probabilities[np.ix_(test_rows, columns)] = model.predict_proba(
            [texts[row] for row in test_rows]
        )
    return classes.tolist(), probabilities


def _train_recommender(
    seed: int, outcomes: Sequence[OutcomeExample], progress: Callable[[str], None]
) -> _Fit:
    progress(f"recommender: prior experience and {len(outcomes)} real outcomes")
    signals, successes = simulate_outcomes(seed=seed, n_outcomes=4000)
    test_signals, test_successes = simulate_outcomes(seed=seed + 1, n_outcomes=2000)
    weights = np.ones(len(successes))
    if outcomes:
        real = signal_matrix([outcome.signals for outcome in outcomes])
        signals = np.vstack([signals, real])
        successes = np.concatenate([successes, [float(item.succeeded) for item in outcomes]])
        weights = np.concatenate([weights, np.full(len(outcomes), REAL_OUTCOME_WEIGHT)])
    model = LogisticRegression(C=10.0, max_iter=300, random_state=seed)
    model.fit(signals, successes.astype(int), sample_weight=weights)
    if np.any(model.coef_ < -0.5):
        message = "the outcomes contradict themselves: a helpful signal would count against"
        raise TrainingDataError(message)
    probabilities = model.predict_proba(test_signals)[:, 1]
    return _Fit(
        model=model,
        metrics={
            "auc": float(roc_auc_score(test_successes, probabilities)),
            "log_loss": float(log_loss(test_successes, probabilities)),
            "calibration_error": expected_calibration_error(probabilities, test_successes),
            "n_real_outcomes": float(len(outcomes)),
            "n_real_successes": float(sum(outcome.succeeded for outcome in outcomes)),
        },
        params={"n_outcomes": len(successes), "signals": ",".join(SIGNAL_NAMES)},
        digest_of_data=_digest(signals, [str(int(success)) for success in successes]),
    )


def evaluate_classifier(
    classes: Sequence[str], probabilities: FloatArray, labels: Sequence[str]
) -> dict[str, float]:
    """Return accuracy, macro-F1, log-loss, ECE, and coverage and accuracy when answering.

    Args:
        classes: column names of `probabilities`.
        probabilities: shape (n_samples, n_classes).
        labels: the truth.

    """
    names, truth = np.array(classes), np.array(labels)
    predicted = names[probabilities.argmax(axis=1)]
    confidence = probabilities.max(axis=1)
    correct = (predicted == truth).astype(float)
    answered = (confidence >= CONFIDENCE_THRESHOLD) & (predicted != "unknown")
    true_columns = np.array([list(names).index(label) for label in truth])
    likelihood = probabilities[np.arange(len(truth)), true_columns]
    return {
        "accuracy": float(correct.mean()),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0.0)),
        "log_loss": float(-np.mean(np.log(np.clip(likelihood, 1e-12, 1.0)))),
        "calibration_error": expected_calibration_error(confidence, correct),
        "answered_share": float(answered.mean()),
        "answered_accuracy": float(correct[answered].mean()) if answered.any() else 0.0,
    }


def _digest(numbers: FloatArray, texts: Sequence[str]) -> str:
    """Return the SHA-256 (hex) of training data: little-endian numbers, then lines."""
    digest = hashlib.sha256(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    digest.update("\n".join(texts).encode())
    return digest.hexdigest()

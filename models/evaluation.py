# SPDX-License-Identifier: Apache-2.0
"""Figures of a classifier on cases that it never saw."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score

from models.abstention import Abstention
from models.calibration import expected_calibration_error
from models.classification import CONFIDENCE_THRESHOLD
from models.signals import FloatArray


def evaluate_classifier(
    classes: Sequence[str],
    probabilities: FloatArray,
    labels: Sequence[str],
    abstention: Abstention | None = None,
) -> dict[str, float]:
    """Return accuracy, macro-F1, log-loss, ECE, and coverage and accuracy when answering.

    Args:
        classes: column names of `probabilities`.
        probabilities: shape (n_samples, n_classes).
        labels: the truth.
        abstention: the thresholds that the model answers by; without, one for all models.

    """
    names, truth = np.array(classes), np.array(labels)
    predicted = names[probabilities.argmax(axis=1)]
    confidence = probabilities.max(axis=1)
    correct = (predicted == truth).astype(float)
    if abstention is None:
        answered = (confidence >= CONFIDENCE_THRESHOLD) & (predicted != "unknown")
    else:
        answered = abstention.answers(classes, probabilities)
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

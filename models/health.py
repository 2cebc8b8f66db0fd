# SPDX-License-Identifier: Apache-2.0
"""The device health classifier: it names the failure pattern in a window of telemetry.

A multinomial logistic regression over bounded harm scores: calibrated by its own loss, small,
and explainable by its coefficients. Healthy windows, and odd ones without a known pattern, are
taught as `unknown`; each class has its own threshold, below which the answer is an abstention.
Mail, chat and browser faults look alike in numbers; `diagnosis` tells them apart by the
application's name.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from contracts.failure import FailureClass
from models.abstention import read_abstention
from models.classification import Classification, decide_class
from models.errors import TrainingDataError
from models.features import N_FEATURES, extract_features
from models.signals import FloatArray

WINDOW_SPAN = timedelta(hours=6)  # how far back an incident's reports are looked for
WINDOW_REPORTS = 24  # the last few are judged, those before them are the device's own past
INVERSE_REGULARISATION = 10.0


def fit_health_model(
    features: FloatArray, labels: Sequence[str], *, seed: int, weights: FloatArray | None = None
) -> Any:
    """Fit the classifier.

    Args:
        features: shape (n_windows, n_features), from `compute_features`.
        labels: a FailureClass value per window; healthy ones are `unknown`.
        seed: makes the fit repeatable.
        weights: how much each window counts, shape (n_windows,); all alike if None.

    Raises:
        TrainingDataError: fewer than two classes.

    """
    if len(set(labels)) < 2:
        message = "the health model needs windows of at least two classes"
        raise TrainingDataError(message)
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=400, random_state=seed)
    return model.fit(features, np.array(labels), sample_weight=weights)


def sharpen_health_model(model: Any, sharpness: float) -> Any:
    """Scale the log-odds of a fitted model, in place: temperature scaling by coefficients."""
    model.coef_ *= sharpness
    model.intercept_ *= sharpness
    return model


def classify_health(
    model: Any,
    window: Sequence[Mapping[str, float]],
    threshold: float | None = None,
) -> Classification:
    """Classify a device by its latest reports.

    Args:
        model: from `train_health`. One that was trained on other features than today's cannot
            read the window and abstains from every answer, until `eucora train health` is run.
        window: flat metrics, oldest first; of more than `WINDOW_REPORTS` the last are taken.
        threshold: makes the answer stricter than the model's own thresholds.

    """
    names = [str(name) for name in model.classes_]
    if model.n_features_in_ != N_FEATURES:
        return decide_class([FailureClass.UNKNOWN.value], [0.0])
    features = extract_features(window[-WINDOW_REPORTS:])
    probabilities = model.predict_proba(features.reshape(1, -1))[0]
    return decide_class(names, probabilities, threshold, abstention=read_abstention(model))

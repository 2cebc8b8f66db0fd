# SPDX-License-Identifier: Apache-2.0
"""The device health classifier: it names the failure pattern in a window of telemetry.

A multinomial logistic regression over bounded harm scores: calibrated by its own loss, small,
and explainable by its coefficients. Healthy windows are taught as `unknown`, so a healthy or
unfamiliar device ends in an abstention. Mail, chat and browser faults look alike in numbers;
`diagnosis` tells them apart by the application's name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.classification import CONFIDENCE_THRESHOLD, Classification, decide_class
from models.errors import TrainingDataError
from models.features import extract_features
from models.signals import FloatArray

WINDOW_REPORTS = 30
INVERSE_REGULARISATION = 30.0


def fit_health_model(features: FloatArray, labels: Sequence[str], *, seed: int) -> Any:
    """Fit the classifier.

    Args:
        features: shape (n_windows, n_features), from `extract_features`.
        labels: a FailureClass value per window; healthy ones are `unknown`.
        seed: makes the fit repeatable.

    Raises:
        TrainingDataError: fewer than two classes.

    """
    if len(set(labels)) < 2:
        message = "the health model needs windows of at least two classes"
        raise TrainingDataError(message)
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=400, random_state=seed)
    return model.fit(features, np.array(labels))


def classify_health(
    model: Any,
    window: Sequence[Mapping[str, float]],
    threshold: float = CONFIDENCE_THRESHOLD,
) -> Classification:
    """Classify a device by its latest reports (flat metrics, oldest first, about six)."""
    features = extract_features(window[-WINDOW_REPORTS:])
    probabilities = model.predict_proba(features.reshape(1, -1))[0]
    return decide_class([str(name) for name in model.classes_], probabilities, threshold)

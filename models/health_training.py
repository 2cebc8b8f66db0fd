# SPDX-License-Identifier: Apache-2.0
"""Trains the device health classifier on simulated devices; evaluates it on others."""

from collections.abc import Callable

from models.evaluation import evaluate_classifier
from models.features import FEATURE_NAMES
from models.fit import Fit, digest_data
from models.health import INVERSE_REGULARISATION, fit_health_model
from models.simulated_training import simulate_windows


def train_health(seed: int, progress: Callable[[str], None]) -> Fit:
    """Simulate devices, fit on some and evaluate on others."""
    progress("health: simulating devices")
    features, labels = simulate_windows(seed=seed, n_devices_per_class=32)
    test_features, test_labels = simulate_windows(seed=seed + 1, n_devices_per_class=10)
    progress(f"health: fitting {len(labels)} windows")
    model = fit_health_model(features, labels, seed=seed)
    probabilities = model.predict_proba(test_features)
    return Fit(
        model=model,
        metrics=evaluate_classifier(model.classes_, probabilities, test_labels),
        params={
            "n_windows": len(labels),
            "n_features": len(FEATURE_NAMES),
            "C": INVERSE_REGULARISATION,
        },
        digest_of_data=digest_data(features, labels),
    )

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
    windows = simulate_windows(seed=seed, n_devices_per_pattern=32)
    others = simulate_windows(seed=seed + 1, n_devices_per_pattern=10)
    features, labels = windows.features, windows.labels
    progress(f"health: fitting {len(labels)} windows")
    model = fit_health_model(features, labels, seed=seed)
    probabilities = model.predict_proba(others.features)
    return Fit(
        model=model,
        metrics=evaluate_classifier(model.classes_, probabilities, others.labels),
        params={
            "n_windows": len(labels),
            "n_features": len(FEATURE_NAMES),
            "C": INVERSE_REGULARISATION,
        },
        digest_of_data=digest_data(features, labels),
    )

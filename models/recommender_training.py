# SPDX-License-Identifier: Apache-2.0
"""Trains the recommender from a stated prior experience plus every real outcome handed in."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from models.calibration import expected_calibration_error
from models.errors import TrainingDataError
from models.experience import OutcomeExample
from models.fit import Fit, digest_data
from models.recommender import SIGNAL_NAMES, signal_matrix
from models.simulated_outcomes import simulate_outcomes

REAL_OUTCOME_WEIGHT = 5.0


def train_recommender(
    seed: int, outcomes: Sequence[OutcomeExample], progress: Callable[[str], None]
) -> Fit:
    """Fit on prior and real outcomes; evaluate on other simulated ones.

    Raises:
        TrainingDataError: a helpful signal would count against a script.

    """
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
    return Fit(
        model=model,
        metrics={
            "auc": float(roc_auc_score(test_successes, probabilities)),
            "log_loss": float(log_loss(test_successes, probabilities)),
            "calibration_error": expected_calibration_error(probabilities, test_successes),
            "n_real_outcomes": float(len(outcomes)),
            "n_real_successes": float(sum(outcome.succeeded for outcome in outcomes)),
        },
        params={"n_outcomes": len(successes), "signals": ",".join(SIGNAL_NAMES)},
        digest_of_data=digest_data(signals, [str(int(success)) for success in successes]),
    )

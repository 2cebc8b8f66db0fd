# SPDX-License-Identifier: Apache-2.0
"""Prior experience of the recommender: outcomes as we believe them before there is evidence.

A fix works when it fits the class, its preconditions hold and it worked before. Real outcomes are
weighed above it (`recommender_training`).
"""

import numpy as np

from models.recommender import ScriptCandidate, compute_signals, signal_matrix
from models.signals import FloatArray


def simulate_outcomes(*, seed: int, n_outcomes: int) -> tuple[FloatArray, FloatArray]:
    """Return signals of shape (n_outcomes, n_signals) and successes in {0, 1}."""
    random = np.random.default_rng(seed)
    candidates = [_draw_candidate(random) for _ in range(n_outcomes)]
    confidences = random.uniform(0.3, 1.0, n_outcomes)
    rows = [compute_signals(c, float(p)) for c, p in zip(candidates, confidences, strict=True)]
    log_odds = np.array([_log_odds(row) for row in rows])
    successes = random.random(n_outcomes) < 1.0 / (1.0 + np.exp(-log_odds))
    return signal_matrix(rows), successes.astype(np.float64)


def _log_odds(row: dict[str, float]) -> float:
    return (
        -7.0
        + 1.6 * row["retrieval"]
        + 1.6 * row["class_match"]
        + 1.6 * row["class_match_weighted"]
        + 1.6 * row["preconditions"]
        + 2.6 * row["success_rate"]
        + 1.2 * row["approval_rate"]
        + 0.2 * row["experience"]
    )


def _draw_candidate(random: np.random.Generator) -> ScriptCandidate:
    quality = float(random.beta(4, 1.5))
    n_tried = int(random.integers(0, 30)) if random.random() < 0.6 else 0
    n_succeeded = int(random.binomial(n_tried, quality))
    n_reviewed = n_tried + int(random.integers(0, 5))
    n_approved = int(random.binomial(n_reviewed, 0.3 + 0.6 * quality))
    return ScriptCandidate(
        script_id="prior",
        version="0",
        retrieval_score=float(random.random()),
        failure_class_match=bool(random.random() < 0.6),
        platform_match=True,
        preconditions_met=bool(random.random() < 0.8),
        n_succeeded=n_succeeded,
        n_failed=n_tried - n_succeeded,
        n_approved=n_approved,
        n_rejected=n_reviewed - n_approved,
    )

# SPDX-License-Identifier: Apache-2.0
"""A log-linear pool: the opinions of several classifiers become one calibrated probability.

Source: Genest and Zidek, "Combining probability distributions" (1986). Each member has one weight,
none negative, and each class one offset, all found on held-out scores by the least log-loss. With
one member this is temperature scaling with a bias (Guo et al., 2017); so few parameters do not
learn the held-out cases by heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from models.signals import FloatArray

_OFFSET_PENALTY = 0.02  # keeps the offsets of classes with few cases near zero


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionPool:
    """Weights of the members, shape (n_members,), and offsets of the classes, (n_classes,)."""

    weights: FloatArray
    offsets: FloatArray

    def combine(self, scores: FloatArray) -> FloatArray:
        """Return probabilities (n_cases, n_classes) of scores (n_cases, n_members, n_classes)."""
        probabilities: FloatArray = softmax(self._add(scores), axis=1)
        return probabilities

    def _add(self, scores: FloatArray) -> FloatArray:
        logits: FloatArray = np.einsum("imc,m->ic", scores, self.weights) + self.offsets
        return logits


def fit_pool(scores: FloatArray, true_columns: npt.NDArray[np.int64]) -> OpinionPool:
    """Find the pool with the least log-loss.

    Args:
        scores: held-out log-odds or margins, shape (n_cases, n_members, n_classes).
        true_columns: the class of each case, shape (n_cases,).

    """
    n_cases, n_members, n_classes = scores.shape
    rows = np.arange(n_cases)

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        weights, offsets = parameters[:n_members], parameters[n_members:]
        logits = np.einsum("imc,m->ic", scores, weights) + offsets
        log_shares = log_softmax(logits, axis=1)
        excess = np.exp(log_shares)
        excess[rows, true_columns] -= 1.0
        gradient = np.concatenate(
            [
                np.einsum("ic,imc->m", excess, scores) / n_cases,
                excess.mean(axis=0) + 2 * _OFFSET_PENALTY * offsets / n_classes,
            ]
        )
        penalty = _OFFSET_PENALTY * float(np.mean(offsets**2))
        return float(-log_shares[rows, true_columns].mean()) + penalty, gradient

    found = minimize(
        loss,
        np.concatenate([np.full(n_members, 1.0 / n_members), np.zeros(n_classes)]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * n_members + [(None, None)] * n_classes,
    )
    return OpinionPool(weights=found.x[:n_members], offsets=found.x[n_members:])


def build_classifier(pool: OpinionPool, classes: Sequence[str]) -> LogisticRegression:
    """Return the pool as the last step of a pipeline.

    It takes the members' scores side by side, members first; of two classes each member gives one
    column, the log-odds of the second.
    """
    n_members, n_classes = len(pool.weights), len(classes)
    classifier = LogisticRegression()
    classifier.classes_ = np.array(classes)
    if n_classes == 2:
        classifier.coef_ = pool.weights[None, :].copy()
        classifier.intercept_ = np.array([pool.offsets[1] - pool.offsets[0]])
        classifier.n_features_in_ = n_members
    else:
        classifier.coef_ = np.hstack([weight * np.eye(n_classes) for weight in pool.weights])
        classifier.intercept_ = pool.offsets.copy()
        classifier.n_features_in_ = n_members * n_classes
    return classifier

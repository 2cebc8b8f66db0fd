# SPDX-License-Identifier: Apache-2.0
"""Learns how to rank: a linear adapter for queries, and the weights of the parts of a score.

Both are conditional logit models (McFadden, 1974) of which document a person accepted among those
that a search found. The adapter maps a query q to q + qM, so that documents that helped are nearer
than the others; M is shrunk towards zero, hence towards the embedding as it is. The weights are
fitted on adapters that never saw the query, and are never negative: that few tickets, or none,
were solved by a document says nothing against it.

What the parts are is left to retrieval: here they are columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from models.errors import TrainingDataError

FloatArray = npt.NDArray[np.float32]
TEMPERATURE = 0.1  # cosines of 0.1 apart are e times as likely
SHRINKAGES = (0.003, 0.01, 0.03)
N_FOLDS = 5
MAX_ITERATIONS = 30
MIN_EXAMPLES = 30
WEIGHT_SHRINKAGE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingExample:
    """A query whose answer is known, among what a search found for it."""

    vector: FloatArray  # of the query, shape (n_dimensions,)
    documents: FloatArray  # mean vectors, shape (n_candidates, n_dimensions)
    parts: FloatArray  # of the score, at the weight one, shape (n_candidates, n_parts)
    accepted: npt.NDArray[np.bool_]  # shape (n_candidates,), at least one


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingFit:
    """What was learned: an adapter, the weights of the parts, and of the adapted similarity."""

    adapter: FloatArray  # shape (n_dimensions, n_dimensions)
    weights: FloatArray  # shape (n_parts,)
    adapted_weight: float
    shrinkage: float
    log_loss: float  # per query, on adapters that did not see it
    base_log_loss: float  # the same with the weights as they were


@dataclass(frozen=True, slots=True)
class _Stack:
    """Examples as arrays, padded to the largest number of candidates; each document once."""

    vectors: FloatArray  # of queries, shape (n, n_dimensions)
    documents: FloatArray  # shape (n_documents, n_dimensions)
    candidates: npt.NDArray[np.intp]  # rows of documents, shape (n, n_candidates)
    parts: FloatArray
    target: FloatArray
    absent: npt.NDArray[np.bool_]

    def take(self, rows: npt.NDArray[np.intp]) -> "_Stack":
        return _Stack(
            self.vectors[rows],
            self.documents,
            self.candidates[rows],
            self.parts[rows],
            self.target[rows],
            self.absent[rows],
        )

    def compare(self, queries: FloatArray) -> FloatArray:
        """Return the products of queries with their candidates, shape (n, n_candidates)."""
        products: FloatArray = np.take_along_axis(
            queries @ self.documents.T, self.candidates, axis=1
        )
        return products

    def pull(self, slope: FloatArray) -> FloatArray:
        """Return for each query the sum of its candidates, weighed; shape (n, n_dimensions)."""
        dense = np.zeros((len(slope), len(self.documents)), dtype=np.float32)
        np.put_along_axis(dense, self.candidates, slope, axis=1)
        pulled: FloatArray = dense @ self.documents
        return pulled


def fit_ranking(
    examples: Sequence[RankingExample],
    *,
    prior: FloatArray,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> RankingFit:
    """Learn an adapter and weights.

    Args:
        examples: queries with their answers.
        prior: the weights of the parts before, shape (n_parts,); what is learned starts from
            them.
        seed: of the folds.
        progress: is told what is being done.

    Raises:
        TrainingDataError: there are fewer than 30 examples.
    """
    if len(examples) < MIN_EXAMPLES:
        raise TrainingDataError(
            f"{len(examples)} answered queries are too few to learn from; {MIN_EXAMPLES} are needed"
        )
    stack = _stack(examples)
    fold_of = np.random.default_rng(seed).permutation(len(examples)) % N_FOLDS
    offset = stack.parts @ prior
    shrinkage = _choose_shrinkage(stack, offset, fold_of, progress)
    adapted = np.zeros(stack.absent.shape, dtype=np.float32)
    for fold in range(N_FOLDS):
        progress(f"adapter, fold {fold + 1} of {N_FOLDS}")
        seen, unseen = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        matrix = _fit_adapter(stack.take(seen), offset[seen], shrinkage)
        adapted[unseen] = _adapt(stack.take(unseen), matrix)
    progress("weights")
    weights, loss, base_loss = _fit_weights(stack, adapted, prior)
    progress("adapter on all")
    return RankingFit(
        adapter=_fit_adapter(stack, offset, shrinkage),
        weights=weights[:-1],
        adapted_weight=float(weights[-1]),
        shrinkage=shrinkage,
        log_loss=loss,
        base_log_loss=base_loss,
    )


def _stack(examples: Sequence[RankingExample]) -> _Stack:
    """Pad the candidates with a document that is nowhere; documents of equal vectors are one."""
    n, width = len(examples), max(len(one.accepted) for one in examples)
    n_dimensions, n_parts = examples[0].vector.size, examples[0].parts.shape[1]
    nowhere = np.zeros((1, n_dimensions), dtype=np.float32)
    listed = np.concatenate([*(one.documents for one in examples), nowhere])
    documents, row_of = np.unique(listed, axis=0, return_inverse=True)
    candidates = np.full((n, width), row_of.ravel()[-1], dtype=np.intp)
    parts = np.zeros((n, width, n_parts), dtype=np.float32)
    target = np.zeros((n, width), dtype=np.float32)
    absent = np.ones((n, width), dtype=np.bool_)
    start = 0
    for row, one in enumerate(examples):
        size = len(one.accepted)
        candidates[row, :size] = row_of.ravel()[start : start + size]
        parts[row, :size] = one.parts
        target[row, :size] = one.accepted / one.accepted.sum()
        absent[row, :size] = False
        start += size
    vectors = np.array([one.vector for one in examples], dtype=np.float32)
    return _Stack(vectors, documents, candidates, parts, target, absent)


def _choose_shrinkage(
    stack: _Stack,
    offset: FloatArray,
    fold_of: npt.NDArray[np.intp],
    progress: Callable[[str], None],
) -> float:
    seen, unseen = np.flatnonzero(fold_of != 0), np.flatnonzero(fold_of == 0)
    losses = []
    for shrinkage in SHRINKAGES:
        progress(f"adapter, shrinkage {shrinkage}")
        matrix = _fit_adapter(stack.take(seen), offset[seen], shrinkage)
        held = stack.take(unseen)
        similarity = held.compare(held.vectors @ matrix)
        losses.append(_log_loss((offset[unseen] + similarity) / TEMPERATURE, held)[0])
    return SHRINKAGES[int(np.argmin(losses))]


def _fit_adapter(stack: _Stack, offset: FloatArray, shrinkage: float) -> FloatArray:
    """Return M of shape (n_dimensions, n_dimensions); convex, so that there is one answer."""
    n, n_dimensions = stack.vectors.shape

    def evaluate(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        matrix = flat.reshape(n_dimensions, n_dimensions).astype(np.float32)
        similarity = stack.compare(stack.vectors @ matrix)
        loss, slope = _log_loss((offset + similarity) / TEMPERATURE, stack)
        gradient = (stack.vectors.T @ stack.pull(slope)).ravel() / (TEMPERATURE * n)
        return loss + shrinkage * float(flat @ flat), gradient + 2 * shrinkage * flat

    found = minimize(
        evaluate,
        np.zeros(n_dimensions**2),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MAX_ITERATIONS},
    )
    matrix: FloatArray = found.x.reshape(n_dimensions, n_dimensions).astype(np.float32)
    return matrix


def _log_loss(logits: FloatArray, stack: _Stack) -> tuple[float, FloatArray]:
    """Return the mean loss and, for each query and candidate, probability less target."""
    logits = np.where(stack.absent, -1e9, logits)
    logits = logits - logits.max(axis=1, keepdims=True)
    likelihood = np.exp(logits)
    total = likelihood.sum(axis=1, keepdims=True)
    loss = -(stack.target * (logits - np.log(total))).sum() / len(logits)
    return float(loss), (likelihood / total - stack.target).astype(np.float32)


def _adapt(stack: _Stack, matrix: FloatArray) -> FloatArray:
    """Return the cosines of adapted queries to the candidates, shape (n, n_candidates)."""
    turned = stack.vectors + stack.vectors @ matrix
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    return stack.compare(turned)


def _fit_weights(
    stack: _Stack, adapted: FloatArray, prior: FloatArray
) -> tuple[FloatArray, float, float]:
    """Return weights, none negative and scaled as the prior is, and the losses with and before."""
    columns = np.concatenate([stack.parts, adapted[:, :, None]], axis=2).astype(np.float64)
    start = np.append(prior, 0.0).astype(np.float64)
    scale = np.maximum(start, 0.1)

    def evaluate(values: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        loss, slope = _log_loss((columns @ (values * scale)).astype(np.float32), stack)
        gradient = np.einsum("nk,nkp->p", slope, columns) * scale / len(slope)
        return (
            loss + WEIGHT_SHRINKAGE * float(values @ values),
            gradient + 2 * WEIGHT_SHRINKAGE * values,
        )

    before = start / scale / TEMPERATURE
    found = minimize(
        evaluate, before, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(start)
    )
    weights = found.x * scale
    loss = _log_loss((columns @ weights).astype(np.float32), stack)[0]
    base_loss = _log_loss((columns @ (start / TEMPERATURE)).astype(np.float32), stack)[0]
    return (weights * TEMPERATURE).astype(np.float32), loss, base_loss

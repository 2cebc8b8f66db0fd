# SPDX-License-Identifier: Apache-2.0
"""How one version did on held-back cases, case by case: what two versions are compared by later.

Kept as JSON beside the model's file, under the cases' names and without the cases themselves, so
that a comparison needs neither the data nor the models, and pairs what both have judged.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import ModelArtifactError
from models.fit import HeldBack
from models.signals import FloatArray

BRIER = "Brier score"  # of all classes together, 0 to 2 (Brier, 1950): a proper score
N_ANSWERS = 100  # single answers that the latency is measured on
MAX_MEASURE_SECONDS = 2.0
_LEAST_LIKELIHOOD = 1e-6
_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long single answers take on the machine that measured, in milliseconds."""

    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Losses of each case, shape (n_cases,); rankings have no confidences, and no answers."""

    measure: str  # name of the loss; smaller is better
    case_ids: tuple[str, ...]
    losses: FloatArray
    log_losses: FloatArray | None = None
    confidences: FloatArray | None = None  # of the most probable class
    correct: FloatArray | None = None  # 1 where that class is the truth, else 0
    baseline: float | None = None  # mean loss of answering with the classes' shares alone
    latency: Latency | None = None
    groups: tuple[str, ...] | None = None  # of kin, by case; each case its own if None

    def at(self, rows: npt.NDArray[np.int64]) -> "Judgement":
        """Return the judgement of some cases."""
        return Judgement(
            measure=self.measure,
            case_ids=tuple(self.case_ids[row] for row in rows),
            losses=self.losses[rows],
            log_losses=None if self.log_losses is None else self.log_losses[rows],
            confidences=None if self.confidences is None else self.confidences[rows],
            correct=None if self.correct is None else self.correct[rows],
            baseline=self.baseline,
            latency=self.latency,
            groups=None if self.groups is None else tuple(self.groups[row] for row in rows),
        )


def judge_classifier(model: Any, held_back: HeldBack) -> Judgement:
    """Ask a classifier about all held-back cases, and about some of them one by one.

    A class that the model does not know counts as one that it gives no probability.
    """
    return judge_probabilities(
        np.asarray(model.predict_proba(held_back.inputs), dtype=np.float64),
        [str(name) for name in model.classes_],
        held_back,
        latency=measure_latency(model.predict_proba, held_back.inputs),
    )


def judge_probabilities(
    probabilities: FloatArray,
    classes: Sequence[str],
    held_back: HeldBack,
    *,
    latency: Latency,
    measure: str = BRIER,
) -> Judgement:
    """Judge what was answered about all held-back cases.

    Args:
        probabilities: shape (n_cases, n_classes).
        classes: their names.
        held_back: the cases, with the truth.
        latency: of single answers.
        measure: what the score is called; only equally named ones are compared.
    """
    truth = _match_columns(classes, held_back.labels)
    target = np.zeros_like(probabilities)
    known = truth >= 0
    target[np.flatnonzero(known), truth[known]] = 1.0
    likelihood = np.where(known, probabilities[np.arange(len(truth)), truth], 0.0)
    # A truth outside of the classes adds the missed probability of its own column, which is 1.
    losses = ((probabilities - target) ** 2).sum(axis=1) + np.where(known, 0.0, 1.0)
    return Judgement(
        measure=measure,
        case_ids=name_cases(held_back),
        losses=losses,
        log_losses=-np.log(np.clip(likelihood, _LEAST_LIKELIHOOD, 1.0)),
        confidences=probabilities.max(axis=1),
        correct=(probabilities.argmax(axis=1) == truth).astype(np.float64),
        baseline=_score_shares(held_back.labels),
        latency=latency,
        groups=None if held_back.groups is None else tuple(held_back.groups),
    )


def name_cases(held_back: HeldBack) -> tuple[str, ...]:
    """Return stable names: given, or a digest of what the case is; of twins, each its own."""
    given = held_back.case_ids
    names = [_digest_case(one) for one in held_back.inputs] if given is None else list(given)
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(unique)


def digest_cases(case_ids: Sequence[str]) -> str:
    """Return the SHA-256 (hex) of which cases were judged."""
    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()


def measure_latency(answer: Callable[[Any], object], inputs: Any) -> Latency:
    """Time single answers, the first left out, which warms up caches."""
    n_inputs = len(inputs)
    taken = []
    deadline = time.perf_counter() + MAX_MEASURE_SECONDS
    for number in range(N_ANSWERS + 1):
        row = number % n_inputs
        one = inputs[row : row + 1]
        began = time.perf_counter()
        answer(one)
        taken.append((time.perf_counter() - began) * 1e3)
        if time.perf_counter() > deadline and len(taken) > 1:
            break
    p50, p95 = np.quantile(taken[1:], [0.5, 0.95])
    return Latency(p50_ms=float(p50), p95_ms=float(p95))


def pair_judgements(before: Judgement, after: Judgement) -> tuple[Judgement, Judgement]:
    """Return both on the cases that both have judged, in the same order."""
    places = {name: row for row, name in enumerate(before.case_ids)}
    common = [(places[name], row) for row, name in enumerate(after.case_ids) if name in places]
    rows = np.array(common, dtype=np.int64).reshape(-1, 2)
    return before.at(rows[:, 0]), after.at(rows[:, 1])


def encode_judgements(judgements: Mapping[str, Judgement]) -> bytes:
    """Return judgements by the digest of the judged model's file, as JSON."""
    document = {digest: _describe(one) for digest, one in judgements.items()}
    return json.dumps({"schema_version": _SCHEMA, "judgements": document}).encode()


def decode_judgements(content: bytes) -> dict[str, Judgement]:
    """Read what `encode_judgements` wrote.

    Raises:
        ModelArtifactError: it is not that.
    """
    try:
        document = json.loads(content)
        if document["schema_version"] != _SCHEMA:
            raise ModelArtifactError("the judgements are of another version of this program")
        return {digest: _parse(one) for digest, one in document["judgements"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelArtifactError("the judgements of the model cannot be read") from error


def _describe(one: Judgement) -> dict[str, Any]:
    columns = {
        name: [round(float(value), 6) for value in values]
        for name in ("losses", "log_losses", "confidences", "correct")
        if (values := getattr(one, name)) is not None
    }
    latency = one.latency and {"p50_ms": one.latency.p50_ms, "p95_ms": one.latency.p95_ms}
    return {
        "measure": one.measure,
        "cases_sha256": digest_cases(one.case_ids),
        "case_ids": list(one.case_ids),
        "baseline": one.baseline,
        "latency": latency,
        **({} if one.groups is None else {"groups": list(one.groups)}),
        **columns,
    }


def _parse(document: Mapping[str, Any]) -> Judgement:
    n_cases = len(document["case_ids"])
    columns = {}
    for name in ("losses", "log_losses", "confidences", "correct"):
        if name not in document:
            continue
        columns[name] = np.array(document[name], dtype=np.float64)
        if columns[name].shape != (n_cases,) or not np.isfinite(columns[name]).all():
            raise ValueError(name)
    latency, groups = document["latency"], document.get("groups")
    if groups is not None and len(groups) != n_cases:
        raise ValueError("groups")
    return Judgement(
        measure=str(document["measure"]),
        case_ids=tuple(str(name) for name in document["case_ids"]),
        baseline=None if document["baseline"] is None else float(document["baseline"]),
        latency=Latency(**{key: float(value) for key, value in latency.items()})
        if latency
        else None,
        groups=None if groups is None else tuple(str(name) for name in groups),
        **columns,
    )


def _match_columns(classes: Sequence[str], labels: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Return the column of each label, -1 where there is none."""
    columns = {name: column for column, name in enumerate(classes)}
    return np.array([columns.get(str(label), -1) for label in labels], dtype=np.int64)


def _score_shares(labels: npt.NDArray[np.str_]) -> float:
    """Return the mean Brier score of always answering with the labels' own shares."""
    _, counts = np.unique(labels, return_counts=True)
    shares = counts / counts.sum()
    return float(1.0 - (shares**2).sum())


def _digest_case(one: Any) -> str:
    if isinstance(one, str):
        content = one.encode()
    elif isinstance(one, Mapping):
        content = json.dumps(one, sort_keys=True, default=str).encode()
    else:
        content = np.ascontiguousarray(one, dtype="<f8").tobytes()
    return hashlib.sha256(content).hexdigest()[:24]

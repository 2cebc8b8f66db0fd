# SPDX-License-Identifier: Apache-2.0
"""What a training hands over: a fitted model, its figures, what it is judged on, its data's digest.

Held back are cases that no version of a model may ever learn from: which they are follows from the
cases themselves (a digest of the group, the time), so that champion and challenger, trained on
different days, can be compared on cases that neither has seen.

`models.training` does the rest for every model alike: it judges the model and the champion on
`held_back`, draws reliability, confusion and coverage from that, writes the model card, measures
the latency of single answers, and registers. A training function only adds what it alone knows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.signals import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Cases kept from every training, to compare two versions of one model on."""

    inputs: Any  # n_cases of what the model's `predict_proba` takes
    labels: npt.NDArray[np.str_]  # the truth, shape (n_cases,), in the model's class names
    # Stable names of the cases, by which later versions find the same ones; from the inputs if None
    case_ids: Sequence[str] | None = None
    # Of kin, one name for each case: wordings of one phrase say little more than one of them, so
    # that intervals are of groups; each case its own if None
    groups: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """What a training says of its model in the model card, in whole sentences of Markdown."""

    purpose: str = ""  # what it answers, and for whom
    training_data: str = ""  # where the data is from, and how it was split
    limits: Sequence[str] = ()  # what it must not be used for, where it is known to be weak


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted model that is not registered yet, with its honest evaluation."""

    model: Any
    metrics: Mapping[str, float]
    params: Mapping[str, Any]
    digest_of_data: str
    held_back: HeldBack | None = None
    input_example: Any = None  # a few rows of what `predict_proba` takes; of held_back if None
    card: CardText = field(default_factory=CardText)
    plots: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # Vega-Lite, by file stem


def digest_data(numbers: FloatArray, texts: Sequence[str]) -> str:
    """Return the SHA-256 (hex) of training data: little-endian numbers, then lines."""
    digest = hashlib.sha256(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    digest.update("\n".join(texts).encode())
    return digest.hexdigest()

# SPDX-License-Identifier: Apache-2.0
"""What a training hands over: a fitted model, its figures, what it is judged on, its data's digest.

Held back are cases that no version of a model may ever learn from: which they are follows from the
cases themselves (a digest of the group, the time), so that champion and challenger, trained on
different days, can be compared on cases that neither has seen.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.signals import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Cases kept from every training, to compare two versions of one model on."""

    inputs: Any  # n_cases of what the model's `predict_proba` takes
    labels: npt.NDArray[np.str_]  # the truth, shape (n_cases,), in the model's class names


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted model that is not registered yet, with its honest evaluation."""

    model: Any
    metrics: Mapping[str, float]
    params: Mapping[str, Any]
    digest_of_data: str
    held_back: HeldBack | None = None


def digest_data(numbers: FloatArray, texts: Sequence[str]) -> str:
    """Return the SHA-256 (hex) of training data: little-endian numbers, then lines."""
    digest = hashlib.sha256(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    digest.update("\n".join(texts).encode())
    return digest.hexdigest()

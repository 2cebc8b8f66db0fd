# SPDX-License-Identifier: Apache-2.0
"""What people's labels add to the training of the health classifier.

Devices are divided for good: of one in five no version ever learns, so that versions are judged on
real devices too. The windows of the others are learned from with a weight, and calibrated on as
well, by models that did not see their device: thresholds know what real windows look like.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features import N_FEATURES
from models.health import fit_health_model
from models.label_bounds import keep_within, weigh_labels
from models.labelled_windows import LabelledWindow
from models.signals import FloatArray
from models.simulated_training import SimulatedWindows
from models.ticket_corpus import is_held_back

LABEL_WEIGHT = 2.0  # of simulated windows: some 120 of a class, and of labels there are a few dozen
N_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSet:
    """Labelled windows as arrays with one entry a window; possibly none."""

    features: FloatArray  # shape (n_windows, n_features)
    labels: list[str]
    people: list[str]
    is_proved: list[bool]
    devices: list[str]
    incidents: list[str]

    def at(self, rows: Sequence[int]) -> "LabelledSet":
        """Return those of some rows."""
        return LabelledSet(
            features=self.features[list(rows)],
            labels=[self.labels[row] for row in rows],
            people=[self.people[row] for row in rows],
            is_proved=[self.is_proved[row] for row in rows],
            devices=[self.devices[row] for row in rows],
            incidents=[self.incidents[row] for row in rows],
        )

    def bound(self, others: Sequence[str]) -> "LabelledSet":
        """Return those that are within the shares of people and devices beside other cases."""
        voices = self.list_voices()
        return self.at(keep_within(self.labels, voices, self.devices, others=Counter(others)))

    def list_voices(self) -> list[str]:
        """Return whose word each label is: nobody's where it is proved."""
        return [
            "" if is_proved else person
            for person, is_proved in zip(self.people, self.is_proved, strict=True)
        ]


def divide_windows(windows: Sequence[LabelledWindow]) -> tuple[LabelledSet, LabelledSet]:
    """Return the windows to learn from and those to judge by, of other devices."""
    judged = [one for one in windows if is_held_back(group_device(one.device_id))]
    known = [one for one in windows if not is_held_back(group_device(one.device_id))]
    return _stack(known), _stack(judged)


def group_device(device_id: str) -> str:
    """Return the name by which a device's windows are kin."""
    return f"device/{device_id}"


def _stack(windows: Sequence[LabelledWindow]) -> LabelledSet:
    features = [one.features for one in windows]
    return LabelledSet(
        features=np.array(features, dtype=np.float64).reshape(len(windows), N_FEATURES),
        labels=[one.label for one in windows],
        people=[one.person for one in windows],
        is_proved=[one.is_proved for one in windows],
        devices=[one.device_id for one in windows],
        incidents=[one.incident_id for one in windows],
    )


def fit_on_both(simulated: SimulatedWindows, real: LabelledSet, *, seed: int) -> Any:
    """Fit on simulated windows, each of weight one, and on labelled ones as far as bounds allow."""
    if not real.labels:
        return fit_health_model(simulated.features, simulated.labels, seed=seed)
    weights = weigh_labels(
        real.labels,
        real.list_voices(),
        real.devices,
        weight=LABEL_WEIGHT,
        others=Counter(simulated.labels),
    )
    return fit_health_model(
        np.concatenate([simulated.features, real.features]),
        [*simulated.labels, *real.labels],
        seed=seed,
        weights=np.concatenate([np.ones(len(simulated.labels)), weights]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Windows to calibrate on: what a model that did not see their device says of them."""

    probabilities: FloatArray  # shape (n_windows, n_classes)
    labels: list[str]


def gather_calibration(
    model: Any,
    simulated: SimulatedWindows,
    real: LabelledSet,
    *,
    others: SimulatedWindows,
    seed: int,
) -> Calibration:
    """Return simulated windows of other devices, and the labelled ones out of fold.

    Args:
        model: fitted on `simulated` and `real`.
        simulated: what was learned from.
        real: labelled windows that were learned from.
        others: simulated windows of devices that were not.
        seed: makes the folds' fits repeatable.

    """
    said = np.asarray(model.predict_proba(others.features))
    kept = real.bound(others.labels)
    if not kept.labels:
        return Calibration(probabilities=said, labels=others.labels)
    found = np.empty((len(kept.labels), said.shape[1]))
    for known, unseen in _split(kept.devices):
        fold = fit_on_both(simulated, kept.at(known), seed=seed)
        found[unseen] = fold.predict_proba(kept.features[unseen])
    return Calibration(
        probabilities=np.concatenate([said, found]), labels=[*others.labels, *kept.labels]
    )


def _split(devices: Sequence[str]) -> Iterator[tuple[list[int], npt.NDArray[np.int64]]]:
    """Yield rows to fit on and to score, of unlike devices."""
    numbers = np.unique(devices, return_inverse=True)[1] % N_FOLDS
    for fold in np.unique(numbers):
        yield np.flatnonzero(numbers != fold).tolist(), np.flatnonzero(numbers == fold)

# SPDX-License-Identifier: Apache-2.0
"""How much labels by people count: a weight for each, bounded by person, by all people, by device.

Whoever labels alone, by mistake or in bad faith, must not take a class over; nor must several who
agree to, nor one person under several names; nor one device that fails the same way every day. So
in each class one person's labels have at most a third of all weight, those of all people together
half (the rest is simulated, written by us, or proved: a fix was approved, and telemetry verified
it), and one device's a tenth. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kernel.person import normalise_person
from models.signals import FloatArray

IntArray = npt.NDArray[np.int64]
PERSON_SHARE = 1 / 3  # of the weight of a class
PEOPLE_SHARE = 1 / 2
DEVICE_SHARE = 1 / 10
_NONE = 0  # the group of what a bound does not touch
_ROUNDS = 500
_TOLERANCE = 1e-6
_Bound = tuple[IntArray, float]  # the group of each label, and a group's share at most


def weigh_labels(
    labels: Sequence[str],
    people: Sequence[str],
    devices: Sequence[str],
    *,
    weight: float,
    others: Mapping[str, float],
) -> FloatArray:
    """Return the weight of each label, shape (n_labels,), as far as the bounds allow.

    Args:
        labels: the class that each gives.
        people: who gave it, in any spelling; empty: no person's word, but what is proved.
        devices: about which device; all that name none count as one.
        weight: of a label that no bound touches.
        others: by class, the weight of what is learned from beside the labels.

    """
    return _weigh(labels, _list_bounds(people, devices), weight, others)


def _weigh(
    labels: Sequence[str], bounds: Sequence[_Bound], weight: float, others: Mapping[str, float]
) -> FloatArray:
    weights = np.full(len(labels), float(weight))
    names, classes = np.unique(np.array(labels, dtype=str), return_inverse=True)
    for number, name in enumerate(names):
        rows = np.flatnonzero(classes == number)
        of_class = [(groups[rows], share) for groups, share in bounds]
        weights[rows] = _scale_down(weights[rows], of_class, float(others.get(str(name), 0.0)))
    return weights


def _list_bounds(people: Sequence[str], devices: Sequence[str]) -> list[_Bound]:
    """Return what each label counts towards."""
    persons = [normalise_person(one) for one in people]
    is_said = np.array([bool(one) for one in persons], dtype=bool)
    by_person = np.unique(np.array(persons, dtype=str), return_inverse=True)[1] + 1
    by_device = np.unique(np.array(devices, dtype=str), return_inverse=True)[1] + 1
    return [
        (np.where(is_said, by_person, _NONE), PERSON_SHARE),
        (np.where(is_said, 1, _NONE), PEOPLE_SHARE),
        (by_device, DEVICE_SHARE),
    ]


def _scale_down(weights: FloatArray, bounds: Sequence[_Bound], other: float) -> FloatArray:
    """Return a class's weights, scaled until each group has at most its share.

    Each step lowers the whole, so that the steps converge from above to weights that keep every
    bound. Persons are bounded before people are, so that one who says much leaves others theirs.
    """
    for _ in range(_ROUNDS):
        is_settled = True
        for groups, share in bounds:
            own = np.bincount(groups, weights=weights)
            others = np.maximum(other + weights.sum() - own, 0.0)  # rounding may leave less
            most = share / (1.0 - share) * others
            is_over = own > most * (1.0 + _TOLERANCE)
            is_over[_NONE] = False
            if is_over.any():
                factors = np.ones(len(own))
                factors[is_over] = most[is_over] / own[is_over]
                weights = weights * factors[groups]
                is_settled = False
        if is_settled:
            break
    return weights


def keep_within(
    labels: Sequence[str],
    people: Sequence[str],
    devices: Sequence[str],
    *,
    others: Mapping[str, float],
) -> list[int]:
    """Return which labels to learn from where they cannot be weighed: in order, the newest stay.

    Args:
        labels: the class that each gives, the newest last.
        people: who gave it.
        devices: about which device.
        others: by class, how many other cases there are.

    """
    kept = list(range(len(labels)))
    while True:  # what goes makes the class smaller, and so the shares of what stays larger
        chosen = _choose(
            [labels[row] for row in kept],
            _list_bounds([people[row] for row in kept], [devices[row] for row in kept]),
            others,
        )
        if len(chosen) == len(kept):
            return kept
        kept = [kept[row] for row in chosen]


def _choose(
    labels: Sequence[str], bounds: Sequence[_Bound], others: Mapping[str, float]
) -> list[int]:
    """Return the newest labels for which each group has room in a class that keeps the bounds.

    These are all, where no group has more than its share; else fewer.
    """
    weights = _weigh(labels, bounds, 1.0, others)
    totals = {name: float(others.get(name, 0.0)) for name in labels}
    for name, weight in zip(labels, weights.tolist(), strict=True):
        totals[name] += weight
    room: dict[tuple[str, int, int], float] = {}
    chosen = []
    for row in reversed(range(len(labels))):
        name = labels[row]
        keys = [
            (name, number, int(groups[row]))
            for number, (groups, _) in enumerate(bounds)
            if groups[row] != _NONE
        ]
        for key in keys:
            room.setdefault(key, bounds[key[1]][1] * totals[name])
        if all(room[key] >= 1.0 - _TOLERANCE for key in keys):
            chosen.append(row)
            for key in keys:
                room[key] -= 1.0
    return chosen[::-1]


def count_people(people: Iterable[str]) -> int:
    """Return how many persons these are, each under however many spellings."""
    return len({normalise_person(one) for one in people} - {""})

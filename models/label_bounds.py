# SPDX-License-Identifier: Apache-2.0
"""How much labels by people count: a weight for each, bounded by person and by device.

Whoever labels alone, by mistake or in bad faith, must not take a class over; nor must one device
that fails the same way every day. So in each class one person's labels have at most half of all
weight, what is simulated or written by us included, and one device's a tenth. Pure.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.signals import FloatArray

IntArray = npt.NDArray[np.int64]
PERSON_SHARE = 0.5  # of the weight of a class
DEVICE_SHARE = 0.1
_ROUNDS = 200
_TOLERANCE = 1e-6


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
        people: who gave it; empty: no person's word, such as what telemetry has proved.
        devices: about which device; empty: about none that is known.
        weight: of a label that no bound touches.
        others: by class, the weight of what is learned from beside the labels.

    """
    weights = np.full(len(labels), float(weight))
    classes = np.array(labels, dtype=str)
    witnesses = (
        (np.array(people, dtype=str), PERSON_SHARE),
        (np.array(devices, dtype=str), DEVICE_SHARE),
    )
    for name in np.unique(classes):
        rows = np.flatnonzero(classes == name)
        groups = [
            (rows[names[rows] == one], share)
            for names, share in witnesses
            for one in np.unique(names[rows])
            if one
        ]
        _bound(weights, rows, groups, float(others.get(str(name), 0.0)))
    return weights


def _bound(
    weights: FloatArray,
    rows: IntArray,
    groups: Sequence[tuple[IntArray, float]],
    other: float,
) -> None:
    """Scale groups down, in place, until each has at most its share of a class's weight.

    Each step lowers the whole, so that the steps converge from above to the greatest weights that
    keep every bound.
    """
    for _ in range(_ROUNDS):
        is_settled = True
        for group, share in groups:
            own = float(weights[group].sum())
            rest = other + float(weights[rows].sum()) - own
            most = share / (1.0 - share) * rest
            if own > most * (1.0 + _TOLERANCE):
                weights[group] *= most / own
                is_settled = False
        if is_settled:
            return


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
    weights = weigh_labels(labels, people, devices, weight=1.0, others=others)
    room: dict[tuple[str, str, str], float] = {}
    totals = {name: float(others.get(name, 0.0)) for name in labels}
    for name, person, weight in zip(labels, people, weights.tolist(), strict=True):
        totals[name] += weight
        room[name, "person", person] = room.get((name, "person", person), 0.0) + weight
    kept = []
    for row in reversed(range(len(labels))):
        by_person = (labels[row], "person", people[row])
        of_device = (labels[row], "device", devices[row])
        bounds = [key for key in (by_person, of_device) if key[2]]
        for key in bounds:
            room.setdefault(key, DEVICE_SHARE * totals[labels[row]])
        if all(room[key] >= 1.0 - _TOLERANCE for key in bounds):
            kept.append(row)
            for key in bounds:
                room[key] -= 1.0
    return kept[::-1]

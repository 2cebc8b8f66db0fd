# SPDX-License-Identifier: Apache-2.0
"""Trains the device health classifier on simulated devices, and on real ones that people labelled.

Three sets of devices that never meet: some to fit on, some to calibrate and to choose thresholds
on, and some that no version ever learns from, whatever its seed, to judge all versions by. As one
number of calibration and the thresholds come from the same devices, a threshold that is "proved" is
so for the calibrated probabilities as given; what is reached is told by the judged devices. What
labelled devices add is `health_labels`' matter.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.abstention import (
    CONFIDENCE_LEVEL,
    Abstention,
    attach_abstention,
    bound_accuracy,
    choose_abstention,
    measure_abstention,
)
from models.calibration import find_sharpness, sharpen
from models.evaluation import evaluate_classifier
from models.features import FEATURE_NAMES
from models.fit import CardText, Fit, HeldBack, digest_data
from models.health import INVERSE_REGULARISATION, sharpen_health_model
from models.health_labels import (
    LABEL_WEIGHT,
    LabelledSet,
    divide_windows,
    fit_on_both,
    gather_calibration,
    group_device,
)
from models.label_bounds import DEVICE_SHARE, PEOPLE_SHARE, PERSON_SHARE, count_people
from models.labelled_windows import LabelledWindow
from models.signals import FloatArray
from models.simulated_training import HEALTHY, ODD, SimulatedWindows, simulate_windows

N_FIT_WINDOWS = 2  # of each device; the other sets take one, so that their cases are independent
JUDGING_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCounts:
    """How many devices of each pattern; versions of unequal `judge` have no cases in common."""

    fit: int = 60
    calibrate: int = 160
    judge: int = 100


PRODUCT = DeviceCounts()


def train_health(
    seed: int,
    progress: Callable[[str], None],
    devices: DeviceCounts = PRODUCT,
    windows: Sequence[LabelledWindow] = (),
) -> Fit:
    """Simulate devices; fit, calibrate, choose thresholds and judge on different ones.

    Args:
        seed: makes training repeatable.
        progress: told what is being done, in words.
        devices: how many are simulated.
        windows: of real devices, with the class that people gave.

    """
    progress("health: simulating devices")
    known = simulate_windows(
        "fit", seed=seed, n_devices_per_pattern=devices.fit, n_windows=N_FIT_WINDOWS
    )
    others = simulate_windows("calibrate", seed=seed, n_devices_per_pattern=devices.calibrate)
    real, real_judged = divide_windows(windows)
    progress(f"health: fitting {len(known.labels)} windows and {len(real.labels)} labelled ones")
    model = fit_on_both(known, real, seed=seed)
    found = gather_calibration(model, known, real, others=others, seed=seed)
    sharpness = find_sharpness(found.probabilities, np.searchsorted(model.classes_, found.labels))
    sharpen_health_model(model, sharpness)
    progress(f"health: choosing thresholds on {len(found.labels)} windows of other devices")
    classes = [str(name) for name in model.classes_]
    abstention = choose_abstention(classes, sharpen(found.probabilities, sharpness), found.labels)
    progress("health: judging on devices that no version learns from")
    judged = simulate_windows("judge", seed=JUDGING_SEED, n_devices_per_pattern=devices.judge)
    real_judged = real_judged.bound(judged.labels)
    return Fit(
        model=attach_abstention(model, abstention),
        metrics=_measure(abstention, classes, model.predict_proba(judged.features), judged)
        | _measure_real(abstention, model, real_judged),
        params={
            **_describe(known, others, sharpness, abstention),
            **_count(real, real_judged),
        },
        digest_of_data=_digest(known, others, real),
        held_back=_hold_back(judged, real_judged),
        card=_write_card(devices, real, real_judged),
    )


def _digest(known: SimulatedWindows, others: SimulatedWindows, real: LabelledSet) -> str:
    return digest_data(
        np.concatenate([known.features, others.features, real.features]),
        known.labels + others.labels + real.labels + real.list_voices() + real.devices,
    )


def _hold_back(judged: SimulatedWindows, real: LabelledSet) -> HeldBack:
    simulated = [f"health:{device}" for device in judged.devices]
    return HeldBack(
        inputs=np.concatenate([judged.features, real.features]),
        labels=np.array([*judged.labels, *real.labels]),
        case_ids=[*simulated, *(f"health:{incident}" for incident in real.incidents)],
        groups=[*simulated, *map(group_device, real.devices)] if real.labels else None,
    )


def _count(real: LabelledSet, judged: LabelledSet) -> Mapping[str, Any]:
    """Return how many labels by people went in, and how many are held back."""
    return {
        "n_labels": len(real.labels),
        "n_labels_held_back": len(judged.labels),
        "n_labelled_devices": len(set(real.devices)),
        "n_people": count_people(real.people),
        "n_proved_labels": sum(real.is_proved),
        "label_weight": LABEL_WEIGHT,
    }


def _measure_real(abstention: Abstention, model: Any, real: LabelledSet) -> dict[str, float]:
    """Return the figures on labelled devices that no version learns from; none without any."""
    if not real.labels:
        return {}
    classes = [str(name) for name in model.classes_]
    probabilities = model.predict_proba(real.features)
    correct = np.array(classes)[probabilities.argmax(axis=1)] == np.array(real.labels)
    answered = abstention.answers(classes, probabilities)
    figures = {
        "labelled/accuracy": float(correct.mean()),
        "labelled/coverage": float(answered.mean()),
    }
    if answered.any():
        figures["labelled/answered_accuracy"] = float(correct[answered].mean())
    return figures


def _describe(
    known: SimulatedWindows, others: SimulatedWindows, sharpness: float, abstention: Abstention
) -> Mapping[str, Any]:
    return {
        "n_windows": len(known.labels),
        "n_calibration_windows": len(others.labels),
        "n_features": len(FEATURE_NAMES),
        "C": INVERSE_REGULARISATION,
        "sharpness": sharpness,
        "n_proved_classes": sum(abstention.proved.values()),
    }


def _measure(
    abstention: Abstention,
    classes: list[str],
    probabilities: FloatArray,
    judged: SimulatedWindows,
) -> dict[str, float]:
    """Return the figures on judged devices: overall, by class, by pattern, of wrong alarms.

    `accuracy_bound/C` is the lower bound of the accuracy of answers C (Clopper and Pearson);
    `answered/P` is the share of the windows of a pattern that get an answer.
    """
    truth, patterns = np.array(judged.labels), np.array(judged.patterns)
    answered = abstention.answers(classes, probabilities)
    predicted = np.array(classes)[probabilities.argmax(axis=1)]
    figures = evaluate_classifier(classes, probabilities, judged.labels)
    figures |= measure_abstention(abstention, classes, probabilities, judged.labels)
    for name in classes:
        of_class = answered & (predicted == name)
        if of_class.any():
            n_correct = np.array([float((truth[of_class] == name).sum())])
            n_answers = np.array([float(of_class.sum())])
            bound = bound_accuracy(n_correct, n_answers, 1.0 - CONFIDENCE_LEVEL)
            figures[f"accuracy_bound/{name}"] = float(bound[0])
    for pattern in np.unique(patterns):
        figures[f"answered/{pattern}"] = float(answered[patterns == pattern].mean())
    figures["false_alarms_healthy"] = figures[f"answered/{HEALTHY}"]
    figures["false_alarms_odd"] = figures[f"answered/{ODD}"]
    figures["answered_subtle"] = float(answered[judged.is_subtle].mean())
    return figures


def _write_card(devices: DeviceCounts, real: LabelledSet, judged: LabelledSet) -> CardText:
    return CardText(
        purpose=(
            "Names the failure pattern in the latest reports of one device, for incidents that the"
            " detector opens; it abstains where its confidence is below the threshold of the class."
        ),
        training_data=(
            "Simulated devices (docs/simulator.md), reporting every minute or every five:"
            f" {devices.fit} of each pattern to fit on, {devices.calibrate} others to calibrate and"
            f" to choose thresholds on, {devices.judge} that no version learns from to judge by. "
            + _describe_labels(real, judged)
        ),
        limits=(
            "It has seen no real device: its figures hold for the simulator's idea of a fleet."
            if not real.labels
            else "Its figures hold for the simulator's idea of a fleet, but for those of labelled"
            " devices.",
            "Faults of mail, chat, browser and other applications are one class to it.",
            (
                "A fault inside ordinary limits is seldom named, and only while the window still"
                " holds the device's healthy past; else it ends in an abstention."
            ),
            "One fault at a time: of two at once it names the more probable one, or none.",
        ),
    )


def _describe_labels(real: LabelledSet, judged: LabelledSet) -> str:
    """Say how many labels by people went in, and what bounds them."""
    if not real.labels and not judged.labels:
        return "No incident that a person labelled went in."
    counts = ", ".join(f"{name} {n}" for name, n in sorted(Counter(real.labels).items()))
    return (
        f"{len(real.labels)} windows of {len(set(real.devices))} real devices, labelled by"
        f" {count_people(real.people)} people ({counts or 'none'}), each counting as"
        f" {LABEL_WEIGHT:g} simulated ones; {sum(real.is_proved)} are proved by a verified fix. Of"
        f" a class one person's other labels have at most {PERSON_SHARE:.0%} of the weight, those"
        f" of all people {PEOPLE_SHARE:.0%}, and one device's {DEVICE_SHARE:.0%}."
        f" {len(judged.labels)} windows of {len(set(judged.devices))} other real devices are kept"
        " from every version, to judge by."
    )

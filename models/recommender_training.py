# SPDX-License-Identifier: Apache-2.0
"""Trains the recommender from a stated prior experience plus the real outcomes handed in.

The prior is worth `PRIOR_CASES` cases, however many are drawn to state it. Of the real ones the
latest quarter is held back, always: no version learns from what a later one is judged on, and what
is held back now is learnt by later versions, and meanwhile online. Where the held-back ones are
too few to judge by, versions are judged on simulated cases that none was trained on.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from models.calibration import expected_calibration_error
from models.experience import OutcomeExample, split_in_time
from models.figures import plot_reliability
from models.fit import CardText, Fit, HeldBack, digest_data
from models.past_lessons import PastLesson
from models.recommender import (
    COLUMN_NAMES,
    HELPFUL,
    N_COLUMNS,
    SIGNAL_NAMES,
    Event,
    Recommender,
    event_columns,
    signal_matrix,
)
from models.recommender_judgement import JudgeInUse, name_kin
from models.rival import Judge, judge_file
from models.signals import FloatArray
from models.simulated_outcomes import SimulatedOutcomes, simulate_outcomes

N_SIMULATED, N_HELD_BACK, N_JUDGED = 5_000, 3_000, 10_000
PRIOR_CASES = 100.0  # of each event: so many real cases weigh as much as the prior
HELD_BACK_SHARE = 0.25
MIN_HELD_BACK = 50  # of real cases of each event
LEAST_WITNESS_CASES = 50.0
INVERSE_REGULARISATION = 100.0
NO, YES = "no", "yes"  # the classes: the event did not come about, or did
_Judged = tuple[dict[str, float], dict[str, Any]]  # figures, and the plot of what is compared
CARD = CardText(
    purpose=(
        "Ranks scripts for an incident by the calibrated probability that a person approves and"
        " that the fix then holds. Below the confidence threshold nothing is proposed."
    ),
    training_data=(
        "Simulated cases of a stated prior experience, worth 100 cases of each event, and all real"
        " decisions and verified outcomes but the latest quarter, which is held back. No person and"
        " no device counts more than all others together, beyond the first fifty cases."
    ),
    limits=(
        "It ranks what the catalogue offers for the failure class; it does not judge safety.",
        "Before there are real outcomes its figures are those of the prior experience.",
    ),
)


def train_recommender(
    seed: int, outcomes: Sequence[OutcomeExample], progress: Callable[[str], None]
) -> Fit:
    """Fit on prior and real outcomes, oldest first; evaluate on later ones."""
    earlier, later = split_in_time(outcomes, HELD_BACK_SHARE)
    progress(f"recommender: prior experience and {len(earlier)} of {len(outcomes)} real outcomes")
    prior = simulate_outcomes(seed=(1, seed), n_outcomes=N_SIMULATED)
    columns, happened, weights = _stack(prior, earlier)
    model, left_out = _fit(columns, happened, weights)
    recommender = Recommender(model)
    if _are_enough(later):
        held_back, (figures, reliability) = _hold_real(later), _judge_real(recommender, later)
    else:
        held_back = _hold_simulated(simulate_outcomes(seed=(2, 0), n_outcomes=N_HELD_BACK))
        simulated = simulate_outcomes(seed=(3, 0), n_outcomes=N_JUDGED)
        figures, reliability = _judge_simulated(recommender, simulated)
    return Fit(
        model=model,
        metrics={**figures, **_count(outcomes, later)},
        params={
            "n_simulated": N_SIMULATED,
            "n_real": len(earlier),
            "prior_cases": PRIOR_CASES,
            "signals": ",".join(SIGNAL_NAMES),
            "left_out": ",".join(left_out),
            "C": INVERSE_REGULARISATION,
        },
        digest_of_data=digest_data(
            columns, [f"{one:g} {w:g}" for one, w in zip(happened, weights, strict=True)]
        ),
        held_back=held_back,
        card=CARD,
        plots={"reliability": reliability},
    )


def choose_judge(outcomes: Sequence[OutcomeExample], lessons: Sequence[PastLesson]) -> Judge:
    """Return how versions are judged on what `train_recommender` holds back of these outcomes."""
    _, later = split_in_time(outcomes, HELD_BACK_SHARE)
    return JudgeInUse(later, lessons) if _are_enough(later) else judge_file


def _stack(
    prior: SimulatedOutcomes, real: Sequence[OutcomeExample]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the columns, the endings in {0, 1} and the weights of all training cases."""
    columns, happened, weights = [], [], []
    for event in Event:
        stated = event_columns(prior.signals, event)
        for ending, probable in zip((1.0, 0.0), prior.expect(event), strict=True):
            columns.append(stated)
            happened.append(np.full(len(stated), ending))
            weights.append(probable * PRIOR_CASES / np.sum(prior.expect(event)))
        cases = [one for one in real if one.event is event]
        if cases:
            columns.append(event_columns(signal_matrix([one.signals for one in cases]), event))
            happened.append(np.array([float(one.happened) for one in cases]))
            weights.append(weigh_witnesses([one.witness for one in cases]))
    return np.vstack(columns), np.concatenate(happened), np.concatenate(weights)


def weigh_witnesses(witnesses: Sequence[str]) -> FloatArray:
    """Return each case's weight, at most one, shape (n_cases,).

    All cases of one witness weigh as much as those of all others, or fifty, at most.
    """
    n_cases = Counter(witnesses)
    shares = {
        name: min(1.0, max(LEAST_WITNESS_CASES, float(len(witnesses) - count)) / count)
        for name, count in n_cases.items()
    }
    return np.array([shares[name] for name in witnesses])


def _fit(
    columns: FloatArray, happened: FloatArray, weights: FloatArray
) -> tuple[LogisticRegression, list[str]]:
    """Fit coefficients of which none is negative; return the names of what had to be left out.

    Every column helps, by what it means. One that experience speaks against, as it may by chance,
    is left out, the worst first, so that no drawback ever raises a script's rank.
    """
    model = LogisticRegression(
        C=INVERSE_REGULARISATION, fit_intercept=False, solver="newton-cholesky", warm_start=True
    )
    endings = np.where(happened > 0, YES, NO)
    kept = np.ones(N_COLUMNS)
    while True:
        model.fit(columns * kept, endings, sample_weight=weights)
        coefficients = np.where(HELPFUL, model.coef_[0], 0.0)
        if coefficients.min() >= 0.0:
            return model, [COLUMN_NAMES[at] for at in np.flatnonzero(kept == 0.0)]
        kept[coefficients.argmin()] = 0.0


def _are_enough(later: Sequence[OutcomeExample]) -> bool:
    n_cases = Counter(one.event for one in later)
    both = {(one.event, one.happened) for one in later}
    return min(n_cases[event] for event in Event) >= MIN_HELD_BACK and len(both) == 2 * len(Event)


def _hold_simulated(cases: SimulatedOutcomes) -> HeldBack:
    columns, happened, names, groups = [], [], [], []
    numbers = {Event.APPROVED: np.arange(len(cases.signals))}
    numbers[Event.WORKS] = np.flatnonzero(cases.approved == 1)
    for event in Event:
        signals, endings = cases.observe(event)
        columns.append(event_columns(signals, event))
        happened.append(endings)
        names += [f"simulated:{event.value}:{number}" for number in range(len(endings))]
        groups += [f"simulated:{number}" for number in numbers[event]]
    return HeldBack(
        inputs=np.vstack(columns),
        labels=_name_endings(np.concatenate(happened)),
        case_ids=names,
        groups=groups,
    )


def _hold_real(cases: Sequence[OutcomeExample]) -> HeldBack:
    columns = [event_columns(signal_matrix([one.signals]), one.event) for one in cases]
    return HeldBack(
        inputs=np.vstack(columns),
        labels=_name_endings(np.array([float(one.happened) for one in cases])),
        case_ids=[f"{one.proposal_id}:{one.event.value}" for one in cases],
        groups=name_kin(cases),
    )


def _name_endings(happened: FloatArray) -> npt.NDArray[np.str_]:
    return np.where(happened > 0, YES, NO)


def _judge_simulated(recommender: Recommender, cases: SimulatedOutcomes) -> _Judged:
    figures = {"judged_on_real": 0.0}
    for event in Event:
        signals, endings = cases.observe(event)
        figures |= _describe(recommender.predict(signals, event), endings, f"_{event.value}")
    joint = _predict_joint(recommender, cases.signals)
    both = cases.approved * cases.worked
    return figures | _describe(joint, both, ""), plot_reliability(joint, both)


def _judge_real(recommender: Recommender, cases: Sequence[OutcomeExample]) -> _Judged:
    """Return figures; of both events together where a case shows whether both came about."""
    figures = {"judged_on_real": 1.0}
    for event in Event:
        chosen = [one for one in cases if one.event is event]
        signals = signal_matrix([one.signals for one in chosen])
        endings = np.array([float(one.happened) for one in chosen])
        figures |= _describe(recommender.predict(signals, event), endings, f"_{event.value}")
    settled = [one for one in cases if one.event is Event.WORKS or not one.happened]
    joint = _predict_joint(recommender, signal_matrix([one.signals for one in settled]))
    endings = np.array([float(one.event is Event.WORKS and one.happened) for one in settled])
    return figures | _describe(joint, endings, ""), plot_reliability(joint, endings)


def _predict_joint(recommender: Recommender, signals: FloatArray) -> FloatArray:
    joint: FloatArray = np.prod([recommender.predict(signals, event) for event in Event], axis=0)
    return joint


def _describe(probabilities: FloatArray, happened: FloatArray, ending: str) -> dict[str, float]:
    return {
        f"auc{ending}": float(roc_auc_score(happened, probabilities)),
        f"log_loss{ending}": float(log_loss(happened, probabilities)),
        f"calibration_error{ending}": expected_calibration_error(probabilities, happened),
    }


def _count(outcomes: Sequence[OutcomeExample], later: Sequence[OutcomeExample]) -> dict[str, Any]:
    decisions = [one for one in outcomes if one.event is Event.APPROVED]
    judged = [one for one in outcomes if one.event is Event.WORKS]
    return {
        "n_real_decisions": float(len(decisions)),
        "n_real_approvals": float(sum(one.happened for one in decisions)),
        "n_real_outcomes": float(len(judged)),
        "n_real_successes": float(sum(one.happened for one in judged)),
        "n_real_held_back": float(len(later)),
    }

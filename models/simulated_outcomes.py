# SPDX-License-Identifier: Apache-2.0
"""Prior experience of the recommender: cases as we believe them before there is evidence.

A story of causes, not the recommender's own formula. A diagnosis is right more often the surer it
is. A script that serves the true failure, and whose preconditions hold, works as often as its
quality says; another one seldom. An approver sees most of this, and is wary of risk. Only what was
approved has an outcome. What past cases show are draws of the same quality and acceptability.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from models.recommender import MAX_EXPERIENCE, SIGNAL_NAMES, Event
from models.signals import FloatArray
from models.track_record import APPROVAL_PRIOR, OTHER_COHORT, OTHER_VERSION, SUCCESS_PRIOR, Belief

BoolArray = npt.NDArray[np.bool_]
SERVING_SHARE = 0.75  # of the scripts that come into question, those made for the failure class
UNFIT_SUCCESS = 0.08  # of a script that serves another failure
BLIND_SUCCESS = 0.2  # of a fitting script whose preconditions do not hold
PAST_SHARE = 0.9  # what a script reaches in all its past cases, of what it can reach
MEAN_OF_CLASS = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedOutcomes:
    """Cases in which one script was proposed; signals of shape (n_cases, n_signals)."""

    signals: FloatArray
    approval: FloatArray  # the true probabilities, shape (n_cases,)
    success: FloatArray  # if approved
    approved: FloatArray  # drawn from them, 0 or 1
    worked: FloatArray  # 0 or 1; known of the approved ones only

    def observe(self, event: Event) -> tuple[FloatArray, FloatArray]:
        """Return the signals and endings of the cases in which an event could be observed."""
        if event is Event.APPROVED:
            return self.signals, self.approved
        known = self.approved == 1
        return self.signals[known], self.worked[known]

    def expect(self, event: Event) -> tuple[FloatArray, FloatArray]:
        """Return, of all cases, how probable it is that an event came about, and that it did not.

        A belief that is stated without the noise of drawn endings.
        """
        if event is Event.APPROVED:
            return self.approval, 1.0 - self.approval
        return self.approval * self.success, self.approval * (1.0 - self.success)


def simulate_outcomes(*, seed: int | tuple[int, ...], n_outcomes: int) -> SimulatedOutcomes:
    """Draw cases in which one script was proposed."""
    random = np.random.default_rng(seed)
    ease = random.normal(0.0, 0.5, n_outcomes)  # how easily this failure class is fixed
    quality = expit(logit(random.beta(8, 1.5, n_outcomes)) + ease)
    acceptability = expit(logit(random.beta(8, 1.5, n_outcomes)) + 0.5 * ease)
    safety = random.beta(6, 3.5, n_outcomes)
    confidence = random.uniform(0.3, 1.0, n_outcomes)
    match = random.random(n_outcomes) < SERVING_SHARE
    # What comes to a proposal was supported by rules and passages: it is right more often.
    fits = random.random(n_outcomes) < np.where(match, 0.35 + 0.65 * confidence, 0.12)
    met = random.random(n_outcomes) < np.where(fits, 0.9, 0.4)
    past_quality, past_acceptance = PAST_SHARE * quality, PAST_SHARE * acceptability
    columns = {
        **_draw_retrieval(random, fits),
        "class_match": match,
        "class_match_weighted": match * confidence,
        "preconditions": met,
        **_draw_history(random, past_quality, past_acceptance),
        "class_success_rate": _draw_class(random, SUCCESS_PRIOR, ease),
        "class_approval_rate": _draw_class(random, APPROVAL_PRIOR, 0.5 * ease),
        "safety": safety,
    }
    # An approver who sees that class and preconditions fit is seldom wrong.
    seen = np.where(fits & met, 0.97, np.where(match & met, 0.55, 0.2))
    approval = acceptability * seen * (1.0 - 0.3 * (1.0 - safety) ** 2)
    success = np.where(fits, np.where(met, quality, BLIND_SUCCESS), UNFIT_SUCCESS)
    approved = (random.random(n_outcomes) < approval).astype(np.float64)
    return SimulatedOutcomes(
        signals=np.column_stack([columns[name] for name in SIGNAL_NAMES]).astype(np.float64),
        approval=approval,
        success=success,
        approved=approved,
        worked=approved * (random.random(n_outcomes) < success),
    )


def _draw_retrieval(random: np.random.Generator, fits: BoolArray) -> dict[str, FloatArray]:
    """Draw how near and how many passages are that name the script; none names some of them."""
    n_cases = len(fits)
    named = random.random(n_cases) < np.where(fits, 0.85, 0.55)
    cosine = np.clip(random.normal(np.where(fits, 0.6, 0.48), 0.13), 0.05, 0.95)
    share = np.where(fits, random.beta(2.5, 3, n_cases), random.beta(1.5, 5, n_cases))
    return {"retrieval": cosine * named, "retrieval_support": share * named}


def _draw_history(
    random: np.random.Generator, success: FloatArray, approval: FloatArray
) -> dict[str, FloatArray]:
    """Draw what scripts did before: half of them little or nothing, some in other versions."""
    n_cases = len(success)
    nearness = np.where(random.random(n_cases) < 0.7, 1.0, OTHER_VERSION)
    nearness *= np.where(random.random(n_cases) < 0.5, 1.0, OTHER_COHORT)
    many = random.random(n_cases) < 0.5
    n_tried = np.where(many, random.geometric(0.1, n_cases), random.integers(0, 3, n_cases))
    n_decided = n_tried + random.integers(0, 4, n_cases)
    n_weighed = np.minimum(nearness * n_tried, MAX_EXPERIENCE)
    return {
        "success_rate": _draw_rate(random, SUCCESS_PRIOR, success, n_tried, nearness),
        "approval_rate": _draw_rate(random, APPROVAL_PRIOR, approval, n_decided, nearness),
        "experience": np.log1p(n_weighed) / np.log1p(MAX_EXPERIENCE),
    }


def _draw_class(random: np.random.Generator, prior: Belief, ease: FloatArray) -> FloatArray:
    """Draw what all scripts of the failure class did before."""
    known = random.random(len(ease)) < 0.6
    n_past = np.where(known, random.integers(0, 40, len(ease)), 0)
    rate = expit(logit(MEAN_OF_CLASS) + ease)
    return _draw_rate(random, prior, rate, n_past, np.ones(len(ease)))


def _draw_rate(
    random: np.random.Generator,
    prior: Belief,
    rate: FloatArray,
    n_past: npt.NDArray[np.int64],
    nearness: FloatArray,
) -> FloatArray:
    """Return posterior means, shape (n_cases,), after past cases at a true rate."""
    n_good = random.binomial(n_past, rate)
    means: FloatArray = (prior.good + nearness * n_good) / (prior.n_cases + nearness * n_past)
    return means

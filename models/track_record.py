# SPDX-License-Identifier: Apache-2.0
"""What past cases say of a script here and now: Beta posteriors, and how far to trust each case.

Cases of another version, failure class or cohort count for less: a power prior (Ibrahim and Chen,
"Power prior distributions for regression models", 2000), in which a case counts once, with the
weight of its nearness. So one success is no certainty, and a new version is not a stranger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from models.signals import FloatArray

OTHER_VERSION = 0.3
OTHER_CLASS = 0.5
OTHER_COHORT = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Endings of cases that are equally near; what one witness says is bounded by the counter."""

    same_version: bool
    same_class: bool
    same_cohort: bool
    n_good: float
    n_bad: float

    @property
    def weight(self) -> float:
        """Return what one such case counts, in (0, 1]."""
        return (
            (1.0 if self.same_version else OTHER_VERSION)
            * (1.0 if self.same_class else OTHER_CLASS)
            * (1.0 if self.same_cohort else OTHER_COHORT)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """A Beta distribution of a rate: `good` and `bad` are its parameters, both above zero."""

    good: float
    bad: float

    @property
    def mean(self) -> float:
        """Return the expected rate."""
        return self.good / (self.good + self.bad)

    @property
    def n_cases(self) -> float:
        """Return how many cases it rests on, the prior's own included."""
        return self.good + self.bad

    def update(self, tallies: Iterable[Tally]) -> "Belief":
        """Return the posterior after weighed cases."""
        good, bad = self.good, self.bad
        for tally in tallies:
            good += tally.weight * max(tally.n_good, 0.0)
            bad += tally.weight * max(tally.n_bad, 0.0)
        return Belief(good=good, bad=bad)


SUCCESS_PRIOR = Belief(good=4.0, bad=1.0)  # a reviewed starter script usually works
APPROVAL_PRIOR = Belief(good=3.0, bad=1.0)


def find_quantiles(beliefs: Iterable[Belief], levels: Any) -> FloatArray:
    """Return the rate below which a belief's share of `levels` lies, shape (n_beliefs,).

    `levels` is one share in (0, 1), or one for each belief.
    """
    parameters = np.array([(belief.good, belief.bad) for belief in beliefs]).reshape(-1, 2)
    rates: FloatArray = betaincinv(parameters[:, 0], parameters[:, 1], levels)
    return rates

# SPDX-License-Identifier: Apache-2.0
"""What is told when a series or a feature has changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DriftKind(StrEnum):
    """What changed of it."""

    LEVEL = "level"  # of a series with days and weeks
    RATE = "rate"  # of values in [0, 1] that come irregularly
    DISTRIBUTION = "distribution"  # over the devices of a cohort


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAlarm:
    """A series or a feature has changed for good; moments by the clocks of who reported.

    `since` is the likeliest moment of the change, within [`since_earliest`, `since_latest`]
    with 95 %; of a distribution, the day that differs. `effect` is signed, in standard deviations
    of the series around its season; of a distribution the root of its PSI, which two unit normals
    of that distance have (it is Jeffreys' divergence).
    """

    cohort: str
    metric: str
    kind: DriftKind
    observed_at: datetime  # of the sample that gave it away
    since: datetime
    since_earliest: datetime
    since_latest: datetime
    level_before: float  # of a distribution: medians
    level_after: float
    effect: float
    n_samples: int  # from the change to the alarm; of a distribution, devices

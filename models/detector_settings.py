# SPDX-License-Identifier: Apache-2.0
"""What the fleet anomaly detector may be set to; the defaults suit a report a minute.

Memories of a device count its reports, memories of a cohort count time, because a cohort's reports
come as fast as it is large.
"""

from dataclasses import dataclass

STREAMS = ("point", "fast", "difference")
N_STREAMS = len(STREAMS)
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """Memories, bounds and shrinkage of a detector."""

    slow_reports: float = 10_080.0  # time constant of a device's level: a week of minutes
    scale_reports: float = 20_160.0  # of its spread
    fast_reports: float = 5.0  # of its fast mean
    medium_reports: float = 15.0  # of the mean that the fast one is compared with
    clip: float = 10.0  # deviations count up to so many scales, in scores and in what is learnt
    warm_up_reports: int = 60  # of a device whose cohort knows nothing; else its cohort's weight
    ridges: tuple[float, float, float] = (1.0, 0.003, 0.003)  # added to a stream's covariance
    season_half_life_seconds: float = 28 * DAY_SECONDS
    season_prior_reports: float = 30.0
    covariance_half_life_seconds: float = 14 * DAY_SECONDS
    pool_half_life_seconds: float = DAY_SECONDS
    learning_seconds: float = 14 * DAY_SECONDS  # of a cohort, in which all reports teach
    gate_p_value: float = 0.05  # then what was rarer for weeks teaches a cohort nothing,
    unusual_weight: float = 0.1  # and its device little of its spread
    limit_p_value: float = 1e-3  # what is rarer counts as being as rare as that
    peak_half_life_reports: float = 8_000.0
    least_peak: float = 1.0  # in scales: what is below is never new
    least_liveliness: float = 0.2  # the same for the mean size of deviations
    least_devices: int = 5  # of a cohort before it tells new ones what is ordinary

# SPDX-License-Identifier: Apache-2.0
"""A batch into the sums of its cohort that are kept by metric, in a compiled loop."""

from typing import NamedTuple

from models.baseline_update import Comparison
from models.compilation import compiled
from models.detector_settings import N_STREAMS
from models.device_baselines import Float32Array, RowArray
from models.signals import FloatArray


class CohortSums(NamedTuple):
    """Sums over reports; `CohortModel.sums` says what of."""

    season: FloatArray  # (n_slots, n_metrics)
    season_weight: FloatArray  # same shape
    level: FloatArray  # (2, n_metrics)
    level_weight: FloatArray  # (n_metrics,)
    spread: FloatArray  # (n_streams, n_metrics)


class ReportBounds(NamedTuple):
    """What counts in full; beyond, a device counts as if it were there."""

    lowest: Float32Array  # level, shape (n_metrics,)
    highest: Float32Array
    variance: Float32Array  # greatest, shape (n_streams, n_metrics)


@compiled
def add_reports(
    chosen: RowArray,
    slots: RowArray,
    season: Float32Array,
    found: Comparison,
    bounds: ReportBounds,
    sums: CohortSums,
) -> None:
    """Add reports to the sums.

    Args:
        chosen: which reports of the batch teach.
        slots: the hour of each report of the batch, shape (n,).
        season: what was taken off each value before it was compared, shape (n, n_metrics).
        found: what the batch came to.
        bounds: of what one device may say of its kind.
        sums: added to.

    """
    knowns, bounded, levels, variances = found.known, found.bounded, found.level, found.variance
    lowest, highest, greatest = bounds
    rhythm, rhythm_weight, level, level_weight, spread = sums
    for position in chosen:
        slot = slots[position]
        for metric in range(season.shape[1]):
            if not knowns[position, metric]:
                continue
            # one wild value must not become everyone's rhythm: winsorised
            rhythm[slot, metric] += bounded[0, position, metric] + season[position, metric]
            rhythm_weight[slot, metric] += 1.0
            mean = min(max(levels[position, metric], lowest[metric]), highest[metric])
            level[0, metric] += mean
            level[1, metric] += float(mean) * float(mean)
            level_weight[metric] += 1.0
            for stream in range(N_STREAMS):
                variance = variances[stream, position, metric]
                spread[stream, metric] += min(variance, greatest[stream, metric])

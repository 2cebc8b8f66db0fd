# SPDX-License-Identifier: Apache-2.0
"""The danger score: the worst that a script does that is not ordinary for administration.

Distinct effects (kind and technique) count once, by their suspicion, the largest fully, each next
one at a twentieth of the one before: `danger = s1 + s2 / 20 + s3 / 400 + ...`. One attack step in a
long, harmless script stands out, a long script of ordinary steps does not, and two steps that
belong together (a download and its execution) weigh more than one. Some pairs say more together
than apart and add a bonus. The score ranks scripts for people who review them; it allows nothing.
"""

from collections.abc import Iterable
from typing import Final

from guardrails.effects import Effect, EffectKind

_K = EffectKind
_DECAY: Final = 0.05
_MAX_DISTINCT: Final = 8
# Pairs of kinds that make each other less innocent, each with at least this suspicion.
_PAIR_LEAST: Final = 3.0
_PAIRS: Final = (
    (_K.HIDES_ACTIVITY, _K.DOWNLOADS, 1.0),
    (_K.HIDES_ACTIVITY, _K.RUNS_DOWNLOADED_CODE, 1.0),
    (_K.DISABLES_SECURITY, _K.DOWNLOADS, 0.5),
    (_K.READS_CREDENTIALS, _K.SENDS_DATA, 1.0),
    (_K.CAPTURES_DATA, _K.SENDS_DATA, 1.0),
    (_K.EXPLORES, _K.SENDS_DATA, 0.5),
    (_K.DISABLES_SECURITY, _K.ERASES_TRACES, 0.5),
)


def score_danger(effects: Iterable[Effect]) -> float:
    """Return the danger of effects together: 0 for none, about 10 for attack tools."""
    worst: dict[tuple[EffectKind, str | None], float] = {}
    for effect in effects:
        key = (effect.kind, effect.technique)
        worst[key] = max(worst.get(key, 0.0), effect.suspicion)
    ranked = sorted(worst.values(), reverse=True)[:_MAX_DISTINCT]
    score = sum(suspicion * _DECAY**rank for rank, suspicion in enumerate(ranked))
    kinds = {kind for (kind, _), suspicion in worst.items() if suspicion >= _PAIR_LEAST}
    bonus = max((extra for a, b, extra in _PAIRS if a in kinds and b in kinds), default=0.0)
    return round(score + bonus, 4)

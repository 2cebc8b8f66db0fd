# SPDX-License-Identifier: Apache-2.0
"""The champion that a challenger is judged beside, and both judgements on the same held-back cases.

Which version is the champion PostgreSQL says; MLflow's alias is asked only where no promotion was
recorded yet. A champion that cannot be judged is one all the same, and the gate is told why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import ModelArtifactError, ModelError, UnknownModelError
from models.fit import HeldBack
from models.judgement import Judgement, judge_classifier
from models.promotion import Promotion
from models.registry import CHAMPION, LoadedModel, ModelRegistry

Judge = Callable[[LoadedModel, HeldBack], Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """The champion that a challenger is judged beside; not loaded where its file is unusable."""

    version: str
    loaded: LoadedModel | None
    trouble: str = ""  # why it is not loaded


def judge_file(loaded: LoadedModel, held_back: HeldBack) -> Judgement:
    """Judge what a classifier's file answers."""
    return judge_classifier(loaded.model, held_back)


def find_rival(registry: ModelRegistry, name: str, in_use: Promotion | None) -> Rival | None:
    """Return the champion, None where there is none.

    MLflow's alias is asked only where no promotion says which version is in use.
    """
    try:
        if in_use is not None:
            loaded = registry.load_version(name, in_use.version, digest=in_use.digest)
        else:
            loaded = registry.load(name)
    except UnknownModelError as error:
        return None if in_use is None else _miss(in_use.version, error)
    except ModelArtifactError as error:
        return _miss(CHAMPION if in_use is None else in_use.version, error)
    return Rival(version=loaded.version, loaded=loaded)


def _miss(version: str, error: ModelError) -> Rival:
    return Rival(version=version, loaded=None, trouble=f"the champion cannot be judged: {error}")


def judge_both(
    challenger: LoadedModel, held_back: HeldBack | None, rival: Rival | None, judge: Judge
) -> tuple[dict[str, Judgement], str]:
    """Return the judgements by digest of the model, and why the champion has none, if so.

    There are none at all where no cases were held back.
    """
    if held_back is None or not len(held_back.labels):
        return {}, ""
    judgements = {challenger.digest: judge(challenger, held_back)}
    champion = None if rival is None else rival.loaded
    if rival is None or champion is None:
        return judgements, "" if rival is None else rival.trouble
    if champion.digest == challenger.digest:
        return judgements, ""
    if mismatch := explain_mismatch(champion.model, held_back.inputs):
        return judgements, f"the champion cannot be judged: {mismatch}"
    try:
        judgements[champion.digest] = judge(champion, held_back)
    except ModelArtifactError as error:
        return judgements, f"the champion cannot be judged: {error}"
    return judgements, ""


def explain_mismatch(model: Any, inputs: Any) -> str:
    """Tell why a model of another day cannot read these cases; empty where it can."""
    expected = getattr(model, "n_features_in_", None)
    if expected is None or not isinstance(inputs, np.ndarray) or inputs.shape[1] == expected:
        return ""
    return f"it takes {expected} features, and these cases have {inputs.shape[1]}"

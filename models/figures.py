# SPDX-License-Identifier: Apache-2.0
"""The plots of a trained classifier, as Vega-Lite data that is drawn as SVG on the server.

They show how honest its confidences are, what it mixes up, and what its surest answers reach.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.calibration import N_BINS
from models.signals import FloatArray

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_COLOUR = "#1f5fbf"
_N_POINTS = 200


def draw(specification: Mapping[str, Any]) -> str:
    """Return a Vega-Lite plot as SVG."""
    import vl_convert  # noqa: PLC0415 - slow import, and only trainings and pages need it

    return str(vl_convert.vegalite_to_svg(json.dumps(specification)))


def plot_reliability(confidences: FloatArray, correct: FloatArray) -> dict[str, Any]:
    """Return the reliability diagram: accuracy by confidence, in ten bins of equal width."""
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    values = [
        {
            "confidence": float(confidences[bins == one].mean()),
            "accuracy": float(correct[bins == one].mean()),
            "cases": int((bins == one).sum()),
        }
        for one in range(N_BINS)
        if np.any(bins == one)
    ]
    diagonal = [{"confidence": 0, "accuracy": 0}, {"confidence": 1, "accuracy": 1}]
    unit = {"domain": [0, 1]}
    axes = {
        "x": {"field": "confidence", "type": "quantitative", "scale": unit},
        "y": {"field": "accuracy", "type": "quantitative", "scale": unit},
    }
    return _plot(
        "Reliability: accuracy by confidence",
        [
            {
                "data": {"values": diagonal},
                "mark": {"type": "line", "strokeDash": [4, 4], "color": "#888"},
                "encoding": axes,
            },
            {
                "data": {"values": values},
                "mark": {"type": "line", "point": True, "color": _COLOUR},
                "encoding": axes,
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "color": _COLOUR},
                "encoding": axes | {"size": {"field": "cases", "type": "quantitative"}},
            },
        ],
    )


def plot_coverage(confidences: FloatArray, correct: FloatArray) -> dict[str, Any]:
    """Return accuracy among the most confident answers, by the share that is answered."""
    order = np.argsort(-confidences, kind="stable")
    reached = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    rows = np.unique(np.linspace(0, len(order) - 1, _N_POINTS).astype(int))
    values = [{"coverage": (row + 1) / len(order), "accuracy": float(reached[row])} for row in rows]
    layer = {
        "data": {"values": values},
        "mark": {"type": "line", "color": _COLOUR},
        "encoding": {
            "x": {"field": "coverage", "type": "quantitative", "scale": {"domain": [0, 1]}},
            "y": {"field": "accuracy", "type": "quantitative", "scale": {"zero": False}},
        },
    }
    return _plot("Coverage: accuracy when only the surest are answered", [layer])


def plot_confusion(
    truth: Sequence[str] | npt.NDArray[np.str_], predicted: Sequence[str] | npt.NDArray[np.str_]
) -> dict[str, Any]:
    """Return the confusion matrix: each row's shares of what its cases were taken for."""
    names = sorted({*map(str, truth), *map(str, predicted)})
    places = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    for true, taken in zip(truth, predicted, strict=True):
        counts[places[str(true)], places[str(taken)]] += 1
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = [
        {"truth": true, "predicted": taken, "share": float(counts[row, column] / totals[row, 0])}
        for row, true in enumerate(names)
        for column, taken in enumerate(names)
        if counts[row, column]
    ]
    layer = {
        "data": {"values": values},
        "mark": "rect",
        "encoding": {
            "x": {"field": "predicted", "type": "nominal"},
            "y": {"field": "truth", "type": "nominal"},
            "color": {
                "field": "share",
                "type": "quantitative",
                "scale": {"scheme": "blues", "domain": [0, 1]},
            },
        },
    }
    return _plot("Confusion: what the cases of each class are taken for", [layer], side=14)


def _plot(title: str, layers: list[dict[str, Any]], *, side: int | None = None) -> dict[str, Any]:
    size: dict[str, Any] = {"width": 420, "height": 300}
    if side is not None:
        size = {"width": {"step": side}, "height": {"step": side}}
    return {
        "$schema": _SCHEMA,
        "title": {"text": title, "anchor": "start", "fontSize": 12},
        **size,
        "layer": layers,
    }

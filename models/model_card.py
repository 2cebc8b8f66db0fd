# SPDX-License-Identifier: Apache-2.0
"""The model card of a version, in Markdown: what it is for, what it learned from, what it reached.

After Mitchell et al., "Model Cards for Model Reporting" (2019). Composed from what the training
states and from what was measured; a figure without an interval is said to have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from models.fit import CardText
from models.gate import N_RESAMPLES, Comparison
from models.judgement import Judgement, digest_cases
from models.signals import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card says beside the training's own text."""

    name: str
    digest: str  # of the model's file, SHA-256 (hex)
    digest_of_data: str
    metrics: Mapping[str, float]
    params: Mapping[str, Any]
    judgement: Judgement | None
    comparison: Comparison
    champion: str | None  # the version that it was compared with
    trained_by: str
    trained_at: datetime


def write_card(facts: CardFacts, text: CardText) -> str:
    """Return the card."""
    parts = [
        f"# Model card: {facts.name}",
        text.purpose or f"The model `{facts.name}` of EUCORA.",
        _about(facts),
        "## Training data",
        text.training_data or "The training states nothing beyond the digest.",
        f"SHA-256 of the training data: `{facts.digest_of_data}`",
        "## Figures of the training's own evaluation",
        _table(("figure", "value"), [(key, f"{value:.4f}") for key, value in _sorted(facts)]),
        "## On held-back cases",
        _held_back(facts),
        "## Limits",
        "\n".join(f"- {one}" for one in text.limits) or "- The training states none.",
        "## Parameters",
        _table(
            ("parameter", "value"),
            [(key, str(value)) for key, value in sorted(facts.params.items())],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def interval_of_mean(values: FloatArray, *, seed: int = 0) -> tuple[float, float, float]:
    """Return mean, and its bootstrap interval at 95 %; values of shape (n_cases,)."""
    rng = np.random.default_rng(seed)
    n_resamples = min(N_RESAMPLES, max(200, 4_000_000 // max(len(values), 1)))
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(n_resamples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def _sorted(facts: CardFacts) -> list[tuple[str, float]]:
    return sorted((key, float(value)) for key, value in facts.metrics.items())


def _about(facts: CardFacts) -> str:
    return _table(
        ("", ""),
        [
            ("File, SHA-256", f"`{facts.digest}`"),
            ("Trained at", facts.trained_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
            ("Trained by", facts.trained_by),
        ],
    )


def _held_back(facts: CardFacts) -> str:
    judgement = facts.judgement
    if judgement is None or not judgement.case_ids:
        return "No cases were held back: nothing is claimed beyond the training's own evaluation."
    rows = [_interval_row(judgement.measure, judgement.losses)]
    if judgement.log_losses is not None:
        rows.append(_interval_row("log-loss", judgement.log_losses))
    if judgement.correct is not None:
        rows.append(_interval_row("accuracy", judgement.correct))
    after = facts.comparison.after
    if after is not None and after.calibration_error is not None:
        rows.append(("calibration error (ECE)", f"{after.calibration_error:.4f}", "none"))
    if judgement.latency is not None:
        taken = judgement.latency
        rows.append(("latency, p50 / p95", f"{taken.p50_ms:.2f} / {taken.p95_ms:.2f} ms", "none"))
    beside = "no champion" if facts.champion is None else f"champion version {facts.champion}"
    verdict = facts.comparison.verdict
    reasons = [f"- {one.question}: {one.outcome}: {one.reason}" for one in verdict.findings]
    names = digest_cases(judgement.case_ids)
    return "\n\n".join(
        [
            f"{len(judgement.case_ids)} cases that no version learns from; their names: `{names}`",
            _table(("figure", "mean", "95 % interval"), rows),
            f"The gate, beside {beside}: **{verdict.outcome}**.",
            "\n".join(reasons),
        ]
    )


def _interval_row(name: str, values: FloatArray) -> tuple[str, str, str]:
    mean, low, high = interval_of_mean(values)
    return name, f"{mean:.4f}", f"{low:.4f} to {high:.4f}"


def _table(headings: tuple[str, ...], rows: list[Any]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

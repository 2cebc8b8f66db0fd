# SPDX-License-Identifier: Apache-2.0
"""Figures of models at the command line: a row a version, and two versions beside each other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from api.cli_ground import console, plain, print_table

if TYPE_CHECKING:
    from api.model_promotion import ComparedVersions
    from models.gate import Figures
    from models.registered_versions import ModelVersion

# Of trainings, with what they mean: on cases that no version has learnt from.
_TELLING = {
    "macro_f1": "macro-F1",
    "answered_share": "answered: share",
    "answered_accuracy": "answered: of these right",
    "auc": "AUC",
    "auc_approved": "AUC, approved",
    "auc_works": "AUC, works",
    "false_alarms_healthy": "false alarms, healthy",
}


def print_versions(found: "Sequence[ModelVersion]") -> None:
    """Print a short row for each version."""
    headings = ("model", "version", "alias", "trained", "score", "answers", "calib. error")
    rows = [
        (
            item.name,
            item.version,
            ", ".join(item.aliases),
            f"{item.created_at:%Y-%m-%d}",
            _say_score(item.metrics),
            _say_answers(item.metrics),
            _say(item.metrics, "calibration_error", "{:.3f}"),
        )
        for item in found
    ]
    print_table(headings, rows, whole=headings[:4])


def print_comparison(compared: "ComparedVersions", *, show_all: bool) -> None:
    """Print the gate's answer and its reasons, then the figures that it and people go by."""
    found = compared.comparison
    console.print(f"gate: {found.verdict.outcome.value}")
    for finding in found.verdict.findings:
        console.print(
            f"  {finding.outcome.value}: {finding.question}: {plain(finding.reason)}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"compared on {found.n_cases} held-back cases")
    _print_figures(compared, show_all=show_all)
    if not show_all:
        console.print("all figures of both trainings: --all")
    if compared.in_use is not None:
        console.print(
            f"in use: version {plain(compared.in_use.version)}; decide against it with --against"
            f" {compared.in_use.promotion_id}",
            soft_wrap=True,
        )


def _print_figures(compared: "ComparedVersions", *, show_all: bool) -> None:
    found, before, after = compared.comparison, compared.before, compared.after
    headings = ("figure", f"version {before.version}" if before else "no champion",
                f"version {after.version}")  # fmt: skip
    measured = {
        found.measure: "loss", "log-loss": "log_loss", "accuracy": "accuracy",
        "calibration error (ECE)": "calibration_error", "latency p50, ms": "p50_ms",
        "latency p95, ms": "p95_ms",
    }  # fmt: skip
    rows = [
        (label, _figure(found.before, attribute), _figure(found.after, attribute))
        for label, attribute in measured.items()
    ]
    old: Mapping[str, float] = before.metrics if before else {}
    every = {*after.metrics, *old}
    chosen = (
        {key: key for key in sorted(every)}
        if show_all
        else {key: label for key, label in _TELLING.items() if key in every}
    )
    rows += [
        (f"training: {label}", _trained(old, key), _trained(after.metrics, key))
        for key, label in chosen.items()
    ]
    print_table(headings, rows, whole=headings)


def _say_score(metrics: Mapping[str, float]) -> str:
    """Return macro-F1; the recommender, which orders, has an AUC instead."""
    return _say(metrics, "macro_f1", "macro-F1 {:.3f}") or _say(metrics, "auc", "AUC {:.3f}")


def _say_answers(metrics: Mapping[str, float]) -> str:
    if "answered_share" not in metrics:
        return ""
    right = _say(metrics, "answered_accuracy", ", {:.1%} right")
    return f"{metrics['answered_share']:.0%}{right}"


def _say(metrics: Mapping[str, float], key: str, form: str) -> str:
    return form.format(metrics[key]) if key in metrics else ""


def _figure(figures: "Figures | None", attribute: str) -> str:
    return _number(None if figures is None else getattr(figures, attribute))


def _trained(metrics: Mapping[str, float], key: str) -> str:
    """Return a figure of a training; what is counted is whole."""
    is_count = key.startswith("n_") or key.endswith("_cases")
    return f"{metrics[key]:.0f}" if is_count and key in metrics else _number(metrics.get(key))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

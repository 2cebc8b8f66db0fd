# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.tickets`: the product's ticket classifier beside plain ones.

It is fitted, calibrated, given its thresholds, stored and loaded as in `eucora train tickets`.
Every threshold is chosen out of fold on the texts of `--train`; those of `--test` are only counted
on. One configuration for all data.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.figures import store_json
from models.abstention import (
    CONFIDENCE_LEVEL,
    Abstention,
    attach_abstention,
    bound_accuracy,
    choose_abstention,
    find_threshold,
    measure_abstention,
)
from models.calibration import expected_calibration_error
from models.errors import TrainingDataError
from models.model_file import read_model, write_model
from models.signals import FloatArray
from models.tickets import MAX_CHARACTERS, N_FOLDS, fit_ticket_model, rate_classes

SEED = 0
TARGET_ACCURACY = 0.95
N_TIMED_TEXTS = 500
COLUMNS = ("text", "label")


class UnusableTextsError(Exception):
    """A file cannot be used; the message says why and what it should hold."""


def read_texts(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the labelled texts of Parquet files, one after another.

    Raises:
        UnusableTextsError: a file is not readable, lacks a column, a text or a label, or is empty.

    """
    return pd.concat([_read_file(path) for path in paths], ignore_index=True)


def _read_file(path: Path) -> pd.DataFrame:
    try:
        found = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UnusableTextsError(f"{path} is not a readable Parquet file: {error}") from error
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise UnusableTextsError(
            f"{path} has no column {' and no column '.join(missing)}; it needs text and label"
        )
    if found.empty:
        raise UnusableTextsError(f"{path} has no rows; it needs at least one text with its label")
    for name in COLUMNS:
        bad = [row for row, value in enumerate(found[name]) if not isinstance(value, str)]
        if bad:
            raise UnusableTextsError(
                f"{path}: {len(bad)} rows have no {name} as text, the first is row {bad[0]};"
                " fill or remove them"
            )
    return found[list(COLUMNS)]


def check_labels(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Refuse test labels that training never shows.

    Raises:
        UnusableTextsError: there are some.

    """
    unknown = sorted(set(test["label"]) - set(train["label"]))
    if unknown:
        raise UnusableTextsError(
            f"the test texts have labels that no training text has: {', '.join(unknown)}"
        )


def measure_answers(
    classes: Sequence[str], held_out: FloatArray, known: Sequence[str], probabilities: FloatArray,
    labels: Sequence[str],
) -> dict[str, float]:  # fmt: skip
    """Return the figures of one classifier on test texts; its threshold is from held-out ones."""
    names, truth = np.array(classes), np.array(labels)
    predicted, confidence = names[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    correct = predicted == truth
    threshold = find_threshold(
        held_out.max(axis=1), names[held_out.argmax(axis=1)] == np.array(known), TARGET_ACCURACY
    )
    answered = confidence >= threshold
    return {
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0.0)),
        "accuracy": float(correct.mean()),
        "ece": expected_calibration_error(confidence, correct.astype(np.float64)),
        "coverage_at_95": float(answered.mean()),
        "reached_accuracy": float(correct[answered].mean()) if answered.any() else 0.0,
        "threshold": threshold,
    }


def measure_classes(
    abstention: Abstention, classes: Sequence[str], probabilities: FloatArray, labels: Sequence[str]
) -> dict[str, Any]:
    """Return what the thresholds of the classes state, and what the answers then were."""
    names, truth = np.array(classes), np.array(labels)
    predicted = names[probabilities.argmax(axis=1)]
    answered = abstention.answers(classes, probabilities)
    rows = {}
    for name in classes:
        own = answered & (predicted == name)
        n_correct, n_answers = float((truth[own] == name).sum()), float(own.sum())
        bound = bound_accuracy(np.array([n_correct]), np.array([n_answers]), 1 - CONFIDENCE_LEVEL)
        rows[name] = {
            "threshold": abstention.thresholds[name],
            "proved": abstention.proved[name],
            "predicted": int((predicted == name).sum()),
            "answered": int(n_answers),
            "reached_accuracy": n_correct / n_answers if n_answers else None,
            "reached_at_least": float(bound[0]),  # one-sided, 95 %
        }
    in_sets = [len(abstention.list_possible(classes, row)) for row in probabilities.tolist()]
    holds = [
        label in abstention.list_possible(classes, row)
        for label, row in zip(labels, probabilities.tolist(), strict=True)
    ]
    return {
        "by_class": rows,
        "conformal_sets": {
            "mean_size": float(np.mean(in_sets)),
            "share_with_truth": {
                name: float(np.mean(np.array(holds)[truth == name]))
                for name in classes
                if (truth == name).any()
            },
        },
    }


def measure_ours(train: pd.DataFrame, test: pd.DataFrame, console: Console) -> dict[str, Any]:
    """Fit the product's classifier; return its figures on the test texts."""
    labels, known = test["label"].tolist(), train["label"].tolist()
    started = time.monotonic()
    found = fit_ticket_model(
        train["text"].tolist(),
        np.array(known),
        groups=[str(code) for code in pd.factorize(train["text"])[0]],  # equal texts are kin
        seed=SEED,
        progress=console.print,
    )
    abstention = choose_abstention(
        found.classes, found.held_out, known, target_accuracy=TARGET_ACCURACY, unanswered=()
    )
    seconds = time.monotonic() - started
    stored = write_model(attach_abstention(found.model, abstention))
    model = read_model(stored)
    probabilities = model.predict_proba([text[:MAX_CHARACTERS] for text in test["text"]])
    return {
        **measure_answers(found.classes, found.held_out, known, probabilities, labels),
        "proved": measure_abstention(abstention, found.classes, probabilities, labels),
        "pooled_threshold_proved": abstention.pooled_threshold,
        **measure_classes(abstention, found.classes, probabilities, labels),
        "weights": found.weights,
        "train_seconds": seconds,
        "latency_p95_ms": time_answers(model, test["text"].tolist()),
        "model_mb": len(stored) / 1e6,
    }


def time_answers(model: Any, texts: Sequence[str]) -> float:
    """Return the 95th percentile of the time of single answers, in milliseconds."""
    shown = texts[:: max(1, len(texts) // N_TIMED_TEXTS)]
    seconds = []
    for text in shown:
        started = time.perf_counter()
        rate_classes(model, text)
        seconds.append(time.perf_counter() - started)
    return float(np.quantile(seconds, 0.95) * 1000)


def measure_baseline(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """Return the figures of plain TF-IDF and logistic regression, its threshold out of fold."""
    plain = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=_least(train)),
        LogisticRegression(C=10.0, max_iter=1000, tol=1e-3),
    )
    known = train["label"].to_numpy(dtype=str)
    started = time.monotonic()
    held_out = cross_val_predict(
        plain, train["text"], known, cv=_count_folds(known), method="predict_proba"
    )
    plain.fit(train["text"], known)
    seconds = time.monotonic() - started
    probabilities = plain.predict_proba(test["text"])
    figures = measure_answers(
        plain.classes_.tolist(), held_out, known.tolist(), probabilities, test["label"].tolist()
    )
    return {**figures, "train_seconds": seconds}


def measure_svm(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """Return macro-F1 and accuracy of plain TF-IDF and a linear support vector machine."""
    plain = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=_least(train)), LinearSVC()
    )
    predicted = plain.fit(train["text"], train["label"].to_numpy(dtype=str)).predict(test["text"])
    truth = test["label"].to_numpy(dtype=str)
    return {
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0.0)),
        "accuracy": float((truth == predicted).mean()),
    }


def _least(train: pd.DataFrame) -> int:
    return 2 if len(train) >= 1000 else 1


def _count_folds(labels: npt.NDArray[np.str_]) -> int:
    return int(max(2, min(N_FOLDS, np.unique(labels, return_counts=True)[1].min())))


def show(figures: dict[str, Any], console: Console) -> None:
    """Print ours and the baselines as a table."""
    columns = ("macro_f1", "accuracy", "ece", "coverage_at_95", "reached_accuracy")
    table = Table("", *columns, title="tickets", title_justify="left")
    rows = {"ours": figures, "TF-IDF + LR": figures["baseline"], "TF-IDF + SVM": figures["svm"]}
    for name, values in rows.items():
        table.add_row(name, *(f"{values[one]:.4f}" if one in values else "" for one in columns))
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure; exits with 2 where the files cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tickets", description=__doc__)
    parser.add_argument(
        "--train", nargs="+", action="extend", type=Path, required=True, metavar="FILE",
        help="Parquet files with columns text and label; learned from.",
    )  # fmt: skip
    parser.add_argument("--test", type=Path, required=True, metavar="FILE", help="Only counted on.")
    parser.add_argument("--json", type=Path, required=True, metavar="OUT", help="The figures.")
    given = parser.parse_args(arguments)
    console = Console()
    try:
        train, test = read_texts(given.train), read_texts([given.test])
        check_labels(train, test)
        figures = measure_ours(train, test, console)
    except (UnusableTextsError, TrainingDataError) as error:
        parser.error(str(error))
    console.print(
        f"ours: macro-F1 {figures['macro_f1']:.4f}, ECE {figures['ece']:.4f}, coverage"
        f" {figures['coverage_at_95']:.4f} at {figures['reached_accuracy']:.4f}"
    )
    console.print("baselines: plain TF-IDF with logistic regression, and with an SVM")
    figures |= {
        "n_train": len(train),
        "n_test": len(test),
        "baseline": measure_baseline(train, test),
        "svm": measure_svm(train, test),
    }
    show(figures, console)
    store_json(figures, given.json)
    console.print(f"also in {given.json}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Trains the ticket classifier on phrasings; no evaluation shares a phrase with training."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupKFold

from models.calibration import find_sharpness, sharpen
from models.evaluation import evaluate_classifier
from models.fit import Fit, digest_data
from models.signals import FloatArray
from models.ticket_corpus import build_corpus
from models.tickets import StringArray, fit_ticket_model, sharpen_ticket_model

N_FOLDS = 4


def train_tickets(knowledge_dir: Path, seed: int, progress: Callable[[str], None]) -> Fit:
    """Fit on all phrasings; evaluate in folds that share no phrase."""
    progress("tickets: collecting phrasings")
    corpus = build_corpus(knowledge_dir, seed=seed)
    for article in corpus.skipped_articles:
        progress(f"tickets: article {article} has no usable symptoms")
    texts = [example.text for example in corpus.examples]
    labels = np.array([example.label for example in corpus.examples])
    groups = [example.group for example in corpus.examples]
    progress(f"tickets: validating {len(texts)} phrasings in {N_FOLDS} folds")
    classes, held_out = _predict_held_out(texts, labels, groups, seed)
    sharpness = find_sharpness(held_out, np.searchsorted(classes, labels))
    progress(f"tickets: fitting {len(texts)} phrasings")
    model = fit_ticket_model(texts, labels, seed=seed)
    return Fit(
        model=sharpen_ticket_model(model, sharpness),
        metrics=evaluate_classifier(classes, sharpen(held_out, sharpness), labels.tolist()),
        params={"n_texts": len(texts), "sharpness": sharpness, "n_folds": N_FOLDS},
        digest_of_data=digest_data(np.zeros(0), [f"{e.label}\t{e.text}" for e in corpus.examples]),
    )


def _predict_held_out(
    texts: Sequence[str], labels: StringArray, groups: Sequence[str], seed: int
) -> tuple[list[str], FloatArray]:
    """Return the classes and, for each text, probabilities by a model that saw no kin of it."""
    classes = np.unique(labels)
    probabilities = np.full((len(texts), len(classes)), 1e-9)
    folds = GroupKFold(n_splits=N_FOLDS, shuffle=True, random_state=seed)
    for fit_rows, test_rows in folds.split(texts, labels, groups):
        model = fit_ticket_model([texts[row] for row in fit_rows], labels[fit_rows], seed=seed)
        columns = np.searchsorted(classes, model.classes_)
        probabilities[np.ix_(test_rows, columns)] = model.predict_proba(
            [texts[row] for row in test_rows]
        )
    return classes.tolist(), probabilities

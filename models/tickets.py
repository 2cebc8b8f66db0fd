# SPDX-License-Identifier: Apache-2.0
"""The ticket classifier: which failure does a person describe?

TF-IDF of words and of character n-grams (typing errors, compounds) into a logistic regression.
Its regularisation is chosen by log-loss on held-out phrasings, which calibrates it; isotonic
calibration made real tickets worse. Text must be masked before it comes here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_union

from models.classification import CONFIDENCE_THRESHOLD, Classification, decide_class
from models.errors import TrainingDataError

MAX_CHARACTERS = 4000


def build_ticket_model(inverse_regularisation: float, seed: int) -> Any:
    """Return the unfitted pipeline."""
    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", token_pattern=r"(?u)\b\w+\b"
    )
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=30_000
    )
    classifier = LogisticRegression(
        C=inverse_regularisation, class_weight="balanced", max_iter=300, random_state=seed
    )
    return Pipeline([("features", make_union(words, characters)), ("classifier", classifier)])


def fit_ticket_model(
    texts: Sequence[str], labels: Sequence[str], *, inverse_regularisation: float, seed: int
) -> Any:
    """Fit the pipeline on masked texts.

    Raises:
        TrainingDataError: fewer than two classes.
    """
    if len(set(labels)) < 2:
        message = "the ticket model needs texts of at least two classes"
        raise TrainingDataError(message)
    model = build_ticket_model(inverse_regularisation, seed)
    return model.fit(list(texts), np.array(labels))


def classify_ticket(
    model: Any, masked_text: str, threshold: float = CONFIDENCE_THRESHOLD
) -> Classification:
    """Classify a masked ticket text; only its first 4,000 characters are read.

    A text without a single familiar word is never answered: it is given back as unknown.
    """
    text = masked_text[:MAX_CHARACTERS]
    probabilities = model.predict_proba([text])[0]
    names = [str(name) for name in model.classes_]
    words = model.named_steps["features"].transformer_list[0][1]
    if words.transform([text]).nnz == 0:
        probabilities = np.full(len(names), 1.0 / len(names))
    return decide_class(names, probabilities, threshold)

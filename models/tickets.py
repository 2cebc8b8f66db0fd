# SPDX-License-Identifier: Apache-2.0
"""The ticket classifier: it names the failure that a person describes.

TF-IDF of words and of character n-grams (typing errors, compounds) into a logistic regression.
Its log-odds are scaled by one factor, found on held-out phrasings (temperature scaling); isotonic
calibration made real tickets worse. Text must be masked before it comes here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_union

from models.classification import CONFIDENCE_THRESHOLD, Classification, decide_class
from models.errors import TrainingDataError

MAX_CHARACTERS = 4000
INVERSE_REGULARISATION = 20.0
StringArray = npt.NDArray[np.str_]


def build_ticket_model(seed: int) -> Any:
    """Return the unfitted pipeline."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode")
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=15_000
    )
    classifier = LogisticRegression(
        C=INVERSE_REGULARISATION, class_weight="balanced", max_iter=200, tol=1e-3, random_state=seed
    )
    return Pipeline([("features", make_union(words, characters)), ("classifier", classifier)])


def fit_ticket_model(texts: Sequence[str], labels: StringArray, *, seed: int) -> Any:
    """Fit the pipeline on masked texts.

    Raises:
        TrainingDataError: fewer than two classes.

    """
    if len(np.unique(labels)) < 2:
        message = "the ticket model needs texts of at least two classes"
        raise TrainingDataError(message)
    model = build_ticket_model(seed).fit(list(texts), labels)
    for _, vectorizer in model.named_steps["features"].transformer_list:
        # NumPy integers would each become a file of the stored archive
        vectorizer.vocabulary_ = {word: int(n) for word, n in vectorizer.vocabulary_.items()}
    return model


def sharpen_ticket_model(model: Any, sharpness: float) -> Any:
    """Scale the log-odds of a fitted pipeline, in place: temperature scaling by coefficients."""
    classifier = model.named_steps["classifier"]
    classifier.coef_ *= sharpness
    classifier.intercept_ *= sharpness
    return model


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

# SPDX-License-Identifier: Apache-2.0
"""The ticket classifier: it names what a person describes, or says that it does not know.

Linear support vector machines over TF-IDF of words and of character n-grams (typing errors,
compounds) and, where there are texts enough, a neural network over their topics (truncated SVD).
Their opinions are pooled on out-of-fold scores: texts of one group are never on both sides. The
thresholds of abstention are chosen on those scores too, but as pooled by pools that were fitted on
the other folds' alone: no text is judged by numbers that were fitted to it. Isotonic calibration
made real tickets worse. Words are hashed into buckets, so that a model's file holds no word of any
ticket. Text must be masked before it comes here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import StackingClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, Normalizer
from sklearn.svm import LinearSVC

from models.abstention import read_abstention
from models.classification import Classification, decide_class
from models.errors import TrainingDataError
from models.opinion_pool import build_classifier, fit_pool
from models.signals import FloatArray
from models.stages import Arrays, NoStages, Stages

MAX_CHARACTERS = 4000
N_FOLDS = 4
INVERSE_REGULARISATION = 0.5
MIN_TEXTS_OF_NETWORK = 5_000  # with fewer it learns them by heart
N_WORD_BUCKETS = 2**18
N_CHARACTER_BUCKETS = 2**17
MAX_BUCKETS = 120_000  # of a linear machine
MAX_TOPIC_BUCKETS = 16_000
N_TOPICS = 400
N_EPOCHS = 6
_TOPIC_SPREAD = 10.0  # unit vectors of hundreds of topics are too small for the network's weights
_STEEPNESS = 3.0  # of the share that a margin stands for
_LEAST_SHARE = 1e-5  # of a class in the network's opinion
_UNHEARD = -12.0  # log-share of a class that a fold has not seen
_PLAIN_COUNTS: dict[str, Any] = {"norm": None, "alternate_sign": False}
StringArray = npt.NDArray[np.str_]
IntArray = npt.NDArray[np.int64]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFit:
    """A fitted model, and what it said of each text when it had not learned from its kin."""

    model: Any
    classes: list[str]
    held_out: FloatArray  # calibrated probabilities, pools included; shape (n_texts, n_classes)
    weights: dict[str, float]  # of the members


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """Texts as hashed counts, by member: hashing learns nothing, so that all folds share it."""

    vectorizers: dict[str, HashingVectorizer]
    counted: dict[str, Any]  # sparse, shape (n_texts, n_buckets)

    def at(self, rows: IntArray) -> "_Counts":
        """Return those of some texts."""
        taken = {name: counted[rows] for name, counted in self.counted.items()}
        return _Counts(vectorizers=self.vectorizers, counted=taken)


def fit_ticket_model(
    texts: Sequence[str],
    labels: StringArray,
    *,
    groups: Sequence[str],
    seed: int,
    progress: Progress = lambda _: None,
    stages: Stages | None = None,
) -> TicketFit:
    """Fit on masked texts, calibrated out of fold.

    Args:
        texts: masked; only their first 4,000 characters are read.
        labels: a class for each.
        groups: texts of one group are kin: one phrase, one case.
        seed: makes the fit repeatable.
        progress: told what is being done, in words.
        stages: where finished folds are kept, so that a killed training goes on after them.

    Raises:
        TrainingDataError: fewer than two classes, a class of a single group, or no words.

    """
    texts = [text[:MAX_CHARACTERS] for text in texts]
    _check(labels, groups)
    classes, stages = np.unique(labels), stages or NoStages()
    counts = _count(texts)
    members = _Members(counts=counts, labels=labels, seed=seed)
    scores = np.empty((len(texts), len(members.names), len(classes)))
    folds = list(_split(labels, groups, seed))
    for number, (known, others) in enumerate(folds, start=1):
        progress(f"tickets: fold {number} of {len(folds)}, {len(known)} texts")
        kept = stages.keep_arrays(f"fold-{number}", partial(members.score_fold, known, others))
        scores[others] = kept["scores"]
    true_columns = np.searchsorted(classes, labels)
    pool = fit_pool(scores, true_columns)
    progress(f"tickets: fitting {len(texts)} texts")
    classifier = build_classifier(pool, classes.tolist())
    return TicketFit(
        model=_join(members.fit(np.arange(len(texts))), classifier, texts, labels),
        classes=classes.tolist(),
        held_out=_pool_out_of_fold(scores, true_columns, folds),
        weights=dict(zip(members.names, pool.weights.tolist(), strict=True)),
    )


def classify_ticket(model: Any, masked_text: str, threshold: float | None = None) -> Classification:
    """Classify a masked ticket text; only its first 4,000 characters are read.

    A text without a single familiar word is never answered: it is given back as unknown. A
    threshold can only make the answer stricter than the model's own.
    """
    names, shares, is_familiar = rate_classes(model, masked_text)
    if not is_familiar:
        return decide_class(names, shares, 1.0)
    return decide_class(names, shares, threshold, abstention=read_abstention(model))


def rate_classes(model: Any, masked_text: str) -> tuple[list[str], list[float], bool]:
    """Return the classes, their probabilities, and whether a single word is familiar.

    Without a familiar word all classes are equally probable.
    """
    text = masked_text[:MAX_CHARACTERS]
    names = [str(name) for name in model.classes_]
    if not _knows_a_word(model, text):
        return names, [1.0 / len(names)] * len(names), False
    return names, model.predict_proba([text])[0].tolist(), True


def _knows_a_word(model: Any, text: str) -> bool:
    """Tell whether a word of the text was learned from; also of versions with a vocabulary."""
    if "features" in model.named_steps:
        words = model.named_steps["features"].transformer_list[0][1]
        return bool(words.transform([text]).nnz)
    words = model.named_steps["members"].estimators_[0].named_steps
    buckets, choice = words["buckets"].transform([text]).indices, words["choice"]
    return bool((choice.variances_[buckets] > choice.threshold).any())


def _check(labels: StringArray, groups: Sequence[str]) -> None:
    names = np.unique(labels)
    if len(names) < 2:
        message = "the ticket model needs texts of at least two classes"
        raise TrainingDataError(message)
    pairs = {(label, group) for label, group in zip(labels.tolist(), groups, strict=True)}
    counted, n_groups = np.unique([label for label, _ in pairs], return_counts=True)
    if n_groups.min() < 2:
        message = (
            f"the ticket model needs at least two unlike texts of each class; of"
            f" {counted[n_groups.argmin()]!r} there is one"
        )
        raise TrainingDataError(message)


def _split(
    labels: StringArray, groups: Sequence[str], seed: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows to fit on and to score, such that no fold fits on a single class."""
    n_folds = min(N_FOLDS, len(set(groups)))
    for known, others in GroupKFold(n_folds, shuffle=True, random_state=seed).split(
        labels, labels, groups
    ):
        if len(np.unique(labels[known])) < 2:
            message = "the ticket model needs more texts: without a part, one class is left"
            raise TrainingDataError(message)
        yield known, others


def _pool_out_of_fold(
    scores: FloatArray, true_columns: IntArray, folds: Sequence[tuple[IntArray, IntArray]]
) -> FloatArray:
    """Return probabilities (n_texts, n_classes), of each fold by a pool fitted on the others."""
    held_out = np.empty((scores.shape[0], scores.shape[2]))
    for known, others in folds:
        held_out[others] = fit_pool(scores[known], true_columns[known]).combine(scores[others])
    return held_out


def _count(texts: Sequence[str]) -> _Counts:
    words = HashingVectorizer(
        n_features=N_WORD_BUCKETS, ngram_range=(1, 2), strip_accents="unicode", **_PLAIN_COUNTS
    )
    characters = HashingVectorizer(
        n_features=N_CHARACTER_BUCKETS, analyzer="char_wb", ngram_range=(3, 5), **_PLAIN_COUNTS
    )
    half = clone(words).set_params(dtype=np.float32)  # of the network: half the file, less to copy
    vectorizers = {"words": words, "characters": characters, "topics": half}
    of_words = words.transform(texts)
    if not of_words.nnz:
        message = "the ticket model needs texts with words in them"
        raise TrainingDataError(message)
    counted = {"words": of_words, "characters": characters.transform(texts)}
    counted["topics"] = of_words.astype(np.float32)
    return _Counts(vectorizers=vectorizers, counted=counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Members:
    """The members on all texts; how many texts there are decides which take part."""

    counts: _Counts
    labels: StringArray
    seed: int

    @property
    def is_large(self) -> bool:
        """Whether the texts are enough for the network."""
        return len(self.labels) >= MIN_TEXTS_OF_NETWORK

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, in the order of their scores."""
        return ("words", "characters", "topics") if self.is_large else ("words", "characters")

    def fit(self, rows: IntArray) -> dict[str, Pipeline]:
        """Return the members, fitted on some texts."""
        counts, labels, least = self.counts.at(rows), self.labels[rows], 2 if self.is_large else 1
        return {
            name: _fit_network(counts, labels, self.seed)
            if name == "topics"
            else _fit_margins(counts, name, labels, self.seed, least=least)
            for name in self.names
        }

    def score_fold(self, known: IntArray, others: IntArray) -> Arrays:
        """Return what members fitted on some texts say of others."""
        unseen, classes = self.counts.at(others), np.unique(self.labels)
        found = [_score(*member, unseen, classes) for member in self.fit(known).items()]
        return {"scores": np.stack(found, axis=1)}


def _fit_margins(
    counts: _Counts, name: str, labels: StringArray, seed: int, *, least: int
) -> Pipeline:
    """Fit a linear machine on the buckets that at least so many texts have."""
    choice = _choose_buckets(counts.counted[name], least=least, most=MAX_BUCKETS)
    weights = TfidfTransformer(sublinear_tf=True)
    weighted = weights.fit_transform(choice.transform(counts.counted[name]))
    machine = LinearSVC(C=INVERSE_REGULARISATION, random_state=seed).fit(weighted, labels)
    steps = [("buckets", counts.vectorizers[name]), ("choice", choice), ("weights", weights)]
    return Pipeline([*steps, ("classifier", machine)])


def _fit_network(counts: _Counts, labels: StringArray, seed: int) -> Pipeline:
    choice = _choose_buckets(counts.counted["topics"], least=2, most=MAX_TOPIC_BUCKETS)
    weights = TfidfTransformer(sublinear_tf=True)
    topics = TruncatedSVD(N_TOPICS, n_iter=2, random_state=seed)
    lengths = Normalizer()
    spread = MinMaxScaler(feature_range=(-_TOPIC_SPREAD, _TOPIC_SPREAD))
    spread.fit(np.array([[-1.0], [1.0]], dtype=np.float32) * np.ones(N_TOPICS, dtype=np.float32))
    weighted = weights.fit_transform(choice.transform(counts.counted["topics"]))
    shares = topics.fit_transform(weighted)
    topics.components_ = np.asfortranarray(topics.components_)  # else each answer copies it
    inputs = spread.transform(lengths.fit_transform(shares))
    network = MLPClassifier((512,), alpha=1e-3, batch_size=128, random_state=seed)
    for _ in range(N_EPOCHS):
        network.partial_fit(inputs, labels, classes=np.unique(labels))
    vars(network).pop("_optimizer")  # of a type that model files may not hold; for training only
    steps = [("buckets", counts.vectorizers["topics"]), ("choice", choice), ("weights", weights)]
    steps += [("topics", topics), ("lengths", lengths), ("spread", spread)]
    return Pipeline([*steps, ("classifier", network)])


def _choose_buckets(counts: Any, *, least: int, most: int) -> VarianceThreshold:
    """Return a choice of the buckets that most texts have, each at least so many.

    What it compares with its threshold is that number of texts: it need not be sorted to answer.
    """
    n_texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    limit = float(least - 1)
    if (n_texts_with > limit).sum() > most:
        limit = float(np.sort(n_texts_with)[-most])
    choice = VarianceThreshold(threshold=limit)
    choice.variances_ = n_texts_with.astype(np.float32)
    choice.n_features_in_ = counts.shape[1]
    return choice


def _score(name: str, member: Pipeline, counts: _Counts, classes: StringArray) -> FloatArray:
    """Return log-shares (n_texts, n_classes), very low ones of classes it has not seen.

    A machine's margin counts as log-odds of one class against the rest: without that bend the pool
    was too sure of itself. Of two classes half the log-odds are returned, with their signs.
    """
    counted, after_counting = counts.counted[name], member[1:]
    if isinstance(member.steps[-1][1], MLPClassifier):
        shares = after_counting.predict_proba(counted).astype(np.float64)
        if shares.shape[1] == 2:
            found = logit(_LEAST_SHARE + (1.0 - 2 * _LEAST_SHARE) * shares[:, 1])
        else:
            found = np.log(_LEAST_SHARE + (1.0 - _LEAST_SHARE) * shares)
    else:
        margins = after_counting.decision_function(counted)
        found = margins if margins.ndim == 1 else np.log(expit(_STEEPNESS * margins))
    if found.ndim == 1:  # one column says all of two classes
        found = np.column_stack([-found, found]) / 2
    scores = np.full((len(found), len(classes)), min(_UNHEARD, found.min()))
    scores[:, np.searchsorted(classes, member.classes_)] = found
    return scores


def _join(
    members: dict[str, Pipeline], classifier: Any, texts: Sequence[str], labels: StringArray
) -> Pipeline:
    """Return one pipeline: the members' scores side by side, as log-shares, and the pool."""
    first_rows = np.repeat(np.unique(labels, return_index=True)[1], 3)  # fewer look like numbers
    shown = [texts[row] for row in first_rows.tolist()]
    stacked = StackingClassifier(list(members.items()), DummyClassifier(), cv="prefit")
    stacked.fit(shown, labels[first_rows])
    del stacked.named_estimators_  # a type that model files may not hold
    outputs = stacked.transform(shown)
    n_columns = outputs.shape[1] // len(members)
    parts: list[tuple[str, Any, list[int]]] = []
    for number, (name, method) in enumerate(zip(members, stacked.stack_method_, strict=True)):
        columns = list(range(number * n_columns, (number + 1) * n_columns))
        bend = _bend_shares if method == "predict_proba" else _bend_margins
        parts.append((name, bend(is_pair=n_columns == 1), columns))
    ends = np.array([[0.0], [1.0]]) * np.ones(outputs.shape[1])  # of a share
    scores = ColumnTransformer(parts).fit(ends)
    return Pipeline([("members", stacked), ("scores", scores), ("classifier", classifier)])


def _bend_shares(*, is_pair: bool) -> Pipeline:
    highest = 1.0 - _LEAST_SHARE if is_pair else 1.0
    floor = MinMaxScaler(feature_range=(_LEAST_SHARE, highest))
    return Pipeline([("floor", floor), ("log", FunctionTransformer(logit if is_pair else np.log))])


def _bend_margins(*, is_pair: bool) -> Any:
    if is_pair:
        return "passthrough"
    steepness = MinMaxScaler(feature_range=(0.0, _STEEPNESS))
    share, log = FunctionTransformer(expit), FunctionTransformer(np.log)
    return Pipeline([("steepness", steepness), ("share", share), ("log", log)])

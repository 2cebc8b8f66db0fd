# SPDX-License-Identifier: Apache-2.0
"""The ticket classifier on small generated texts: members, pool, file, bad input."""

import random
from functools import partial

import numpy as np
import pytest

from contracts.failure import FailureClass as F
from models import tickets
from models.abstention import attach_abstention, choose_abstention
from models.errors import TrainingDataError
from models.model_file import read_model, write_model
from models.opinion_pool import build_classifier, fit_pool
from models.stages import StageFolder
from models.tickets import classify_ticket, fit_ticket_model, rate_classes

WORDS = {
    "dns": "name resolve lookup nxdomain host server intranet",
    "printing": "printer paper queue toner page print spooler",
    "thermal": "hot fan heat burning temperature loud throttle",
}
FILLER = "please help since today my the laptop again office it does not"


def write_tickets(n_texts, seed, classes=tuple(WORDS)):
    """Return texts and labels; one word in three speaks of another class."""
    chooser = random.Random(seed)
    texts, labels = [], []
    for number in range(n_texts):
        label = classes[number % len(classes)]
        spoken_of = [label if chooser.random() < 0.67 else chooser.choice(classes) for _ in "123"]
        said = [chooser.choice(WORDS[one].split()) for one in spoken_of]
        texts.append(" ".join([*said, *chooser.sample(FILLER.split(), 4)]))
        labels.append(label)
    return texts, np.array(labels)


def fit(texts, labels):
    return fit_ticket_model(texts, labels, groups=texts, seed=1)


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tickets, "MIN_TEXTS_OF_NETWORK", 200)
        patch.setattr(tickets, "N_TOPICS", 20)
        return fit(*write_tickets(300, 1))


def test_it_learns_and_says_so_out_of_fold(found):
    texts, labels = write_tickets(300, 2)
    assert set(found.weights) == {"words", "characters", "topics"}
    assert np.allclose(found.held_out.sum(axis=1), 1.0)
    known = np.array(found.classes)[found.held_out.argmax(axis=1)] == write_tickets(300, 1)[1]
    new = found.model.predict(texts) == labels
    assert new.mean() > 0.8
    assert known.mean() == pytest.approx(new.mean(), abs=0.08)


def test_the_stored_model_answers_alike(found):
    texts, labels = write_tickets(60, 3)
    chosen = choose_abstention(found.classes, found.held_out, write_tickets(300, 1)[1].tolist())
    model = read_model(write_model(attach_abstention(found.model, chosen)))
    assert np.allclose(model.predict_proba(texts), found.model.predict_proba(texts))
    answers = [classify_ticket(model, text) for text in texts]
    right = [str(one.failure_class) == label for one, label in zip(answers, labels, strict=True)]
    spoken = [not one.abstained for one in answers]
    assert 0.2 < np.mean(spoken) < 1.0
    assert np.mean(np.array(right)[spoken]) > 0.9
    assert all(classify_ticket(model, text, 1.0).abstained for text in texts[:5])


def test_the_same_seed_gives_the_same_file():
    texts, labels = write_tickets(90, 4)
    assert write_model(fit(texts, labels).model) == write_model(fit(texts, labels).model)


def test_a_file_holds_no_word_of_a_ticket(found):
    content = write_model(found.model)
    assert b"nxdomain" not in content
    assert b"spooler" not in content


def test_texts_without_a_familiar_word_are_unknown(found):
    for text in ("", "qqq xyzzy", "\x00" * 9000):
        assert rate_classes(found.model, text)[1] == pytest.approx([1 / 3] * 3)
        answer = classify_ticket(found.model, text)
        assert answer.abstained
        assert answer.failure_class is F.UNKNOWN


def test_two_classes_are_pooled_alike():
    texts, labels = write_tickets(120, 5, ("dns", "thermal"))
    found = fit(texts, labels)
    new, truth = write_tickets(60, 6, ("dns", "thermal"))
    probabilities = found.model.predict_proba(new)
    assert np.allclose(probabilities.sum(axis=1), 1.0)
    assert np.mean(np.array(found.classes)[probabilities.argmax(axis=1)] == truth) > 0.8


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_last_step_is_the_pool(n_classes):
    rng = np.random.default_rng(8)
    scores = rng.normal(size=(200, 2, n_classes))
    if n_classes == 2:
        scores[:, :, 0] = -scores[:, :, 1]
    pool = fit_pool(scores, scores[:, 0].argmax(axis=1))
    assert pool.weights[0] > 10 * pool.weights[1] >= 0.0
    flat = 2 * scores[:, :, 1] if n_classes == 2 else scores.reshape(200, -1)
    classifier = build_classifier(pool, ["a", "b", "c"][:n_classes])
    assert np.allclose(classifier.predict_proba(flat), pool.combine(scores))


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["printer", "paper"], ["printing", "printing"]),
        (["printer", "paper", "fan"], ["printing", "printing", "thermal"]),
        (["!", "?", ".", ","], ["printing", "printing", "thermal", "thermal"]),
    ],
)
def test_what_cannot_support_a_model_is_refused(texts, labels):
    with pytest.raises(TrainingDataError):
        fit(texts, np.array(labels))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's and SQLAlchemy's
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_broken_off_training_goes_on_after_its_folds(tmp_path, monkeypatch, registry):
    texts, labels = write_tickets(120, 9)
    fitted = []
    fit_members = tickets._Members.fit

    def fit_and_break_off(members, rows):
        fitted.append(len(rows))
        if len(fitted) == 3:
            raise KeyboardInterrupt
        return fit_members(members, rows)

    def train():
        stages = StageFolder(
            tmp_path,
            name="tickets",
            seed=1,
            progress=lambda _: None,
            open_record=partial(registry.open_training, "tickets"),
        )
        stages.begin("0" * 64)
        return fit_ticket_model(texts, labels, groups=texts, seed=1, stages=stages)

    monkeypatch.setattr(tickets._Members, "fit", fit_and_break_off)
    with pytest.raises(KeyboardInterrupt):
        train()
    found = train()
    assert len(fitted) == 3 + 2 + 1  # two folds were kept; two, and the whole, are left
    assert np.array_equal(found.held_out, fit(texts, labels).held_out)


def test_no_text_is_pooled_by_what_was_fitted_to_it():
    """Whatever the truths of a fold are, its probabilities are the same; the others' change."""
    rng = np.random.default_rng(2)
    scores, truth = rng.normal(size=(90, 2, 3)), rng.integers(0, 3, size=90)
    rows = np.arange(90)
    folds = [(rows[rows % 3 != fold], rows[rows % 3 == fold]) for fold in range(3)]
    found = tickets._pool_out_of_fold(scores, truth, folds)
    assert np.allclose(found.sum(axis=1), 1.0)
    for known, others in folds:
        turned = truth.copy()
        turned[others] = (truth[others] + 1) % 3
        again = tickets._pool_out_of_fold(scores, turned, folds)
        assert np.array_equal(again[others], found[others])
        assert not np.allclose(again[known], found[known])

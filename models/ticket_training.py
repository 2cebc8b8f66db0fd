# SPDX-License-Identifier: Apache-2.0
"""Trains the ticket classifier on phrasings, and on real tickets that people or telemetry labelled.

Kin (wordings of one phrase, tickets of one text) stays together: in one fold, or held back from
every version. Which groups are held back follows from their names alone.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.abstention import Abstention, attach_abstention, choose_abstention, measure_abstention
from models.evaluation import evaluate_classifier
from models.fit import CardText, Fit, HeldBack, digest_data
from models.label_bounds import (
    DEVICE_SHARE,
    PEOPLE_SHARE,
    PERSON_SHARE,
    count_people,
    keep_within,
)
from models.stages import NoStages, Stages
from models.ticket_corpus import HELD_BACK_SHARE, Example, build_corpus, is_held_back
from models.ticket_labels import LabelledTicket
from models.tickets import MAX_CHARACTERS, N_FOLDS, TicketFit, fit_ticket_model

TARGET_ACCURACY = 0.85  # of answers; a few hundred phrases of our own cannot prove more


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    """What is learned from, what is held back, and the real tickets among both."""

    known: list[Example]
    judged: list[Example]
    tickets: list[LabelledTicket]
    n_left_out: int  # tickets beyond the bounds


def train_tickets(
    knowledge_dir: Path,
    seed: int,
    progress: Callable[[str], None],
    tickets: Sequence[LabelledTicket] = (),
    stages: Stages | None = None,
) -> Fit:
    """Fit on most groups; evaluate on those that no version learns from.

    Args:
        knowledge_dir: holds the articles whose symptoms teach, too.
        seed: makes training repeatable.
        progress: told what is being done, in words.
        tickets: real ones, masked, with what they turned out to be about.
        stages: where finished folds are kept.

    Raises:
        TrainingDataError: the phrasings and tickets cannot support a model.

    """
    cases = _gather(knowledge_dir, seed, progress, tickets)
    known, groups = cases.known, [one.group for one in cases.known]
    digest = digest_data(np.zeros(0), [f"{one.label}\t{one.text}" for one in known])
    stages = stages or NoStages()
    stages.begin(digest, {"groups": digest_data(np.zeros(0), groups)})  # which make the folds
    found = fit_ticket_model(
        [one.text for one in known],
        np.array([one.label for one in known]),
        groups=groups,
        seed=seed,
        progress=progress,
        stages=stages,
    )
    abstention = choose_abstention(
        found.classes,
        found.held_out,
        [one.label for one in known],
        target_accuracy=TARGET_ACCURACY,
        cases_per_group=len(groups) / len(set(groups)),
    )
    progress(f"tickets: judging {len(cases.judged)} texts that no version learns from")
    return Fit(
        model=attach_abstention(found.model, abstention),
        metrics=_measure(found, abstention, cases.judged, known),
        params=_describe(cases, found, abstention),
        digest_of_data=digest,
        held_back=_hold_back(cases.judged, found.classes),
        card=_write_card(cases.tickets),
    )


def _gather(
    knowledge_dir: Path,
    seed: int,
    progress: Callable[[str], None],
    tickets: Sequence[LabelledTicket],
) -> _Cases:
    """Collect phrasings and the tickets within the bounds, and divide them by their groups."""
    progress("tickets: collecting phrasings")
    corpus = build_corpus(knowledge_dir, seed=seed)
    for article in corpus.skipped_articles:
        progress(f"tickets: article {article} has no usable symptoms")
    taken = choose_tickets(tickets, corpus.examples)
    n_left_out = len(tickets) - len(taken)
    if n_left_out:
        progress(f"tickets: {n_left_out} are beyond the bounds of one's labels")
    examples = [*corpus.examples, *(_read(ticket) for ticket in taken)]
    return _Cases(
        known=[one for one in examples if not is_held_back(one.group)],
        judged=[one for one in examples if is_held_back(one.group)],
        tickets=taken,
        n_left_out=n_left_out,
    )


def _describe(cases: _Cases, found: TicketFit, abstention: Abstention) -> dict[str, float]:
    """Return how much of what went in, and what was chosen by it."""
    return {
        "n_texts": len(cases.known),
        "n_groups": len({one.group for one in cases.known}),
        "n_real_tickets": len(cases.tickets),
        "n_tickets_left_out": cases.n_left_out,
        "n_stated_tickets": sum(bool(one.person) for one in cases.tickets),
        "n_people": count_people(one.person for one in cases.tickets),
        "n_folds": N_FOLDS,
        "target_accuracy": TARGET_ACCURACY,
        "n_proved_classes": sum(abstention.proved.values()),
        **{f"weight_{name}": round(weight, 4) for name, weight in found.weights.items()},
    }


def choose_tickets(
    tickets: Sequence[LabelledTicket], phrasings: Sequence[Example]
) -> list[LabelledTicket]:
    """Return the tickets to learn from or judge by: of one person or device only so many a class.

    The bounds are on shares of a class; the newest stay.
    """
    kept = keep_within(
        [one.label for one in tickets],
        [one.person for one in tickets],
        [one.device for one in tickets],
        others=Counter(one.label for one in phrasings),
    )
    return [tickets[row] for row in kept]


def _read(ticket: LabelledTicket) -> Example:
    text = ticket.masked_text[:MAX_CHARACTERS]
    words = " ".join(text.lower().split())
    digest = hashlib.sha256(words.encode()).hexdigest()
    return Example(text=text, label=ticket.label, group=f"ticket/{digest}")


def _measure(
    found: TicketFit, abstention: Abstention, judged: Sequence[Example], known: Sequence[Example]
) -> dict[str, float]:
    """Return the figures on the texts held back, and beside them those out of fold."""
    labels = [one.label for one in known]
    out_of_fold = evaluate_classifier(found.classes, found.held_out, labels)
    figures = {f"out_of_fold_{name}": value for name, value in out_of_fold.items()}
    usable = [one for one in judged if one.label in found.classes]
    if usable:
        probabilities = found.model.predict_proba([one.text for one in usable])
        truth = [one.label for one in usable]
        figures |= evaluate_classifier(found.classes, probabilities, truth, abstention)
        figures |= measure_abstention(abstention, found.classes, probabilities, truth)
    return figures


def _hold_back(judged: Sequence[Example], classes: Sequence[str]) -> HeldBack:
    """Return the cases to compare versions on, named by their texts; wordings of one are kin."""
    usable = {one.text: one for one in judged if one.label in classes}
    return HeldBack(
        inputs=list(usable),
        labels=np.array([one.label for one in usable.values()]),
        groups=[one.group for one in usable.values()],
        case_ids=[f"tickets:{hashlib.sha256(text.encode()).hexdigest()[:24]}" for text in usable],
    )


def _write_card(tickets: Sequence[LabelledTicket]) -> CardText:
    stated = [one for one in tickets if one.person]
    return CardText(
        purpose=(
            "Names the failure that a person describes in a ticket, from its masked text; it"
            " abstains where its confidence is below the threshold of the class."
        ),
        training_data=(
            "Phrasings of our own, symptoms of the articles, and"
            f" {len(tickets)} real tickets, masked: the class of {len(stated)} was stated by"
            f" {count_people(one.person for one in stated)} people, that of the others proved by a"
            f" verified fix. Of a class one person's tickets are at most {PERSON_SHARE:.0%}, those"
            f" of all people {PEOPLE_SHARE:.0%}, and one device's {DEVICE_SHARE:.0%}. One group of"
            f" kin in {HELD_BACK_SHARE} is kept from every version, to judge them by."
        ),
        limits=(
            "It reads English, and of a ticket its first 4,000 characters.",
            "Until real tickets are labelled, its figures hold for phrasings that we wrote.",
            "A ticket of several failures gets one class, or none.",
        ),
    )

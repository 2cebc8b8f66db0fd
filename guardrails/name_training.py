# SPDX-License-Identifier: Apache-2.0
"""Trains the name model from texts of our own: `python -m guardrails.name_training FOLDER`.

No text is seen twice, so nothing is learned by heart. One core, and the same machine trains the
same weights.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from guardrails.name_lists import NameLists, read_name_lists
from guardrails.name_model import NameModel
from guardrails.name_samples import FillingWords, SampleMaker
from guardrails.name_words import WordTable, make_word_table, read_input_words
from guardrails.spacy_runtime import Adam, fix_random_seed, set_dropout_rate

Report = Callable[[int, int], None]  # how many steps are done, and of how many

SEED: Final = 0
N_STEPS: Final = 2500
TOKENS_A_STEP: Final = 1200
LEARN_RATE: Final = 0.002
DROPOUT: Final = 0.1
_WARM_UP_STEPS: Final = 100
_STEPS_A_REPORT: Final = 20
_GRADIENT_SCALE: Final = 500.0
# A class of English words of which our lists have more than this share is one of names.
_MAX_LISTED_SHARE: Final = 0.12
_PROGRESS_MARK: Final = "step"


def train_names(
    lists: NameLists,
    *,
    seed: int = SEED,
    n_steps: int = N_STEPS,
    progress: Report = lambda _done, _total: None,
) -> NameModel:
    """Return a trained model; blocking, about two minutes of one core.

    Args:
        lists: what the texts are made of.
        seed: of the texts and of the first weights.
        n_steps: of `TOKENS_A_STEP` tokens each.
        progress: told how far it is.

    """
    vectors, tails = read_input_words()
    table = make_word_table(lists, vectors)
    words = FillingWords(common=_list_common(table, vectors), tails=tails)
    maker = SampleMaker(lists, seed=seed, words=words)
    fix_random_seed(seed)
    model = NameModel(table)
    model.initialise()
    optimiser = Adam(LEARN_RATE, L2=1e-6, grad_clip=1.0)
    set_dropout_rate(model.network, DROPOUT)
    for step in range(n_steps):
        warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
        optimiser.learn_rate = LEARN_RATE * warm * max(0.01, 1 - step / n_steps)
        _learn(model, maker, optimiser)
        if (step + 1) % _STEPS_A_REPORT == 0:
            progress(step + 1, n_steps)
    set_dropout_rate(model.network, 0.0)
    return model


def _learn(model: NameModel, maker: SampleMaker, optimiser: Any) -> None:
    """Take one step on texts that were not seen before."""
    with model.passing_words():
        docs: list[Any] = []
        wanted: list[list[int]] = []
        n_tokens = 0
        while n_tokens < TOKENS_A_STEP:
            doc, labels = model.labels_of(maker.make())
            if labels:
                docs.append(doc)
                wanted.append(labels)
                n_tokens += len(labels)
        scores, backpropagate = model.network.begin_update(docs)
        gradients = []
        for score, labels in zip(scores, wanted, strict=True):
            gradient = score.copy()
            gradient[np.arange(len(labels)), labels] -= 1
            gradients.append(gradient / _GRADIENT_SCALE)
        backpropagate(gradients)
        model.network.finish_update(optimiser)


def _list_common(table: WordTable, vectors: Mapping[str, Any]) -> Sequence[str]:
    """Return ordinary words to fill sentences with, those of our sentences twice."""
    members = Counter(table.classes.values())
    listed = Counter(table.classes[name] for name in table.kinds if name in table.classes)
    of_names = {number for number, n in members.items() if listed[number] > _MAX_LISTED_SHARE * n}
    general = [
        word for word in vectors if word not in table.kinds and table.classes[word] not in of_names
    ]
    return general + sorted(word for word in table.known if word.islower()) * 2


def main(folder: Path) -> None:
    """Train, write the model into an empty folder, and print how far it is.

    Ends early where the process that started it has ended.
    """
    parent = os.getppid()

    def report(done: int, total: int) -> None:
        if os.getppid() != parent:
            sys.exit("who wanted the model is gone")
        sys.stdout.write(f"{_PROGRESS_MARK} {done} {total}\n")
        sys.stdout.flush()

    began = time.process_time()
    folder.mkdir(parents=True, exist_ok=True)
    train_names(read_name_lists(), progress=report).save(folder)
    sys.stdout.write(f"trained in {time.process_time() - began:.0f} s of one core\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

# SPDX-License-Identifier: Apache-2.0
"""The one place that loads spaCy, without the deep-learning libraries it does not need here."""

from collections.abc import Callable
from typing import Any

from kernel.imports import absent

with absent("transformers", "torch", "tensorflow", "mxnet", "cupy"):
    from spacy import blank
    from spacy.attrs import LANG, LOWER, NORM, PREFIX, SHAPE, SUFFIX
    from spacy.language import Language
    from spacy.tokens import Doc
    from thinc.api import Adam, NumpyOps, fix_random_seed, set_dropout_rate

__all__ = [
    "Adam",
    "Doc",
    "Language",
    "NumpyOps",
    "blank",
    "fix_random_seed",
    "lexical_attributes",
    "set_dropout_rate",
]


def lexical_attributes(
    vocab: Any, describe: Callable[[str], tuple[str, str, str, str, str, str]]
) -> None:
    """Let what spaCy keeps of a word (NORM, LOWER, LANG, PREFIX, SUFFIX, SHAPE) be ours.

    Args:
        vocab: a `spacy.vocab.Vocab`, whose types do not tell of its attributes.
        describe: returns the six of a word.

    """
    last: dict[str, tuple[str, ...]] = {}

    def part(index: int) -> Callable[[str], str]:
        def get(word: str) -> str:
            if word not in last:
                last.clear()
                last[word] = describe(word)
            return last[word][index]

        return get

    vocab.lex_attr_getters.clear()  # what is not asked for need not be found out of every new word
    for index, attribute in enumerate((NORM, LOWER, LANG, PREFIX, SUFFIX, SHAPE)):
        vocab.lex_attr_getters[attribute] = part(index)

# SPDX-License-Identifier: Apache-2.0
"""The one place that loads spaCy, without the deep-learning libraries it does not need here."""

from collections.abc import Callable

from kernel.imports import absent

with absent("transformers", "torch", "tensorflow", "mxnet", "cupy"):
    from spacy.attrs import LANG, LOWER, NORM, PREFIX, SHAPE, SUFFIX
    from spacy.language import Language
    from spacy.strings import get_string_id
    from spacy.tokens import Doc
    from spacy.vocab import Vocab
    from thinc.api import Adam, NumpyOps, fix_random_seed, set_dropout_rate

__all__ = [
    "Adam",
    "Doc",
    "Language",
    "NumpyOps",
    "fix_random_seed",
    "hash_string",
    "make_language",
    "set_dropout_rate",
]


def hash_string(text: str) -> int:
    """Return the number by which spaCy knows a text."""
    number: int = get_string_id(text)
    return number


def make_language(describe: Callable[[str], tuple[str, str, str, str, str, str]]) -> Language:
    """Return a pipeline without parts, whose words have our attributes alone.

    Args:
        describe: returns a word's NORM, LOWER, LANG, PREFIX, SUFFIX and SHAPE.

    """
    last: dict[str, tuple[str, ...]] = {}

    def part(index: int) -> Callable[[str], str]:
        def get(word: str) -> str:
            if word not in last:
                last.clear()
                last[word] = describe(word)
            return last[word][index]

        return get

    getters = {
        attribute: part(index)
        for index, attribute in enumerate((NORM, LOWER, LANG, PREFIX, SUFFIX, SHAPE))
    }
    return Language(Vocab(lex_attr_getters=getters))

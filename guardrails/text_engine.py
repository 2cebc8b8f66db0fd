# SPDX-License-Identifier: Apache-2.0
"""Presidio's NLP engine and context words without a language model.

A blank pipeline has no lemmas, so presidio's own enhancer hears no context words. Here a word is
its lower-case form, and the words near a finding are read from the text: as good for labels such as
"phone" or "ssn", and linear in the findings.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.findings import CONTEXT_KEY
from guardrails.pattern_parts import LANGUAGE, compile_bounded
from guardrails.presidio_runtime import (
    ContextAwareEnhancer,
    EntityRecognizer,
    NlpArtifacts,
    NlpEngine,
    RecognizerResult,
)

CONFIDENT: Final = 0.7  # what a weak finding beside a word of its context is worth
# Set by hand, not fitted: docs/masking.md, "Numbers in the rules".
CHARACTERS_BEFORE: Final = 64
_CHARACTERS_AFTER: Final = 24
_WORDS_BEFORE: Final = 7
_WORDS_AFTER: Final = 2
_WORD_ATTRIBUTES: Final = frozenset(("tokens", "lemmas", "keywords", "tokens_indices"))
_WORD: Final = compile_bounded(r"[\p{L}\p{M}]+(?:['\u2019][\p{L}]+)?:?")

_MASKED: Final = regex.compile(r"<?[a-z_]{2,16}_\d{1,6}>")


class TextArtifacts(NlpArtifacts):
    """The text in lower case and its words: a word's lemma is its lower-case form.

    Attributes:
        lower_text: of the same length as the text.

    """

    def __init__(self, text: str) -> None:
        lower = text.lower()
        self.lower_text = (
            lower
            if len(lower) == len(text)
            else "".join(_lower_one(character) for character in text)
        )
        self.entities = []
        self.scores = []

    def __getattr__(self, name: str) -> Any:
        """Return tokens, lemmas, keywords or where they begin; ours do without them."""
        if name not in _WORD_ATTRIBUTES:
            raise AttributeError(name)
        matches = list(_WORD.finditer(self.lower_text))
        words = [match.group() for match in matches]
        self.__dict__.update(tokens=words, lemmas=words, keywords=words)
        self.__dict__["tokens_indices"] = [match.start() for match in matches]
        return self.__dict__[name]


def _lower_one(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


class TextEngine(NlpEngine):
    """An engine that only lowers the text."""

    engine_name = "text"
    is_available = True

    def load(self) -> None:
        """Do nothing: there is no model."""

    def is_loaded(self) -> bool:
        """Say yes."""
        return True

    def process_text(self, text: str, language: str) -> TextArtifacts:
        """Return the artifacts of a text."""
        del language
        return TextArtifacts(text)

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,
        n_process: int = 1,
        **_options: Any,
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Yield texts with their artifacts, one by one."""
        del batch_size, n_process
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        """Say no: labels such as "call" count."""
        del word, language
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Say whether it has no letter or digit."""
        del language
        return not any(character.isalnum() for character in word)

    def get_supported_entities(self) -> list[str]:
        """Return none: there is no model."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Return English; what is not words does not depend on it."""
        return [LANGUAGE]


class NearbyWords(ContextAwareEnhancer):
    """Makes a weak finding credible when a word of its context stands near, on the same line.

    The words are the finding's own (`CONTEXT_KEY` of its metadata), else its recogniser's.
    """

    def __init__(self) -> None:
        super().__init__(
            context_similarity_factor=0.0,
            min_score_with_context_similarity=CONFIDENT,
            context_prefix_count=_WORDS_BEFORE,
            context_suffix_count=_WORDS_AFTER,
        )

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Return the findings, some with a higher score."""
        if not isinstance(nlp_artifacts, TextArtifacts):
            nlp_artifacts = TextArtifacts(text)
        weak = [item for item in raw_results if item.score < CONFIDENT]
        if not weak:
            return raw_results
        by_recogniser = {
            recogniser.id: frozenset(word.lower() for word in recogniser.context or ())
            for recogniser in recognizers
        }
        given = frozenset(word.lower() for word in context or ())
        for item in weak:
            metadata = item.recognition_metadata
            wanted = metadata.get(CONTEXT_KEY) or by_recogniser.get(
                metadata.get(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY), frozenset()
            )
            if not wanted and not given:
                continue
            near = find_words_near(nlp_artifacts.lower_text, item.start, item.end)
            if given or not wanted.isdisjoint(near):
                item.score = CONFIDENT
        return raw_results


def find_words_near(lower_text: str, start: int, end: int) -> set[str]:
    """Return the words before and after a stretch on its line; "phone:" also as "phone"."""
    before = lower_text[max(0, start - CHARACTERS_BEFORE) : start]
    before = before[before.rfind("\n") + 1 :]
    after = lower_text[end : end + _CHARACTERS_AFTER].split("\n", 1)[0]
    # A pseudonym is no context, else a text that is masked twice would lose more.
    before, after = _MASKED.sub(" ", before), _MASKED.sub(" ", after)
    words = _WORD.findall(before)[-_WORDS_BEFORE:] + _WORD.findall(after)[:_WORDS_AFTER]
    return {*words, *(word.rstrip(":") for word in words)}

# SPDX-License-Identifier: Apache-2.0
"""What single words give away, in one recogniser: presidio does work for every one of them."""

from typing import Any, Final

from guardrails.findings import make_result
from guardrails.listed_names import find_listed_names
from guardrails.name_positions import find_names_by_position
from guardrails.pattern_parts import LANGUAGE
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult
from guardrails.secret_tokens import find_secrets
from guardrails.strange_words import find_strange_words

_SECRET_SCORE: Final = 0.81
_PERSON_SCORE: Final = 0.75
_WORD_SCORE: Final = 0.74


class WordRecogniser(LocalRecognizer):
    """Passwords by their look, people of our lists, accounts and hosts that are no words."""

    def __init__(self) -> None:
        super().__init__(
            supported_entities=["HOST", "PERSON", "SECRET", "USERNAME"], supported_language=LANGUAGE
        )

    def load(self) -> None:
        """Do nothing: there is no model."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return what the words of a text give away."""
        del entities, nlp_artifacts
        return [
            *(make_result(self, "SECRET", *place, _SECRET_SCORE) for place in find_secrets(text)),
            *(
                make_result(self, "PERSON", *place, _PERSON_SCORE)
                for find in (find_listed_names, find_names_by_position)
                for place in find(text)
            ),
            *(
                make_result(self, entity, start, end, _WORD_SCORE)
                for start, end, entity in find_strange_words(text)
            ),
        ]

# SPDX-License-Identifier: Apache-2.0
"""Names in a script other than the text's: in an English ticket they are hardly anything else."""

# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.findings import make_result
from guardrails.pattern_parts import LANGUAGE
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult

_LATIN: Final = regex.compile(r"[A-Za-z]")
_LETTER: Final = regex.compile(r"\p{L}")
# One to five words of one script; where the script has capitals, each begins with one.
_RUN: Final = regex.compile(
    r"(?:[\p{Han}\p{Hiragana}\p{Katakana}\u30fc\u3005]{1,12}(?:[ \u3000\u30fb][\p{Han}\p{Hiragana}\p{Katakana}\u30fc\u3005]{1,12}){0,3}"
    r"|\p{Hangul}{1,8}(?:[ ]\p{Hangul}{1,8}){0,3}"
    r"|\p{Arabic}{2,16}(?:[ ]\p{Arabic}{2,16}){0,4}|\p{Hebrew}{2,16}(?:[ ]\p{Hebrew}{2,16}){0,4}"
    r"|[\p{Devanagari}]{2,20}(?:[ ][\p{Devanagari}]{2,20}){0,4}|\p{Thai}{2,30}(?:[ ]\p{Thai}{2,30}){0,3}"
    r"|[\p{Bengali}\p{Tamil}\p{Telugu}\p{Gujarati}\p{Gurmukhi}\p{Kannada}\p{Malayalam}\p{Georgian}\p{Armenian}\p{Ethiopic}]{2,24}(?:[ ][\p{Bengali}\p{Tamil}\p{Telugu}\p{Gujarati}\p{Gurmukhi}\p{Kannada}\p{Malayalam}\p{Georgian}\p{Armenian}\p{Ethiopic}]{2,24}){0,4}"
    r"|(?=\p{Lu})[\p{Cyrillic}-]{1,24}\.?(?:[ ](?=\p{Lu})[\p{Cyrillic}-]{1,24}\.?){0,3}"
    r"|(?=\p{Lu})[\p{Greek}-]{2,24}(?:[ ](?=\p{Lu})[\p{Greek}-]{2,24}){0,3})(?<![.])"
)
_SHARE_OF_LATIN: Final = 0.35


class OtherScriptRecogniser(LocalRecognizer):
    """Words of another script in a text that is mostly Latin, as persons."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Do nothing: there is no model."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the runs, none in a text that is written in such a script."""
        del entities, nlp_artifacts
        if text.isascii():
            return []
        letters = len(_LETTER.findall(text))
        if len(_LATIN.findall(text)) < _SHARE_OF_LATIN * letters:
            return []
        return [
            make_result(self, "PERSON", match.start(), match.end(), 0.6)
            for match in _RUN.finditer(text)
            if match.end() - match.start() > 1
        ]

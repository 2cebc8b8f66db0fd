# SPDX-License-Identifier: Apache-2.0
"""Finds the names of outsiders, whom no directory lists, with the trained name model.

Until a model has been trained, which an installation does at its first start, nothing is found
here, masking goes on with the directory and with patterns, and the log says so.
"""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from guardrails.errors import NameModelError
from guardrails.findings import make_result
from guardrails.foreign_words import are_foreign_words
from guardrails.label_words import is_label
from guardrails.name_decoding import FoundName, decode, list_doubtful
from guardrails.name_samples import ENTITIES
from guardrails.name_scoring import NameScorer
from guardrails.name_store import load_model
from guardrails.pattern_parts import LANGUAGE
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult
from guardrails.stretches import Stretches
from kernel.logs import get_logger

LOOK_AGAIN_SECONDS: Final = 30.0
MAX_RESULT_SCORE: Final = 0.79  # what a recogniser with context or check digits found comes first
# No entity: a word to look at again once others are known.
DOUBTFUL: Final = "DOUBTFUL"
_SENTENCE_WORDS: Final = 2
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
# As processes and services are called, in small letters: `demo-burner`. Names of people that are
# written so are in our lists.
_PROGRAM: Final = re.compile(r"[a-z\d]+(?:[-_.][a-z\d]+)+")
_BEFORE_PROGRAM: Final = re.compile(r"(?i)\b(?:process|service|daemon|program)[ ]\Z")
_JOINTS, _JOINTS_AFTER = tuple("-_:./\\@"), tuple("-_/\\@")
# A piece of a number, or its unit, is no name: `15.4 WAL`, `10 min`.
_NUMBER_BEFORE: Final = re.compile(r"\d[.,]\Z")
_UNIT: Final = re.compile(r"(?:min|sec|hrs?|ms|mins|secs|std|sek)\b")
_UNIT_BEFORE: Final = re.compile(r"\d[ ]\Z")
_REACH: Final = 12  # characters
_log = get_logger(__name__)


def _is_program(text: str, start: int, end: int) -> bool:
    """Say whether a name in small letters is, or is part of, a process's or a service's."""
    name = text[start:end]
    if name != name.lower():
        return False
    return bool(
        text[max(0, start - 1) : start] in _JOINTS
        or text[end : end + 1] in _JOINTS_AFTER
        or _PROGRAM.fullmatch(name)
        or _BEFORE_PROGRAM.search(text, max(0, start - _REACH), start)
    )


def _is_of_number(text: str, start: int, end: int) -> bool:
    """Say whether a name is cut from a number, or a unit behind one."""
    first = max(0, start - _REACH)
    if text[start : start + 1].isdigit() and _NUMBER_BEFORE.search(text, first, start):
        return True
    return bool(_UNIT.fullmatch(text, start, end) and _UNIT_BEFORE.search(text, first, start))


def _is_identifier(text: str) -> bool:
    """Say whether a text is one word in small letters: a process or a metric, no sentence."""
    return text == text.lower() and len(text.split(maxsplit=1)) < _SENTENCE_WORDS


class NameRecogniser(LocalRecognizer):
    """People, places, organisations and addresses, wherever a text lets them be recognised.

    Safe to call from several threads.

    Args:
        folder: of the name models of an installation.
        when_found: called when a model was found that was not there before.
        monotonic_seconds: the clock by which a missing model is looked for again.

    """

    def __init__(
        self,
        folder: Path,
        when_found: Callable[[], None] = lambda: None,
        *,
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._when_found = when_found
        self._seconds = monotonic_seconds
        self._lock = threading.Lock()
        self._scorer: NameScorer | None = None
        self._look_at = float("-inf")
        super().__init__(supported_entities=list(ENTITIES), supported_language=LANGUAGE)

    @property
    def is_trained(self) -> bool:
        """Whether a model was found, so that names of outsiders are."""
        return self._scorer is not None

    def load(self) -> None:
        """Load the model, if there is one; presidio calls this when a recogniser is made."""
        with self._lock:
            self._obtain_scorer()

    def find_names(self, text: str) -> list[FoundName]:
        """Return the names in a text, in order; of other scripts than Latin it learnt nothing."""
        return self._look(text)[0]

    def _look(self, text: str) -> tuple[list[FoundName], list[tuple[int, int]]]:
        """Return the names in a text, and the words that are none and might be with other ones."""
        with self._lock:
            scorer = self._obtain_scorer()
            if scorer is None or _is_identifier(text):
                return [], []
            places, scores = scorer.score(text)
        found = decode(text, places, scores)
        names = [
            name
            for name in found
            if _LATIN.search(text, name.start, name.end)
            and not _is_program(text, name.start, name.end)
            and not _is_of_number(text, name.start, name.end)
            and not are_foreign_words(text[name.start : name.end])
            and not is_label(name.entity, text[name.start : name.end])
        ]
        known = Stretches((name.start, name.end) for name in names)
        doubtful = [place for place in list_doubtful(places, scores) if not known.hold(*place)]
        return names, doubtful

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the names in a text as presidio wants them, and words that are `DOUBTFUL`."""
        del nlp_artifacts
        names, doubtful = self._look(text)
        return [
            *(
                make_result(
                    self, name.entity, name.start, name.end, min(name.score, MAX_RESULT_SCORE)
                )
                for name in names
                if name.entity in entities
            ),
            *(make_result(self, DOUBTFUL, *place, MAX_RESULT_SCORE) for place in doubtful),
        ]

    def _obtain_scorer(self) -> NameScorer | None:
        if self._scorer is None and self._seconds() >= self._look_at:
            first = self._look_at < 0
            self._look_at = self._seconds() + LOOK_AGAIN_SECONDS
            try:
                model = load_model(self._folder)
                if model is not None:
                    self._scorer = NameScorer(model)
                    self._when_found()
            except NameModelError as error:
                _log.error("name model refused", reason=str(error))
            if self._scorer is None and first:
                _log.warning(
                    "names of outsiders are not recognised",
                    reason="no name model has been trained yet; `eucora prepare` trains one",
                )
        return self._scorer

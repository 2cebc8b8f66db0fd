# SPDX-License-Identifier: Apache-2.0
"""Personal data out, pseudonyms in: `Jane Doe` becomes `<PERSON_1>`.

Every call numbers anew, and the same original has the same pseudonym within a call. What a text
already contains in the form of a pseudonym is left alone and its number is not given again, so
masking twice changes nothing. Text is made plain first (guardrails.sanitise), because invisible
characters would hide identifiers. Names: the directory's, exactly, and those that context gives
away; a trained recogniser is a later step.
"""

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from guardrails.errors import MaskingError
from guardrails.identifier_patterns import KEY_ENTITIES, LANGUAGE, SYSTEM_ACCOUNTS
from guardrails.sanitise import plain_text

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

PSEUDONYM: Final = re.compile(r"<([A-Z][A-Z_]{1,15})_(\d{1,6})>")
MAX_DEPTH: Final = 64
MIN_KNOWN_CHARACTERS: Final = 2  # a single letter is in every text
_CHUNK_CHARACTERS: Final = 16_384
_CACHED_TEXTS: Final = 4096
_CACHED_CHARACTERS: Final = 256

Span = tuple[int, int, str]  # start, end, entity


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedText:
    """A text without personal data, and what was taken out.

    Attributes:
        text: safe to log, to store and to give to a model.
        originals: {pseudonym: original}; belongs in the vault and nowhere else.

    """

    text: str
    originals: Mapping[str, str] = field(repr=False)


class Masker:
    """Masks texts and JSON values. Safe to call from several threads.

    Presidio loads slowly, so it is loaded with the first text, or by `warm_up`.

    Args:
        names: people of the directory, to begin with.
        name_models: the folder of the models that recognise names of outsiders; None is without.

    """

    def __init__(self, names: Iterable[str] = (), *, name_models: Path | None = None) -> None:
        self._name_models = name_models
        self._lock = threading.Lock()
        self._analyser: AnalyzerEngine | None = None
        self._find_short = lru_cache(maxsize=_CACHED_TEXTS)(self._find_spans)
        self.set_directory(names)

    def set_directory(self, names: Iterable[str], hosts: Iterable[str] = ()) -> None:
        """Replace the names of people, and of hosts, that are masked wherever they stand."""
        with self._lock:
            self._directory = (tuple(names), tuple(hosts))
            self._analyser = None
            self._find_short = lru_cache(maxsize=_CACHED_TEXTS)(self._find_spans)

    def warm_up(self) -> None:
        """Load presidio now (a second or two), so that the first text need not wait."""
        self._obtain_analyser()

    def _obtain_analyser(self) -> "AnalyzerEngine":
        with self._lock:
            if self._analyser is None:
                from guardrails.recognisers import build_analyser  # noqa: PLC0415 - slow import

                self._analyser = build_analyser(*self._directory, name_models=self._name_models)
            return self._analyser

    def mask(self, text: str, known: Mapping[str, str] | None = None) -> MaskedText:
        """Return the masked text.

        Args:
            text: any text.
            known: {pseudonym: original} of an earlier call, or known from elsewhere: the numbering
                goes on, and these originals are masked wherever they stand as words.

        Raises:
            MaskingError: the analysis failed; the text must not be passed on.

        """
        return self.mask_many((text,), known)[0]

    def mask_many(
        self, texts: Sequence[str], known: Mapping[str, str] | None = None
    ) -> tuple[MaskedText, ...]:
        """Mask several texts with one numbering; each has only its own originals."""
        plain = [plain_text(text) for text in texts]
        pseudonyms = _Pseudonyms(plain, known or {})
        return tuple(self._mask_plain(text, pseudonyms) for text in plain)

    def mask_value(self, value: Any) -> Any:
        """Return a JSON value with all its strings masked, keys too, with one numbering.

        A string or number under a key such as `hostname` or `user` is masked whole.

        Raises:
            MaskingError: the value is nested deeper than 64 or is not JSON.

        """
        texts: list[str] = []
        _collect_texts(value, texts, 0)
        return self._mask_json(value, _Pseudonyms(texts, {}))

    def _mask_json(self, value: Any, pseudonyms: "_Pseudonyms") -> Any:
        if isinstance(value, str):
            return self._mask_plain(plain_text(value), pseudonyms).text
        if isinstance(value, Mapping):
            return {
                self._mask_plain(plain_text(key), pseudonyms).text: self._mask_field(
                    key, item, pseudonyms
                )
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._mask_json(item, pseudonyms) for item in value]
        return value

    def _mask_field(self, key: str, value: Any, pseudonyms: "_Pseudonyms") -> Any:
        entity = KEY_ENTITIES.get(key.lower())
        if entity is None or not isinstance(value, str):
            return self._mask_json(value, pseudonyms)
        plain = plain_text(value)
        if not plain.strip() or PSEUDONYM.fullmatch(plain):
            return plain
        return pseudonyms.give(entity, plain)

    def _mask_plain(self, text: str, pseudonyms: "_Pseudonyms") -> MaskedText:
        pieces: list[str] = []
        originals: dict[str, str] = {}
        done = 0
        found = (*self._list_spans(text), *pseudonyms.find_known(text))
        for start, end, entity in _unite(found):
            original = text[start:end]
            pseudonym = pseudonyms.give(entity, original)
            originals[pseudonym] = pseudonyms.original_of(pseudonym)
            pieces += (text[done:start], pseudonym)
            done = end
        pieces.append(text[done:])
        return MaskedText(text="".join(pieces), originals=MappingProxyType(originals))

    def _list_spans(self, text: str) -> tuple[Span, ...]:
        if len(text) <= _CACHED_CHARACTERS:
            return self._find_short(text)
        if len(text) <= _CHUNK_CHARACTERS:
            return self._find_spans(text)
        spans: list[Span] = []
        for offset, chunk in _split_lines(text):
            spans += ((s + offset, e + offset, entity) for s, e, entity in self._find_spans(chunk))
        return tuple(spans)

    def _find_spans(self, text: str) -> tuple[Span, ...]:
        if len(text.strip()) < 2 or text.isdigit():
            return ()
        analyser = self._analyser or self._obtain_analyser()
        try:
            results = analyser.analyze(text, LANGUAGE)
        except Exception as error:
            raise MaskingError(f"masking failed: {type(error).__name__}") from error
        taken = [match.span() for match in PSEUDONYM.finditer(text)]
        results.sort(key=lambda item: (-item.score, item.start - item.end, item.start))
        spans: list[Span] = []
        for item in results:
            if all(item.end <= start or end <= item.start for start, end in taken):
                taken.append((item.start, item.end))
                spans.append((item.start, item.end, item.entity_type))
        return tuple(sorted(spans))


class _Pseudonyms:
    """Gives pseudonyms during one call."""

    def __init__(self, texts: Iterable[str], known: Mapping[str, str]) -> None:
        self._originals = dict(known)
        self._by_original: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self._known: dict[str, list[str]] = {}
        for pseudonym, original in known.items():
            if match := PSEUDONYM.fullmatch(pseudonym):
                self._by_original[match[1], original.casefold()] = pseudonym
                self._known.setdefault(match[1], []).append(plain_text(original).strip())
        for source in (*texts, *known):
            for match in PSEUDONYM.finditer(source):
                self._numbers[match[1]] = max(self._numbers.get(match[1], 0), int(match[2]))

    def find_known(self, text: str) -> Iterable[Span]:
        """Yield the places, outside of pseudonyms, where a known original stands as a word."""
        taken = [match.span() for match in PSEUDONYM.finditer(text)] if self._known else []
        for entity, originals in self._known.items():
            for original in originals:
                if len(original) < MIN_KNOWN_CHARACTERS or original.casefold() in SYSTEM_ACCOUNTS:
                    continue
                words = rf"(?<![^\W_]){re.escape(original)}(?![^\W_])"
                for match in re.finditer(words, text, re.IGNORECASE):
                    first, last = match.span()
                    if all(last <= start or end <= first for start, end in taken):
                        yield first, last, entity

    def give(self, entity: str, original: str) -> str:
        key = entity, original.casefold()
        if key not in self._by_original:
            number = self._numbers[entity] = self._numbers.get(entity, 0) + 1
            self._by_original[key] = pseudonym = f"<{entity}_{number}>"
            self._originals[pseudonym] = original
        return self._by_original[key]

    def original_of(self, pseudonym: str) -> str:
        return self._originals[pseudonym]


def _unite(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one; it is what the longest of them is."""
    united: list[Span] = []
    longest = 0
    for start, end, entity in sorted(spans):
        if not united or united[-1][1] <= start:
            united.append((start, end, entity))
            longest = end - start
            continue
        before = united[-1]
        kind = entity if end - start > longest else before[2]
        united[-1] = (before[0], max(before[1], end), kind)
        longest = max(longest, end - start)
    return united


def _collect_texts(value: Any, texts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MaskingError("the value is nested too deeply")
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise MaskingError("a key is not a string")
            texts.append(key)
            _collect_texts(item, texts, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect_texts(item, texts, depth + 1)
    elif not (value is None or isinstance(value, bool | int | float)):
        raise MaskingError(f"{type(value).__name__} is not JSON")


def _split_lines(text: str) -> Iterable[tuple[int, str]]:
    """Yield (offset, piece) of bounded length, cut after a line or a space where there is one."""
    start = 0
    while start < len(text):
        end = min(start + _CHUNK_CHARACTERS, len(text))
        if end < len(text):
            floor = start + _CHUNK_CHARACTERS // 2
            cut = max(text.rfind("\n", floor, end), floor - 1)
            if cut < floor:
                cut = max(text.rfind(" ", floor, end), floor - 1)
            end = cut + 1 if cut >= floor else end
        yield start, text[start:end]
        start = end

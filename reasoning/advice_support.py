# SPDX-License-Identifier: Apache-2.0
"""Whether a cited passage supports a sentence, and which of its characters do.

A sentence is supported by a window of one to three sentences of a passage that it cites when the
window holds most of its words (stems), every number and every word that turns a meaning round,
affirms and denies the same words in the sentences where it stands (`reasoning.negation`), and means
nearly the same (cosine of MiniLM vectors). Strict on purpose: what is refused costs an explanation,
what is passed is shown to who decides. The thresholds were measured by
`python -m benchmarks.injection` (docs/injection.md).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from guardrails.output_checks import detect_language
from reasoning.negation import KNOWN_LANGUAGES, knows_language, list_readings, read_polarity
from reasoning.untrusted import ChunkId, UntrustedText
from retrieval.embedding import Embedder
from retrieval.keywords import list_terms

MIN_COVERAGE: Final = 0.65  # share of the sentence's stems that the window has
MIN_COSINE: Final = 0.60
MAX_WINDOW_SENTENCES: Final = 3
MAX_PASSAGE_CHARACTERS: Final = 6_000
MAX_REACH: Final = 80  # characters within which a negation's word stands
MAX_WINDOWS: Final = 6  # that are embedded for one sentence, those with the most words first
_SENTENCE: Final = re.compile(r"[^\s.!?][^\n]*?(?:[.!?](?=\s|$)|$)", re.MULTILINE)
_NEGATION: Final = re.compile(
    r"\b(?:not|no(?!\.?\s*\d+\b)|never|none|nothing|cannot|without|neither|nor|hardly|avoid)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_NEGATE_BY_NO: Final = frozenset({"en", "es"})  # Portuguese says "no servidor": on the server
# Words of which another one, or none, makes a sentence say the opposite or claim a decision.
_TURNING_WORDS: Final = """
enable disable start stop restart begin end open close allow block permit forbid deny add remove
delete install uninstall keep lose increase decrease raise lower more less before after first last
above below over under safe unsafe dangerous harmless on off always never only all every must may
should optional required need necessary approve approval approver reject review reviewed board
policy risk exempt exception urgent authorised authorized permission sign audit freeze trust
verified automatic automatically valid invalid full empty connect disconnect lock unlock encrypt
decrypt grow shrink high low fast slow up down true false succeed fail"""
# Stems of words of which another one, or none, turns a sentence round or claims a decision.
_TURNING: Final = frozenset(term for term in list_terms(_TURNING_WORDS) if " " not in term)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedPassage:
    """A passage as it may be cited."""

    chunk_id: ChunkId
    text: UntrustedText


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedSentence:
    """A sentence of a language model with the passages that it cites."""

    sentence: UntrustedText
    citations: tuple[ChunkId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Characters of a passage that support a sentence: offsets in the passage's text."""

    chunk_id: ChunkId
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    ground: Ground
    text: str
    coverage: float


class SupportJudge:
    """Finds what supports sentences, with the embedder that search uses."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def find_grounds(
        self, sentences: Sequence[CitedSentence], passages: Sequence[QuotedPassage]
    ) -> list[Ground | None]:
        """Return for each sentence the best support in the passages it cites, None for none."""
        texts = {passage.chunk_id: passage.text.to_weigh for passage in passages}
        windows = [_find_windows(cited, texts) for cited in sentences]
        asked = [
            text
            for cited, found in zip(sentences, windows, strict=True)
            if found
            for text in (cited.sentence.to_weigh, *(window.text for window in found))
        ]
        vectors = iter(await self._embedder.embed(asked) if asked else ())
        grounds: list[Ground | None] = []
        for found in windows:
            best: tuple[float, Ground] | None = None
            sentence = next(vectors) if found else None
            for window in found:
                cosine = float(next(vectors) @ sentence)
                if cosine >= MIN_COSINE and (best is None or cosine > best[0]):
                    best = cosine, window.ground
            grounds.append(best[1] if best else None)
        return grounds


def _find_windows(cited: CitedSentence, texts: dict[ChunkId, str]) -> list[_Window]:
    sentence = cited.sentence.to_weigh
    if not knows_language(detect_language(sentence)):
        return []  # who cannot tell what it denies cannot tell whether it is supported
    stems = _list_stems(sentence)
    must = {stem for stem in stems if stem in _TURNING or any(map(str.isdigit, stem))}
    found: list[_Window] = []
    for chunk_id in dict.fromkeys(cited.citations):
        passage = texts.get(chunk_id, "")
        readings = _list_readings(sentence, passage)
        found.extend(
            _Window(
                ground=Ground(chunk_id=chunk_id, start=start, end=end),
                text=window,
                coverage=len(stems & held) / len(stems),
            )
            for start, end, window in _cut_windows(passage)
            if stems
            and must <= (held := _list_stems(window))
            and len(stems & held) >= MIN_COVERAGE * len(stems)
            and all(each.allows(passage, start, end, stems) for each in readings)
        )
    found.sort(key=lambda window: (-window.coverage, len(window.text)))
    return found[:MAX_WINDOWS]


class _Reading:
    """A sentence and a passage, read in the languages that they may be in."""

    def __init__(self, sentence: str, ours: frozenset[str], theirs: frozenset[str]) -> None:
        self._theirs = theirs
        self._denied = _list_denied(sentence, ours)
        self._said = read_polarity(sentence, languages=ours)

    def allows(self, passage: str, start: int, end: int, stems: set[str]) -> bool:
        """Tell whether a part of the passage affirms and denies stems as the sentence does."""
        window = passage[start:end]
        held = _list_stems(window)
        return (
            _list_denied(window, self._theirs) & stems == self._denied
            and self._denied <= held
            and read_polarity(passage, start, end, languages=self._theirs).allows(
                self._said, stems & held
            )
        )


def _list_readings(sentence: str, passage: str) -> list[_Reading]:
    """Return the ways to read both, in all of which they have to agree.

    Where only one side's language can be told, the other is read in it. Where neither can, both
    are read in every language.
    """
    passage = passage[:MAX_PASSAGE_CHARACTERS]
    ours, theirs = _find_languages(sentence), _find_languages(passage, *passage.split("\n\n"))
    if ours or theirs:
        return [_Reading(sentence, ours or theirs, theirs or ours)]
    return [_Reading(sentence, each, each) for each in list_readings(sentence)]


def _find_languages(*texts: str) -> frozenset[str]:
    """Return the codes of the texts' languages that can be told and whose negations are known."""
    return frozenset(map(detect_language, texts)) & KNOWN_LANGUAGES


def _list_stems(text: str) -> set[str]:
    return {term for term in list_terms(text) if " " not in term}


def _list_denied(text: str, languages: frozenset[str]) -> set[str]:
    """Return the stems that negations stand before: of "is not full", the one of "full"."""
    denied: set[str] = set()
    negates_by_no = not languages or languages & _NEGATE_BY_NO
    for found in _NEGATION.finditer(text):
        if found[0].lower() == "no" and not negates_by_no:
            continue
        rest = re.split(r"[.!?;\n]", text[found.end() : found.end() + MAX_REACH])[0]
        denied.update(next(([term] for term in list_terms(rest) if " " not in term), []))
    return denied


def _cut_windows(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield one to three sentences in a row with their offsets."""
    text = text[:MAX_PASSAGE_CHARACTERS]
    spans = [found.span() for found in _SENTENCE.finditer(text)]
    for first, (start, _) in enumerate(spans):
        for _, end in spans[first : first + MAX_WINDOW_SENTENCES]:
            yield start, end, text[start:end]

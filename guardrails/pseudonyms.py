# SPDX-License-Identifier: Apache-2.0
"""Pseudonyms of one call, and presidio's anonymizer as what writes them into a text.

"Anna Schmidt", "Schmidt, A." and "Anna" are one person as long as nobody else in the case could be
meant; where two could, the shorter form has a pseudonym of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from guardrails.directory import Directory
from guardrails.encoded_text import DecodedText, may_be_encoded
from guardrails.findings import Span, leave_kept
from guardrails.known_originals import KnownOriginals
from guardrails.pattern_parts import PSEUDONYM
from guardrails.person_names import may_be_same, name_key
from guardrails.presidio_runtime import (
    AnonymizerEngine,
    FoundSpan,
    Operator,
    OperatorConfig,
    OperatorType,
)
from guardrails.sanitise import plain_text

GREATEST_FOREIGN_NUMBER: Final = 99_999  # that a text may take away by writing it
MAX_NAMESAKES: Final = 256  # persons with one part of a name; with more nobody is meant by it
_PIECE_CHARACTERS: Final = 8192
_PERSON: Final = "PERSON"
_OPERATOR: Final = "pseudonym"


class Pseudonyms:
    """Gives pseudonyms during one call.

    Args:
        texts: what will be masked; numbers that stand in it are not given again.
        known: {pseudonym: original} to begin with.
        own: people and machines of the case itself.
        taken: the greatest number by kind that was given before.

    """

    def __init__(
        self,
        texts: Iterable[str],
        known: Mapping[str, str],
        own: Directory | None = None,
        taken: Mapping[str, int] | None = None,
    ) -> None:
        self._own = own
        self._originals = dict(known)
        self._by_original: dict[tuple[str, str], str] = {}
        self._by_part: dict[str, set[str]] = {}
        self._numbers: dict[str, int] = dict(taken or {})
        self._known = KnownOriginals()
        self._echoes = KnownOriginals()
        for pseudonym, original in known.items():
            if match := PSEUDONYM.fullmatch(pseudonym):
                self._by_original[match[1], original.casefold()] = pseudonym
                self._known.add(match[1], plain_text(original))
                if match[1] == _PERSON:
                    self._remember_person(pseudonym, original)
        for text in texts:
            self._leave_numbers(text, GREATEST_FOREIGN_NUMBER)
            if may_be_encoded(text):  # `&lt;PERSON_1&gt;` will be read as ours
                self._leave_numbers(DecodedText(text).text, GREATEST_FOREIGN_NUMBER)
        for pseudonym in known:
            self._leave_numbers(pseudonym, 10**6)

    def _leave_numbers(self, text: str, bound: int) -> None:
        """Give no number up to those that a text has already."""
        for match in PSEUDONYM.finditer(text):
            if int(match[2]) <= bound:
                self._numbers[match[1]] = max(self._numbers.get(match[1], 0), int(match[2]))

    def find_known(self, text: str) -> Iterable[Span]:
        """Yield the places, outside of pseudonyms, of known originals and of the case's own."""
        if self._own is not None:
            yield from leave_kept(text, self._own.find_spans(text))
        yield from self._known.find(text)

    def mask_everywhere(self, entity: str, original: str) -> None:
        """Mask an original wherever it stands as a word from now on."""
        self._known.add(entity, original)

    def mask_echo(self, entity: str, word: str) -> None:
        """Mask a word that a text of the call gave away, where nothing else is known of it."""
        self._echoes.add(entity, word)

    def find_echoes(self, text: str) -> Iterable[Span]:
        """Yield the places, outside of pseudonyms, of what other texts gave away."""
        yield from self._echoes.find(text)

    def give(self, entity: str, original: str) -> str:
        """Return the pseudonym of an original, the same for the same and for the same person."""
        key = entity, original.casefold()
        if key not in self._by_original:
            pseudonym = self._find_same_person(original) if entity == _PERSON else None
            if pseudonym is None:
                number = self._numbers[entity] = self._numbers.get(entity, 0) + 1
                pseudonym = f"<{entity}_{number}>"
                self._originals[pseudonym] = original
                if entity == _PERSON:
                    self._remember_person(pseudonym, original)
            self._by_original[key] = pseudonym
        return self._by_original[key]

    @property
    def originals(self) -> dict[str, str]:
        """What stands behind the pseudonyms that were known or given: {pseudonym: original}."""
        return dict(self._originals)

    def _remember_person(self, pseudonym: str, original: str) -> None:
        for part in name_key(original):
            self._by_part.setdefault(part, set()).add(pseudonym)

    def _find_same_person(self, original: str) -> str | None:
        """Return the pseudonym of the only person that a name can mean, None if there is none."""
        key = name_key(original)
        near = {
            one
            for part in key
            if len(part) > 1 and len(named := self._by_part.get(part, ())) <= MAX_NAMESAKES
            for one in named
        }
        same = {
            one
            for one in near
            if may_be_same(key, other := name_key(self._originals[one]))
            or (len(other) > 1 and may_be_same(other, key))
        }
        return same.pop() if len(same) == 1 else None

    def original_of(self, pseudonym: str) -> str:
        """Return what a pseudonym stands for: of several ways of writing, the first."""
        return self._originals[pseudonym]


class PseudonymOperator(Operator):
    """Presidio's operator that writes the pseudonym of a text's entity."""

    def operate(self, text: str, params: dict[str, Any] | None = None) -> str:
        """Return the pseudonym."""
        given = params or {}
        pseudonym: str = given["give"](given["entity_type"], text)
        return pseudonym

    def validate(self, params: dict[str, Any] | None = None) -> None:
        """Do nothing: this package alone calls it."""
        del params

    def operator_name(self) -> str:
        """Return its name."""
        return _OPERATOR

    def operator_type(self) -> OperatorType:
        """Say that it anonymises."""
        return OperatorType.Anonymize


class PseudonymWriter:
    """Writes pseudonyms over spans, with presidio's anonymizer."""

    def __init__(self) -> None:
        self._engine: Any = AnonymizerEngine()  # type: ignore[no-untyped-call]  # presidio's gap
        self._engine.add_anonymizer(PseudonymOperator)

    def write(self, text: str, spans: Sequence[Span], pseudonyms: Pseudonyms) -> str:
        """Return the text with every span replaced; spans in order and apart from each other.

        The anonymizer works from the end and copies the text once a span: numbers are given first,
        in reading order, and a long text is written in pieces, cut between spans.
        """
        for start, end, entity in spans:
            pseudonyms.give(entity, text[start:end])
        pieces: list[str] = []
        waiting: list[Span] = []
        begin = 0
        for span in spans:
            if waiting and span[1] - begin > _PIECE_CHARACTERS:
                cut = waiting[-1][1]
                pieces.append(self._write_piece(text[begin:cut], begin, waiting, pseudonyms))
                begin, waiting = cut, []
            waiting.append(span)
        pieces.append(self._write_piece(text[begin:], begin, waiting, pseudonyms))
        return "".join(pieces)

    def _write_piece(
        self, piece: str, offset: int, spans: Sequence[Span], pseudonyms: Pseudonyms
    ) -> str:
        if not spans:
            return piece
        written: str = self._engine.anonymize(
            text=piece,
            analyzer_results=[
                FoundSpan(entity, start - offset, end - offset, 1.0) for start, end, entity in spans
            ],
            operators={"DEFAULT": OperatorConfig(_OPERATOR, {"give": pseudonyms.give})},
            merge_entities_with_spaces=False,
        ).text
        return written

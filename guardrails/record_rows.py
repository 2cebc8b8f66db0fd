# SPDX-License-Identifier: Apache-2.0
"""What a row says of a person: beside a name or a number of the state, bare values are personal.

`3; Ramos, Barbara; 03209041; 20-May-1961` has no header, and no word that says what its cells are.
A row is a line; only the lines in which something was found already are read.
"""

# ruff: noqa: E501 - a regular expression does not read better in pieces

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guardrails.findings import Span
from guardrails.pattern_parts import compile_bounded
from guardrails.stretches import Stretches
from guardrails.vocabulary import is_common, is_english, is_listed

MAX_LINE_CHARACTERS: Final = 1000
# Of one person alone, so that who stands beside them is that person.
_OF_ONE: Final = frozenset(
    ("BANK_ACCOUNT", "CARD", "IBAN", "LICENCE", "NATIONAL_ID", "PASSPORT", "SSN")
)
_PERSON: Final = "PERSON"
_MAY_BE_PERSON: Final = frozenset((_PERSON, "ORGANIZATION", "LOCATION", "ADDRESS"))
_OTHERS: Final = frozenset(("SECRET", "SERIAL", "EMPLOYEE", "DEVICE_ID", "PHONE", "EMAIL"))
_OF_BIRTH: Final = compile_bounded(
    r"(?i:\b(?:birth|born|dob|d\.o\.b|geb(?:oren|urtsdatum)?|n\u00e9e?|naissance|nacimiento|nacid[oa])\b)"
)
_MIN_CELLS: Final = 3
_MAX_WORDS: Final = 3  # of a cell that may be a name
# What a separator has, and how it is written.
_SEPARATORS: Final = tuple(
    (signs, compile_bounded(separator))
    for signs, separator in (
        (";", r"[ ]?;[ ]?"), ("\t", r"[ ]?\t[ ]?"), ("|", r"[ ]?\|[ ]?"), ("/", r"[ ]/[ ]"),
        ("-\u2013", r"[ ][-\u2013][ ]"), (",", r",[ ]?"),
    )
)  # fmt: skip
_NUMBERING: Final = compile_bounded(r"[ \t]*(?:\d{1,3}[.)]|[-*\u2022])[ ]")
_DIGIT: Final = compile_bounded(r"\d")
_QUOTES: Final = " \t\"'`"
_YEAR: Final = r"(?:19[2-9]\d|200\d|201[0-2])"  # that a working person, or a child, was born in
_MONTH: Final = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\p{L}{0,6}\.?"
_BIRTH: Final = (
    rf"(?:\d{{1,2}}[./-](?:\d{{1,2}}|{_MONTH})[./-](?:{_YEAR}|[3-9]\d)|{_YEAR}[./-]\d{{1,2}}[./-]\d{{1,2}}"
    rf"|{_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]{_YEAR}|\d{{1,2}}(?:st|nd|rd|th)?\.?[ -]{_MONTH},?[ -]{_YEAR})"
)
_BIRTH_IN_LINE: Final = compile_bounded(
    rf"(?<![\w./:-])(?:{_BIRTH})(?![\w/-]|[.:]\d|[ T]\d{{1,2}}:)"
)
_STATE_NUMBER: Final = r"(?:\d{4}[ -]\d{4}[ -]\d{4}|\d{9,16})"
_BARE_CELLS: Final = (
    ("DATE", compile_bounded(_BIRTH)),
    ("NATIONAL_ID", compile_bounded(_STATE_NUMBER)),
    ("PHONE", compile_bounded(r"\+?\(?\d{1,4}\)?(?:[ ./-]\d{2,5}){2,5}")),
    (
        "EMPLOYEE",
        compile_bounded(
            r"(?!(?:19|20)\d{6}\Z)(?:\d{5,16}|(?=[A-Z\d ]{0,24}\d[A-Z\d ]{0,12}\d)(?=[A-Z\d ]{0,24}[A-Z])(?:[A-Z\d]{6,20}|[A-Z]{1,3}\d{1,12}[ ][A-Z\d]{4,16}))"
        ),
    ),
)
_HOST_CELL: Final = compile_bounded(r"[A-Za-z\d]{2,20}(?:-[A-Za-z\d]{2,20}){1,4}")
_NAME_WORD: Final = r"\p{Lu}[\p{L}\p{M}'\u2019-]{1,30}"
_NAME_CELL: Final = compile_bounded(rf"{_NAME_WORD}(?:,?[ ]{_NAME_WORD}){{0,2}}")
# Directly beside a name.
_AFTER_NAME: Final = (
    ("DATE", compile_bounded(rf",?[ \t]{{1,3}}(?:\(|born[ ](?:on[ ])?)?({_BIRTH})(?![\w/-])")),
    ("NATIONAL_ID", compile_bounded(rf"[ \t]*[,:;\t ][ \t]*({_STATE_NUMBER})(?![\w-])")),
    (
        "PHONE",
        compile_bounded(r"[ ]?[,;:/-]?[ ]{1,2}(\+?\(?\d[\d ()/.-]{7,16}\d)(?![\w-]|[.:/]\d)"),
    ),
    ("EMPLOYEE", compile_bounded(r"[ ]?[/|][ ]?([A-Z]{0,3}\d{5,9})(?![\w-])")),
    ("EMPLOYEE", compile_bounded(r"[ ]?\(([A-Z]{0,4}-?\d{4,9})\)")),
    (
        "EMPLOYEE",
        compile_bounded(
            r"[ ]?[,(;:-]?[ ]?(?i:(?:staff|emp|employee|personnel|user)?[ ]?(?:ids?|no\.?|number|nr\.?|#))[ ]?[:#]?[ ]?([A-Za-z]{0,3}-?\d{5,10})(?![\w-])"
        ),
    ),
)
_LISTED: Final = frozenset(("EMPLOYEE", "SERIAL", "LICENCE", "PASSPORT", "BANK_ACCOUNT"))
# What goes on after one number of a list: `badges 0509433, BD764060 and BD437967`.
_NEXT_IN_LIST: Final = compile_bounded(
    r"(?:[ ]?[,;/][ ]?(?:and[ ])?|[ ](?:and|or|&|und|et|y)[ ])(?=[A-Z\d-]{0,12}\d[A-Z\d-]{0,12}\d)([A-Z\d][A-Z\d-]{3,18})(?<!-)(?![\w-]|[.:/]\d)"
)
_RECOVERY_KEY: Final = compile_bounded(r"\d{6}(?:-\d{6}){7}|[A-Z\d]{4}(?:-[A-Z\d]{4}){5}")
_OWNER_OF_KEY: Final = compile_bounded(
    r"(?:(?m:^)|[\s(;,|])((?=[\w.-]{0,31}\d)[A-Za-z\d][\w.-]{3,31})(?:[)\]]?:?[ \t]{1,4}|[ ]?[=;,|/][ ]?)\Z"
)
_MAX_LISTED: Final = 50
_BEFORE_NAME: Final = compile_bounded(
    r"(?:(?<![\w./#-])([A-Z]{1,2}\d{5,8})[ \t]{1,3}|(?:^|[;:|])[ \t]*(\d{5,8})[ \t]{1,3}|(?<![\w./#,-])(\d{5,8})[ \t]{0,2}[;|\t,][ \t]{0,2})\Z"
)
_REACH: Final = 60
# At the beginning of a line, before a number of one person: `Daksha Pall 3611 3998 0659`.
_FIRST_IN_LINE: Final = compile_bounded(
    rf"[ \t*-]{{0,4}}({_NAME_WORD}(?:,?[ ]{_NAME_WORD}){{1,2}})[ \t]{{1,4}}"
)
_NUMBER_BEFORE: Final = compile_bounded(rf"(?<![\w-])({_STATE_NUMBER})[ \t,;]{{1,4}}\Z")
_NEXT_IN_LINE: Final = compile_bounded(
    rf"[ \t]{{1,4}}(?|({_NAME_WORD},[ ]{_NAME_WORD}(?:[ ]{_NAME_WORD})?)(?![\p{{L}}\d])|\((\p{{L}}[\p{{L}}'-]{{1,30}},[ ]\p{{L}}[\p{{L}}'-]{{1,30}})\))"
)
_COMMA_BEFORE: Final = compile_bounded(
    rf"(?:^|[;|\t\"'>:(!.]|\d|[ ]{{2}}|\b(?:for|from|by|user|of|to|and))[ \t]{{0,4}}({_NAME_WORD}|\p{{Ll}}[\p{{L}}\p{{M}}'\u2019-]{{2,30}}),[ ]\Z"
)
_COMMA_AFTER: Final = compile_bounded(rf",[ ]({_NAME_WORD})(?=[ ]?(?:$|[;|\t\"'<-]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A line, where it begins in its text, and what was found in it, counted from its beginning."""

    line: str
    offset: int
    found: list[Span]

    @property
    def has_person(self) -> bool:
        return any(entity == _PERSON for _, _, entity in self.found)

    @property
    def is_of_one(self) -> bool:
        return any(entity in _OF_ONE for _, _, entity in self.found)

    def names_within(self, start: int, end: int) -> bool:
        """Say whether somebody was found from `start` to `end`."""
        return any(
            entity == _PERSON and first < end and start < last for first, last, entity in self.found
        )


def find_in_rows(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Yield what stands beside what was found, and is not found yet; it may overlap with it."""
    for row in _list_rows(text, spans):
        for start, end, entity in (*_read_cells(row), *_read_beside(row)):
            yield row.offset + start, row.offset + end, entity


def _list_rows(text: str, spans: Sequence[Span]) -> Iterator[_Row]:
    first = last = -1
    found: list[Span] = []
    for start, end, entity in spans:
        if start >= last:
            if found:
                yield _Row(line=text[first:last], offset=first, found=found)
            found = []
            first = text.rfind("\n", 0, start) + 1
            last = text.find("\n", start)
            last = len(text) if last < 0 else last
        if end <= last and last - first <= MAX_LINE_CHARACTERS:
            found.append((start - first, end - first, entity))
    if found:
        yield _Row(line=text[first:last], offset=first, found=found)


def _read_cells(row: _Row) -> Iterator[Span]:
    """Yield bare values of a row with separators that has a person, or a number of one."""
    if not (row.has_person or row.is_of_one or any(one[2] in _OTHERS for one in row.found)):
        return
    taken = Stretches((start, end) for start, end, _ in row.found)
    for signs, separator in _SEPARATORS:
        if sum(map(row.line.count, signs)) < _MIN_CELLS - 1:
            continue
        cells = list(_split(row.line, separator, row.found))
        if len(cells) < _MIN_CELLS:
            continue
        is_loose = row.line[cells[0][1] :].lstrip(" ").startswith(",")
        for start, end in cells:
            if taken.touch(start, end):
                continue
            entity = _judge_cell(row, row.line[start:end], is_loose=is_loose)
            if entity:
                yield start, end, entity
        return


def _split(line: str, separator: Any, found: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield the cells of a line; a separator within what was found is none."""
    inside = Stretches((start, end) for start, end, _ in found)
    begin = 0
    for match in separator.finditer(line):
        if not inside.touch(*match.span()):
            yield _strip(line, begin, match.start())
            begin = match.end()
    yield _strip(line, begin, len(line))


def _strip(line: str, start: int, end: int) -> tuple[int, int]:
    if start == 0 and (match := _NUMBERING.match(line)):
        start = min(end, match.end())
    while start < end and line[start] in _QUOTES:
        start += 1
    while end > start and line[end - 1] in _QUOTES:
        end -= 1
    return start, end


def _judge_cell(row: _Row, cell: str, *, is_loose: bool) -> str:
    """Return what a cell is, "" where it says nothing of anybody."""
    if row.has_person or row.is_of_one:
        for entity, expression in _BARE_CELLS:
            if expression.fullmatch(cell):
                return entity
    if is_loose or not (row.is_of_one or any(one[2] in _OTHERS for one in row.found)):
        return ""
    if _NAME_CELL.fullmatch(cell) and len(cell.split()) <= _MAX_WORDS and _is_nobodys_word(cell):
        return _PERSON
    is_host = _HOST_CELL.fullmatch(cell) and _may_be_name(cell.replace("-", " "))
    return "HOST" if is_host else ""


def _is_nobodys_word(cell: str) -> bool:
    """Say whether no word of a cell is one of prose or of the trade."""
    words = [word.strip(",").lower() for word in cell.split()]
    return not any(is_common(word) or is_english(word) for word in words)


def _read_beside(row: _Row) -> Iterator[Span]:
    """Yield what stands directly beside a name, and names beside a number of one person."""
    has_digits = bool(_DIGIT.search(row.line))
    if has_digits and ((row.has_person and row.is_of_one) or _OF_BIRTH.search(row.line)):
        yield from ((*match.span(), "DATE") for match in _BIRTH_IN_LINE.finditer(row.line))
    for start, end, entity in row.found:
        if entity == _PERSON or (
            entity in _MAY_BE_PERSON and _NAME_CELL.fullmatch(row.line, start, end)
        ):
            yield from _read_beside_name(row, start, end)
        elif entity in _OF_ONE:
            yield from _read_beside_number(row, start, end)
        elif entity == "SECRET" and _RECOVERY_KEY.fullmatch(row.line, start, end):
            yield from _read_before_key(row, start)
        if entity in _LISTED:
            yield from _read_list(row, end, entity)


def _read_beside_name(row: _Row, start: int, end: int) -> Iterator[Span]:
    first = max(0, start - _REACH)
    if _DIGIT.search(row.line, end):
        for entity, expression in _AFTER_NAME:
            if match := expression.match(row.line, end):
                yield *match.span(1), entity
    if _DIGIT.search(row.line, first, start):
        if match := _BEFORE_NAME.search(row.line, first, start):
            yield *match.span(match.lastindex), "EMPLOYEE"
        if match := _NUMBER_BEFORE.search(row.line, first, start):
            yield *match.span(1), "BANK_ACCOUNT"
    is_after_comma = row.line.endswith(", ", first, start)
    match = _COMMA_BEFORE.search(row.line, first, start) if is_after_comma else None
    if match and (row.is_of_one or not is_english(match[1].lower())):
        yield match.start(1), end, _PERSON
    if not row.is_of_one:
        return
    if match := _COMMA_AFTER.match(row.line, end):
        yield start, match.end(1), _PERSON


def _read_before_key(row: _Row, start: int) -> Iterator[Span]:
    """Yield the machine whose recovery key follows."""
    if match := _OWNER_OF_KEY.search(row.line, max(0, start - _REACH), start):
        yield *match.span(1), "HOST"


def _read_list(row: _Row, end: int, entity: str) -> Iterator[Span]:
    """Yield the numbers with which a list goes on."""
    for _ in range(_MAX_LISTED):
        match = _NEXT_IN_LIST.match(row.line, end)
        if not match:
            return
        end = match.end()
        yield *match.span(1), entity


def _read_beside_number(row: _Row, start: int, end: int) -> Iterator[Span]:
    match = _FIRST_IN_LINE.fullmatch(row.line, 0, start)
    if match and _may_be_name(match[1]):
        yield *match.span(1), _PERSON
    if match := _NUMBER_BEFORE.search(row.line, max(0, start - _REACH), start):
        yield *match.span(1), "NATIONAL_ID"
    match = _NEXT_IN_LINE.match(row.line, end)
    if match and (row.names_within(*match.span(1)) or _may_be_name(match[1])):
        yield *match.span(1), _PERSON


def _may_be_name(words: str) -> bool:
    """Say whether one of some words is no word of English, or people are called so."""
    parts = [word.strip(",") for word in words.split()]
    return any(
        not is_english(part.lower()) or is_listed(part, given=False) or is_listed(part, given=True)
        for part in parts
    )

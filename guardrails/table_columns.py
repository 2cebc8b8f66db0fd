# SPDX-License-Identifier: Apache-2.0
"""Cells of tables whose header says what they are: Markdown, CSV, tabs, columns of a terminal.

A header is a line of which every cell is short and at least one names an entity; the lines below
with as many cells are its rows, to the first that has not.
"""

# ruff: noqa: E501 - a table of words

from collections.abc import Iterator
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.findings import make_result
from guardrails.pattern_parts import LANGUAGE, SYSTEM_ACCOUNTS
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult

COLUMNS: Final[dict[str, str]] = {
    name: entity
    for entity, names in {
        "HOST": "host hostname computer computername machine device devicename workstation server laptop pc node pcname assetname endpoint printer printername client dnshostname",
        "USERNAME": "sam samid user username userid login account accountname samaccountname logon owner upn userprincipalname lastuser primaryuser alias",
        "PERSON": "name person fullname displayname employee employeename contact caller requester manager assignee reporter customer approver",
        "NAME_PART": "firstname lastname surname givenname forename familyname vorname nachname prenom nom",
        "EMAIL": "email e-mail mail emailaddress",
        "PHONE": "phone telephone tel mobile cell phonenumber ext extension fax",
        "IP": "ip ipaddress address ipv4 ipv6 ipv4address srcip dstip source destination sourceip",
        "MAC": "mac macaddress physicaladdress hwaddr hwaddress bssid",
        "SERIAL": "serial serialnumber sn s/n servicetag assettag asset assetnumber inventory imei",
        "SSID": "ssid network",
        "EMPLOYEE": "employeeid personnelnumber staffid badge badgeid empid employeenumber badgenumber",
        "SECRET": "password pw pwd passwd key secret token pin",
        "ADDRESS": "street homeaddress postaladdress",
        "DATE": "dob dateofbirth birthday birthdate",
    }.items()
    for name in names.split()
}  # fmt: skip
_MEANT: Final = {"NAME_PART": "PERSON"}
MAX_ROWS: Final = 500
MAX_LINE_CHARACTERS: Final = 1000
_CELL: Final[dict[str, regex.Pattern[str]]] = {
    "|": regex.compile(r"[^|]+"),
    ";": regex.compile(r"[^;]+"),
    "\t": regex.compile(r"[^\t]+"),
    ",": regex.compile(r"[^,]+"),
    "  ": regex.compile(r"\S+(?:[ ]\S+)*"),
}
_SEPARATORS: Final = ("|", "\t", ";", "  ", ",")
_RULE: Final = regex.compile(r"[\s|:+=-]*")
_NOTHING: Final = frozenset(
    ("", "-", "--", "n/a", "na", "none", "null", "unknown", "yes", "no", "true", "false")
)
_DIGIT: Final = regex.compile(r"\d")
# Columns whose names have other meanings: their cells must look the part.
_SHAPES: Final[dict[str, regex.Pattern[str]]] = {
    "IP": regex.compile(r"[\d.:a-fA-F/]{7,45}"),
    "PHONE": regex.compile(r"\+?[\d ()./x-]{3,24}"),
    "DATE": regex.compile(r"[\d./\w ,-]{6,20}"),
    "PERSON": regex.compile(
        r"(?:\p{Lu}|\p{Lo})[\p{L}\p{M}'\u2019.-]*(?:,?[ ](?:\p{L}[\p{L}\p{M}'\u2019.-]*)){1,4}"
    ),
    "NAME_PART": regex.compile(r"\p{L}[\p{L}\p{M}'\u2019 -]{1,40}"),
    "SERIAL": regex.compile(r"(?=.*\d)[\w/-]{4,40}"),
    "HOST": regex.compile(r"[\p{L}\d][\w.-]{2,63}"),
    "USERNAME": regex.compile(r"[\p{L}\d_][\w.@\\$-]{2,63}"),
    "SSID": regex.compile(r"(?=.*[\d_-]).{2,32}"),
    "SECRET": regex.compile(r"(?=.*[\d!@#$%^&*])\S{4,128}"),
}
Cell = tuple[int, int, str]  # start, end, text


class ColumnRecogniser(LocalRecognizer):
    """The cells below a header that names an entity."""

    def __init__(self) -> None:
        super().__init__(
            supported_entities=sorted({_MEANT.get(kind, kind) for kind in COLUMNS.values()}),
            supported_language=LANGUAGE,
        )

    def load(self) -> None:
        """Do nothing: there is no model."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the cells of named columns."""
        del entities, nlp_artifacts
        if "\n" not in text:
            return []
        return [
            make_result(self, entity, start, end, 0.78) for start, end, entity in _find_cells(text)
        ]


def _find_cells(text: str) -> Iterator[tuple[int, int, str]]:
    header: list[str | None] = []
    separator, n_rows = "", 0
    start = 0
    for line in text.split("\n"):
        offset, start = start, start + len(line) + 1
        if len(line) > MAX_LINE_CHARACTERS:
            header = []
            continue
        if header and _RULE.fullmatch(line) and line.strip():
            continue
        cells = _split(line, separator) if header else []
        if header and len(cells) == len(header) and n_rows < MAX_ROWS:
            n_rows += 1
            for entity, (first, last, value) in zip(header, cells, strict=True):
                if entity and _is_value(entity, value):
                    yield offset + first, offset + last, _MEANT.get(entity, entity)
            continue
        separator, header = _read_header(line)
        n_rows = 0


def _read_header(line: str) -> tuple[str, list[str | None]]:
    """Return the separator and the entities of the columns; no columns where it is no header."""
    for separator in _SEPARATORS:
        if separator not in line:
            continue
        names = [value.lower() for _, _, value in _split(line, separator)]
        if len(names) < 2 or any(
            len(name) > 30 or name.count(" ") > 2 or name.startswith(":") for name in names
        ):
            continue
        if separator != "|" and any(_DIGIT.search(name) for name in names):
            continue
        entities = [
            COLUMNS.get(name.replace(" ", "").replace("_", "").strip("*`\"'")) for name in names
        ]
        if any(entities):
            return separator, entities
    return "", []


def _split(line: str, separator: str) -> list[Cell]:
    cells = []
    for match in _CELL[separator].finditer(line):
        value = match.group()
        stripped = value.strip(" \t\"'")
        if separator == "|" and not stripped:
            continue
        first = match.start() + value.index(stripped) if stripped else match.start()
        cells.append((first, first + len(stripped), stripped))
    return cells


def _is_value(entity: str, value: str) -> bool:
    if value.lower() in _NOTHING or value.lower() in SYSTEM_ACCOUNTS:
        return False
    shape = _SHAPES.get(entity)
    return shape is None or bool(shape.fullmatch(value))

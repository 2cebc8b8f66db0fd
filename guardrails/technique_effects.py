# SPDX-License-Identifier: Apache-2.0
"""Signs of attack techniques: rows of the tables, and finding them in one statement.

A row reads `technique kind severity suspicion | words | pattern`. One of the words must stand in
the statement (`set_content` is the word Set-Content); only then is the pattern searched, so that a
thousand rows cost one look-up a word. A missing pattern matches. Patterns meet the statement in
plain form: lower case, no quotes and no escapes inside words, single spaces, hives of the registry
by their short names. What a statement merely prints is no sign.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from guardrails.effects import Effect, EffectKind, EffectSeverity
from guardrails.powershell_effects import POWERSHELL_SIGNS, TOOL_SIGNS
from guardrails.registry_effects import REGISTRY_SIGNS
from guardrails.sanitise import plain_text
from guardrails.unix_effects import UNIX_SIGNS
from guardrails.windows_effects import WINDOWS_SIGNS

MAX_STATEMENT_CHARACTERS: Final = 2048
_OVERLAP_CHARACTERS: Final = 256
# Of one script: characters x signs x words that call signs up, a bound on the steps of patterns.
MAX_WORK: Final = 400_000_000
_DETAIL_CHARACTERS: Final = 120
_WORD: Final = re.compile(r"[a-z0-9_]+")
_CMDLET: Final = re.compile(r"[a-z]{2,20}-[a-z0-9]{2,60}")
_QUOTES: Final = re.compile(r"[\"'\u2018\u2019\u201c\u201d`^]")
_EXE: Final = re.compile(r"\.exe(?=\s|$)")
_SPACES: Final = re.compile(r"\s+")
_HIVES: Final = tuple(
    (re.compile(long), short)
    for long, short in (
        (r"(?:microsoft\.powershell\.core\\)?registry::", ""),
        (r"hkey_local_machine|hklm(?:64|32)?:", "hklm"),
        (r"hkey_current_user|hkcu(?:64|32)?:", "hkcu"),
        (r"hkey_classes_root|hkcr:", "hkcr"),
        (r"wow6432node\\", ""),
    )
)
_ZERO: Final = r"(?:(?:/d|-value|,)\s*\(?(?:0x)?0+(?![\w.]))"
_NOT_ZERO: Final = r"(?:(?:/d|-value|,)\s*\(?(?:0x)?0*[1-9][0-9a-f]*(?![\w.]))"
_VARIABLE: Final = r"(?:(?:/d|-value)\s*\$(?!false|null|true)\w)"
_WRITES_REGISTRY: Final = re.compile(
    r"\breg(?:\.exe)?\s+(?:add|delete|import|copy|restore)\b|(?:set|new|remove|clear|rename)-item"
    r"|\b(?:sp|ni|rp|regini|regedit)\b|setvalue|regwrite|regdelete|stdregprov|set\w+value\b"
    r"|createkey|createsubkey|deletevalue|registry(?:key|value)|invoke-cimmethod"
)
# To remove what attackers set is repair; rows about removal name `delete` in their pattern.
_REMOVES_REGISTRY: Final = re.compile(
    r"^(?!.*(?:\badd\b|(?:set|new)-item)).*(?:reg(?:\.exe)?\s+delete|(?:remove|clear)-item|\brp\b|deletevalue)"
)
_PRINTS: Final = re.compile(
    r"\s*@?(?:write-(?:host|output|verbose|warning|error|information|debug|log|progress)|echo|printf"
    r"|throw|print|logger|log|say)\b(?!.*(?:[|]|(?<![12&=-])>(?!\s*&|\s*/dev/null|\s*nul\b)))",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Sign:
    """One row: what its match means."""

    technique: str
    kind: EffectKind
    severity: EffectSeverity
    suspicion: float
    pattern: str
    of_registry: bool


SignIndex = Mapping[str, tuple[Sign, ...]]


@cache
def load_signs(system: str) -> SignIndex:
    """Return the signs of `windows`, `unix` or `any` by the words that call them up."""
    windows = ((WINDOWS_SIGNS, False), (POWERSHELL_SIGNS, False), (REGISTRY_SIGNS, True))
    tables = {
        "windows": (*windows, (TOOL_SIGNS, False)),
        "unix": ((UNIX_SIGNS, False), (TOOL_SIGNS, False)),
        "any": (*windows, (UNIX_SIGNS, False), (TOOL_SIGNS, False)),
    }[system]
    index: dict[str, list[Sign]] = {}
    for table, of_registry in tables:
        for words, sign in _read_rows(table, of_registry=of_registry):
            for word in words:
                index.setdefault(word, []).append(sign)
    return {word: tuple(signs) for word, signs in index.items()}


def _read_rows(table: str, *, of_registry: bool) -> Iterator[tuple[list[str], Sign]]:
    for row in table.strip().splitlines():
        if row.startswith("#") or not row.strip():
            continue
        head, words, *rest = row.split(" | ", 2)
        technique, kind, severity, suspicion = head.split()
        pattern = rest[0].strip() if rest else ""
        if of_registry:
            pattern = pattern.replace("=0", _ZERO).replace("=1", _NOT_ZERO)
            pattern = pattern.replace(r"=\$", _VARIABLE)
        yield (
            words.lower().split(),
            Sign(
                technique,
                EffectKind(kind),
                EffectSeverity(severity),
                float(suspicion),
                pattern,
                of_registry,
            ),
        )


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def list_words(text: str) -> set[str]:
    """Return the words of a text, in lower case; cmdlets also whole (`set_content`)."""
    lower = text.lower()
    return {*_WORD.findall(lower), *(name.replace("-", "_") for name in _CMDLET.findall(lower))}


def plain_form(statement: str) -> str:
    """Return a statement as patterns meet it; see the module."""
    plain = _SPACES.sub(" ", _QUOTES.sub("", statement.lower())).strip()
    for long, short in _HIVES:
        plain = long.sub(short, plain)
    return plain


class SignFinder:
    """Finds the signs of one system in the statements of one script, with bounded work."""

    def __init__(self, system: str) -> None:
        self._signs = load_signs(system)
        self._work_left = MAX_WORK

    @property
    def is_exhausted(self) -> bool:
        """Say whether statements were left unread: the script repeats what calls signs up."""
        return self._work_left < 0

    def find(self, statement: str, line: int) -> list[Effect]:
        """Return the effects that the signs in one statement stand for."""
        signs = self._signs
        words = list_words(statement) & signs.keys()
        if not words or _PRINTS.match(statement[:MAX_STATEMENT_CHARACTERS]):
            return []
        called = {sign for word in words for sign in signs[word]}
        plain = plain_form(statement)
        found: list[Effect] = []
        step = MAX_STATEMENT_CHARACTERS - _OVERLAP_CHARACTERS
        for start in range(0, max(1, len(plain) - _OVERLAP_CHARACTERS), step):
            part = plain[start : start + MAX_STATEMENT_CHARACTERS]
            if len(part) > 256:
                calls = sum(word in signs for word in _WORD.findall(part))
                self._work_left -= len(part) * len(called) * calls
            if self.is_exhausted:
                break
            found += [_make(sign, statement, line) for sign in _match(called, part)]
        return found


def _match(called: Iterable[Sign], part: str) -> Iterator[Sign]:
    writes, removes = _WRITES_REGISTRY.search(part), _REMOVES_REGISTRY.search(part)
    bare = _EXE.sub("", part) if ".exe" in part else None  # `tscon.exe 1` as `tscon 1`
    for sign in called:
        if sign.of_registry and (not writes or (removes and "delete" not in sign.pattern)):
            continue
        search = _compile(sign.pattern).search
        if search(part) or (bare is not None and search(bare)):
            yield sign


def _make(sign: Sign, statement: str, line: int) -> Effect:
    shown = plain_text(statement.strip().partition("\n")[0])
    return Effect(
        kind=sign.kind,
        line=line,
        detail=shown[:_DETAIL_CHARACTERS],
        severity=sign.severity,
        technique=sign.technique,
        suspicion=sign.suspicion,
    )

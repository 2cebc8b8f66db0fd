# SPDX-License-Identifier: Apache-2.0
r"""Arguments of Windows programs: their words, and the forms under which a program only looks.

A form lists all that a look may hold, so an option that no form names is no look. It reads
`[words] verb,verb verb : options values`:

- `[words]` may stand before the verbs, any number of them; `\\` is a machine's name,
- a verb is a word, or an option, that has to stand there; a comma parts alternatives,
- options may stand anywhere behind the colon, with `:value` or `=value`; `/get-*` is a beginning.
  `-x` and `/x` are the same, and so are capitals and small letters,
- `*` allows words that are no options, `*3` at most three of them, `+` asks for at least one;
  `=` allows them to hold `=`, `!word` forbids one,
- `...` says that nothing which follows does more than look.

A word that begins with a variable, or may become several words, is no option and no value.
"""
# ruff: noqa: SIM905 - tables

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from guardrails.powershell_paths import FOLDERS

_QUOTED: Final = re.compile(r"\"[^\"]*\"?")
_BREAKS: Final = re.compile(r"[\s,;]+")
_ANYTHING: Final = "..."
_COLON: Final = re.compile(r"(?:^|\s+):(?:\s+|$)")
INNER_BLANK: Final = "\ue010"
_JOINED: Final = re.compile(r"[\s,;']")
_OPTION_INSIDE: Final = re.compile(r"/|[\s\"][-+\u2013-\u2015]")
# Variables that Windows sets, to one word that is no option.
_KNOWN_VARIABLES: Final = re.compile(
    r"%(\w+(?:\(x86\))?|~dp0)%|(%~dp0)|\$\{?env:(\w+)\}?", re.IGNORECASE
)
_WORDS: Final = frozenset(
    "computername username userdomain logonserver allusersprofile cd ~dp0 %~dp0".split()
)
COMPUTED_LABEL: Final = re.compile(
    r"(?:%[^%\s\"]{1,60}%|%%~?\w|!\w+!|\"[^\"]*(?:\$\{?[\w:]+\}?|\))|\{\d\})\.[a-z0-9-]+\.[a-z]"
    r"|\+\s*[\"']\.[a-z0-9-]+\.[a-z]",
    re.IGNORECASE,
)
_COMPUTED: Final = re.compile(r"%|!\w+!|^[$@({]|^[\"']?\$")


def split_arguments(arguments: str) -> list[str]:
    """Return the words of arguments in lower case, without quotes.

    What stands between double quotes is one word if it cannot hold an option.
    """
    known = put_known_folders(arguments.replace("`", "").replace("^", ""))
    joined = _QUOTED.sub(_join, known).replace('"', "").replace("'", " ")
    return [word.lower() for word in _BREAKS.split(joined) if word]


def put_known_folders(text: str) -> str:
    """Return a text with the folders that Windows itself sets variables to; blanks marked."""
    return _KNOWN_VARIABLES.sub(_put_known, text)


def _put_known(match: re.Match[str]) -> str:
    name = (match[1] or match[2] or match[3]).lower()
    if name in _WORDS:
        return "x"
    return FOLDERS[name].replace(" ", INNER_BLANK) if name in FOLDERS else match[0]


def _join(match: re.Match[str]) -> str:
    if _OPTION_INSIDE.search(match[0]):
        return match[0]
    inside = match[0].strip('"')
    if not inside:
        return f" {INNER_BLANK} "  # an empty argument is one
    return _JOINED.sub(INNER_BLANK, inside[:1] + re.sub(r"[%!$]", INNER_BLANK, inside[1:]))


def is_computed(word: str) -> bool:
    """Say whether a word holds what the text does not tell, and so may be an option."""
    return _COMPUTED.search(word) is not None


def asks_for_computed_name(text: str) -> bool:
    """Say whether a host's name is a computed part before a domain: it may carry data there."""
    return COMPUTED_LABEL.search(text) is not None


def name_option(word: str) -> str:
    """Return an option with a slash and without its value, or an empty text for another word."""
    if word[:1] not in "/-\u2013\u2014\u2015" or is_computed(word):
        return ""
    return "/" + re.split(r"[:=]", word.lstrip("/-\u2013\u2014\u2015"), maxsplit=1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForm:
    """One form; see the module."""

    before: frozenset[str]
    verbs: tuple[frozenset[str], ...]
    options: frozenset[str]
    beginnings: tuple[str, ...]
    n_least: int
    n_most: int
    may_assign: bool
    forbidden: frozenset[str]
    takes_all: bool

    def matches(self, words: Sequence[str]) -> bool:
        """Say whether these arguments have this form."""
        position = 0
        while position < len(words) and self._stands_before(words[position]):
            position += 1
        for verb in self.verbs:
            if position >= len(words) or _plain(words[position]) not in verb:
                return False
            position += 1
        if self.takes_all:
            return True
        n_values = 0
        for word in words[position:]:
            option = name_option(word)
            if option:
                if not self._allows(option, word):
                    return False
            elif self._is_value(word):
                n_values += 1
            else:
                return False
        return self.n_least <= n_values <= self.n_most

    def _stands_before(self, word: str) -> bool:
        return word in self.before or (word.startswith("\\\\") and "\\\\" in self.before)

    def _allows(self, option: str, word: str) -> bool:
        named = option in self.options or "/" + word.lstrip("/-") in self.options
        return named or option.startswith(self.beginnings)

    def _is_value(self, word: str) -> bool:
        """Say whether a word is neither an option nor hides one."""
        if is_computed(word) or word[0] == "+" or "/" in word or word in self.forbidden:
            return False
        return self.may_assign or "=" not in word


def _plain(word: str) -> str:
    return name_option(word) or word


def read_forms(written: str) -> tuple[LookForm, ...]:
    """Return the forms of a row, which stand between semicolons."""
    return tuple(_read_form(part.strip()) for part in written.split(" ; ") if part.strip())


def _read_form(written: str) -> LookForm:
    before: frozenset[str] = frozenset()
    if written.startswith("["):
        inside, _, written = written[1:].partition("]")
        before = frozenset(inside.split())
    head, *behind = _COLON.split(written.strip(), maxsplit=1)
    tail = behind[0] if behind else ""
    options, forbidden, values = [], [], ""
    for token in tail.split():
        if token[0] in "/-":
            options.append("/" + token.lstrip("/-"))
        elif token[0] == "!":
            forbidden.append(token[1:])
        elif token != _ANYTHING:
            values += token
    most = re.search(r"[*+](\d+)", values)
    return LookForm(
        before=before,
        verbs=tuple(frozenset(map(_plain, token.split(","))) for token in head.split()),
        options=frozenset(each for each in options if not each.endswith("*")),
        beginnings=tuple(each[:-1] for each in options if each.endswith("*")),
        n_least=int("+" in values),
        n_most=int(most[1]) if most else (10_000 if "*" in values or "+" in values else 0),
        may_assign="=" in values,
        forbidden=frozenset(forbidden),
        takes_all=_ANYTHING in tail.split(),
    )

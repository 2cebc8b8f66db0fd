# SPDX-License-Identifier: Apache-2.0
"""What zsh takes for arithmetic where bash does not: `$a[x]`, `printf %d x`, `[ -t x ]`, `COLUMNS=x`.

Arithmetic runs what stands in the value of a variable, so each of these is told of unless all that
it evaluates is known to be a number.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from guardrails.bash_words import Word
from guardrails.command_words import text_of, walk

# Variables of zsh that are integers: it evaluates what they are given.
ZSH_INTEGERS: Final = frozenset(
    "COLUMNS LINES LISTMAX SHLVL KEYTIMEOUT MAILCHECK HISTSIZE SAVEHIST FUNCNEST GID EGID TRY_BLOCK_ERROR"
    " TRY_BLOCK_INTERRUPT ARGC HISTCMD LINENO TTYIDLE ZSH_SUBSHELL status".split()
)
# Builtins whose arguments are evaluated; found by how their command begins.
ZSH_EVALUATING: Final = frozenset(
    "let exit return shift break continue logout bye repeat printf".split()
)
_EVALUATING: Final = frozenset(("let",))
_SETTERS: Final = frozenset("read getopts unset vared zparseopts mapfile readarray".split())
_NAMES: Final = "|".join(sorted(ZSH_INTEGERS))
_SETS_DEFAULT: Final = re.compile(rf"\$\{{(?:{_NAMES}):{{0,2}}=")
_RAW: Final = re.compile(r"'[^']*'")
_INDEX: Final = re.compile(r"\$\+?(\w+|[@*])\[(?!(?:-?\d+(?:,-?\d+)?|[@*])\])([^\]\n]*)\]?")
_NAME: Final = re.compile(r"\$?\{?([A-Za-z_]\w*)\}?")
_HASHES: Final = frozenset(
    "commands functions aliases options parameters langinfo termcap terminfo modules nameddirs"
    " userdirs usergroups dirstack history jobstates jobtexts jobdirs widgets keymaps".split()
)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_PLAIN_FORMAT: Final = re.compile(r"(?:[^%]|%%|%-?\d*(?:\.\d+)?[sbqc])*")
_TIMED: Final = re.compile(r"-\w*[tku]")
_JOINED_TIME: Final = re.compile(r"-[a-zA-Z]*[tku](?!\d*(?:\.\d+)?\Z)")
_OVERWRITES: Final = re.compile(r"\d*&?[<>]{1,2}[&|]?\s*!")
_MAX_CHARACTERS: Final = 4096

IsSafe = Callable[[Any], bool]


def list_zsh_evaluations(
    nodes: Mapping[str, Sequence[Any]],
    is_safe: IsSafe,
    is_number: Callable[[str, Any], bool],
    has_text_keys: Callable[[str, Any], bool],
) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, reason) for each value that zsh alone evaluates.

    Args:
        nodes: of the script, by kind.
        is_safe: says whether all that a node names is a number.
        is_number: says whether a variable is a number at a node.
        has_text_keys: says whether an array has keys that are not evaluated, at a node.

    """
    for kind in ("command", "assignment", "test", "loop", "heredoc", "redirect", "case"):
        for node in nodes.get(kind, ()):
            if not all(
                name in _HASHES
                or has_text_keys(name, node)
                or ((key := _NAME.fullmatch(index)) and is_number(key[1], node))
                for name, index in _list_indexes(node)
            ):
                yield _line(node), "an index is evaluated"
    for node in (*_list_asked(nodes), *_list_arguments(nodes)):
        if not is_safe(node):
            yield _line(node), "an expression evaluates text from outside"
    yield from _list_integers(nodes)
    for node in nodes.get("redirect", ()):
        if _OVERWRITES.match(text_of(node)):
            yield _line(node), "where output goes is not read"


def _list_asked(nodes: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """Yield tests for a terminal, whose number is evaluated."""
    for node in nodes.get("test", ()):
        for part in walk(node):
            operator = part.child_by_field_name("operator")
            is_unary = part.type == "unary_expression" and operator is not None
            if is_unary and text_of(operator) == "-t":
                yield part


def _list_arguments(nodes: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """Yield the arguments that are evaluated of `printf` and `repeat`."""
    for node in nodes.get("command", ()):
        text = text_of(node)
        if text.startswith(("printf ", "repeat ")):
            arguments = node.children_by_field_name("argument")
            if text.startswith("repeat "):
                yield from arguments[:1]
            elif arguments and not _is_plain_format(text_of(arguments[0])):
                yield from arguments[1:]


def _list_integers(nodes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[int, str]]:
    """Yield where a loop or a default sets a variable that evaluates what it is given."""
    for node in nodes.get("loop", ()):
        variable = node.child_by_field_name("variable")
        if variable is not None and text_of(variable) in ZSH_INTEGERS:
            yield _line(node), "a variable evaluates what it is given"
    for node in nodes.get("expansion", ()):
        if _SETS_DEFAULT.match(text_of(node)):
            yield _line(node), "a variable evaluates what it is given"


def doubt_evaluation(name: str, arguments: Sequence[Word], command: str, dialect: str) -> str:
    """Return a doubt about a builtin that evaluates its arguments, "" where there is none.

    Args:
        name: of the builtin.
        arguments: its.
        command: the text of the whole command; where it begins otherwise than with the name
            (`builtin let x`), its arguments were not looked at.
        dialect: bash or zsh.

    """
    evaluating = ZSH_EVALUATING if dialect == "zsh" else _EVALUATING
    if name in evaluating and arguments and not command.startswith(f"{name} "):
        return "an expression is evaluated"
    return _doubt_in_zsh(name, arguments) if dialect == "zsh" else ""


def _doubt_in_zsh(name: str, arguments: Sequence[Word]) -> str:
    if name in _SETTERS:
        for word in arguments:
            if word.value in ZSH_INTEGERS:
                return f"{word.value} evaluates what it is given"
    for option, value in pairwise(arguments):
        evaluates = (name == "read" and _TIMED.fullmatch(option.value or "")) or (
            name in ("test", "[") and option.value == "-t"
        )
        if evaluates and not _NUMBER.fullmatch(value.value or ""):
            return "an expression is evaluated"
    if name == "read" and any(_JOINED_TIME.match(word.value or "") for word in arguments):
        return "an expression is evaluated"
    return ""


def _list_indexes(node: Any) -> Iterator[tuple[str, str]]:
    """Yield (array, index) of each index without braces."""
    text = text_of(node)
    for match in _INDEX.finditer(_RAW.sub("", text)):
        yield match[1], match[2] if len(text) <= _MAX_CHARACTERS else ""


def _is_plain_format(text: str) -> bool:
    """Say whether a format is a constant that takes texts alone."""
    return not re.search(r"[$`]", text) and _PLAIN_FORMAT.fullmatch(text) is not None


def _line(node: Any) -> int:
    return int(node.start_point[0]) + 1

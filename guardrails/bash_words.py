# SPDX-License-Identifier: Apache-2.0
"""Words of bash and zsh as the shell reads them: constants, splitting, and variables.

A variable counts as constant only when everything that sets it gives it one and the same constant
value, on a top-level line that stands before the use: an assignment that may not have happened
leaves an empty variable, and then `$x rm` runs rm.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guardrails.command_words import text_of
from guardrails.shell_folding import decode_escapes

_MAX_VALUE: Final = 8192
_MAX_DEPTH: Final = 40
_MAX_PARTS: Final = 1000
_PATTERN: Final = re.compile(r"[*?\[]|\{[^{}]*(?:,|\.\.)[^{}]*\}|^=|^~")
_EXPANDS: Final = frozenset(("simple_expansion", "expansion"))
_BARE: Final = re.compile(r"\$\{?(\w+)\}?")
_PLAIN_FLAGS: Final = re.compile(r"-[grxt]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command.

    Attributes:
        raw: as written, its constant variables replaced.
        value: what the program is given; None when it is computed while the script runs.
        is_pattern: the shell makes names of files, or several words, of it.

    """

    raw: str
    value: str | None
    is_pattern: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A variable's one value, and the byte from which on it has it for certain."""

    value: str
    since: int


Constants = Mapping[str, Constant]


def list_constants(assignments: Sequence[Any], set_otherwise: Iterable[str]) -> dict[str, Constant]:
    """Return the variables that have one constant value, and where that is certain."""
    values: dict[str, set[str | None]] = {}
    since: dict[str, int] = {}
    plain: dict[int, bool] = {}
    for node in assignments:
        name, _, rest = text_of(node).partition("=")
        value_node = node.child_by_field_name("value")
        value = "" if value_node is None and not rest else None
        if value_node is not None and not name.endswith("+"):
            value = _read(value_node, {}, 0)
        if not _is_plain(node, plain):
            value = None
        values.setdefault(name.rstrip("+"), set()).add(value)
        if _is_straight(node):
            start = int(node.end_byte)
            since[name] = min(since.get(name, start), start)
    gone = set(set_otherwise)
    return {
        name: Constant(value, since[name])
        for name, held in values.items()
        if len(held) == 1 and name in since and name not in gone
        for value in held
        if value is not None
    }


def _is_plain(node: Any, known: dict[int, bool]) -> bool:
    """Say whether a declaration takes a value as it is (`declare -u`, `-i`, `-n` do not).

    Args:
        node: of the assignment.
        known: the answers for declarations, by their ids: one may hold thousands of assignments.

    """
    parent = node.parent
    if parent is None or parent.type != "declaration_command":
        return True
    if parent.id not in known:
        flags = [text_of(child) for child in parent.children if text_of(child)[:1] in "-+"]
        known[parent.id] = all(_PLAIN_FLAGS.fullmatch(flag) for flag in flags)
    return known[parent.id]


def _is_straight(node: Any) -> bool:
    """Say whether an assignment is a top-level line of its own, in this very shell."""
    parent = node.parent
    while parent is not None and parent.type in ("declaration_command", "variable_assignments"):
        node, parent = parent, parent.parent
    if parent is None or parent.type != "program":
        return False
    after = node.next_sibling
    return after is None or after.type != "&"


def read_words(nodes: Iterable[Any], constants: Constants, *, splits: bool) -> list[Word]:
    """Return the words of a command; an unquoted constant of several words becomes several."""
    found: list[Word] = []
    for node in nodes:
        raw = text_of(node)
        value = _read(node, constants, 0)
        bare = node.children[0] if node.type == "command_name" and node.children else node
        if bare.type in _EXPANDS and value is not None:
            parts = value.split() if splits else [value]
            found += [Word(part, part, bool(_PATTERN.search(part))) for part in parts]
            continue
        if value is not None and "$" in raw:
            raw = value
        found.append(Word(raw, value, _is_pattern(bare, value)))
    return found


def _is_pattern(node: Any, value: str | None) -> bool:
    """Say whether the shell makes names of files, or several words, of the unquoted parts."""
    if node.type in ("string", "raw_string", "ansi_c_string", "translated_string"):
        return False
    if node.type == "concatenation":
        bare = "".join(
            text_of(child) if child.type not in ("string", "raw_string", "ansi_c_string") else "x"
            for child in node.children
        )
    else:
        bare = text_of(node)
    bare = re.sub(r"\\.", "x", bare)
    return bool(_PATTERN.search(bare)) or (value is None and node.type == "brace_expression")


def read_constant(node: Any, constants: Constants) -> str | None:
    """Return the constant value of one word, or None."""
    return _read(node, constants, 0)


def _read(node: Any, constants: Constants, depth: int) -> str | None:
    if depth > _MAX_DEPTH:
        return None
    reader = _READERS.get(node.type)
    return reader(node, constants, depth) if reader else None


def _read_name(node: Any, constants: Constants, depth: int) -> str | None:
    return _read(node.children[0], constants, depth + 1) if node.children else None


def _read_bare(node: Any, _: Constants, __: int) -> str | None:
    text = text_of(node)
    return None if re.search(r"(?<!\\)[$`(]", text) else _unescape(text)


def _read_content(node: Any, _: Constants, __: int) -> str:
    return re.sub(
        r"\\([\"\\$`\n])", lambda match: "" if match[1] == "\n" else match[1], text_of(node)
    )


def _read_variable(node: Any, constants: Constants, _: int) -> str | None:
    match = _BARE.fullmatch(text_of(node))
    held = constants.get(match[1]) if match else None
    return held.value if held and held.since <= node.start_byte else None


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.replace("\\\n", ""), flags=re.DOTALL)


def _read_string(node: Any, constants: Constants, depth: int) -> str | None:
    """Return a double-quoted string's value; blanks that the tree leaves out are kept."""
    if text_of(node.parent)[:1] == "$" and node.parent.type == "translated_string":
        return None
    parts: list[str] = []
    position = node.start_byte + 1
    source = node.text or b""
    for child in node.children:
        if child.type == '"':
            continue
        if child.start_byte > position:
            gap = source[position - node.start_byte : child.start_byte - node.start_byte]
            parts.append(gap.decode("utf-8", "replace"))
        value = _read(child, constants, depth + 1)
        if value is None:
            return None
        parts.append(value)
        position = child.end_byte
    gap = source[position - node.start_byte : len(source) - 1]
    parts.append(gap.decode("utf-8", "replace"))
    joined = "".join(parts)
    return joined if len(joined) <= _MAX_VALUE else None


def _join(nodes: Sequence[Any], constants: Constants, depth: int) -> str | None:
    parts: list[str] = []
    for node in nodes[:_MAX_PARTS]:
        value = text_of(node) if not node.is_named else _read(node, constants, depth + 1)
        if value is None:
            return None
        parts.append(value)
    joined = "".join(parts)
    return joined if len(joined) <= _MAX_VALUE and len(nodes) <= _MAX_PARTS else None


_READERS: Final[dict[str, Callable[[Any, Constants, int], str | None]]] = {
    "command_name": _read_name,
    "raw_string": lambda node, _, __: text_of(node)[1:-1],
    "ansi_c_string": lambda node, _, __: decode_escapes(text_of(node)[2:-1]),
    "word": _read_bare,
    "number": _read_bare,
    "variable_name": _read_bare,
    "test_operator": _read_bare,
    "special_variable_name": _read_bare,
    "string_content": _read_content,
    "string": _read_string,
    "concatenation": lambda node, constants, depth: _join(node.children, constants, depth),
    "simple_expansion": _read_variable,
    "expansion": _read_variable,
}

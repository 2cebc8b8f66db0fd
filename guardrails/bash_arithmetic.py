# SPDX-License-Identifier: Apache-2.0
"""Arithmetic and indexes on text from outside: the shell evaluates the value once more.

`((x))` with x = `a[$(id)]` runs id. A variable is safe there when all that sets it is known to be a
number (guardrails.bash_numbers), or the script checks it for digits before it is used.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_digit_checks import DigitChecks, function_of
from guardrails.bash_numbers import Numbers, is_straight
from guardrails.command_words import text_of, walk
from guardrails.script_reading import Deadline

_COMPARES: Final = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_PARTS: Final = frozenset(
    ("command_substitution", "variable_name", "word", "special_variable_name")
)
_HIDDEN_INDEX: Final = re.compile(r"\w\[[^\]\n]{0,200}(?:\$\(|`|\\x24|\\044|\\x60|\\140)")


class OutsideValues:
    """The variables of a script whose values come from outside, and where they are evaluated."""

    def __init__(self, nodes: Mapping[str, Sequence[Any]], deadline: Deadline) -> None:
        self._nodes = nodes
        self._deadline = deadline
        self._numbers = Numbers(nodes, DigitChecks(nodes), deadline)
        self._hides_index = any(
            _HIDDEN_INDEX.search(text_of(node))
            for name in ("string", "heredoc")
            for node in nodes.get(name, ())
            if node.type != "string" or not _has_substitution(node)
        )

    def list_doubts(self) -> Iterator[tuple[int, str]]:
        """Yield (1-based line, reason) for every evaluation of a value from outside."""
        for node in self._evaluated():
            self._deadline.check()
            if self._hides_index or not self._is_safe(node):
                line = int(node.start_point[0]) + 1
                yield line, "an expression evaluates text from outside"

        for node in self._nodes.get("command", ()):
            if text_of(node).startswith("let ") and not self._is_safe_let(node):
                yield int(node.start_point[0]) + 1, "an expression evaluates text from outside"

    def _is_safe_let(self, node: Any) -> bool:
        text = text_of(node)[4:]
        names = re.findall(r"[A-Za-z_]\w*\b(?!\s*=[^=])", text)
        plain = re.search(r"[`\[(@*]|\$\d", text) is None
        return plain and all(self._numbers.is_number(name, node) for name in names)

    def _is_safe(self, node: Any) -> bool:
        """Say whether all that an expression evaluates is a number."""
        return all(
            self._is_safe_part(each, node)
            for each in walk(node)
            if each.type in _PARTS and not _inside_substitution(each, node)
        )

    def _is_safe_part(self, part: Any, node: Any) -> bool:
        if part.type == "command_substitution":
            return self._numbers.prints_number(part)
        name = text_of(part)
        if node.type == "expansion" and part.parent is not None and part.parent.id == node.id:
            return _is_first(part) or self._numbers.is_number(name, part)  # the first is cut
        if name in ("@", "*"):
            return bool(part.parent.type != "simple_expansion")
        return re.fullmatch(r"\w+", name) is None or self._is_number(name, part)

    def _is_number(self, name: str, node: Any) -> bool:
        parent = node.parent
        kind = parent.type if parent is not None else ""
        if kind == "expansion":
            return self._numbers.expands_to_number(parent)
        is_index = kind == "subscript" and _is_field(node, "index")
        if kind == "subscript" and not is_index and text_of(parent.parent).strip().startswith("${"):
            return self._numbers.expands_to_number(parent.parent)
        if name.isdigit() and kind != "simple_expansion":
            return True
        return self._numbers.is_number(name, node)

    def _has_text_keys(self, subscript: Any) -> bool:
        """Say whether an array is declared with `-A` for certain: its keys are not evaluated."""
        name = subscript.child_by_field_name("name")
        bare = re.escape(text_of(name)) if name is not None else "-"
        pattern = re.compile(
            rf"(?:declare|local|typeset)\s+-[gr]*A[gr]*\s+(?:[^;]*\s)?{bare}(?:=|\s|$)"
        )
        if any(re.search(rf"\b{bare}\b", text_of(node)) for node in self._nodes.get("unset", ())):
            return False
        inside = function_of(subscript)
        for node in self._nodes.get("declaration", ()):
            outer = function_of(node)
            same = outer is None or (inside is not None and outer.id == inside.id)
            certain = same and is_straight(node) and node.end_byte <= subscript.start_byte
            if certain and pattern.match(text_of(node)):
                return True
        return False

    def _evaluated(self) -> Iterator[Any]:
        yield from self._nodes.get("arithmetic", ())
        for node in self._nodes.get("compound", ()):
            if text_of(node).startswith("(("):
                yield node
        for node in self._nodes.get("loop", ()):
            for field in ("initializer", "condition", "update"):
                yield from node.children_by_field_name(field)
        yield from self._indexes()
        yield from self._comparisons()
        for node in self._nodes.get("expansion", ()):
            match = re.match(r"\$\{\w+:([^-=?+}][^}]*)\}", text_of(node))
            if match and re.search(r"[A-Za-z_]", match[1]):
                yield node

    def _indexes(self) -> Iterator[Any]:
        for node in self._nodes.get("subscript", ()):
            index = node.child_by_field_name("index")
            is_all = index is None or text_of(index) in ("@", "*")
            if not is_all and not self._has_text_keys(node):
                yield index

    def _comparisons(self) -> Iterator[Any]:
        for node in self._nodes.get("test", ()):
            if text_of(node).startswith("[["):
                words = [text_of(each) for each in walk(node) if each.type == "test_operator"]
                if _COMPARES & set(words):
                    yield node


def _has_substitution(node: Any) -> bool:
    return any(child.type in ("command_substitution", "expansion") for child in node.children)


def _is_field(node: Any, field: str) -> bool:
    held = node.parent.child_by_field_name(field)
    return held is not None and held.id == node.id


def _is_first(node: Any) -> bool:
    before = node.prev_sibling
    return before is not None and text_of(before).strip() == "${"


def _inside_substitution(node: Any, outer: Any) -> bool:
    parent = node.parent
    while parent is not None and parent.id != outer.id:
        if parent.type == "command_substitution":
            return True
        parent = parent.parent
    return False

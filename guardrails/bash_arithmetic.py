# SPDX-License-Identifier: Apache-2.0
"""Arithmetic and indexes on text from outside: the shell evaluates the value once more.

`((x))` with x = `a[$(id)]` runs id. A variable is safe there when all that sets it is a number, an
expression, or what a command of a script's own prints; text that a command passes on as it is, from
a file or the network, comes from outside, unless the script checks it for digits.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from guardrails.command_words import text_of, walk
from guardrails.script_reading import Deadline

_COMPARES: Final = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_CHECKED: Final = re.compile(r"\[\[\s+\"?\$\{?(\w+)(?::-\w*)?\}?\"?\s+=~\s+\^")
_CASED: Final = re.compile(r"case\s+\"?\$\{?(\w+)(?::-\w*)?\}?\"?\s+in\s[^;]*\[!0-9\]")
_HIDDEN_INDEX: Final = re.compile(r"\w\[[^\]\n]{0,200}(?:\$\(|`|\\x24|\\044|\\x60|\\140)")
_RAW_SOURCES: Final = re.compile(r"(?:^|\|)\s*(?:sudo\s+)?(?:cat|curl|wget|head|tail|echo|printf|print|base64|xxd|nc|ssh|tee|sed|rev|tac|dig|jq|openssl|strings)\b[^|]*$|^\s*<")  # fmt: skip


class OutsideValues:
    """The variables of a script whose values come from outside, and where they are evaluated."""

    def __init__(
        self, nodes: Mapping[str, Sequence[Any]], source: bytes, deadline: Deadline
    ) -> None:
        self._nodes = nodes
        self._deadline = deadline
        self._text = source.decode("utf-8", "replace")
        checked = {match[1] for match in _CHECKED.finditer(self._text)}
        checked |= {match[1] for match in _CASED.finditer(self._text)}
        self._checked = checked
        self._outside = self._find_outside() - checked
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
            names = {
                text_of(each)
                for each in walk(node)
                if each.type in ("variable_name", "word") and not _inside_substitution(each, node)
            }
            given = {name for name in names if name.isdigit()} - self._checked
            given &= set(re.findall(r"\$\{?(\d)\b", text_of(node)))
            outside = bool(names & self._outside) or bool(given and not _is_in_function(node))
            if self._hides_index or outside:
                line = int(node.start_point[0]) + 1
                yield line, "an expression evaluates text from outside"

    def _evaluated(self) -> Iterator[Any]:
        yield from self._nodes.get("arithmetic", ())
        for node in self._nodes.get("compound", ()):
            if text_of(node).startswith("(("):
                yield node
        for node in self._nodes.get("subscript", ()):
            index = node.child_by_field_name("index")
            if index is not None:
                yield index
        for node in self._nodes.get("test", ()):
            if text_of(node).startswith("[["):
                words = [text_of(each) for each in walk(node) if each.type == "test_operator"]
                if _COMPARES & set(words):
                    yield node
        for node in self._nodes.get("expansion", ()):
            match = re.match(r"\$\{\w+:([^-=?+}][^}]*)\}", text_of(node))
            if match and re.search(r"[A-Za-z_]", match[1]):
                yield node

    def _find_outside(self) -> set[str]:
        found: set[str] = set()
        for node in self._nodes.get("assignment", ()):
            value = node.child_by_field_name("value")
            name = text_of(node).partition("=")[0].rstrip("+")
            if value is not None and _is_raw(text_of(value)):
                found.add(name)
        for node in self._nodes.get("command", ()):
            words = [
                text_of(child) for child in node.children if child.type in ("command_name", "word")
            ]
            if words[:1] in (["read"], ["mapfile"], ["readarray"]):
                found |= {word for word in words[1:] if re.fullmatch(r"[A-Za-z_]\w*", word)}
        return found


def _has_substitution(node: Any) -> bool:
    return any(child.type in ("command_substitution", "expansion") for child in node.children)


def _is_in_function(node: Any) -> bool:
    """Say whether a node stands in a function, whose arguments the script itself gives."""
    while node is not None:
        if node.type == "function_definition":
            return True
        node = node.parent
    return False


def _inside_substitution(node: Any, outer: Any) -> bool:
    parent = node.parent
    while parent is not None and parent.id != outer.id:
        if parent.type == "command_substitution":
            return True
        parent = parent.parent
    return False


def _is_raw(value: str) -> bool:
    """Say whether a value is text that a command passes on as it is, from a file or the network."""
    inner = value.strip('"')
    if not inner.startswith("$(") or not inner.endswith(")"):
        return False
    return _RAW_SOURCES.search(inner[2:-1]) is not None

# SPDX-License-Identifier: Apache-2.0
"""What names mean in one PowerShell script: its functions, classes, variables and script blocks.

A call of a function of the script is known only where the function is certainly defined by then:
its definition stands before the call, in a block around it. A variable counts as a constant only
when one place sets it.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_SET_VARIABLE: Final = re.compile(
    r"\$\{?(?:script:|global:|local:|private:|using:|variable:)?(\w+)\}?\s*(?:[-+*/%]|\?\?)?=(?!=)"
)
_SET_OTHERWISE: Final = re.compile(
    r"(?:foreach\s*\(\s*\$|\[ref\]\s*\$|(?:set|new|clear)-variable\s+(?:-name\s+)?[\"']?"
    r"|\b(?:sv|nv|set)\s+(?:-name\s+)?[\"']?"
    r"|[-\"'](?:outv\w*|ov|variable|pipelinev\w*|pv|errorv\w*|ev|warningv\w*|wv|informationv\w*|iv"
    r"|sessionv\w*|responseheadersv\w*|rhv|statuscodev\w*)[\"']?[\s:=]+[\"'+]*)(\w+)"
)
# Ways to set a variable whose name is not in the text.
_SETS_ANY: Final = re.compile(
    r"\b(?:set-variable|new-variable|clear-variable|sv|nv|clv)\s+(?:-\w+\s+)?(?:[$(@\"]|'?[*?])"
    r"|\bvariable:|psvariable"
)
_GETS_VARIABLES: Final = re.compile(r"\bget-variable\b|\bgv\b")
_SETS_VALUE: Final = re.compile(r"\.\s*[\"']?value[\"']?\s*[-+*/]?=")
# Variables that PowerShell itself sets anew.
_AUTOMATIC: Final = frozenset(
    "_ psitem args input this foreach switch matches error event eventargs eventsubscriber sender host"
    " myinvocation psboundparameters pscmdlet psscriptroot pscommandpath lastexitcode stacktrace pwd home".split()
)
_MAX_DEFINITIONS: Final = 16  # of one name; more are not looked through
_BLOCKS: Final = frozenset(("statement_block", "script_block", "program", "switch_body"))


@dataclass(frozen=True, slots=True)
class _Definition:
    """Where a function is defined, and the bytes of the block around it."""

    start: int
    end: int
    block_start: int
    block_end: int
    is_top: bool


class PowershellScope:
    """Names of one parsed script; `text` is its source in lower case."""

    def __init__(self, source: bytes, nodes: dict[str, list[Any]]) -> None:
        self._source = source
        self.text = source.decode("utf-8", "replace").lower()
        self._mentions: dict[re.Pattern[str], bool] = {}
        self._functions: dict[str, list[_Definition]] = {}
        for node in nodes.get("function", []):
            name = self._cut(node).rpartition(":")[2]
            self._functions.setdefault(name, []).append(_place(node.parent))
        self.classes = frozenset(self._list_classes(nodes))
        methods = [*self._list_methods(nodes)]
        self.methods = frozenset(
            self._cut(child)
            for node in methods
            for child in node.children
            if child.type == "simple_name"
        )
        spans = {
            (each.start, each.end, False) for some in self._functions.values() for each in some
        }
        spans |= {(node.start_byte, node.end_byte, True) for node in methods}
        self._spans = sorted(spans)
        self._outer = _find_outer(self._spans)
        self.parameters = frozenset(
            next(map(self._cut, _variables(node)), "").strip("${}")
            for node in nodes.get("parameter", [])
        )
        self.unstable = self._list_unstable(nodes)
        self.blocks = self._list_blocks(nodes)
        self._first_call = self._find_first_call(nodes)

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Say whether a pattern occurs in the script's lower-case text; asked once each."""
        if pattern not in self._mentions:
            self._mentions[pattern] = pattern.search(self.text) is not None
        return self._mentions[pattern]

    def is_in_method(self, position: int) -> bool:
        """Say whether the innermost function around a byte is a method of a class."""
        return any(is_method for _, _, is_method in self._list_around(position)[:1])

    def _list_around(self, position: int) -> list[tuple[int, int, bool]]:
        """Return the functions and methods around a byte, from the inside."""
        found = []
        index = bisect_right(self._spans, (position, len(self._source) + 1, True)) - 1
        while index >= 0:
            if self._spans[index][1] > position:
                found.append(self._spans[index])
            index = self._outer[index]
        return found

    def _cut(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace").lower()

    def _list_classes(self, nodes: dict[str, list[Any]]) -> Iterator[str]:
        for node in nodes.get("class", []):
            name = next((child for child in node.children if child.type == "simple_name"), None)
            if name is not None:
                yield self._cut(name)

    @staticmethod
    def _list_methods(nodes: dict[str, list[Any]]) -> Iterator[Any]:
        for node in nodes.get("class", []):
            yield from (c for c in node.children if c.type == "class_method_definition")

    def _list_unstable(self, nodes: dict[str, list[Any]]) -> frozenset[str]:
        """Return the variables that are set at more than one place, or by a loop or a cmdlet."""
        found = _SET_VARIABLE.findall(self.text)
        if self.mentions(_SETS_ANY) or (
            self.mentions(_GETS_VARIABLES) and self.mentions(_SETS_VALUE)
        ):
            return frozenset(found) | _AUTOMATIC
        unstable = set(_AUTOMATIC)
        unstable |= {name for name, count in Counter(found).items() if count > 1}
        unstable |= set(_SET_OTHERWISE.findall(self.text))
        unstable |= self.parameters
        for node in nodes.get("assignment", []):
            left = next((c for c in node.children if c.type == "left_assignment_expression"), None)
            names = [self._cut(each) for each in _variables(left)] if left is not None else []
            if len(names) > 1:  # `$a, $b = ...`
                unstable |= {name.strip("${}").rpartition(":")[2] for name in names}
        return frozenset(unstable)

    def _list_blocks(self, nodes: dict[str, list[Any]]) -> frozenset[str]:
        """Return the variables that one place sets, to a script block of the text."""
        blocks = set()
        for node in nodes.get("assignment", []):
            left, _, right = self._cut(node).partition("=")
            name = re.sub(r"^(?:\[[\w.]+\]\s*)?\$(?:script:|global:|local:)?", "", left.strip())
            value = right.strip()
            if re.fullmatch(r"\w+", name) and value[:1] == "{" and value[-1:] == "}":
                last = node.children[-1]
                while len(last.named_children) == 1 and last.type != "script_block_expression":
                    last = last.named_children[0]
                if last.type == "script_block_expression":
                    blocks.add(name)
        return frozenset(blocks) - self.unstable

    def _find_first_call(self, nodes: dict[str, list[Any]]) -> int:
        """Return where code outside functions first calls a function of the script, in bytes."""
        starts = [
            node.start_byte
            for node in (nodes.get("command", []) if self._functions else [])
            if self.has_function(self._cut(node)[:200].split()[:1])
            and not self._list_around(node.start_byte)
        ]
        return min(starts, default=len(self._source))

    def has_function(self, names: list[str]) -> bool:
        """Say whether a function of the script has this name."""
        return bool(names) and names[0] in self._functions

    def defines(self, name: str, call: int) -> bool:
        """Say whether `name` is certainly a function of the script where a command calls it.

        `call` is the byte at which the command begins.
        """
        around = self._list_around(call)
        return any(
            self._is_defined_for(each, call, around)
            for each in self._functions.get(name, [])[:_MAX_DEFINITIONS]
        )

    def _is_defined_for(
        self, definition: _Definition, call: int, around: list[tuple[int, int, bool]]
    ) -> bool:
        if not definition.block_start <= call < definition.block_end:
            return False
        if definition.start <= call < definition.end:
            return True  # it calls itself
        inner = any(
            start >= definition.block_start and end <= definition.block_end
            for start, end, _ in around
        )
        if not inner:
            return definition.start < call
        return not definition.is_top or definition.start < self._first_call


def _place(definition: Any) -> _Definition:
    block = definition.parent or definition  # in a script that does not parse
    while block.parent is not None and block.type not in _BLOCKS:
        block = block.parent
    return _Definition(
        definition.start_byte,
        definition.end_byte,
        block.start_byte,
        block.end_byte + (block.parent is None),
        block.parent is None,
    )


def _find_outer(spans: list[tuple[int, int, bool]]) -> list[int]:
    """Return for each of the sorted spans the position of the span around it, or -1."""
    outer, open_spans = [], [-1]
    for index, (start, _, _) in enumerate(spans):
        while open_spans[-1] >= 0 and spans[open_spans[-1]][1] <= start:
            open_spans.pop()
        outer.append(open_spans[-1])
        open_spans.append(index)
    return outer


def _variables(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type == "variable":
            yield each
        elif each.type not in ("member_access", "element_access", "invokation_expression"):
            waiting.extend(reversed(each.children))

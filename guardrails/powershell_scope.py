# SPDX-License-Identifier: Apache-2.0
"""What names mean in one PowerShell script: its functions, classes, variables and script blocks.

A call of a function of the script is known only where the function is certainly defined by then:
its definition stands before the call, in a block around it. A variable counts as a constant only
when one place sets it.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from collections import Counter
from collections.abc import Iterator
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
    r"|\bvariable:|psvariable|(?:get-variable|\bgv)\b.*\.value\s*="
)
# Variables that PowerShell itself sets anew.
_AUTOMATIC: Final = frozenset(
    "_ psitem args input this foreach switch matches error event eventargs eventsubscriber sender host"
    " myinvocation psboundparameters pscmdlet psscriptroot pscommandpath lastexitcode stacktrace pwd home".split()
)
_BLOCKS: Final = frozenset(("statement_block", "script_block", "program", "switch_body"))


class PowershellScope:
    """Names of one parsed script; `text` is its source in lower case."""

    def __init__(self, source: bytes, nodes: dict[str, list[Any]]) -> None:
        self._source = source
        self.text = source.decode("utf-8", "replace").lower()
        self._functions: dict[str, list[Any]] = {}
        for node in nodes.get("function", []):
            name = self._cut(node).rpartition(":")[2]
            self._functions.setdefault(name, []).append(node.parent)
        self.classes = frozenset(self._list_classes(nodes))
        self.methods = frozenset(self._list_methods(nodes))
        self.unstable = self._list_unstable(nodes)
        self.blocks = self._list_blocks(nodes)
        self._first_call = self._find_first_call(nodes)

    def _cut(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace").lower()

    def _list_classes(self, nodes: dict[str, list[Any]]) -> Iterator[str]:
        for node in nodes.get("class", []):
            name = next((child for child in node.children if child.type == "simple_name"), None)
            if name is not None:
                yield self._cut(name)

    def _list_methods(self, nodes: dict[str, list[Any]]) -> Iterator[str]:
        for node in nodes.get("class", []):
            for child in node.children:
                if child.type == "class_method_definition":
                    yield from (self._cut(c) for c in child.children if c.type == "simple_name")

    def _list_unstable(self, nodes: dict[str, list[Any]]) -> frozenset[str]:
        """Return the variables that are set at more than one place, or by a loop or a cmdlet."""
        found = _SET_VARIABLE.findall(self.text)
        if _SETS_ANY.search(self.text):
            return frozenset(found) | _AUTOMATIC
        unstable = set(_AUTOMATIC)
        unstable |= {name for name, count in Counter(found).items() if count > 1}
        unstable |= set(_SET_OTHERWISE.findall(self.text))
        for node in nodes.get("parameter", []):
            unstable.add(next(map(self._cut, _variables(node)), "").strip("${}"))
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
            for node in nodes.get("command", [])
            if self.has_function(self._cut(node).split()[:1]) and not functions_around(node)
        ]
        return min(starts, default=len(self._source))

    def has_function(self, names: list[str]) -> bool:
        """Say whether a function of the script has this name."""
        return bool(names) and names[0] in self._functions

    def defines(self, name: str, call: Any) -> bool:
        """Say whether `name` is certainly a function of the script where a command calls it."""
        return any(
            self._is_defined_for(definition, call) for definition in self._functions.get(name, ())
        )

    def _is_defined_for(self, definition: Any, call: Any) -> bool:
        block = definition.parent
        while block is not None and block.type not in _BLOCKS:
            block = block.parent
        if block is None or not (block.start_byte <= call.start_byte < block.end_byte):
            return False
        if definition.start_byte <= call.start_byte < definition.end_byte:
            return True  # it calls itself
        inner = [
            each
            for each in functions_around(call)
            if each.start_byte >= block.start_byte and each.end_byte <= block.end_byte
        ]
        if not inner or block.type != "program":
            return bool(definition.start_byte < call.start_byte or inner)
        return bool(definition.start_byte < max(self._first_call, 1))


def functions_around(node: Any) -> list[Any]:
    """Return the functions and methods that a node stands in, from the inside."""
    found, parent = [], node.parent
    while parent is not None:
        if parent.type in ("function_statement", "class_method_definition"):
            found.append(parent)
        parent = parent.parent
    return found


def _variables(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type == "variable":
            yield each
        elif each.type not in ("member_access", "element_access", "invokation_expression"):
            waiting.extend(reversed(each.children))

# SPDX-License-Identifier: Apache-2.0
"""Where a bash or zsh script checks that a variable holds digits, and what that covers.

`[[ $x =~ ^[0-9]+$ ]]` and `case $x in *[!0-9]*)` count as the parser sees them, not in comments. A
check covers what stands in the same statement; it covers the rest of the script when the script
leaves, or sets the variable anew, where the check fails. So does a call of a function that checks
an argument in this way.
"""
# ruff: noqa: SIM905 - tables

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from guardrails.bash_functions import DefinitionSpans
from guardrails.command_words import text_of
from guardrails.script_reading import Deadline

_DIGITS: Final = re.compile(
    r"\^(?:-\?|\[-\+?\]\?|[()]|\?|\\\.|\[0-9\]|\[1-9\]|\[\[:digit:\]\]|[+*]|\{\d*(?:,\d*)?\}|\d)+\$"
)
_VARIABLE: Final = r"\"?\$\{?(\w+)(?::?-\w*)?\}?\"?"
_MATCHES: Final = re.compile(rf"{_VARIABLE}\s+=~\s+(\S+)")
_CASE: Final = re.compile(rf"case\s+{_VARIABLE}\s+in\b")
_NO_DIGIT: Final = re.compile(r"(?:^|\|)\s*\(?\s*(?:\*\[[!^]0-9\]\*)")
_OUTER: Final = frozenset(("list", "test_command", "negated_command", "binary_expression"))
# A function may hand its argument on to another one that checks it.
_MAX_HANDED_ON: Final = 3
_BLOCKS: Final = frozenset(
    "if_statement elif_clause else_clause do_group case_item subshell compound_statement"
    " command_substitution process_substitution pipeline".split()
)


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    start: int
    end: int
    lasts: bool
    function: Any
    exits: bool


class DigitChecks:
    """The checks of one script."""

    def __init__(
        self, nodes: Mapping[str, Sequence[Any]], definitions: DefinitionSpans, deadline: Deadline
    ) -> None:
        self._nodes = nodes
        self._definitions = definitions
        self._deadline = deadline
        self._exits = self._find_exits()
        self._checks = [*self._list_matches(), *self._list_cases()]
        self._checks += self._list_calls()

    def guards(self, name: str, use: Any, setter: Any) -> bool:
        """Say whether a check stands between what sets a variable and its use.

        Args:
            name: of the variable, or the number of an argument.
            use: the node where it is evaluated.
            setter: the node that sets it; None for what comes from the caller.

        """
        function = self._definitions.find_around(use)
        for check in self._checks:
            if check.name != name or (setter is not None and setter.start_byte >= check.start):
                continue
            same = _id(check.function) == _id(function)
            if check.start <= use.start_byte < check.end:
                return True
            before = check.start <= use.start_byte if same else check.function is None
            if check.lasts and before and (same or not name.isdigit()):
                return True
        return False

    def _find_exits(self) -> str:
        """Return a pattern of what ends the script: exit, and functions that certainly call it."""
        names = {
            text_of(definition.child_by_field_name("name"))
            for node in self._nodes.get("command", ())
            if text_of(node).split()[:1] == ["exit"]
            if (definition := _definition_around(node)) is not None
        }
        return "|".join(["exit", *map(re.escape, sorted(names))])

    def _list_matches(self) -> list[_Check]:
        return [
            self._measure(match[1], node)
            for node in self._nodes.get("test", ())
            if text_of(node).startswith("[[") and "||" not in text_of(node)
            for match in _MATCHES.finditer(text_of(node))
            if _DIGITS.fullmatch(match[2])
        ]

    def _measure(self, name: str, node: Any) -> _Check:
        """Return the check that a test makes: how far it reaches."""
        outer = node
        while (parent := outer.parent) is not None and parent.type in _OUTER:
            self._deadline.check()
            outer = parent
        after = text_of(outer)[int(node.end_byte - outer.start_byte) :]
        negated = text_of(node)[2:].lstrip().startswith("!") or (
            node.parent is not None and node.parent.type == "negated_command"
        )
        sign = "&&" if negated else r"\|\|"
        before = text_of(outer)[: int(node.start_byte - outer.start_byte)]
        parts = re.split(sign, after, maxsplit=1)
        failed = parts[1] if len(parts) > 1 and "||" not in before else ""
        end = int(node.start_byte) if negated else int(outer.end_byte)
        if not negated and "||" in after:
            end = int(node.end_byte) + len(after.split("||")[0].encode())
        parent = outer.parent
        is_condition = parent is not None and outer in parent.children_by_field_name("condition")
        if is_condition and "||" not in text_of(outer):
            body = text_of(parent)[int(outer.end_byte - parent.start_byte) :]
            held, _, other = re.sub(r"\b(?:elif|else)\b", "\0", body, count=1).partition("\0")
            failed = re.sub(r"^[\s;]*(?:then|do)\b", "", held) if negated else other
            end = end if negated else int(outer.end_byte) + len(held.encode())
            outer = parent
        return self._close(name, node, outer, end, failed)

    def _close(self, name: str, node: Any, outer: Any, end: int, failed: str) -> _Check:
        """Return a check and how far it reaches, by what is done where it fails."""
        bare = re.sub(r"\"[^\"]*\"|'[^']*'|#[^\n]*", "q", failed)
        bare = re.split(r"\b(?:if|while|until|for|case)\b", bare)[0]
        leaves = rf"(?:({self._exits})|(return|continue|break))(?![\w/.-])"
        match = re.search(rf"(?:^|[;\n{{}}])\s*(?:{leaves}|{re.escape(name)}=)", bare)
        lasts = match is not None
        block = self._find_block(outer)
        if match is not None and (block is not None or match[2] in ("continue", "break")):
            end, lasts = int(block.end_byte) if block is not None else end, False
        exits = match is not None and match[1] is not None
        function = self._definitions.find_around(node)
        return _Check(name, int(node.start_byte), end, lasts, function, exits)

    def _list_cases(self) -> list[_Check]:
        found = []
        for node in self._nodes.get("case", ()):
            match = _CASE.match(text_of(node))
            if match is None:
                continue
            name = match[1]
            for item in node.named_children:
                pattern, _, body = text_of(item).partition(")")
                if item.type == "case_item" and _NO_DIGIT.search(pattern):
                    check = self._close(name, item, node, int(node.end_byte), body)
                    found.append(replace(check, start=int(item.end_byte)))
        return found

    def _list_calls(self) -> list[_Check]:
        """Return what calls of functions check that leave when an argument is no number."""
        checking: dict[str, set[int]] = {}
        for check in self._checks:
            if check.function is not None and check.name.isdigit() and check.lasts and check.exits:
                name = text_of(check.function.child_by_field_name("name"))
                checking.setdefault(name, set()).add(int(check.name))
        found: list[_Check] = []
        for _ in range(_MAX_HANDED_ON):
            found = [
                check
                for node in self._nodes.get("command", ())
                if (name := node.child_by_field_name("name")) is not None
                for check in self._list_checked(node, checking.get(text_of(name), ()))
            ]
            for check in found:
                if check.function is not None and check.name.isdigit():
                    called = text_of(check.function.child_by_field_name("name"))
                    checking.setdefault(called, set()).add(int(check.name))
        return found

    def _list_checked(self, call: Any, positions: Iterable[int]) -> Iterator[_Check]:
        """Yield a check for each variable that a call hands to a function at these positions."""
        arguments = call.children_by_field_name("argument")
        end = int(call.end_byte)
        for position in positions:
            given = text_of(arguments[position - 1]) if len(arguments) >= position else ""
            match = re.fullmatch(_VARIABLE, given)
            if match is None or (call.parent.type == "list" and call.prev_sibling is not None):
                continue
            block = self._find_block(call)
            until = int(block.end_byte) if block is not None else end
            yield _Check(
                match[1], end, until, block is None, self._definitions.find_around(call), exits=True
            )

    def _find_block(self, node: Any) -> Any:
        """Return the innermost part of the script around a statement that may not run, or None."""
        node = node.parent
        while node is not None and node.type not in ("program", "function_definition"):
            self._deadline.check()
            is_body = node.parent is not None and node.parent.type == "function_definition"
            if node.type in _BLOCKS and not is_body:
                return node
            node = node.parent
        return None


def _definition_around(node: Any) -> Any:
    """Return the function whose body a statement is a line of, or None."""
    body = node.parent
    if body is None or body.type != "compound_statement" or body.parent is None:
        return None
    return body.parent if body.parent.type == "function_definition" else None


def _id(node: Any) -> int | None:
    return int(node.id) if node is not None else None

# SPDX-License-Identifier: Apache-2.0
"""Arithmetic and indexes on text from outside: the shell evaluates the value once more.

`((x))` with x = `a[$(id)]` runs id. A variable is safe there when all that sets it is known to be a
number (guardrails.bash_numbers), or the script checks it for digits before it is used.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_functions import DefinitionSpans
from guardrails.bash_numbers import Numbers, is_straight
from guardrails.command_words import text_of, walk
from guardrails.script_reading import Deadline
from guardrails.unix_programs import INTEGER_VARIABLES
from guardrails.zsh_evaluation import ZSH_INTEGERS, list_zsh_evaluations

_COMPARES: Final = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_PARTS: Final = frozenset(
    ("command_substitution", "variable_name", "word", "special_variable_name")
)
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
# Texts of an expression: quotes do not keep the shell from evaluating what stands in them.
_LITERALS: Final = frozenset(("string_content", "raw_string", "ansi_c_string", "word"))
_QUOTES: Final = re.compile(r"[\\'\"]")
_NAME_IN_TEXT: Final = re.compile(r"(?<!\w)[A-Za-z_]\w*")
_ARRAY: Final = re.compile(r"(\w+)(?:\+?=\(|\[)")
# zsh takes their arguments for arithmetic.
_ZSH_EVALUATES: Final = re.compile(
    r"(?:exit|return|shift|break|continue|logout|bye|integer|float)\s"
)
_UNSET_INDEX: Final = re.compile(r"\w\[(?!(?:\d+|[@*])\])")
_HIDDEN_INDEX: Final = re.compile(r"\w\[[^\]\n]{0,200}(?:\$\(|`|\\x24|\\044|\\x60|\\140)")


class OutsideValues:
    """The variables of a script whose values come from outside, and where they are evaluated."""

    def __init__(
        self, nodes: Mapping[str, Sequence[Any]], deadline: Deadline, *, dialect: str = "bash"
    ) -> None:
        self._nodes = nodes
        self._dialect = dialect
        self._deadline = deadline
        self._definitions = DefinitionSpans(nodes)
        self._numbers = Numbers(nodes, self._definitions, deadline)
        self._arrays = {
            match[1]
            for node in nodes.get("assignment", ())
            if (match := _ARRAY.match(text_of(node)))
        }
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

        yield from self._list_indexes_elsewhere()
        for node in self._nodes.get("command", ()):
            if text_of(node).startswith("let ") and not self._is_safe_let(node):
                yield int(node.start_point[0]) + 1, "an expression evaluates text from outside"
            elif self._dialect == "zsh" and not self._is_safe_in_zsh(node):
                yield int(node.start_point[0]) + 1, "zsh evaluates an argument"
        for node in self._list_split_tests():
            yield int(node.start_point[0]) + 1, "unquoted text from outside in [ ]"
        for node in self._nodes.get("assignment", ()):
            self._deadline.check()
            is_safe = self._is_safe_array(node) and self._is_safe_integer(node)
            if not is_safe or self._is_array_in_text(node):
                yield int(node.start_point[0]) + 1, "an expression evaluates text from outside"

    def _list_indexes_elsewhere(self) -> Iterator[tuple[int, str]]:
        """Yield (1-based line, reason) for what `unset`, or zsh alone, evaluates."""
        for node in self._nodes.get("unset", ()):
            if _UNSET_INDEX.search(text_of(node)):
                yield int(node.start_point[0]) + 1, "an index is evaluated"
        if self._dialect == "zsh":
            yield from list_zsh_evaluations(
                self._nodes, self._is_safe, self._numbers.is_number, self._has_text_keys
            )

    def _list_split_tests(self) -> Iterator[Any]:
        """Yield tests that text from outside, unquoted, may turn into `[ -v a[...] ]`."""
        if self._dialect == "zsh":
            return  # it splits nothing
        tests = [each for each in self._nodes.get("test", ()) if text_of(each)[:2] != "[["]
        commands = self._nodes.get("command", ())
        for node in (*tests, *(each for each in commands if text_of(each).startswith("test "))):
            self._deadline.check()
            waiting = list(node.children)
            while waiting:
                part = waiting.pop()
                if part.type in ("simple_expansion", "expansion") and not self._is_safe(part):
                    yield node
                    break
                if part.type not in ("string", "command_substitution", "arithmetic_expansion"):
                    waiting.extend(part.children)

    def _is_safe_in_zsh(self, node: Any) -> bool:
        """Say whether a builtin of zsh that evaluates its arguments is given numbers."""
        if not _ZSH_EVALUATES.match(text_of(node)):
            return True
        return all(self._is_safe(each) for each in node.children_by_field_name("argument"))

    def _is_array_in_text(self, node: Any) -> bool:
        """Say whether `declare -a x="$y"` may be read as an array: its indexes are evaluated."""
        value, parent = node.child_by_field_name("value"), node.parent
        if value is None or value.type == "array" or parent.type != "declaration_command":
            return False
        name = text_of(node).partition("=")[0].rstrip("+")
        flags = [text_of(child) for child in parent.children if child.type == "word"]
        is_array = any(re.match(r"-\w*[aA]", flag) for flag in flags) or name in self._arrays
        text = text_of(value)
        opens = text.lstrip("\"'")[:1] in ("(", "$", "`")
        return is_array and opens and re.search(r"[$`\[]", text) is not None

    def _is_safe_integer(self, node: Any) -> bool:
        """Say whether a variable that the shell evaluates, such as SECONDS, is given a number."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        integers = INTEGER_VARIABLES | (ZSH_INTEGERS if self._dialect == "zsh" else frozenset())
        if name is None or text_of(name) not in integers or value is None:
            return True
        return self._numbers.yields_number(value)

    def _is_safe_let(self, node: Any) -> bool:
        text = text_of(node)[4:]
        names = re.findall(r"[A-Za-z_]\w*\b(?!\s*=[^=])", text)
        plain = re.search(r"[`\[(@*]|\$\d", text) is None
        return plain and all(self._numbers.is_number(name, node) for name in names)

    def _is_safe(self, node: Any) -> bool:
        """Say whether all that an expression evaluates is a number."""
        return all(
            self._is_safe_part(each)
            for each in walk(node)
            if each.type in _PARTS and not _inside_substitution(each, node)
        ) and all(map(self._is_safe_literal, _list_literals(node)))

    def _is_safe_literal(self, part: Any) -> bool:
        """Say whether a text of an expression, in quotes or not, names numbers alone."""
        text = text_of(part)
        if part.type == "ansi_c_string" and "\\" in text:
            return False
        names = _NAME_IN_TEXT.findall(_QUOTES.sub("", text))
        return "[" not in text and all(self._numbers.is_number(name, part) for name in names)

    def _is_safe_part(self, part: Any) -> bool:
        if part.type == "command_substitution":
            return self._numbers.prints_number(part)
        name = text_of(part)
        if name in ("@", "*"):
            return bool(part.parent.type != "simple_expansion")
        return re.fullmatch(r"\w+", name) is None or self._is_number(name, part)

    def _is_number(self, name: str, node: Any) -> bool:
        parent = node.parent
        kind = parent.type if parent is not None else ""
        if kind == "expansion" and _is_first(node):
            return self._numbers.expands_to_number(parent)
        is_index = kind == "subscript" and _is_field(node, "index")
        if kind == "subscript" and not is_index and text_of(parent.parent).strip().startswith("${"):
            return self._numbers.expands_to_number(parent.parent)
        if name.isdigit() and kind != "simple_expansion":
            return True
        return self._numbers.is_number(name, node)

    def _has_text_keys(self, name: str, use: Any) -> bool:
        """Say whether an array is declared with `-A` for certain: its keys are not evaluated."""
        bare = re.escape(name)
        pattern = re.compile(
            rf"(?:declare|local|typeset)\s+-[gr]*A[gr]*\s+(?:[^;]*\s)?{bare}(?:=|\s|$)"
        )
        if any(re.search(rf"\b{bare}\b", text_of(node)) for node in self._nodes.get("unset", ())):
            return False
        inside = self._definitions.find_around(use)
        for node in self._nodes.get("declaration", ()):
            outer = self._definitions.find_around(node)
            same = outer is None or (inside is not None and outer.id == inside.id)
            is_own = node.start_byte <= use.start_byte < node.end_byte
            certain = same and is_straight(node) and (is_own or node.end_byte <= use.start_byte)
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
            after = itertools.dropwhile(lambda child: child.type != ":", node.children)
            yield from (child for child in after if child.is_named)

    def _indexes(self) -> Iterator[Any]:
        for node in self._nodes.get("subscript", ()):
            index, name = node.child_by_field_name("index"), node.child_by_field_name("name")
            is_all = index is None or text_of(index) in ("@", "*")
            if not is_all and not self._has_text_keys(text_of(name) if name else "-", node):
                yield index

    def _is_safe_array(self, node: Any) -> bool:
        """Say whether the indexes of `a=([i]=x)` are numbers, or keys that are not evaluated."""
        value = node.child_by_field_name("value")
        indexes = [] if value is None else [*map(_index_of, value.named_children)]
        written = [parts for parts in indexes if parts is not None]
        if not written or self._has_text_keys(text_of(node).partition("=")[0].rstrip("+"), node):
            return True
        parts = [part for each in written for part in each]
        words = [part for part in parts if part.type == "word"]
        names = [(name, word) for word in words for name in _NAME.findall(text_of(word))]
        return all(self._is_safe(part) for part in parts if part.type != "word") and all(
            self._numbers.is_number(name, word) for name, word in names
        )

    def _comparisons(self) -> Iterator[Any]:
        for node in self._nodes.get("test", ()):
            if text_of(node).startswith("[[") or self._dialect == "zsh":
                words = [text_of(each) for each in walk(node) if each.type == "test_operator"]
                if _COMPARES & set(words):
                    yield node


def _list_literals(node: Any) -> Iterator[Any]:
    """Yield the texts of an expression; of a test, those that it compares as numbers."""
    if node.type != "test_command":
        roots = [node]
    else:
        roots = [
            side
            for each in walk(node)
            if each.type == "binary_expression"
            and any(text_of(child) in _COMPARES for child in each.children)
            for field in ("left", "right")
            for side in each.children_by_field_name(field)
        ]
    for root in roots:
        for each in walk(root):
            if each.type in _LITERALS and not _inside_substitution(each, node):
                yield each


def _has_substitution(node: Any) -> bool:
    return any(child.type in ("command_substitution", "expansion") for child in node.children)


def _index_of(element: Any) -> list[Any] | None:
    """Return the parts of the index of `[i]=x`, an element of an array; None when it has none."""
    parts = element.children
    if element.type != "concatenation" or not parts or text_of(parts[0])[:1] != "[":
        return None
    return list(
        itertools.takewhile(lambda part: not text_of(part).startswith("]"), parts[1:])
    ) or list(parts[:1])


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

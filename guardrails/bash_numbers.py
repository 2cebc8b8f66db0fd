# SPDX-License-Identifier: Apache-2.0
"""Which variables of a bash or zsh script hold numbers, as far as its text shows.

A list of what is allowed: literals, arithmetic, lengths, commands that print numbers, functions of
the script that print nothing else, and copies of these. Everything else is text from outside,
until the script has checked it for digits (guardrails.bash_digit_checks).
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from guardrails.bash_digit_checks import DigitChecks
from guardrails.bash_functions import DefinitionSpans
from guardrails.bash_number_pieces import APPENDS, PRINTS_NUMBER, has_letters, replaces_value
from guardrails.command_words import text_of
from guardrails.number_commands import (
    copies_numbers,
    cuts_process_name,
    picks_numbers,
    prints_nothing,
    prints_numbers,
    reads_process_state,
)
from guardrails.script_reading import Deadline

_NUMBERS_OF_SHELL: Final = frozenset(
    "# ? $ ! RANDOM SRANDOM SECONDS LINENO EPOCHSECONDS EPOCHREALTIME UID EUID PPID BASHPID COLUMNS LINES SHLVL BASH_SUBSHELL".split()
)
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_EXPANSION: Final = re.compile(r"\$\{(\w+|[?$!#])(?:\[[^\]`(]*\])?(.*)\}", re.DOTALL)
_KEEPS_DIGITS: Final = re.compile(r"//\[[!^]0-9\]/?")
_CUTS: Final = re.compile(r"(?:[%#^,]|:\s*[-\d$(\w]|:?\?).*|", re.DOTALL)
_REPLACES: Final = re.compile(r"//?[^/$`]+/?\d*")
_DEFAULT: Final = re.compile(r":?[-=+](.*)", re.DOTALL)
_PLAIN_DEFAULT: Final = re.compile(r"[-\w$\"{}]*")
_READS: Final = frozenset("read mapfile readarray getopts select printf".split())
_SYSTEM_FOLDER: Final = re.compile(r"^/(?:usr/)?s?bin/")
_GOES_ON: Final = re.compile(r"2>\s*&\s*1|>\s*\"?(?:/dev/(?:std|fd|tty)|/proc/)")
_LITERALS: Final = frozenset("number word raw_string string_content brace_expression".split())
_GOES_AWAY: Final = re.compile(r"(?<![2-9&])>>?\s*(?:/dev/null|&\s*2|\"?[$/\w])|&>\s*/dev/null")
_COUNTS: Final = re.compile(
    r"(?<![\w$])([A-Za-z_]\w*)\s*(?:\+\+|--|[-+*/%&|^]?=(?!=)|<<=|>>=)|(?:\+\+|--)([A-Za-z_]\w*)"
)
_MAX_DEPTH: Final = 60


class Numbers:
    """Answers whether a variable holds a number where it is used."""

    def __init__(
        self, nodes: Mapping[str, Sequence[Any]], definitions: DefinitionSpans, deadline: Deadline
    ) -> None:
        self._nodes = nodes
        self._definitions = definitions
        self._checks = DigitChecks(nodes, definitions, deadline)
        self._deadline = deadline
        self._setters: dict[str, list[tuple[Any, Any]]] = {}
        self._functions: dict[str, list[Any]] = {}
        self._calls: dict[str, list[Any]] = {}
        self._locals: set[tuple[str, int]] = set()
        self._seen: set[tuple[str, int, bool]] = set()
        self._is_piece = False  # of a value that is put together
        self._counted = self._find_counted()
        self._collect()

    def is_number(self, name: str, use: Any) -> bool:
        """Say whether a variable, or a positional parameter, is a number at a node."""
        self._seen = set()
        return self._holds(name, use, 0)

    def prints_number(self, substitution: Any) -> bool:
        """Say whether a command substitution yields numbers, and nothing else."""
        self._seen = set()
        return self._value(substitution, 0)

    def yields_number(self, value: Any) -> bool:
        """Say whether the value of an assignment is a number."""
        self._seen = set()
        return self._value(value, 0)

    def expands_to_number(self, expansion: Any) -> bool:
        """Say whether `${...}` yields a number."""
        self._seen = set()
        return self._expands(expansion, 0)

    def _collect(self) -> None:
        for node in self._nodes.get("function", ()):
            self._functions.setdefault(text_of(node), []).append(node.parent)
        for node in self._nodes.get("assignment", ()):
            if name := _NAME.match(text_of(node)):
                self._add_setter(name[0], node, node.child_by_field_name("value"))
        for node in self._nodes.get("declaration", ()):
            self._collect_locals(node)
        for node in self._nodes.get("command", ()):
            words = _words(node)
            self._calls.setdefault(words[0] if words else "", []).append(node)
            if words[:1] and words[0] in _READS:
                for word in filter(_NAME.fullmatch, words[1:]):
                    self._add_setter(word, node, node)
        self._collect_loops()

    def _add_setter(self, name: str, node: Any, value: Any) -> None:
        self._setters.setdefault(name, []).append((node, value))

    def _collect_locals(self, node: Any) -> None:
        function = self._definitions.find_around(node)
        if function is None or text_of(node.children[0]) == "export":
            return
        for child in node.children[1:]:
            if name := _NAME.match(text_of(child)):
                self._locals.add((name[0], function.id))

    def _collect_loops(self) -> None:
        seen: set[int] = set()
        for node in self._nodes.get("loop", ()):
            variable = node.child_by_field_name("variable")
            if variable is None or node.id in seen:
                continue
            seen.add(node.id)
            for value in node.children_by_field_name("value") or [node]:
                self._add_setter(text_of(variable), node, value)

    def _holds(self, name: str, use: Any, depth: int) -> bool:
        self._deadline.check()
        if name in _NUMBERS_OF_SHELL:
            return True
        if depth > _MAX_DEPTH or name in ("@", "*", "0", "-", "_"):
            return False
        key = (name, int(use.start_byte), self._is_piece)
        if key in self._seen:
            return True
        self._seen.add(key)
        if name.isdigit():
            return self._is_argument(name, use, depth)
        setters = self._reaching(name, use)
        if not setters:
            return self._checks.guards(name, use, None) or name in self._counted
        return not _is_in_pieces(setters) and all(
            self._checks.guards(name, use, setter) or self._sets_number(setter, value, depth)
            for setter, value in setters
        )

    def _sets_number(self, setter: Any, value: Any, depth: int) -> bool:
        if value is None or _is_in_arithmetic(setter):
            return True  # what arithmetic evaluates is asked about there
        if setter.type == "command":
            return PRINTS_NUMBER.match(text_of(setter)) is not None
        if (line := cuts_process_name(text_of(value))) and self._is_process_state(line, setter):
            return True
        return self._value(value, depth + 1)

    def _is_process_state(self, name: str, use: Any) -> bool:
        """Say whether all that sets a variable before a node reads the state of a process."""
        setters = [each for each, _ in self._reaching(name, use) if each.id != use.id]
        return bool(setters) and all(
            each.type == "command" and reads_process_state(text_of(each.parent)) for each in setters
        )

    def _reaching(self, name: str, use: Any) -> list[tuple[Any, Any]]:
        """Return what may have set a variable; a later line of the function itself ends earlier ones."""
        inside = self._definitions.find_around(use)
        is_local = inside is not None and (name, inside.id) in self._locals
        found = []
        for setter, value in self._setters.get(name, ()):
            outer = self._definitions.find_around(setter)
            same = (outer.id if outer else None) == (inside.id if inside else None)
            hidden = outer is not None and (name, outer.id) in self._locals
            if not same and (is_local or (hidden and inside is None)):
                continue
            found.append((setter, value, same))
        last = max(
            (
                int(setter.start_byte)
                for setter, _, same in found
                if same
                and setter.end_byte <= use.start_byte
                and is_straight(setter)
                and replaces_value(setter)
            ),
            default=-1,
        )
        return [
            (setter, value)
            for setter, value, same in found
            if not same or int(setter.start_byte) >= last
        ]

    def _find_counted(self) -> set[str]:
        """Return the variables that arithmetic itself sets."""
        texts = [*self._nodes.get("compound", ()), *self._nodes.get("arithmetic", ())]
        return {
            match[1] or match[2]
            for node in texts
            if text_of(node).lstrip().startswith(("((", "$(("))
            for match in _COUNTS.finditer(text_of(node))
        }

    def _is_argument(self, number: str, use: Any, depth: int) -> bool:
        function = self._definitions.find_around(use)
        if self._checks.guards(number, use, None):
            return True
        sets = [
            node
            for node in self._calls.get("set", ())
            if _same(self._definitions.find_around(node), function) and _sets_arguments(node)
        ]
        if not all(self._are_numbers(_arguments(node), depth) for node in sets):
            return False
        if function is None:
            return bool(sets) and any(is_straight(node) for node in sets)
        if any(is_straight(node) and node.end_byte <= use.start_byte for node in sets):
            return True
        return self._is_given(function, int(number), depth)

    def _is_given(self, function: Any, position: int, depth: int) -> bool:
        name = text_of(function.child_by_field_name("name"))
        calls = self._calls.get(name, ())
        for call in calls:
            arguments = _arguments(call)
            before = arguments[:position]
            if any(text_of(word).strip('"') in ("$@", "$*", "${@}") for word in before):
                return False
            if len(arguments) >= position and not self._value(arguments[position - 1], depth + 1):
                return False
        return True

    def _are_numbers(self, values: Sequence[Any], depth: int) -> bool:
        return all(text_of(each) == "--" or self._value(each, depth + 1) for each in values)

    def _value(self, node: Any, depth: int) -> bool:
        if depth > _MAX_DEPTH:
            return False
        kind = node.type
        if kind in _LITERALS:
            return self._is_plain(text_of(node).strip("'"), node, depth)
        if kind in ("string", "concatenation", "array"):
            return self._are_values(node, depth)
        if kind == "simple_expansion":
            return self._holds(text_of(node)[1:], node, depth + 1)
        if kind == "expansion":
            return self._expands(node, depth)
        is_printed = kind == "command_substitution" and self._are_printed(
            node.named_children, depth
        )
        return is_printed or kind == "arithmetic_expansion"

    def _are_values(self, node: Any, depth: int) -> bool:
        """Say whether all pieces of a text, or elements of an array, are numbers."""
        before = self._is_piece
        if node.type != "array" and node.named_child_count > 1:
            self._is_piece = True  # together they may be another name
        held = all(self._value(child, depth + 1) for child in node.named_children)
        self._is_piece = before
        return held

    def _is_plain(self, text: str, node: Any, depth: int) -> bool:
        """Say whether a literal is a number, or names of variables that are."""
        if re.search(r"[\[$`\\]", text) or (node.type == "word" and re.search(r"[*?~]", text)):
            return False
        names = re.findall(r"(?<![\w#])[A-Za-z_]\w*", text)
        return not (names and self._is_piece) and all(
            name not in self._setters or self._holds(name, node, depth + 1) for name in names
        )

    def _expands(self, node: Any, depth: int) -> bool:
        text = text_of(node).strip()
        if text.startswith("${#") and text != "${#}":
            return True
        match = _EXPANSION.fullmatch(text)
        if match is None:
            return False
        name, rest = match[1], match[2]
        if _KEEPS_DIGITS.fullmatch(rest):
            return True
        default = _DEFAULT.fullmatch(rest)
        if default:
            plain = _PLAIN_DEFAULT.fullmatch(default[1]) is not None
            used = re.findall(r"[A-Za-z_]\w*|(?<=\$)\d", default[1])
            given = all(self._holds(each, node, depth + 1) for each in used)
            return plain and given and self._holds(name, node, depth + 1)
        cuts = _CUTS.fullmatch(rest) or _REPLACES.fullmatch(rest)
        return cuts is not None and self._holds(name, node, depth + 1)

    def _are_printed(self, statements: Sequence[Any], depth: int) -> bool:
        return all(self._prints(each, depth + 1) for each in statements)

    def _prints(self, node: Any, depth: int) -> bool:
        """Say whether a statement prints numbers, or nothing."""
        self._deadline.check()
        kind = node.type
        if depth > _MAX_DEPTH:
            return False
        if kind in ("command", "pipeline", "redirected_statement"):
            return self._command_prints(node, depth)
        if kind == "declaration_command":
            return len(node.children) > 1 and not re.search(r"\s-\w*[pfF]", text_of(node))
        if kind in _SILENT or (kind == "compound_statement" and text_of(node)[:2] == "(("):
            return True
        inner = [child for child in node.named_children if child.type in _STATEMENTS]
        return kind in _BLOCKS and self._are_printed(inner, depth)

    def _redirected_prints(self, node: Any, depth: int) -> bool:
        body = node.child_by_field_name("body")
        if body is None:
            return False
        away = text_of(node)[len(text_of(body)) :]
        if _GOES_ON.search(away):
            return False
        return _GOES_AWAY.search(away) is not None or self._prints(body, depth + 1)

    def _pipeline_prints(self, commands: Sequence[Any], depth: int) -> bool:
        *before, last = [_body_of(each) for each in commands if each.type != "comment"]
        if before and picks_numbers(text_of(last), [text_of(each) for each in before]):
            return True
        if before and copies_numbers(text_of(last)):
            return self._pipeline_prints(before, depth + 1)
        return self._prints(last, depth + 1)

    def _command_prints(self, node: Any, depth: int) -> bool:
        if node.type == "pipeline":
            return self._pipeline_prints(node.named_children, depth)
        if node.type == "redirected_statement":
            return self._redirected_prints(node, depth)
        words = _words(node)
        name = words[0] if words else ""
        if name in self._functions:
            key = (f"{name}()", 0, self._is_piece)
            if key in self._seen:
                return True
            self._seen.add(key)
            bodies = [each.child_by_field_name("body") for each in self._functions[name]]
            return all(body is not None and self._prints(body, depth + 1) for body in bodies)
        if name in ("echo", "printf", "print"):
            given = [each for each in _arguments(node) if not _is_format(text_of(each))]
            return all(self._value(each, depth + 1) for each in given)
        text = _SYSTEM_FOLDER.sub("", text_of(node))
        name = _SYSTEM_FOLDER.sub("", name)
        return prints_nothing(name, text) or prints_numbers(name, text)


_INSIDE_ARITHMETIC: Final = frozenset(
    "binary_expression parenthesized_expression ternary_expression variable_assignment unary_expression".split()
)
_SILENT: Final = frozenset(
    "test_command variable_assignment variable_assignments unset_command comment function_definition".split()
)
_BLOCKS: Final = frozenset(
    "compound_statement list if_statement elif_clause else_clause while_statement for_statement c_style_for_statement case_statement case_item do_group subshell negated_command".split()
)
_STATEMENTS: Final = (
    _SILENT | _BLOCKS | {"command", "declaration_command", "pipeline", "redirected_statement"}
)


def _is_in_pieces(setters: Sequence[tuple[Any, Any]]) -> bool:
    """Say whether a value is put together of pieces of names, or of an index."""
    return any(APPENDS.match(text_of(setter)) for setter, _ in setters) and any(
        value is not None and has_letters(value) for _, value in setters
    )


def _words(node: Any) -> list[str]:
    return [
        text_of(child)
        for child in node.children
        if child.type not in ("variable_assignment", "file_redirect", "herestring_redirect")
    ]


def _arguments(node: Any) -> list[Any]:
    return list(node.children_by_field_name("argument"))


def _is_format(text: str) -> bool:
    """Say whether a word of echo or printf adds nothing that is text: an option, or a format."""
    return (
        re.fullmatch(r"-[neE]+|[\"']?(?:%[-+0-9.]*[dius]|\\n|\\0|\s)*[\"']?|--", text) is not None
    )


def _body_of(node: Any) -> Any:
    """Return the command of a statement whose errors alone are redirected, or whose input is."""
    if node.type != "redirected_statement":
        return node
    body = node.child_by_field_name("body")
    away = text_of(node)[len(text_of(body)) :] if body is not None else ">"
    return body if re.fullmatch(r"\s*(?:2>\s*/dev/null|<\s*[^<>&]+)\s*", away) else node


def _same(first: Any, second: Any) -> bool:
    return (first.id if first else None) == (second.id if second else None)


def _sets_arguments(node: Any) -> bool:
    words = _words(node)
    return "--" in words or any(not word.startswith(("-", "+")) for word in words[1:])


def _is_in_arithmetic(node: Any) -> bool:
    parent = node.parent
    while parent is not None and parent.type in _INSIDE_ARITHMETIC:
        parent = parent.parent
    if parent is None or parent.type == "arithmetic_expansion":
        return parent is not None
    is_header = parent.type == "c_style_for_statement"
    return is_header or text_of(parent)[:2] == "(("


def is_straight(node: Any) -> bool:
    """Say whether a statement runs whenever its function, or the script, runs through."""
    parent = node.parent
    while parent is not None and parent.type in ("declaration_command", "variable_assignments"):
        node, parent = parent, parent.parent
    if node.next_sibling is not None and text_of(node.next_sibling) == "&":
        return False  # a shell of its own
    if parent is None or parent.type not in ("program", "compound_statement"):
        return False
    return parent.type == "program" or (
        parent.parent is not None and parent.parent.type == "function_definition"
    )

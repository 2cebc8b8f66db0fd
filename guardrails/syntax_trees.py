# SPDX-License-Identifier: Apache-2.0
"""Parsing by tree-sitter, with ways around gaps in the grammars, and finding nodes quickly.

Where a grammar refuses what its shell accepts (`1GB`, bare words after commas, a base before a
variable), a copy in which that part is overwritten, length for length, is parsed in its place:
positions stay, and texts are always cut from the script itself. A copy that parses decides only
that the script has a structure; it hides nothing, for signs are found in the script's own lines.
"""
# ruff: noqa: E501 - tables

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import tree_sitter_bash
import tree_sitter_powershell
from tree_sitter import Language, Parser, Query, QueryCursor

from guardrails.script_reading import Deadline, DeadlineError

Span = tuple[int, int]
_BASH_GAPS: Final = (
    (re.compile(rb"(?<![\w{$#])(?:[2-9]|[1-5]\d|6[0-4])#(?=\$)"), b" "),
    (re.compile(rb"(?<=\d)<(?=>)"), b">"),  # `3<>file`, read as `3>>file`
)
# In zsh, qualifiers behind a pattern choose among the files that it matches: `*(N)`, `**/*(.om[1,3])`.
# The ones that run code (`e`, `+`) are none of these.
_GLOB_QUALIFIERS: Final = re.compile(
    rb"([*?][\w.*?\[\]/{},~^#-]{0,200})(\((?:[NDnrwxRWXAIEstSFpUG^,./@=*%-]|[oO][nLlamcd]|[amc][hmwMs]?[+-]?\d{1,6}"
    rb"|L[kmpKMGT]?[+-]?\d{1,9}|l[+-]?\d{1,6}|Y\d{1,6}|\[-?\d{1,6}(?:,-?\d{1,6})?\])+(?::[ahlteruq])*\))(?=[\s;|&)]|$)"
)
# `$a[2*`: an index of zsh, without braces.
_OPEN_INDEX: Final = re.compile(rb"\$[+#]?(?:\w+|[@*?#!-])?\[[^\]\n]*\Z")
_MAX_BEFORE: Final = 400
_HOLD_PATTERNS: Final = frozenset(("command", "array", "for_statement", "file_redirect"))
_HOLD_TEXT: Final = frozenset(
    [
        "arithmetic_expansion",
        "subscript",
        "test_command",
        "expansion",
        "string",
        "raw_string",
        "heredoc_body",
        "comment",
        "c_style_for_statement",
        "compound_statement",
        "binary_expression",
        "variable_assignment",
    ]
)
_ARGUMENT_LIST: Final = re.compile(rb"(?<=[\w*'\"\])}]),[ \t]{1,8}(?=[\w'\"*]|\$\w)")
# What each matches is overwritten by the byte beside it.
_POWERSHELL_GAPS: Final = (
    (re.compile(rb"(?<=\d)[kmgtpKMGTP][bB]\b"), b"0"),
    (re.compile(rb"(?<=\$env:)\w{1,60}(?:\\[\w.$-]*){1,20}"), b"x"),
    (re.compile(rb"(?<=\$)(?!env:)\w{1,60}(?:\\[\w.$-]*){1,20}"), b"x"),
    (re.compile(rb"(?<=\$)\w{1,60}'\\[^'\n]{1,80}'"), b"x"),
    (re.compile(rb"(?<=\s)--[A-Za-z][\w-]{1,60}=(?:'[^'\n]{0,200}'|\"[^\"\n$`]{0,200}\"|[^\s'\"|;$(){}@`&]+)"), b"x"),
    (re.compile(rb"(?i)(?<=\w), ?[\w.]{1,60}, ?contenttype ?= ?windowsruntime(?=\])"), b"x"),
    (re.compile(rb"(?i)\[flags\(\)\](?=\s*enum\b)"), b" "),
    (re.compile(rb"(?<=\w,)[ \t]?`?[ \t]*(?=\n)"), b" "),
    (re.compile(rb"(?i)(?<=\| )foreach(?=\s*\{)"), b"x"),
)  # fmt: skip
# Met only by lines that do not parse without them: elsewhere they would break what does.
_POWERSHELL_LIST_GAPS: Final = (
    (re.compile(rb"(?i)(?<=\w),[ \t]{0,8}HK[A-Z]{2}:(?=\\)"), b"_"),
    (_ARGUMENT_LIST, b"_"),
    (re.compile(rb"(?<=\w),[ \t]{0,8}(?=[A-Za-z]|@\{)"), b"_"),
)
# A bare word of a list of arguments: `Name, @{...}`, `a, (1)`. Shown as a number, it is one of any list.
_LIST_WORD: Final = re.compile(
    rb"(?<=[\s,])[A-Za-z*.][\w*.:\\/-]{0,200}(?=[ \t]{0,8},)"
    rb"|(?<=,)(?:[ \t]{0,8}(?:`?[ \t]{0,8}\n[ \t]{0,80})?)([A-Za-z*.][\w*.:\\/-]{0,200})(?!\)\]|[ \t]*=)(?=[\s,|)};]|$)"
)
_PARAMETER_WITH_DIGITS: Final = re.compile(rb"(?<=\s)-[A-Za-z]+\d[A-Za-z\d]*(?=[\s:])")
_TRAILING_PIPE: Final = re.compile(rb"\|([ \t]{1,40})(?=\n)")
_QUERIES: Final = {
    "powershell": "(command) @command (assignment_expression) @assignment (comment) @comment"
    " (invokation_expression) @call (member_access) @call (ERROR) @error (MISSING) @error"
    " (function_name) @function (type_literal) @type (redirection) @redirection"
    " (class_statement) @class (enum_statement) @class (script_parameter) @parameter"
    " (class_method_parameter) @parameter (variable) @variable (stop_parsing) @stop"
    ' ((generic_token) @token (#match? @token "[;|&(){}<>]"))',
    "bash": "(command) @command (variable_assignment) @assignment (comment) @comment"
    " (file_redirect) @redirect (pipeline) @pipeline (ERROR) @error"
    " (MISSING) @error (function_definition name: (word) @function)"
    " (declaration_command) @declaration (unset_command) @unset (test_command) @test"
    " (expansion) @expansion (subscript) @subscript (arithmetic_expansion) @arithmetic"
    " (compound_statement) @compound (command_substitution) @substitution"
    " (process_substitution) @process (for_statement) @loop (c_style_for_statement) @loop"
    " (case_statement) @case (while_statement) @while"
    " (heredoc_redirect) @heredoc (string) @string (raw_string) @string (ansi_c_string) @string",
}


# A backslash before a letter that begins a line: the grammar takes the line for arguments.
_ESCAPED_LINE: Final = re.compile(rb"(?m)^([ \t]*)\\(?=[A-Za-z])")
# `a=1 b=2` alone on a line: the grammar takes what follows for their command.
_ASSIGNMENTS_LINE: Final = re.compile(
    rb"(?m)^([ \t]*)((?:\w+=(?:[\w./:-]{0,200}|\(\))[ \t]){1,20})(?=\w+=(?:[\w./:-]*|\(\))[ \t]*$)"
)
# Beyond these the parser takes quadratic time: such a script is not parsed, and so not judgeable.
MAX_OPEN_BRACKETS: Final = 500
MAX_PIPES: Final = 4000
_MAX_REPAIRS: Final = 3
_MAX_REPEATED: Final = ((b"()", 2000), (b"<<", 1000), (b"&&", 4000), (b"`", 8000), (b"((", 4000))
_MAX_UNWATCHED_BYTES: Final = 4096
_CHUNK_BYTES: Final = 65_536
_MAX_QUERIED_BYTES: Final = 32_768
_BRACKETS: Final = re.compile(rb"[(){}\[\]]")
_NAMES_OF_TYPES: Final = {
    "command": "command",
    "assignment_expression": "assignment",
    "variable_assignment": "assignment",
    "comment": "comment",
    "invokation_expression": "call",
    "member_access": "call",
    "ERROR": "error",
    "function_name": "function",
    "type_literal": "type",
    "redirection": "redirection",
    "class_statement": "class",
    "enum_statement": "class",
    "script_parameter": "parameter",
    "class_method_parameter": "parameter",
    "variable": "variable",
    "stop_parsing": "stop",
    "generic_token": "token",
    "file_redirect": "redirect",
    "pipeline": "pipeline",
    "declaration_command": "declaration",
    "unset_command": "unset",
    "test_command": "test",
    "expansion": "expansion",
    "subscript": "subscript",
    "arithmetic_expansion": "arithmetic",
    "compound_statement": "compound",
    "command_substitution": "substitution",
    "for_statement": "loop",
    "c_style_for_statement": "loop",
    "case_statement": "case",
    "while_statement": "while",
    "process_substitution": "process",
    "heredoc_redirect": "heredoc",
    "string": "string",
    "raw_string": "string",
    "ansi_c_string": "string",
}


def is_readable(source: bytes) -> bool:
    """Say whether a script is shallow enough to be parsed in linear time."""
    if source.count(b"|") > MAX_PIPES:
        return False
    if any(source.count(piece) > most for piece, most in _MAX_REPEATED):
        return False
    depth = 0
    for bracket in _BRACKETS.findall(source):
        depth += 1 if bracket in b"({[" else -1
        if abs(depth) > MAX_OPEN_BRACKETS:
            return False
    return True


@cache
def _load(language: str) -> tuple[Language, Query]:
    module = tree_sitter_powershell if language == "powershell" else tree_sitter_bash
    found = Language(module.language())
    return found, Query(found, _QUERIES[language])


def parse(
    language: str, source: bytes, deadline: Deadline | None = None, *, dialect: str = ""
) -> Any:
    """Return the root of a script in `powershell` or `bash`; `has_error` says if it parses.

    Args:
        language: of the grammar.
        source: the script.
        deadline: if any.
        dialect: `zsh`, where its own forms are read too.

    Raises:
        DeadlineError: parsing takes longer than the deadline, where one is given.

    """
    if language == "bash":
        source = _ESCAPED_LINE.sub(rb"\1 ", source)
        source = _ASSIGNMENTS_LINE.sub(
            lambda match: match[1] + re.sub(rb"[ \t]", b";", match[2]), source
        )
    root = _parse_once(language, source, deadline)
    if not root.has_error:
        return root
    for copy in _list_copies(language, source, deadline, dialect):
        again = _parse_once(language, copy, deadline)
        if not again.has_error:
            return again
    return root


def _list_copies(
    language: str, source: bytes, deadline: Deadline | None, dialect: str
) -> Iterator[bytes]:
    """Yield copies with the gaps of a grammar overwritten, those with the fewest changes first."""
    if language != "powershell":
        copy = _overwrite(source, _BASH_GAPS)
        if dialect == "zsh":
            copy = _blank_qualifiers(copy, deadline)
        if copy != source:
            yield copy
        return
    copy = _overwrite(source, _POWERSHELL_GAPS)
    copy = _PARAMETER_WITH_DIGITS.sub(lambda match: re.sub(rb"\d", b"x", match[0]), copy)
    copy = _TRAILING_PIPE.sub(lambda match: match[1] + b"|", copy)
    yield copy
    yield from _repair(copy, lambda line: _overwrite(line, _POWERSHELL_LIST_GAPS), deadline)
    yield from _number_words(copy, deadline)


def _blank_qualifiers(source: bytes, deadline: Deadline | None) -> bytes:
    """Return a copy without zsh's qualifiers, where they stand behind a pattern of a command.

    In arithmetic, an index or a test `2*(s)` is a product, whose variable is evaluated: it stays.
    """
    spans = [
        match.span(2)
        for match in _GLOB_QUALIFIERS.finditer(source)
        if not _OPEN_INDEX.search(source, max(0, match.start() - _MAX_BEFORE), match.start(2))
    ]
    root = _parse_once("bash", blank_spans(source, spans), deadline) if spans else None
    return blank_spans(source, [span for span in spans if _is_pattern(root, span)])


def _is_pattern(root: Any, span: Span) -> bool:
    """Say whether what stands before a place is a word of a command, a list or a loop."""
    node = root.descendant_for_byte_range(span[0] - 1, span[0])
    while node is not None:
        if node.type in _HOLD_PATTERNS:
            return True
        if node.type in _HOLD_TEXT:
            return False
        node = node.parent
    return False


def _repair(
    copy: bytes, mend: Callable[[bytes], bytes], deadline: Deadline | None
) -> Iterator[bytes]:
    """Yield copies of a PowerShell script in which the lines that do not parse are mended."""
    for _ in range(_MAX_REPAIRS):
        lines = _list_error_lines(_parse_once("powershell", copy, deadline))
        repaired = b"\n".join(
            mend(line) if number in lines else line for number, line in enumerate(copy.split(b"\n"))
        )
        if repaired == copy:
            return
        copy = repaired
        yield copy


def _number_words(copy: bytes, deadline: Deadline | None) -> Iterator[bytes]:
    """Yield a copy whose bare words in lists are numbers, where all are arguments of commands.

    A word that begins a command is never one of a list, so no command is hidden.
    """
    spans: list[Span] = []
    root = _parse_once("powershell", copy, deadline)
    for _ in range(_MAX_REPAIRS):
        lines = _list_error_lines(root)
        starts = [0, *(match.end() for match in re.finditer(rb"\n", copy))]
        found = [
            match.span(1) if match[1] is not None else match.span()
            for match in _LIST_WORD.finditer(copy)
        ]
        found = [span for span in found if bisect_right(starts, span[0]) - 1 in lines]
        if not found:
            return
        spans += found
        copy = blank_spans(copy, found, b"0")
        root = _parse_once("powershell", copy, deadline)
        if not root.has_error:
            if all(_is_argument(root, span) for span in spans):
                yield copy
            return


def _is_argument(root: Any, span: Span) -> bool:
    """Say whether a place is an argument of a command, or the text of a string or comment."""
    node = root.descendant_for_byte_range(*span)
    while node is not None:
        if node.type in ("command_elements", "comment") or "string" in node.type:
            return True
        if node.type == "pipeline":
            return False
        node = node.parent
    return False


def _list_error_lines(root: Any) -> frozenset[int]:
    """Return the 0-based lines at which errors begin and end, and one line before and after."""
    lines: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR" or node.is_missing:
            for point in (node.start_point, node.end_point):
                lines |= {point[0] - 1, point[0], point[0] + 1}
        waiting.extend(child for child in node.children if child.has_error or child.is_missing)
    return frozenset(lines)


def _parse_once(language: str, source: bytes, deadline: Deadline | None) -> Any:
    parser = Parser(_load(language)[0])
    if deadline is None or len(source) <= _MAX_UNWATCHED_BYTES:
        return parser.parse(source).root_node
    deadline.check()

    def read_chunk(offset: int, _: object) -> bytes:
        return source[offset : offset + _CHUNK_BYTES]

    try:
        tree = parser.parse(
            read_chunk,
            progress_callback=lambda *_: deadline.is_over,
        )
    except ValueError as error:  # what the library says of a parse that was stopped
        raise DeadlineError from error
    # Nodes of a tree that was read in chunks ask for their texts in chunks too, slowly and after
    # the reader is gone; parsed once more from one piece, unchanged, they keep it. That is cheap.
    return parser.parse(source, tree).root_node


def _overwrite(source: bytes, gaps: tuple[tuple[re.Pattern[bytes], bytes], ...]) -> bytes:
    for pattern, filler in gaps:
        source = pattern.sub(lambda match, byte=filler: byte * len(match[0]), source)  # type: ignore[misc]
    return source


def find_nodes(language: str, root: Any) -> dict[str, list[Any]]:
    """Return the nodes that analysis looks at by name: command, assignment, comment, error, ..."""
    if root.has_error and root.end_byte > _MAX_QUERIED_BYTES:
        return _find_slowly(language, root)
    return QueryCursor(_load(language)[1]).captures(root)


def _find_slowly(language: str, root: Any) -> dict[str, list[Any]]:
    """Return what the query finds, node by node: with many errors a query is quadratic."""
    found: dict[str, list[Any]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "pipeline" and language == "powershell":
            name = None
        elif node.type == "function_definition":
            name, inner = None, node.child_by_field_name("name")
            if inner is not None:
                found.setdefault("function", []).append(inner)
        else:
            name = "error" if node.is_missing else _NAMES_OF_TYPES.get(node.type)
        if name:
            found.setdefault(name, []).append(node)
        waiting.extend(reversed(node.children))
    return found


def blank_spans(source: bytes, spans: list[Span], filler: bytes = b" ") -> bytes:
    """Return the source with these byte spans as spaces, or the filler; line ends are kept."""
    parts, position = [], 0
    for start, end in sorted(spans):
        if start < position:
            continue
        parts.append(source[position:start])
        parts.append(re.sub(rb"[^\n]", filler, source[start:end]))
        position = end
    parts.append(source[position:])
    return b"".join(parts)


def place_error(node: Any) -> tuple[int, int]:
    """Return (row, column in bytes) of what is not understood where a tree has an error.

    A token that is missing is told of where that begins which lacks it; of a stretch that was given
    up, what parses before the first lone token is left out.
    """
    if node.is_missing:
        begun = node.parent
        is_open = begun is not None and begun.end_byte == node.end_byte
        return tuple(begun.start_point if is_open else node.start_point)
    lone = (each for each in node.children if not each.is_named or each.has_error)
    first = next((each for each in lone if not each.is_extra or each.has_error), node)
    return tuple(first.start_point)

# SPDX-License-Identifier: Apache-2.0
"""Where bash and zsh run code outside of commands, and where the grammar reads them otherwise.

Expansions that evaluate a value once more, indexes and arithmetic on text from outside, and
redirections; and text that the shell splits into lines and words in another way than the tree:
odd blanks, words that go on in the next line, here-documents, expansions that the tree has as text.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_arithmetic import OutsideValues
from guardrails.bash_spawning import list_spawning
from guardrails.command_words import text_of
from guardrails.script_reading import Deadline, Reading
from guardrails.syntax_trees import Span, blank_spans

_EVALUATES: Final = re.compile(r"\$\{(?:\w+(?:\[[^\]]*\])?|[@*])@[PAE]\}")
# What `[[ -v NAME ]]` asks for: a variable, or an element by its number. Else an index is evaluated.
_ASKED: Final = re.compile(r"\s-[vR]\s+(?!([\"']?)\w+(?:\[(?:\d+|[@*])\])?\1(?:\s|$))")
_NUMBERED_BY_INDEX: Final = re.compile(r"\{\w+\[[^\]\n]*\]\}\s*[<>]")
_INDIRECT: Final = re.compile(r"\$\{!\w+(?!\w*(?:\[[@*]\]|[@*])\})")
_ZSH_FLAGS: Final = re.compile(r"\$\{[=~^]*\(([^)]*)\)")
_ZSH_HARMLESS_FLAGS: Final = re.compile(
    r"(?:[@AcCfFikLMnNoOqQtuUvVwWz0#kaDDS-]|[sjplr]([:./,|_#])[^:./,|_#]*\1|[sj]..)*"
)
_ZSH_GLOB_CODE: Final = re.compile(r"\((?:[^()\s]*[^\w()\s])?[e+]\S*\)")
_SETS_DEFAULT: Final = re.compile(
    r"\$\{(?:PATH|BASH_ENV|ENV|LD_\w+|DYLD_\w+|PROMPT_COMMAND|PS[0-4]):?="
)
_CONTROL: Final = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")
_ODD_BLANK: Final = re.compile("[\x85\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff]")  # fmt: skip
_JOINED_LINES: Final = re.compile(r"(?m)(?<=\S)\\\n\S|=\\\n|^[ \t]*\\\n")
_ESCAPED_BLANK: Final = re.compile(r"(?m)(?:^|\s)\\[ \t\v\f]")
_OPENER: Final = re.compile(rb"(?<!\\)(?:\\\\)*(\$\(|`|\$\{|\$\[|[<>]\()")
_HEREDOC_START: Final = re.compile(r"(?:\w+|'\w+'|\"\w+\"|\\\w+)")
_COMMENT_START: Final = re.compile(r"(?:^|[\s;&|()`])$")
_BACKQUOTE: Final = re.compile(r"(?<!\\)`")
_DEEP_BACKQUOTES: Final = re.compile(r"\\[`\\]|\\\$[({]")


def list_openings(
    nodes: Mapping[str, Sequence[Any]],
    source: bytes,
    deadline: Deadline,
    *,
    dialect: str,
    reading: Reading,
) -> None:
    """Add what a script does outside of its commands, and what keeps it from being judged.

    Raises:
        DeadlineError: it takes too long.

    """
    for line, reason in (
        *_list_expansions(nodes, dialect),
        *_list_other_evaluations(nodes),
        *OutsideValues(nodes, deadline, dialect=dialect).list_doubts(),
        *list_spawning(nodes, deadline),
        *_list_layout(nodes, source),
        *_list_heredocs(nodes),
        *_list_unread(nodes, source),
    ):
        reading.doubt(line, reason)
    if dialect == "zsh":
        for line, text in enumerate(source.decode("utf-8", "replace").split("\n"), start=1):
            if _ZSH_GLOB_CODE.search(text) and not text.lstrip().startswith("#"):
                reading.doubt(line, "a pattern of zsh runs code")


def _line(node: Any) -> int:
    return int(node.start_point[0]) + 1


def _list_expansions(nodes: Mapping[str, Sequence[Any]], dialect: str) -> Iterator[tuple[int, str]]:
    for node in nodes.get("expansion", ()):
        text = text_of(node)
        if _EVALUATES.match(text):
            yield _line(node), "an expansion runs what stands in the value"
        if _INDIRECT.match(text):
            yield _line(node), "an expansion names its variable while it runs"
        if _SETS_DEFAULT.match(text):
            yield _line(node), "changes where programs are found"
        flags = _ZSH_FLAGS.match(text) if dialect == "zsh" else None
        if flags and not _ZSH_HARMLESS_FLAGS.fullmatch(flags[1]):
            yield _line(node), "an expansion runs what stands in the value"


def _list_other_evaluations(nodes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[int, str]]:
    for node in nodes.get("test", ()):
        if _ASKED.search(text_of(node)):
            yield _line(node), "an index is evaluated"
    for node in nodes.get("substitution", ()):
        text = text_of(node)
        if text.startswith("`") and _DEEP_BACKQUOTES.search(text):
            yield _line(node), "commands inside backquotes inside backquotes are not followed"


def _list_bodies(nodes: Mapping[str, Sequence[Any]]) -> list[tuple[Span, bool]]:
    """Return the here-documents' texts as spans of bytes, and whether the shell leaves each alone."""
    found = []
    for node in nodes.get("heredoc", ()):
        start = next((child for child in node.children if child.type == "heredoc_start"), None)
        quoted = start is not None and text_of(start)[:1] in "'\"\\"
        found += [
            ((child.start_byte, child.end_byte), quoted)
            for child in node.children
            if child.type == "heredoc_body"
        ]
    return found


def _list_comments(nodes: Mapping[str, Sequence[Any]]) -> list[Span]:
    """Return the comments; what the tree takes for one inside a here-document is none."""
    bodies = [span for span, _ in _list_bodies(nodes)]
    return [
        (node.start_byte, node.end_byte)
        for node in nodes.get("comment", ())
        if not any(start <= node.start_byte < end for start, end in bodies)
    ]


def _list_layout(nodes: Mapping[str, Sequence[Any]], source: bytes) -> Iterator[tuple[int, str]]:
    comments = _list_comments(nodes)
    quoted = [(node.start_byte, node.end_byte) for node in nodes.get("string", ())]
    bodies = [span for span, _ in _list_bodies(nodes)]
    code = blank_spans(source, comments).decode("utf-8", "replace")
    unquoted = blank_spans(source, [*comments, *bodies])
    bare = blank_spans(unquoted, quoted, filler=b"x").decode("utf-8", "replace")
    for pattern, text, reason in (
        (_CONTROL, code, "control characters stand in the text"),
        (_ODD_BLANK, bare, "characters that look like blanks stand in the text"),
        (_JOINED_LINES, bare, "a word goes on in the next line"),
        (_ESCAPED_BLANK, bare, "a word begins with an escaped blank"),
        (_NUMBERED_BY_INDEX, bare, "an index is evaluated"),
    ):
        if match := pattern.search(text):
            yield text.count("\n", 0, match.start()) + 1, reason
    for start, _ in comments:
        before = source[max(0, start - 1) : start].decode("utf-8", "replace")
        if not _COMMENT_START.search(before):
            yield source.count(b"\n", 0, start) + 1, "what is a comment is not certain"


def _list_unread(nodes: Mapping[str, Sequence[Any]], source: bytes) -> Iterator[tuple[int, str]]:
    """Yield where the shell would expand something that the tree has as mere text."""
    known: set[int] = set()
    for name in ("substitution", "expansion", "arithmetic", "process"):
        for node in nodes.get(name, ()):
            text = node.text or b""  # in a string, with the blanks before it
            known |= {int(node.end_byte) - len(text.lstrip()), int(node.end_byte) - 1}
    bodies = _list_bodies(nodes)
    blanked = [span for span, quoted in bodies if quoted] + _list_comments(nodes)
    blanked += [
        (node.start_byte, node.end_byte)
        for node in nodes.get("string", ())
        if node.type != "string"
        and not any(start <= node.start_byte < end for (start, end), quoted in bodies)
    ]
    for match in _OPENER.finditer(blank_spans(source, blanked)):
        if match.start(1) not in known:
            line = source.count(b"\n", 0, match.start(1)) + 1
            yield line, "an expansion is not followed"
            return


def _list_heredocs(nodes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[int, str]]:
    """Yield here-documents whose end the shell may see elsewhere than the tree."""
    for node in nodes.get("heredoc", ()):
        start = next((child for child in node.children if child.type == "heredoc_start"), None)
        body = next((child for child in node.children if child.type == "heredoc_body"), None)
        end = next((child for child in node.children if child.type == "heredoc_end"), None)
        name = text_of(start) if start is not None else ""
        hides = any(child.type == "comment" for child in node.children)
        if end is None or hides or not _HEREDOC_START.fullmatch(name):
            yield _line(node), "where a here-document ends is not certain"
            continue
        if name.isalnum() and body is not None and _BACKQUOTE.search(text_of(body)):
            yield _line(node), "commands in a here-document are not followed"
        word = re.sub(r"\W", "", name)
        lines = (text_of(body) if body is not None else "").split("\n")
        strips = any(child.type == "<<-" for child in node.children)
        inner = [each.lstrip("\t") if strips else each for each in lines]
        ended = text_of(end).strip("\t" if strips else "")
        if ended != word or word in inner[:-1]:
            yield _line(node), "where a here-document ends is not certain"

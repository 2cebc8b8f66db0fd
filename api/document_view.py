# SPDX-License-Identifier: Apache-2.0
"""How a document's text is shown: read as Markdown, or character by character as it is written.

Hostile text stays text: HTML, links and pictures are not made of it, what steers a terminal or a
reader's eye is taken out, and what a page would hide is shown as it is written. Offsets of passages
are those of the text as it is written; on a page, whole paragraphs, steps, table rows and code
blocks are marked.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from guardrails.sanitise import plain_text

PASSAGE_ID: Final = "passage"  # the anchor of what is marked
# What is longer is shown as it is written. Parsing is in proportion: the worst text of this length,
# empty tables, takes about a second.
MAX_CHARACTERS: Final = 60_000
MAX_LINES: Final = 3_000
MAX_TOKENS: Final = 30_000
# Of a code block the word behind its fence goes, if it is one of these.
_LANGUAGES: Final = frozenset({
    "bash", "bat", "batch", "cmd", "conf", "console", "css", "csv", "diff", "html", "ini", "java",
    "javascript", "js", "json", "log", "markdown", "md", "powershell", "ps1", "pwsh", "py",
    "python", "reg", "sh", "shell", "sql", "text", "toml", "txt", "vbs", "xml", "yaml", "yml",
    "zsh",
})  # fmt: skip
_TELLING: Final = frozenset("$%&/;:(){}<>?!@=")  # signs of commands and codes
# Rules that would make links, pictures, tags and characters of what somebody wrote.
_UNUSED: Final = (
    "link", "image", "autolink", "html_inline", "html_block", "reference", "entity",
)  # fmt: skip
_MAX_NESTING: Final = 60  # of blocks: each level is a call of the parser's
_MARKED: Final = frozenset({"heading_open", "paragraph_open", "fence", "code_block", "tr_open"})
_LOWEST_HEADING: Final = 6
# What makes quotes, lists and tables; of those that are shown as they stand, more is seen.
_MARKER = re.compile(r"^(?:[ \t>*+-]|\d{1,9}[.)](?=\s))+|^ *(?:=+|\|?[ :|-]+\|?) *$", re.MULTILINE)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some characters of a document, in their order."""

    text: str
    kind: str  # "text", "heading" or "code"
    is_marked: bool
    is_first: bool = False  # of the marked ones


@cache
def _parser() -> MarkdownIt:
    options = {"breaks": True, "maxNesting": _MAX_NESTING}
    parser = MarkdownIt("commonmark", options).enable("table").disable(list(_UNUSED))
    parser.render("a\n\n- b")  # rules are compiled at first use, which two threads must not share
    return parser


def render_document(body: str, start: int = 0, end: int = 0) -> Markup | None:
    """Return a document as HTML; what characters [start, end) are in is marked, none if empty.

    None where a page would hide something that the text has, or be too long to make: it is to be
    read as it is written.
    """
    if len(body) > MAX_CHARACTERS or body.count("\n") > MAX_LINES or body != plain_text(body):
        return None
    parser = _parser()
    tokens = parser.parse(body)
    if len(tokens) > MAX_TOKENS or _hides_something(body, tokens):
        return None
    if start < end:
        _mark(tokens, *_list_lines(body, start, end))
    for token in tokens:
        token.attrs.pop("style", None)
        if token.type == "fence":
            token.info = ""
        if token.type in {"heading_open", "heading_close"}:  # the page itself is the first level
            token.tag = f"h{min(int(token.tag[1:]) + 1, _LOWEST_HEADING)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - it escapes


def has_mark(page: Markup) -> bool:
    """Tell whether a rendered document has a mark; no text of it can look like one."""
    return f'id="{PASSAGE_ID}"' in page


def _hides_something(body: str, tokens: Iterable[Token]) -> bool:
    """Tell whether letters, digits or signs of a text would not be seen on its page.

    Markdown drops what is nested too deeply, cells that a table has no column for, and what stands
    behind the fence of a code block, of which a language that we know may go. A browser counts the
    items of a list by itself, so their numbers are compared as well.
    """
    shown: Counter[str] = Counter()
    numbers: list[int] = []
    for token in _walk(tokens):
        if token.type == "ordered_list_open":
            start = token.attrGet("start")
            numbers.append(1 if start is None else int(start))
        elif token.type == "ordered_list_close":
            numbers.pop()
        elif token.type == "list_item_open" and token.markup in {".", ")"}:
            if int(token.info) != numbers[-1]:
                return True
            numbers[-1] += 1
        elif token.type == "fence" and token.info.strip():
            if token.info.strip().lower() not in _LANGUAGES or not token.content.strip():
                return True
            shown.update(token.info.strip())
        if not token.children:
            shown.update(token.content)
    written = Counter(_MARKER.sub("", body))
    return any(one.isalnum() or one in _TELLING for one in written - shown)


def _walk(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or ())


def _list_lines(body: str, start: int, end: int) -> tuple[int, int]:
    """Return the lines [first, last) that characters [start, end) are in, as the parser counts."""
    ends = [found.start() for found in re.finditer("\n", body)]
    return bisect_left(ends, start), bisect_left(ends, end - 1) + 1


def _mark(tokens: Sequence[Token], first: int, last: int) -> None:
    """Mark the smallest blocks that have one of the lines [first, last)."""
    has_anchor = False
    items: list[Token] = []
    for token in tokens:
        if token.type == "list_item_open":
            items.append(token)
        elif token.type == "list_item_close":
            items.pop()
        if token.type not in _MARKED or token.map is None:
            continue
        if token.map[0] >= last or token.map[1] <= first:
            continue
        # In a list without empty lines a paragraph is not shown as one: its item is marked.
        shown = items[-1] if token.hidden else token
        shown.attrSet("class", "marked")
        if not has_anchor:
            shown.attrSet("id", PASSAGE_ID)
            has_anchor = True


def cut_document(body: str, start: int, end: int) -> list[Piece]:
    """Cut a document into pieces; characters [start, end) are marked, none if that is empty."""
    start, end = max(start, 0), min(end, len(body))
    pieces: list[Piece] = []
    seen = False
    for kind, begin, stop in _list_parts(body):
        for left, right, marked in _cut_part(begin, stop, start, end):
            pieces.append(
                Piece(
                    text=body[left:right],
                    kind=kind,
                    is_marked=marked,
                    is_first=marked and not seen,
                )
            )
            seen = seen or marked
    return pieces


def _list_parts(body: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of runs of lines of one kind."""
    place, run_start, run_kind, in_code = 0, 0, "", False
    for line in body.splitlines(keepends=True):
        is_fence = _FENCE.match(line) is not None
        kind = "code" if in_code or is_fence else "heading" if _HEADING.match(line) else "text"
        in_code ^= is_fence
        if run_kind and (kind != run_kind or kind == "heading"):
            yield run_kind, run_start, place
            run_start = place
        run_kind = kind
        place += len(line)
    if run_kind:
        yield run_kind, run_start, place


def _cut_part(begin: int, stop: int, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    left, right = max(begin, start), min(stop, end)
    if left >= right:
        yield begin, stop, False
        return
    for low, high, marked in ((begin, left, False), (left, right, True), (right, stop, False)):
        if low < high:
            yield low, high, marked

# SPDX-License-Identifier: Apache-2.0
"""Reads Markdown: where its blocks stand, what its front matter says, and what shows of it.

Text without HTML stays as it is written. Text with HTML or link definitions is read as the page
that it makes, so that comments, hidden elements and unused definitions do not reach a model.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.parsing.documents import Block, BlockKind
from retrieval.parsing.errors import BrokenDocumentError

_LINE_END = re.compile(r"\r\n?|\n")
_FRONT_MATTER = re.compile(
    r"---[ \t]*\n(.{0,65536}?)(?:(?<=\n)|\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
_MAY_HIDE = re.compile(r"<[A-Za-z/!?]|^[ >\-*+\d.)]*\[[^\]\n]+\]:", re.MULTILINE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ATX = re.compile(r"[ \t>]*(#{1,6})(?:[ \t]+|$)(.*?)(?:[ \t]+#+)?[ \t]*\Z", re.DOTALL)
_LEAVES = {
    "heading_open": BlockKind.HEADING,
    "paragraph_open": BlockKind.PARAGRAPH,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
    "html_block": BlockKind.PARAGRAPH,
    "table_open": BlockKind.TABLE,
}
_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _block_parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])


@cache
def _page_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def find_blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of Markdown text, in order; link definitions and rules are in none."""
    line_starts = [0, *(found.end() for found in _LINE_END.finditer(text)), len(text)]
    blocks: list[Block] = []
    depth, begins_item = 0, False
    for token in _block_parser().parse(text):
        depth += token.nesting if token.type.startswith("list_item") else 0
        begins_item = begins_item or token.type == "list_item_open"
        kind = _LEAVES.get(token.type)
        if kind is None or token.map is None:
            continue
        if kind is BlockKind.PARAGRAPH and begins_item:
            kind = BlockKind.LIST_ITEM
        begins_item = False
        start, end = _trim(text, *_span(line_starts, token))
        if start < end:
            level = _level(token, kind, depth)
            blocks.append(Block(kind=kind, level=level, start_offset=start, end_offset=end))
    return _without_overlap(blocks)


def _span(line_starts: list[int], token: Token) -> tuple[int, int]:
    first, last = token.map or (0, 0)
    limit = len(line_starts) - 1
    return line_starts[min(first, limit)], line_starts[min(last, limit)]


def _level(token: Token, kind: BlockKind, depth: int) -> int:
    if kind is BlockKind.HEADING:
        return int(token.tag[1:])
    return depth if kind is BlockKind.LIST_ITEM else 0


def _without_overlap(blocks: list[Block]) -> tuple[Block, ...]:
    kept: list[Block] = []
    for block in blocks:
        if not kept or block.start_offset >= kept[-1].end_offset:
            kept.append(block)
    return tuple(kept)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def read_heading(block_text: str) -> str:
    """Return a heading's words, of either Markdown notation."""
    found = _ATX.match(block_text)
    words = found[2] if found else block_text.splitlines()[0] if block_text else ""
    return " ".join(_ESCAPED.sub(r"\1", words).split())


def split_front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    """Return the front matter, empty if there is none, and the text after it.

    Raises:
        BrokenDocumentError: it is not YAML.
    """
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    try:
        front = yaml.load(found[1], Loader=_SAFE_LOADER)  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", in its line {mark.line + 1}"
        raise BrokenDocumentError(
            f"the front matter, between the lines ---, is not YAML{where}: mend it, or leave it out"
        ) from error
    return (front, text[found.end() :]) if isinstance(front, Mapping) else ({}, text)


def show_as_page(text: str) -> str | None:
    """Return the HTML that the text makes, or None where the text shows all that it holds."""
    if not _MAY_HIDE.search(text):
        return None
    environment: dict[str, Any] = {}
    parser = _page_parser()
    tokens = parser.parse(text, environment)
    inline = (child for token in tokens for child in token.children or ())
    has_html = any(token.type == "html_block" for token in tokens) or any(
        token.type == "html_inline" for token in inline
    )
    if not has_html and not environment.get("references"):
        return None
    return str(parser.renderer.render(tokens, parser.options, environment))

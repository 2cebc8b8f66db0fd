# SPDX-License-Identifier: Apache-2.0
"""Where PowerShell may read other words than the grammar: quotes, comments, escapes.

PowerShell ends a string at typographic quotes too. And Windows PowerShell reads a script without a
byte order mark in the system's code page, where the last byte of a dash or a letter in UTF-8 can be
such a quote: the text of a string would then be code.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from guardrails.syntax_trees import blank_spans

_TYPOGRAPHIC: Final = re.compile("[\u2013-\u2015\u2018-\u201e]")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
# Quotes in the code pages 1250-1258: 0x82 0x84 0x91-0x94.
_QUOTE_BYTES: Final = frozenset((0x82, 0x84, 0x91, 0x92, 0x93, 0x94))


def find_false_quotes(source: bytes, comments: list[Any]) -> Iterator[int]:
    """Yield the 1-based lines outside comments whose quotes may not be where they seem."""
    if source.isascii():
        return
    code = blank_spans(source, [(node.start_byte, node.end_byte) for node in comments])
    for number, line in enumerate(code.decode("utf-8", "replace").split("\n"), start=1):
        for match in _NOT_ASCII.finditer(line):
            encoded = match[0].encode("utf-8")
            if _TYPOGRAPHIC.search(match[0]) or not _QUOTE_BYTES.isdisjoint(encoded):
                yield number
                break


_OPERATORS: Final = re.compile(r"(?<!`)[;|&(){}<>]")
# `2>$null`: the grammar takes it for a word.
SPLIT_REDIRECTION: Final = re.compile(r"[1-6*]>{1,2}(?:\$null|[\w.\\:-]*)", re.IGNORECASE)
_INSIDE_WORD: Final = re.compile(rb"[\w\-./\\:*~^%+=@!?$#`\x80-\xff]$")


def find_misread_words(source: bytes, nodes: dict[str, list[Any]]) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, reason) of words whose ends PowerShell may see elsewhere."""
    for node in nodes.get("token", []):
        word = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if _OPERATORS.search(word) and not SPLIT_REDIRECTION.fullmatch(word):
            yield node.start_point[0] + 1, "a word holds an operator"
    for node in nodes.get("stop", []):
        yield node.start_point[0] + 1, "what follows --% is read by another program"
    for node in nodes.get("comment", []):
        if _INSIDE_WORD.search(source[max(0, node.start_byte - 1) : node.start_byte]):
            yield node.start_point[0] + 1, "a comment begins inside a word"

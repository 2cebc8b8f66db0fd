# SPDX-License-Identifier: Apache-2.0
"""Characters that PowerShell takes for quotes or dashes and a grammar does not.

PowerShell ends a string at typographic quotes too. And Windows PowerShell reads a script without a
byte order mark in the system's code page, where the last byte of a dash or a letter in UTF-8 can be
such a quote: the text of a string would then be code.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from guardrails.syntax_trees import blank_spans

_TYPOGRAPHIC: Final = re.compile("[\u2018-\u201b\u201c-\u201e]")
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

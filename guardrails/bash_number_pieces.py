# SPDX-License-Identifier: Apache-2.0
"""Pieces of what bash evaluates: values that are put together may be a name that none of them is."""
# ruff: noqa: E501 - tables

import re
from typing import Any, Final

from guardrails.command_words import text_of

PRINTS_NUMBER: Final = re.compile(
    r"printf\s+-v\s+\w+\s+(?P<quote>[\"']?)%\d*[di](?P=quote)(?:\s|\Z)"
)
APPENDS: Final = re.compile(r"\w+(?:\[[^\]]*\])?\+=")
_REPLACES_WHOLE: Final = re.compile(r"\w+=")
_PIECES: Final = frozenset(("word", "raw_string", "string_content", "ansi_c_string"))


def replaces_value(setter: Any) -> bool:
    """Say whether nothing is left of what a variable held: no `x+=1`, no `x[1]=1`."""
    return (
        setter.type != "variable_assignment" or _REPLACES_WHOLE.match(text_of(setter)) is not None
    )


def has_letters(value: Any) -> bool:
    """Say whether a letter stands in the text of a value, outside of commands and expansions."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if node.type in _PIECES and re.search(r"[A-Za-z_\\]", text_of(node)):
            return True
        if node.type not in ("command_substitution", "expansion", "arithmetic_expansion"):
            waiting.extend(node.children)
    return False

# SPDX-License-Identifier: Apache-2.0
"""How an expression of the `regex` library is cut into its parts."""

import re
from typing import Final

# An escape, a set of characters, the beginning of a group, a bound, or any other character.
PART: Final = re.compile(
    r"\\[pP]\{[^}]*\}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\((?:\?(?:[imsx-]*:|[imsx-]+\)|<?[=!]|>|P?<\w+>)?)?|[*+?]|\{\d+(?:,\d*)?\}|.",
    re.DOTALL,
)
# How often what stands before it is there, or how eagerly it is tried.
REPETITION: Final = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}")
# The edge of a word, a line or a text, where a match begins, or flags.
NO_WIDTH: Final = re.compile(r"\\[bBAZK]|[\^$]|\(\?[imsx-]+\)")

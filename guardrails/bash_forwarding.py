# SPDX-License-Identifier: Apache-2.0
"""Words that a command gets from elsewhere: `"$@"` in a function, and options held in variables.

A function such as `retry` runs what it is called with. Its calls show that as long as nothing hides
a call, or changes the arguments in between: else the command stays computed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_functions import DefinitionSpans, FunctionTable
from guardrails.bash_words import Word
from guardrails.bash_wrappers import WRAPPERS
from guardrails.command_words import text_of
from guardrails.unix_programs import KNOWN_PROGRAMS

Forwarded = Sequence[tuple[Any, Sequence[Word]]]
_SUBSTITUTION: Final = re.compile(r"\$\([^()]*\)")
_ALL: Final = '"$@"'
# By these a function may be called unseen.
_HIDES_CALLS: Final = re.compile(
    r"\b(?:eval|trap|alias|source|time|coproc|noglob|nocorrect|repeat|unset|unfunction|enable|hash"
    r"|functions|emulate|sched|zle|autoload|PROMPT_COMMAND)\b|(?:^|[;&|({]|\b(?:then|do|else))\s*\.\s",
    re.MULTILINE,
)
_CHANGES_ARGUMENTS: Final = re.compile(r"\b(?:shift|set|getopts|argv|local\s+-)\b")
_MAX_CALLS: Final = 64


class ForwardedArguments:
    """Answers what `"$@"` runs in the functions of a script."""

    def __init__(
        self,
        nodes: Mapping[str, Sequence[Any]],
        text: str,
        functions: FunctionTable,
        read_words: Callable[[Any], Sequence[Word]],
    ) -> None:
        self._commands = nodes.get("command", ())
        self._text = text
        self._functions = functions
        self._definitions = DefinitionSpans(nodes)
        self._read_words = read_words

    def find(self, node: Any, words: Sequence[Word]) -> Forwarded | None:
        """Return the calls whose words a command runs, and those words; None for not known."""
        if not words or words[0].raw != _ALL or _HIDES_CALLS.search(self._text):
            return None
        function = self._definitions.find_around(node)
        if function is None:
            return None
        name = text_of(function.child_by_field_name("name"))
        if name in KNOWN_PROGRAMS or name in WRAPPERS:
            return None
        skipped = _count_shifts(function, node)
        if skipped is None or len(re.findall(rf"\b{re.escape(name)}\s*\(\)", self._text)) != 1:
            return None
        calls = list(self._list_calls(name))
        if not 0 < len(calls) <= _MAX_CALLS or not all(
            self._is_plain(given, skipped) for _, given in calls
        ):
            return None
        return [(call, [*given[skipped:], *words[1:]]) for call, given in calls]

    def _is_plain(self, given: Sequence[Word], skipped: int) -> bool:
        """Say whether a call shows which program it gives: no function, that might call again."""
        heads = given[: skipped + 1]
        is_shown = len(heads) > skipped and all(
            each.value is not None and not each.is_pattern for each in heads
        )
        return is_shown and (heads[skipped].value or "") not in self._functions

    def _list_calls(self, name: str) -> Iterator[tuple[Any, Sequence[Word]]]:
        for node in self._commands:
            words = self._read_words(node)
            if words and words[0].value == name:
                yield node, words[1:]


def _count_shifts(function: Any, use: Any) -> int | None:
    """Return how many arguments are shifted away, each for itself and before a use."""
    body = function.child_by_field_name("body")
    if body is None:
        return None
    shifts = [each for each in body.children if each.type == "command" and text_of(each) == "shift"]
    changes = _CHANGES_ARGUMENTS.findall(text_of(function))
    is_plain = len(changes) == len(shifts) and all(
        each.end_byte <= use.start_byte for each in shifts
    )
    return len(shifts) if is_plain else None


def list_loose_options(nodes: Mapping[str, Sequence[Any]], functions: FunctionTable) -> str:
    """Return the options that variables, and arguments of functions, may hold, as one line."""
    texts = [
        _SUBSTITUTION.sub("", text_of(node).partition("=")[2])
        for node in nodes.get("assignment", ())
    ]
    for node in nodes.get("command", ()):
        name = node.child_by_field_name("name")
        called = text_of(name) if name is not None else ""
        if called in functions or called in ("read", "printf", "echo"):
            texts.append(text_of(node).partition(" ")[2])
        elif called == "set":
            texts.append(text_of(node).partition(" -- ")[2])
    words = " ".join(texts).replace("(", " ").replace(")", " ").split()
    plain = [re.sub(r"[\"'\\]", "", word) for word in words]
    return " ".join(word for word in plain if word.startswith("-"))

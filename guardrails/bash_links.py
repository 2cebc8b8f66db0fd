# SPDX-License-Identifier: Apache-2.0
"""Links that a bash or zsh script makes: what is written below one is written below its target."""

import posixpath
from collections.abc import Callable, Sequence
from typing import Any, Final

from guardrails.unix_paths import COMPUTED

Paths = frozenset[str]
FindPaths = Callable[[str, Any], Paths | None]

_LINKERS: Final = frozenset(("ln", "gln", "link"))
_COPIERS: Final = frozenset(("cp", "gcp"))
_COPIES_AS_LINKS: Final = ("--symbolic-link", "--link")
_INTO: Final = ("-t", "--target-directory")
_ANYWHERE: Final[Paths] = frozenset((f"/{COMPUTED}",))
_MAX_LINKS: Final = 32
_MAX_ROUNDS: Final = 4  # links to links
_MAX_PATHS: Final = 256


class LinkTable:
    """The links of one script; when each is made is not asked."""

    def __init__(self) -> None:
        self._commands: list[tuple[Sequence[str], Any]] = []
        self._links: dict[tuple[str, int], Paths] | None = None  # by name and place of the command

    def note_command(self, words: Sequence[str], node: Any) -> None:
        """Remember a command when it makes links, if behind wrappers."""
        for position, word in enumerate(words):
            base = word.strip("\"'").rpartition("/")[2].lstrip("\\")
            rest = words[position + 1 :]
            if base in _LINKERS or (base in _COPIERS and _copies_as_links(rest)):
                self._commands.append((rest, node))
                return

    def follow(self, paths: Paths | None, use: Any, find: FindPaths) -> Paths | None:
        """Return paths, and where those lead that lie below a link; None for anywhere.

        Args:
            paths: to follow.
            use: the node that they stand in: a link leads nowhere while it is made.
            find: returns the paths that a word at a node may stand for.

        """
        if paths is None or not self._commands:
            return paths
        if len(self._commands) > _MAX_LINKS:
            return None
        if self._links is None:
            self._links = self._read_links(find)
        found = set(paths)
        new = paths
        for _ in range(_MAX_ROUNDS):
            new = frozenset(each for path in new for each in self._resolve(path, use)) - found
            found |= new
            if not new:
                return frozenset(found)
            if len(found) > _MAX_PATHS:
                return None
        return None

    def _resolve(self, path: str, use: Any) -> list[str]:
        path = _shorten(path)
        return [
            _shorten(posixpath.join(posixpath.dirname(link), target) + path[len(link) :])
            for (link, made), targets in (self._links or {}).items()
            if made != use.start_byte and (path == link or path.startswith(f"{link}/"))
            for target in targets
        ]

    def _read_links(self, find: FindPaths) -> dict[tuple[str, int], Paths]:
        links: dict[tuple[str, int], Paths] = {}
        for words, node in self._commands:
            for target, link in _pair_operands(words):
                targets = find(target, node) or _ANYWHERE
                places = {link} if not link else find(link, node) or ()
                names = {posixpath.basename(each.rstrip("/")) for each in targets}
                inside = {posixpath.join(each, name) for each in places for name in names if name}
                for each in (*places, *inside):
                    if each:
                        key = _shorten(each), int(node.start_byte)
                        links[key] = links.get(key, frozenset()) | targets
        return links


def _copies_as_links(words: Sequence[str]) -> bool:
    return any(
        word.startswith(_COPIES_AS_LINKS)
        or (word[:1] == "-" and word[1:2] != "-" and any(letter in word for letter in "sl"))
        for word in words
    )


def _pair_operands(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return each target with the link, or the folder of links, that is made for it."""
    operands: list[str] = []
    folder = ""
    position = 0
    while position < len(words):
        word = words[position]
        name, glued, value = word.partition("=")
        if name in _INTO:
            folder = value if glued else "".join(words[position + 1 : position + 2])
            position += 0 if glued else 1
        elif word[:1] != "-":
            operands.append(word)
        position += 1
    if folder:
        return [(target, folder) for target in operands]
    if len(operands) == 1:
        return [(operands[0], "")]
    return [(target, operands[-1]) for target in operands[:-1]]


def _shorten(path: str) -> str:
    """Return a path without needless parts, so that one name of a link meets another."""
    return posixpath.normpath(path) if path else path

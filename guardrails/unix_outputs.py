# SPDX-License-Identifier: Apache-2.0
"""What a command of Linux or macOS writes: its arguments, read by a row of guardrails.unix_writers.

GNU programs take the beginning of a long option for all of it, and single letters in one word: both
are read so.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from guardrails.bash_words import Word
from guardrails.unix_writers import WRITERS, Writer

_HERE: Final = Word(".", ".")
_ARCHIVE: Final = frozenset(("-f", "--file"))


class Deed(StrEnum):
    """What is done to a file that an argument names."""

    WRITES = "writes"
    LOSES = "loses"  # it is moved away, emptied or replaced
    SPREADS = "spreads"  # it is a folder: what is written below it has names from elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a program does to one file."""

    word: Word
    deed: Deed


# Letters that begin the bundle of old programs: `tar xzf`, `ar rcs`.
_BUNDLED: Final = {
    **dict.fromkeys(("tar", "bsdtar", "gtar"), re.compile(r"[A-Za-z]+")),
    "ar": re.compile(r"[dmpqrstxabciNoPuTvVlSD]+"),
}


@dataclass(slots=True)
class _Given:
    """The words of a command, told apart; `written` holds pairs of an option and its value."""

    options: set[str] = field(default_factory=set)
    written: list[tuple[frozenset[str], Word]] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)


def list_outputs(name: str, words: Sequence[Word]) -> Iterator[Output | None]:
    """Yield what a program does to files that its arguments name; None for files that they do not.

    Args:
        name: of the program.
        words: its arguments.

    """
    writer = WRITERS.get(name)
    if writer is None:
        return
    given = _read_words(name, writer, words)
    if given.options & writer.reads:
        return
    for options, word in given.written:
        if options & writer.written and not (options & _ARCHIVE and given.options & writer.unpacks):
            yield Output(word=word, deed=Deed.WRITES)
    if not given.options & writer.looks:
        yield from _list_operands(writer, given)
        yield from _list_spread(writer, given)
        reads_archive = name != "pax" or "-r" in given.options
        spreads = (
            writer.extracts_anywhere
            and reads_archive
            and not writer.extracts_within & given.options
        )
        if spreads or (writer.path_traversal & given.options and writer.unpacks & given.options):
            yield None
    if writer.removing_options & given.options:
        yield from (Output(word=word, deed=Deed.LOSES) for word in given.operands)
    if writer.edits & given.options and not writer.instead & given.options:
        yield from (Output(word=word, deed=Deed.WRITES) for word in given.operands)


def _list_operands(writer: Writer, given: _Given) -> Iterator[Output]:
    operands = given.operands
    sources = operands if writer.instead & given.options else operands[:-1]
    chosen: dict[str, Sequence[Word]] = {
        "none": (),
        "all": operands,
        "last": operands[len(sources) :],
        "first": operands[:1],
        "second": operands[1:2],
        "from second": operands[1:],
    }
    yield from (Output(word=word, deed=Deed.WRITES) for word in chosen[writer.operands])
    if writer.removed_operands != "none" and not writer.keeping_options & given.options:
        lost = operands if writer.removed_operands == "all" else sources
        yield from (Output(word=word, deed=Deed.LOSES) for word in lost)


def _list_spread(writer: Writer, given: _Given) -> Iterator[Output]:
    """Yield where files come to be that no argument names in full."""
    spreads = {
        "never": False,
        "always": True,
        "unpacking": bool(writer.unpacks & given.options),
        "named afar": bool(writer.named_afar & given.options),
    }[writer.spreads]
    if spreads and not writer.single & given.options:
        folders = [word for options, word in given.written if options & writer.into]
        if not folders:
            folders = [_HERE, *(given.operands[-1:] if writer.operands == "last" else ())]
        yield from (Output(word=word, deed=Deed.SPREADS) for word in folders)
    named = any(options & writer.written for options, _ in given.written)
    if writer.unnamed and not named and not list(_list_operands(writer, given)):
        yield Output(word=Word(writer.unnamed, writer.unnamed), deed=Deed.WRITES)
    if writer.operands != "last" or writer.spreads != "never":
        return
    instead = [word for options, word in given.written if options & writer.instead]
    sources = given.operands if instead else given.operands[:-1]
    for folder in instead or given.operands[-1:]:
        yield from (_put_into(folder, source) for source in sources)


def _put_into(folder: Word, source: Word) -> Output:
    """Return what copying or moving a source does, if the last operand is a folder."""
    base = show_word(source).rpartition("/")[2]
    if source.value is None or source.is_pattern or base in ("", ".", ".."):
        return Output(word=folder, deed=Deed.SPREADS)
    raw = f"{folder.raw}/{base}"
    value = None if folder.value is None else f"{folder.value}/{base}"
    return Output(word=Word(raw, value, folder.is_pattern), deed=Deed.WRITES)


def _read_words(name: str, writer: Writer, words: Sequence[Word]) -> _Given:
    given = _Given()
    position = 0
    while position < len(words):
        word = words[position]
        text = show_word(word)
        following = words[position + 1] if position + 1 < len(words) else None
        if text == "--":
            given.operands += words[position + 1 :]
            break
        if not position and name in _BUNDLED and _BUNDLED[name].fullmatch(text):
            position += _read_bundle(writer, text, words[1:], given)
        elif text.startswith("-") and text != "-":
            position += _read_option(writer, word, text, following, given)
        else:
            given.operands.append(word)
        position += 1
    if writer.script and not writer.script & given.options:
        given.operands = [each for each in given.operands if each.value != ""][1:]
    return given


def _read_bundle(writer: Writer, letters: str, rest: Sequence[Word], given: _Given) -> int:
    """Read `xCf`: each letter with a value takes the next of the words behind, in their order."""
    taken = 0
    for letter in letters:
        option = f"-{letter}"
        given.options.add(option)
        if option in writer.with_values:
            if option in writer.written | writer.into and taken < len(rest):
                given.written.append((frozenset((option,)), rest[taken]))
            taken += 1
    return taken


def _read_option(
    writer: Writer, word: Word, text: str, following: Word | None, given: _Given
) -> int:
    """Note one word of options, and return how many words it takes beside itself."""
    name, glued, value = text.partition("=")
    found = _complete(writer, name)
    if not found:
        return 0 if text.startswith("--") else _read_letters(writer, word, text, following, given)
    given.options |= found
    if not found & writer.with_values:
        return 0
    held = Word(value, value if word.value is not None else None) if glued else following
    if found & (writer.written | writer.into) and held is not None:
        given.written.append((found, held))
    return 0 if glued else 1


def _complete(writer: Writer, name: str) -> frozenset[str]:
    """Return the options of a row that a word may stand for: itself, or what it begins."""
    if name in writer.options and len(name) > len("-o"):
        return frozenset((name,))
    if name.startswith("--") and len(name) > len("--"):
        return frozenset(option for option in writer.options if option.startswith(name))
    return frozenset()


def _read_letters(
    writer: Writer, word: Word, text: str, following: Word | None, given: _Given
) -> int:
    """Read `-abc`: a letter with a value takes the rest of the word, or the next word."""
    for place, letter in enumerate(text[1:], start=1):
        option = f"-{letter}"
        given.options.add(option)
        if option not in writer.with_values:
            continue
        rest = text[place + 1 :]
        held = Word(rest, rest if word.value is not None else None) if rest else following
        if option in writer.written | writer.into and held is not None:
            given.written.append((frozenset((option,)), held))
        return 0 if rest else 1
    return 0


def show_word(word: Word) -> str:
    """Return what stands for a word: its value, or its text without quotes around it."""
    return word.value if word.value is not None else word.raw.strip("\"'")

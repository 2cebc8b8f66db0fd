# SPDX-License-Identifier: Apache-2.0
"""Files that a batch script writes over although it knows them: it has read them, or asked for them.

A file that only comes to be may be written. One that the script reads, or that `if exist` tells of,
holds something that is lost then; and one that a command reads while it is written is empty before.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Iterable, Iterator
from typing import Final

from guardrails.cmd_syntax import SimpleCommand
from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.windows_files import FILE_PROGRAMS, judge_removal
from guardrails.windows_targets import is_temporary, read_path

_READERS: Final = re.compile(
    r"(?:type|more|sort|find|findstr|fc|comp)(?:\.exe|\.com)?(?=[\s,;=/\"]|$)", re.IGNORECASE
)
_EXISTS: Final = re.compile(
    r"(?<!\bnot )(?<!\bnot  )\bexist[\s,;=]+(\"[^\"]*\"|[^\s\"()&|]+)", re.IGNORECASE
)
_FOR_FILE: Final = re.compile(
    r"\bfor\s+/f\s+(\"[^\"]*\"\s+)?(?:%%?\S)\s+in\s*\(\s*(\"[^\"]*\"|[^\s'\"`()]+)\s*\)",
    re.IGNORECASE,
)
_INPUT: Final = re.compile(r"<\s*(\"[^\"]*\"|[^\s\"&|<>()]+)")
_SORTED_INTO: Final = re.compile(r"/o(?:utput)?(?=[\s:])[\s:]*(\"[^\"]*\"|\S+)", re.IGNORECASE)
_WORDS: Final = re.compile(r"(?:\"[^\"]*\"?|[^\s,;=\"])+")
_OWN: Final = re.compile(r"%~dp0|(?:\\\\\.\\)?(?:nul|con|prn|aux)\b", re.IGNORECASE)
_MAX_FILES: Final = 4000
_OVERWRITTEN: Final[Harm] = (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.MEDIUM)


class KnownFiles:
    """The files that one script has read, or asked for."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._seen: set[str] = set()
        self._lasts: set[str] = set()
        self._relative_lasts: set[str] = set()

    def note_line(self, text: str, commands: Iterable[SimpleCommand]) -> None:
        """Note what a line reads or asks for."""
        if len(self._names) > _MAX_FILES:
            return
        self._names.update(map(_plain, _EXISTS.findall(text)))
        self._names.update(map(_plain, _INPUT.findall(text)))
        for options, name in _FOR_FILE.findall(text):
            if name[:1] != '"' or "usebackq" in options.lower():
                self._names.add(_plain(name))
        for command in commands:
            self._names.update(_list_read(command.text))

    def judge(self, command: SimpleCommand) -> Iterator[Harm]:
        """Yield what it does to a file of these that a command's output is written over."""
        read = set(_list_read(command.text)) | {_plain(each) for each in command.inputs}
        written = [each for each in command.targets if each not in command.appended]
        written += _SORTED_INTO.findall(command.text) if _READERS.match(command.text) else []
        for each in written:
            if _plain(each) in read:
                yield judge_removal(each)
            yield from self.judge_target(each)

    def judge_program(self, name: str, arguments: str) -> Iterator[Harm]:
        """Yield what a program does that writes over a file which its last argument names."""
        words = _list_words(arguments)
        if name in FILE_PROGRAMS and name not in ("ren", "rename") and len(words) > 1:
            yield from self.judge_target(words[-1])

    def judge_target(self, written: str) -> Iterator[Harm]:
        """Yield what it does to write over a file, when the script has read or asked for it."""
        name = _plain(written)
        if self._knows(name) and not is_temporary(name) and not _OWN.match(name):
            yield _OVERWRITTEN

    def _knows(self, name: str) -> bool:
        """Say whether a file is one of these; what is relative may lie anywhere."""
        if name in self._names:
            return True
        last = _last_of(name)
        for each in self._names - self._seen if len(self._seen) < len(self._names) else ():
            self._lasts.add(_last_of(each))
            if _is_relative(each):
                self._relative_lasts.add(_last_of(each))
            self._seen.add(each)
        lasts = self._lasts if _is_relative(name) else self._relative_lasts
        return bool(last) and last in lasts


def _list_read(text: str) -> Iterator[str]:
    """Yield the files that a command reads by its arguments; words that it looks for among them."""
    found = _READERS.match(text)
    if found is None:
        return
    yield from map(_plain, _list_words(_SORTED_INTO.sub(" ", text[found.end() :])))


def _list_words(arguments: str) -> list[str]:
    """Return the words that are no options, as written."""
    return [each for each in _WORDS.findall(arguments) if each[:1] not in "/-"]


def _plain(written: str) -> str:
    """Return a path as Windows reads it: quotes, `.` as a folder and dots at its end say nothing."""
    path = read_path(written.strip().replace('"', "").lower()).replace("\\.\\", "\\")
    return path.removeprefix(".\\").rstrip(". ") or path


def _last_of(path: str) -> str:
    return path.rpartition("\\")[2]


def _is_relative(path: str) -> bool:
    return not re.match(r"[a-z]:\\|\\\\|%|!", path)

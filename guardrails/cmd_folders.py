# SPDX-License-Identifier: Apache-2.0
"""The folder that a batch script has entered, and where its relative paths lead from there.

Where lines may run again after a later one has entered a folder, a path may lead to each folder.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from guardrails.windows_targets import join_folder

_ENTERS: Final = re.compile(
    r"(cd|chdir|pushd)(?=[\s.\\/,;=\"]|$)(?:[\s,;=]*/d\b)?(.*)", re.IGNORECASE
)
_DRIVE: Final = re.compile(r"[a-z]:", re.IGNORECASE)
_MAX_FOLDERS: Final = 40


def name_folder(text: str) -> str:
    """Return the folder that a command enters, as written; empty when it enters none."""
    found = _ENTERS.match(text)
    return found[2].strip(' ,;="') if found else ""


class FolderTrail:
    """Follows one script from folder to folder."""

    def __init__(self, texts: Iterable[str], *, goes_back: bool) -> None:
        named = [folder for text in texts if (folder := name_folder(text))] if goes_back else []
        self._any = list(dict.fromkeys(named))[:_MAX_FOLDERS]
        self._current = ""
        self._of_drives: dict[str, str] = {}
        self._left: list[str] = []

    def enter(self, text: str) -> None:
        """Follow `cd` or `pushd` with its arguments."""
        if text[:5].lower() == "pushd":
            self._left.append(self._current)
        folder = name_folder(text)
        if folder:
            self._current = join_folder(self._current, folder) or folder
            if drive := _DRIVE.match(self._current):
                self._of_drives[drive[0].lower()] = self._current

    def leave(self) -> None:
        """Follow `popd`."""
        self._current = self._left.pop() if self._left else ""

    def switch(self, drive: str) -> None:
        """Follow a change to another drive, `d:`."""
        self._current = self._of_drives.get(drive.lower(), "")

    def list_entered(self) -> list[str]:
        """Return the folders in which the script may be, as written; none before it enters one."""
        return [each for each in dict.fromkeys((*self._any, self._current)) if each]

    def list_places(self, written: str) -> Iterator[str]:
        """Yield where a path may lead: itself, and behind each folder when it is relative."""
        yield written
        for folder in {self._current, *self._any}:
            if joined := join_folder(folder, written):
                yield joined

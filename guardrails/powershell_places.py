# SPDX-License-Identifier: Apache-2.0
"""Where a relative path of a PowerShell script leads, and which files it writes over after reading.

To ask whether a file is there, and then to write over it, is the same.

The order in which a script enters folders is not followed: a relative path may lead to each.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.powershell_folding import fold_value, put_values
from guardrails.powershell_paths import fold_path, judge_path
from guardrails.powershell_scope import PowershellScope
from guardrails.windows_targets import is_temporary, join_folder, read_path

_K, _S = EffectKind, EffectSeverity
_READS: Final = re.compile(
    r"(?:\b(?:get-content|gc|cat|import-csv|import-clixml|get-item|gi)\s+(?:-(?!path\b|literalpath\b)\w+\s+(?:utf8\s+|byte\s+)?){0,4}(?:-(?:path|literalpath)[\s:]+)?"
    r"|::(?:readall\w+|openread|opentext|readlines)\(\s*|streamreader(?:\]::new)?\s*\(?\s*)(\"[^\"\n]{1,300}\"|'[^'\n]{1,300}'|\$\{?[\w:]+\}?(?:\.\w+)?|[a-z%.][^\s;|)\"'(]{1,300})"
)
# What the script asks whether it is there; with `not` before it, it may come to be.
_TESTS: Final = re.compile(
    r"(?:test-path\s+(?:-(?:pathtype|type)\s+\w+\s+|-(?:literal)?path[\s:]+){0,3}"
    r"|::exists\(\s*)(\"[^\"\n]{1,300}\"|'[^'\n]{1,300}'|\$\{?[\w:]+\}?(?:\.\w+)?|[a-z%.][^\s;|)\"'(]{1,300})"
)
_NEGATED: Final = re.compile(r"(?:-not\b|!)[\s(]*(?:\[[\w.]+\])?$")
_ENCRYPTS: Final = re.compile(
    r"-bxor|createencryptor|cryptostream|rijndael|aes(?:managed|cng|cryptoserviceprovider)|tripledes|protecteddata|\baes\]::create"
)
_OF_THE_SCRIPT: Final = re.compile(
    r"[\"'(\s]*(?:\$\{?(?:psscriptroot|psscriptpath)\b|%~dp0)", re.IGNORECASE
)
_BEFORE: Final = 60  # characters
_MAX_READS: Final = 200
_MAX_FOLDERS: Final = 40


class PlaceJudge:
    """Judges the places that one script writes to, beyond what each path says of itself."""

    def __init__(
        self, scope: PowershellScope, variables: Mapping[str, Any], folders: Sequence[str] = ()
    ) -> None:
        self._scope = scope
        self._variables = variables
        self._folders = list(dict.fromkeys(folders))[:_MAX_FOLDERS]
        self._reads: set[str] | None = None

    def _list_reads(self) -> set[str]:
        """Return the files that the script reads, or of which it asks whether they are there."""
        if self._reads is None:
            text = self._scope.text
            self._reads = {_plain(each) for each in _READS.findall(text)[:_MAX_READS]}
            for found in islice(_TESTS.finditer(text), _MAX_READS):
                if not _NEGATED.search(text, max(0, found.start() - _BEFORE), found.start()):
                    self._reads.add(_plain(found[1]))
        return self._reads

    def judge(self, written: str, *, overwrites: bool = True) -> list[Harm]:
        """Return what it does to write to this path, as written, that the path alone does not tell.

        Args:
            written: with its quotes and variables.
            overwrites: what is there is lost.

        """
        put = put_values(written, self._variables)
        harms = []
        for folder in self.list_folders():
            joined = join_folder(folder, put)
            if joined:
                harms.append(judge_path(joined, overwrites=overwrites))
        if overwrites and self._was_read(written, put):
            encrypts = self._scope.mentions(_ENCRYPTS)
            harms.append(
                (_K.ENCRYPTS_FILES, _S.HIGH) if encrypts else (_K.WRITES_SYSTEM_FILES, _S.MEDIUM)
            )
        return harms

    def list_folders(self) -> list[str]:
        """Return the folders that the script enters; a relative one behind each before it."""
        found: list[str] = []
        for written in self._folders:
            plain = fold_path(written, lambda part: fold_value(part, self._variables))
            plain = plain or put_values(written, self._variables)
            behind = [joined for each in found if (joined := join_folder(each, plain))]
            found += behind[: _MAX_FOLDERS - len(found)] or [plain]
        return found[:_MAX_FOLDERS]

    def _was_read(self, written: str, put: str) -> bool:
        plain = _plain(written)
        if not plain or is_temporary(put) or _OF_THE_SCRIPT.match(written):
            return False
        reads = self._list_reads()
        if plain in reads:
            return True
        return _plain(put) in {_plain(put_values(each, self._variables)) for each in reads}


def _plain(written: str) -> str:
    return read_path(written.strip().strip("\"'()").lower())

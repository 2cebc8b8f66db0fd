# SPDX-License-Identifier: Apache-2.0
"""Loops of batch scripts: figures that they put into variables, and files that they remove.

A value that cmd puts into a line may hold operators, and so commands. What these programs print
about the machine, a date, a size or a version, holds none; names of files and volumes might.
"""

import re
from collections.abc import Iterable
from typing import Final

from guardrails.effects import EffectSeverity
from guardrails.script_reading import Deadline
from guardrails.windows_files import is_wide

_S = EffectSeverity

_SETS: Final = re.compile(
    r"\s*@?for\s+/f\s+(?:\"([^\"]*)\"\s+)?%%(\w)\s+in\s*\(\s*'([^']*)'\s*\)\s*do\s+\(?\s*@?set\s+\"?(\w+)=%%(?:~)?\2\"?\s*\)?\s*(?:&.*)?$",
    re.IGNORECASE,
)
_FIGURES: Final = re.compile(
    r"hostname|ver|date\s+/t|time\s+/t|tzutil\s+/g"
    r"|wmic\s+(?:os|cpu|computersystem|logicaldisk)(?:\s+where\s+\"?[\w='\s:]+\"?)?\s+get\s+"
    r"(?:(?:freespace|size|localdatetime|lastbootuptime|version|buildnumber|totalphysicalmemory|freephysicalmemory|numberofprocessors|osarchitecture)\s*,?\s*)+(?:/value|/format:\w+)?",
    re.IGNORECASE,
)
_FREE_BYTES: Final = re.compile(
    r"dir\s+(?:/[-\w:]+\s+)*[a-z]:\\?\s*(?:/[-\w:]+\s*)*\^?\|\s*find(?:str)?\s+(?:/[ic]:?\s*)?\"[^\"]*(?:bytes|free)[^\"]*\"",
    re.IGNORECASE,
)
# A column of a folder's list before the names of files.
_EARLY_COLUMN: Final = re.compile(r"\s*tokens=[1-3]\s*", re.IGNORECASE)
_LOOPS: Final = re.compile(r"\bfor\b", re.IGNORECASE)
_FILES: Final = re.compile(r"/r\b|/d\b|\bdir\b", re.IGNORECASE)


def find_figures(lines: Iterable[str]) -> frozenset[str]:
    """Return the lower-case names of the variables that a line sets to such a figure."""
    names = set()
    for line in lines:
        found = _SETS.match(line)
        if found is None:
            continue
        code = found[3].strip()
        early = _EARLY_COLUMN.fullmatch(found[1] or "") is not None
        if _FIGURES.fullmatch(code) or (early and _FREE_BYTES.fullmatch(code)):
            names.add(found[4].lower())
    return frozenset(names)


def judge_loops(lines: list[tuple[int, str]], deadline: Deadline) -> EffectSeverity:
    """Return what it is to remove the files that the loops of a script find."""
    for _, line in lines:
        deadline.check()
        loop = _LOOPS.search(line)
        if loop is not None and _FILES.search(line, loop.end()) and is_wide(line):
            return _S.CRITICAL
    return _S.MEDIUM

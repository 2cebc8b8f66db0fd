# SPDX-License-Identifier: Apache-2.0
"""Folders in which programs may be started by their bare name. Pure.

cmd looks for a program in the current folder first, and every program looks there for libraries
last. In a folder that others may write into, a bare name is therefore somebody else's program.
"""

import re
from typing import Final

from guardrails.windows_arguments import INNER_BLANK, put_known_folders

_OWN: Final = re.compile(
    r"(?:(?:c:)?\\?|(?:c:)?\\(?:windows|program files(?: \(x86\))?)(?:\\[^%!$]*)?"
    r"|%~dp0[^%!$]*|%~d0|%cd%|\.\\?|\.\.(?:\\\.\.)*\\?|(?:\$\{?psscriptroot\}?|\$pwd)(?:\\[^%!$]*)?|-)",
    re.IGNORECASE,
)
_OPEN: Final = re.compile(
    r"\\windows\\(?:temp|tasks|tracing|debug\\wia|system32\\(?:spool|tasks|com\\dmp|fxstmp))\b|[^.\\]\.\.(?:\\|$)|[^.]\\\.\.(?:\\|$)",
    re.IGNORECASE,
)


def is_own_folder(written: str) -> bool:
    """Say whether a folder belongs to the system, or is that of the script itself.

    Paths with the signs of variables that are not known, shares, other drives and folders of users
    do not.
    """
    plain = written.strip(" \"'").replace("/", "\\")
    if not plain.startswith("%~") and plain.lower() != "%cd%":
        plain = put_known_folders(plain).replace(INNER_BLANK, " ")
    return _OWN.fullmatch(plain) is not None and _OPEN.search(plain) is None

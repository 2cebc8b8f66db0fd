# SPDX-License-Identifier: Apache-2.0
"""Folders in which programs may be started by their bare name. Pure.

cmd looks for a program in the current folder first, and every program looks there for libraries
last. In a folder that others may write into, a bare name is therefore somebody else's program.
"""

import re
from typing import Final

from guardrails.windows_arguments import INNER_BLANK, put_known_folders

# Folders of Windows that nobody else may write into; many others of System32 are open to all.
_CLOSED: Final = (
    r"(?:\\(?:system32|syswow64|sysnative)(?:\\(?:wbem|drivers(?:\\etc)?|windowspowershell\\v1\.0|inetsrv|oobe|sysprep"
    r"|config|catroot2|grouppolicy|dism|restore|winevt(?:\\logs)?|driverstore))?"
    r"|\\(?:softwaredistribution|microsoft\.net|servicing|winsxs|ccm|ccmsetup|installer|inf|prefetch|panther)(?:\\[^%!$]*)?)?\\?"
)
_OWN: Final = re.compile(
    rf"(?:(?:c:)?\\?|(?:c:)?\\windows{_CLOSED}|(?:c:)?\\program files(?: \(x86\))?(?:\\[^%!$]*)?"
    r"|%~dp0[^%!$]*|%~d0|%cd%|\.\\?|\.\.(?:\\\.\.)*\\?|(?:\$\{?psscriptroot\}?|\$pwd)(?:\\[^%!$]*)?|-)",
    re.IGNORECASE,
)
_UP: Final = re.compile(r"[^.\\]\.\.(?:\\|$)|[^.]\\\.\.(?:\\|$)")


def is_own_folder(written: str) -> bool:
    """Say whether a folder belongs to the system, or is that of the script itself.

    Paths with the signs of variables that are not known, shares, other drives and folders of users
    do not.
    """
    plain = written.strip(" \"'").replace("/", "\\")
    if not plain.startswith("%~") and plain.lower() != "%cd%":
        plain = put_known_folders(plain).replace(INNER_BLANK, " ")
    return _OWN.fullmatch(plain) is not None and _UP.search(plain) is None

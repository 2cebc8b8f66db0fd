# SPDX-License-Identifier: Apache-2.0
r"""Names of other machines that are computed: whoever owns the domain learns what they hold. Pure.

A path `\\%secret%.domain\x`, or an option that names a machine, asks for the name before anything
else happens; so even a mere look at it sends data. A computed machine without a domain behind it
(`\\$server\share`) is ordinary administration, unless its name was put together before.
"""

import re
from typing import Final

_INNER: Final = re.compile(r"\$\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\)){0,400}\)")
_SHARE: Final = re.compile(
    r"(?:\\\\[?.]\\unc\\|(?<![\w}%)\]])(?<!\w:)\\\\|(?<![:/\w])//)(?![?.][\\/])([^\\/\s\"';|&<>]+)",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(
    r"%%?~?[a-z]{0,8}[\w$:~,-]*%?|!\w[\w:~,-]*!|\$\{[^}\n]{1,80}\}|\$\w+(?::\w+)?|\{\d\}",
    re.IGNORECASE,
)
_MARK: Final = "\x00"
_DOMAIN: Final = re.compile(rf"{_MARK}[^{_MARK}]*\.[a-z0-9-]*[a-z]", re.IGNORECASE)
# `'\\' + $x + '.domain\y'`, and the same by -join.
_PUT_TOGETHER: Final = re.compile(
    r"\\\\[\"']\s*[+,][^;|\n]{1,300}?[+,]\s*[\"'](?:[\w-]*\.)[a-z0-9-]+\.[a-z]", re.IGNORECASE
)
# The share of a machine by its full name is what a command gives.
_COMMAND_AS_SHARE: Final = re.compile(
    r"\\\\[\w-]+(?:\.[\w-]+)+(?:@\w+)?\\[^\\\s\"']*\$\(\s*[a-z]", re.IGNORECASE
)
_JOINED_SHARE: Final = re.compile(r"\\\\[\"']\s*\+\s*\$\{?\w")
_OPTION: Final = re.compile(
    r"(?:^|\s)(?:-(?:comp\w*|cn|cims\w*|server\w*|host\w*|dc|domainc\w*|node\w*|machinen\w*|smtps\w*)"
    r"|[/-](?:s|server|computers?|r|remote|node|comp|dc|m))"
    r"(?:\s*[\s:=]\s*)(\"[^\"\n]*\"|\((?:[^()\n]|\([^()\n]*\))*\)|[^\s;|]+)",
    re.IGNORECASE,
)
_SUFFIX: Final = re.compile(r"[$%)].*[+,]\s*[\"']\.[a-z0-9-]+\.[a-z]", re.IGNORECASE)
_MAX_NAMES: Final = 40
_NAME: Final = re.compile(r"\$\{?(\w{1,60})\b")
_ENCODED: Final = re.compile(
    r"tobase64|bitconverter|getbytes|get-clipboard|convertto-|readallbytes|\[convert\]|get-filehash|format-hex"
)
_PRINTED: Final = re.compile(
    rf"\([^|]*?(?:{_ENCODED.pattern}|\bget-content\b|\bgc\b|\bcat\b|\btype\s|readall|get-itemprop)"
)
_HOST: Final = re.compile(r"\"?[\w.-]*\x00[\w.\x00-]*\"?")


def _mark(text: str) -> str:
    return _VARIABLE.sub(_MARK, _INNER.sub("$x", text))


def is_computed_host(written: str) -> bool:
    """Say whether a word is the name of a machine with a computed part before its domain."""
    marked = _mark(written.strip().strip("\"'"))
    if _HOST.fullmatch(marked) and _DOMAIN.search(marked):
        return True
    return _SUFFIX.search(written) is not None


def asks_computed_share(text: str, *, names: bool = False) -> bool:
    """Say whether a text has a path on a machine whose name is computed before its domain.

    Args:
        text: of any statement.
        names: the script puts names of machines together elsewhere: then any computed one counts.

    """
    if "\\\\" not in text and "//" not in text:
        return False
    if _PUT_TOGETHER.search(text) or (names and _JOINED_SHARE.search(text)):
        return True
    if _COMMAND_AS_SHARE.search(text):
        return True
    for host in _SHARE.findall(_INNER.sub("$x", text)):
        marked = _VARIABLE.sub(_MARK, host)
        if _DOMAIN.search(marked) or (names and _MARK in marked):
            return True
    return False


def asks_computed_machine(arguments: str, *, names: bool = False) -> bool:
    """Say whether an option of a command names a machine whose name is computed so."""
    for value in _OPTION.findall(arguments):
        if is_computed_host(value) or (names and _MARK in _mark(value)):
            return True
    return False


def asks_composed_name(asked: str, script: str) -> bool:
    """Say whether a command asks for a name that holds what another one has printed or encoded.

    Args:
        asked: the command.
        script: all of it in lower case.

    """
    lower = asked.lower()
    if _PRINTED.search(lower):
        return True
    names = "|".join(sorted(set(_NAME.findall(lower)))[:_MAX_NAMES])
    if not names:
        return False
    assigned = re.findall(rf"\$(?:{names})\s*\+?=(?!=)\s*([^;\n]{{1,400}})", script)
    return any(_ENCODED.search(each) for each in assigned)

# SPDX-License-Identifier: Apache-2.0
r"""Files that a path of Windows leads to, whatever way it is written. Pure.

A path may be written with slashes, with short names of the kind `PROGRA~1`, or from the folder
that was entered before: `read_path` and `join_folder` give the one form that tables know. Beyond
programs and the system's folders, files matter that make other programs run commands, and those
that somebody has made: data bases, documents, settings, whatever lies in a user's folder.
"""
# ruff: noqa: E501 - tables

import re
from typing import Final

_SLASH: Final = re.compile(r"(?<=[\w:.%})~])/(?=[\w.%$~{(])")
_WORD: Final = re.compile(r"[^\s\"',;|]+")
_SHORT: Final = re.compile(r"(?<=\\)([\w$%'()@^`{}-]{1,6})~\d(?:\.\w{1,3})?(?=[\\\s\"',;)|]|$)")
# Long names of folders that Windows makes, to be found by the beginning of a short one.
_LONG_NAMES: Final = {
    "windo": "Windows", "system": "System32", "syswow": "SysWOW64", "progra": "Program Files",
    "startm": "Start Menu", "startu": "Startup", "admini": "administrators_authorized_keys",
    "docume": "Documents and Settings", "driver": "drivers",
}  # fmt: skip
_OF_TEMPORARY_FILES: Final = re.compile(
    r"\\(?:appdata\\local|windows)\\temp(?:\\|$)|[a-z]:\\te?mp\\|^[\s\"']*(?:%te?mp%|\$\{?env:te?mp\}?)(?:\\|$)",
    re.IGNORECASE,
)
_END: Final = r"(?=[\s\"');,|]|$)"
# What they hold makes ssh, git, shells, editors and package managers run commands, or lets in.
_BACK_DOOR: Final = re.compile(
    r"\\ssh\\(?:administrators_authorized_keys|sshd?_config|ssh_host_\w+)|\\\.ssh\\(?:authorized_keys2?|config|rc|environment)"
    r"|(?<![\w)\]}.$])\.(?:gitconfig|wslconfig|npmrc|yarnrc(?:\.yml)?|condarc|bash(?:rc|_profile|_login)|zshrc|profile|vimrc|hgrc|pypirc|curlrc|wgetrc|netrc|mavenrc|gradle\\init\.gradle)"
    + _END
    + r"|\\git\\config\b|\\\.git\\(?:config\b|hooks\\)|\\etc\\gitconfig\b|\\pip\\pip\.ini|\\\.cargo\\config|\\nuget\\nuget\.config|\\chocolatey\.config|\\_(?:vimrc|netrc)\b"
    r"|\\code(?: - insiders)?\\user\\(?:settings|tasks|keybindings)\.json|\\\.vscode\\(?:settings|tasks|launch)\.json|\\localstate\\settings\.json|\\windows terminal\\settings\.json|\\wsl\.conf\b",
    re.IGNORECASE,
)
_FOLDER_OF_KEYS: Final = re.compile(
    r"(?:\\programdata\\ssh|\\\.ssh|\\\.git\\hooks)\\?" + _END, re.IGNORECASE
)
_UP: Final = re.compile(r"\\(?!\.\.)[^\\\s\"'|;]+\\\.\.(?=\\)")
_MAX_UPS: Final = 20
_OF_SOMEBODY: Final = re.compile(
    r"(?:\\(?:users|documents and settings)\\[^\\\s\"']+|%(?:userprofile|public|onedrive\w*|homepath)%|\$\{?(?:env:(?:userprofile|public|onedrive\w*)|home)\}?)\\(?!appdata\b)(?=[^\\\s\"'])",
    re.IGNORECASE,
)
_PROGRAM_OR_DATA: Final = re.compile(
    r"\.(?:mdf|ndf|ldf|edb|stm|dbf|frm|ibd|myd|myi|db3?|sqlite3?|accd[be]|mdb|nsf|pst|ost|vhdx?|vmdk|vmcx|vdi|qcow2|avhdx?|bak|trn|wim|kdbx?|pfx|p12|qb[wb]|qdf"
    r"|docx?|docm|xlsx|xlsm|pptx?|pptm|vsdx?|mpp|dwg|psd|odt|ods|config|ini|conf|cnf|cfg|properties|toml|ya?ml)"
    + _END
    + r"|\\(?:app|web|local|host|user)?settings[\w.-]*\.(?:json|xml)"
    + _END
    + r"|\\config\w*\.(?:json|xml|php)"
    + _END
    + r"|\\(?:inetpub|wwwroot|htdocs)\\",
    re.IGNORECASE,
)
_MAX_FOLDER: Final = 1024  # characters
_ROOTED: Final = re.compile(r"[\\/%$!(@{]|[a-z]:|\w[\w.]*::", re.IGNORECASE)


def read_path(text: str) -> str:
    """Return a text whose paths have backslashes, and long names of what Windows makes."""
    if "/" in text:
        text = _WORD.sub(
            lambda word: word[0] if "://" in word[0] else _SLASH.sub(r"\\", word[0]), text
        )
    for _ in range(_MAX_UPS):
        if ".." not in text or (shorter := _UP.sub("", text)) == text:
            break
        text = shorter
    return _SHORT.sub(_lengthen, text) if "~" in text else text


def _lengthen(match: re.Match[str]) -> str:
    short = match[1].lower()
    long = (name for begin, name in _LONG_NAMES.items() if short.startswith(begin))
    return next(long, match[0])


def hides_name(text: str) -> bool:
    """Say whether a short name leads to a folder or file whose name the text does not tell."""
    return _SHORT.search(text) is not None and not is_temporary(text)


def is_back_door(text: str, *, folders: bool = True) -> bool:
    """Say whether a text names a file that makes other programs run commands, or lets in.

    Args:
        text: with paths as `read_path` returns them.
        folders: a folder that is named for such files counts, for they may be put into it.

    """
    if folders and _FOLDER_OF_KEYS.search(text):
        return True
    return _BACK_DOOR.search(text) is not None


def is_temporary(text: str) -> bool:
    """Say whether a path lies in a folder for temporary files."""
    return _OF_TEMPORARY_FILES.search(text) is not None


def is_somebodys(text: str) -> bool:
    """Say whether a text names what people or programs have made, outside temporary folders."""
    if is_temporary(text):
        return False
    return _OF_SOMEBODY.search(text) is not None or _PROGRAM_OR_DATA.search(text) is not None


def join_folder(folder: str, written: str) -> str | None:
    """Return a relative path from a folder, or None for a path that has a root of its own."""
    plain = written.strip().strip("\"'")
    if not plain or not folder or _ROOTED.match(plain) or len(folder) > _MAX_FOLDER:
        return None
    joined = folder.strip().strip("\"'").replace("/", "\\").rstrip("\\")
    for part in re.split(r"[\\/]", plain):
        if part == "..":
            joined = joined.rpartition("\\")[0]
        elif part not in (".", ""):
            joined += "\\" + part
    return joined

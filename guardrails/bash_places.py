# SPDX-License-Identifier: Apache-2.0
"""Where the files lie that a bash or zsh script writes, as far as its text shows.

A word that names a file is followed through variables, loops, calls of functions and `cd`. What
comes from outside (an argument of the script, the environment, what was read) may name any file.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile, zip_longest
from typing import Any, Final

from guardrails.bash_functions import DefinitionSpans
from guardrails.bash_links import LinkTable
from guardrails.command_words import text_of
from guardrails.shell_folding import decode_escapes
from guardrails.unix_paths import COMPUTED

Paths = frozenset[str]
_MAX_DEPTH: Final = 8
_MAX_PLACES: Final = 64
_MAX_CHARACTERS: Final = 4096
_MAX_STEPS: Final = 20_000  # of one script; beyond, every place is unknown
_LEAD: Final = re.compile(
    r"\$(?:(\w+|[@*$?#!-])|\{([A-Za-z_]\w*|\d+|[@*])((?:\[[^\]]*\])?)([^{}]*(?:\{[^{}]*\}[^{}]*)*)\})"
)
_SUBSTITUTION: Final = re.compile(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|`([^`]*)`")
_COMPUTES: Final = re.compile(
    r"\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\$\w+|\$[@*$?#!-]"
)
_NUMBERED: Final = re.compile(r"\{(\w+)\}")
_INNER: Final = re.compile(r"\$\{?([A-Za-z_]\w*)")
# `[ -f x ]`, but not `[ ! -f x ]`.
_ASKED: Final = re.compile(r"(?<!!)\s-[efsrwN]\s+(\"[^\"]*\"|'[^']*'|[^\s;&|)\]]+)")
_BRACES: Final = re.compile(r"\{([^{}\s]*,[^{}\s]*)\}")
# Of the environment, what is taken for what a system sets, and our agent for a script's own files.
_TEMPORARY: Final = "/tmp/x"  # noqa: S108 - stands for any name there
_KNOWN: Final = {
    "HOME": "~", "EUCORA_STATE_DIR": _TEMPORARY, "TMPDIR": _TEMPORARY, "TMP": _TEMPORARY, "TEMP": _TEMPORARY, "PWD": ".", "OLDPWD": ".",
    "XDG_RUNTIME_DIR": "/run/user/0", "XDG_CACHE_HOME": "~/.cache/x", "BASH_SOURCE": "x",
    "USER": "x", "LOGNAME": "x", "HOSTNAME": "x", "RANDOM": "x", "UID": "x", "EUID": "x", "PPID": "x",
    "$": "x", "SECONDS": "x", "LINENO": "x", "#": "x", "?": "x", "!": "x", "EPOCHSECONDS": "x",
}  # fmt: skip
_NUMBERS: Final = frozenset(("RANDOM", "UID", "EUID", "PPID", "$", "SECONDS", "LINENO", "#", "?", "!", "EPOCHSECONDS"))  # fmt: skip
# `${x%/*}`, `${x:?}`, `${x,,}`: what begins as x does.
_KEEPS_START: Final = re.compile(r"%|:?[?+]|#{1,2}[^/]*$|[,^]|:?-$")
_READS: Final = frozenset(("read", "mapfile", "readarray", "getopts", "printf", "select"))
# What these print is one name from the current folder, no path.
_PRINTS_NAME: Final = re.compile(
    r"\s*(?:basename|date|hostname|uname|id|whoami|nproc|wc|lsb_release|sw_vers)\b"
)
_PRINTS_OWN_FOLDER: Final = re.compile(
    r"\s*(?:(?:dirname|realpath|readlink|cd|CDPATH=)\b[^;|&]*(?:\$0|\$\{?BASH_SOURCE|\$\{0)[^;|]*|pwd(?: -[PL])?)"
)
_PRINTS_TEMPORARY: Final = re.compile(
    r"\s*mktemp\b((?:\s+-(?:[dqu]+|t\s+\S+)|\s+--(?:directory|tmpdir|suffix=\S+))*)\s*(\S*)\s*(?:2>\s*/dev/null)?\s*(?:\|\|.*)?"
)
_PRINTS_FOLDER_OF: Final = re.compile(
    r"\s*(?:dirname|realpath|readlink\s+-[fem]+)\s+(?:--\s+)?(\S+)\s*"
)
# What goes to a folder, and programs with options that name the folder of what they run.
_BEFORE: Final = frozenset(("builtin", "command"))
_ENTERS: Final = frozenset(("cd", "pushd", "chdir"))
_WORKS_IN: Final = frozenset(
    ("env", "genv", "sudo", "systemd-run", "daemonize", "start-stop-daemon", "unshare")
)
_WORKING_FOLDER: Final = re.compile(
    r"(?:-[A-Za-z0]*[CDd]|--(?:chd?i?r?|work\w*|wdn?s?|wd)(?:=|$)|(?:--property=|-p)?WorkingDirectory=)(.*)"
)


class Places:
    """Answers where a word of a script leads."""

    def __init__(self, nodes: Mapping[str, Sequence[Any]]) -> None:
        self._definitions = DefinitionSpans(nodes)
        self._asked: list[tuple[str, Any]] = []  # files of which the script asks if they are there
        self._there: Paths | None = None
        self._values: dict[str, list[tuple[str | None, Any]]] = {}
        self._calls: dict[str, list[Any]] = {}
        self._functions = {text_of(node) for node in nodes.get("function", ())}
        self._folders: list[tuple[str, Any]] = []
        self._links = LinkTable()
        self._busy: set[str] = set()  # variables that are being followed
        self._steps = 0
        self._descriptors: set[str] = set()
        for node in nodes.get("assignment", ()):
            name, _, value = text_of(node).partition("=")
            self._set(name.rstrip("+").partition("[")[0], value, node)
        for node in nodes.get("loop", ()):
            variable = node.child_by_field_name("variable")
            if variable is not None:
                values = [text_of(each) for each in node.children_by_field_name("value")]
                for each in values or (None,):
                    self._set(text_of(variable), each, node)
        for node in nodes.get("command", ()):
            self._note_command(node)
        for node in nodes.get("test", ()):
            if node.end_byte - node.start_byte > _MAX_CHARACTERS:
                continue  # it nests
            self._asked += ((each, node) for each in _ASKED.findall(text_of(node)))

    def _set(self, name: str, value: str | None, node: Any) -> None:
        self._values.setdefault(name, []).append((value, node))

    def _note_command(self, node: Any) -> None:
        name = node.child_by_field_name("name")
        called = text_of(name) if name is not None else ""
        arguments = [text_of(each) for each in node.children_by_field_name("argument")]
        self._links.note_command([called, *arguments], node)
        if called == "test" and node.end_byte - node.start_byte <= _MAX_CHARACTERS:
            self._asked += ((each, node) for each in _ASKED.findall(text_of(node)))
        if called == "exec":
            self._descriptors |= {
                match[1] for each in arguments if (match := _NUMBERED.fullmatch(each))
            }
        self._folders += ((each, node) for each in _list_entered(called, arguments))
        if called in self._functions:
            self._calls.setdefault(called, []).append(node)
        elif called in _READS:
            for word in arguments:
                if re.fullmatch(r"[A-Za-z_]\w*", word):
                    self._set(word, None, node)

    def find(self, word: str, use: Any) -> Paths | None:
        """Return the paths that a word may stand for; None when they come from outside.

        Args:
            word: as written.
            use: the node that it stands in.

        """
        found = self._find(word, use, 0)
        if found is not None and any(place[:1] not in ("/", "~") for place in found):
            found = self._join_folders(found)
        return self._links.follow(found, use, lambda each, node: self._find(each, node, 0))

    def tells_of(self, path: str) -> bool:
        """Say whether the script asks if a file of this path is there."""
        if self._there is None:
            found = (self.find(word, node) for word, node in self._asked[:_MAX_PLACES])
            self._there = frozenset().union(*(each for each in found if each))
        return path in self._there

    def list_texts(self, word: str, use: Any) -> frozenset[str]:
        """Return the texts that a word may be, with `COMPUTED` for what is printed or read.

        Args:
            word: as written.
            use: the node that it stands in.

        """
        return frozenset(self._spell(word, use, 0))

    def _spell(self, word: str, use: Any, depth: int) -> set[str]:
        self._steps += 1
        if depth > _MAX_DEPTH or len(word) > _MAX_CHARACTERS or self._steps > _MAX_STEPS:
            return {COMPUTED}
        text = _hide_printed(_bare(word))
        match = _LEAD.search(text)
        if match is None:
            return {text}
        heads = self._spell_variable(match[1] or match[2], use, depth + 1)
        tails = self._spell(text[match.end() :], use, depth + 1)
        spelled = {f"{text[: match.start()]}{head}{tail}" for head in heads for tail in tails}
        return spelled if len(spelled) <= _MAX_PLACES else {f"{COMPUTED}{tail}" for tail in tails}

    def list_printers(self, word: str, use: Any) -> frozenset[str]:
        """Return the commands that print all of a word, or a variable that is all of it.

        For what a loop reads they are what writes into it, empty for a file.
        """
        return frozenset(self._list_printers(word, use, 0))

    @staticmethod
    def list_writers(node: Any) -> frozenset[str]:
        """Return the commands that write what a command, or the loop around it, reads."""
        return frozenset(_list_writers(node))

    def _list_printers(self, word: str, use: Any, depth: int) -> Iterator[str]:
        self._steps += 1
        if depth > _MAX_DEPTH or len(word) > _MAX_CHARACTERS or self._steps > _MAX_STEPS:
            return
        text = word.strip().strip('"')
        if match := re.fullmatch(r"\$\((.*)\)|`([^`]*)`", text, re.DOTALL):
            yield match[1] or match[2] or ""
        elif match := _LEAD.fullmatch(text):
            name = match[1] or match[2]
            given = self._values.get(name, ())
            if name in ("@", "*") or name.isdigit():
                given = self._list_given(name, use)
            for value, node in given[:_MAX_PLACES]:
                if value is None:
                    yield from _list_writers(node)
                else:
                    yield from self._list_printers(value, node, depth + 1)

    def _spell_variable(self, name: str, use: Any, depth: int) -> set[str]:
        if name in _NUMBERS or name in self._busy:
            return {""}
        if name in ("@", "*") or name.isdigit():
            given = self._list_given(name, use)
        elif name in self._values:
            given = self._values[name]
        else:
            return {COMPUTED}  # of the environment
        self._busy.add(name)
        spelled = {
            text
            for value, node in given[:_MAX_PLACES]
            for each in ((None,) if value is None else _split(value))
            for text in ({COMPUTED} if each is None else self._spell(each, node, depth))
        }
        self._busy.discard(name)
        return spelled or {""}

    def is_descriptor(self, word: str) -> bool:
        """Say whether a word is a variable that `exec {name}>file` alone sets."""
        match = _LEAD.fullmatch(word.strip('"'))
        name = (match[1] or match[2]) if match else ""
        return name in self._descriptors and name not in self._values

    def _join_folders(self, paths: Paths) -> Paths | None:
        """Return the same, and relative ones from every folder that the script goes to."""
        joined = set(paths)
        if len(self._folders) > _MAX_PLACES:
            return None
        for folder, node in self._folders:
            folders = self._find(folder, node, 0)
            if folders is None:
                return None
            joined |= {
                f"{each}/{path}" for each in folders for path in paths if path[:1] not in ("/", "~")
            }
        return frozenset(joined)

    def _find(self, word: str, use: Any, depth: int) -> Paths | None:
        self._steps += 1
        if depth > _MAX_DEPTH or len(word) > _MAX_CHARACTERS or self._steps > _MAX_STEPS:
            return None
        text = _bare(word)
        if match := _BRACES.search(text):
            before, after = text[: match.start()], text[match.end() :]
            return self._unite(
                [f"{before}{part}{after}" for part in match[1].split(",")], use, depth + 1
            )
        if match := _LEAD.match(text):
            name = match[1] or match[2]
            heads = self._expand(name, match[4] or "", use, depth)
            return self._append(heads, text[match.end() :])
        if match := _SUBSTITUTION.match(text):
            heads = self._find_printed(match[1] or match[2] or "", use, depth)
            return self._append(heads, text[match.end() :])
        if self._climbs(text):
            return None
        place = _COMPUTES.sub(COMPUTED, text)
        place = re.sub(r"^~(?=[A-Za-z])", "/home/", place).replace("/home/root", "/root", 1)
        is_open = re.match(rf"/?[^/]*[*?\[{COMPUTED}]", place) is not None and (
            place[:1] == "/" or place[:1] == COMPUTED
        )
        return None if is_open else frozenset((place,))

    def _append(self, heads: Paths | None, rest: str) -> Paths | None:
        if heads is None or self._climbs(rest):
            return None
        tail = _COMPUTES.sub(COMPUTED, rest)
        return frozenset(f"{head}{tail}" for head in heads)

    def _climbs(self, text: str) -> bool:
        """Say whether a variable in the middle of a path may lead out of its folder: it holds `..`."""
        return any(
            value is not None and ".." in value
            for name in _INNER.findall(text)
            for value, _ in self._values.get(name, ())
        )

    def _unite(self, words: Sequence[str], use: Any, depth: int) -> Paths | None:
        found: set[str] = set()
        for word in words[:_MAX_PLACES]:
            places = self._find(word, use, depth)
            if places is None or len(found) > _MAX_PLACES:
                return None
            found |= places
        return frozenset(found) if len(words) <= _MAX_PLACES else None

    def _expand(self, name: str, change: str, use: Any, depth: int) -> Paths | None:
        """Return what a variable, changed as in `${x%/*}`, may hold."""
        default = re.match(r":?[-=](.+)", change, re.DOTALL)
        if change == "##*/":
            return frozenset(("x",))
        if default and name in self._values:
            return self._unite([default[1], f"${name}"], use, depth + 1)
        if change and not default and not _KEEPS_START.match(change):
            return None
        if name in ("@", "*") or name.isdigit():
            return self._find_argument(name, use, depth)
        if name in self._values:
            return self._find_values(name, depth)
        return frozenset((_KNOWN[name],)) if name in _KNOWN else None

    def _find_values(self, name: str, depth: int) -> Paths | None:
        if name in self._busy:
            return frozenset()  # `x=$x/y` adds nothing to where x begins
        values = self._values[name]
        if len(values) > _MAX_PLACES:
            return None
        self._busy.add(name)
        found = [
            None if value is None else self._unite(list(_split(value)), node, depth + 1)
            for value, node in values
        ]
        self._busy.discard(name)
        known = [places for places in found if places is not None]
        return frozenset().union(*known) if len(known) == len(found) else None

    def _find_argument(self, name: str, use: Any, depth: int) -> Paths | None:
        """Return what the calls of the function around a node give as an argument."""
        words = self._list_given(name, use)
        found: set[str] = set()
        for word, call in words[:_MAX_PLACES]:
            places = None if word is None else self._find(word, call, depth + 1)
            if places is None:
                return None
            found |= places
        return frozenset(found) if words and len(words) <= _MAX_PLACES else None

    def _list_given(self, name: str, use: Any) -> list[tuple[str | None, Any]]:
        """Return what the calls of the function around a node give, and the calls."""
        function = self._definitions.find_around(use)
        if function is None:
            return []
        called = text_of(function.child_by_field_name("name"))
        words: list[tuple[str | None, Any]] = []
        for call in self._calls.get(called, ()):
            arguments = [text_of(each) for each in call.children_by_field_name("argument")]
            if any(re.search(r"\$[@*]|\$\{[@*]|\[[@*]\]", each) for each in arguments):
                chosen = arguments
            else:
                chosen = arguments[int(name) - 1 : int(name)] if name.isdigit() else arguments
            words += [(each, call) for each in chosen]
        return words

    def _find_printed(self, command: str, use: Any, depth: int) -> Paths | None:
        """Return what a command substitution may print."""
        if _PRINTS_NAME.match(command) or _PRINTS_OWN_FOLDER.fullmatch(command):
            return frozenset(("x" if _PRINTS_NAME.match(command) else ".",))
        if match := _PRINTS_TEMPORARY.fullmatch(command):
            return self._find(match[2] or "$TMPDIR", use, depth + 1)
        if match := _PRINTS_FOLDER_OF.fullmatch(command):
            return self._find(match[1], use, depth + 1)
        return None


def _list_entered(called: str, arguments: Sequence[str]) -> Iterator[str]:
    """Yield the folders that a command enters, or makes another program work in."""
    words = [called, *arguments]
    enters = next((at for at, word in enumerate(words) if word not in _BEFORE), 0)
    if _base(words[enters]) in _ENTERS:
        rest = words[enters + 1 :]
        folder = next((each for each in rest if not re.match(r"-(?:[LPen@]+$|-)", each)), "~")
        if folder not in ("-", '"-"', "..", "."):
            yield folder
        return
    works_in = searches = False
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        base = _base(word)
        works_in = works_in or base in _WORKS_IN
        searches = searches or base == "find"
        if works_in and (match := _WORKING_FOLDER.fullmatch(word)):
            yield match[1] or following
    if searches and not {"-execdir", "-okdir"}.isdisjoint(words):
        start = next(at for at, word in enumerate(words) if _base(word) == "find") + 1
        yield from takewhile(lambda each: each[:1] not in "-(!", words[start:])


def _base(word: str) -> str:
    """Return a program's name without its folder and quotes."""
    return word.strip("\"'").rpartition("/")[2].lstrip("\\")


def _list_writers(node: Any) -> Iterator[str]:
    """Yield what is piped, or given as a string, into the loop around a command that reads."""
    while node is not None and node.type != "program":
        around = node.parent
        if around is not None and around.type == "pipeline" and around.children[0] != node:
            yield text_of(around)[: node.start_byte - around.start_byte].rstrip("| \n")
            return
        for each in around.children if around is not None else ():
            if each.type == "herestring_redirect":
                yield text_of(each)[3:].strip().strip('"').removeprefix("$(").removesuffix(")")
                return
            if each.type == "file_redirect" and "<(" in text_of(each):
                yield text_of(each).partition("<(")[2].removesuffix(")")
                return
        node = around


def _split(value: str) -> Iterator[str]:
    """Yield the words of `(a "b c")`, or the value itself."""
    if value[:1] != "(":
        yield value
        return
    for match in re.finditer(
        r"(?:\"[^\"]*\"|'[^']*'|\$\([^()]*\)|[^\s\"'])+", value[1:].rstrip(") \n")
    ):
        yield match[0]


def _hide_printed(text: str) -> str:
    """Return a text with `COMPUTED` for each command substitution."""
    for _ in range(_MAX_DEPTH):
        put = re.sub(rf"\$\([^()]*\)|`[^`]*`|\({COMPUTED}\)", COMPUTED, text)
        if put == text:
            break
        text = put
    return re.sub(r"\$\(.*\)", COMPUTED, text, flags=re.DOTALL)


def _bare(word: str) -> str:
    """Return a word without its quotes; what is computed in it stays."""
    word = re.sub(r"\$'((?:[^'\\]|\\.)*)'", lambda match: decode_escapes(match[1]), word)
    return re.sub(r"\\(.)|[\"']", lambda match: match[1] or "", word).strip()

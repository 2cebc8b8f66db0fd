# SPDX-License-Identifier: Apache-2.0
"""Files that a PowerShell script finds, and what it does to them.

A write to one path is a file; a write to whatever a pipeline, a loop or a search gives removes what
was there, over and over. A path counts as found where it begins with `$_`, the variable of a loop, or a
variable that was set from such, and in a script that searches for files also with a parameter.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from typing import Any, Final

from guardrails.dotnet_members import list_writing_methods
from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.powershell_folding import put_values
from guardrails.powershell_paths import judge_path
from guardrails.powershell_places import PlaceJudge
from guardrails.powershell_scope import PowershellScope
from guardrails.windows_files import (
    FILE_PROGRAMS,
    is_wide,
    judge_removal,
    judge_share,
    name_file,
)
from guardrails.windows_folders import is_own_folder

_K, _S = EffectKind, EffectSeverity
_ASSIGNED_TOGETHER: Final = re.compile(
    r"((?:\$\w{1,80}\s*,\s*){1,20})\$\w{1,80}\s*=(?![=])\s*([^;\n]{1,400})"
)
_SEARCHES: Final = (
    r"(?:get-childitem|gci|dir|ls|get-item|gi|resolve-path|getfiles|getdirectories|getfilesysteminfos|getfilesystementries"
    r"|enumeratefiles|enumeratedirectories|enumeratefilesystementries|enumeratefilesysteminfos)\b"
)
_SEARCH: Final = re.compile(rf"\b{_SEARCHES}[^|;\n{{}}]{{0,400}}")
# `$list[$i]`, `$queue.Dequeue()`: one after another.
_TAKES_NEXT: Final = re.compile(
    r"[\s\"'(]*\$[({]*\$?[\w:]+\}?(?:\.\w+)*(?:\[\s*\$|\.(?:dequeue|pop|current|trydequeue|take)\b)",
    re.IGNORECASE,
)
_GIVES_NAMES: Final = re.compile(
    r"[\s@(\"$]*(?:(?:get-content|gc|cat|import-csv|ipcsv|convert-path)\b|\[(?:system\.)?io\.file\]::readall|\$?[\w.]+\.readline\()"
)
# A folder and a name of what was found, put together again.
_FOLDER_OF: Final = re.compile(r"\.(?:directoryname|directory|psparentpath|parent)\b|split-path")
_NAME_OF: Final = re.compile(r"\.(?:name|pschildname|basename)\b")
_GIVES_FILES: Final = re.compile(
    rf"(?:@\{{\s*\w+\s*=)?[\s@(\"$]*(?:\[[\w.]+\]\s*::\s*)?{_SEARCHES}"
)
_DEEP: Final = re.compile(r"\s-(?:r\w*|d(?:e\w*)?)\b|alldirectories|\*")
_CHOOSES: Final = re.compile(r"\s-(?:filt\w*|inc\w*)\b")
_LOOP_VARIABLE: Final = re.compile(
    r"(?:foreach\s*(?:-parallel\s*)?\(\s*\$\{?|\b(?:[sn]v|(?:set|new)-variable)\s+(?:-name\s+)?[\"']?)(\w+)|\s-(?:pipelinev\w*|pv|outv\w*|ov)[\s:]+[\"']?(\w+)"
)
_ASSIGNED: Final = re.compile(
    r"\$\{?(?:\w+:)?(\w+)\}?(?:\.\w+|\[[^\]]*\])*\s*\+?=(?![=])\s*([^;\n]{1,400})"
)
_HEAD: Final = r"[\s\"'(@,{]*(?:\[[\w.\[\]]+\]\s*)?\$[({]*\$?(?:\w+:)?"
_FIRST_VARIABLE: Final = re.compile(_HEAD + r"(\w+)\}?((?:\.\w+)*)", re.IGNORECASE)
_NAMED_WITHIN: Final = re.compile(r"\\\w[\w .-]{0,80}[\"')\s]*$")
_PATH_MEMBER: Final = re.compile(
    r"\.(?:fullname|pspath|psparentpath|filename|versioninfo|path)\b", re.IGNORECASE
)
_ITEMS: Final = frozenset(("_", "psitem", "input"))
_MAX_PASSES: Final = 8
_BOUNDS: Final = frozenset(("program", "function_statement", "class_method_definition"))
_MAX_STATEMENT_BYTES: Final = 8192
_STREAM: Final = re.compile(r"stream(?:writer)?\b|binarywriter", re.IGNORECASE)
_FORCES: Final = re.compile(r"\s-fo\w*\b", re.IGNORECASE)
_FOLDER: Final = re.compile(r"\s-(?:it|ty|t)\w*[\s:]+[\"']?(?:d|sym|j|h)", re.IGNORECASE)
_LINK: Final = re.compile(r"\s-(?:it|ty|t)\w*[\s:]+[\"'(]*(?:sym|j|h|\$)", re.IGNORECASE)
_APPENDS: Final = re.compile(r"\s-(?:app\w*|nocl\w*)\b", re.IGNORECASE)
_TRUNCATES: Final = re.compile(r"[\"']truncate[\"']|\]::truncate\b", re.IGNORECASE)
_WILDCARD: Final = re.compile(r"[*?]")
_MAX_SEARCHES: Final = 200
_PARAMETER: Final = re.compile(r"-([A-Za-z]\w*):?(.*)$", re.DOTALL)
_QUOTES: Final = "\"'() \\"
_COMMA: Final = re.compile(r"\s*,\s*")
# Parameters that are switches: the next word is none of theirs.
_SWITCHES: Final = tuple(
    "force fo recurse r passthru nonewline append noclobber confirm whatif verbose container notype nti asbyte".split()
)
_TARGETS: Final = re.compile(
    r"(?:path|literalpath|pspath|lp|filepath|p|l|li\w*|pa\w*|filep\w*|fi|name|na?m?|archivefilename)$",
    re.IGNORECASE,
)
_DESTINATIONS: Final = re.compile(r"d\w*$", re.IGNORECASE)
_NEW_NAMES: Final = re.compile(r"new\w*$", re.IGNORECASE)
_REMOVES: Final = frozenset(("move-item", "rename-item", "remove-item"))
_RECURSES: Final = re.compile(r"\s-r\w*\b", re.IGNORECASE)
_COPIES: Final = frozenset(("copy-item", "expand-archive"))
_GLOBS: Final = frozenset("set-content add-content set-item clear-item clear-content".split())
_WRITING_METHODS: Final = list_writing_methods()
_WORDS: Final = re.compile(
    r"(?:\"[^\"]*\"|'[^']*'|\((?:[^()]|\([^()]*\))*\)|\{[^{}]*\}|[^\s\"'(){}])+"
)
_SPLAT: Final = re.compile(r"(?<=\s)@(\w{1,80})(?=\s|$)")
_PAIR: Final = re.compile(r"(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^;\n]+)")
_OF_THE_FILE: Final = frozenset(
    "openwrite open create createtext appendtext moveto setlength delete encrypt".split()
)
_SECOND_IS_TARGET: Final = frozenset(("copy", "copyfile", "replace", "createfromdirectory"))
_DRIVE_OF_PROVIDER: Final = re.compile(
    r"(?:hk\w+|cert|env|ad|iis|wsman|registry|alias|function|variable)::?", re.IGNORECASE
)
_ENTERS: Final = re.compile(
    r"\s*(?:set-location|push-location|cd|chdir|sl|pushd)\s+(?:-(?:path|literalpath|stackname)\s+)?(\"[^\"]*\"|'[^']*'|\([^()]*\)|[^\s;|)}]+)",
    re.IGNORECASE,
)
# In code that a string holds.
_ENTERS_INSIDE: Final = re.compile(
    r"[\"'{;]\s*(?:set-location|push-location|sl)\s+(?:-(?:path|literalpath)\s+)?([^\s;\"'|)}]+)"
)
_SETS_FOLDER: Final = re.compile(
    r"(?:\]::currentdirectory\s*=\s*|setcurrentdirectory\(\s*)(\"[^\"]*\"|'[^']*'|[^\s;)]+)",
    re.IGNORECASE,
)


class FileJudge:
    """Tells what the commands of one script do to files that it finds."""

    def __init__(self, scope: PowershellScope, variables: dict[str, Any]) -> None:
        self._scope = scope
        self._variables = variables
        self._pieces = [found[0] for found in _SEARCH.finditer(scope.text)][:_MAX_SEARCHES]
        self._found = self._list_found()
        self._places = PlaceJudge(scope, variables)

    def _list_found(self) -> frozenset[str]:
        """Return the variables that hold, one after another, what the script finds."""
        found = set(_ITEMS)
        for names in _LOOP_VARIABLE.findall(self._scope.text):
            found.update(name for name in names if name)
        if self._pieces:
            found |= self._scope.parameters | {"args"}
        assigned = _ASSIGNED.findall(self._scope.text)
        for names, value in _ASSIGNED_TOGETHER.findall(self._scope.text):
            assigned += [(name, value) for name in re.findall(r"\w+", names)]
        for _ in range(_MAX_PASSES):
            before = len(found)
            found.update(name for name, value in assigned if self._gives_found(value, found))
            if len(found) == before:
                break
        return frozenset(found)

    @staticmethod
    def _gives_found(value: str, found: set[str]) -> bool:
        first = _FIRST_VARIABLE.match(value)
        if first and (first[1] in found or _PATH_MEMBER.search(first[2])):
            return True
        return bool(_GIVES_FILES.match(value) or _GIVES_NAMES.match(value))

    def _rate(self, node: Any, *, whole: bool = False) -> EffectSeverity:
        """Say how bad it is to remove what is found: by where, and how deep, it is searched for.

        That is the statement around the node, and the whole script where that searches for nothing.
        `whole`: folders are removed with all that they hold.
        """
        around = _SEARCH.findall(_cut_statement(node).lower()) or self._pieces
        worst = _S.MEDIUM
        for piece in around[:_MAX_SEARCHES]:
            deep = _DEEP.search(piece) is not None
            if (deep or whole) and is_wide(put_values(piece, self._variables)):
                if deep and not _CHOOSES.search(piece):
                    return _S.CRITICAL
                worst = _S.HIGH
        return worst

    def is_found(self, written: str) -> bool:
        """Say whether a path, as written, is one that the script finds."""
        plain = written.lower()
        if _GIVES_FILES.match(plain) or _GIVES_NAMES.match(plain) or _TAKES_NEXT.match(plain):
            return True
        if _FOLDER_OF.search(plain) and _NAME_OF.search(plain):
            return True
        first = _FIRST_VARIABLE.match(written)
        if first is None or _NAMED_WITHIN.search(written):
            return False  # or a file of this name in each folder
        return first[1].lower() in self._found or _PATH_MEMBER.search(first[2]) is not None

    def judge_program(self, name: str, rest: str, node: Any) -> list[Harm]:
        """Return what a program that writes files does to those that the script finds."""
        words = _WORDS.findall(rest)
        if name in FILE_PROGRAMS and name not in ("move", "ren", "rename"):
            words = words[-1:]
        harms = [harm for word in words[-1:] for harm in self._places.judge(word)]
        if any(self.is_found(word) for word in words):
            harms.append((_K.DELETES_FILES, self._rate(node)))
        return harms

    def spread(self, rest: str) -> str:
        """Return arguments with the table behind `@name` written out as parameters."""

        def write_out(match: re.Match[str]) -> str:
            table = re.search(
                rf"\${match[1].lower()}\s*=\s*@\{{([^{{}}]{{0,2000}})\}}", self._scope.text
            )
            pairs = _PAIR.findall(table[1]) if table else []
            return "".join(f" -{key}:{value.strip()}" for key, value in pairs) or match[0]

        return _SPLAT.sub(write_out, rest) if "@" in rest else rest

    def judge_target(self, written: str, node: Any, *, appends: bool = False) -> list[Harm]:
        """Return what it does, beyond writing a file, to write over this path, or behind it."""
        harms = judge_share(put_values(written, self._variables))
        harms += self._places.judge(written, overwrites=not appends)
        if self.is_found(written):
            harms.append((_K.DELETES_FILES, self._rate(node)))
        return harms

    def judge_cmdlet(self, name: str, rest: str, node: Any) -> list[Harm]:
        """Return what a cmdlet does to files beyond writing or deleting one."""
        piped = _is_piped_into(node)
        if name in _REMOVES:
            return self._judge_source(name, rest, node, piped=piped)
        target = _find_target(name, rest)
        put, put_rest = put_values(target, self._variables), put_values(rest, self._variables)
        if name in _COPIES and (_RECURSES.search(rest) or name != "copy-item") and is_wide(put):
            return [(_K.WRITES_SYSTEM_FILES, _S.MEDIUM)]
        if name in _GLOBS and _WILDCARD.search(put):
            return [judge_removal(put)]
        if name in _GLOBS and piped and not target:
            return [(_K.DELETES_FILES, self._rate(node))]
        if name == "new-item" and not overwrites(name, rest):
            return self._places.judge(target, overwrites=False) + _judge_link(put_rest)
        appends = name == "add-content" or _APPENDS.search(rest) is not None
        harms = self.judge_target(target, node, appends=appends)
        if name == "copy-item":  # into a folder, it keeps its name
            named = name_file(put_values(_find_source(rest), self._variables))
            if named and not _WILDCARD.search(named):
                harms.append(judge_path(f"{put.strip(_QUOTES)}\\{named}", overwrites=False))
        return harms

    def _judge_source(self, name: str, rest: str, node: Any, *, piped: bool) -> list[Harm]:
        """Judge what is taken away from where it was: always, or if there are many to rename."""
        written = _find_source(rest)
        source = put_values(written, self._variables)
        kind, severity = judge_removal(source)
        found = piped or self.is_found(written)
        many = found or _WILDCARD.search(source) or severity is _S.CRITICAL
        target = _find_target("copy-item", rest)
        harms = judge_share(put_values(target, self._variables))
        if name != "remove-item":
            harms += self._places.judge(target)
            moved = _name_moved(source, rest if name == "rename-item" else "", target)
            renames = name == "rename-item"
            harms.append(judge_path(put_values(moved, self._variables), overwrites=renames))
        if (name == "rename-item" and not many) or (name == "remove-item" and not found):
            return harms
        if found and severity is not _S.CRITICAL:
            severity = self._rate(node, whole=name == "move-item" or bool(_RECURSES.search(rest)))
        return [*harms, (kind, severity)]

    def judge_call(self, receiver: str, member: str, given: str, node: Any) -> list[Harm]:
        """Return what a method that writes does to a file that was found, or to a share."""
        if member not in _WRITING_METHODS or (member == "new" and not _STREAM.search(receiver)):
            return []
        arguments = given.split(",")
        target = "".join(arguments[1:2]) if member in _SECOND_IS_TARGET else arguments[0]
        kind = _K.ENCRYPTS_FILES if member == "encrypt" else _K.DELETES_FILES
        harms = judge_share(put_values(target.strip(), self._variables))
        if member in ("open", "new") and _TRUNCATES.search(given):
            harms.append((kind, _S.MEDIUM))
        if member == "setlength" and re.fullmatch(
            r"0|\d{11,}|\d{2,}gb|\d+[tp]b", target.strip().lower()
        ):
            harms.append((kind, _S.MEDIUM))  # it empties the file, or fills the disk
        appends = member in ("appendalltext", "appendalllines", "appendtext", "delete")
        harms += self._places.judge(target, overwrites=not appends)
        is_own = member in _OF_THE_FILE and receiver[:1] in "$(" and self.is_found(receiver)
        if is_own or self.is_found(target):
            harms.append((kind, self._rate(node)))
        return harms

    def judge_stream(self, text: str, node: Any) -> list[Harm]:
        """Return what it does to make the object of a text, when that is a stream to a file."""
        if not _STREAM.search(text):
            return []
        words = re.split(r"[\s,(\]]+(?=[\"$])", text)[1:]
        return next((harms for word in words if (harms := self.judge_target(word, node))), [])

    def enters_foreign_folder(self, commands: list[str]) -> bool:
        """Say whether the script works in a folder of others at some place."""
        written = [found[1] for each in commands if (found := _ENTERS.match(each))]
        written += _SETS_FOLDER.findall(self._scope.text)
        written += _ENTERS_INSIDE.findall(self._scope.text)
        self._places = PlaceJudge(self._scope, self._variables, written)
        return any(self.is_foreign(each) for each in written)

    @property
    def folders(self) -> list[str]:
        """The folders that the script enters, as far as they are known."""
        return self._places.list_folders()

    def is_foreign(self, folder: str) -> bool:
        """Say whether a folder, as written, is one that others may write into."""
        plain = put_values(folder, self._variables).strip("\"'() ")
        return not _DRIVE_OF_PROVIDER.match(plain) and not is_own_folder(plain)


def overwrites(name: str, rest: str) -> bool:
    """Say whether a cmdlet with these arguments may write over what is there."""
    return name != "new-item" or bool(_FORCES.search(rest) and not _FOLDER.search(rest))


def _judge_link(rest: str) -> list[Harm]:
    """Return what it does to make a link: what programs read or write there, they do elsewhere."""
    return [(_K.WRITES_SYSTEM_FILES, _S.MEDIUM)] if _LINK.search(rest) else []


def _list_arguments(rest: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return (positional arguments, named ones with their values) of a command."""
    positional: list[str] = []
    named: list[tuple[str, str]] = []
    waiting = ""  # a parameter whose value is the next word
    for word in _WORDS.findall(_COMMA.sub(",", rest)):
        parameter = _PARAMETER.match(word)
        if parameter:
            name, value = parameter[1].lower(), parameter[2]
            waiting = "" if value or name.startswith(_SWITCHES) else name
            if value:
                named.append((name, value))
        elif waiting:
            named.append((waiting, word))
            waiting = ""
        elif word[0] not in "|;>":
            positional.append(word)
    return positional, named


def _find_target(name: str, rest: str) -> str:
    """Return the argument that names where a cmdlet writes, as written."""
    positional, named = _list_arguments(rest)
    if name in _COPIES or name == "compress-archive":
        return _pick(named, _DESTINATIONS) or "".join(positional[1:2])
    return _pick(named, _TARGETS) or "".join(positional[:1])


def _name_moved(source: str, renamed: str, target: str) -> str:
    """Return the file that comes to be: renamed where it was, or moved into a folder."""
    plain = source.strip(_QUOTES)
    if renamed:
        positional, named = _list_arguments(renamed)
        new = _pick(named, _NEW_NAMES) or "".join(positional[-1:])
        return plain[: len(plain) - len(name_file(plain))] + new.strip(_QUOTES)
    return f"{target.strip(_QUOTES)}\\{name_file(plain)}"


def _find_source(rest: str) -> str:
    positional, named = _list_arguments(rest)
    return _pick(named, _TARGETS) or "".join(positional[:1])


def _pick(named: list[tuple[str, str]], names: re.Pattern[str]) -> str:
    return next((value for name, value in named if names.match(name)), "")


def _is_piped_into(node: Any) -> bool:
    """Say whether a command is not the first of its pipeline."""
    parent = node.parent
    if parent is None or parent.type != "pipeline_chain":
        return False
    return bool(parent.named_children[0].start_byte < node.start_byte)


def _cut_statement(node: Any) -> str:
    """Return the text of the outermost statement around a node, short of functions."""
    outer = node
    while outer.parent is not None and outer.parent.type not in _BOUNDS:
        outer = outer.parent
    if outer.type == "statement_list" or outer.end_byte - outer.start_byte > _MAX_STATEMENT_BYTES:
        outer = node
    return (outer.text or b"").decode("utf-8", "replace")

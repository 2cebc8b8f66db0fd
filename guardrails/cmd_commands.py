# SPDX-License-Identifier: Apache-2.0
"""Effects of a Windows batch script (cmd), by a reader of its lines.

A closed world: a command is one of cmd's own, a program of the tables, a label of the script, or a
doubt, as is what variables make of it. Code for other interpreters is handed on.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Iterator
from typing import Final

from guardrails.cmd_folders import FolderTrail, name_folder
from guardrails.cmd_loops import find_figures, judge_loops
from guardrails.cmd_overwrites import KnownFiles
from guardrails.cmd_shells import run_shell
from guardrails.cmd_syntax import (
    Line,
    SimpleCommand,
    escape_line,
    expand_line,
    find_constants,
    list_sets,
    plain,
    read_line,
)
from guardrails.command_words import SECURITY_UNIT, STOPS
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_paths import judge_path
from guardrails.powershell_programs import ProgramJudge
from guardrails.script_loops import list_endless_cmd
from guardrails.script_reading import Deadline, Reading
from guardrails.windows_arguments import asks_for_computed_name, name_option, split_arguments
from guardrails.windows_files import (
    FILE_PROGRAMS,
    harms_volume,
    judge_removal,
    judge_share,
    name_file,
    reads_secrets,
)
from guardrails.windows_folders import is_own_folder
from guardrails.windows_hosts import asks_computed_machine, asks_computed_share
from guardrails.windows_programs import (
    RESOLVERS,
    STEERING,
    bare_name,
    changes_accounts,
    find_program,
    is_system_folder,
)

_K, _S = EffectKind, EffectSeverity
_COMMENT: Final = re.compile(
    r"[\s;,=]*+(?:@\s*+)?(?:rem(?:[\s;,=]+(?![\s&|])|$)|::)", re.IGNORECASE
)
_LABEL: Final = re.compile(r"[\s;,=]*:[^:]")
_LABEL_OR_COLONS: Final = re.compile(r"[\s;,=]*:")
# cmd's own commands that only print, look, or move in the script.
_SILENT: Final = frozenset(
    "echo set goto exit cd chdir pushd popd setlocal endlocal title color cls pause type ver vol verify prompt"
    " break shift dir date time path rem".split()
)
_OWN: Final = "echo|set|goto|exit|cd|chdir|pushd|popd|title|color|cls|pause|type|dir|del|erase|rd|rmdir|md|mkdir|copy|move|ren|rename|mklink|call|start|if|for|assoc|ftype|date|time|path|prompt|rem|ver|vol|verify|break|shift|setlocal|endlocal"
_OWN_NAME: Final = re.compile(rf"({_OWN})(?=[/\\.:+\[\]\"(,;=\s]|$)", re.IGNORECASE)
# A word of a look at a date or a time sets nothing.
_LOOKS_AT_CLOCK: Final = re.compile(r"^(?:date|time)\s*/t\b", re.IGNORECASE)
# They ask for a new one, and are given it.
_SETS_CLOCK: Final = re.compile(
    r"^(?!.*\becho\.?\s*\|).*\|\s*(?:date|time)\s*(?:$|[&|)])|\b(?:date|time)\s*<", re.IGNORECASE
)
# A target, or a file, that a loop, a parameter or another such variable gives.
_OF_LOOP: Final = (
    r"\"?(?:\\?(?:%%~?[\w$:]+|%~?[a-z]*\d|%~?[a-z]+(?![^%\s]*%)))+(?:\.\w+|\\\*[.*]*)?\"?"
)
_FROM_LOOP: Final = re.compile(rf"{_OF_LOOP}$", re.IGNORECASE)
_LOOPED: Final = re.compile(rf"\s{_OF_LOOP}(?=\s|$)", re.IGNORECASE)
_ENDS_IN_LOOP: Final = re.compile(rf"\s{_OF_LOOP}(?:\s+/\S+)*$", re.IGNORECASE)
_NAMES_OUTPUT: Final = re.compile(r"\s[/-]out(?:put)?\b", re.IGNORECASE)
_VARIABLE_WORD: Final = re.compile(r"[%!](\w+)[%!]")
_PRINTS_NOTHING: Final = re.compile(
    r"(?:(?:type|more|find\s+\S+|findstr\s+\S+)\s+\"?(?:\\\\\.\\)?nul:?\"?|break|rem\b.*|cd\s*\.|call)\s*$",
    re.IGNORECASE,
)
# What is only printed or set asks nobody.
_PRINTED: Final = re.compile(r"\becho\b[^&|>]*", re.IGNORECASE)
_GOES_BACK: Final = re.compile(r"\b(?:goto\b|call\s*:|for\b)", re.IGNORECASE)
_STEERING_NAME: Final = re.compile(STEERING, re.IGNORECASE)
_OPERATORS: Final = re.compile(r"[&|<>^]")
_UNKNOWN_VARIABLE: Final = re.compile(r"%([^%\s:~\"*\d][^%:\"]{0,60})(?::[^%]*)?%")
_COMSPEC: Final = re.compile(r"[%!]comspec[%!]", re.IGNORECASE)


def join_lines(text: str, *, with_labels: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, statement line): joined at carets, without comments and labels."""
    waiting, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not waiting:
            first = number
            if _is_comment(line):
                if with_labels:
                    yield number, line
                continue
        stripped = line.rstrip()
        if stripped.endswith("^") and not stripped.endswith("^^") and len(waiting) < 65_536:
            waiting += stripped[:-1] + " "
            continue
        yield first, waiting + line
        waiting = ""
    if waiting:
        yield first, waiting


def list_cmd_effects(text: str, deadline: Deadline) -> tuple[Reading, bool]:
    """Return (what a batch script does, whether its quotes and parentheses match).

    Raises:
        DeadlineError: the time is up.

    """
    reader = _CmdReader(list(join_lines(text, with_labels=True)), deadline)
    return reader.reading, reader.depth == 0


class _CmdReader:
    """Reads the logical lines of one script, in order."""

    def __init__(self, lines: list[tuple[int, str]], deadline: Deadline) -> None:
        self.reading = Reading()
        self.depth = 0
        self._variables: dict[str, str] = {}
        self._programs = ProgramJudge({}, self.reading)
        unexpanded = [read_line(escape_line(each), 1) for _, each in lines if not _is_comment(each)]
        self._constants = find_constants(unexpanded)
        self._loaded = self._find_loaded(unexpanded)
        self._loads_any = any("%" in name or "!" in name for name in self._loaded)
        sets = [each for line in unexpanded for each in list_sets(line.commands)]
        self._puts_names_together = any(
            asks_for_computed_name(each) for each in _list_kept(unexpanded, sets)
        )
        self._loop_severity = judge_loops(lines, deadline)
        self._figures = self._find_figures(lines, [name for _, name, _ in sets])
        self._trail = FolderTrail(
            (each.text.strip() for line in unexpanded for each in line.commands),
            goes_back=any(_GOES_BACK.search(each) for _, each in lines),
        )
        self._known_files = KnownFiles()
        texts = (each for _, each in lines if not _is_comment(each))
        for text, read in zip(texts, unexpanded, strict=True):
            self._known_files.note_line(text, read.commands)
        self._is_foreign = self._goes_back_into_foreign_folder(lines, unexpanded)
        self._folders: list[bool] = []
        for number, reason in list_endless_cmd(lines):
            self.reading.doubt(number, reason)
        for number, statement in lines:
            deadline.check()
            self._read(number, statement)

    @staticmethod
    def _find_loaded(lines: list[Line]) -> frozenset[str]:
        """Return the variables that may hold operators: set to some, or to what a file says."""
        return frozenset(
            name
            for line in lines
            for option, name, value in list_sets(line.commands)
            if option == "/p"
            or _OPERATORS.search(value)
            or re.search(r"%%?[a-z~*]\b|%~|%\d", value)
        )

    @staticmethod
    def _find_figures(lines: list[tuple[int, str]], names: list[str]) -> frozenset[str]:
        """Return the variables that one place sets, to a figure of the system."""
        figures = find_figures(each for _, each in lines)
        return frozenset(name for name in figures if names.count(name) == 1)

    @staticmethod
    def _goes_back_into_foreign_folder(lines: list[tuple[int, str]], read: list[Line]) -> bool:
        """Say whether lines may run after a later one has entered a folder of others."""
        commands = (command for line in read for command in line.commands)
        enters = any(_enters_foreign_folder(each.text.strip()) for each in commands)
        return enters and any(_GOES_BACK.search(each) for _, each in lines)

    def _read(self, number: int, statement: str) -> None:
        if _is_comment(statement):
            if self.depth and _LABEL_OR_COLONS.match(statement) and _OPERATORS.search(statement):
                self.reading.doubt(number, "a label between parentheses holds operators")
            return
        expanded = expand_line(_COMSPEC.sub("cmd.exe", statement), self._variables)
        if expanded is None:
            self.reading.doubt(number, "a line is too long to be read")
            return
        self._doubt_variables(number, expanded)
        self._judge_statement(number, plain(expanded))
        line = read_line(escape_line(expanded), self.depth)
        self._known_files.note_line(expanded, line.commands)
        self.depth += line.depth
        for doubt in line.doubts:
            self.reading.doubt(number, doubt)
        for command in line.commands:
            self._judge(command, number)
        for option, name, value in list_sets(line.commands):
            if not option and name in self._constants and not re.search("[%!]", value):
                self._variables[name] = value[:2000]

    def _judge_statement(self, number: int, text: str) -> None:
        """Judge what the conditions, sets of loops and redirected input of a line reach."""
        asked = _PRINTED.sub("", text) if "\\\\" in text or "//" in text else ""
        if asked and asks_computed_share(asked, names=self._puts_names_together):
            self.reading.add(_K.SENDS_DATA, _S.MEDIUM, number, text)
        if harms_volume(text):
            self.reading.add(_K.CHANGES_DISKS, _S.HIGH, number, text)
        if _SETS_CLOCK.search(text):
            self.reading.add(_K.CHANGES_TIME, _S.MEDIUM, number, text)
        if "<" in text and reads_secrets(text):
            self.reading.add(_K.READS_CREDENTIALS, _S.HIGH, number, text)

    def _doubt_variables(self, number: int, text: str) -> None:
        """Doubt variables outside quotes whose values may be commands."""
        for piece in text.split('"')[::2]:
            for match in _UNKNOWN_VARIABLE.finditer(piece):
                name = match[1].lower()
                if self._loads_any or (name in self._loaded and name not in self._figures):
                    self.reading.doubt(number, f"%{match[1][:40]}% may hold commands")

    def _judge(self, command: SimpleCommand, line: int) -> None:
        text = command.text.strip()
        for target in command.targets:
            if target.strip('"').lower() not in ("nul", "con", "nul:", "con:"):
                self._judge_target(target, text, line)
        for kind, severity in self._known_files.judge(command):
            self.reading.add(kind, severity, line, f"{text} > {' '.join(command.targets)}")
        if not text or text.startswith(":"):
            return  # a label: its commands are lines of the script
        own = _OWN_NAME.match(text)
        written = own[1] if own else _first_word(text)
        rest = text[len(written) :]
        name = written.replace('"', "")
        if re.fullmatch(r"[a-z]:", name, re.IGNORECASE):
            self._is_foreign = not is_own_folder(name)  # another drive to work in
            self._trail.switch(name)
            return
        if command.by == "start" and re.match(r"(?:https?|ms-[\w-]+):", text, re.IGNORECASE):
            self.reading.add(_K.DOWNLOADS, _S.LOW, line, text)
            return
        if re.search(r"[%!]", re.split(r"[\\/]", name)[-1]) or not name:
            self.reading.run_dynamic(line, text, "the command is computed while it runs")
            return
        foreign = self._is_foreign if not command.folder else not is_own_folder(command.folder)
        if foreign and not own and not re.search(r"[\\/]", name):
            self.reading.doubt(line, f"{name[:60]} may be a program of the current folder")
        if changes_accounts(bare_name(name), rest):
            self.reading.add(_K.CHANGES_ACCOUNTS, _S.HIGH, line, text)
        self._judge_text(text, line)
        self._judge_name(name, " " + rest.strip(), text, line, folder=command.folder)

    def _judge_target(self, target: str, text: str, line: int) -> None:
        """Judge a redirection: what it writes, and what it empties."""
        shown = f"{text} > {target}"
        for place in self._trail.list_places(target):
            self.reading.add(*judge_path(place), line, shown)
        for kind, severity in judge_share(target):
            self.reading.add(kind, severity, line, shown)
        if _FROM_LOOP.match(_VARIABLE_WORD.sub(self._mark_found, target)):
            self.reading.add(_K.DELETES_FILES, self._loop_severity, line, shown)
        elif _PRINTS_NOTHING.match(text):
            self.reading.add(*judge_removal(target), line, shown)

    def _judge_removal(self, text: str) -> tuple[EffectKind, EffectSeverity]:
        """Judge `del` and `rd` with their arguments."""
        kind, severity = judge_removal(text)
        if not re.search(r"(?i)/s\b", text):
            severity = _S.MEDIUM
        if _LOOPED.search(text):
            severity = max(severity, self._loop_severity, key=lambda each: each.rank)
        return kind, severity

    def _list_folders(self, started_in: str) -> list[str]:
        """Return the folders that a shell may work in: the ones that the script has entered."""
        return [started_in] if started_in else self._trail.list_entered()

    def _judge_name(self, name: str, rest: str, text: str, line: int, *, folder: str = "") -> None:
        bare = bare_name(name)
        if bare in ("if", "for", "call", "start"):
            self.reading.doubt(line, f"{bare} that cannot be read")
        elif bare in _SILENT and "\\" not in name:
            self._judge_silent(bare, rest, text, line)
        elif bare in ("powershell", "pwsh", "cmd"):
            if not is_system_folder(name):
                self.reading.doubt(line, f"a program in an unknown folder: {name[:60]}")
            run_shell(bare, rest, text, line, self.reading, self._list_folders(folder))
        elif bare in ("del", "erase", "rd", "rmdir"):
            self.reading.add(*self._judge_removal(text), line, text)
        else:
            self._judge_program(name, rest, text, line)

    def _judge_program(self, name: str, rest: str, text: str, line: int) -> None:
        bare = bare_name(name)
        if self._overwrites_found(bare, rest):
            self.reading.add(_K.DELETES_FILES, self._loop_severity, line, text)
        self._judge_places(bare, rest, text, line)
        for kind, severity in self._known_files.judge_program(bare, rest):
            self.reading.add(kind, severity, line, text)
        asks = bare in RESOLVERS or asks_computed_machine(rest, names=True)
        if asks and self._puts_names_together and re.search("[%!]", rest):
            self.reading.add(_K.SENDS_DATA, _S.MEDIUM, line, text)
        if re.search(r"[%!\\/]", name):
            self._programs.judge_named(name, rest, text, line)
        elif not self._programs.judge(name, rest, text, line):
            self.reading.doubt(line, f"unknown command {bare[:60]}")

    def _judge_places(self, bare: str, rest: str, text: str, line: int) -> None:
        """Judge the relative path that a program writes to, behind the folder entered."""
        if bare not in FILE_PROGRAMS:
            return
        values = [each for each in split_arguments(rest) if not name_option(each)]
        written = values[:1] if bare in ("ren", "rename") else values[-1:]
        if len(values) == 1 and bare in ("copy", "xcopy", "expand"):  # into that folder
            written = [name_file(values[0])]
        for each in written:
            for place in self._trail.list_places(each):
                if place != each:
                    self.reading.add(*judge_path(place), line, text)

    def _overwrites_found(self, bare: str, rest: str) -> bool:
        """Say whether a program writes over, or takes away, what a loop gives."""
        entry = find_program(bare, rest)
        writes = entry is not None and entry.kind is _K.WRITES_SYSTEM_FILES
        if not writes and not _NAMES_OUTPUT.search(rest):
            return False
        given = _VARIABLE_WORD.sub(self._mark_found, rest)
        if bare in FILE_PROGRAMS and bare not in ("move", "ren", "rename"):
            return _ENDS_IN_LOOP.search(given) is not None
        return _LOOPED.search(given) is not None

    def _mark_found(self, match: re.Match[str]) -> str:
        """Return a variable that a loop has set as a variable of the loop."""
        return "%%f" if match[1].lower() in self._loaded else match[0]

    def _judge_silent(self, bare: str, rest: str, text: str, line: int) -> None:
        if bare in ("cd", "chdir", "pushd", "popd"):
            self._change_folder(bare, text)
        elif bare in ("date", "time") and rest.strip() and not _LOOKS_AT_CLOCK.match(text):
            self.reading.add(_K.CHANGES_TIME, _S.MEDIUM, line, text)
        elif bare == "path" and rest.strip():
            self.reading.doubt(line, "changes %path%: other programs may run")
        elif bare == "set":
            for _, name, value in list_sets([SimpleCommand(text=text)]):
                appends = name == "path" and re.match(r"\"?%path%", value, re.IGNORECASE)
                if _STEERING_NAME.match(name) and not appends:
                    self.reading.doubt(line, f"changes %{name}%: other programs may run")

    def _change_folder(self, bare: str, text: str) -> None:
        if bare == "popd":
            self._trail.leave()
            self._is_foreign = self._folders.pop() if self._folders else self._is_foreign
            return
        if bare == "pushd":
            self._folders.append(self._is_foreign)
        self._trail.enter(text)
        foreign = _enters_foreign_folder(text)
        if foreign is not None:
            stays = re.match(r"(?:cd|chdir)\s*\.", text, re.IGNORECASE) is not None
            self._is_foreign = (self._is_foreign and stays) or foreign

    def _judge_text(self, command: str, line: int) -> None:
        if reads_secrets(command):
            self.reading.add(_K.READS_CREDENTIALS, _S.HIGH, line, command)
        if SECURITY_UNIT.search(command) and STOPS.search(command):
            self.reading.add(_K.DISABLES_SECURITY, _S.HIGH, line, command)


def _list_kept(lines: list[Line], sets: list[tuple[str, str, str]]) -> Iterator[str]:
    """Yield the texts that a script keeps: in variables, and in files."""
    yield from (value for _, _, value in sets)
    yield from (each.text for line in lines for each in line.commands if each.targets)


def _enters_foreign_folder(text: str) -> bool | None:
    """Say whether a command enters a folder of others; None when it enters none."""
    folder = name_folder(text)
    return not is_own_folder(folder) if folder else None


def _is_comment(line: str) -> bool:
    return _COMMENT.match(line) is not None or _LABEL.match(line) is not None


def _first_word(text: str) -> str:
    found = re.match(r"(?:\"[^\"]*\"?|[^\s,;=\"])+", text)
    word = found[0] if found else text
    if "/" in word and "\\" not in word and '"' not in word and not word.startswith(("/", ".")):
        word = word.partition("/")[0]  # `ipconfig/all`
    return word

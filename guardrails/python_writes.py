# SPDX-License-Identifier: Apache-2.0
"""What a Python script's calls do to files: opened to be written, changed, moved away."""

import ast
from collections.abc import Sequence
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.python_files import judge_copy, judge_loss, judge_read, judge_write
from guardrails.python_folding import fold
from guardrails.python_places import (
    FILE_CALLS,
    WRITING_METHODS,
    FileCall,
    Places,
    read_argument,
)
from guardrails.script_reading import Reading
from guardrails.unix_paths import (
    LOSS,
    OUTSIDE,
    is_outside,
)

_ORDINARY: Final[Harm] = (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.LOW)
_WRITES: Final = frozenset("wax+cn")
_SQL: Final = frozenset(("execute", "executemany", "executescript"))
_SQL_LOOKS: Final = ("select", "pragma table_info", "pragma integrity_check", "explain", "with")
_SQL_CHANGES: Final = frozenset(("delete", "insert", "update", "replace"))
_SQL_ADDS: Final = ("create table", "create index", "insert", "update", "begin", "commit")
_BUILT_IN: Final = FileCall(mode=1)
_OF_PATH: Final = FileCall(position=-1, mode=0)
_LINKS: Final = frozenset(("os.symlink", "os.link"))
_LINKING_METHODS: Final = frozenset(("symlink_to", "hardlink_to", "link_to"))
_ADDING: Final = frozenset(
    ("os.mkdir", "os.makedirs", "os.mkfifo", "sqlite3.connect", "sqlite3.Connection")
)
# Where functions that copy, or pack, are told what: with all that lies below, or one file.
_TAKES_ALL: Final = {"shutil.copytree": (0, "src"), "shutil.make_archive": (2, "root_dir")}
_TAKES_ONE: Final = frozenset(
    ("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move", "os.rename", "os.replace")
)
_READERS: Final = frozenset("open open_code parse iterparse load read getline".split())  # noqa: SIM905
_READING_METHODS: Final = frozenset(("read_text", "read_bytes"))
_SAVING_METHODS: Final = frozenset(
    "save save_text save_html save_svg tofile to_csv to_excel to_json savefig".split()  # noqa: SIM905
)
_IN_MEMORY: Final = (":memory:", "")


class FileWrites:
    """Adds the effects of one script's calls on files to its reading."""

    def __init__(self, reading: Reading, places: Places, constants: dict[str, Any]) -> None:
        self._reading = reading
        self._places = places
        self._constants = constants
        self.knows_sql = False  # the script imports a module for databases
        self.knows_archives = False
        self._has_database_outside = False  # of a person, or of the system
        self._changes: list[ast.Call] = []  # statements of SQL that lose nothing of the script's
        self._written: dict[str, tuple[ast.Call, str]] = {}  # to places of no importance
        self._read_places: set[str] = set()
        self._secrets: list[ast.Constant] = []
        self._reads_unknown = False

    def judge_call(self, node: ast.Call, name: str) -> None:
        """Judge a call of a function that stands in `FILE_CALLS`."""
        shown = f"{name}(...)"
        self._judge(node, FILE_CALLS[name], shown, empties=name not in _ADDING)
        if name in _LINKS:
            self._lead(read_argument(node, 0, ("src",)), node, shown)
        elif name in _TAKES_ALL:
            position, keyword = _TAKES_ALL[name]
            self._take(read_argument(node, position, (keyword,)), node, shown)
        elif name in _TAKES_ONE:
            self._look(self._find(read_argument(node, 0, ("src",))), node, shown)

    def judge_reader(self, node: ast.Call, name: str) -> None:
        """Judge a call of another function whose name says that it reads what it is told."""
        if name.rpartition(".")[2] in _READERS and node.args:
            self._look(self._find(node.args[0]), node, f"{name}(...)")

    def note_text(self, node: ast.Constant) -> None:
        """Note a text that is the path of a file with secrets."""
        if isinstance(node.value, str) and node.value[:1] in ("/", "~") and judge_read(node.value):
            self._secrets.append(node)

    def finish(self) -> None:
        """Judge what only the whole script shows: secrets that are read, data that change."""
        for secret in self._secrets if self._reads_unknown else ():
            if judged := judge_read(str(secret.value)):
                self._reading.add(judged[0], judged[1], secret.lineno, str(secret.value))
        for change in self._changes if self._has_database_outside else ():
            self._add(LOSS, change, "a statement of SQL")

    def judge_open(self, node: ast.Call) -> None:
        """Judge a call of Python's own `open`."""
        self._judge(node, _BUILT_IN, "open(...)")

    def judge_method(self, node: ast.Call, func: ast.Attribute, kind: EffectKind | None) -> None:
        """Judge a method of an object by its name, and the files that it or its owner names.

        Args:
            node: the call.
            func: what it calls.
            kind: of the effect that its name has; None for none.

        """
        name = func.attr
        if name == "open":
            if self._opens_to_write(node, _OF_PATH):
                self._write(self._find(func.value), node, "open(...)")
            else:
                self._look(self._find(func.value), node, "open(...)")
        elif name in _READING_METHODS:
            self._look(self._find(func.value), node, f".{name}(...)")
        elif name in _SAVING_METHODS and node.args:
            self._write(self._find(node.args[0]), node, f".{name}(...)")
        elif kind is EffectKind.WRITES_SYSTEM_FILES:
            self._judge_path_method(node, func)
        elif name in WRITING_METHODS or name in ("add", "read", "load", "parse"):
            self._judge_constants(node, f".{name}(...)", writes=name in WRITING_METHODS)
        elif name in _SQL and self.knows_sql:
            self._judge_sql(node)

    def _judge_path_method(self, node: ast.Call, func: ast.Attribute) -> None:
        shown = f".{func.attr}(...)"
        if func.attr in ("extract", "extractall"):
            self._add(OUTSIDE, node, shown)
        elif func.attr in ("rename", "renames", "replace"):
            self._lose(self._find(func.value), node, shown)
        else:
            adds = func.attr in ("mkdir", "touch")
            self._write(self._find(func.value), node, shown, empties=not adds)
        if func.attr in _LINKING_METHODS:
            self._lead(node.args[0] if node.args else None, node, shown)
        self._judge_constants(node, shown)

    def _judge(self, node: ast.Call, call: FileCall, shown: str, *, empties: bool = True) -> None:
        is_open = any(isinstance(each, ast.Starred) for each in node.args)
        if is_open or any(each.arg in (None, "opener") for each in node.keywords):
            self._add(OUTSIDE, node, shown)
            return
        target = read_argument(node, call.position, call.keywords)
        if not self._opens_to_write(node, call):
            self._look(self._find(target), node, shown)
            return
        if target is not None or not call.is_optional:
            self._write(self._find(target), node, shown, empties=empties)
        if call.loses >= 0:
            self._lose(self._find(read_argument(node, call.loses, ("src",))), node, shown)

    def _opens_to_write(self, node: ast.Call, call: FileCall) -> bool:
        if call.mode < 0:
            return True
        given = read_argument(node, call.mode, call.mode_keywords)
        if isinstance(given, ast.Constant) and not isinstance(given.value, str):
            return bool(given.value)  # `inplace=True`
        mode = fold(given, self._constants) if given is not None else call.reads
        return not isinstance(mode, str) or bool(set(mode) & _WRITES)

    def _judge_sql(self, node: ast.Call) -> None:
        given = node.args[0] if node.args else None
        if isinstance(given, ast.JoinedStr) and given.values:
            given = given.values[0]
        text = fold(given, self._constants)
        words = " ".join(text.lower().split()) if isinstance(text, str) else ""
        is_one = isinstance(text, str) and ";" not in words.rstrip("; ")
        if words.startswith("with") and not _SQL_CHANGES.isdisjoint(words.split()):
            is_one = False
        if is_one and words.startswith(_SQL_LOOKS):
            return
        adds = is_one and words.startswith(_SQL_ADDS)
        self._changes += [node] if adds else []
        self._add(_ORDINARY if adds else LOSS, node, "a statement of SQL")

    def _judge_constants(self, node: ast.Call, shown: str, *, writes: bool = True) -> None:
        """Judge the files that a call of a method names by constant arguments."""
        for each in (*node.args, *(keyword.value for keyword in node.keywords)):
            target = fold(each, self._constants)
            if not isinstance(target, str):
                continue
            judged = judge_write(target, empties=False) if writes else judge_read(target)
            if judged and judged != _ORDINARY:
                self._add(judged, node, f"{shown} {target}")
            if self.knows_archives and (taken := judge_copy(target)):
                self._add(taken, node, f"{shown} {target}")

    def _find(self, target: ast.expr | None) -> list[str] | None:
        return self._places.find(target, self._constants)

    def _look(self, places: Sequence[str] | None, node: ast.Call, shown: str) -> None:
        """Judge a file that is read, and whether the script writes over it."""
        self._reads_unknown = self._reads_unknown or places is None
        for place in places or ():
            if judged := judge_read(place):
                self._add(judged, node, f"{shown} {place}")
            self._read_places.add(place)
            self._judge_rewritten(place)

    def _judge_rewritten(self, place: str) -> None:
        if place in self._written and place in self._read_places and judge_loss(place):
            self._add(LOSS, *self._written[place])

    def _take(self, source: ast.expr | None, node: ast.Call, shown: str) -> None:
        """Judge what a call copies with all that lies below."""
        for place in self._find(source) or () if source is not None else ():
            if judged := judge_copy(place):
                self._add(judged, node, f"{shown} {place}")

    def _lead(self, source: ast.expr | None, node: ast.Call, shown: str) -> None:
        """Judge a link by where it leads: what is written by its name is written there."""
        places = self._find(source)
        if places is None or any(
            is_outside(place) or judge_write(place) != _ORDINARY for place in places
        ):
            self._add(OUTSIDE, node, shown)

    def _write(
        self, places: Sequence[str] | None, node: ast.Call, shown: str, *, empties: bool = True
    ) -> None:
        if places is None or any(map(is_outside, places)):
            self._has_database_outside = True
            self._add(OUTSIDE, node, shown)
            return
        for given in places:
            place = given.removeprefix("file:") if self.knows_sql else given
            if place in _IN_MEMORY:
                continue
            judged = judge_write(place, empties=empties)
            if judged == _ORDINARY and empties:
                self._written.setdefault(place, (node, f"{shown} {place}"))
                self._judge_rewritten(place)
            elif not empties and judge_write(place) != _ORDINARY:
                self._has_database_outside = True
            self._add(judged, node, f"{shown} {place}")

    def _lose(self, places: Sequence[str] | None, node: ast.Call, shown: str) -> None:
        for place in places or ():
            if judged := judge_loss(place):
                self._add(judged, node, f"{shown} {place}")
        if places is None:
            self._add(LOSS, node, shown)

    def _add(self, harm: Harm, node: ast.Call, shown: str) -> None:
        self._reading.add(harm[0], harm[1], node.lineno, shown)

# SPDX-License-Identifier: Apache-2.0
"""What a Python script's calls do to files: opened to be written, changed, moved away."""

import ast
from collections.abc import Sequence
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity, Harm
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
    classify_loss,
    classify_target,
    is_document,
    is_outside,
)

_ORDINARY: Final[Harm] = (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.LOW)
_WRITES: Final = frozenset("wax+cn")
_SQL: Final = frozenset(("execute", "executemany", "executescript"))
_SQL_LOOKS: Final = ("select", "pragma table_info", "pragma integrity_check", "explain", "with")
_SQL_ADDS: Final = ("create table", "create index", "insert", "update", "begin", "commit")
_BUILT_IN: Final = FileCall(mode=1)
_OF_PATH: Final = FileCall(position=-1, mode=0)
_IN_MEMORY: Final = (":memory:", "")


class FileWrites:
    """Adds the effects of one script's calls on files to its reading."""

    def __init__(self, reading: Reading, places: Places, constants: dict[str, Any]) -> None:
        self._reading = reading
        self._places = places
        self._constants = constants
        self.knows_sql = False  # the script imports a module for databases

    def judge_call(self, node: ast.Call, name: str) -> None:
        """Judge a call of a function that stands in `FILE_CALLS`."""
        self._judge(node, FILE_CALLS[name], f"{name}(...)")

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
        elif kind is EffectKind.WRITES_SYSTEM_FILES:
            self._judge_path_method(node, func)
        elif name in WRITING_METHODS:
            self._judge_constants(node, f".{name}(...)")
        elif name in _SQL and self.knows_sql:
            self._judge_sql(node)

    def _judge_path_method(self, node: ast.Call, func: ast.Attribute) -> None:
        shown = f".{func.attr}(...)"
        if func.attr in ("extract", "extractall"):
            self._add(OUTSIDE, node, shown)
        elif func.attr in ("rename", "renames", "replace"):
            self._lose(self._find(func.value), node, shown)
        else:
            self._write(self._find(func.value), node, shown)
        self._judge_constants(node, shown)

    def _judge(self, node: ast.Call, call: FileCall, shown: str) -> None:
        is_open = any(isinstance(each, ast.Starred) for each in node.args)
        if is_open or any(each.arg is None for each in node.keywords):
            self._add(OUTSIDE, node, shown)
            return
        if not self._opens_to_write(node, call):
            return
        target = read_argument(node, call.position, call.keywords)
        if target is not None or not call.is_optional:
            self._write(self._find(target), node, shown)
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
        if is_one and words.startswith(_SQL_LOOKS):
            return
        judged = _ORDINARY if is_one and words.startswith(_SQL_ADDS) else LOSS
        self._add(judged, node, "a statement of SQL")

    def _judge_constants(self, node: ast.Call, shown: str) -> None:
        """Judge the files of the system that a call names by constant arguments."""
        for each in (*node.args, *(keyword.value for keyword in node.keywords)):
            target = fold(each, self._constants)
            if isinstance(target, str) and (judged := classify_target(target)):
                self._add(judged, node, f"{shown} {target}")

    def _find(self, target: ast.expr | None) -> list[str] | None:
        return self._places.find(target, self._constants)

    def _write(self, paths: Sequence[str] | None, node: ast.Call, shown: str) -> None:
        if paths is None or any(map(is_outside, paths)):
            self._add(OUTSIDE, node, shown)
            return
        for path in paths:
            harm = classify_target(path) or (LOSS if is_document(path) else _ORDINARY)
            if path not in _IN_MEMORY:
                self._add(harm, node, f"{shown} {path}")

    def _lose(self, paths: Sequence[str] | None, node: ast.Call, shown: str) -> None:
        for path in paths or ():
            if harm := classify_target(path) or classify_loss(path):
                self._add(harm, node, f"{shown} {path}")
        if paths is None:
            self._add(LOSS, node, shown)

    def _add(self, harm: Harm, node: ast.Call, shown: str) -> None:
        self._reading.add(harm[0], harm[1], node.lineno, shown)

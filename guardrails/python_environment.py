# SPDX-License-Identifier: Apache-2.0
"""Variables of the environment that a Python script sets for the programs it runs: a closed world.

Very many variables steer one program or another. Where a script sets the environment, one that does
not stand among the harmless is a doubt; elsewhere, in any mapping, only a name that is known to
change what runs.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from guardrails.python_folding import fold
from guardrails.python_names import called_name, walk
from guardrails.script_reading import Deadline
from guardrails.unix_programs import SENSITIVE_VARIABLE

_HARMLESS: Final = re.compile(
    r"LANG|LANGUAGE|LC_\w+|TZ|TERM|COLUMNS|LINES|NO_COLOR|CLICOLOR|HOME|USER|LOGNAME|SHELL|PWD|UID"
    r"|DEBIAN_FRONTEND|DEBIAN_PRIORITY|NEEDRESTART_MODE|APT_LISTCHANGES_FRONTEND|HOSTNAME"
    r"|PYTHON(?:UNBUFFERED|IOENCODING|UTF8|DONTWRITEBYTECODE|HASHSEED|FAULTHANDLER)"
    r"|SYSTEMD_COLORS|SYSTEMD_URLIFY|HOMEBREW_NO_\w+|NONINTERACTIVE|CI|POSIXLY_CORRECT|DISPLAY"
)
_NAMES: Final = ("environ", "environb")
_PLAIN: Final = frozenset(("HOME", "SHELL"))
_FILLS: Final = frozenset(("update", "setdefault", "__setitem__", "__ior__"))
_UNKNOWN: Final = "variables that are computed"


class Environments:
    """Knows the names of one script that hold an environment."""

    def __init__(self, tree: ast.AST, deadline: Deadline) -> None:
        self._names: set[str] = set()
        for node in walk(tree, deadline):
            if isinstance(node, ast.keyword) and node.arg == "env":
                self._names |= {node.value.id} if isinstance(node.value, ast.Name) else set()
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                found = [each for each in node.names if each.name in _NAMES]
                self._names |= {each.asname or each.name for each in found}
            elif isinstance(node, ast.Assign) and self._comes_from_environment(node.value):
                self._names |= {each.id for each in node.targets if isinstance(each, ast.Name)}

    def _comes_from_environment(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call) and called_name(node) in ("copy", "dict", "deepcopy"):
            inner = [*node.args, getattr(node.func, "value", None)]
            return any(each is not None and self._is_environment(each) for each in inner)
        return self._is_environment(node)

    def _is_environment(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in _NAMES
        return isinstance(node, ast.Name) and node.id in self._names

    def list_set(self, node: ast.AST, constants: dict[str, Any]) -> Iterator[str]:
        """Yield the variables that a node sets and that may change what runs."""
        if isinstance(node, ast.Assign):
            is_held = any(isinstance(t, ast.Name) and t.id in self._names for t in node.targets)
            names = self._list_entries(node.value, constants) if is_held else iter(())
            yield from _keep_steering(names)
        elif isinstance(node, ast.keyword) and node.arg == "env":
            yield from _keep_steering(self._list_entries(node.value, constants))
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            name = fold(node.slice, constants)
            if self._is_environment(node.value):
                yield from _keep_steering(iter((name,)))
            else:
                yield from _keep_known(name)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _FILLS and self._is_environment(node.func.value):
                yield from _keep_steering(self._list_filled(node, constants))
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                yield from _keep_known(fold(key, constants))
        elif isinstance(node, ast.keyword) and node.arg:
            yield from _keep_known(node.arg)

    def _list_filled(self, node: ast.Call, constants: dict[str, Any]) -> Iterator[object]:
        if called_name(node) in ("setdefault", "__setitem__"):
            yield fold(node.args[0], constants) if node.args else None
            return
        for each in node.args:
            yield from self._list_entries(each, constants)
        yield from (each.arg for each in node.keywords)

    def _list_entries(self, node: ast.expr, constants: dict[str, Any]) -> Iterator[object]:
        """Yield the names in a mapping; None for those that the text does not show."""
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is None:
                    yield from self._list_entries(value, constants)
                else:
                    yield fold(key, constants)
        elif isinstance(node, ast.Call) and called_name(node) == "dict":
            for each in node.args:
                yield from self._list_entries(each, constants)
            for given in node.keywords:
                if given.arg is None:
                    yield from self._list_entries(given.value, constants)
                else:
                    yield given.arg
        elif isinstance(node, ast.BinOp):
            yield from self._list_entries(node.left, constants)
            yield from self._list_entries(node.right, constants)
        elif not (
            self._comes_from_environment(node)
            or (isinstance(node, ast.Constant) and node.value is None)
        ):
            yield None


def _keep_steering(names: Iterator[object]) -> Iterator[str]:
    for name in names:
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
        if not isinstance(text, str):
            yield _UNKNOWN
        elif not _HARMLESS.fullmatch(text):
            yield text[:40]


def _keep_known(name: object) -> Iterator[str]:
    is_text = isinstance(name, str) and name not in _PLAIN
    if is_text and (name == "PATH" or SENSITIVE_VARIABLE.fullmatch(str(name))):
        yield str(name)[:40]

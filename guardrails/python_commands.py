# SPDX-License-Identifier: Apache-2.0
"""Effects and doubts of a Python script, from the standard library's syntax tree: a closed world.

Every name is resolved to what was imported, bound in the script, or Python's own; a module,
function or attribute that the tables do not know is a doubt. A function with an effect counts where
it is named, for it may be called under another name. Commands of shells in constants are handed on;
code that is computed is a doubt.
"""

import ast
import re
import warnings
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.python_annotations import list_annotations, runs_code
from guardrails.python_environment import Environments
from guardrails.python_folding import fold
from guardrails.python_methods import TELLING_METHODS
from guardrails.python_modules import (
    CODE_CALLS,
    EFFECTS,
    EXEC_CALLS,
    HARMLESS_BUILTINS,
    LOADERS,
    METHOD_DOUBTS,
    METHOD_EFFECTS,
    SHELL_CALLS,
    SPAWN_CALLS,
)
from guardrails.python_names import ScriptNames, list_names, walk
from guardrails.python_network import NETWORK_CALLS, judge_network_call, list_elements
from guardrails.python_owners import Owners
from guardrails.python_places import FILE_CALLS, GOES_TO_FOLDER, Places
from guardrails.python_references import MODULES, NAMING, is_known, reaches_inside
from guardrails.python_shell import read_command
from guardrails.python_sizes import list_huge, opens_to_all, starts_many
from guardrails.python_starts import list_endless_starts
from guardrails.python_writes import FileWrites
from guardrails.sanitise import plain_text
from guardrails.script_reading import Deadline, NestedCode, Reading

_K, _S = EffectKind, EffectSeverity
_PLAIN_NODES: Final = (ast.Name, ast.Constant, ast.Attribute, ast.expr_context, ast.operator)
_MAX_NODES: Final = 400_000
_MAX_CHARACTERS: Final = 400_000  # the parser cannot be stopped, and takes 4 us a character
_ATTRIBUTE_CALLS: Final = frozenset(("getattr", "setattr", "delattr", "hasattr"))
_RUNS: Final = SHELL_CALLS | EXEC_CALLS | SPAWN_CALLS
_JUDGED_CALLS: Final = FILE_CALLS.keys() | NETWORK_CALLS | GOES_TO_FOLDER
_STREAMS: Final = frozenset(("sys.stdin", "sys.stdout", "sys.stderr"))
_ODD_TEXT: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# PEP 263: Python decodes the file with what stands in one of its first two lines.
_CODING: Final = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PLAIN_CODINGS: Final = frozenset(("utf-8", "utf8", "utf_8", "ascii", "us-ascii"))


def read_python(text: str, deadline: Deadline) -> tuple[Reading, bool]:
    """Return (what a Python script does, whether it parses).

    Raises:
        DeadlineError: it takes too long.

    """
    reading = Reading()
    if len(text) > _MAX_CHARACTERS:
        return reading, False
    try:
        with warnings.catch_warnings():  # on doubtful literals, which are no concern of ours
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return reading, False
    deadline.check()
    for line, words in enumerate(text.split("\n", 2)[:2], start=1):
        if (match := _CODING.match(words)) and match[1].lower() not in _PLAIN_CODINGS:
            reading.doubt(line, f"it says that its text is in another encoding: {match[1][:40]}")
    if match := _ODD_TEXT.search(text):
        line = text.count("\n", 0, match.start()) + 1
        reading.doubt(line, "characters that change the order of the text stand in it")
    names = list_names(tree, deadline)
    reader = _PythonReader(tree, names, reading, deadline)
    for count, node in enumerate(walk(tree, deadline)):
        if count > _MAX_NODES:
            return reading, False
        reader.read(node)
    reader.finish()
    return reading, True


def find_syntax_error(text: str) -> tuple[int, int, str] | None:
    """Return line, column (both from 1) and message of the first syntax error; None without one."""
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return max(error.lineno or 1, 1), max(error.offset or 1, 1), plain_text(error.msg)[:100]
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


class _PythonReader:
    """Judges the nodes of one script one by one."""

    def __init__(
        self, tree: ast.AST, names: ScriptNames, reading: Reading, deadline: Deadline
    ) -> None:
        places = self._places = Places(tree, names, deadline)
        self._owners = Owners(tree, names, deadline)
        self._environments = Environments(tree, deadline)
        self._listed = list_elements(tree)
        self._names = names
        self._reading = reading
        self._constants: dict[str, Any] = {}
        self._files = FileWrites(reading, places, self._constants)
        imported = [each for found in names.imported.values() for each in found]
        self._files.knows_sql = any(each.startswith("sqlite3") for each in imported)
        self._files.knows_archives = any(
            each.startswith(("tarfile", "zipfile")) for each in imported
        )
        self._applied: set[int] = set()  # ids of calls whose results are called
        self._called: set[int] = set()  # ids of what was judged with its call
        self._annotated: set[int] = set()  # ids of parts of annotations
        self._seen: set[int] = set()  # ids of parts of names that were judged with the whole

    def read(self, node: ast.AST) -> None:
        """Judge one node."""
        if not isinstance(node, _PLAIN_NODES):
            self._check_node(node, getattr(node, "lineno", 1))
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._read_import(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            self._read_assignment(node)
        elif isinstance(node, ast.Call):
            self._read_call(node)
        elif isinstance(node, ast.Attribute):
            self._read_attribute(node)
        elif isinstance(node, ast.Name):
            self._read_name(node)
        elif isinstance(node, ast.Constant):
            self._files.note_text(node)

    def finish(self) -> None:
        """Judge what only the whole script shows."""
        self._files.finish()

    def _check_node(self, node: ast.AST, line: int) -> None:
        """Note the doubts that a node raises by itself, whatever it is a part of."""
        for reason in (*list_endless_starts(node), *list_huge(node, self._constants)):
            self._reading.doubt(line, reason)
        for name in self._environments.list_set(node, self._constants):
            self._reading.doubt(line, f"sets {name}, which may change what runs")
        for annotation in list_annotations(node):
            self._annotated |= {id(each) for each in ast.walk(annotation)}
            if runs_code(annotation, self._constants):
                self._reading.doubt(line, "an annotation holds code, which libraries evaluate")
        if isinstance(node, ast.Call) and self._owners.fills_another(node):
            self._reading.doubt(line, "sets attributes of an object that it is given")
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            self._reading.doubt(line, "loads pickled objects, which run code")
        elif isinstance(node, ast.MatchClass) and any(map(reaches_inside, node.kwd_attrs)):
            self._reading.doubt(line, "a pattern reaches into Python")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith(
            "__getattr"
        ):
            self._reading.doubt(node.lineno, f"{node.name} makes attributes while it runs")

    def _read_import(self, node: ast.Import | ast.ImportFrom) -> None:
        line = node.lineno
        if isinstance(node, ast.Import):
            for each in node.names:
                self._check_module(each.name, line)
            return
        module = node.module or ""
        if node.level or not module:
            self._reading.doubt(line, "imports a module that is not in the text")
            return
        for each in node.names:
            dotted = f"{module}.{each.name}"
            if each.name == "*":
                self._reading.doubt(line, f"imports all of {module[:40]}")
            elif dotted in MODULES:
                continue
            elif self._check_module(module, line) and dotted not in _JUDGED_CALLS:
                self._judge_reference(dotted, line)

    def _check_module(self, module: str, line: int) -> bool:
        if module in MODULES:
            return True
        self._reading.doubt(line, f"imports {module[:40]}, which is no known module")
        return False

    def _read_assignment(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if (
                isinstance(target, ast.Name)
                and len(targets) == 1
                and node.value is not None
                and self._names.is_stable(target.id)
            ):
                self._constants[target.id] = fold(node.value, self._constants)
            if self._owners.names_method(target, node.value):
                self._check_method(node.value)

    def _check_method(self, node: ast.expr | None) -> None:
        if isinstance(node, ast.Attribute) and not self._owners.is_known_method(node):
            self._reading.doubt(node.lineno, f"the method {node.attr[:40]} is not known")

    def _resolve(self, node: ast.expr) -> set[str]:
        """Return the dotted names that an expression may stand for, by imports; none if unknown."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            self._seen.add(id(node))
            node = node.value
        if not isinstance(node, ast.Name):
            return set()
        roots = self._names.imported.get(node.id)
        if roots is None:
            return set()
        self._seen.add(id(node))
        return {".".join([root, *reversed(parts)]) for root in roots}

    def _read_attribute(self, node: ast.Attribute) -> None:
        if id(node) in self._seen:
            self._check_attribute(node)
            return
        self._check_attribute(node)
        resolved = self._resolve(node)
        if not resolved and id(node) not in self._called and node.attr in METHOD_EFFECTS:
            kind, severity = METHOD_EFFECTS[node.attr]
            self._reading.add(kind, severity, node.lineno, f".{node.attr}")
        for dotted in resolved:
            if id(node) in self._annotated and dotted in FILE_CALLS:
                continue  # a type
            if isinstance(node.ctx, ast.Load):
                self._judge_reference(dotted, node.lineno)
            elif dotted not in _STREAMS:
                self._reading.doubt(node.lineno, f"changes {dotted[:60]}")
        if not resolved and not isinstance(node.ctx, ast.Load):
            self._check_store(node, node.lineno)

    def _check_store(self, target: ast.Attribute, line: int) -> None:
        if self._owners.may_be_steered(target):
            self._reading.doubt(line, f"sets {target.attr[:40]} of an object that is not its own")

    def _check_attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        only_names = name in ("__class__", "f_code") and id(node) in self._called
        if reaches_inside(name) and not only_names:
            self._reading.doubt(node.lineno, f"reaches into Python by {name}")
        if name in NAMING and isinstance(node.value, ast.Attribute):
            self._called.add(id(node.value))  # `x.__class__.__name__` only names

    def _read_name(self, node: ast.Name) -> None:
        if id(node) in self._seen or not isinstance(node.ctx, ast.Load):
            return
        name, line = node.id, node.lineno
        if name in self._names.imported:
            for dotted in sorted(self._names.imported[name]):
                self._judge_reference(dotted, line)
        elif name in self._names.bound or name in HARMLESS_BUILTINS:
            return
        elif id(node) not in self._called:
            self._reading.run_dynamic(line, name, f"{name[:40]} is no known function")

    def _judge_reference(self, dotted: str, line: int) -> None:
        """Judge what is named, whether it is called there or not."""
        method = METHOD_EFFECTS.get(dotted.rpartition(".")[2]) if dotted.count(".") > 1 else None
        if entry := EFFECTS.get(dotted) or method:
            self._reading.add(entry[0], entry[1], line, dotted)
            return
        if dotted in _RUNS or dotted in LOADERS:
            self._reading.run_dynamic(line, dotted, f"{dotted} is handed on")
            return
        if dotted in MODULES or dotted in _JUDGED_CALLS:
            self._reading.doubt(line, f"{dotted} is handed on")
            return
        if not is_known(dotted):
            self._reading.doubt(line, f"{dotted[:60]} is not known")

    def _read_call(self, node: ast.Call) -> None:
        line = node.lineno
        self._applied.add(id(node.func))
        if isinstance(node.func, ast.Name) and node.func.id not in self._names.imported:
            self._read_own(node, node.func)
            return
        dotted = self._resolve(node.func)
        for name in sorted(dotted):
            if name in _RUNS:
                self._run_command(node, name)
            elif name in LOADERS:
                self._reading.run_dynamic(line, name, "runs or loads code that is computed")
            elif name in GOES_TO_FOLDER:
                continue
            elif name in FILE_CALLS:
                self._files.judge_call(node, name)
            elif name in NETWORK_CALLS:
                judged = judge_network_call(node, name, self._constants, self._listed)
                if judged:
                    self._reading.add(*judged, line, f"{name}(...)")
            else:
                self._judge_reference(name, line)
                self._check_number(node, name)
                self._files.judge_reader(node, name)
        if isinstance(node.func, ast.Attribute) and not dotted:
            self._called.add(id(node.func))
            self._read_method(node, node.func)

    def _check_number(self, node: ast.Call, name: str) -> None:
        """Judge what a call does by how much it is told."""
        if opens_to_all(node, name, self._constants):
            self._reading.add(_K.CHANGES_PERMISSIONS, _S.MEDIUM, node.lineno, f"{name}(...)")
        if starts_many(node, name, self._constants):
            self._reading.doubt(node.lineno, f"{name} starts very many processes")

    def _read_own(self, node: ast.Call, func: ast.Name) -> None:
        """Judge a call of one of Python's own functions."""
        name, line = func.id, node.lineno
        if name in self._names.bound and name not in CODE_CALLS | {"compile", "__import__"}:
            return
        if name in CODE_CALLS:
            self._called.add(id(func))
            code = fold(node.args[0], self._constants) if len(node.args) == 1 else None
            if isinstance(code, str):
                self._reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, f"{name}(...)")
                self._reading.nested.append(
                    NestedCode(interpreter="python", code=code.lstrip(" \t"), line=line)
                )
            else:
                self._reading.run_dynamic(line, name, "runs or loads code that is computed")
        elif name in _ATTRIBUTE_CALLS:
            self._called.add(id(func))
            self._read_getattr(node, name)
        elif name in ("open", "file"):
            self._called.add(id(func))
            self._files.judge_open(node)

    def _read_getattr(self, node: ast.Call, name: str) -> None:
        line = node.lineno
        attribute = fold(node.args[1], self._constants) if len(node.args) > 1 else None
        if not isinstance(attribute, str):
            if name != "hasattr":
                self._reading.run_dynamic(line, name, "an attribute's name is computed")
            return
        if name in ("getattr", "hasattr"):
            found = ast.Attribute(value=node.args[0], attr=attribute, ctx=ast.Load())
            dotted = self._resolve(ast.copy_location(found, node))
            if name == "getattr":
                for each in sorted(dotted):
                    self._judge_reference(each, line)
                self._check_attribute(found)
                if not dotted:
                    self._read_found(found, line, is_called=id(node) in self._applied)
            return
        if attribute.startswith("__"):
            self._reading.doubt(line, f"reaches into Python by {attribute[:40]}")
        target = ast.Attribute(value=node.args[0], attr=attribute, ctx=ast.Store())
        self._check_store(target, line)

    def _read_found(self, found: ast.Attribute, line: int, *, is_called: bool) -> None:
        """Judge a method that was got from an object by its name."""
        name = found.attr
        if entry := METHOD_EFFECTS.get(name):
            self._reading.add(*entry, line, f".{name}")
        elif name in METHOD_DOUBTS:
            self._reading.run_dynamic(line, name, f"{name} may run code")
        elif is_called:
            self._check_method(found)

    def _read_method(self, node: ast.Call, func: ast.Attribute) -> None:
        name, line = func.attr, node.lineno
        entry = METHOD_EFFECTS.get(name)
        replaces = name == "replace" and len(node.args) == 1
        kind = _K.WRITES_SYSTEM_FILES if replaces else entry and entry[0]
        self._files.judge_method(node, func, kind)
        if entry:
            if entry[0] is not _K.WRITES_SYSTEM_FILES:
                self._reading.add(entry[0], entry[1], line, f".{name}(...)")
        elif name in METHOD_DOUBTS and not self._owners.is_own_method(func):
            self._reading.run_dynamic(line, f".{name}(...)", f"the method {name} may run code")
        elif name not in TELLING_METHODS or node.args or node.keywords:
            self._check_method(func)

    def _run_command(self, node: ast.Call, name: str) -> None:
        line = node.lineno
        folders = self._places.list_folders(self._constants)
        command = read_command(node, name, self._constants, folders)
        if command.doubt:
            self._reading.run_dynamic(line, f"{name}(...)", command.doubt)
        if command.code is not None:
            self._reading.nested.append(
                NestedCode(interpreter=command.interpreter, code=command.code, line=line)
            )

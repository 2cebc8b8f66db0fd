# SPDX-License-Identifier: Apache-2.0
"""Whose an object of a Python script is: of a class of the script, or of a library.

An attribute that is set on an object of a library may steer it: which file it removes, whom it asks.
Only objects of the script's own classes are certainly the script's; what is not known is not.
"""
# ruff: noqa: E501, SIM905 - tables

import ast
from collections import Counter
from typing import Final

from guardrails.python_methods import HARMLESS_ATTRIBUTES, KNOWN_METHODS
from guardrails.python_names import ScriptNames, called_name, walk
from guardrails.script_reading import Deadline

_MAX_DEPTH: Final = 8
# Libraries' classes whose objects no attribute steers but those that the script reads itself.
_HARMLESS_BASES: Final = frozenset(
    "object Exception BaseException RuntimeError ValueError TypeError OSError KeyError LookupError ABC Enum"
    " IntEnum StrEnum Flag Protocol Generic NamedTuple TypedDict Thread JSONEncoder HTMLParser Formatter"
    " Filter dict list set str int tuple OrderedDict defaultdict Counter UserDict Action HelpFormatter".split()
)
_HARMLESS_MAKERS: Final = frozenset("parse_args SimpleNamespace Namespace local".split())


class Owners:
    """Answers whose objects the names of one script hold."""

    def __init__(self, tree: ast.AST, names: ScriptNames, deadline: Deadline) -> None:
        self._names = names
        self._classes: dict[str, list[str]] = {}
        self._functions: set[str] = set()
        self._selves: dict[int, bool] = {}  # id of a name in a method -> of an own class
        self._held: dict[str, list[ast.expr]] = {}  # a name, or `.x` for an attribute -> values
        self._stores: Counter[str] = Counter()  # at how many places an attribute is set
        self._called: set[str] = set()
        classes: list[ast.ClassDef] = []
        for node in walk(tree, deadline):
            self._note(node)
            if isinstance(node, ast.ClassDef):
                classes.append(node)
                self._classes.setdefault(node.name, []).extend(map(_name_of, node.bases))
        for each in classes:
            self._note_selves(each)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._hold(target, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            self._hold(node.target, node.value)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._hold(node.optional_vars, node.context_expr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._functions.add(node.name)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            self._stores[node.attr] += 1
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            self._called.add(node.func.id)
            if node.func.id == "setattr" and len(node.args) > 1:
                self._stores[str(getattr(node.args[1], "value", ""))] += 1

    def _hold(self, target: ast.expr, value: ast.expr | None) -> None:
        if value is None:
            return
        if isinstance(target, ast.Name):
            self._held.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Attribute):
            self._held.setdefault(f".{target.attr}", []).append(value)

    def _note_selves(self, owner: ast.ClassDef) -> None:
        """Note what stands for the object itself in the methods of a class, and its fields."""
        is_own = self._is_class(owner.name, 0)
        for method in owner.body:
            if isinstance(method, (ast.Assign, ast.AnnAssign)) and method.value is not None:
                targets = method.targets if isinstance(method, ast.Assign) else [method.target]
                for name in map(_name_of, targets):
                    self._stores[name] += 1
                    self._held.setdefault(f".{name}", []).append(method.value)
            if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            first = next(iter((*method.args.posonlyargs, *method.args.args)), None)
            if first is None or any(_name_of(d) == "staticmethod" for d in method.decorator_list):
                continue
            for node in ast.walk(method):
                if isinstance(node, ast.Name) and node.id == first.arg:
                    self._selves[id(node)] = is_own and self._selves.get(id(node), True)

    def _is_class(self, name: str, depth: int) -> bool:
        """Say whether a class is the script's own, with all that it inherits."""
        bases = self._classes.get(name)
        if bases is None or depth > _MAX_DEPTH or name in self._names.imported:
            return False
        return all(
            self._is_harmless_base(base)
            if base not in self._classes
            else self._is_class(base, depth + 1)
            for base in bases
        )

    def _is_harmless_base(self, base: str) -> bool:
        meant = {each.rpartition(".")[2] for each in self._names.imported.get(base, {base})}
        return all(
            each in _HARMLESS_BASES or each.endswith(("Error", "Exception")) for each in meant
        )

    def may_be_steered(self, target: ast.Attribute) -> bool:
        """Say whether setting this attribute may change what an object of a library does."""
        return target.attr not in HARMLESS_ATTRIBUTES and not self._is_own(target.value, 0)

    def _is_own(self, node: ast.expr, depth: int) -> bool:
        if depth > _MAX_DEPTH:
            return False
        if id(node) in self._selves:
            return self._selves[id(node)]
        if isinstance(node, ast.Call):
            made = [each.value for each in node.keywords if each.arg == "default_factory"]
            name = _name_of(made[0]) if called_name(node) == "field" and made else called_name(node)
            return self._is_class(name, 0) or name in _HARMLESS_MAKERS
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = _name_of(node)
            if self._is_class(name, 0) or (isinstance(node, ast.Name) and name in self._functions):
                return True
            key = f".{name}" if isinstance(node, ast.Attribute) else name
            held = self._held.get(key, [])
            counts = self._stores if isinstance(node, ast.Attribute) else self._names.counts
            is_every = 0 < len(held) >= counts[name]
            return is_every and all(self._is_own(each, depth + 1) for each in held)
        return isinstance(node, ast.Subscript) and self._is_own(node.value, depth + 1)

    def is_own_method(self, func: ast.Attribute) -> bool:
        """Say whether a method is certainly one of the script's own classes."""
        return func.attr in self._names.methods and self._is_own(func.value, 0)

    def is_known_method(self, func: ast.Attribute) -> bool:
        """Say whether a method is one of Python's that is known, or the script's own."""
        if func.attr in KNOWN_METHODS:
            return True
        is_named = func.attr in self._names.methods or f".{func.attr}" in self._held
        return is_named and not self._comes_from_library(func.value, 0)

    def _comes_from_library(self, node: ast.expr, depth: int) -> bool:
        while isinstance(node, (ast.Attribute, ast.Call, ast.Await, ast.Subscript)):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name) or depth > _MAX_DEPTH or id(node) in self._selves:
            return False
        held = self._held.get(node.id, ())
        return node.id in self._names.imported or any(
            self._comes_from_library(each, depth + 1) for each in held
        )

    def list_called_attributes(self, name: str) -> list[ast.Attribute]:
        """Return the methods that a name stands for, when the script calls that name."""
        held = self._held.get(name, ()) if name in self._called else ()
        return [
            each
            for each in held
            if isinstance(each, ast.Attribute) and _root(each) not in self._names.imported
        ]


def _root(node: ast.expr) -> str:
    """Return the name that a dotted name begins with; empty for what is not dotted."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name_of(node.value)
    if isinstance(node, ast.Call):
        return _name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")

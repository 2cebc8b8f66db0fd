# SPDX-License-Identifier: Apache-2.0
"""What the functions and lists of a Python script are given, when the script shows all of it.

A parameter holds only what the calls of its function give, when nothing but these calls names the
function; the elements of a list are the ones that are written in it and appended to it, when
nothing else gets the list. What may be used otherwise is not known: None.
"""

import ast
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from guardrails.python_names import called_name, walk
from guardrails.script_reading import Deadline

_Function = ast.FunctionDef | ast.AsyncFunctionDef
# Python's own functions that only look at a list, and parents that do.
_LOOKS: Final = frozenset(
    "len sorted enumerate list tuple reversed any all sum min max bool print str".split()  # noqa: SIM905
)
_LOOKING_NODES: Final = (
    ast.For, ast.comprehension, ast.If, ast.While, ast.BoolOp, ast.UnaryOp, ast.Compare,
    ast.FormattedValue, ast.IfExp,
)  # fmt: skip
_ADDS: Final = frozenset(("append", "add"))
_TELLS: Final = frozenset(("sort", "clear", "index", "count", "pop", "reverse", "discard"))


class Uses:
    """Knows where the names of one script are used."""

    def __init__(self, tree: ast.AST, deadline: Deadline) -> None:
        self._parents: defaultdict[str, list[ast.AST]] = defaultdict(list)  # of loads of a name
        self._attributes: defaultdict[str, list[ast.AST]] = defaultdict(list)
        self._owners: dict[int, ast.AST] = {}  # id of an attribute -> what stands around it
        self._functions: defaultdict[str, list[_Function]] = defaultdict(list)
        self._methods: dict[int, ast.ClassDef] = {}
        self._parameters: dict[tuple[int, str], _Function] = {}
        self._texts: set[str] = set()
        for node in walk(tree, deadline):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
                self._parents[child.id].append(node)
            elif isinstance(child, ast.Attribute):
                self._attributes[child.attr].append(node)
                self._owners[id(child)] = node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._functions[node.name].append(node)
            for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                self._parameters[id(node), each.arg] = node
        elif isinstance(node, ast.ClassDef):
            self._methods |= {
                id(each): node
                for each in node.body
                if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
            }
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._texts.add(node.value)  # `getattr(x, "name")`

    def list_given(self, scope: int, name: str) -> list[ast.expr] | None:
        """Return what the calls of a function give as a parameter; None when others may call it.

        Args:
            scope: id of the function.
            name: of the parameter.

        """
        function = self._parameters.get((scope, name))
        if function is None or function.decorator_list or function.name in self._texts:
            return None
        owner = self._methods.get(scope)
        if owner is not None and (owner.bases or owner.keywords or function.name[:2] == "__"):
            return None  # a library may call it
        uses = self._attributes[function.name] if owner else self._parents[function.name]
        others = self._parents[function.name] if owner else self._attributes[function.name]
        if len(self._functions[function.name]) > 1 or others:
            return None
        calls = [
            each for each in uses if isinstance(each, ast.Call) and _calls(each, function.name)
        ]
        if len(calls) < len(uses):
            return None
        given: list[ast.expr] = []
        for call in calls:
            found = _read_argument(call, function, name, skipped=1 if owner else 0)
            if found is None:
                return None
            given += found
        return given

    def list_elements(self, name: str) -> list[ast.expr] | None:
        """Return what is added to a list of this name; None when something else may be."""
        added: list[ast.expr] = []
        for parent in self._parents[name]:
            if isinstance(parent, ast.Attribute):
                call = self._owners.get(id(parent))
                if not isinstance(call, ast.Call) or call.func is not parent or call.keywords:
                    return None
                if parent.attr in _ADDS:
                    added += call.args
                elif parent.attr not in _TELLS:
                    return None
            elif not _only_looks(parent, name):
                return None
        return added


def _calls(call: ast.Call, name: str) -> bool:
    return called_name(call) == name and not any(
        isinstance(each, (ast.Name, ast.Attribute)) and _last_name(each) == name
        for each in (*call.args, *(given.value for given in call.keywords))
    )


def _last_name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _read_argument(
    call: ast.Call, function: _Function, name: str, *, skipped: int
) -> Sequence[ast.expr] | None:
    """Return what a call gives as a parameter: nothing where its default is a constant."""
    if any(isinstance(each, ast.Starred) for each in call.args) or any(
        each.arg is None for each in call.keywords
    ):
        return None
    named = [each.value for each in call.keywords if each.arg == name]
    if named:
        return named
    order = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    position = order.index(name) - skipped if name in order else len(call.args)
    if position < 0:
        return None
    if position < len(call.args):
        return call.args[position : position + 1]
    defaults = (*function.args.defaults, *function.args.kw_defaults)
    return () if all(isinstance(each, ast.Constant) for each in defaults if each) else None


def _only_looks(parent: ast.AST, name: str) -> bool:
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id in _LOOKS
    if isinstance(parent, ast.Subscript):
        is_list = isinstance(parent.value, ast.Name) and parent.value.id == name
        return is_list and isinstance(parent.ctx, ast.Load)
    if isinstance(parent, (ast.For, ast.comprehension)):
        return isinstance(parent.iter, ast.Name) and parent.iter.id == name
    return isinstance(parent, _LOOKING_NODES)

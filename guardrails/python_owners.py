# SPDX-License-Identifier: Apache-2.0
"""Whose an object of a Python script is: of a class of the script, or of a library.

An attribute that is set on an object of a library may steer it: which file it removes, whom it asks.
Only objects of the script's own classes are certainly the script's; what is not known is not.
"""
# ruff: noqa: E501, SIM905 - tables

import ast
import itertools
from collections import Counter, defaultdict
from typing import Final

from guardrails.python_methods import HARMLESS_ATTRIBUTES, KNOWN_METHODS
from guardrails.python_names import ScriptNames, called_name
from guardrails.python_uses import Uses
from guardrails.script_reading import Deadline

_MAX_DEPTH: Final = 8
_NODES_BETWEEN_CHECKS: Final = 1024
# Libraries' classes whose objects no attribute steers but those that the script reads itself.
_HARMLESS_BASES: Final = frozenset(
    "object Exception BaseException RuntimeError ValueError TypeError OSError KeyError LookupError ABC Enum"
    " IntEnum StrEnum Flag Protocol Generic NamedTuple TypedDict Thread JSONEncoder HTMLParser Formatter"
    " Filter dict list set str int tuple OrderedDict defaultdict Counter UserDict Action HelpFormatter".split()
)
_HARMLESS_MAKERS: Final = frozenset("parse_args SimpleNamespace Namespace local".split())
_HARMLESS_DECORATORS: Final = frozenset(
    "dataclass s attrs define frozen mutable total_ordering unique final lru_cache cache wraps staticmethod".split()
)
# Python's own functions that return a list of the same objects.
_COPIES: Final = frozenset(("sorted", "reversed", "list", "tuple", "set"))
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_MAKES_OTHERS: Final = frozenset(("__new__", "__class_getitem__", "__init_subclass__"))
_Key = tuple[int, str]  # a name and the function that binds it; 0 for the module


class Owners:
    """Answers whose objects the names of one script hold."""

    def __init__(self, tree: ast.AST, names: ScriptNames, deadline: Deadline) -> None:
        self._names = names
        self._tree = tree
        self._deadline = deadline
        self._uses: Uses | None = None  # read when it is asked
        self._classes: dict[str, ast.ClassDef] = {}
        self._functions: set[str] = set()
        self._scopes: dict[int, tuple[int, ...]] = {}  # id of a name -> functions, innermost first
        self._counts: Counter[_Key] = Counter()
        self._held: dict[_Key, list[ast.expr]] = {}
        self._selves: dict[_Key, str] = {}  # what stands for the object in a method -> its class
        self._fields: dict[str, list[ast.expr]] = {}  # an attribute -> what it is given
        self._stores: Counter[str] = Counter()  # at how many places an attribute is set
        self._shared: set[str] = set()  # names that functions bind for others
        self._known: dict[_Key, bool] = {}
        self._lends: dict[str, bool] = {}
        self._own_classes: dict[str, bool] = {}
        self._from_library: set[_Key] | None = None
        self._called: set[str] = set()
        # Attributes of a name: methods of a class take any object for one of the class.
        self._lent: defaultdict[str, set[str]] = defaultdict(set)
        waiting: list[tuple[ast.AST, tuple[int, ...]]] = [(tree, (0,))]
        for count in itertools.count():
            if not waiting:
                return
            if not count % _NODES_BETWEEN_CHECKS:
                deadline.check()
            node, scopes = waiting.pop()
            if isinstance(node, (ast.Constant, ast.expr_context, ast.operator)):
                continue
            self._note(node, scopes)
            if isinstance(node, ast.Name):
                continue
            inner = (id(node), *scopes) if isinstance(node, _FUNCTIONS) else scopes
            waiting.extend((each, inner) for each in ast.iter_child_nodes(node))

    def _note(self, node: ast.AST, scopes: tuple[int, ...]) -> None:
        if isinstance(node, ast.Name):
            self._scopes[id(node)] = scopes
            self._counts[scopes[0], node.id] += not isinstance(node.ctx, ast.Load)
        elif isinstance(node, ast.arg):
            self._counts[scopes[0], node.arg] += 1
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self._shared.update(node.names)
        elif isinstance(node, ast.Attribute):
            self._stores[node.attr] += not isinstance(node.ctx, ast.Load)
            if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
                self._lent[node.value.id].add(node.attr)
        elif isinstance(node, ast.Call):
            self._note_call(node)
        elif isinstance(node, ast.ClassDef):
            self._note_class(node)
        else:
            self._note_values(node, scopes)

    def _note_values(self, node: ast.AST, scopes: tuple[int, ...]) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if all(_name_of(each) in _HARMLESS_DECORATORS for each in node.decorator_list):
                self._functions.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._hold(target, node.value, scopes)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._hold(node.target, node.value, scopes)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._hold(node.optional_vars, node.context_expr, scopes)
        elif isinstance(node, (ast.For, ast.comprehension)):
            self._hold(node.target, ast.Starred(value=node.iter), scopes)

    def _note_call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self._called.add(node.func.id)
            if node.func.id == "setattr" and len(node.args) > 1:
                self._stores[str(getattr(node.args[1], "value", ""))] += 1

    def _note_class(self, node: ast.ClassDef) -> None:
        self._classes[node.name] = node
        for each in node.body:
            if isinstance(each, (ast.Assign, ast.AnnAssign)) and each.value is not None:
                targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                for name in map(_name_of, targets):
                    self._stores[name] += 1
                    self._fields.setdefault(name, []).append(each.value)
            elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._note_self(each, node.name)

    def _note_self(self, method: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> None:
        first = next(iter((*method.args.posonlyargs, *method.args.args)), None)
        if first and not any(_name_of(each) == "staticmethod" for each in method.decorator_list):
            self._selves[id(method), first.arg] = owner

    def _hold(self, target: ast.expr, value: ast.expr, scopes: tuple[int, ...]) -> None:
        if isinstance(target, ast.Name):
            self._held.setdefault((scopes[0], target.id), []).append(value)
        elif isinstance(target, ast.Attribute):
            self._fields.setdefault(target.attr, []).append(value)

    def _is_class(self, name: str, depth: int) -> bool:
        """Say whether a class is the script's own, with all that it inherits."""
        if name not in self._own_classes:
            self._own_classes[name] = False  # until it is found
            self._own_classes[name] = self._finds_own_class(name, depth)
        return self._own_classes[name]

    def _finds_own_class(self, name: str, depth: int) -> bool:
        node = self._classes.get(name)
        if node is None or depth > _MAX_DEPTH or node.keywords or not self._names.is_stable(name):
            return False
        makes_others = any(getattr(each, "name", "") in _MAKES_OTHERS for each in node.body)
        if makes_others or any(
            _name_of(each) not in _HARMLESS_DECORATORS for each in node.decorator_list
        ):
            return False
        return all(
            self._is_class(base, depth + 1)
            if base in self._classes
            else self._is_harmless_base(base)
            for base in map(_name_of, node.bases)
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
        if isinstance(node, ast.Call):
            made = [each.value for each in node.keywords if each.arg == "default_factory"]
            name = _name_of(made[0]) if called_name(node) == "field" and made else called_name(node)
            return self._is_class(name, 0) or name in _HARMLESS_MAKERS
        if isinstance(node, ast.Attribute):
            held = self._fields.get(node.attr, [])
            return self._are_own((-1, node.attr), held, self._stores[node.attr], depth)
        if isinstance(node, ast.Starred):
            return self._has_own_elements(node.value, depth + 1)
        return isinstance(node, ast.Name) and self._is_own_name(node, depth)

    def _has_own_elements(self, node: ast.expr, depth: int) -> bool:
        """Say whether all elements of a list are objects of the script's own classes."""
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return all(self._is_own(each, depth + 1) for each in node.elts)
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            return self._is_own(node.elt, depth + 1)
        copies = isinstance(node, ast.Call) and called_name(node) in _COPIES
        if isinstance(node, ast.Call) and copies and node.args and depth < _MAX_DEPTH:
            return self._has_own_elements(node.args[0], depth + 1)
        return isinstance(node, ast.Name) and self._has_own_added(node, depth)

    def _has_own_added(self, node: ast.Name, depth: int) -> bool:
        """Say whether a list of this name gets only objects of the script's own classes."""
        if depth > _MAX_DEPTH or self._is_bound_otherwise(node.id):
            return False
        key = self._find_key(node)
        held = self._held.get(key, [])
        added = self._read_uses().list_elements(node.id)
        if added is None or not 0 < len(held) >= self._counts[key]:
            return False
        return all(self._has_own_elements(each, depth + 1) for each in held) and all(
            self._is_own(each, depth + 1) for each in added
        )

    def _is_bound_otherwise(self, name: str) -> bool:
        """Say whether `except`, `match`, an import or another function gives a name its value."""
        seen = sum(count for (_, each), count in self._counts.items() if each == name)
        return name in self._shared or self._names.counts[name] > seen

    def _read_uses(self) -> Uses:
        if self._uses is None:
            self._uses = Uses(self._tree, self._deadline)
        return self._uses

    def _is_own_name(self, node: ast.Name, depth: int) -> bool:
        key = self._find_key(node)
        if node.id in self._shared:
            return False
        if (owner := self._selves.get(key)) and self._counts[key] == 1:
            if owner not in self._lends:
                self._lends[owner] = self._is_lent(owner)
            return self._is_class(owner, 0) and not self._lends[owner]
        if self._is_class(node.id, 0):
            return True
        if node.id in self._functions and self._names.is_stable(node.id):
            return True
        if self._is_bound_otherwise(node.id):
            return False
        held = self._held.get(key, [])
        if not held and self._counts[key] == 1:
            held = self._read_uses().list_given(*key) or []
        return self._are_own(key, held, self._counts[key], depth)

    def _are_own(self, key: _Key, held: list[ast.expr], count: int, depth: int) -> bool:
        """Say whether all that a name or an attribute is given, at so many places, is the script's."""
        if key not in self._known:
            self._known[key] = False  # until it is found
            is_every = 0 < len(held) >= count
            self._known[key] = is_every and all(self._is_own(each, depth + 1) for each in held)
        return self._known[key]

    def _is_lent(self, owner: str) -> bool:
        """Say whether a method of a class is named by it, and so may get an object of another."""
        methods = {
            each.name
            for each in self._classes[owner].body
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
            and not {"staticmethod", "classmethod"} & set(map(_name_of, each.decorator_list))
        }
        return not methods.isdisjoint(self._lent[owner])

    def _find_key(self, node: ast.Name) -> _Key:
        """Return the name with the innermost function around it that binds it."""
        scopes = self._scopes.get(id(node), (0,))
        return next(
            ((each, node.id) for each in scopes if self._counts[each, node.id]), (0, node.id)
        )

    def fills_another(self, node: ast.Call) -> bool:
        """Say whether a call sets attributes of an object that it is given."""
        named = {each.arg for each in node.keywords}
        if called_name(node) in ("parse_args", "parse_known_args", "parse_intermixed_args"):
            return len(node.args) > 1 or not named.isdisjoint(("namespace", "values", None))
        return called_name(node) == "wraps" and not named.isdisjoint(("assigned", "updated", None))

    def is_own_method(self, func: ast.Attribute) -> bool:
        """Say whether a method is certainly one of the script's own classes."""
        return func.attr in self._names.methods and self._is_own(func.value, 0)

    def is_known_method(self, func: ast.Attribute) -> bool:
        """Say whether a method is one of Python's that is known, or the script's own."""
        if func.attr in KNOWN_METHODS:
            return True
        is_named = func.attr in self._names.methods or func.attr in self._fields
        return is_named and not self._comes_from_library(func.value)

    def _comes_from_library(self, node: ast.expr) -> bool:
        root = _find_root(node)
        if self._from_library is None:
            self._from_library = self._list_from_library()
        return root is not None and (
            root.id in self._names.imported or self._find_key(root) in self._from_library
        )

    def _list_from_library(self) -> set[_Key]:
        """Return the names that are given what begins with an imported name, by whatever way."""
        given: defaultdict[_Key, list[_Key]] = defaultdict(list)
        waiting: list[_Key] = []
        for key, held in self._held.items():
            for root in filter(None, map(_find_root, held)):
                given[self._find_key(root)].append(key)
                waiting += [key] if root.id in self._names.imported else []
        found: set[_Key] = set()
        while waiting:
            key = waiting.pop()
            waiting += given[key] if key not in found else []
            found.add(key)
        return found

    def names_method(self, target: ast.expr, value: ast.expr | None) -> bool:
        """Say whether a name that the script calls is given a method of an object."""
        is_called = isinstance(target, ast.Name) and target.id in self._called
        is_method = isinstance(value, ast.Attribute) and _root(value) not in self._names.imported
        return is_called and is_method


def _find_root(node: ast.expr) -> ast.Name | None:
    """Return the name from which an expression gets what it gives; None without one."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Await, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None


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

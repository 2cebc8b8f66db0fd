# SPDX-License-Identifier: Apache-2.0
"""What the names in a policy stand for: refused at load where they stand for nothing. Pure.

regopy leaves a name that nothing binds, a field that no question has and a rule that no package
has undefined, without a word. A denial that looks at one never holds, so the policy would say yes
where its author wrote no. Bindings are followed by scope; what Rego would bind in ways that are
hard to see (`some x` without `in`, `=`) is refused with what to write instead.
"""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from contracts.policy import DECISIONS
from guardrails.policy_fields import (
    Field,
    FieldKind,
    list_field_names,
    list_paths,
    read_question_fields,
)
from guardrails.rego_scopes import Binding, find_closing, list_bindings
from guardrails.rego_text import RegoTextError, Rule, RuleKind, Token

_LITERALS: Final = {"true": FieldKind.TRUTH, "false": FieldKind.TRUTH}
_KEYWORDS: Final = frozenset(
    ["if", "in", "some", "not", "contains", "every", "else", "default", "true", "false", "null"]
)
_TAKES_TEXT: Final = frozenset(
    [
        *("lower", "upper", "contains", "startswith", "endswith", "split", "replace", "indexof"),
        *("substring", "trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix"),
        "trim_space",
    ]
)
_TAKES_LIST: Final = frozenset(
    ["sum", "product", "max", "min", "sort", "array.concat", "array.slice", "array.reverse"]
)
_TAKES_NUMBERS: Final = frozenset(["sum", "product"])  # else undefined, without an error
_TAKES_NUMBER: Final = frozenset(["abs", "ceil", "floor", "round"])
_COMPARISONS: Final = frozenset(["==", "!=", "<", "<=", ">", ">="])
Packages = Mapping[str, Mapping[str, Sequence[Rule]]]  # rules by package and name


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file: its rules, what it imports as {alias: dotted path}, and its objects' keys."""

    file: str
    rules: Sequence[Rule]
    imports: Mapping[str, str]


def check_references(
    module: Module, packages: Packages, functions: Mapping[str, Collection[int]]
) -> None:
    """Check what a module's names stand for.

    Args:
        module: the file.
        packages: the rules of all files.
        functions: built-in functions and how many arguments each takes.

    Raises:
        RegoTextError: a name that nothing binds, a field that no question of this package has, a
            rule that a package does not have, a value compared with what it cannot be, or a
            function with another number of arguments than it takes.

    """
    for alias, path in module.imports.items():
        _check_import(path, alias, packages, module.rules[0].line)
    keys = _list_keys(packages)
    for rule in module.rules:
        _RuleCheck(rule, module, packages, functions, keys).run()


def _check_import(path: str, alias: str, packages: Packages, line: int) -> None:
    package, _, name = path.removeprefix("data.").rpartition(".")
    if path.removeprefix("data.") not in packages and name not in packages.get(package, ()):
        known = [f"data.{each}" for each in packages]
        raise RegoTextError(
            f"{path} is imported as {alias}, and there is no such package{_suggest(path, known)}",
            line,
        )


def _list_keys(packages: Packages) -> set[str]:
    """Return the texts that are keys of objects in any file."""
    rules = (rule for own in packages.values() for each in own.values() for rule in each)
    return {
        token.text[1:-1]
        for rule in rules
        for token, after in pairwise(rule.tokens)
        if token.kind == "text" and after.text == ":"
    }


class _RuleCheck:
    """Checks one rule, name by name."""

    def __init__(
        self,
        rule: Rule,
        module: Module,
        packages: Packages,
        functions: Mapping[str, Collection[int]],
        keys: Collection[str],
    ) -> None:
        self._rule, self._tokens = rule, rule.tokens
        self._module, self._packages, self._functions = module, packages, functions
        self._own = packages[rule.package]
        decision = rule.package.rpartition(".")[2]
        self._question = read_question_fields(decision if decision in DECISIONS else None)
        self._field_names = list_field_names() | set(keys)
        self._bindings: list[Binding] = []

    def run(self) -> None:
        self._bindings = list_bindings(self._rule)
        for token in self._tokens:
            if token.text == "=" and token.kind == "sign":
                raise RegoTextError("= binds or compares: write == or :=", token.line)
        declared = {at for each in self._bindings for at in each.declared_at}
        for at, token in enumerate(self._tokens):
            if token.kind != "name" or (token.text in _KEYWORDS and not self._is_call(at)):
                continue
            if self._word(at - 1) == "." and self._word(at - 2) in (")", "]", "}"):
                self._check_field(token.text, token.line)
            if at in declared or self._word(at - 1) == ".":
                continue
            if not (token.text == "contains" and self._rule.kind is RuleKind.MEMBER and at == 1):
                self._check_name(at)

    def _check_name(self, at: int) -> None:
        token = self._tokens[at]
        if token.text == "input":
            self._check_input(at)
        elif token.text == "data":
            package, after = f"eucora.{self._word(at + 4)}", at + 5
            self._check_rule(package, after, f"data.{package}", token)
        elif self._is_bound(token.text, at):
            self._check_fields(at + 1, is_value=True)
        elif token.text in self._own:
            self._check_use(self._own[token.text], at, at + 1)
        elif token.text in self._module.imports:
            self._check_imported(at)
        elif self._is_call(at):
            name, opening = self._read_call(at)
            if name in self._functions:
                self._check_arity(name, opening, self._functions[name])
            if name == "object.get":
                self._check_key(opening)
        elif not (token.text == "_" and self._word(at - 1) == "[" and self._word(at + 1) == "]"):
            self._refuse_unbound(token)

    def _refuse_unbound(self, token: Token) -> None:
        paths = [f"input.{path}" for path, _ in list_paths(self._question)]
        close = [path for path in paths if path.rpartition(".")[2] == token.text]
        bound = [*self._own, *self._module.imports, *(each.name for each in self._bindings)]
        hint = f": did you mean {close[0]}?" if close else _suggest(token.text, bound)
        raise RegoTextError(
            f"nothing binds {token.text}: it is no rule, import, argument or variable of some,"
            f" every or :={hint}",
            token.line,
        )

    def _check_imported(self, at: int) -> None:
        token = self._tokens[at]
        path = self._module.imports[token.text].removeprefix("data.")
        if path in self._packages:
            self._check_rule(path, at + 1, token.text, token)
        else:
            package, _, name = path.rpartition(".")
            self._check_use(self._packages[package][name], at, at + 1)

    def _check_rule(self, package: str, after: int, shown: str, token: Token) -> None:
        """Check PACKAGE.RULE, of which the package's name ends before `after`."""
        if self._word(after) != "." or package not in self._packages:
            present = ", ".join(sorted(self._packages))
            raise RegoTextError(
                f"{shown} is a package: write one of its rules, {shown}.NAME"
                if package in self._packages
                else f"there is no package {package}; there are {present}",
                token.line,
            )
        name, rules = self._word(after + 1), self._packages[package]
        if name not in rules:
            raise RegoTextError(
                f"package {package} has no rule {name}{_suggest(name, rules)}", token.line
            )
        self._check_use(rules[name], after + 1, after + 2)

    def _check_use(self, rules: Sequence[Rule], at: int, after: int) -> None:
        """Check how a rule whose name stands at `at` is used."""
        rule, token = rules[0], self._tokens[at]
        is_head = at <= 1 and rule.name == self._rule.name and token.depth == 0
        if rule.kind is not RuleKind.FUNCTION:
            self._check_fields(after)
        elif self._word(after) != "(":
            raise RegoTextError(f"{rule.name} is a function: write {rule.name}(...)", token.line)
        elif not is_head:
            heads = {count_arguments(each.tokens, 1) for each in rules}
            self._check_arity(rule.name, after, heads)

    def _check_arity(self, name: str, opening: int, allowed: Collection[int]) -> None:
        n_given = count_arguments(self._tokens, opening)
        if n_given not in allowed:
            wanted = " or ".join(str(each) for each in sorted(allowed))
            raise RegoTextError(
                f"{name} takes {wanted} arguments, and not {n_given}", self._tokens[opening].line
            )

    def _check_fields(self, after: int, *, is_value: bool = False) -> None:
        """Check the fields of a value that is no question's: of a list's item, or an object's.

        A rule may be a set, of which brackets ask whether a text is in it; a value (`is_value`) has
        fields in brackets, too.
        """
        while (word := self._word(after)) in (".", "["):
            if word == ".":
                self._check_field(self._word(after + 1), self._tokens[after].line)
                after += 2
                continue
            inner = self._tokens[after + 1]
            if is_value and inner.kind == "text" and self._word(after + 2) == "]":
                self._check_field(inner.text[1:-1], inner.line)
            after = find_closing(self._tokens, after) + 1

    def _check_field(self, name: str, line: int) -> None:
        if name not in self._field_names:
            known = _suggest(name, self._field_names)
            raise RegoTextError(f"no value has a field {name}{known}", line)

    def _check_key(self, opening: int) -> None:
        """Check the text that `object.get` looks for."""
        depth, closing = self._tokens[opening].depth + 1, find_closing(self._tokens, opening)
        for at in range(opening + 1, closing):
            if self._word(at) == "," and self._tokens[at].depth == depth:
                key = self._tokens[at + 1]
                if key.kind == "text":
                    self._check_field(key.text[1:-1], key.line)
                return

    def _check_input(self, at: int) -> None:
        """Check a path from `input` on, and what it is compared with."""
        place, path, after, token = self._question, "input", at + 1, self._tokens[at]
        while (word := self._word(after)) in (".", "["):
            if place.kind is FieldKind.LIST and word == "[":
                closing = find_closing(self._tokens, after)
                place, path, after = place.item or place, f"{path}[...]", closing + 1
                continue
            name = self._word(after + 1)
            if word == "[" and not (name.startswith('"') and self._word(after + 2) == "]"):
                raise RegoTextError(f"{path} is read by the names of its fields", token.line)
            name = name.strip('"')
            if name not in place.fields:
                self._refuse_field(f"{path}.{name}", token.line)
            place, path = place.fields[name], f"{path}.{name}"
            after += 2 if word == "." else 3
        if place.kind is FieldKind.OBJECT and not path.endswith("[...]"):  # an item may have a name
            names = ", ".join(f"{path}.{name}" for name in place.fields)
            raise RegoTextError(f"{path} is read field by field: {names}", token.line)
        self._check_value(place, path, at, after)

    def _refuse_field(self, path: str, line: int) -> None:
        known = [f"input.{each}" for each, _ in list_paths(self._question)]
        raise RegoTextError(
            f"{path} is no field of a question that package {self._rule.package} answers"
            f"{_suggest(path, known)}",
            line,
        )

    def _check_value(self, place: Field, path: str, at: int, after: int) -> None:
        token = self._tokens[at]
        if self._word(at - 1) == "in" and place.kind is not FieldKind.LIST:
            raise RegoTextError(f"{path} is a {place.kind}: nothing is in it", token.line)
        self._check_argument(place, path, at, after)
        for sign, other in ((after, after + 1), (at - 1, at - 2)):
            if self._word(sign) in _COMPARISONS and 0 <= other < len(self._tokens):
                self._check_comparison(place, path, self._tokens[other])

    def _check_argument(self, place: Field, path: str, at: int, after: int) -> None:
        """Check a path that is the first argument of a built-in function as it stands."""
        if self._word(at - 1) != "(" or self._word(after) not in (",", ")"):
            return
        start = at - 2
        while start > 1 and self._word(start - 1) == ".":
            start -= 2
        name = self._read_call(start)[0]
        for names, kind in (
            (_TAKES_TEXT, FieldKind.TEXT),
            (_TAKES_LIST, FieldKind.LIST),
            (_TAKES_NUMBER, FieldKind.NUMBER),
        ):
            if name in names and place.kind is not kind:
                raise RegoTextError(
                    f"{name} takes a {kind}, and {path} is a {place.kind}", self._tokens[at].line
                )

        if name in _TAKES_NUMBERS and (place.item or place).kind is not FieldKind.NUMBER:
            raise RegoTextError(
                f"{name} takes a list of numbers, and {path} is none", self._tokens[at].line
            )

    def _check_comparison(self, place: Field, path: str, literal: Token) -> None:
        kind = {"text": FieldKind.TEXT, "number": FieldKind.NUMBER}.get(
            literal.kind, _LITERALS.get(literal.text)
        )
        if literal.text == "null" or (kind is not None and kind is not place.kind):
            raise RegoTextError(
                f"{path} is a {place.kind}, which never is {literal.text}", literal.line
            )
        text = literal.text[1:-1]
        if kind is FieldKind.TEXT and place.values and text not in place.values:
            raise RegoTextError(
                f"{path} is one of {', '.join(place.values)}, and never {text}", literal.line
            )

    def _is_bound(self, name: str, at: int) -> bool:
        return any(each.name == name and each.start <= at < each.end for each in self._bindings)

    def _is_call(self, at: int) -> bool:
        return self._word(self._read_call(at)[1]) == "("

    def _read_call(self, at: int) -> tuple[str, int]:
        """Return a dotted name and the position after it."""
        name = self._word(at)
        while self._word(at + 1) == "." and at + 2 < len(self._tokens):
            name, at = f"{name}.{self._word(at + 2)}", at + 2
        return name, at + 1

    def _word(self, at: int) -> str:
        return self._tokens[at].text if 0 <= at < len(self._tokens) else ""


def count_arguments(tokens: Sequence[Token], opening: int) -> int:
    """Return how many arguments stand in the brackets that open at a position."""
    closing, depth = find_closing(tokens, opening), tokens[opening].depth
    inner = tokens[opening + 1 : closing]
    commas = [each for each in inner if each.text == "," and each.depth == depth + 1]
    trailing = bool(inner) and inner[-1].text == ","
    return len(commas) + 1 - trailing if inner else 0


def _suggest(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return f": did you mean {' or '.join(close)}?" if close else ""

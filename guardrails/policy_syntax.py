# SPDX-License-Identifier: Apache-2.0
"""What a policy may be written with: refused at load, with the line, before anything runs. Pure.

regopy leaves a function that it does not know undefined, without a word; others ask the network,
the clock or chance, so that the same input would be answered differently tomorrow. So functions
are named here that may be called, and all others are refused.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from guardrails.errors import PolicyLoadError
from guardrails.policy_references import Module, check_references
from guardrails.rego_text import (
    RegoTextError,
    Rule,
    RuleKind,
    Token,
    find_body,
    read_rules,
    read_tokens,
)

_BY_ARGUMENTS: Final = {
    1: (
        *("abs", "ceil", "floor", "round", "count", "sum", "product", "max", "min", "sort"),
        *("array.reverse", "intersection", "union", "object.keys", "type_name", "lower", "upper"),
        *("trim_space", "is_number", "is_string", "is_boolean", "is_array", "is_set", "is_object"),
        "is_null",
    ),
    2: (
        *("array.concat", "object.union", "contains", "startswith", "endswith", "concat", "split"),
        *("indexof", "trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix"),
    ),
    3: ("array.slice", "object.get", "replace", "substring"),
}
FUNCTIONS: Final = {name: (n,) for n, names in _BY_ARGUMENTS.items() for name in names}
# What the library is given to compile: its time and stack grow with these, and so do the rules that
# somebody has to read. The shipped policies have 57 rules, the longest of 65 words, 2 deep.
MAX_RULES: Final = 1_000
MAX_WORDS_OF_RULE: Final = 1_000
MAX_DEPTH: Final = 16  # of brackets
MAX_TEXT_CHARACTERS: Final = 2_000
MAX_NUMBER_CHARACTERS: Final = 20
MAX_NUMBER: Final = 2.0**53
_KEYWORDS = frozenset(
    ["if", "in", "some", "not", "contains", "every", "else", "default", "package", "import", "as"]
)
_REFUSED_WORDS = {
    "with": "it replaces what is decided on",
    "walk": "it searches the whole input",
}
_ROOT = "eucora"
_PACKAGE = re.compile(r"eucora\.[a-z][a-z0-9_]*")
_WHY = {
    "http": "it asks the network",
    "net": "regopy leaves it undefined, or it asks the network",
    "time": "it depends on the clock; input.now is the decision's time",
    "rand": "it depends on chance",
    "uuid": "it depends on chance",
    "opa": "it depends on the machine",
    "rego": "regopy leaves it undefined",
}


def check_policies(files: Mapping[str, str]) -> None:
    """Check what policies are written with.

    Raises:
        PolicyLoadError: a function, reference, import or keyword that they must not use, or a
            layout that is not read; names file and line.

    """
    modules = [_check_file(file, text) for file, text in files.items()]
    n_rules = sum(len(module.rules) for module in modules)
    if n_rules > MAX_RULES:
        raise PolicyLoadError(f"policies have at most {MAX_RULES} rules, and these have {n_rules}")
    packages: dict[str, dict[str, list[Rule]]] = {}
    for rule in (rule for module in modules for rule in module.rules):
        packages.setdefault(rule.package, {}).setdefault(rule.name, []).append(rule)
    for module in modules:
        try:
            check_references(module, packages, FUNCTIONS)
        except RegoTextError as error:
            raise PolicyLoadError(f"{module.file}:{error.line}: {error}") from error


def _check_file(file: str, text: str) -> Module:
    try:
        return _check_module(file, text)
    except RegoTextError as error:
        raise PolicyLoadError(f"{file}:{error.line}: {error}") from error


def _check_module(file: str, text: str) -> Module:
    """Check one file by itself, and return what it consists of."""
    tokens = read_tokens(text)
    _check_sizes(tokens)
    rules = read_rules(file, text)
    if not rules or not all(_PACKAGE.fullmatch(rule.package) for rule in rules):
        raise RegoTextError("a policy is a package eucora.NAME with rules", 1)
    for rule in rules:
        if rule.name in _KEYWORDS | {"input", "data"}:
            raise RegoTextError(f"{rule.name} is no name for a rule", rule.line)
        if len(rule.tokens) > MAX_WORDS_OF_RULE:
            raise RegoTextError(f"a rule has at most {MAX_WORDS_OF_RULE} words", rule.line)
        _check_layout(rule)
    imports = _check_imports(tokens)
    for name, token in _find_references(tokens):
        _check_reference(name, token)
    _check_calls(tokens, rules, set(imports))
    return Module(file=file, rules=rules, imports=imports)


def _check_layout(rule: Rule) -> None:
    """Refuse what the library reads otherwise than it looks, or complains of elsewhere."""
    at = find_body(rule.tokens)
    for position, (token, after) in enumerate(pairwise(rule.tokens)):
        words = (token.text, after.text)
        if words == ("not", "not"):
            raise RegoTextError("not not is no condition: write the condition itself", token.line)
        if words == ("if", "every"):
            raise RegoTextError(
                f"every stands in a body of its own lines: {rule.name} ... if {{ every x in xs"
                " {...} }, each condition on its line",
                token.line,
            )
        if after.text == ";" and after.depth == 0:
            raise RegoTextError(
                "several conditions stand in brackets: if { FIRST; SECOND }", after.line
            )
        has_no_if = at is None or position < at
        if has_no_if and after.text == "{" and after.depth == 0 and _ends_head(token):
            raise RegoTextError(f"a body follows if: {_show_head(rule)} if {{ ... }}", after.line)


def _ends_head(token: Token) -> bool:
    return token.text not in _KEYWORDS and (token.kind != "sign" or token.text in (")", "]", "}"))


def _show_head(rule: Rule) -> str:
    if [token.text for token in rule.tokens[1:2]] == ["["] and len(rule.tokens) > 2:
        return f"{rule.name} contains {rule.tokens[2].text}"
    return rule.name


def _check_calls(tokens: list[Token], rules: list[Rule], aliases: set[str]) -> None:
    own = {rule.name for rule in rules if rule.kind is RuleKind.FUNCTION}
    others = {rule.name for rule in rules} - own
    for before, token in pairwise(tokens):
        if (before.text, token.text) == ("]", "("):
            raise RegoTextError("a function is called by its name, not by brackets", token.line)
    for name, token in _find_calls(tokens):
        if name in others:
            raise RegoTextError(
                f"{name} is a rule and no function: ask whether a value is in it, or compare it",
                token.line,
            )
        head, _, _ = name.partition(".")
        if name not in FUNCTIONS and name not in own and head not in aliases:
            why = _WHY.get(head, "it is not among the functions that a policy may call")
            raise RegoTextError(f"{name} cannot be used in a policy: {why}", token.line)


def _check_sizes(tokens: list[Token]) -> None:
    for token in tokens:
        if token.depth > MAX_DEPTH:
            raise RegoTextError(f"brackets are at most {MAX_DEPTH} deep", token.line)
        longest = MAX_NUMBER_CHARACTERS if token.kind == "number" else MAX_TEXT_CHARACTERS
        if len(token.text) > longest:
            raise RegoTextError(f"a {token.kind} has at most {longest} characters", token.line)
        if token.kind == "number" and not abs(float(token.text)) <= MAX_NUMBER:
            raise RegoTextError(
                f"{token.text} is too large to be computed with exactly", token.line
            )


def _check_imports(tokens: list[Token]) -> dict[str, str]:
    """Return what of ours is imported, by the name under which it is."""
    aliases = {}
    for position, token in enumerate(tokens):
        if token.text != "import" or not token.is_first:
            continue
        line = [each.text for each in tokens[position + 1 :] if each.line == token.line]
        path, _, alias = "".join(line[: line.index("as")] if "as" in line else line).partition("#")
        alias = line[-1]
        if path != "rego.v1" and not path.startswith(f"data.{_ROOT}."):
            raise RegoTextError(
                f"a policy imports rego.v1 and data.{_ROOT}, not {path}", token.line
            )
        if path != "rego.v1":
            aliases[alias] = path
    return aliases


def _find_references(tokens: list[Token]) -> Iterator[tuple[str, Token]]:
    """Yield the dotted name that begins at each name which follows no dot."""
    for position, token in enumerate(tokens):
        if token.kind != "name" or (position and tokens[position - 1].text == "."):
            continue
        yield _read_path(tokens, position)[0], token


def _read_path(tokens: list[Token], position: int) -> tuple[str, int]:
    """Return a dotted name and the position after it."""
    words = [tokens[position].text]
    position += 1
    while (
        position + 1 < len(tokens)
        and tokens[position].text == "."
        and tokens[position + 1].kind == "name"
    ):
        words.append(tokens[position + 1].text)
        position += 2
    return ".".join(words), position


def _check_reference(name: str, token: Token) -> None:
    head, _, rest = name.partition(".")
    if head in _REFUSED_WORDS:
        raise RegoTextError(
            f"{head} cannot be used in a policy: {_REFUSED_WORDS[head]}", token.line
        )
    if head == "data" and not rest.startswith(f"{_ROOT}."):
        raise RegoTextError(f"a policy reads data.{_ROOT} alone, not {name}", token.line)


def _find_calls(tokens: list[Token]) -> Iterator[tuple[str, Token]]:
    for position, token in enumerate(tokens):
        if token.kind != "name" or (position and tokens[position - 1].text == "."):
            continue
        name, after = _read_path(tokens, position)
        if (
            after < len(tokens)
            and tokens[after].text == "("
            and name not in _KEYWORDS - {"contains"}
        ):
            yield name, token

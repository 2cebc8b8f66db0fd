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
from guardrails.rego_text import RegoTextError, Rule, RuleKind, Token, read_rules, read_tokens

FUNCTIONS: Final = frozenset(
    [
        *("abs", "ceil", "floor", "round", "count", "sum", "product", "max", "min", "sort"),
        *("array.concat", "array.slice", "array.reverse", "intersection", "union"),
        *("object.get", "object.keys", "object.union", "type_name"),
        *("lower", "upper", "contains", "startswith", "endswith", "concat", "split", "replace"),
        *("substring", "indexof", "trim", "trim_left", "trim_right", "trim_prefix"),
        *("trim_suffix", "trim_space", "is_number", "is_string", "is_boolean", "is_array"),
        *("is_set", "is_object", "is_null"),
    ]
)
# What the library is given to compile: its time and stack grow with these, and so do the rules that
# somebody has to read. The shipped policies have 57 rules, the longest of 65 words, 2 deep.
MAX_RULES: Final = 1_000
MAX_WORDS_OF_RULE: Final = 1_000
MAX_DEPTH: Final = 16  # of brackets
MAX_TEXT_CHARACTERS: Final = 2_000
MAX_NUMBER_CHARACTERS: Final = 20
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
    n_rules = 0
    for file, text in files.items():
        try:
            n_rules += _check_module(file, text)
        except RegoTextError as error:
            raise PolicyLoadError(f"{file}:{error.line}: {error}") from error
    if n_rules > MAX_RULES:
        raise PolicyLoadError(f"policies have at most {MAX_RULES} rules, and these have {n_rules}")


def _check_module(file: str, text: str) -> int:
    """Check one file; return how many rules it has."""
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
    aliases = _check_imports(tokens)
    for name, token in _find_references(tokens):
        _check_reference(name, token)
    _check_calls(tokens, rules, aliases)
    return len(rules)


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


def _check_imports(tokens: list[Token]) -> set[str]:
    """Return the names under which packages of ours are imported."""
    aliases = set()
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
            aliases.add(alias)
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

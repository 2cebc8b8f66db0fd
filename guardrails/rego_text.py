# SPDX-License-Identifier: Apache-2.0
"""Rego as text: tokens with lines, and the rules of a module. Pure.

Enough of the language (https://www.openpolicyagent.org/docs/policy-reference, the grammar) for
refusing, mutating and explaining policies in the layout that the formatter of OPA writes: each rule
begins in a line's first column. What evaluates is regopy; this decides nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
  | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>:=|==|!=|<=|>=|[<>=+\-*/%|&.,;:()\[\]{}])
  | (?P<line>\n)
  | (?P<space>[ \t\r]+)
    """,
    re.VERBOSE,
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class RegoTextError(ValueError):
    """The text is no Rego in the layout that is read here; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, sign or literal; `start` and `end` are offsets, `depth` counts open brackets."""

    kind: str
    text: str
    start: int
    end: int
    line: int
    depth: int
    is_first: bool  # in the first column of a line


class RuleKind(StrEnum):
    """What a rule adds to its package."""

    DEFAULT = "default"
    CONSTANT = "constant"  # NAME := VALUE, without a body
    MEMBER = "member"  # of a set: NAME contains VALUE
    COMPLETE = "complete"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a module, from its first token to its last."""

    file: str
    package: str
    name: str
    kind: RuleKind
    line: int
    start: int
    end: int
    tokens: tuple[Token, ...]

    @property
    def reason(self) -> str | None:
        """The code that a rule `deny contains "CODE"` adds; None of others."""
        words = [token.text for token in self.tokens[:3]]
        if words[:2] == ["deny", "contains"] and words[2].startswith('"'):
            return words[2][1:-1]
        return None


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of a module without blanks and comments.

    Raises:
        RegoTextError: a character that begins no token, or brackets that do not match.

    """
    found: list[Token] = []
    place, line, depth, line_start = 0, 1, 0, 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise RegoTextError(f"no Rego: {text[place : place + 20]!r}", line)
        kind, word = str(match.lastgroup), match.group()
        if kind not in ("comment", "line", "space"):
            depth -= word in _CLOSING
            if depth < 0:
                raise RegoTextError(f"{word} closes nothing", line)
            found.append(
                Token(
                    kind=kind,
                    text=word,
                    start=place,
                    end=match.end(),
                    line=line,
                    depth=depth,
                    is_first=place == line_start,
                )
            )
            depth += word in _OPENING
        place = match.end()
        if "\n" in word:
            line += word.count("\n")
            line_start = match.start() + word.rindex("\n") + 1
    if depth:
        raise RegoTextError("a bracket is not closed", line)
    return found


def read_rules(file: str, text: str) -> list[Rule]:
    """Return the rules of a module in order.

    Raises:
        RegoTextError: the module has no package, or is not laid out one rule a line.

    """
    package, rules = "", []
    for tokens in _split_statements(read_tokens(text)):
        first = tokens[0]
        if first.text == "package":
            package = "".join(token.text for token in tokens[1:])
        elif first.text != "import":
            if not package:
                raise RegoTextError(f"{file} does not begin with its package", first.line)
            rules.append(_read_rule(file, package, tokens))
    return rules


def read_modules(files: Mapping[str, str]) -> list[Rule]:
    """Return the rules of all modules by file name, in order."""
    return [rule for file in sorted(files) for rule in read_rules(file, files[file])]


def _split_statements(tokens: list[Token]) -> Iterator[tuple[Token, ...]]:
    statement: list[Token] = []
    for token in tokens:
        if token.is_first and token.depth == 0 and token.text not in _CLOSING:
            if statement:
                yield tuple(statement)
            statement = []
        elif not statement:
            raise RegoTextError("a rule begins in the first column of a line", token.line)
        statement.append(token)
    if statement:
        yield tuple(statement)


def _read_rule(file: str, package: str, tokens: tuple[Token, ...]) -> Rule:
    words = [token.text for token in tokens]
    kind, name = RuleKind.COMPLETE, words[0]
    if words[0] == "default":
        kind, name = RuleKind.DEFAULT, words[1] if len(words) > 1 else ""
    elif words[1:2] == ["contains"]:
        kind = RuleKind.MEMBER
    elif words[1:2] == ["("]:
        kind = RuleKind.FUNCTION
    elif find_body(tokens) is None:
        kind = RuleKind.CONSTANT
    if not re.fullmatch(r"[A-Za-z_]\w*", name) or tokens[0].kind != "name":
        raise RegoTextError(f"{name!r} begins no rule", tokens[0].line)
    return Rule(
        file=file,
        package=package,
        name=name,
        kind=kind,
        line=tokens[0].line,
        start=tokens[0].start,
        end=tokens[-1].end,
        tokens=tokens,
    )


def find_body(tokens: tuple[Token, ...]) -> int | None:
    """Return the position of a rule's `if`; None where it has no body."""
    for position, token in enumerate(tokens):
        if token.text == "if" and token.depth == 0:
            return position
    return None


def read_conditions(rule: Rule) -> list[tuple[Token, ...]]:
    """Return the conditions of a rule's body, each as its tokens; none where it has no body."""
    at = find_body(rule.tokens)
    if at is None:
        return []
    body = rule.tokens[at + 1 :]
    if not body or body[0].text != "{" or body[-1].text != "}":
        return [body] if body else []
    conditions: list[list[Token]] = []
    inner = body[1:-1]
    for position, token in enumerate(inner):
        if token.text == ";" and token.depth == 1:
            continue
        before = inner[position - 1] if position else None
        is_new = token.depth == 1 and (
            before is None or before.line < token.line or before.text == ";"
        )
        if is_new and token.text not in _CLOSING:
            conditions.append([])
        conditions[-1].append(token)
    return [tuple(condition) for condition in conditions]

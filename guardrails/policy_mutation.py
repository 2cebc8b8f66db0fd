# SPDX-License-Identifier: Apache-2.0
"""Mutation of policies: single-rule changes, each of which a case must notice. Pure.

For every rule: it is deleted; each of its conditions is negated and is dropped; each comparison and
each number becomes its neighbours; each member of a set is left out; each truth value and each text
that is compared becomes another; each function that changes a text is left out. A mutant is killed
by a case that is answered otherwise, or because the policies do not load any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from contracts.policy import DECISIONS
from guardrails.errors import PolicyLoadError
from guardrails.policy import PolicyEngine
from guardrails.policy_cases import EXCUSES_FILE, PolicyCase, run_case
from guardrails.policy_source import PolicySource
from guardrails.rego_text import Rule, RuleKind, Token, find_body, read_conditions, read_rules

_NEIGHBOURS = {
    "<": ("<=", ">"),
    "<=": ("<", ">"),
    ">": (">=", "<"),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
_FLIPPED = {"true": "false", "false": "true"}
_TEXT_FUNCTIONS = frozenset({"lower", "upper", "trim", "trim_space"})
_BINDING = frozenset({"some", "every"})
SHARED_PACKAGE = "eucora.common"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A policy version that differs from another in one place of one rule."""

    file: str
    line: int
    rule: str
    change: str
    package: str
    files: Mapping[str, str]

    def __str__(self) -> str:
        """Return where it is and what was changed."""
        return f"{self.file}:{self.line} {self.rule}: {self.change}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MutationOutcome:
    """What noticed a mutant: a case by name, or the refusal to load it; None if nothing did.

    `excuse` is the author's reason why no case can notice it.
    """

    mutant: Mutant
    killed_by: str | None
    excuse: str | None = None

    @property
    def is_fine(self) -> bool:
        """Whether it was noticed, or cannot be; an excuse for what is noticed is wrong."""
        return (self.killed_by is None) is (self.excuse is not None)


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str
    change: str
    line: int


def list_mutants(source: PolicySource) -> list[Mutant]:
    """Return all single-rule mutants of a policy version, in the order of its text."""
    return [
        Mutant(
            file=file,
            line=edit.line,
            rule=rule.name,
            change=edit.change,
            package=rule.package,
            files={**source.files, file: text[: edit.start] + edit.text + text[edit.end :]},
        )
        for file, text in sorted(source.files.items())
        for rule in read_rules(file, text)
        for edit in _list_edits(rule, text)
    ]


def run_mutants(
    mutants: Sequence[Mutant],
    cases: Sequence[PolicyCase],
    excuses: Mapping[tuple[str, str, str], str] | None = None,
) -> Iterator[MutationOutcome]:
    """Yield for each mutant what noticed it; `excuses` are those of `read_excuses`."""
    for mutant in mutants:
        yield MutationOutcome(
            mutant=mutant,
            killed_by=_find_killer(mutant, cases),
            excuse=(excuses or {}).get((mutant.file, mutant.rule, mutant.change)),
        )


def read_excuses(source: PolicySource) -> dict[tuple[str, str, str], str]:
    """Return the reasons of `cases/mutants.yaml` by (file, rule, change).

    Raises:
        PolicyLoadError: the file is not in the form that docs/policy.md describes, or excuses a
            mutant that there is not.

    """
    text = source.cases.get(EXCUSES_FILE)
    if text is None:
        return {}
    try:
        rows = yaml.safe_load(text)["equivalent"]
        excuses = {(row["file"], row["rule"], row["change"]): str(row["reason"]) for row in rows}
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise PolicyLoadError(
            f"{EXCUSES_FILE}: `equivalent` is a list of file, rule, change and reason"
        ) from error
    known = {(mutant.file, mutant.rule, mutant.change) for mutant in list_mutants(source)}
    if unknown := sorted(set(excuses) - known):
        raise PolicyLoadError(f"{EXCUSES_FILE}: there is no mutant {' '.join(unknown[0])!r}")
    return excuses


def _find_killer(mutant: Mutant, cases: Sequence[PolicyCase]) -> str | None:
    shared = mutant.package == SHARED_PACKAGE
    asked = DECISIONS if shared else (mutant.package.rpartition(".")[2],)
    try:
        engine = PolicyEngine(PolicySource(files=mutant.files), decisions=asked)
    except PolicyLoadError as error:
        return f"it does not load: {error}"
    for case in cases:
        if case.question["decision"] in asked and not run_case(engine, case).passed:
            return f"{case.table}: {case.name}"
    return None


def _list_edits(rule: Rule, text: str) -> Iterator[_Edit]:
    yield _Edit(rule.start, rule.end, "", "deleted", rule.line)
    yield from _change_conditions(rule, text)
    at = find_body(rule.tokens)
    for position, token in enumerate(rule.tokens):
        in_body = at is not None and position > at
        yield from _change_token(rule, position, token, in_body=in_body)
    yield from _drop_members(rule)


def _change_conditions(rule: Rule, text: str) -> Iterator[_Edit]:
    conditions = read_conditions(rule)
    for condition in conditions:
        first, last = condition[0], condition[-1]
        shown = " ".join(text[first.start : last.end].split())
        if first.text == "not":
            words = text[condition[1].start : last.end]
            yield _Edit(first.start, last.end, words, f"without not: {shown}", first.line)
        elif first.text not in _BINDING:
            yield _Edit(first.start, first.start, "not ", f"negated: {shown}", first.line)
        if first.text not in _BINDING:
            yield _Edit(first.start, last.end, "true", f"always: {shown}", first.line)


def _change_token(rule: Rule, position: int, token: Token, *, in_body: bool) -> Iterator[_Edit]:
    def put(word: str) -> _Edit:
        return _Edit(token.start, token.end, word, f"{token.text} becomes {word}", token.line)

    if token.text in _NEIGHBOURS and in_body:
        yield from (put(word) for word in _NEIGHBOURS[token.text])
    elif token.kind == "number":
        yield put(_add(token.text, 1))
        yield put(_add(token.text, -1))
    elif token.text in _FLIPPED:
        yield put(_FLIPPED[token.text])
    elif token.kind == "text" and not _is_member(rule, position):
        yield put(f'"{token.text[1:-1]}~"')
    elif (
        token.text in _TEXT_FUNCTIONS
        and position + 1 < len(rule.tokens)
        and rule.tokens[position + 1].text == "("
    ):
        yield _Edit(token.start, token.end, "", f"without {token.text}", token.line)


def _add(number: str, step: int) -> str:
    return str(float(number) + step) if "." in number or "e" in number else str(int(number) + step)


def _is_member(rule: Rule, position: int) -> bool:
    """Whether a text stands in a set that is a constant; leaving it out is a mutant of its own."""
    return rule.kind is RuleKind.CONSTANT and rule.tokens[position].depth > 0


def _drop_members(rule: Rule) -> Iterator[_Edit]:
    """Leave out each member of the set or list that a constant names."""
    if rule.kind is not RuleKind.CONSTANT:
        return
    members = [
        (position, token)
        for position, token in enumerate(rule.tokens)
        if token.depth == 1 and token.kind in ("text", "number")
    ]
    for position, token in members:
        after = rule.tokens[position + 1]
        before = rule.tokens[position - 1]
        start = before.start if after.text != "," and before.text == "," else token.start
        end = after.end if after.text == "," else token.end
        yield _Edit(start, end, "", f"without {token.text}", token.line)

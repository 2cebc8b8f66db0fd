# SPDX-License-Identifier: Apache-2.0
"""Asks a version typed questions before anybody relies on it: where it fails, it is refused. Pure.

A rule that fails denies when it is asked (`policy_error`); here that is found while its author
looks. Each field of a question is put in turn at the bounds of its type, at each value of its
enumeration and at what the rules compare with, from several questions on. So a failure that takes
two unusual values at once may stay unseen; it denies then.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from contracts.policy import DECISIONS
from guardrails.errors import PolicyLoadError
from guardrails.policy import PolicyEngine, compile_query
from guardrails.policy_cases import PolicyCase
from guardrails.policy_fields import Field, FieldKind, list_paths, list_values, read_question_fields
from guardrails.policy_source import PolicySource
from guardrails.rego_runtime import EvaluationError
from guardrails.rego_text import Rule, RuleKind, find_body, read_modules

MAX_QUESTIONS: Final = 500  # of one decision
_FAILED: Final = frozenset({"policy_error", "policy_undefined", "policy_inconsistent"})


def explore(engine: PolicyEngine, cases: Sequence[PolicyCase]) -> tuple[str, ...]:
    """Ask a version typed questions, and return warnings: rules that have no value for some.

    Raises:
        PolicyLoadError: it gives no answer to one of them; says to which, and by which rule.

    """
    rules = read_modules(engine.source.files)
    warnings: dict[str, None] = {}
    for decision in DECISIONS:
        questions = list(_list_questions(decision, rules, cases))
        for question in questions:
            if reasons := _FAILED & set(engine.evaluate(question).reasons):
                _refuse(engine.source, question, min(reasons))
        warnings |= dict.fromkeys(_list_undefined(engine.source, decision, rules, questions))
    return tuple(warnings)


def _list_questions(
    decision: str, rules: Sequence[Rule], cases: Sequence[PolicyCase]
) -> Iterator[dict[str, Any]]:
    """Yield questions, in each of which one value differs from those before."""
    root = read_question_fields(decision)
    fields = {path: _list_candidates(path, place, rules) for path, place in list_paths(root)}
    allowed = [c.question for c in cases if c.allow and not c.unchecked]
    known = [_fill(root, dict(each)) for each in allowed if each.get("decision") == decision]
    bases = [_build(fields, 0), _build(fields, -1), *known[:1]]
    yield from islice(_vary(bases, fields), MAX_QUESTIONS)


def _vary(
    bases: Sequence[dict[str, Any]], fields: Mapping[str, Sequence[Any]]
) -> Iterator[dict[str, Any]]:
    for base in reversed(bases):
        for path, values in fields.items():
            for value in values:
                question = copy.deepcopy(base)
                _put(question, path, value)
                yield question


def _list_candidates(path: str, place: Field, rules: Sequence[Rule]) -> list[Any]:
    """Return values to try: with all numbers, and the texts of rules that name the field."""
    name = path.rpartition(".")[2]
    words = [token for rule in rules for token in rule.tokens if token.kind == "number"]
    numbers = [abs(float(word.text)) for word in words]  # `risk -10` reads as a negative number
    naming = [rule for rule in rules if any(token.text == name for token in rule.tokens)]
    texts = [t.text[1:-1] for rule in naming for t in rule.tokens if t.kind == "text"]
    return list_values(place, texts, numbers)


def _build(fields: Mapping[str, Sequence[Any]], at: int) -> dict[str, Any]:
    question: dict[str, Any] = {}
    for path, values in fields.items():
        _put(question, path, copy.deepcopy(values[at]))
    return question


def _put(question: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place = question
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value


def _fill(place: Field, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question with what its types add where it is not said, such as no flags."""
    filled = copy.deepcopy(dict(question))
    for name, each in place.fields.items():
        if each.kind is FieldKind.LIST:
            filled.setdefault(name, [])
    return filled


def _refuse(source: PolicySource, question: Mapping[str, Any], reason: str) -> None:
    """Say which rule fails: the one without which the question is answered."""
    decision = question["decision"]
    place, shown = "the policy", ""
    for rule in read_modules(source.files):
        text = source.files[rule.file]
        files = {**source.files, rule.file: text[: rule.start] + text[rule.end :]}
        try:
            engine = PolicyEngine(PolicySource(files=files), decisions=[decision])
        except PolicyLoadError:
            continue
        if not _FAILED & set(engine.evaluate(question).reasons):
            place, shown = f"{rule.file}:{rule.line}: {rule.name}", _show(question, rule)
            break
    raise PolicyLoadError(
        f"{place} gives no answer ({reason}) to a question of {decision}{shown}: ask its functions"
        " for what they take, and divide by nothing that may be 0"
    )


def _show(question: Mapping[str, Any], rule: Rule) -> str:
    """Return the values of a question that a rule names."""
    names = {token.text for token in rule.tokens}
    values = []
    for path, _ in list_paths(read_question_fields(question["decision"])):
        if path.rpartition(".")[2] in names:
            value: Any = question
            for part in path.split("."):
                value = value[part]
            values.append(f"{path} = {json.dumps(value, ensure_ascii=False)[:80]}")
    return f" with {', '.join(values[:3])}" if values else ""


def _list_undefined(
    source: PolicySource,
    decision: str,
    rules: Sequence[Rule],
    questions: Sequence[dict[str, Any]],
) -> Iterator[str]:
    """Yield warnings of rules with a value that have none for one of the questions."""
    watched = _list_conditional(rules, decision)
    if not watched:
        return
    names = (f"{rule.package}.{rule.name}" for rule in watched)
    members = ", ".join(f'"{name}": [x | x := data.{name}]' for name in names)
    query = compile_query(source.files, f"answer = {{{members}}}")
    for question in questions:
        try:
            found = query.evaluate(question).get("answer", {})
        except EvaluationError:
            continue
        for rule in [each for each in watched if not found.get(f"{each.package}.{each.name}")]:
            watched.remove(rule)
            yield (
                f"{rule.file}:{rule.line}: {rule.name} has no value for a question of {decision}"
                f"{_show(question, rule)}, and a rule that compares it does not hold then: add"
                f" default {rule.name} := ..., or deny with not"
            )


def _list_conditional(rules: Sequence[Rule], decision: str) -> list[Rule]:
    """Return the first rule of each name that has a value under conditions, and no default."""
    by_name: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_name.setdefault((rule.package, rule.name), []).append(rule)
    others = {f"eucora.{name}" for name in DECISIONS} - {f"eucora.{decision}"}
    return [
        own[0]
        for (package, _), own in by_name.items()
        if package not in others
        and all(each.kind in (RuleKind.COMPLETE, RuleKind.CONSTANT) for each in own)
        and any(_has_value(each) for each in own)
    ]


def _has_value(rule: Rule) -> bool:
    """Tell whether a rule gives a value of its own, NAME := VALUE, that may stay undefined."""
    words = [token.text for token in rule.tokens]
    return words[1:2] == [":="] and (
        find_body(rule.tokens) is not None or any(token.kind == "name" for token in rule.tokens[2:])
    )

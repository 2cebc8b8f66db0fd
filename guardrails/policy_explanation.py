# SPDX-License-Identifier: Apache-2.0
"""Why a policy denies: each reason with the rule and line that gave it, and what would change it.

What would change a reason is found by asking, not by reading: each value that the rule looks at, or
the rules that it stands on, is put in turn at the values that the policy compares it with, and the
policy is asked again. One value at a time; a reason that none of them removes says so. Pure.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.policy import PolicyQuestion, QuestionError, check_question
from guardrails.policy_decision import PolicyDecision
from guardrails.rego_text import Rule, read_modules

if TYPE_CHECKING:  # at run time it would load the library that evaluates
    from guardrails.policy import PolicyEngine

MAX_TRIALS = 400
ENGINE_REASONS = {
    "missing": "the value is absent or none that this field can have",
    "unknown_decision": "the question is none of those that policies answer",
    "invalid_input": "the question holds what no policy can be given, such as a NUL character",
    "input_too_large": "the question is larger than a policy is given",
    "policy_slow": "the answer came later than is waited for",
    "policy_error": "the policies gave an error for an answer, such as two values of one rule",
    "policy_undefined": "the policies gave no complete answer",
    "policy_inconsistent": "the policies said yes with objections, or no without",
    "policy_untrusted": "the stored policy is not what was signed: put another version in force",
    "policy_server_unreachable": "the policy server did not answer",
    "policy_server_failed": "the policy server answered, but with no decision",
    "policy_other_version": "the policy server holds another version than the one in force",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A single value that would remove a reason."""

    path: str
    value: Any
    instead: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonSource:
    """A reason, the rules that can give it, what they look at, and what would remove it.

    Attributes:
        rules: (file, line, text) of each.
        looked_at: the input's values that the rules stand on, by path.

    """

    reason: str
    rules: tuple[tuple[str, int, str], ...]
    looked_at: Mapping[str, Any]
    remedies: tuple[Remedy, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A question, its answer, and where each reason comes from."""

    question: Mapping[str, Any]
    decision: PolicyDecision
    reasons: tuple[ReasonSource, ...]


def explain(engine: "PolicyEngine", question: PolicyQuestion | Mapping[str, Any]) -> Explanation:
    """Return what a policy answers to a question, and why."""
    decision = engine.decide(question)
    try:
        document = msgspec.to_builtins(check_question(question))
    except QuestionError:
        document = dict(question) if isinstance(question, Mapping) else {}
    rules = read_modules(engine.source.files)
    trials = [MAX_TRIALS]
    texts = sorted({text for rule in rules for text in _list_texts(rule)})
    return Explanation(
        question=document,
        decision=decision,
        reasons=tuple(
            _explain_reason(engine, document, reason, rules, texts, trials)
            for reason in decision.reasons
        ),
    )


def _explain_reason(
    engine: "PolicyEngine",
    document: Mapping[str, Any],
    reason: str,
    rules: list[Rule],
    texts: list[str],
    trials: list[int],
) -> ReasonSource:
    packages = {f"eucora.{document.get('decision')}", "eucora.common"}
    giving = [rule for rule in rules if rule.reason == reason and rule.package in packages]
    standing_on = _follow(giving, rules)
    paths = sorted({path for rule in standing_on for path in _find_inputs(rule)})
    looked_at = {path: _look_up(document, path) for path in paths if path != "decision"}
    return ReasonSource(
        reason=reason,
        rules=tuple(
            (rule.file, rule.line, engine.source.files[rule.file][rule.start : rule.end])
            for rule in giving
        ),
        looked_at=looked_at,
        remedies=tuple(
            _find_remedies(engine, document, reason, looked_at, standing_on, texts, trials)
        ),
        note="" if giving else ENGINE_REASONS.get(reason.partition(":")[0], ""),
    )


def _follow(giving: list[Rule], rules: list[Rule]) -> list[Rule]:
    """Return rules with all that they name, in their own package or another's."""
    named: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        named.setdefault((rule.package, rule.name), []).append(rule)
    found: list[Rule] = []
    pending = list(giving)
    while pending:
        rule = pending.pop()
        if rule in found:
            continue
        found.append(rule)
        for package, name in _find_names(rule):
            if (package, name) != (rule.package, rule.name) and name != "deny":
                pending += named.get((package, name), [])
    return found


def _find_names(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield the (package, rule) names that a rule's text may refer to."""
    tokens = rule.tokens
    for position, token in enumerate(tokens):
        if token.kind != "name" or (position and tokens[position - 1].text == "."):
            continue
        if position + 2 < len(tokens) and tokens[position + 1].text == ".":
            yield f"eucora.{token.text}", tokens[position + 2].text
        else:
            yield rule.package, token.text


def _find_inputs(rule: Rule) -> Iterator[str]:
    """Yield the dotted paths of `input` that a rule names."""
    tokens = rule.tokens
    for position, token in enumerate(tokens):
        if token.text != "input":
            continue
        words: list[str] = []
        position += 1  # noqa: PLW2901 - reads on from here
        while position + 1 < len(tokens) and tokens[position].text == ".":
            words.append(tokens[position + 1].text)
            position += 2  # noqa: PLW2901
        if words:
            yield ".".join(words)


def _look_up(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for word in path.split("."):
        if not isinstance(value, Mapping) or word not in value:
            return None
        value = value[word]
    return value


def _find_remedies(
    engine: "PolicyEngine",
    document: Mapping[str, Any],
    reason: str,
    looked_at: Mapping[str, Any],
    rules: list[Rule],
    texts: list[str],
    trials: list[int],
) -> Iterator[Remedy]:
    """Yield for each value the first other one with which the policy does not give the reason."""
    for path, value in looked_at.items():
        for instead in _list_candidates(value, looked_at, rules, texts):
            if trials[0] <= 0:
                return
            trials[0] -= 1
            reasons = engine.decide(_put(document, path, instead)).reasons
            if reason not in reasons and not any(map(_is_no_question, reasons)):
                yield Remedy(path=path, value=value, instead=instead)
                break


def _list_candidates(
    value: Any, looked_at: Mapping[str, Any], rules: list[Rule], texts: list[str]
) -> Iterator[Any]:
    """Yield values of the same kind that the rules compare with, the nearest first."""
    near = [text for rule in rules for text in _list_texts(rule)]
    others = [other for other in looked_at.values() if isinstance(other, str)]
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        numbers = {
            float(one)
            for one in [*_list_numbers(rules), *looked_at.values()]
            if isinstance(one, int | float) and not isinstance(one, bool)
        }
        steps = sorted(
            (one + step for one in numbers for step in (0, 1, -1)), key=lambda one: abs(one - value)
        )
        yield from (type(value)(one) for one in steps if one >= 0 and one != value)
    elif isinstance(value, str):
        yield from dict.fromkeys(one for one in ["another", *near, *others, *texts] if one != value)
    elif isinstance(value, list):
        for position in range(len(value)):
            yield value[:position] + value[position + 1 :]
        yield from ([*value, one] for one in near)
        yield []


def _is_no_question(reason: str) -> bool:
    return reason.partition(":")[0] in ("missing", "invalid_input", "input_too_large")


def _list_texts(rule: Rule) -> list[str]:
    """Return the texts that a rule compares with: not the code that it gives."""
    texts = [token.text[1:-1] for token in rule.tokens if token.kind == "text"]
    return [text for text in texts if text and text != rule.reason]


def _list_numbers(rules: list[Rule]) -> list[float]:
    return [float(token.text) for rule in rules for token in rule.tokens if token.kind == "number"]


def _put(document: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(dict(document))
    *parents, last = path.split(".")
    place: Any = changed
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return changed

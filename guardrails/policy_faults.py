# SPDX-License-Identifier: Apache-2.0
"""Why a version does not compile, or gives no answer: in words, with file and line. Pure.

Explains what the library refused, and refuses nothing itself: it follows names, not scopes.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from guardrails.policy_decision import MAX_QUORUM, MAX_REASONS, REASON
from guardrails.rego_runtime import EvaluationError
from guardrails.rego_text import Rule, RuleKind, read_modules

FIELDS: Final = ("allow", "deny", "requires_quorum")
MAX_NAMED: Final = 5
_ERROR = re.compile(
    r"\(error \d+:(?P<file>[^|\s]+)\|(?P<start>\d+)\|(?P<length>\d+)"
    r"\s+\(errormsg \d+:(?P<message>[^\n]*)\)"
)
_RECURSION = re.compile(r"recursion", re.IGNORECASE)
ReadField = Callable[[str], object]  # its value; None where it is undefined


def describe_compile_error(files: Mapping[str, str], report: str) -> str:
    """Return what a report of the library says: places as FILE:LINE:COLUMN, and what to do."""
    found = sorted({_find_place(files, match) for match in _ERROR.finditer(report)})
    places = [f"{file}:{line}:{column}: {what}" for file, line, column, what in found]
    if not places:
        places = list(_list_repeated_defaults(files)) or [" ".join(report.split())[:300]]
    more = [f"and {len(places) - MAX_NAMED} more places"] if len(places) > MAX_NAMED else []
    listed = "\n".join(f"- {place}" for place in places[:MAX_NAMED] + more)
    return (
        f"the policies do not compile:\n{listed}\n"
        "Put that right, and try it with eucora policy test FOLDER."
    )


def _find_place(files: Mapping[str, str], match: re.Match[str]) -> tuple[str, int, int, str]:
    """Return file, line and column, both from 1, and what is wrong there."""
    message, content = match["message"].strip(), files.get(match["file"], "").encode()
    start, end = int(match["start"]), int(match["start"]) + int(match["length"])
    before = content[:start].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    word = " ".join(content[start:end].decode(errors="replace").split())[:40]
    return match["file"], line, column, f"{message[:1].lower()}{message[1:]}, at {word!r}"


def _list_repeated_defaults(files: Mapping[str, str]) -> Iterator[str]:
    first: dict[tuple[str, str], Rule] = {}
    for rule in read_modules(files):
        if rule.kind is RuleKind.DEFAULT:
            known = first.setdefault((rule.package, rule.name), rule)
            if known is not rule:
                yield f"{_place(rule)}: {rule.name} has a default already, at {_place(known)}"


def describe_no_answer(files: Mapping[str, str], decision: str, read_field: ReadField) -> str:
    """Return why a package gives no answer to an empty input.

    Args:
        files: what compiles.
        decision: the package's name.
        read_field: returns the value of one rule of it; EvaluationError as the library says.

    """
    package = f"eucora.{decision}"
    rules = read_modules(files)
    if not any(rule.package == package for rule in rules):
        present = ", ".join(sorted({rule.package for rule in rules}))
        return f"there is no package {package}, and there must be one; there are {present}"
    for field in FIELDS:
        own = [rule for rule in rules if (rule.package, rule.name) == (package, field)]
        if not own:
            return f"package {package} has no rule {field}, and needs one"
        try:
            fault = _describe_value(field, read_field(field))
        except EvaluationError as error:
            fault = _describe_error(rules, own, str(error))
        if fault:
            return f"{_place(own[0])}: {fault}"
    return f"package {package} contradicts itself for an input that states only the decision"


def _describe_error(rules: list[Rule], own: list[Rule], message: str) -> str:
    name = own[0].name
    if _RECURSION.search(message):
        cycle = _find_cycle(rules, own[0])
        return (
            f"{name} is computed from itself{_show_cycle(cycle)}; no rule may lead back to itself"
        )
    if len([rule for rule in own if rule.kind is not RuleKind.DEFAULT]) > 1:
        places = ", ".join(_place(rule) for rule in own if rule.kind is not RuleKind.DEFAULT)
        return f"{name} has several values at once, by {places}: one input may have one value only"
    return f"{name} cannot be computed ({' '.join(message.split())[:200]})"


def _show_cycle(cycle: list[Rule]) -> str:
    if not cycle:
        return ""
    names = " -> ".join(rule.name for rule in [*cycle, cycle[0]])
    return f" at {_place(cycle[0])}: {names}"


def _describe_value(field: str, value: object) -> str | None:
    """Return what is wrong with a value; None where nothing is."""
    if value is None and field != "deny":
        default = "default allow := false" if field == "allow" else f"default {field} := 2"
        return f"{field} is undefined for inputs on which none of its rules holds: add {default}"
    shown = json.dumps(value)[:80]
    if field == "deny":
        return _describe_reasons(value)
    if field == "allow" and not isinstance(value, bool):
        return f"allow is true or false, and not {shown}"
    if field == "requires_quorum" and not (type(value) is int and 1 <= value <= MAX_QUORUM):
        return f"requires_quorum is a whole number from 1 to {MAX_QUORUM}, and not {shown}"
    return None


def _describe_reasons(value: object) -> str | None:
    if not isinstance(value, list):
        shown = "undefined" if value is None else json.dumps(value)[:80]
        return f'deny is a set of reasons, deny contains "CODE" if ..., and not {shown}'
    wrong = [each for each in value if not (isinstance(each, str) and REASON.fullmatch(each))]
    if wrong:
        return (
            "a reason is a code such as role_missing, of small letters, digits and _, and not"
            f" {json.dumps(wrong[0])[:80]}"
        )
    if len(value) > MAX_REASONS:
        return f"deny has at most {MAX_REASONS} reasons, and not {len(value)}"
    return None


def _find_cycle(rules: list[Rule], start: Rule) -> list[Rule]:
    """Return the rules of a cycle that a rule leads to, in order; none where none is seen."""
    by_name: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_name.setdefault((rule.package, rule.name), []).append(rule)
    path: list[Rule] = []
    done: set[tuple[str, str]] = set()

    def visit(key: tuple[str, str]) -> list[Rule]:
        names = [(rule.package, rule.name) for rule in path]
        if key in names:
            return path[names.index(key) :]
        if key in done:
            return []
        done.add(key)
        for rule in by_name[key]:
            path.append(rule)
            for other in _list_references(rule, by_name):
                if cycle := visit(other):
                    return cycle
            path.pop()
        return []

    return visit((start.package, start.name))


def _list_references(rule: Rule, known: Mapping[tuple[str, str], object]) -> list[tuple[str, str]]:
    """Return which rules a rule may speak of: of its package, or PACKAGE.NAME of another."""
    head = next(at for at, token in enumerate(rule.tokens) if token.text == rule.name)
    found: dict[tuple[str, str], None] = {}
    words: list[str] = []
    for before, token in pairwise(rule.tokens[head:]):
        if token.kind != "name":
            continue
        words = [*words, token.text] if before.text == "." else [token.text]
        package = rule.package if len(words) == 1 else f"eucora.{words[-2]}"
        if words[0] != "input" and (package, token.text) in known:
            found[package, token.text] = None
    return list(found)


def _place(rule: Rule) -> str:
    return f"{rule.file}:{rule.line}"

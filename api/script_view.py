# SPDX-License-Identifier: Apache-2.0
"""Script versions as people look at them: code with its effects beside it, and differences. Pure.

What analysis and linter say is set beside the line that they speak of. A line that holds characters
which are not shown (control, bidirectional, zero-width) is marked, for the page leaves them out.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guardrails.effects import EffectSeverity, rank_severity
from guardrails.sanitise import plain_text

MAX_DIFFERENCES = 2000  # lines of a comparison
_USUAL = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """One line; `number` is 1-based, `effects` and `remarks` are what is said of it."""

    number: int
    text: str
    effects: tuple[Mapping[str, Any], ...]
    remarks: tuple[Mapping[str, Any], ...]
    hides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of a script."""

    name: str
    lines: tuple[CodeLine, ...]
    n_effects: int

    @property
    def is_annotated(self) -> bool:
        """Whether anything is said of any of its lines."""
        return any(line.effects or line.remarks or line.hides for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """The effects of one kind in one step: the worst severity found, and what is declared."""

    step: str
    kind: str
    severity: str
    declared: str
    lines: tuple[int, ...]
    techniques: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceLine:
    """One line of a unified difference; `sign` is "+", "-", "@" or ""."""

    sign: str
    text: str


def describe_conditions(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a manifest's conditions on metrics in words; what a missing one means, if stated."""
    return [
        f"{one['metric']} {one['operator']} {one['value']:g}"
        + (f" (missing: {missing})" if (missing := one.get("missing", _USUAL)) != _USUAL else "")
        for one in conditions
    ]


def view_steps(
    contents: Mapping[str, bytes],
    effects: Sequence[Mapping[str, Any]],
    remarks: Sequence[Mapping[str, Any]] = (),
) -> list[StepView]:
    """Return each step's lines with what is said of them; effects and remarks name their step."""
    return [
        StepView(
            name=name,
            lines=_view_lines(content, _of_step(effects, name), _of_step(remarks, name)),
            n_effects=len(_of_step(effects, name)),
        )
        for name, content in contents.items()
    ]


def _of_step(items: Sequence[Mapping[str, Any]], step: str) -> list[Mapping[str, Any]]:
    return [item for item in items if item.get("step") == step]


def _view_lines(
    content: bytes, effects: list[Mapping[str, Any]], remarks: list[Mapping[str, Any]]
) -> tuple[CodeLine, ...]:
    text = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    return tuple(
        CodeLine(
            number=number,
            text=line,
            effects=tuple(one for one in effects if one.get("line") == number),
            remarks=tuple(one for one in remarks if one.get("line") == number),
            hides=plain_text(line) != line,
        )
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1)
    )


def view_effects(
    effects: Sequence[Mapping[str, Any]], declared: Mapping[Any, Mapping[str, str]]
) -> list[EffectRow]:
    """Return found and declared effects, one row for each step and kind, in order of lines."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for effect in effects:
        groups.setdefault((str(effect.get("step", "")), str(effect["kind"])), []).append(effect)
    rows = [
        EffectRow(
            step=step,
            kind=kind,
            severity=max((str(one["severity"]) for one in found), key=_rank),
            declared=declared.get(step, {}).get(kind, ""),
            lines=tuple(sorted({int(one["line"]) for one in found})),
            techniques=tuple(
                sorted({str(one["technique"]) for one in found if one.get("technique")})
            ),
            detail=str(found[0]["detail"]),
        )
        for (step, kind), found in groups.items()
    ]
    unused = [
        EffectRow(
            step=step, kind=kind, severity="", declared=severity, lines=(), techniques=(), detail=""
        )
        for step, kinds in declared.items()
        for kind, severity in kinds.items()
        if (step, kind) not in groups
    ]
    return rows + unused


def _rank(severity: str) -> int:
    """Return what the worst is shown by: a word that is no severity hides nothing."""
    return rank_severity(severity, unknown=len(EffectSeverity))


def compare_versions(
    before: tuple[Mapping[str, Any], Mapping[str, bytes]],
    after: tuple[Mapping[str, Any], Mapping[str, bytes]],
) -> dict[str, list[DifferenceLine]]:
    """Return what differs between two versions (manifest, contents), by file; only what differs."""
    old, new = _texts(*before), _texts(*after)
    found = {}
    for name in dict.fromkeys([*old, *new]):
        lines = list(
            difflib.unified_diff(
                old.get(name, "").splitlines(), new.get(name, "").splitlines(), lineterm="", n=3
            )
        )[2 : MAX_DIFFERENCES + 2]
        if lines:
            found[name] = [_difference(line) for line in lines]
    return found


def _texts(manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, str]:
    return {
        "manifest": json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False),
        **{step: content.decode("utf-8", "replace") for step, content in contents.items()},
    }


def _difference(line: str) -> DifferenceLine:
    sign = line[:1]
    if sign == "@":
        return DifferenceLine(sign="@", text=line)
    return DifferenceLine(sign=sign.strip(), text=line[1:])

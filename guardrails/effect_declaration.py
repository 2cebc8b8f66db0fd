# SPDX-License-Identifier: Apache-2.0
"""What a manifest declares of a script's effects, compared with what its analysis finds. Pure.

A declaration names for each step the kinds of effects and the worst severity of each. What is found
and not declared blocks an import; what is declared and not found is only said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guardrails.effects import EffectKind, EffectSeverity, rank_severity

Declaration = Mapping[Any, Mapping[str, str]]  # {step: {effect kind: worst severity}}


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeclaredEffect:
    """An effect that the manifest does not declare, or declares as less severe.

    `line` is 1-based, within the step; `declared` is the severity that the manifest states, if any.
    """

    step: str
    line: int
    kind: str
    severity: str
    detail: str
    declared: str | None

    def explain(self) -> str:
        """Return what was found where, and what to do."""
        found = f"{self.step}, line {self.line}: {self.detail!r} {self.kind} ({self.severity})"
        if self.declared is None:
            return f"{found} is not declared: remove it, or declare it under effects/{self.step}"
        return (
            f"{found} is declared as {self.declared} only: make it milder, or declare"
            f" {self.kind}: {self.severity} under effects/{self.step}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectComparison:
    """What differs between a declaration and an analysis.

    Attributes:
        unknown: words in the declaration that are no effect, severity or step of the script.
        undeclared: effects in the order of steps and lines, one a kind and step and severity.
        unused: (step, kind) that is declared and not found.

    """

    unknown: tuple[str, ...]
    undeclared: tuple[UndeclaredEffect, ...]
    unused: tuple[tuple[str, str], ...]

    @property
    def blocks(self) -> bool:
        """Whether the script must not be imported as it is."""
        return bool(self.unknown or self.undeclared)


def compare_effects(
    effects: Sequence[Mapping[str, Any]], declared: Declaration, *, steps: Sequence[str]
) -> EffectComparison:
    """Compare a declaration with effects, each with `step`, `kind`, `line`, `severity`, `detail`.

    Args:
        effects: as found in all steps.
        declared: by step.
        steps: that the script has.

    """
    undeclared: dict[tuple[str, str, str], UndeclaredEffect] = {}
    for effect in effects:
        step, kind, severity = str(effect["step"]), str(effect["kind"]), str(effect["severity"])
        stated = declared.get(step, {}).get(kind)
        if stated is not None and _covers(stated, severity):
            continue
        undeclared.setdefault(
            (step, kind, severity),
            UndeclaredEffect(
                step=step,
                line=int(effect["line"]),
                kind=kind,
                severity=severity,
                detail=str(effect["detail"]),
                declared=stated,
            ),
        )
    found = {(str(effect["step"]), str(effect["kind"])) for effect in effects}
    return EffectComparison(
        unknown=_list_unknown(declared, steps),
        undeclared=tuple(undeclared.values()),
        unused=tuple(
            (step, kind)
            for step, kinds in declared.items()
            for kind in kinds
            if (step, kind) not in found
        ),
    )


def declare_effects(effects: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the declaration that says exactly what was found, kinds by name."""
    declared: dict[str, dict[str, str]] = {}
    for effect in sorted(effects, key=lambda one: str(one["kind"])):
        step, kind, severity = str(effect["step"]), str(effect["kind"]), str(effect["severity"])
        kinds = declared.setdefault(step, {})
        if not _covers(kinds.get(kind, ""), severity):
            kinds[kind] = severity
    return declared


def _covers(stated: str, severity: str) -> bool:
    """Tell whether a declared severity is at least a found one; a word that is none is not."""
    return rank_severity(stated, unknown=-1) >= rank_severity(severity, unknown=0)


def _list_unknown(declared: Declaration, steps: Sequence[str]) -> tuple[str, ...]:
    kinds, severities = set(EffectKind), set(EffectSeverity)
    found = [f"the script has no step {step}" for step in declared if step not in steps]
    for step, stated in declared.items():
        found += [f"effects/{step}: {kind} is no effect" for kind in stated if kind not in kinds]
        found += [
            f"effects/{step}/{kind}: {severity} is no severity"
            for kind, severity in stated.items()
            if severity not in severities
        ]
    return tuple(found)

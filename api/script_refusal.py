# SPDX-License-Identifier: Apache-2.0
"""Why a script's archive was not imported, in the parts that a page shows: where, what, what to do.

It says nothing that the refusal itself does not: it is the same analysis, made once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from api.script_report import examine, format_declaration
from api.script_view import StepView, view_steps
from retrieval.errors import ManifestError, UndeclaredEffectError
from retrieval.manifest import MANIFEST_FILE, SUFFIXES, CatalogueEntry

MAX_SHOWN = 20  # places; the rest is counted
MAX_VALUE_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One thing that has to change: in which file, on which line or in which field, and how."""

    file: str
    where: str
    anchor: str  # of the line in the code below, "" where there is none
    found: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRefusal:
    """A refused import.

    Attributes:
        name: the script with its version, or "" where the manifest could not be read.
        summary: why, in a sentence.
        places: what has to change, where that is known; `n_more` are left out.
        declaration: the manifest's part that would declare what was found, "" where it is not that.
        steps: the code with its effects, where it is about the code.

    """

    name: str
    summary: str
    places: tuple[Place, ...]
    n_more: int
    declaration: str
    steps: tuple[StepView, ...]


def describe_refusal(error: ManifestError, entry: CatalogueEntry | None) -> ScriptRefusal:
    """Return what a page says of a refused import; blocking where the code is analysed again.

    Args:
        error: the refusal.
        entry: what was read, None where it could not be.

    """
    if entry is not None and isinstance(error, UndeclaredEffectError):
        return _describe_undeclared(entry)
    places = _list_faults(error.__cause__)
    name = f"{entry.manifest.id} {entry.manifest.version}" if entry else ""
    return ScriptRefusal(
        name=name,
        summary="The manifest cannot be read as it is." if places else str(error),
        places=tuple(places[:MAX_SHOWN]),
        n_more=max(0, len(places) - MAX_SHOWN),
        declaration="",
        steps=(),
    )


def _describe_undeclared(entry: CatalogueEntry) -> ScriptRefusal:
    report = examine(entry, with_quality=False)
    found = report.comparison.undeclared
    suffix = SUFFIXES[entry.manifest.interpreter]
    places = [
        Place(
            file=f"{one.step}{suffix}",
            where=f"line {one.line}",
            anchor=f"{one.step}-{one.line}",
            found=f"{one.detail!r} {one.kind.replace('_', ' ')} ({one.severity})",
            what_to_do=_say_remedy(one.step, one.kind, one.severity, one.declared),
        )
        for one in found[:MAX_SHOWN]
    ]
    effects: Sequence[Mapping[str, Any]] = report.analysis["effects"]
    return ScriptRefusal(
        name=f"{entry.manifest.id} {entry.manifest.version}",
        summary="The script does what its manifest does not declare.",
        places=tuple(places),
        n_more=len(found) - len(places),
        declaration=format_declaration(effects),
        steps=tuple(view_steps(entry.steps, effects)),
    )


def _say_remedy(step: str, kind: str, severity: str, declared: str | None) -> str:
    if declared is None:
        return f"not declared: remove it, or declare {kind}: {severity} under effects/{step}"
    return (
        f"declared as {declared} only: make it milder, or declare {kind}: {severity}"
        f" under effects/{step}"
    )


def _list_faults(cause: BaseException | None) -> list[Place]:
    """Return where in the manifest the faults are that a parser named."""
    if isinstance(cause, ValidationError):
        return [
            Place(
                file=MANIFEST_FILE,
                where=" / ".join(map(str, fault["loc"])) or "the whole file",
                anchor="",
                found=_shorten(fault["input"]) if fault["type"] != "missing" else "missing",
                what_to_do=fault["msg"],
            )
            for fault in cause.errors(include_url=False)
        ]
    if isinstance(cause, yaml.MarkedYAMLError) and cause.problem_mark is not None:
        mark = cause.problem_mark
        return [
            Place(
                file=MANIFEST_FILE,
                where=f"line {mark.line + 1}, column {mark.column + 1}",
                anchor="",
                found="no valid YAML",
                what_to_do=" ".join(filter(None, (cause.context, cause.problem))),
            )
        ]
    return []


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"

# SPDX-License-Identifier: Apache-2.0
"""One report as the row that is stored: normalised, masked, free of what PostgreSQL cannot hold.

Log lines are free text and always masked. Names of processes, services and applications are the
device's vocabulary, and scripts are bound to them; they are masked only where they hold an
address, a path through somebody's home folder or a name of the directory. jsonb cannot hold U+0000.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from contracts.telemetry import TelemetryReport
from telemetry.normalisation import collect_facts, flatten_metrics

_PERSONAL_NAME = re.compile(r"@|(?:^|[/\\])(?:home|users|media)[/\\]", re.IGNORECASE)
_FREE_TEXT = frozenset({"message"})


class MaskedText(Protocol):
    """Text with pseudonyms in place of personal data."""

    @property
    def text(self) -> str:
        """The masked text."""
        ...


class TextMasker(Protocol):
    """Replaces personal data by pseudonyms; guardrails' Masker is one."""

    def mask(self, text: str) -> MaskedText:
        """Return the masked text."""
        ...

    def knows_person(self, text: str) -> bool:
        """Tell whether a short text names a person of the directory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One report, ready to be stored; JSON as text."""

    report: TelemetryReport
    observed_at: datetime
    user_id: str | None
    metrics_json: str
    facts_json: str

    @property
    def key(self) -> tuple[datetime, str]:
        """What identifies a report."""
        return self.observed_at, self.report.report_id


def build_row(report: TelemetryReport, masker: TextMasker) -> ReportRow:
    """Normalise and mask a report whose timestamp was found sound."""
    names: dict[str, str] = {}

    def mask_name(name: str) -> str:
        if name not in names:
            names[name] = _mask_name(name, masker)
        return names[name]

    metrics: dict[str, float] = {}
    for name, value in flatten_metrics(report).items():
        family, colon, rest = name.partition(":")
        metrics[f"{family}:{mask_name(rest)}" if colon else name] = value
    facts = _mask_facts(collect_facts(report), mask_name, masker)
    return ReportRow(
        report=report,
        observed_at=report.timestamp.astimezone(UTC),
        user_id=drop_controls(report.user_id) if report.user_id else None,
        metrics_json=msgspec.json.encode(metrics).decode(),
        facts_json=msgspec.json.encode(facts).decode(),
    )


def drop_controls(text: str) -> str:
    """Return text without control and format characters; white space becomes blanks.

    Among them are those that reverse what is written: a name must read as it is.
    """
    if text.isprintable():
        return text
    kept = (" " if each.isspace() else each for each in text)
    return "".join(each for each in kept if each.isprintable())


def _mask_facts(value: Any, mask_name: Callable[[str], str], masker: TextMasker) -> Any:
    if isinstance(value, dict):
        return {
            key: masker.mask(drop_controls(inner)).text
            if key in _FREE_TEXT
            else _mask_facts(inner, mask_name, masker)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_mask_facts(inner, mask_name, masker) for inner in value]
    return mask_name(value) if isinstance(value, str) else value


def _mask_name(name: str, masker: TextMasker) -> str:
    clean = drop_controls(name)
    is_personal = names_a_person(clean) or masker.knows_person(clean)
    return masker.mask(clean).text if is_personal else clean


def names_a_person(name: str) -> bool:
    """Tell whether a name of a thing holds an address or a path through somebody's folder."""
    return _PERSONAL_NAME.search(name) is not None

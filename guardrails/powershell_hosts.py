# SPDX-License-Identifier: Apache-2.0
"""Machines whose names a PowerShell script puts together: even a mere look sends them data."""

import re
from collections.abc import Mapping
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_folding import put_values
from guardrails.powershell_scope import PowershellScope
from guardrails.script_reading import Reading
from guardrails.syntax_trees import blank_spans
from guardrails.windows_hosts import asks_computed_machine, asks_computed_share, is_computed_host

_ASSIGNED: Final = re.compile(r"\$\{?(?:\w+:)?(\w+)\}?\s*\+?=(?!=)\s*([^;\n]{1,400})")
_STRING: Final = re.compile(r"\"[^\"\n]{1,300}\"|'[^'\n]{1,300}'")
_HOLDS_SHARE: Final = re.compile(r"\\\\|//")
_SHARE_BEGINS: Final = re.compile(r"[\"']\\\\[\"']")
_GROWS: Final = re.compile(r"\+=\s*[\"']\.[a-z0-9-]+\.[a-z]", re.IGNORECASE)  # a domain
_MAX_ASSIGNED: Final = 2000
_MAX_PASSES: Final = 4
_MAX_LINE: Final = 4096
_COPY: Final = re.compile(r"[\s\"(]*\$\{?(?:\w+:)?(\w+)\}?[\s\")]*")


class HostJudge:
    """Judges the names of other machines in one script; adds to its reading."""

    def __init__(
        self, scope: PowershellScope, variables: Mapping[str, Any], reading: Reading
    ) -> None:
        self._variables = variables
        self._reading = reading
        names = self._list_computed(scope)
        # A variable that holds such a name is shown as one.
        self._named = re.compile(
            rf"\$\{{?(?:{'|'.join(sorted(names))})\b\}}?(?!\.\w)" if names else r"(?!)",
            re.IGNORECASE,
        )

    @staticmethod
    def _list_computed(scope: PowershellScope) -> set[str]:
        assigned = _ASSIGNED.findall(scope.text)[:_MAX_ASSIGNED]
        names = {
            name
            for name, value in assigned
            if is_computed_host(value) or any(map(is_computed_host, _STRING.findall(value)))
        }
        for _ in range(_MAX_PASSES):
            copies = {n for n, value in assigned if (m := _COPY.fullmatch(value)) and m[1] in names}
            if copies <= names:
                break
            names |= copies
        return names

    def judge(self, text: str, line: int) -> None:
        """Judge the text of a command or a call."""
        shown = self._named.sub("$x.host.x", put_values(text, self._variables)[:_MAX_LINE])
        if asks_computed_share(shown) or asks_computed_machine(shown):
            self._reading.add(EffectKind.SENDS_DATA, EffectSeverity.MEDIUM, line, text)

    def judge_lines(self, source: bytes, comments: list[Any], first_line: int) -> None:
        """Judge paths wherever they stand: in assignments, tables and lists too."""
        spans = [(node.start_byte, node.end_byte) for node in comments]
        text = blank_spans(source, spans).decode("utf-8", "replace")
        if "\\\\" not in text and "//" not in text:
            return
        shares = _SHARE_BEGINS.search(text) is not None
        lines = (each[:_MAX_LINE] for each in text.split("\n"))
        for number, written in enumerate(lines, start=first_line):
            grows = shares and _GROWS.search(written)
            if grows or (_HOLDS_SHARE.search(written) and asks_computed_share(written)):
                self._reading.add(EffectKind.SENDS_DATA, EffectSeverity.MEDIUM, number, written)

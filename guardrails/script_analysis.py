# SPDX-License-Identifier: Apache-2.0
"""Static analysis of a remediation script: what its text says it does, and if it can be judged.

The script is parsed by tree-sitter (zsh with the bash grammar) and each command is looked up in
the tables of guardrails.effects. Analysis informs risk and policy; it proves nothing safe. A
script that does not parse, or runs code that is not in its text, is not judgeable.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import tree_sitter_bash
import tree_sitter_powershell
from tree_sitter import Language, Parser

from guardrails.bash_commands import list_bash_effects
from guardrails.effects import Effect, EffectKind, EffectSeverity
from guardrails.powershell_commands import list_powershell_effects

MAX_SCRIPT_BYTES: Final = 1024 * 1024
_NUMBER_BASE: Final = re.compile(r"(?<![\w{$#])(?:[2-9]|[1-5]\d|6[0-4])#(?=\$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptAnalysis:
    """What a script does, as far as its text shows.

    Attributes:
        parsed: the grammar accepts all of it.
        effects: in the order of lines.
        severity: of the worst effect.
        judgeable: parsed, and all code that it runs stands in its text.

    """

    parsed: bool
    effects: tuple[Effect, ...]
    severity: EffectSeverity
    judgeable: bool


def analyse_script(interpreter: str, content: bytes) -> ScriptAnalysis:
    """Analyse one script.

    Args:
        interpreter: `bash`, `zsh` or `powershell`; another one gives an unjudgeable script.
        content: its exact bytes.

    """
    if interpreter not in ("bash", "zsh", "powershell") or len(content) > MAX_SCRIPT_BYTES:
        return _summarise(parsed=False, effects=(), dynamic=True)
    text = _decode(content)
    if text is None:
        return _summarise(parsed=False, effects=(), dynamic=True)
    if interpreter == "powershell":
        root = Parser(_load_language(interpreter)).parse(text.encode()).root_node
        found, dynamic = list_powershell_effects(root)
    else:
        root = _parse_bash(text)
        found, dynamic = list_bash_effects(root, _parse_bash)
    return _summarise(parsed=not root.has_error, effects=found, dynamic=dynamic)


def combine_analyses(analyses: Iterable[ScriptAnalysis]) -> ScriptAnalysis:
    """Return the analysis of several steps together: the worst of each; none is unjudgeable."""
    steps = tuple(analyses)
    return ScriptAnalysis(
        parsed=bool(steps) and all(step.parsed for step in steps),
        effects=tuple(effect for step in steps for effect in step.effects),
        severity=_worst(step.severity for step in steps),
        judgeable=bool(steps) and all(step.judgeable for step in steps),
    )


def analysis_document(analysis: ScriptAnalysis) -> dict[str, Any]:
    """Return the analysis as JSON, for the catalogue and the evidence."""
    return {
        "parsed": analysis.parsed,
        "judgeable": analysis.judgeable,
        "severity": analysis.severity.value,
        "effects": [
            {
                "kind": effect.kind.value,
                "line": effect.line,
                "detail": effect.detail,
                "severity": effect.severity.value,
            }
            for effect in analysis.effects
        ],
    }


def _decode(content: bytes) -> str | None:
    """Return the text, or None when bytes hide something: NUL, not UTF-8."""
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.replace("\r\n", "\n")


@cache
def _load_language(interpreter: str) -> Language:
    if interpreter == "powershell":
        return Language(tree_sitter_powershell.language())
    return Language(tree_sitter_bash.language())


def _parse_bash(text: str) -> Any:
    """Parse bash; a base before a variable (`8#$mode`), which the grammar lacks, is blanked."""
    blanked = _NUMBER_BASE.sub(lambda match: " " * len(match.group()), text)
    return Parser(_load_language("bash")).parse(blanked.encode()).root_node


def _summarise(*, parsed: bool, effects: Iterable[Effect], dynamic: bool) -> ScriptAnalysis:
    ordered = tuple(sorted(set(effects), key=lambda effect: (effect.line, effect.kind)))
    return ScriptAnalysis(
        parsed=parsed,
        effects=ordered,
        severity=_worst(effect.severity for effect in ordered),
        judgeable=parsed and not dynamic,
    )


def _worst(severities: Iterable[EffectSeverity]) -> EffectSeverity:
    return max(severities, key=lambda severity: severity.rank, default=EffectSeverity.NONE)


__all__ = [
    "Effect",
    "EffectKind",
    "EffectSeverity",
    "ScriptAnalysis",
    "analyse_script",
    "analysis_document",
    "combine_analyses",
]

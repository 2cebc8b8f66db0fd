# SPDX-License-Identifier: Apache-2.0
"""What is known of a script folder before it is imported: effects, declaration, quality.

Also writes the declaration that says exactly what the analysis finds, for its author to check.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardrails.effect_declaration import EffectComparison, compare_effects, declare_effects
from guardrails.script_analysis import analyse_files
from guardrails.shell_quality import QualityReport, check_quality
from retrieval.errors import ManifestError, UndeclaredEffectError
from retrieval.manifest import MANIFEST_FILE, STEPS, CatalogueEntry
from retrieval.starter_release import check_author

MAX_NAMED = 10  # findings that a refusal spells out
_BLOCK = re.compile(r"^effects:.*\n(?:(?:[ \t].*)?\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptReport:
    """A script folder, examined.

    Attributes:
        entry: what was read.
        analysis: the effects of all steps, each with its step; see `analysis_document`.
        comparison: with what the manifest declares.
        quality: the linter's remarks.

    """

    entry: CatalogueEntry
    analysis: Mapping[str, Any]
    comparison: EffectComparison
    quality: QualityReport

    @property
    def warnings(self) -> tuple[str, ...]:
        """What does not block an import, in words."""
        warnings = [
            f"effects/{step}: {kind} is declared and was not found: remove it"
            for step, kind in self.comparison.unused
        ]
        if self.analysis.get("judgeable") is not True:
            warnings += _list_doubts(self.analysis.get("reasons", ()))
        return tuple(warnings)

    def check(self) -> None:
        """Check that it may be imported.

        Raises:
            UndeclaredEffectError: it does what its manifest does not declare.
            ManifestError: the declaration has unknown words, or the author is reserved.
        """
        name = self.entry.manifest.id
        if self.comparison.unknown:
            raise ManifestError(f"{name}: {'; '.join(self.comparison.unknown[:MAX_NAMED])}")
        if found := self.comparison.undeclared:
            sentences = [one.explain() for one in found[:MAX_NAMED]]
            if len(found) > MAX_NAMED:
                sentences.append(f"and {len(found) - MAX_NAMED} more")
            raise UndeclaredEffectError("\n  ".join([f"{name}:", *sentences]))
        check_author(self.entry)


def _list_doubts(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    consequence = (
        "what it does cannot be judged from its text: a security reviewer must approve it,"
        " and every proposal of it goes to the board"
    )
    doubts = [consequence]
    doubts += [
        f"{one.get('step', '')}, line {one['line']}: {one['reason']}" for one in reasons[:MAX_NAMED]
    ]
    if len(reasons) > MAX_NAMED:
        doubts.append(f"and {len(reasons) - MAX_NAMED} more such places")
    return doubts


def examine(entry: CatalogueEntry, *, with_quality: bool = True) -> ScriptReport:
    """Analyse a script; blocking, within a second where the linter answers."""
    manifest = entry.manifest
    analysis = analyse_files(manifest.interpreter, entry.steps)
    return ScriptReport(
        entry=entry,
        analysis=analysis,
        comparison=compare_effects(analysis["effects"], manifest.effects, steps=tuple(entry.steps)),
        quality=check_quality(manifest.interpreter, entry.steps)
        if with_quality
        else QualityReport(unchecked="not asked for"),
    )


def format_declaration(effects: Sequence[Mapping[str, Any]]) -> str:
    """Return the manifest's part that declares effects, as YAML."""
    declared = declare_effects(effects)
    if not declared:
        return "effects: {}\n"
    lines = ["effects:"]
    for step in STEPS:
        if kinds := declared.get(step):
            lines.append(f"  {step}:")
            lines += [f"    {kind}: {severity}" for kind, severity in kinds.items()]
    return "\n".join(lines) + "\n"


def write_declaration(folder: Path, effects: Sequence[Mapping[str, Any]]) -> bool:
    """Put the declaration into a folder's manifest; return whether that changed it.

    All else in the file stays as it is, comments too.

    Raises:
        ManifestError: the manifest is a link.
        OSError, UnicodeDecodeError: it cannot be read or written.
    """
    path = folder / MANIFEST_FILE
    if path.is_symlink():
        raise ManifestError(f"{path} is a link: a declaration is written into the file itself")
    before = path.read_text(encoding="utf-8")
    rest = _BLOCK.sub("", before).rstrip("\n")
    after = f"{rest}\n{format_declaration(effects)}"
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before

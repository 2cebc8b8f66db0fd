# SPDX-License-Identifier: Apache-2.0
"""Static analysis of a remediation script: what its text says it does, and if it can be judged.

Two readings are joined. Syntax trees (tree-sitter for PowerShell, bash and zsh, Python's own, a
reader of lines for cmd) give the effects of commands, and what keeps a script from being judged:
what does not parse, and code that is computed or not in the text. Signs of attack techniques are
found in every statement, whether it parses or not. Code for another interpreter is analysed in its
turn. Analysis informs risk and policy; it proves nothing safe.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from guardrails.bash_commands import BashReader
from guardrails.bash_openings import list_openings
from guardrails.cmd_commands import list_cmd_effects
from guardrails.danger_effects import score_danger
from guardrails.effects import Doubt, Effect, EffectKind, EffectSeverity
from guardrails.powershell_commands import PowershellReader
from guardrails.python_commands import find_syntax_error, read_python
from guardrails.script_reading import Deadline, DeadlineError, NestedCode, Reading
from guardrails.script_statements import list_statements
from guardrails.syntax_trees import blank_spans, find_nodes, is_readable, parse, place_error
from guardrails.technique_effects import SignFinder

MAX_SCRIPT_BYTES: Final = 1024 * 1024
MAX_NESTING: Final = 4
MAX_NESTED_PIECES: Final = 64
MAX_EFFECTS: Final = 2000
MAX_DOUBTS: Final = 100
_MAX_ERROR_LINES: Final = 20
_SIGNS: Final = {
    "powershell": "windows",
    "cmd": "windows",
    "bash": "unix",
    "zsh": "unix",
    "osascript": "unix",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptAnalysis:
    """What a script does, as far as its text shows.

    Attributes:
        parsed: the grammar accepts all of it, and of the code inside it.
        effects: in the order of lines.
        severity: of the worst effect.
        judgeable: parsed, and all code that it runs stands in its text.
        doubts: why it is not judgeable, by lines; empty when it is.
        danger: how far it is from ordinary administration (guardrails.danger_effects); only to
            rank scripts by.

    """

    parsed: bool
    effects: tuple[Effect, ...]
    severity: EffectSeverity
    judgeable: bool
    doubts: tuple[Doubt, ...] = ()
    danger: float = 0.0


def analyse_script(interpreter: str, content: bytes) -> ScriptAnalysis:
    """Analyse one script; never raises, whatever the bytes.

    Args:
        interpreter: `bash`, `zsh`, `powershell`, `cmd` or `python`; another one gives an
            unjudgeable script.
        content: its exact bytes.

    """
    if interpreter not in ("bash", "zsh", "powershell", "cmd", "python"):
        return _refuse(f"scripts of {interpreter[:40]} are not analysed")
    if len(content) > MAX_SCRIPT_BYTES:
        return _refuse(f"longer than {MAX_SCRIPT_BYTES} bytes")
    text = _decode(content)
    if text is None:
        return _refuse("not UTF-8 text, or holds NUL characters")
    work = _Work(Deadline())
    if interpreter in ("bash", "zsh") and b"\r" in content:
        line = content.count(b"\n", 0, content.index(b"\r")) + 1
        work.doubt(line, "carriage returns, which the shell takes for characters of words")
    try:
        work.analyse(NestedCode(interpreter=interpreter, code=text, line=1), nesting=0)
    except DeadlineError:
        work.give_up()
    return work.summarise()


def combine_analyses(analyses: Iterable[ScriptAnalysis]) -> ScriptAnalysis:
    """Return the analysis of several steps together: the worst of each; none is unjudgeable."""
    steps = tuple(analyses)
    effects = tuple(effect for step in steps for effect in step.effects)
    return ScriptAnalysis(
        parsed=bool(steps) and all(step.parsed for step in steps),
        effects=effects,
        severity=_worst(step.severity for step in steps),
        judgeable=bool(steps) and all(step.judgeable for step in steps),
        doubts=tuple(doubt for step in steps for doubt in step.doubts),
        danger=score_danger(effects),
    )


def analysis_document(analysis: ScriptAnalysis) -> dict[str, Any]:
    """Return the analysis as JSON, for the catalogue and the evidence."""
    return {
        "parsed": analysis.parsed,
        "judgeable": analysis.judgeable,
        "severity": analysis.severity.value,
        "danger": analysis.danger,
        "reasons": [{"line": doubt.line, "reason": doubt.reason} for doubt in analysis.doubts],
        "effects": [
            {
                "kind": effect.kind.value,
                "line": effect.line,
                "detail": effect.detail,
                "severity": effect.severity.value,
                "technique": effect.technique,
                "suspicion": effect.suspicion,
            }
            for effect in analysis.effects
        ],
    }


def analyse_files(interpreter: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the effects of all steps; what one step hides makes the whole unjudgeable.

    A script without steps cannot be judged either.
    """
    analyses = {step: _analyse(interpreter, content) for step, content in files.items()}
    document = analysis_document(combine_analyses(analyses.values()))
    steps = [step for step, analysis in analyses.items() for _ in analysis.effects]
    document["effects"] = [
        {"step": step, **effect} for step, effect in zip(steps, document["effects"], strict=True)
    ]
    steps = [step for step, analysis in analyses.items() for _ in analysis.doubts]
    document["reasons"] = [
        {"step": step, **reason} for step, reason in zip(steps, document["reasons"], strict=True)
    ]
    return document


@lru_cache(maxsize=512)
def _analyse(interpreter: str, content: bytes) -> ScriptAnalysis:
    """Analyse bytes once: the same bytes have the same effects, and parsing is slow."""
    return analyse_script(interpreter, content)


def _decode(content: bytes) -> str | None:
    """Return the text, or None when bytes hide something: NUL, not UTF-8."""
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n")


class _Work:
    """Gathers the effects and doubts of a script and of the code inside it."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._effects: dict[tuple[int, EffectKind, str | None], Effect] = {}
        self._doubts: set[Doubt] = set()
        self._parsed = True
        self._pieces = 0

    def analyse(self, piece: NestedCode, *, nesting: int) -> None:
        self._deadline.check()
        self._pieces += 1
        if nesting > MAX_NESTING or self._pieces > MAX_NESTED_PIECES:
            self._doubts.add(Doubt(line=piece.line, reason="code inside code, too deep to follow"))
            return
        reading, statements = self._read(piece, nesting)
        shift = piece.line - 1 if nesting == 0 else None
        for effect in reading.effects:
            self._keep(effect, piece.line if shift is None else effect.line)
        for doubt in reading.doubts:
            line = piece.line if shift is None else doubt.line
            self._doubts.add(Doubt(line=line, reason=doubt.reason))
        finder = SignFinder(_SIGNS.get(piece.interpreter, "any"))
        for line, statement in statements:
            self._deadline.check()
            for effect in finder.find(statement, piece.line if nesting else line):
                self._keep(effect, effect.line)
        if finder.is_exhausted:
            self._doubts.add(Doubt(line=piece.line, reason="too repetitive to be read to its end"))
        for inner in reading.nested:
            line = piece.line if nesting else inner.line
            self.analyse(replace(inner, line=line), nesting=nesting + 1)

    def _read(self, piece: NestedCode, nesting: int) -> tuple[Reading, Iterator[tuple[int, str]]]:
        interpreter = piece.interpreter
        text = piece.code.encode("utf-8", "replace").decode()  # no lone surrogates
        if interpreter in ("powershell", "bash", "zsh"):
            return self._read_tree(piece, text, nesting)
        if interpreter == "cmd":
            reading, parsed = list_cmd_effects(text, self._deadline)
        elif interpreter == "python":
            reading, parsed = read_python(text, self._deadline)
            if not parsed and not nesting and (place := find_syntax_error(text)):
                self._fail(place[0], f"does not parse, at column {place[1]}: {place[2]}")
                return reading, list_statements(interpreter, text)
        else:
            reading, parsed = Reading(), True
            reading.doubt(1, f"code of {interpreter} is not analysed")
        if not parsed:
            self._fail(1 if not nesting else piece.line)
        return reading, list_statements(interpreter, text)

    def _read_tree(
        self, piece: NestedCode, text: str, nesting: int
    ) -> tuple[Reading, Iterator[tuple[int, str]]]:
        interpreter, line = piece.interpreter, piece.line
        language = "powershell" if interpreter == "powershell" else "bash"
        source = text.encode("utf-8", "replace")
        if not is_readable(source):
            self._fail(line, "nests too deeply, or pipes too long, to be read")
            return Reading(), list_statements(interpreter, text)
        root = parse(language, source, self._deadline, dialect=interpreter)
        nodes = find_nodes(language, root)
        self._deadline.check()
        if root.has_error:
            found = {place_error(node) for node in nodes.get("error", ())} or {(0, 0)}
            for row, column in _first_of_lines(found)[:_MAX_ERROR_LINES]:
                if nesting:
                    self._fail(line)
                else:
                    self._fail(row + 1, f"does not parse, from column {column + 1} on")
        spans = [(node.start_byte, node.end_byte) for node in nodes.get("comment", ())]
        code = blank_spans(source, spans).decode("utf-8", "replace")
        if language == "powershell":
            reader = PowershellReader(source)
            reading = reader.read(nodes, self._deadline)
            return reading, list_statements(interpreter, code, reader.history)
        bash = BashReader(
            nodes, text, self._deadline, dialect=interpreter, functions=piece.functions
        )
        reading = bash.read()
        list_openings(nodes, source, self._deadline, dialect=interpreter, reading=reading)
        return reading, list_statements(interpreter, code)

    def give_up(self) -> None:
        """Say that the time is up; what was found until then stays."""
        self._fail(1, "takes too long to be read")

    def doubt(self, line: int, reason: str) -> None:
        """Note why this line cannot be judged."""
        self._doubts.add(Doubt(line=line, reason=reason))

    def _fail(self, line: int, reason: str = "does not parse") -> None:
        self._parsed = False
        self._doubts.add(Doubt(line=line, reason=reason))

    def _keep(self, effect: Effect, line: int) -> None:
        key = (line, effect.kind, effect.technique)
        known = self._effects.get(key)
        if known is None and len(self._effects) >= MAX_EFFECTS:
            self._doubts.add(Doubt(line=line, reason=f"more than {MAX_EFFECTS} effects"))
            return
        if known is None or _weight(effect) > _weight(known):
            self._effects[key] = Effect(
                kind=effect.kind,
                line=line,
                detail=effect.detail.encode("utf-8", "replace").decode(),
                severity=effect.severity,
                technique=effect.technique,
                suspicion=effect.suspicion,
            )

    def summarise(self) -> ScriptAnalysis:
        effects = tuple(
            sorted(
                self._effects.values(),
                key=lambda effect: (effect.line, effect.kind, effect.technique or ""),
            )
        )
        return ScriptAnalysis(
            parsed=self._parsed,
            effects=effects,
            severity=_worst(effect.severity for effect in effects),
            judgeable=self._parsed and not self._doubts,
            doubts=tuple(sorted(self._doubts))[:MAX_DOUBTS],
            danger=score_danger(effects),
        )


def _first_of_lines(places: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first (row, column in bytes) of each row, in order."""
    return sorted(dict(sorted(places, reverse=True)).items())


def _weight(effect: Effect) -> tuple[int, float]:
    return effect.severity.rank, effect.suspicion


def _refuse(reason: str) -> ScriptAnalysis:
    return ScriptAnalysis(
        parsed=False,
        effects=(),
        severity=EffectSeverity.NONE,
        judgeable=False,
        doubts=(Doubt(line=1, reason=reason),),
    )


def _worst(severities: Iterable[EffectSeverity]) -> EffectSeverity:
    return max(severities, key=lambda severity: severity.rank, default=EffectSeverity.NONE)


__all__ = [
    "Doubt",
    "Effect",
    "EffectKind",
    "EffectSeverity",
    "ScriptAnalysis",
    "analyse_script",
    "analysis_document",
    "combine_analyses",
]

# SPDX-License-Identifier: Apache-2.0
"""Modules of Python that a shell runs with `python -m`: what each form of their arguments does.

A form that only looks is free; one that writes names its target, which is judged by its path, and
one that changes the device has an effect. A module or a form that no row has is a doubt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from guardrails.bash_words import Word
from guardrails.effects import EffectKind

_COMPUTED: Final = "\0"
_OPERAND: Final = r"[^-\s]\S*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleRun:
    """What a module that is run does.

    Attributes:
        kind: of its effect; None when it changes nothing but its target.
        target: the file or folder that it writes; empty when it writes none.
        doubt: why nobody can tell; empty otherwise.

    """

    kind: EffectKind | None = None
    target: str = ""
    doubt: str = ""


# Rows of (module, form of the arguments, effect); the group `target` is what is written. An archive
# of tar may leave the folder it is extracted to, unless Python's filter for data keeps it inside.
_ROWS: Final = (
    ("platform", r"(?: ?(?:--)?(?:terse|nonaliased))*", None),
    ("sysconfig", "", None),
    ("this", "", None),
    ("site", r"(?: ?--user-(?:base|site))*", None),
    ("calendar", r"(?:\d{1,4}(?: \d{1,2})?)?", None),
    ("tabnanny", rf"(?:-[vq]+ )?{_OPERAND}", None),
    ("base64", rf"(?:-[edut])?(?: ?{_OPERAND})?", None),
    (
        "json.tool",
        rf"(?:--(?:sort-keys|compact|no-indent|json-lines|indent[= ]\d) ?)*(?:{_OPERAND})?",
        None,
    ),
    ("tarfile", rf"(?:-v )?(?:-l|-t|--list|--test) {_OPERAND}", None),
    ("tarfile", rf"(?:-v )?(?:-c|--create) (?P<target>{_OPERAND})(?: {_OPERAND})+", None),
    (
        "tarfile",
        rf"(?:-v )?--filter[= ]data (?:-e|--extract) {_OPERAND} (?P<target>{_OPERAND})",
        None,
    ),
    ("zipfile", rf"(?:-l|-t|--list|--test) {_OPERAND}", None),
    ("zipfile", rf"(?:-c|--create) (?P<target>{_OPERAND})(?: {_OPERAND})+", None),
    ("zipfile", rf"(?:-e|--extract) {_OPERAND} (?P<target>{_OPERAND})", None),
    ("ensurepip", r"--version", None),
    ("ensurepip", r"(?: ?(?:--upgrade|--user|--default-pip|-v|-U))*", EffectKind.CHANGES_SOFTWARE),
    (
        "venv",
        rf"(?:--(?:without-pip|system-site-packages|symlinks|copies) )*(?P<target>{_OPERAND})",
        EffectKind.CHANGES_SOFTWARE,
    ),
    ("pip", r"(?s:.*)", EffectKind.CHANGES_SOFTWARE),
    ("http.server", r"(?s:.*)", EffectKind.OPENS_NETWORK),
)
_FORMS: Final = tuple((module, re.compile(form), kind) for module, form, kind in _ROWS)


def run_module(words: Sequence[Word]) -> ModuleRun:
    """Return what a module does.

    Args:
        words: the module's name, and its arguments.

    """
    name = words[0].value if words else None
    line = _join(words[1:])
    for module, form, kind in _FORMS:
        match = form.fullmatch(line) if module == name else None
        if match is None:
            continue
        target = match.groupdict().get("target") or ""
        if _COMPUTED in target:
            return ModuleRun(doubt=f"what the module {module} of python writes is computed")
        return ModuleRun(kind=kind, target=target)
    return ModuleRun(doubt=f"runs the module {name or 'that is computed'} of python"[:80])


def _join(words: Sequence[Word]) -> str:
    """Return arguments as one line, with signs for what is computed and for blanks inside one."""
    parts = []
    for word in words:
        if word.value is None:
            # Unquoted, or at its start, what is computed may be options and more words than one.
            plain = word.raw[:1] == '"' and not word.is_pattern
            parts.append(_COMPUTED if plain else f"-{_COMPUTED}")
        else:
            parts.append(re.sub(r"\s", "_", word.value) or _COMPUTED)
            if word.is_pattern:
                parts.append(f"-{_COMPUTED}")
    return " ".join(parts)

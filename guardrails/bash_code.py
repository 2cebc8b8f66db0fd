# SPDX-License-Identifier: Apache-2.0
"""Interpreters in a bash or zsh script: the code that they are given, where the text shows it."""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from guardrails.bash_words import Word
from guardrails.python_module_runs import ModuleRun, run_module
from guardrails.script_reading import INTERPRETERS

SHELLS: Final = frozenset("sh bash zsh dash ksh ash mksh rbash rzsh ksh93 yash posh".split())
OTHER_INTERPRETERS: Final = frozenset(
    "perl ruby node nodejs osascript php lua luajit tclsh wish expect swift java jshell groovy"
    " pwsh powershell Rscript R julia guile scheme racket sbcl deno bun ghci runghc erl elixir"
    " fish csh tcsh xonsh nu gdb lldb ed ex vi vim view nvim emacs nano m4 dc octave gnuplot"
    " ipython ipython3 pypy pypy3 jjs rhino js qjs go cargo make gmake cmake ninja gcc cc clang".split()
)
_PYTHON: Final = re.compile(r"python(?:[23](?:\.\d{1,2})?)?")
_VERSIONS: Final = frozenset(("--version", "-V", "-v", "--help", "-version"))
_SHELL_FLAGS: Final = re.compile(r"[-+][abefhiklmnprstuvxBCDEHPTX]+")
_WITH_CODE: Final = re.compile(r"-[A-Za-z]*c[A-Za-z]*")
_FROM_INPUT: Final = re.compile(r"-[A-Za-z]*s[A-Za-z]*")
_SHELL_LONG: Final = frozenset(
    ("--norc", "--noprofile", "--login", "--posix", "--verbose", "--restricted", "--noediting",
     "--no-rcs", "--no-globalrcs", "--protected", "--emacs", "--vi")
)  # fmt: skip
_PYTHON_FLAGS: Final = re.compile(r"-[bBdEiIOPqRsSuvx]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterCall:
    """What an interpreter runs.

    Attributes:
        interpreter: as guardrails.script_reading names it; empty for one that is not analysed.
        code: the code, when the text shows it.
        reads_input: it reads code from where its input comes from.
        doubt: why nobody can tell; empty otherwise.
        module: what a module run with `python -m` does; None when none is.

    """

    interpreter: str = ""
    code: str | None = None
    reads_input: bool = False
    doubt: str = ""
    module: ModuleRun | None = None


def is_interpreter(name: str) -> bool:
    """Say whether a program runs code that it is given."""
    return name in SHELLS or name in OTHER_INTERPRETERS or bool(_PYTHON.fullmatch(name))


def read_interpreter(name: str, words: Sequence[Word]) -> InterpreterCall:
    """Return what an interpreter runs, by its arguments."""
    if words and all(word.value in _VERSIONS for word in words):
        return InterpreterCall()
    if name in SHELLS:
        return _read_shell(name, words)
    if _PYTHON.fullmatch(name):
        return _read_python(words)
    if name == "osascript" and words and words[0].value == "-e":
        return _read_osascript(words)
    return InterpreterCall(doubt=f"code for {name} is not analysed")


def _read_osascript(words: Sequence[Word]) -> InterpreterCall:
    lines: list[str] = []
    for position, word in enumerate(words):
        if position % 2 == 0 and word.value != "-e":
            break
        if position % 2:
            if word.value is None:
                return InterpreterCall(doubt="code for osascript cannot be read")
            lines.append(word.value)
    return InterpreterCall(interpreter="osascript", code="\n".join(lines))


def _read_shell(name: str, words: Sequence[Word]) -> InterpreterCall:
    interpreter = INTERPRETERS.get(name, "bash")
    position = 0
    options: list[str] = []
    while position < len(words):
        value = words[position].value
        length = _length_of_option(value)
        if length == 0:
            break
        if value is None or length is None:
            return InterpreterCall(doubt=f"options of {name} are not followed")
        options.append(value)
        position += length
        if value in ("--", "-"):
            break
    given = words[position].value if position < len(words) else None
    if any(_WITH_CODE.fullmatch(option) for option in options):
        if given is None:
            return InterpreterCall(doubt=f"code for {name} cannot be read")
        return InterpreterCall(interpreter=interpreter, code=given)
    from_input = any(_FROM_INPUT.fullmatch(option) for option in options)
    if position >= len(words) or from_input or given == "/dev/stdin":
        return InterpreterCall(interpreter=interpreter, reads_input=True)
    return InterpreterCall(doubt="runs code that is not in the text")


def _length_of_option(value: str | None) -> int | None:
    """Return how many words a shell's option takes; 0 for no option, None for an unknown one."""
    if value is None:
        return 0
    if re.fullmatch(r"[-+][A-Za-z]*[oO]", value) and (
        len(value) == 2 or _SHELL_FLAGS.fullmatch(value[:-1]) or _WITH_CODE.fullmatch(value[:-1])
    ):
        return 2
    if value in ("--", "-") or value in _SHELL_LONG:
        return 1
    if _SHELL_FLAGS.fullmatch(value) or _WITH_CODE.fullmatch(value):
        return 1
    return None if value.startswith(("-", "+")) else 0


def _read_python(words: Sequence[Word]) -> InterpreterCall:
    position = 0
    while position < len(words):
        value = words[position].value or ""
        if _PYTHON_FLAGS.fullmatch(value) or value in ("-W", "-X"):
            position += 2 if value in ("-W", "-X") else 1
            continue
        if re.fullmatch(r"-[bBdEiIOPqRsSuvx]*c", value):
            code = words[position + 1].value if position + 1 < len(words) else None
            doubt = "" if code is not None else "code for python cannot be read"
            return InterpreterCall(interpreter="python", code=code, doubt=doubt)
        if re.fullmatch(r"-[bBdEiIOPqRsSuvx]*m", value):
            module = run_module(words[position + 1 :])
            return InterpreterCall(module=module, doubt=module.doubt)
        if value != "-":
            return InterpreterCall(doubt="runs code that is not in the text")
        break
    return InterpreterCall(interpreter="python", reads_input=True)

# SPDX-License-Identifier: Apache-2.0
"""Builtins of bash and zsh that change which code runs, and those that set variables."""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from guardrails.bash_variables import doubt_assignment_word
from guardrails.bash_words import Word
from guardrails.unix_programs import INTEGER_VARIABLES, SENSITIVE_VARIABLE

# Always a doubt: what each does is not followed.
_REFUSED: Final = {
    "alias": "an alias gives a command another meaning",
    "enable": "builtins are loaded or switched off",
    "bind": "keys run code",
    "complete": "completion runs code",
    "compgen": "completion runs code",
    "compopt": "completion runs code",
    "fc": "commands of the history run",
    "zmodload": "modules of zsh are loaded",
    "autoload": "functions are loaded from files",
    "zle": "widgets run code",
    "sched": "code runs later",
    "functions": "functions are changed",
    "unfunction": "functions are removed",
    "bindkey": "keys run code",
    "compdef": "completion runs code",
    "zcompile": "code is compiled",
    "add-zsh-hook": "hooks run code",
    "command_not_found_handle": "runs for every unknown command",
}
_SETTERS: Final = frozenset(
    "read mapfile readarray getopts unset vared declare typeset local export readonly integer float"
    " private zparseopts let wait select ((".split()
)
_DECLARES: Final = frozenset(
    ("declare", "typeset", "local", "export", "readonly", "integer", "float", "private")
)
_RUNS_LATER: Final = frozenset(("eval", "trap", "source", "."))
_LOOKED_THROUGH: Final = frozenset(("builtin", "command", "\\builtin", "time"))
_SHELL_OPTIONS: Final = frozenset(
    "nullglob extglob globstar dotglob failglob nocaseglob nocasematch inherit_errexit lastpipe"
    " huponexit checkwinsize globasciiranges patsub_replacement xpg_echo localvar_inherit"
    " execfail sourcepath no_empty_cmd_completion".split()
)
_ZSH_OPTIONS: Final = frozenset(
    "errexit nounset pipefail extendedglob nullglob globdots noglob localoptions warncreateglobal"
    " errreturn shwordsplit ksharrays nomatch nonomatch bareglobqual numericglobsort typesetsilent"
    " localtraps noclobber clobber unset interactivecomments monitor nomonitor verbose xtrace".split()
)
# What files such as /etc/os-release set.
_RELEASE_NAMES: Final = frozenset(
    "NAME VERSION ID ID_LIKE VERSION_ID VERSION_CODENAME PRETTY_NAME ANSI_COLOR CPE_NAME HOME_URL DOCUMENTATION_URL"
    " SUPPORT_URL BUG_REPORT_URL PRIVACY_POLICY_URL SUPPORT_END BUILD_ID VARIANT VARIANT_ID LOGO VENDOR_NAME UBUNTU_CODENAME"
    " DEBIAN_CODENAME PLATFORM_ID REDHAT_BUGZILLA_PRODUCT IMAGE_ID IMAGE_VERSION SYSEXT_LEVEL CONFEXT_LEVEL DEFAULT_HOSTNAME"
    " ARCHITECTURE DISTRIB_ID DISTRIB_RELEASE DISTRIB_CODENAME DISTRIB_DESCRIPTION LSB_VERSION".split()
)
_OPEN_WORD: Final = re.compile(r"[\"']*+(?![\w /.:,=(\[])")  # it may be an option
_ZSH_PRINT: Final = re.compile(r"-\w*[zsRPef]")
_INDEXED: Final = re.compile(r"\w+\[(?!(?:\d+|[@*])\])")


def names_set_by(words: Sequence[Word]) -> set[str] | None:
    """Return the variables that a command may set; None when any may be."""
    rest = list(words)
    while rest and rest[0].value in _LOOKED_THROUGH:
        rest = rest[1:]
    if not rest or rest[0].value is None:
        return set()
    name = rest[0].value
    prints = name == "printf" and any(word.value == "-v" for word in rest)
    if name not in _SETTERS | _RUNS_LATER and not prints:
        return set()
    names = set(_RELEASE_NAMES) if name in ("source", ".") else set()
    for word in rest[1:]:
        if name in _DECLARES and "=" in word.raw and word.value is not None:
            names.add(word.value.partition("=")[0])
            continue
        text = word.value if word.value is not None else word.raw
        if word.value is None and name in _SETTERS and "=" not in word.raw:
            return None
        names |= set(re.findall(r"[A-Za-z_]\w*", text))
    return names if name not in _DECLARES else {each for each in names if each}


def check_builtin(name: str, arguments: Sequence[Word], dialect: str) -> str | None:
    """Return a doubt about a builtin, "" when it is harmless, None when it is none."""
    if name in _REFUSED:
        return _REFUSED[name]
    if name in _DECLARES:
        return _check_declaration(arguments)
    if name in _CHECKS:
        return _CHECKS[name](arguments)
    if name == "print" and dialect == "zsh":
        runs = any(
            _ZSH_PRINT.match(word.value) if word.value is not None else _OPEN_WORD.match(word.raw)
            for word in arguments[:1]
        )
        return "print expands or stores code" if runs else ""
    return None


def _check_hash(arguments: Sequence[Word]) -> str:
    harmless = [word.value for word in arguments] in ([], ["-r"])
    return "" if harmless else "programs are given another place"


def _check_emulate(arguments: Sequence[Word]) -> str:
    plain = [word.value for word in arguments if word.value not in ("-L", "-R", "-LR")]
    harmless = plain in (["zsh"], ["sh"], ["bash"], ["ksh"])
    return "" if harmless else "code runs under other options"


def _check_mapfile(arguments: Sequence[Word]) -> str:
    if any(word.value is None or re.match(r"-\w*C", word.value) for word in arguments):
        return "a callback runs for every line"
    return _check_names(arguments)


def _check_test(arguments: Sequence[Word]) -> str:
    asks = any(word.value in ("-v", "-R") for word in arguments)
    if asks and _has_index(arguments):
        return "a test evaluates an index"
    is_open = len(arguments) == 2 and arguments[0].value is None
    return "what a test asks for is computed" if is_open else ""


def _check_wait(arguments: Sequence[Word]) -> str | None:
    return _check_names(arguments) if any(word.value == "-p" for word in arguments) else None


def _check_printf(arguments: Sequence[Word]) -> str | None:
    for option, target in pairwise(arguments):
        if option.value == "-v":
            return _check_names([target])
    first = arguments[0] if arguments else Word("", "")
    if first.raw.startswith("-v"):
        held = first.value[2:] if first.value is not None else None
        return _check_names([Word(first.raw, held)])
    opens = first.value is None and first.raw.lstrip('"')[:1] in ("$", "`")
    return "sets a variable whose name is computed" if opens and len(arguments) > 1 else None


def _check_let(arguments: Sequence[Word]) -> str:
    return "an expression is evaluated" if any(_has_index([word]) for word in arguments) else ""


def _check_unset(arguments: Sequence[Word]) -> str:
    if any(word.value is not None and _INDEXED.match(word.value) for word in arguments):
        return "an index is evaluated"
    return "removes what is computed" if any(word.value is None for word in arguments) else ""


def _check_read(arguments: Sequence[Word]) -> str:
    return _check_names(arguments, valued=frozenset(("-p", "-d", "-n", "-t", "-u", "-i", "-N")))


def _check_shopt(arguments: Sequence[Word]) -> str:
    return _check_options([word.value for word in arguments], _SHELL_OPTIONS)


def _check_setopt(arguments: Sequence[Word]) -> str:
    values = [word.value and word.value.lower().replace("_", "") for word in arguments]
    return _check_options(values, _ZSH_OPTIONS)


def _check_options(values: Sequence[str | None], known: frozenset[str]) -> str:
    chosen = [value for value in values if value not in ("-s", "-u", "-q", "-o", "-p", "-qs")]
    if all(value is not None and value in known for value in chosen):
        return ""
    return "options of the shell change which code runs"


def _check_set(arguments: Sequence[Word]) -> str:
    for word in arguments:
        if word.value in ("--", "-", "", None) or (word.value or "")[:1] not in "-+":
            break
        if re.fullmatch(r"[-+]\w*k\w*", word.value or ""):
            return "options of the shell change which code runs"
    return ""


def _check_names(words: Sequence[Word], valued: frozenset[str] = frozenset()) -> str:
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word.value in valued:
            position += 1
        elif word.value is None:
            return "sets a variable whose name is computed"
        elif word.value.startswith("-"):
            if word.value[-2:-1] != "-" and f"-{word.value[-1]}" in valued:
                position += 1
        elif _INDEXED.match(word.value):
            return "an index is evaluated"
        elif SENSITIVE_VARIABLE.fullmatch(word.value.partition("[")[0]) or word.value == "PATH":
            return f"sets {word.value[:40]}, which changes what runs"
        elif word.value in INTEGER_VARIABLES:
            return f"{word.value} evaluates what it is given"
    return ""


def _check_declaration(arguments: Sequence[Word]) -> str:
    for word in arguments:
        text = word.value if word.value is not None else word.raw
        if text[:1] in "-+":
            if re.search(r"[nieulTF]", text[1:]):
                return "a declaration gives a variable a meaning of its own"
        elif "=" in text:
            if doubt := doubt_assignment_word(word, exported=True):
                return doubt
        elif word.value is None:
            return "sets a variable whose name is computed"
        elif _INDEXED.match(text):
            return "an index is evaluated"
    return ""


def _has_index(words: Sequence[Word]) -> bool:
    return any(
        word.value is None or "[" in word.value for word in words if word.value not in ("[", "]")
    )


_CHECKS: Final[dict[str, Callable[[Sequence[Word]], str | None]]] = {
    "hash": _check_hash,
    "shopt": _check_shopt,
    "setopt": _check_setopt,
    "unsetopt": _check_setopt,
    "emulate": _check_emulate,
    "mapfile": _check_mapfile,
    "readarray": _check_mapfile,
    "set": _check_set,
    "read": _check_read,
    "getopts": lambda arguments: _check_names(arguments[1:2]),
    "unset": _check_unset,
    "let": _check_let,
    "printf": _check_printf,
    "test": _check_test,
    "[": _check_test,
    "wait": _check_wait,
}

# SPDX-License-Identifier: Apache-2.0
"""Assignments of bash and zsh that change which code runs: PATH, LD_PRELOAD and their kin."""

import re
from typing import Any, Final

from guardrails.bash_words import Constants, Word, read_constant
from guardrails.command_words import text_of
from guardrails.unix_programs import (
    EXPORTED_SENSITIVE,
    INTEGER_VARIABLES,
    SAFE_PATHS,
    SENSITIVE_IN_ZSH,
    SENSITIVE_VARIABLE,
    TRUSTS_ANYBODY,
)

_HARMLESS_VALUES: Final = frozenset(("", "cat", "/bin/cat", "true", "/bin/true", ":", "0", "1"))
_SYSTEM_SHELL: Final = re.compile(r"(?:/usr)?/bin/(?:ba|z|da)?sh")
_HOME: Final = re.compile(r"\"?(?:/root|/var/root|\$\{?HOME\}?|\$\{HOME:-[\w/]+\})\"?")
# What a place for temporary files may be, and a folder that is empty when a program looks into it.
_TEMPORARY: Final = re.compile(
    r"(?:(?:/var|/private)?/(?:var/)?tmp|/dev/shm"
    r"|\$\{?(?:TMPDIR|EUCORA_STATE_DIR|XDG_RUNTIME_DIR)(?::?-[\w/]+)?\}?"
    r"|\$\(mktemp(?: -[dqu]+| --directory| -d?t [\w.-]+| (?:-p )?/(?:var/)?tmp(?:/[\w.-]+)?)*\)"
    r")(?:/(?!.*\.\.).*)?"
)
_MADE_EMPTY: Final = re.compile(r"\"?\$\(mktemp(?: -d| -q| --directory)*\)\"?")
# The buses of the system and of a session, in their usual places.
_BUS: Final = re.compile(
    r"\"?unix:path=(?:/run/user/(?:\w|\$\{?\w+\}?|\$\(id -u[^()]*\))+/bus"
    r"|(?:/var)?/run/dbus/system_bus_socket)\"?"
)
_PROMPTS: Final = re.compile(r"PS[0-4]|PROMPT\d?|RPROMPT|RPS1")
_RUNS: Final = re.compile(r"\$\(|`|\$\{")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def doubt_assignment(
    node: Any, constants: Constants, *, exported: bool, dialect: str = "bash"
) -> str:
    """Return why an assignment may make other code run; empty when it does not."""
    name_node = node.child_by_field_name("name")
    value_node = node.child_by_field_name("value")
    name = text_of(name_node) if name_node is not None else text_of(node).partition("=")[0]
    raw = text_of(value_node) if value_node is not None else ""
    value = read_constant(value_node, constants) if value_node is not None else ""
    return doubt_variable(name.rstrip("+"), raw, value, exported=exported, dialect=dialect)


def doubt_assignment_word(word: Word, *, exported: bool) -> str:
    """Return the same for a word such as `NAME=value` of a command."""
    text = word.value if word.value is not None else word.raw
    name, _, value = text.partition("=")
    if not _NAME.fullmatch(name):
        return "sets a variable whose name is computed"
    return doubt_variable(name, value, value if word.value is not None else None, exported=exported)


def doubt_variable(
    name: str, raw: str, value: str | None, *, exported: bool, dialect: str = "bash"
) -> str:
    """Return why a variable of this name and value may make other code run.

    Args:
        name: of the variable.
        raw: its value as written.
        value: its value when that is constant.
        exported: programs see it.
        dialect: bash or zsh; in zsh, `path` and others are tied to what runs.

    """
    base = name.partition("[")[0]
    tied = dialect == "zsh" and SENSITIVE_IN_ZSH.fullmatch(base) is not None
    if name == "PATH" or (tied and name == "path"):
        return "" if _is_safe_path(raw, value) else "changes where programs are found"
    if name in INTEGER_VARIABLES:
        is_set_elsewhere = value is None and not raw  # by a loop, or by read
        return f"{name} evaluates what it is given" if is_set_elsewhere else ""
    if _PROMPTS.fullmatch(name):
        return f"{name} runs what stands in it" if value is None or _RUNS.search(raw) else ""
    if exported and TRUSTS_ANYBODY.fullmatch(base):
        return f"sets {base[:40]}, by which programs may trust anybody"
    if not tied and (
        not _changes_what_runs(base, exported=exported) or _is_harmless(base, raw, value)
    ):
        return ""
    return f"sets {base[:40]}, which changes what runs"


def _changes_what_runs(name: str, *, exported: bool) -> bool:
    if SENSITIVE_VARIABLE.fullmatch(name):
        return True
    return exported and EXPORTED_SENSITIVE.fullmatch(name) is not None


def _is_harmless(name: str, raw: str, value: str | None) -> bool:
    """Say whether this value makes nothing else run."""
    if name == "HOME":
        return _HOME.fullmatch(raw) is not None or value in ("/root", "/var/root")
    if name == "SHELL":
        return value is not None and _SYSTEM_SHELL.fullmatch(value) is not None
    if name in ("BASH_ENV", "ENV") or name.startswith(("LD_", "DYLD_")):
        return value == ""
    return name == "GLOBIGNORE" or value in _HARMLESS_VALUES or _is_usual_place(name, raw, value)


def _is_usual_place(name: str, raw: str, value: str | None) -> bool:
    """Say whether a variable that names a place has one where nothing foreign waits."""
    if name == "TMPDIR":
        shown = raw.strip("\"'") if value is None else value
        return _TEMPORARY.fullmatch(shown) is not None
    if name.startswith("DBUS_"):
        return _BUS.fullmatch(raw if value is None else value) is not None
    is_made = name in ("GNUPGHOME", "PYTHONPYCACHEPREFIX")
    return is_made and _MADE_EMPTY.fullmatch(raw) is not None


def _is_safe_path(raw: str, value: str | None) -> bool:
    text = value if value is not None else raw
    text = text.strip("\"'")
    is_array = text.startswith("(") and text.endswith(")")
    parts = text[1:-1].split() if is_array else text.split(":")
    return bool(parts) and all(SAFE_PATHS.fullmatch(part.strip("\"'")) for part in parts)

# SPDX-License-Identifier: Apache-2.0
"""What the known commands of a bash or zsh script do, by their words and by where they write."""
# ruff: noqa: E501 - tables

import posixpath
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from guardrails.bash_code import is_interpreter
from guardrails.command_effects import BASH_COMMANDS
from guardrails.command_words import (
    CREDENTIAL_FILE,
    SECURITY_UNIT,
    STOPS,
    make_effect,
    only_looks,
    text_of,
    turns_on,
    unquote,
)
from guardrails.effects import Effect, EffectKind, EffectSeverity
from guardrails.unix_programs import LOOKS

_SYSTEM_TREE: Final = re.compile(
    r"^[\"']?(?:/\*?|~/?\*?|\$\{?HOME\}?/?\*?|/(?:etc|usr|bin|sbin|lib\w*|boot|var|home|root|opt|srv|dev"
    r"|System|Library|Applications|Users|private)(?:/\*|/)?)[\"']?$"
)
# Empty or unset, the variable leaves the root directory.
_UNGUARDED_ROOT: Final = re.compile(r"^[\"']?\$\{?\w+\}?[\"']?/[\"']?\*?[\"']?$")
_SYSTEM_FILE: Final = re.compile(
    r"^[\"']?/(?:(?:etc|usr|bin|sbin|lib\w*|boot|System|Library)(?:/|[\"']?$)|[\"']?$)"
)
# What is written there the kernel does: it changes settings, loads modules, takes disks away.
_KERNEL_FILE: Final = re.compile(r"/(?:proc/(?!self/fd|\d+/fd)|sys/)")
_RAW_DEVICE: Final = re.compile(r"/dev/(?:sd|nvme|vd|xvd|hd|disk|rdisk|mapper|mem)")
_LOG_TREE: Final = re.compile(
    r"^[\"']?(?:/var/log(?:/\*{0,2})?|.*\.bash_history|.*\.zsh_history)[\"']?$"
)
_BOOT_HOOK: Final = re.compile(
    r"/etc/(?:cron|rc\.local|profile|ld\.so\.preload|systemd/|init|rc\d?\.d|bash|zsh|environment|xdg/autostart"
    r"|pam\.d|udev/rules|sudoers|NetworkManager/dispatcher|apt/apt\.conf|modprobe|modules)"
    r"|/(?:usr/)?lib/(?:systemd|udev)/|/Launch(?:Agents|Daemons)/|/var/spool/(?:cron|at)|autostart/|\.config/systemd"
    r"|\.ssh/(?:rc|config|environment)|/\.(?:bash\w*|zsh\w*|z?profile|zlog\w*|xprofile|xinitrc|xsession\w*|kshrc|cshrc|login|vimrc|gitconfig|gdbinit|inputrc|pam_environment)\b"
    r"|(?:sitecustomize|usercustomize)\.py|\.pth\b|/git/hooks/|\.git/hooks/|/StartupItems/"
)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


_WRITERS: Final = frozenset(
    ("tee", "cp", "mv", "install", "ln", "touch", "patch", "rsync", "ditto", "tar", "unzip", "mkfifo")
)  # fmt: skip
_WRITES_BY_OPTION: Final[dict[str, tuple[str, ...]]] = {
    "sort": ("-o", "--output"),
    "curl": ("-o", "--output", "--output-dir", "-D", "-c"),
    "wget": ("-O", "-P", "-o"),
    "openssl": ("-out", "-keyout"),
    "xxd": ("-r",),
    "iconv": ("-o",),
    "gpg": ("-o", "--output"),
}


def list_only_values(assignments: Sequence[Any]) -> dict[str, str]:
    """Return the variables that have one value in the whole script, and it is constant.

    Whether it was set before its use is not asked: this is for what a command does, not for which.
    """
    values: dict[str, set[str | None]] = {}
    for node in assignments:
        name, _, value = text_of(node).partition("=")
        constant = None if re.search(r"[$`(]", value) or len(value) > 4096 else unquote(value)
        values.setdefault(name.rstrip("+"), set()).add(None if name.endswith("+") else constant)
    found = ((name, each) for name, each in values.items() if len(each) == 1)
    return {name: value for name, (value,) in found if value}


def expand(word: str, variables: Mapping[str, str]) -> str:
    """Return a word with its constant variables (`$x`, `"${x}/y"`) replaced, and unquoted then."""
    if "$" not in word or word[:1] == "'":
        return word
    put = _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), word)
    return put if put == word or "$" in put else put.strip('"')


def judge_table(node: Any, name: str, arguments: Sequence[str]) -> list[Effect]:
    """Return what a command ordinarily does."""
    effects = []
    base = "mkfs" if name.startswith("mkfs.") else "fsck" if name.startswith("fsck.") else name
    entry = BASH_COMMANDS.get(base)
    if entry and base != "eval" and not is_interpreter(base) and not _only_looks(base, arguments):
        kind, severity = entry[0], _raise_severity(base, arguments, entry[1])
        if kind is EffectKind.DISABLES_SECURITY and turns_on(arguments):
            kind, severity = EffectKind.CHANGES_NETWORK, EffectSeverity.MEDIUM
        effects.append(make_effect(kind, node, severity))
    if name == "dd":
        raw = any(word.startswith("of=") and _RAW_DEVICE.search(word) for word in arguments)
        severity = EffectSeverity.CRITICAL if raw else EffectSeverity.MEDIUM
        effects.append(make_effect(EffectKind.CHANGES_DISKS, node, severity))
    if name == "find" and "-delete" in arguments:
        effects.append(make_effect(EffectKind.DELETES_FILES, node, EffectSeverity.MEDIUM))
    return effects


def _only_looks(name: str, arguments: Sequence[str]) -> bool:
    plain = [unquote(word) for word in arguments]
    if plain[:1] in (["--version"], ["--help"]):
        return True
    if {"--version", "--help"} & set(plain):
        return False
    if looks := LOOKS.get(name):
        return looks.fullmatch(" ".join(plain)) is not None
    return only_looks(name, arguments)


def judge_arguments(node: Any, name: str, arguments: Sequence[str]) -> list[Effect]:
    """Return what a command does by what its arguments name."""
    effects = []
    # find lists files; what it runs on them is judged for itself
    if name != "find" and any(CREDENTIAL_FILE.search(word) for word in arguments):
        effects.append(make_effect(EffectKind.READS_CREDENTIALS, node, EffectSeverity.HIGH))
    if name in _WRITERS or (name == "sed" and any(word[:2] == "-i" for word in arguments)):
        for word in (
            arguments if name in ("tee", "touch", "patch", "tar", "unzip") else arguments[-1:]
        ):
            effects += judge_target(node, word)
    elif name in _WRITES_BY_OPTION:
        for option, word in pairwise(arguments):
            if option in _WRITES_BY_OPTION[name]:
                effects += judge_target(node, word)
    manages = name in ("systemctl", "service", "launchctl") and STOPS.search(" ".join(arguments))
    if manages and any(SECURITY_UNIT.search(word) for word in arguments):
        effects.append(make_effect(EffectKind.DISABLES_SECURITY, node, EffectSeverity.HIGH))
    if name in ("rm", "truncate", "shred") and any(_LOG_TREE.match(word) for word in arguments):
        effects.append(make_effect(EffectKind.ERASES_TRACES, node, EffectSeverity.CRITICAL))
    if name == "history" and "-c" in arguments:
        effects.append(make_effect(EffectKind.ERASES_TRACES, node, EffectSeverity.HIGH))
    return effects


def judge_redirect(node: Any, variables: Mapping[str, str]) -> list[Effect]:
    """Return what writing to a redirection's target does."""
    destination = node.child_by_field_name("destination")
    target = unquote(expand(text_of(destination), variables)) if destination is not None else ""
    if re.match(r"/dev/(?:tcp|udp)/", re.sub(r"[\"'\\]", "", target)):
        return [make_effect(EffectKind.OPENS_NETWORK, node, EffectSeverity.MEDIUM)]
    if not any(child.type in (">", ">>", ">|", "&>", "&>>", "<>", ">&") for child in node.children):
        return []
    return judge_target(node, target)


def judge_target(node: Any, target: str) -> list[Effect]:
    """Return what writing to a file means, by its place."""
    found = classify_target(target)
    return [make_effect(found[0], node, found[1])] if found else []


def classify_target(target: str) -> tuple[EffectKind, EffectSeverity] | None:
    """Return what writing to a file of this name does; None for an ordinary place."""
    target = re.sub(r"/(?:\./|/)+", "/", target)
    if ".." in target and target[:1] == "/":
        target = posixpath.normpath(target)
    if _RAW_DEVICE.search(target):
        return EffectKind.CHANGES_DISKS, EffectSeverity.CRITICAL
    if CREDENTIAL_FILE.search(target):
        return EffectKind.CHANGES_ACCOUNTS, EffectSeverity.CRITICAL
    if _KERNEL_FILE.match(target):
        return EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.HIGH
    if _BOOT_HOOK.search(target):
        return EffectKind.PERSISTS, EffectSeverity.HIGH
    if _SYSTEM_FILE.match(target):
        return EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.MEDIUM
    return None


def _raise_severity(
    name: str, arguments: Sequence[str], severity: EffectSeverity
) -> EffectSeverity:
    """Return a higher severity where the arguments make a command worse."""
    options = "".join(word[1:] for word in arguments if re.fullmatch(r"-[A-Za-z]+", word))
    recursive = "r" in options.lower() or "--recursive" in arguments
    targets = [word for word in arguments if not word.startswith("-")]
    if name in ("rm", "chmod", "chown", "chflags") and recursive:
        if any(_SYSTEM_TREE.match(word) for word in targets):
            return EffectSeverity.CRITICAL
        if any(_UNGUARDED_ROOT.match(word) for word in targets):
            return EffectSeverity.HIGH
    ends_all = name in ("kill", "pkill", "killall") and arguments[-1:] in (["-1"], ["1"], ["init"])
    wipes = name.startswith("mkfs") or name == "wipefs" or "--no-preserve-root" in arguments
    if ends_all or wipes:
        return EffectSeverity.CRITICAL
    if name == "chmod" and any(
        re.fullmatch(r"[0-7]?777|[ugoa]*\+s|[4-7][0-7]{3}", word) for word in targets
    ):
        return EffectSeverity.HIGH
    return severity

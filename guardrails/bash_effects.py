# SPDX-License-Identifier: Apache-2.0
"""What the known commands of a bash or zsh script do, by their words and by where they write."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_code import is_interpreter
from guardrails.bash_places import Places
from guardrails.bash_reads import judge_input, judge_reads
from guardrails.bash_words import Word
from guardrails.bash_wrappers import sets_attributes
from guardrails.command_effects import BASH_COMMANDS
from guardrails.command_words import (
    SECURITY_UNIT,
    STOPS,
    make_effect,
    text_of,
    turns_on,
    unquote,
)
from guardrails.effects import Effect, EffectKind, EffectSeverity, Harm
from guardrails.unix_looks import LOOKS
from guardrails.unix_outputs import Deed, list_outputs
from guardrails.unix_paths import (
    LOSS,
    OUTSIDE,
    classify_loss,
    classify_target,
    is_document,
    is_outside,
)

_MAX_ARGUMENTS: Final = 8192  # characters; more make no look
_SYSTEM_TREE: Final = re.compile(
    r"^[\"']?(?:/\*?|~/?\*?|\$\{?HOME\}?/?\*?|/(?:etc|usr|bin|sbin|lib\w*|boot|var|home|root|opt|srv|dev"
    r"|System|Library|Applications|Users|private)(?:/\*|/)?)[\"']?$"
)
# Empty or unset, the variable leaves the root directory.
_UNGUARDED_ROOT: Final = re.compile(r"^[\"']?\$\{?\w+\}?[\"']?/[\"']?\*?[\"']?$")
_LOG_TREE: Final = re.compile(
    r"^[\"']?(?:/var/log(?:/\*{0,2})?|.*\.bash_history|.*\.zsh_history)[\"']?$"
)
_WRITING: Final = frozenset((">", ">>", ">|", "&>", "&>>", "<>", ">&"))
_EMPTYING: Final = frozenset((">", ">|", "&>"))
_EMPTY: Final = re.compile(
    r"\s*(?::|true|false|(?:/usr)?(?:/bin/)?cat\s+/dev/null|echo\s+-n(?:e?\s*(?:''|\"\"))?|printf\s+(?:''|\"\"|%s(?:\s+(?:''|\"\"))?))\s*"
)
_REPLACERS: Final = frozenset(("mv", "ln", "install"))
_DEVICE_REPLACED: Final[Harm] = (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.HIGH)
# What is unpacked or copied below a folder may have any name: a hidden one in a hidden folder too.
_ANY_NAME: Final = ".x/x"
_RUNS_NAMED: Final = frozenset(("service", "rc-service"))
_EMPTY_INPUT: Final = re.compile(r"\s*(?:/bin/)?cat\s*<\s*/dev/null\b")
# What ends a process, or takes its share of the machine away.
_SLOWS: Final = frozenset(
    "kill pkill killall skill renice ionice chrt taskset cpulimit prlimit".split()  # noqa: SIM905
)
# Whole homes, copied at once.
_COPIERS: Final = frozenset(("cp", "rsync", "ditto", "scp"))
_HOMES: Final = re.compile(
    r"(?:/home|/Users)(?:/[^/]+)?/?(?:\.|\*)?|(?:/root|/var/root|~\w*|\$\{?HOME\}?)/?(?:\.|\*)?"
)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


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
        effects.append(make_effect(kind, severity, node))
    if name == "dd":
        effects += _judge_dd(node, arguments)
    if name == "find" and "-delete" in arguments:
        effects.append(make_effect(EffectKind.DELETES_FILES, EffectSeverity.MEDIUM, node))
    return effects


def _only_looks(name: str, arguments: Sequence[str]) -> bool:
    """Say whether these arguments make the command a mere look; a row lists what does."""
    if sum(map(len, arguments)) > _MAX_ARGUMENTS:
        return False
    plain = [re.sub(r"\s", "_", unquote(word)) or "_" for word in arguments]
    if len(plain) == 1 and plain[0] in ("--version", "--help"):
        return True
    if name in _RUNS_NAMED and any(word[:1] == "$" for word in arguments):
        return False  # it may be several words
    looks = LOOKS.get(name)
    return looks is not None and looks.fullmatch(" ".join(plain)) is not None


def _judge_dd(node: Any, arguments: Sequence[str]) -> list[Effect]:
    written = [unquote(word)[3:] for word in arguments if unquote(word).startswith("of=")]
    found = {judged for each in written if (judged := classify_target(each))}
    changes_disk = (EffectKind.CHANGES_DISKS, EffectSeverity.CRITICAL) in found
    severity = EffectSeverity.CRITICAL if changes_disk else EffectSeverity.MEDIUM
    others = [make_effect(*judged, node) for judged in found]
    return [make_effect(EffectKind.CHANGES_DISKS, severity, node), *others]


def judge_arguments(node: Any, name: str, arguments: Sequence[str]) -> list[Effect]:
    """Return what a command does by what its arguments name."""
    effects = judge_reads(node, name, arguments)
    if name == "umask" and any(map(_opens_to_all, arguments)):
        effects.append(make_effect(EffectKind.CHANGES_PERMISSIONS, EffectSeverity.MEDIUM, node))
    if name in ("lp", "lpr") and any(re.match(r"-[hH]", word) for word in arguments):
        effects.append(make_effect(EffectKind.SENDS_DATA, EffectSeverity.MEDIUM, node))
    if name in _COPIERS and any(_HOMES.fullmatch(unquote(word)) for word in arguments[:-1]):
        effects.append(make_effect(EffectKind.CAPTURES_DATA, EffectSeverity.MEDIUM, node))
    if sets_attributes(name, arguments):
        effects.append(make_effect(EffectKind.ENDS_PROCESSES, EffectSeverity.LOW, node))
    manages = name in _SLOWS or (
        name in ("systemctl", "service", "launchctl") and STOPS.search(" ".join(arguments))
    )
    if manages and any(SECURITY_UNIT.search(word) for word in arguments):
        effects.append(make_effect(EffectKind.DISABLES_SECURITY, EffectSeverity.HIGH, node))
    if name in ("rm", "truncate", "shred") and any(_LOG_TREE.match(word) for word in arguments):
        effects.append(make_effect(EffectKind.ERASES_TRACES, EffectSeverity.CRITICAL, node))
    if name == "history" and "-c" in arguments:
        effects.append(make_effect(EffectKind.ERASES_TRACES, EffectSeverity.HIGH, node))
    return effects


def _opens_to_all(mask: str) -> bool:
    """Say whether files that are made under a mask are open to everybody's writing."""
    plain = unquote(mask)
    if plain.isdigit():
        return not set(plain) <= set("01234567") or not int(plain[-1], 8) & 2
    return re.search(r"(?:^|,)[ugo]*[oa][ugoa]*[=+]\w*w|(?:^|,)[=+]\w*w", plain) is not None


def judge_outputs(node: Any, name: str, words: Sequence[Word], places: Places) -> list[Effect]:
    """Return what a command does to the files that its arguments name."""
    effects = []
    empties = name in ("cp", "install", "dd") and any(word.value == "/dev/null" for word in words)
    for output in list_outputs(name, words):
        if output is None:
            effects.append(make_effect(*OUTSIDE, node))
            continue
        loses = output.deed is Deed.LOSES or empties
        makes_only = name in ("mkdir", "touch", "mkfifo", "mktemp")
        paths = places.find(_as_written(output.word), node)
        spreads = output.deed is Deed.SPREADS
        if output.word.value is None and not re.search(r"[$`]", output.word.raw):
            paths = None  # of xargs, and of find: `{}`
        elif name in _REPLACERS and any(path.startswith("/dev/") for path in paths or ()):
            effects.append(make_effect(*_DEVICE_REPLACED, node))
        if spreads and paths is not None:
            paths = frozenset(f"{each}/{_ANY_NAME}" for each in paths)
        found = judge_paths(node, paths, loses=loses, replaces=not makes_only)
        effects += found
        if not (found or makes_only or spreads):
            effects += _judge_known(node, paths, places)
    return effects


def judge_paths(
    node: Any, paths: Iterable[str] | None, *, loses: bool = False, replaces: bool = True
) -> list[Effect]:
    """Return what writing to files of these paths does.

    Args:
        node: that writes.
        paths: None when they come from outside.
        loses: what lies there is lost.
        replaces: what lies there is written anew, if only in part.

    """
    if paths is None or any(map(is_outside, paths)):
        return [make_effect(*(LOSS if loses else OUTSIDE), node)]
    found = [classify_target(path, makes_only=not replaces) for path in paths]
    if loses:
        found += [classify_loss(path) for path in paths]
    if replaces and any(is_document(path) for path in paths):
        found.append(LOSS)
    return [make_effect(*each, node) for each in dict.fromkeys(found) if each]


def judge_redirect(node: Any, places: Places) -> list[Effect]:
    """Return what writing to a redirection's target does."""
    destination = node.child_by_field_name("destination")
    if destination is None or destination.type == "process_substitution":
        return []
    target = text_of(destination)
    paths = places.find(target, node)
    if paths and any(re.match(r"/dev/(?:tcp|udp)/", path) for path in paths):
        return [make_effect(EffectKind.OPENS_NETWORK, EffectSeverity.MEDIUM, node)]
    signs = {child.type for child in node.children}
    if signs & {"<", "<>"} and (read := judge_input(node, paths or ())):
        return read
    copies = ">&" in signs and (re.fullmatch(r"\d+|-|\d+-", target) or places.is_descriptor(target))
    if not signs & _WRITING or copies:
        return []
    found = judge_paths(node, paths, loses=bool(signs & _EMPTYING) and _prints_nothing(node))
    return found or (_judge_known(node, paths, places) if signs & _EMPTYING else [])


def _judge_known(node: Any, paths: Iterable[str] | None, places: Places) -> list[Effect]:
    """Return what is lost with a file in a home that the script knows is there: what it held."""
    known = any(path.startswith("~/") and places.tells_of(path) for path in paths or ())
    return [make_effect(*LOSS, node)] if known and any(map(classify_loss, paths or ())) else []


def _as_written(word: Word) -> str:
    """Return a word as its text; a constant one, that is no pattern, quoted."""
    if word.value is None or word.is_pattern or word.value[:1] == "~":
        return word.raw
    return word.value.replace("$", "\\$").replace("`", "\\`")


def _prints_nothing(redirect: Any) -> bool:
    """Say whether what is redirected prints nothing: the file is emptied."""
    statement = redirect.parent
    body = statement.child_by_field_name("body") if statement is not None else None
    if body is None or _EMPTY.fullmatch(text_of(body)):
        return True
    return _EMPTY_INPUT.match(text_of(statement)) is not None


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

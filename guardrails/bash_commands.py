# SPDX-License-Identifier: Apache-2.0
"""Effects of the commands in a parsed bash or zsh script, one pass over the syntax tree.

Wrappers such as sudo, env, timeout and xargs are looked through; constant code for an interpreter
(`bash -c 'text'`, eval 'text', a here-document) is handed on to be analysed in its turn, and what
cannot be read from the text (an unknown variable as command, a pipe into a shell) is a doubt.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

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
from guardrails.script_reading import INTERPRETERS, NestedCode, Reading
from guardrails.shell_folding import decode_escapes

_SHELLS: Final = frozenset(("sh", "bash", "zsh", "dash", "ksh"))
_INTERPRETERS: Final = frozenset(["python", "python3", "perl", "ruby", "node", "osascript", "php"])
# Wrapper -> its options that take a value of their own.
_WRAPPERS: Final[dict[str, frozenset[str]]] = {
    "sudo": frozenset(("-u", "-g", "-h", "-p", "-C")),
    "doas": frozenset(("-u", "-C")),
    "env": frozenset(("-u", "-C", "-S")),
    "nohup": frozenset(),
    "nice": frozenset(("-n",)),
    "ionice": frozenset(("-c", "-n", "-p")),
    "timeout": frozenset(("-s", "-k")),
    "xargs": frozenset(("-n", "-I", "-P", "-L", "-d", "-s", "-a")),
    "command": frozenset(),
    "builtin": frozenset(),
    "exec": frozenset(("-a",)),
    "time": frozenset(),
    "stdbuf": frozenset(("-o", "-e", "-i")),
    "setsid": frozenset(),
    "noglob": frozenset(),
    "runuser": frozenset(("-u", "-g")),
}
_SYSTEM_TREE: Final = re.compile(
    r"^[\"']?(?:/\*?|~/?\*?|\$\{?HOME\}?/?\*?|/(?:etc|usr|bin|sbin|lib\w*|boot|var|home|root|opt|srv|dev"
    r"|System|Library|Applications|Users|private)(?:/\*|/)?)[\"']?$"
)
# Empty or unset, the variable leaves the root directory.
_UNGUARDED_ROOT: Final = re.compile(r"^[\"']?\$\{?\w+\}?[\"']?/[\"']?\*?[\"']?$")
_SYSTEM_FILE: Final = re.compile(r"^[\"']?/(?:etc|usr|bin|sbin|lib\w*|boot|System|Library)/")
# What sets variables beside assignments: loops, read and its like, ${x:=...}.
_SET_OTHERWISE: Final = re.compile(
    r"\b(?:for|select)\s+(\w+)\b|\b(?:read|mapfile|readarray|getopts|unset|printf\s+-v|let)\b([^\n;|&]{0,400})"
    r"|\$\{(\w+):?="
)
_READS_CODE: Final = frozenset(("eval", "trap", "source", "."))
_RAW_DEVICE: Final = re.compile(r"/dev/(?:sd|nvme|vd|xvd|hd|disk|rdisk|mapper|mem)")
_LOG_TREE: Final = re.compile(
    r"^[\"']?(?:/var/log(?:/\*{0,2})?|.*\.bash_history|.*\.zsh_history)[\"']?$"
)
# A name that the shell makes from something else: a variable, a pattern, a list, zsh's `=name`.
_COMPUTED_NAME: Final = re.compile(r"[$`*?]|\[.+\]|\{.*,.*\}|^=|^[\"']?<\(")
_SCRIPT_FILE: Final = re.compile(r"(?:^|/)[^/]+\.(?:sh|bash|zsh|py|pl|rb|js|php|tcl|lua|awk)$")
_BOOT_HOOK: Final = re.compile(
    r"/etc/(?:cron|rc\.local|profile|ld\.so\.preload|systemd/system)|/Launch(?:Agents|Daemons)/|\.(?:bashrc|zshrc|profile)\b"
)


def list_bash_effects(nodes: Mapping[str, Sequence[Any]], text: str) -> Reading:
    """Return what the nodes of a bash or zsh tree (guardrails.syntax_trees) of `text` do."""
    reading = Reading()
    functions = {text_of(node) for node in nodes.get("function", ())}
    variables = _list_constants(nodes.get("assignment", ()))
    for match in _SET_OTHERWISE.finditer(text):
        for name in re.findall(r"\w+", match[1] or match[2] or match[3] or ""):
            variables.pop(name, None)
    for node in nodes.get("command", ()):
        words = [text_of(child) for child in node.children if _is_argument(child)]
        _judge_command(node, [_expand(word, variables) for word in words], functions, reading)
    for node in nodes.get("redirect", ()):
        reading.effects += _judge_redirect(node)
    for node in nodes.get("redirected", ()):
        _judge_heredoc(node, reading)
    for node in nodes.get("pipeline", ()):
        for effect in _judge_pipeline(node):
            reading.effects.append(effect)
            reading.doubt(effect.line, "runs text that another command writes")
    return reading


def _list_constants(assignments: Sequence[Any]) -> dict[str, str]:
    """Return the variables that have one value in the whole script, and it is constant."""
    values: dict[str, set[str | None]] = {}
    for node in assignments:
        name, _, value = text_of(node).partition("=")
        constant = None if re.search(r"[$`(]", value) or len(value) > 4096 else unquote(value)
        values.setdefault(name.rstrip("+"), set()).add(None if name.endswith("+") else constant)
    found = ((name, each) for name, each in values.items() if len(each) == 1)
    return {name: value for name, (value,) in found if value}


def _expand(word: str, variables: Mapping[str, str]) -> str:
    """Return a word that is one variable (`$x`, `"${x}"`) as its constant value."""
    match = re.fullmatch(r"\"?\$\{?(\w+)\}?\"?", word)
    return variables.get(match[1], word) if match else word


def _judge_command(node: Any, words: Sequence[str], functions: set[str], reading: Reading) -> None:
    name, arguments, elevated = _unwrap(words)
    line = int(node.start_point[0]) + 1
    if elevated:
        reading.effects.append(make_effect(EffectKind.ELEVATES, node, EffectSeverity.LOW))
    if not name:
        return
    if name in functions and not _is_command(name):
        return
    if name in functions:  # it may never be defined, or not any more: then the command runs
        reading.doubt(line, f"a function has the name of the command {name}")
    if _COMPUTED_NAME.search(name):
        reading.effects.append(make_effect(EffectKind.RUNS_DYNAMIC_CODE, node, EffectSeverity.HIGH))
        reading.doubt(line, "the command is computed while it runs")
        return
    if _SCRIPT_FILE.search(unquote(name)):
        reading.doubt(line, "runs a script that is not in the text")
    name = unquote(name).rsplit("/", 1)[-1]
    _judge_code(node, name, arguments, reading)
    if name == "trap" and arguments and not re.fullmatch(r"-\w*|\d+", arguments[0]):
        _judge_trap(node, arguments[0], reading)
    reading.effects += _judge_arguments(node, name, arguments)
    if name == "find":
        reading.effects += _judge_find(node, arguments)
    reading.effects += _judge_table(node, name, arguments)


def _is_command(name: str) -> bool:
    return name in BASH_COMMANDS or name in _SHELLS | _INTERPRETERS | _READS_CODE | {"dd", "find"}


def _judge_table(node: Any, name: str, arguments: Sequence[str]) -> list[Effect]:
    effects = []
    base = "mkfs" if name.startswith("mkfs.") else name
    entry = BASH_COMMANDS.get(base)
    if entry and base not in _INTERPRETERS | {"eval"} and not only_looks(base, arguments):
        kind, severity = entry[0], _raise_severity(base, arguments, entry[1])
        if kind is EffectKind.DISABLES_SECURITY and turns_on(arguments):
            kind, severity = EffectKind.CHANGES_NETWORK, EffectSeverity.MEDIUM
        effects.append(make_effect(kind, node, severity))
    if name == "dd":
        raw = any(word.startswith("of=") and _RAW_DEVICE.search(word) for word in arguments)
        severity = EffectSeverity.CRITICAL if raw else EffectSeverity.MEDIUM
        effects.append(make_effect(EffectKind.CHANGES_DISKS, node, severity))
    return effects


def _judge_code(node: Any, name: str, arguments: Sequence[str], reading: Reading) -> None:
    """Judge commands that run code handed to them."""
    line = int(node.start_point[0]) + 1

    def dynamic(severity: EffectSeverity, reason: str) -> None:
        reading.effects.append(make_effect(EffectKind.RUNS_DYNAMIC_CODE, node, severity))
        reading.doubt(line, reason)

    if name in ("source", "."):
        known = bool(arguments) and "$" not in arguments[0]
        severity = EffectSeverity.MEDIUM if known else EffectSeverity.HIGH
        dynamic(severity, "runs a script that is not in the text")
        return
    code: str | None = None
    if name == "eval":
        code = _read_constant(" ".join(arguments)) if len(arguments) == 1 else None
        if code is None:
            dynamic(EffectSeverity.HIGH, "runs text that is computed while it runs")
            return
    elif name in _SHELLS | _INTERPRETERS:
        flag = r"-\w*c" if name in _SHELLS | {"python", "python3"} else r"-\w*[er]"
        for position, word in enumerate(arguments[:-1]):
            if re.fullmatch(flag, word):
                code = _read_constant(arguments[position + 1])
                break
        else:
            if any(word not in ("-n", "--version", "-V") for word in arguments):
                dynamic(EffectSeverity.MEDIUM, "runs code that is not in the text")
            return
    else:
        return
    interpreter = INTERPRETERS.get(name, "bash" if name == "eval" else "")
    if code is None or not interpreter:
        severity = EffectSeverity.HIGH if name in _SHELLS else EffectSeverity.MEDIUM
        dynamic(severity, f"code for {name} cannot be read")
    else:
        reading.nested.append(NestedCode(interpreter=interpreter, code=code, line=line))


def _judge_trap(node: Any, action: str, reading: Reading) -> None:
    line, code = int(node.start_point[0]) + 1, _read_constant(action)
    if code is None:
        reading.effects.append(make_effect(EffectKind.RUNS_DYNAMIC_CODE, node, EffectSeverity.HIGH))
        reading.doubt(line, "runs text that is computed while it runs")
    else:
        reading.nested.append(NestedCode(interpreter="bash", code=code, line=line))


def _read_constant(word: str) -> str | None:
    if word.startswith("$'") and word.endswith("'"):
        return decode_escapes(word[2:-1])
    if word.startswith("'") or (word.startswith('"') and not re.search(r"[$`]", word)):
        return unquote(word)
    return word if re.fullmatch(r"[\w./:=,@%+-]+", word) else None


def _judge_heredoc(node: Any, reading: Reading) -> None:
    """Hand a here-document on to the interpreter that reads it."""
    name, arguments, _ = _unwrap(_bare_command(node))
    name = unquote(name).rsplit("/", 1)[-1]
    if name not in _SHELLS | _INTERPRETERS or any(word not in ("-", "-s") for word in arguments):
        return
    for redirect in node.children:
        if redirect.type != "heredoc_redirect":
            continue
        for body in redirect.children:
            if body.type == "heredoc_body":
                start = next((c for c in redirect.children if c.type == "heredoc_start"), None)
                quoted = start is not None and text_of(start)[:1] in "'\"\\"
                code, line = text_of(body), int(body.start_point[0]) + 1
                if name not in INTERPRETERS or (not quoted and re.search(r"[$`]", code)):
                    reading.doubt(line, f"a here-document for {name} cannot be read")
                else:
                    reading.nested.append(
                        NestedCode(interpreter=INTERPRETERS[name], code=code, line=line)
                    )


def _judge_arguments(node: Any, name: str, arguments: Sequence[str]) -> list[Effect]:
    effects = []
    if any(CREDENTIAL_FILE.search(word) for word in arguments):
        effects.append(make_effect(EffectKind.READS_CREDENTIALS, node, EffectSeverity.HIGH))
    if name in ("tee", "cp", "mv", "install", "ln", "sed"):
        effects += _judge_target(node, arguments[-1] if arguments else "")
    manages = name in ("systemctl", "service", "launchctl") and STOPS.search(" ".join(arguments))
    if manages and any(SECURITY_UNIT.search(word) for word in arguments):
        effects.append(make_effect(EffectKind.DISABLES_SECURITY, node, EffectSeverity.HIGH))
    if name in ("rm", "truncate", "shred") and any(_LOG_TREE.match(word) for word in arguments):
        effects.append(make_effect(EffectKind.ERASES_TRACES, node, EffectSeverity.CRITICAL))
    if name == "history" and "-c" in arguments:
        effects.append(make_effect(EffectKind.ERASES_TRACES, node, EffectSeverity.HIGH))
    return effects


def _judge_find(node: Any, arguments: Sequence[str]) -> list[Effect]:
    if "-delete" in arguments:
        return [make_effect(EffectKind.DELETES_FILES, node, EffectSeverity.MEDIUM)]
    for position, word in enumerate(arguments):
        if word in ("-exec", "-execdir", "-ok") and position + 1 < len(arguments):
            name = arguments[position + 1].rsplit("/", 1)[-1]
            if name in _SHELLS:
                return [make_effect(EffectKind.RUNS_DYNAMIC_CODE, node, EffectSeverity.MEDIUM)]
            if entry := BASH_COMMANDS.get(name):
                return [make_effect(entry[0], node, entry[1])]
    return []


def _judge_redirect(node: Any) -> list[Effect]:
    if not any(child.type in (">", ">>", ">|", "&>", "&>>") for child in node.children):
        return []
    return _judge_target(node, text_of(node.children[-1]))


def _judge_target(node: Any, target: str) -> list[Effect]:
    if _RAW_DEVICE.search(target):
        return [make_effect(EffectKind.CHANGES_DISKS, node, EffectSeverity.CRITICAL)]
    if CREDENTIAL_FILE.search(target):
        return [make_effect(EffectKind.CHANGES_ACCOUNTS, node, EffectSeverity.CRITICAL)]
    if _BOOT_HOOK.search(target):
        return [make_effect(EffectKind.PERSISTS, node, EffectSeverity.HIGH)]
    if _SYSTEM_FILE.match(target):
        return [make_effect(EffectKind.WRITES_SYSTEM_FILES, node, EffectSeverity.MEDIUM)]
    return []


def _judge_pipeline(node: Any) -> list[Effect]:
    """Judge what flows into a shell: `... | sh` runs text that is not in the script."""
    commands = [_bare_command(child) for child in node.children if child.is_named]
    for position, words in enumerate(commands[1:], start=1):
        name, arguments, _ = _unwrap(words)
        name = unquote(name).rsplit("/", 1)[-1]
        reads_input = all(word.startswith("-") or word == "/dev/stdin" for word in arguments)
        if name in _SHELLS | _INTERPRETERS and reads_input and "-c" not in arguments:
            earlier = {_unwrap(item)[0] for item in commands[:position]}
            fetched = earlier & {"curl", "wget", "base64", "openssl", "xxd", "nc"}
            severity = EffectSeverity.CRITICAL if fetched else EffectSeverity.HIGH
            return [make_effect(EffectKind.RUNS_DYNAMIC_CODE, node, severity)]
    return []


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


def _unwrap(words: Sequence[str]) -> tuple[str, list[str], bool]:
    """Return (command, arguments, whether rights are raised) behind sudo, env, timeout, ..."""
    rest, elevated = list(words), False
    while rest and (name := unquote(rest[0]).rsplit("/", 1)[-1]) in _WRAPPERS:
        if name == "command" and rest[1:2] and rest[1] in ("-v", "-V"):
            return "", [], elevated
        elevated |= name in ("sudo", "doas", "runuser")
        valued = _WRAPPERS[name]
        rest = rest[1:]
        while rest and (rest[0].startswith("-") or (name == "env" and "=" in rest[0])):
            rest = rest[2:] if rest[0] in valued else rest[1:]
        if name == "timeout" and rest:
            rest = rest[1:]
    return (rest[0], rest[1:], elevated) if rest else ("", [], elevated)


def _bare_command(node: Any) -> list[str]:
    """Return the words of a command, also behind a redirection."""
    if node.type == "redirected_statement" and node.children:
        node = node.children[0]
    if node.type != "command":
        return []
    return [text_of(child) for child in node.children if _is_argument(child)]


def _is_argument(node: Any) -> bool:
    return node.is_named and node.type not in (
        "variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect", "comment"
    )  # fmt: skip

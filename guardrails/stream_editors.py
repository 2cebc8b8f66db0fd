# SPDX-License-Identifier: Apache-2.0
"""Programs for awk and sed in a script's text: whether they only read, or can run something.

Both run commands when told to (awk's `system` and pipes, sed's `e`), and write files. What is not
constant, or cannot be followed here, is a doubt.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Sequence
from typing import Final

from guardrails.bash_words import Word

_AWK_STRING: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_AWK_REGEX: Final = re.compile(r"/(?:[^/\\\n\[]|\\.|\[\^?\]?(?:[^\]/\n\\]|\\.)*\])+/")
_BEFORE_REGEX: Final = re.compile(
    r"(?:^|[(,~!&|{};\n]|\b(?:return|print|printf|case|in|else|do))\s*$"
)
_HARMLESS_TARGETS: Final = ('"/dev/stderr"', '"/dev/stdout"', '"/dev/null"')
_MAX_AWK_CHARACTERS: Final = 20_000
_AWK_RUNS: Final = re.compile(r"\bsystem\b|@\w|@include|@load|\bextension\b|(?<!\|)\|(?!\|)|\|&")
_AWK_WRITES: Final = re.compile(r"\bprintf?\b[^;}\n]*?(?<![-=!<>])>(?!=)\s*([^;}\n]*)")
_AWK_VALUED: Final = frozenset(("-F", "-v", "--field-separator", "--assign"))
_AWK_PLAIN: Final = re.compile(r"-F.+|-v.+|-(?:safe|S|O|s|r|P|c|C|M|n)|--(?:posix|re-interval|traditional|sandbox)|--assign=.*|--field-separator=.*")  # fmt: skip
_SED_VALUED: Final = frozenset(("-l", "--line-length"))
_SED_PLAIN: Final = re.compile(
    r"-[nErsuz]+|-i\S*|-[nErsuz]*i\S*|-I\S*"
    r"|--(?:quiet|silent|regexp-extended|posix|separate|null-data|unbuffered|in-place(?:=\S*)?|follow-symlinks|debug|sandbox)"
)  # fmt: skip
_SED_ADDRESS: Final = re.compile(r"\s*(?:\d+(?:~\d+)?|\$|[+~]\d+)")
_SED_ONE: Final = frozenset("=dDgGhHlnNpPqQxzF}")
_MAX_SED_COMMANDS: Final = 2000


def doubt_awk(words: Sequence[Word]) -> str:
    """Return why an awk command may run or write something; empty when it only reads."""
    position = 0
    while position < len(words):
        value = words[position].value
        if value is None or not value.startswith("-") or value == "-":
            break
        if value == "--":
            position += 1
            break
        if value in _AWK_VALUED:
            position += 2
        elif _AWK_PLAIN.fullmatch(value):
            position += 1
        elif value in ("--version", "-V", "--help", "-W"):
            return ""
        else:
            return f"the option {value[:40]} of awk is not followed"
    if position >= len(words):
        return ""
    program = words[position].value
    if program is None:
        return "a program for awk is computed while it runs"
    return _doubt_awk_program(program)


def _doubt_awk_program(program: str) -> str:
    if len(program) > _MAX_AWK_CHARACTERS:
        return "a program for awk is too long to be followed"
    for bracket_ends_value in (True, False):
        plain = _strip_awk(program.replace("\\\n", " "), bracket_ends_value=bracket_ends_value)
        if plain is None or _AWK_RUNS.search(plain) or "@" in plain:
            return "a program for awk may run commands"
        for match in _AWK_WRITES.finditer(plain):
            before = plain[match.start() : match.start(1)]
            if not match[1].startswith('"M') and before.count("(") <= before.count(")"):
                return "a program for awk writes files"
    return ""


def _strip_awk(program: str, *, bracket_ends_value: bool) -> str | None:
    """Return an awk program with its strings, regular expressions and comments taken out.

    What a `/` behind a closing bracket is, only awk's grammar knows: both readings are asked for.
    """
    parts: list[str] = []
    position = 0
    while position < len(program):
        character = program[position]
        match: re.Match[str] | None = None
        if character == '"':
            match = _AWK_STRING.match(program, position)
            if match is None:
                return None
            parts.append('"M"' if match[0] in _HARMLESS_TARGETS else '""')
        elif character == "#":
            end = program.find("\n", position)
            position = len(program) if end < 0 else end
            continue
        elif character == "/":
            before = "".join(parts[-40:])
            opens = bool(_BEFORE_REGEX.search(before))
            if opens or (not bracket_ends_value and before.rstrip().endswith(")")):
                match = _AWK_REGEX.match(program, position)
                if match is None and opens:
                    return None
                if match is not None:
                    parts.append("R")
        if match is None:
            parts.append(character)
            position += 1
        else:
            position = match.end()
    return "".join(parts)


def doubt_sed(words: Sequence[Word]) -> str:
    """Return why a sed command may run or write something else; empty when it only edits."""
    if any(word.value in ("--sandbox", "--version", "--help") for word in words[:4]):
        return ""  # GNU sed refuses to run or write anything in its sandbox
    scripts: list[str | None] = []
    operands: list[Word] = []
    position = 0
    while position < len(words):
        value = words[position].value
        following = words[position + 1].value if position + 1 < len(words) else None
        if value is None or not value.startswith("-") or value == "-":
            operands.append(words[position])
        elif value in ("-e", "--expression") or re.fullmatch(r"-[nErsuz]+e", value):
            scripts.append(following)
            position += 1
        elif value.startswith("--expression="):
            scripts.append(value.partition("=")[2])
        elif value == "--":
            operands += words[position + 1 :]
            break
        elif value in _SED_VALUED:
            position += 1
        elif not _SED_PLAIN.fullmatch(value):
            return f"the option {value[:40]} of sed is not followed"
        position += 1
    return _doubt_scripts(scripts or _take_script(operands))


def _take_script(operands: Sequence[Word]) -> list[str | None]:
    """Return the script among the operands: the first, or the second after `-i ''` of macOS."""
    if len(operands) > 1 and operands[0].value == "":
        operands = operands[1:]
    return [word.value for word in operands[:1]]


def _doubt_scripts(scripts: Sequence[str | None]) -> str:
    known = [each for each in scripts if each is not None]
    if len(known) < len(scripts):
        return "a script for sed is computed while it runs"
    only_edits = _only_edits("\n".join(known))
    return "" if only_edits else "a script for sed may run commands or write other files"


def _only_edits(script: str) -> bool:
    """Read a sed script command by command; what is not understood is no mere edit."""
    position = 0
    for _ in range(_MAX_SED_COMMANDS):
        while position < len(script) and script[position] in " \t\n;{":
            position += 1
        if position >= len(script):
            return True
        after = _read_sed_command(script, position)
        if after is None:
            return False
        position = after
    return False


def _read_sed_command(script: str, position: int) -> int | None:
    """Return where a command ends; None when it runs or writes something, or is not understood."""
    addressed = _skip_addresses(script, position)
    if addressed is None or addressed >= len(script):
        return None
    command = script[addressed]
    rest = addressed + 1
    if command == "{":
        return rest
    if command in _SED_ONE:
        digits = re.match(r"\s*\d*", script[rest:])
        return rest + (digits.end() if digits and command in "lqQ" else 0)
    if command in "sy":
        return _read_substitution(script, rest, command)
    return _skip_line(script, rest, command) if command in "aicrR:btT#v" else None


def _skip_line(script: str, rest: int, command: str) -> int:
    """Return the end of a command that takes the rest of its line, or up to a semicolon."""
    end = script.find("\n", rest)
    stop = len(script) if end < 0 else end
    while command in "aic" and stop < len(script) and script[stop - 1] == "\\":
        end = script.find("\n", stop + 1)
        stop = len(script) if end < 0 else end
    semicolon = script.find(";", rest, stop) if command in "btT" else -1
    return stop if semicolon < 0 else semicolon


def _skip_addresses(script: str, position: int) -> int | None:
    for _ in range(2):
        match = _SED_ADDRESS.match(script, position)
        if match:
            position = match.end()
        elif script[position : position + 1] == "/":
            end = _find_delimiter(script, position + 1, "/")
            if end is None:
                return None
            position = end
        elif script[position : position + 1] == "\\" and position + 1 < len(script):
            end = _find_delimiter(script, position + 2, script[position + 1])
            if end is None:
                return None
            position = end
        else:
            break
        while script[position : position + 1] in ("I", "M"):
            position += 1
        position = _skip_blanks(script, position)
        if script[position : position + 1] != ",":
            break
        position = _skip_blanks(script, position + 1)
    while script[position : position + 1] in ("!", " ", "\t") and position < len(script):
        position += 1
    return position


def _skip_blanks(script: str, position: int) -> int:
    while position < len(script) and script[position] in " \t":
        position += 1
    return position


def _find_delimiter(script: str, position: int, delimiter: str) -> int | None:
    """Return the place behind the next bare delimiter.

    Inside brackets it may be one or not, by the dialect: such a script is not understood.
    """
    start = position
    while position < len(script):
        if script[position] == "\\":
            position += 2
            continue
        if script[position] == delimiter:
            part = script[start:position]
            bare = re.sub(r"\\.", "", part, flags=re.DOTALL)
            opened = re.sub(r"\[\^?\]?[^\]]*\]", "", bare)
            return None if "[" in opened else position + 1
        position += 1
    return None


def _read_substitution(script: str, position: int, command: str) -> int | None:
    if position >= len(script) or script[position] in "\\\n":
        return None
    delimiter = script[position]
    middle = _find_delimiter(script, position + 1, delimiter)
    if middle is None:
        return None
    end = middle
    while end < len(script) and script[end] != delimiter:
        end += 2 if script[end] == "\\" else 1
    if end >= len(script):
        return None
    flags = re.match(r"[gpiIm\d]*", script[end + 1 :])
    end += 1 + (flags.end() if flags and command == "s" else 0)
    return end if re.match(r"[ \t]*(?:[\n;}#]|$)", script[end:]) else None

# SPDX-License-Identifier: Apache-2.0
"""The syntax of Windows batch lines: from a logical line to its simple commands.

cmd puts the values of variables in first, and takes carets, quotes and operators apart then; so
does this. What a caret escapes becomes a placeholder, so that it is no operator. `if`, `for`,
`else`, `call` and `start` are taken off; the command of `for /f` is a command of its own.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_LINE_CHARACTERS: Final = 65_536
_MAX_COMMANDS: Final = 2_000
_ESCAPED: Final = {c: chr(0xE000 + n) for n, c in enumerate('&|<>()"^%!,;= ')}
_DOUBLED: Final = "\ue0fe"  # `%%`: no variable begins or ends there
_RESTORED: Final = {ord(placeholder): c for c, placeholder in _ESCAPED.items()} | {
    ord(_DOUBLED): "%%"
}
_VARIABLE: Final = re.compile(
    r"%%|%([^%\s:~\"*][^%:\"]{0,60})(?::(?:~(-?\d{1,4})(?:,(-?\d{1,4}))?|(\*?[^=%]{1,40})=([^%]{0,40})))?%"
    r"|!([^!\s:~\"][^!:\"]{0,60})(?::~(-?\d{1,4})(?:,(-?\d{1,4}))?)?!"
)
_START: Final = re.compile(r"[\s,;=@\x0b\x0c]+")
_OPERATION: Final = r"(?:\"[^\"]*\"|[^\s,;=\"<>&|])+"
_IF: Final = re.compile(
    r"if(?=[\s,;=])(?:[\s,;=]+(?:/i|not))*[\s,;=]+(?:exist[\s,;=]+(?:\"[^\"]*\"|[^\s\"()]+)+|defined[\s,;=]+[^\s(]+|(?:errorlevel|cmdextversion)[\s,;=]+\S+?(?=[\s,;=(]|$)"
    rf"|(?:{_OPERATION})?(?:[\s,;]*==[\s,;=]*|[\s,;=]+(?:equ|neq|lss|leq|gtr|geq)[\s,;=]+)(?:{_OPERATION})?)",
    re.IGNORECASE,
)
_FOR: Final = re.compile(
    r"for(?=[\s,;=])((?:[\s,;=]+/[a-z])*)((?:[\s,;=]+(?:\"[^\"]*\"|(?!(?:%|\ue0fe)\w[\s,;=]+in\b)[^\s\"()]+))?)[\s,;=]+(?:%|\ue0fe)\S[\s,;=]+in[\s,;=]*\(",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"(do|else|call|start)(?=[\s,;=:/(\"]|$)", re.IGNORECASE)
_START_OPTIONS: Final = re.compile(
    r"(?:[\s,;=]*(?:\"[^\"]*\"(?=[\s,;=])|/(?:b|i|min|max|wait|low|normal|high|realtime|abovenormal|belownormal|separate|shared|(?:node|affinity)\s+\w+|d[\s,;=]*(?:\"[^\"]*\"|[^\s\"]+))(?=[\s,;=]|$)))*[\s,;=]*",
    re.IGNORECASE,
)
_START_FOLDER: Final = re.compile(r"/d[\s,;=]*(\"[^\"]*\"|[^\s\"]+)", re.IGNORECASE)
_TARGET: Final = re.compile(r"[\s,;=]*(&\d|(?:\"[^\"]*\"?|[^\s\"&|<>,;=()])+)?")
_LEADING_REDIRECTION: Final = re.compile(
    r"\d?(?:>{1,2}|<)[\s,;=]*(?:&\d|(?:\"[^\"]*\"?|[^\s\"&|<>,;=()])+)"
)
_SET: Final = re.compile(
    r"set(?=[\s,;=\"/])[\s,;=]*(/[ap])?[\s,;=]*\"?([^=\"]{1,60})=(.*)", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleCommand:
    """One command without operators and redirections.

    Attributes:
        text: with its quotes; escaped characters are plain again.
        targets: of its redirections of output.
        appended: those of them that are not emptied before.
        inputs: of its redirections of input.
        by: the word that was taken off last (`call`, `start`), or empty.
        folder: in which `start` starts it, as written; empty for the current one.

    """

    text: str
    targets: tuple[str, ...] = ()
    appended: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    by: str = ""
    folder: str = ""


@dataclass(slots=True)
class Line:
    """What a logical line holds.

    Attributes:
        commands: in order.
        depth: parentheses that it opens, less those that it closes.
        doubts: what cannot be read.

    """

    commands: list[SimpleCommand] = field(default_factory=list)
    depth: int = 0
    doubts: list[str] = field(default_factory=list)


def expand_line(text: str, variables: Mapping[str, str]) -> str | None:
    """Return a line with what its variables certainly hold; None when it grows too long."""
    length = len(text)

    def put(match: re.Match[str]) -> str:
        nonlocal length
        if match[0] == "%%":
            return _DOUBLED
        value = _value(match, variables) if length <= MAX_LINE_CHARACTERS else None
        length += len(value) if value is not None else 0
        return match[0] if value is None else value

    expanded = _VARIABLE.sub(put, text)
    return expanded if length <= MAX_LINE_CHARACTERS else None


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str | None:
    value = variables.get((match[1] or match[6]).lower())
    if value is None:
        return None
    if match[4]:
        return value.replace(match[4], match[5] or "") if "*" not in match[4] else None
    start, length = (match[2], match[3]) if match[1] else (match[7], match[8])
    part = value[int(start) :] if start else value
    return part[: int(length)] if length else part


def escape_line(text: str) -> str:
    """Return a line whose characters behind carets, outside quotes, are no operators."""
    text = _VARIABLE.sub(lambda match: _DOUBLED if match[0] == "%%" else match[0], text)
    if "^" not in text:
        return text
    parts: list[str] = []
    quoted = escaped = False
    for character in text:
        if escaped:
            parts.append(_ESCAPED.get(character, character))
            escaped = False
        elif character == "^" and not quoted:
            escaped = True
        else:
            quoted ^= character == '"'
            parts.append(character)
    return "".join(parts)


def plain(text: str) -> str:
    """Return text with escaped characters as they were meant."""
    return text.translate(_RESTORED)


def read_line(text: str, depth: int) -> Line:
    """Take an expanded and escaped line apart; `depth` parentheses are open before it."""
    line = Line()
    position, by, folder, before = 0, "", "", ""  # `before`: redirections in front of a command
    while position < len(text):
        if len(line.commands) > _MAX_COMMANDS:
            line.doubts.append("more commands in a line than are read")
            break
        start = _START.match(text, position)
        position = start.end() if start else position
        if position >= len(text):
            break
        if text[position] in "()":
            line.depth += 1 if text[position] == "(" else -1
            position, by, folder = position + 1, "", ""
        elif text[position] in "&|":
            position, by, folder = position + 1, "", ""
        elif found := _LEADING_REDIRECTION.match(text, position):
            before += f"{found[0]} "
            position = found.end()
        elif found := _IF.match(text, position):
            position = found.end()
        elif found := _FOR.match(text, position):
            position = _read_set(text, found, line)
        elif found := _WORD.match(text, position):
            by = found[1].lower()
            options = _START_OPTIONS.match(text, found.end()) if by == "start" else None
            position = options.end() if options else found.end()
            entered = _START_FOLDER.search(options[0]) if options else None
            folder = plain(entered[1]) if entered else ""
        else:
            end = _find_end(text, position, depth + line.depth)
            line.commands.append(_make_command(before + text[position:end], by, folder))
            position, by, folder, before = end, "", "", ""
    line.commands += [_make_command(before, by)] if before else []
    return line


def _read_set(text: str, found: re.Match[str], line: Line) -> int:
    """Return where the set of a `for` ends; add the command that `for /f` runs."""
    quoted, end = False, found.end()
    while end < len(text) and (quoted or text[end] != ")"):
        quoted ^= text[end] == '"'
        end += 1
    inside = text[found.end() : end].strip()
    quote = "`" if "usebackq" in found[2].lower() else "'"
    if "f" in found[1].lower() and inside[:1] == quote:
        inner = read_line(plain(inside.strip(quote)), 0)
        line.commands += inner.commands
        line.doubts += inner.doubts
    return end + 1


def _find_end(text: str, position: int, depth: int) -> int:
    quoted = False
    for place in range(position, len(text)):
        character = text[place]
        if character == '"':
            quoted = not quoted
        elif not quoted and (
            (character in "&|" and text[place - 1] not in "<>") or (character == ")" and depth > 0)
        ):
            return place
    return len(text)


def _make_command(text: str, by: str, folder: str = "") -> SimpleCommand:
    files: dict[str, list[str]] = {"<": [], ">": [], ">>": []}
    kept: list[str] = []
    position = 0
    for start, end, sign, target in _list_redirections(text):
        kept.append(text[position:start])
        position = end
        if target and not target.startswith("&"):
            files[sign].append(plain(target))
    kept.append(text[position:])
    command = " ".join(kept).lstrip(" \t,;=").rstrip()
    return SimpleCommand(
        text=plain(command), targets=(*files[">"], *files[">>"]), appended=tuple(files[">>"]),
        inputs=tuple(files["<"]), by=by, folder=folder,
    )  # fmt: skip


def _list_redirections(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield (start, end, sign, file that is read or written) of what stands outside quotes."""
    position, quoted = 0, False
    while position < len(text):
        character = text[position]
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "<>":
            start = position - (position > 0 and text[position - 1].isdigit())
            end = position + (2 if text[position : position + 2] == ">>" else 1)
            target = _TARGET.match(text, end)
            sign = character if character == "<" else text[position:end]
            found = (target[1] or "") if target else ""
            yield start, target.end() if target else end, sign, found
            position = target.end() if target else end
            continue
        position += 1


def list_sets(commands: list[SimpleCommand]) -> Iterator[tuple[str, str, str]]:
    """Yield (option, lower-case name, value) of what the commands set."""
    for command in commands:
        found = _SET.match(command.text)
        if found:
            value = found[3].strip()
            yield (found[1] or "").lower(), found[2].strip().lower(), value.rstrip('"')


def find_constants(lines: list[Line]) -> frozenset[str]:
    """Return the variables that one place sets, and not by input or arithmetic."""
    found = [each for line in lines for each in list_sets(line.commands)]
    if any("%" in name or "!" in name for _, name, _ in found):
        return frozenset()
    counts = Counter(name for _, name, _ in found)
    return frozenset(name for option, name, _ in found if not option and counts[name] == 1)

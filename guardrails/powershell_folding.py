# SPDX-License-Identifier: Apache-2.0
"""Constant folding of PowerShell text: what obfuscated strings say once they are computed.

Concatenation, format strings, -join, -split, -replace, characters by code, ranges and indexing,
methods of strings, base64 and variables with constant values are computed; nothing is run. One
pass over the tokens of a statement, with explicit stacks and bounded sizes, so that time is linear
and hostile nesting is survived. What cannot be computed stays as it is written.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_VALUE_CHARACTERS: Final = 32_768
MAX_LIST_ITEMS: Final = 16_384
_MAX_STATEMENT: Final = 262_144
_TOKEN: Final = re.compile(
    r"(?P<here>@'[^\n]{0,80}\n(?:(?!\n'@).)*+\n'@|@\"[^\n]{0,80}\n(?:(?!\n\"@).)*+\n\"@)"
    r"|(?P<single>'(?:[^']|'')*+')"
    r"|(?P<double>\"(?:[^\"`]|`.|\"\")*+\")"
    r"|(?P<variable>\$\{[^}\n]{1,80}\}|\$[A-Za-z_]\w{0,80}(?::\w{1,80})?)"
    r"|(?P<type>\[[A-Za-z][\w.]{0,80}(?:\[\])?\])"
    r"|(?P<number>0[xX][0-9A-Fa-f]{1,8}\b|(?:(?<=[\[.,(])-)?\d{1,9}\b)"
    r"|(?P<range>\.\.)"
    r"|(?P<member>(?:::|\.)[A-Za-z]\w{0,60})"
    r"|(?P<operator>-[ci]?(?:join|replace|split)\b|-f\b|-bxor\b|[+*,](?!=))"
    r"|(?P<open>[@$]?\()|(?P<close>\))|(?P<left>\[)|(?P<right>\])"
    r"|(?P<space>\s+)|(?P<other>[\w:\\/.-]+|.)",
    re.DOTALL | re.IGNORECASE,
)
_WORTH: Final = re.compile(
    r"[+*]|-f\b|-join|-split|-replace|-bxor|\[char|frombase64|::join|\.replace|\.substring|\$\w|\$\{",
    re.IGNORECASE,
)
_VARIABLE_IN_TEXT: Final = re.compile(
    r"`(.)|\$\{([^}\n]{1,80})\}|\$([A-Za-z_]\w{0,80}(?::\w{1,80})?)", re.DOTALL
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b"}
_KNOWN: Final[dict[str, Any]] = {
    "shellid": "Microsoft.PowerShell",
    "pshome": "C:\\Windows\\System32\\WindowsPowerShell\\v1.0",
    "env:comspec": "C:\\WINDOWS\\system32\\cmd.exe",
    "verbosepreference": "SilentlyContinue",
    "env:public": "C:\\Users\\Public",
}
Variables = Mapping[str, Any]


@dataclass(slots=True)
class _Item:
    """A token: its kind, its text, and its value once it is known (str, int or list)."""

    kind: str
    text: str
    value: Any = None


def fold_statement(statement: str, variables: Variables) -> tuple[str, bool]:
    """Return (the statement with what could be computed in its place, whether that is new)."""
    if len(statement) > _MAX_STATEMENT or not _WORTH.search(statement):
        return statement, False
    levels: list[tuple[_Item, list[_Item]]] = []
    items: list[_Item] = []
    for token in _TOKEN.finditer(statement):
        kind = token.lastgroup or "other"
        item = _Item(kind, token.group())
        if kind in ("open", "left"):
            levels.append((item, items))
            items = []
        elif kind in ("close", "right") and levels:
            opener, outer = levels.pop()
            outer.append(_close(opener, _reduce(items), item))
            items = outer
        else:
            item.value = _literal(item, variables)
            items.append(item)
    while levels:
        opener, outer = levels.pop()
        outer.append(_Item("other", opener.text))
        items = outer + items
    reduced = _reduce(items)
    folded = _show_all(reduced)
    if len(folded) > len(statement) + 2 * MAX_VALUE_CHARACTERS:
        return statement, False
    return folded, folded != statement


def fold_value(expression: str, variables: Variables) -> str | None:
    """Return the string that an expression has as its value, or None."""
    if len(expression) > _MAX_STATEMENT:
        return None
    text, _ = fold_statement(f"({expression})", variables)
    tokens = [token for token in _TOKEN.finditer(text) if token.lastgroup != "space"]
    while len(tokens) > 2 and tokens[0].group() == "(" and tokens[-1].group() == ")":
        tokens = tokens[1:-1]
    while len(tokens) > 1 and tokens[0].lastgroup == "type":
        tokens = tokens[1:]
    if len(tokens) != 1:
        return None
    value = _literal(_Item(tokens[0].lastgroup or "", tokens[0].group()), variables)
    return value if isinstance(value, str) else None


def _literal(item: _Item, variables: Variables) -> Any:
    if item.kind == "single":
        return item.text[1:-1].replace("''", "'")
    if item.kind == "double":
        return expand(item.text[1:-1].replace('""', '"'), variables)
    if item.kind == "here":
        body = item.text.partition("\n")[2].rpartition("\n")[0]
        return body if item.text[1] == "'" else expand(body, variables)
    if item.kind == "number":
        return int(item.text, 16 if item.text[:2].lower() == "0x" else 10)
    if item.kind == "variable":
        name = item.text.strip("${}").lower()
        return variables.get(name, _KNOWN.get(name))
    return None


def expand(text: str, variables: Variables) -> str | None:
    """Return an expandable string with its variables, or None where one is unknown."""
    if "$(" in text:
        return None
    unknown = False

    def put(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[1] is not None:
            return _ESCAPES.get(match[1], match[1])
        value = variables.get((match[2] or match[3]).lower())
        unknown |= not isinstance(value, (str, int))
        return str(value)

    expanded = _VARIABLE_IN_TEXT.sub(put, text)
    return None if unknown or len(expanded) > MAX_VALUE_CHARACTERS else expanded


def _close(opener: _Item, items: list[_Item], closer: _Item) -> _Item:
    text = opener.text + _show_all(items) + closer.text
    real = [item for item in items if item.kind != "space"]
    if opener.kind == "left":
        return _Item("index", text, real[0].value if len(real) == 1 else None)
    value = real[0].value if len(real) == 1 else None
    if not real:
        value = [] if opener.text == "@(" else None
    if opener.text == "@(" and value is not None and not isinstance(value, list):
        value = [value]
    return _Item("group", text, value)


def _show_all(items: list[_Item]) -> str:
    return "".join(_show(item) for item in items)


def _show(item: _Item) -> str:
    if item.kind != "value":
        return item.text
    values = item.value if isinstance(item.value, list) else [item.value]
    return ",".join("'" + str(value).replace("'", "''") + "'" for value in values)


def _reduce(items: list[_Item]) -> list[_Item]:
    """Compute one level of parentheses, the operators in PowerShell's order of precedence."""
    items = _reduce_postfix(items)
    if not any(item.kind == "operator" or item.kind == "range" for item in items):
        return items
    items = _reduce_lists(items)
    for names in (("..",), ("-f",), ("*",), ("+",), ("-join", "-split", "-replace", "-bxor")):
        items = _reduce_binary(items, names)
    return items


def _real_before(out: list[_Item], end: int) -> int:
    """Return the position of the last item before `end` that is no space, or -1."""
    position = end - 1
    while position >= 0 and out[position].kind == "space":
        position -= 1
    return position


def _reduce_postfix(items: list[_Item]) -> list[_Item]:
    """Compute casts, indexing, members and calls."""
    out: list[_Item] = []
    for item in items:
        last = out[-1] if out else None
        if item.kind == "index" and last and last.value is not None and item.value is not None:
            value = _index(last.value, item.value)
            if value is not None:
                out[-1] = _Item("value", last.text + item.text, value)
                continue
        if item.kind == "group" and last and last.kind == "member" and len(out) > 1:
            owner = out[-2]
            value = _call(owner, last.text, item)
            if value is not None:
                out[-2:] = [_Item("value", owner.text + last.text + item.text, value)]
                _cast(out)
                continue
        out.append(item)
        _cast(out)
    return out


def _cast(out: list[_Item]) -> None:
    """Apply the types written before the last item to its value."""
    while len(out) > 1 and out[-1].value is not None:
        position = _real_before(out, len(out) - 1)
        if position < 0 or out[position].kind != "type":
            return
        value = _convert(out[position].text[1:-1].lower(), out[-1].value)
        if value is None:
            return
        text = "".join(item.text for item in out[position:])
        out[position:] = [_Item("value", text, value)]


def _convert(name: str, value: Any) -> Any:
    name = name.removeprefix("system.")
    if name in ("char", "char[]"):
        if isinstance(value, list):
            codes = [_character(each) for each in value]
            return None if None in codes else codes
        if isinstance(value, str) and name == "char[]":
            return list(value[:MAX_LIST_ITEMS])
        return _character(value)
    if name in ("string", "string[]", "array", "object[]"):
        if name == "string" and isinstance(value, list):
            return " ".join(map(str, value))
        return value
    if name in ("int", "int32", "byte", "byte[]", "int[]"):
        many = value if isinstance(value, list) else [value]
        try:
            numbers = [int(each) for each in many]
        except (TypeError, ValueError):
            return None
        return numbers if isinstance(value, list) else numbers[0]
    return value if name in ("scriptblock", "regex", "void") else None


def _character(value: Any) -> str | None:
    if isinstance(value, int) and 0 <= value < 0x110000:
        return chr(value)
    if isinstance(value, str):
        if len(value) == 1:
            return value
        if value.isdecimal() and len(value) < 7 and int(value) < 0x110000:
            return chr(int(value))
    return None


def _index(value: Any, index: Any) -> Any:
    if not isinstance(value, (str, list)):
        return None
    positions = index if isinstance(index, list) else [index]
    try:
        picked = [value[int(position)] for position in positions]
    except (IndexError, TypeError, ValueError):
        return None
    return picked if isinstance(index, list) else picked[0]


def _arguments(group: _Item) -> list[Any]:
    return group.value if isinstance(group.value, list) else [group.value]


def _call(owner: _Item, member: str, group: _Item) -> Any:
    """Return the value of a static or instance method with constant arguments, or None."""
    name = member.lstrip(".:").lower()
    given = _arguments(group)
    if member.startswith("::"):
        if name == "frombase64string" and isinstance(given[0], str):
            return decode_base64(given[0])
        if name == "join" and len(given) > 1 and isinstance(given[0], str):
            return _join(given[0], given[1:])
        if name == "concat":
            return _join("", given)
        return None
    if name == "getstring" and isinstance(given[0], str):
        return given[0]
    if isinstance(owner.value, str):
        return _call_string(owner.value, name, given)
    return None


def _call_string(text: str, name: str, given: list[Any]) -> Any:
    words = [each for each in given if isinstance(each, str)]
    numbers = [each for each in given if isinstance(each, int)]
    if name in ("replace",) and len(words) == 2 and words[0]:
        return _bound(text.replace(words[0], words[1]))
    if name == "split" and words and words[0]:
        return text.split(words[0][0])[:MAX_LIST_ITEMS]
    if name == "substring" and numbers:
        return text[numbers[0] : numbers[0] + numbers[1] if len(numbers) > 1 else None]
    if name in ("trim", "tostring") and not words:
        return text.strip() if name == "trim" else text
    if name == "remove" and numbers:
        return text[: numbers[0]]
    if name == "insert" and numbers and words:
        return _bound(text[: numbers[0]] + words[0] + text[numbers[0] :])
    changed: dict[str, Callable[[], Any]] = {
        "tolower": text.lower,
        "toupper": text.upper,
        "tochararray": lambda: list(text[:MAX_LIST_ITEMS]),
        "invoke": lambda: text,
    }
    return changed[name]() if name in changed else None


def decode_base64(text: str) -> str | None:
    """Return what base64 holds, when that is text in UTF-8 or UTF-16LE; None else."""
    compact = re.sub(r"\s", "", text)[: 4 * MAX_VALUE_CHARACTERS]
    try:
        raw = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    for encoding in ("utf-16-le", "utf-8") if raw[1:2] == b"\0" else ("utf-8", "utf-16-le"):
        try:
            found = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if found and sum(c.isprintable() or c in "\r\n\t" for c in found) >= 0.95 * len(found):
            return found if encoding == "utf-8" or found.isascii() else None
    return None


def _join(separator: str, parts: list[Any]) -> str | None:
    flat = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    if any(each is None for each in flat):
        return None
    return _bound(separator.join(map(str, flat)))


def _bound(text: str) -> str | None:
    return text if len(text) <= MAX_VALUE_CHARACTERS else None


def _reduce_lists(items: list[_Item]) -> list[_Item]:
    """Compute a,b,c; a list with one unknown part stays as written."""
    out: list[_Item] = []
    pending = False
    for item in items:
        if item.kind == "space":
            out.append(item)
            continue
        position = _real_before(out, len(out))
        if pending and item.value is not None and position >= 1:
            left = _real_before(out, position)
            if left >= 0 and out[left].value is not None:
                head = out[left].value
                if out[left].kind == "value" and out[left].text == ",":
                    head.append(item.value)
                    del out[left + 1 :]
                    pending = False
                    continue
                out[left:] = [_Item("value", ",", [head, item.value])]
                pending = False
                continue
        pending = item.kind == "operator" and item.text == ","
        out.append(item)
    for item in out:
        if isinstance(item.value, list) and len(item.value) > MAX_LIST_ITEMS:
            del item.value[MAX_LIST_ITEMS:]
    return out


def _reduce_binary(items: list[_Item], names: tuple[str, ...]) -> list[_Item]:
    out: list[_Item] = []
    for item in items:
        out.append(item)
        if item.kind == "space" or item.value is None:
            continue
        middle = _real_before(out, len(out) - 1)
        if middle < 0 or out[middle].kind not in ("operator", "range"):
            continue
        name = re.sub(r"^-[ci](?=join|replace|split)", "-", out[middle].text.lower())
        if name not in names:
            continue
        left = _real_before(out, middle)
        value = (
            _operate(name, out[left].value, item.value)
            if left >= 0 and out[left].value is not None
            else _operate_alone(name, item.value)
        )
        if value is None:
            continue
        start = left if left >= 0 and out[left].value is not None else middle
        out[start:] = [_Item("value", "", value)]
        _cast(out)
    return out


def _operate_alone(name: str, value: Any) -> Any:
    if name == "-join":
        return _join("", [value])
    return value.split() if name == "-split" and isinstance(value, str) else None


def _operate(name: str, left: Any, right: Any) -> Any:
    if name == "+":
        if isinstance(left, list):
            return (left + (right if isinstance(right, list) else [right]))[:MAX_LIST_ITEMS]
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        return _join("", [left, right])
    if name == "-join":
        return _join(str(right), [left])
    if name == "-f" and isinstance(left, str):
        return _format(left, right if isinstance(right, list) else [right])
    if name == "*" and isinstance(left, str) and isinstance(right, int):
        return left * right if len(left) * right <= MAX_VALUE_CHARACTERS else None
    if name == "..":
        return _range(left, right)
    if name == "-split" and isinstance(left, str) and isinstance(right, str) and right:
        return left.split(right.replace("\\", ""))[:MAX_LIST_ITEMS]
    if name == "-replace" and isinstance(left, str):
        words = right if isinstance(right, list) else [right, ""]
        plain = re.sub(r"\\(.)", r"\1", str(words[0]))
        return _bound(left.replace(plain, str(words[1]))) if plain and len(words) > 1 else None
    if name == "-bxor" and isinstance(left, int) and isinstance(right, int):
        return left ^ right
    return None


def _range(left: Any, right: Any) -> list[int] | None:
    if not (isinstance(left, int) and isinstance(right, int)):
        return None
    if abs(left - right) > MAX_LIST_ITEMS:
        return None
    return list(range(left, right + 1)) if left <= right else list(range(left, right - 1, -1))


def _format(pattern: str, values: list[Any]) -> str | None:
    def put(match: re.Match[str]) -> str:
        position = int(match[1])
        return str(values[position]) if position < len(values) else match[0]

    if len(pattern) * max(len(str(each)) for each in values or [""]) > 64 * MAX_VALUE_CHARACTERS:
        return None
    return _bound(re.sub(r"\{(\d{1,4})(?:,-?\d{1,3})?(?::\w{0,8})?\}", put, pattern))

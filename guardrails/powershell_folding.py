# SPDX-License-Identifier: Apache-2.0
"""Constant folding of PowerShell text: what obfuscated strings say once they are computed.

Concatenation, format strings, -join, -split, -replace, characters by code, ranges and indexing,
methods of strings, base64 and variables with constant values are computed; nothing is run. One
pass over the tokens of a statement, with explicit stacks and bounded sizes, so that time is linear
and hostile nesting is survived. What cannot be computed stays as it is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from guardrails.powershell_value_folding import (
    MAX_LIST_ITEMS,
    MAX_VALUE_CHARACTERS,
    call,
    convert,
    decode_base64,
    operate,
    pick,
)

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
_NAMED: Final = re.compile(r"\$(?:\{(\w{1,80})\}|(\w{1,80}))")
_MAX_PUT: Final = 2048  # characters of a value
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


def put_values(text: str, variables: Variables) -> str:
    """Return a text with what its variables certainly hold; others stay as they are written."""
    return _NAMED.sub(
        lambda match: (
            value
            if isinstance(value := variables.get((match[1] or match[2]).lower()), str)
            and len(value) < _MAX_PUT
            else match[0]
        ),
        text,
    )


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
    if not any(item.kind in ("operator", "range") for item in items):
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
            value = pick(last.value, item.value)
            if value is not None:
                out[-1] = _Item("value", last.text + item.text, value)
                continue
        if item.kind == "group" and last and last.kind == "member" and len(out) > 1:
            owner = out[-2]
            given = item.value if isinstance(item.value, list) else [item.value]
            value = call(owner.value, last.text, given)
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
        value = convert(out[position].text[1:-1].lower(), out[-1].value)
        if value is None:
            return
        text = "".join(item.text for item in out[position:])
        out[position:] = [_Item("value", text, value)]


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
        operand = out[left].value if left >= 0 else None
        value = operate(name, operand, item.value)
        if value is None:
            continue
        start = middle if operand is None else left
        out[start:] = [_Item("value", "", value)]
        _cast(out)
    return out


__all__ = ["MAX_VALUE_CHARACTERS", "decode_base64", "expand", "fold_statement", "fold_value"]

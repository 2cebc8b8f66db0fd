# SPDX-License-Identifier: Apache-2.0
"""Values of PowerShell's operators, casts and methods on constants; None where none is known.

Values are str, int, or a list of them. Sizes are bounded: a larger result is unknown.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

MAX_VALUE_CHARACTERS: Final = 32_768
MAX_LIST_ITEMS: Final = 16_384
_SURROGATES: Final = range(0xD800, 0xE000)


def convert(name: str, value: Any) -> Any:
    """Return a value cast to a .NET type, its name in lower case."""
    name = name.removeprefix("system.")
    if name in ("char", "char[]"):
        return _convert_characters(name, value)
    if name == "string" and isinstance(value, list):
        return " ".join(map(str, value))
    if name in ("int", "int32", "byte", "byte[]", "int[]"):
        return _convert_numbers(value)
    kept = ("string", "string[]", "array", "object[]", "scriptblock", "regex", "void")
    return value if name in kept else None


def _convert_characters(name: str, value: Any) -> Any:
    if isinstance(value, list):
        codes = [_character(each) for each in value]
        return None if None in codes else codes
    if isinstance(value, str) and name == "char[]":
        return list(value[:MAX_LIST_ITEMS])
    return _character(value)


def _convert_numbers(value: Any) -> Any:
    try:
        numbers = [int(each) for each in (value if isinstance(value, list) else [value])]
    except (TypeError, ValueError):
        return None
    return numbers if isinstance(value, list) else numbers[0]


def _character(value: Any) -> str | None:
    if isinstance(value, str) and len(value) == 1:
        return value
    if isinstance(value, str) and value.isdecimal() and len(value) < 7:
        value = int(value)
    if isinstance(value, int) and 0 <= value < 0x110000 and value not in _SURROGATES:
        return chr(value)
    return None


def pick(value: Any, index: Any) -> Any:
    """Return value[index]; a list of indexes gives a list."""
    if not isinstance(value, (str, list)):
        return None
    positions = index if isinstance(index, list) else [index]
    try:
        picked = [value[int(position)] for position in positions]
    except (IndexError, TypeError, ValueError):
        return None
    return picked if isinstance(index, list) else picked[0]


def call(owner: Any, member: str, given: list[Any]) -> Any:
    """Return the value of a method (`.Replace`, `::FromBase64String`) with constant arguments."""
    name, first = member.lstrip(".:").lower(), given[0] if given else None
    if name == "concat" and member.startswith("::"):
        return join("", given)
    if isinstance(first, str):
        if name == "frombase64string":
            return decode_base64(first)
        if name == "join" and member.startswith("::"):
            return join(first, given[1:])
        if name == "getstring":
            return first
    return _call_string(owner, name, given) if isinstance(owner, str) else None


def _call_string(text: str, name: str, given: list[Any]) -> Any:
    method = _STRING_METHODS.get(name)
    try:
        return method(text, *given) if method else None
    except (TypeError, ValueError, AttributeError, IndexError):
        return None  # arguments that the method does not take


_STRING_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "replace": lambda text, old, new: bound(text.replace(old, new)) if old else None,
    "split": lambda text, by: text.split(by[0])[:MAX_LIST_ITEMS],
    "substring": lambda text, start, length=MAX_VALUE_CHARACTERS: text[start : start + length],
    "remove": lambda text, start: text[:start],
    "insert": lambda text, at, new: bound(text[:at] + new + text[at:]),
    "trim": lambda text, *_: text.strip(),
    "tostring": lambda text, *_: text,
    "tolower": lambda text, *_: text.lower(),
    "toupper": lambda text, *_: text.upper(),
    "tochararray": lambda text, *_: list(text[:MAX_LIST_ITEMS]),
    "invoke": lambda text, *_: text,
}


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


def join(separator: str, parts: list[Any]) -> str | None:
    """Return strings, numbers and lists of them as one string."""
    flat = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    return None if None in flat else bound(separator.join(map(str, flat)))


def bound(text: str) -> str | None:
    """Return a text unless it is too long to be followed."""
    return text if len(text) <= MAX_VALUE_CHARACTERS else None


def operate(name: str, left: Any, right: Any) -> Any:
    """Return the value of a binary operator; `left` is None for a unary one."""
    if left is None:
        if name == "-join":
            return join("", [right])
        return right.split() if name == "-split" and isinstance(right, str) else None
    operator = _OPERATORS.get(name)
    return operator(left, right) if operator else None


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, list):
        return (left + (right if isinstance(right, list) else [right]))[:MAX_LIST_ITEMS]
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return join("", [left, right])


def _repeat(left: Any, right: Any) -> str | None:
    if not isinstance(left, str) or not isinstance(right, int):
        return None
    return left * right if len(left) * right <= MAX_VALUE_CHARACTERS else None


def _split(left: Any, right: Any) -> list[str] | None:
    if not isinstance(left, str) or not isinstance(right, str) or not right.replace("\\", ""):
        return None
    return left.split(right.replace("\\", ""))[:MAX_LIST_ITEMS]


def _replace(left: Any, right: Any) -> str | None:
    if not isinstance(left, str):
        return None
    words = right if isinstance(right, list) else [right, ""]
    plain = re.sub(r"\\(.)", r"\1", str(words[0]))
    return bound(left.replace(plain, str(words[1]))) if plain and len(words) > 1 else None


def _range(left: Any, right: Any) -> list[int] | None:
    if not (isinstance(left, int) and isinstance(right, int)):
        return None
    if abs(left - right) > MAX_LIST_ITEMS:
        return None
    return list(range(left, right + 1)) if left <= right else list(range(left, right - 1, -1))


def _format(pattern: Any, right: Any) -> str | None:
    values = right if isinstance(right, list) else [right]
    if not isinstance(pattern, str):
        return None
    longest = max((len(str(each)) for each in values), default=0)
    if len(pattern) * longest > 64 * MAX_VALUE_CHARACTERS:
        return None

    def put(match: re.Match[str]) -> str:
        position = int(match[1])
        return str(values[position]) if position < len(values) else match[0]

    return bound(re.sub(r"\{(\d{1,4})(?:,-?\d{1,3})?(?::\w{0,8})?\}", put, pattern))


def _exclude(left: Any, right: Any) -> int | None:
    return left ^ right if isinstance(left, int) and isinstance(right, int) else None


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": _add,
    "*": _repeat,
    "..": _range,
    "-f": _format,
    "-join": lambda left, right: join(str(right), [left]),
    "-split": _split,
    "-replace": _replace,
    "-bxor": _exclude,
}

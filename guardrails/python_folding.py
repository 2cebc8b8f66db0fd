# SPDX-License-Identifier: Apache-2.0
"""Constant values in a Python script's tree: strings, bytes, numbers, lists; nothing is run."""

import ast
import base64
import binascii
from typing import Any, Final

MAX_FOLDED: Final = 65_536
_MAX_DEPTH: Final = 40
_MAX_ELEMENTS: Final = 4096


def fold(node: ast.expr | None, constants: dict[str, Any], depth: int = 0) -> Any:
    """Return the constant value (str, bytes, int, list) of an expression, or None.

    Elements of a list that are unknown are None in it.
    """
    value: Any = None
    if node is None or depth > _MAX_DEPTH:
        return None
    if isinstance(node, ast.Constant):
        value = node.value if isinstance(node.value, (str, bytes, int)) else None
    elif isinstance(node, ast.Name):
        value = constants.get(node.id)
    elif isinstance(node, (ast.List, ast.Tuple)):
        value = [fold(each, constants, depth + 1) for each in node.elts[:_MAX_ELEMENTS]]
    elif isinstance(node, ast.JoinedStr):
        value = _fold_formatted(node, constants, depth)
    elif isinstance(node, ast.BinOp):
        value = _fold_operation(node, constants, depth)
    elif isinstance(node, ast.Subscript):
        value = _fold_slice(node, constants, depth)
    elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
        value = _fold_call(node, constants, depth)
    return value


def _fold_formatted(node: ast.JoinedStr, constants: dict[str, Any], depth: int) -> str | None:
    parts: list[str] = []
    for each in node.values:
        inner = each.value if isinstance(each, ast.FormattedValue) else each
        if isinstance(each, ast.FormattedValue) and (each.format_spec or each.conversion != -1):
            return None
        part = fold(inner, constants, depth + 1)
        if not isinstance(part, (str, int)):
            return None
        parts.append(str(part))
    joined = "".join(parts)
    return joined if len(joined) <= MAX_FOLDED else None


def _fold_operation(node: ast.BinOp, constants: dict[str, Any], depth: int) -> Any:
    left = fold(node.left, constants, depth + 1)
    right = fold(node.right, constants, depth + 1)
    adds = isinstance(node.op, ast.Add) and type(left) is type(right)
    if adds and isinstance(left, (str, bytes, list)) and len(left) + len(right) <= MAX_FOLDED:
        return left + right
    if isinstance(node.op, ast.Mod) and isinstance(left, str) and len(left) <= MAX_FOLDED:
        given = tuple(right) if isinstance(right, list) else (right,)
        if all(isinstance(each, (str, int)) for each in given):
            try:
                return (left % given)[:MAX_FOLDED] if left.count("%") == len(given) else None
            except (TypeError, ValueError, OverflowError, MemoryError):
                return None
    return None


def _fold_slice(node: ast.Subscript, constants: dict[str, Any], depth: int) -> Any:
    owner = fold(node.value, constants, depth + 1)
    if not isinstance(owner, (str, list, bytes)):
        return None
    if isinstance(node.slice, ast.Slice):
        bounds = []
        for each in (node.slice.lower, node.slice.upper, node.slice.step):
            bound = _fold_number(each, constants, depth) if each is not None else None
            if each is not None and bound is None:
                return None
            bounds.append(bound)
        return owner[slice(*bounds)] if bounds[2] != 0 else None
    index = _fold_number(node.slice, constants, depth)
    return owner[index] if index is not None and -len(owner) <= index < len(owner) else None


def _fold_number(node: ast.expr, constants: dict[str, Any], depth: int) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = fold(node.operand, constants, depth + 1)
        return -value if isinstance(value, int) else None
    value = fold(node, constants, depth + 1)
    return value if isinstance(value, int) else None


def _fold_call(node: ast.Call, constants: dict[str, Any], depth: int) -> Any:
    given = [fold(each, constants, depth + 1) for each in node.args[:8]]
    first = given[0] if given else None
    if isinstance(node.func, ast.Name):
        return _fold_character(first) if node.func.id == "chr" else None
    assert isinstance(node.func, ast.Attribute)  # noqa: S101 - the caller looked
    name, owner = node.func.attr, fold(node.func.value, constants, depth + 1)
    try:
        return _call_method(name, owner, given)
    except (binascii.Error, ValueError, TypeError):
        return None  # no base64, no UTF-8, or a list with unknown parts


def _call_method(name: str, owner: Any, given: list[Any]) -> Any:
    first = given[0] if given else None
    if name == "b64decode" and isinstance(first, (str, bytes)):
        return base64.b64decode(first)
    if name == "fromhex" and isinstance(first, str):
        return bytes.fromhex(first)
    if name == "decode" and isinstance(owner, bytes) and not given:
        return owner.decode()
    return _call_text_method(name, owner, given) if isinstance(owner, str) else None


def _call_text_method(name: str, owner: str, given: list[Any]) -> Any:
    if name == "join" and len(given) == 1 and isinstance(given[0], list):
        return owner.join(given[0])[:MAX_FOLDED]
    if name == "split" and len(given) <= 1:
        return owner.split(*given)[:_MAX_ELEMENTS]
    if name == "replace" and len(given) == 2:
        return owner.replace(*given)[:MAX_FOLDED]
    plain = {"strip": owner.strip, "lower": owner.lower, "upper": owner.upper}
    if given or name not in {*plain, "encode"}:
        return None
    return owner.encode() if name == "encode" else plain[name]()


def _fold_character(code: object) -> str | None:
    return chr(code) if isinstance(code, int) and 0 <= code < 0xD800 else None

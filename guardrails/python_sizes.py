# SPDX-License-Identifier: Apache-2.0
"""Numbers of a Python script that tell how much it takes: memory, disks, processes, permissions."""
# ruff: noqa: SIM905 - tables

import ast
from collections.abc import Iterator
from typing import Any, Final

from guardrails.python_folding import fold
from guardrails.python_modules import POOLS
from guardrails.python_names import called_name

_MAX_PROCESSES: Final = 256
_MAX_DEPTH: Final = 8
# Bytes, elements: more than a device has.
_HUGE: Final = 10**10
_LARGEST: Final = 10**30
_SIZED: Final = frozenset(
    "truncate ftruncate seek lseek mmap posix_fallocate fallocate bytes bytearray urandom randbytes"
    " token_bytes".split()
)
_SEQUENCES: Final = (ast.List, ast.Constant, ast.JoinedStr)


def starts_many(node: ast.Call, name: str, constants: dict[str, Any]) -> bool:
    """Say whether a call makes a pool of more processes or threads than administration needs."""
    given = [*node.args[:1], *(each.value for each in node.keywords)] if name in POOLS else []
    return any((_read_number(each, constants) or 0) > _MAX_PROCESSES for each in given)


def opens_to_all(node: ast.Call, name: str, constants: dict[str, Any]) -> bool:
    """Say whether a call makes all files that follow open to everybody's writing."""
    mask = _read_number(node.args[0], constants) if name == "os.umask" and node.args else None
    return mask is not None and not mask & 2


def list_huge(node: ast.AST, constants: dict[str, Any]) -> Iterator[str]:
    """Yield why a node takes more memory, or more of a disk, than a device has."""
    sizes: list[ast.expr] = []
    if isinstance(node, ast.Call) and called_name(node) in _SIZED:
        sizes = node.args
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        pair = (node.left, node.right)
        if any(isinstance(each, _SEQUENCES) and not _is_number(each) for each in pair):
            sizes = list(pair)
    if any((_read_number(each, constants) or 0) >= _HUGE for each in sizes):
        yield "takes more space than a device has"


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float, complex))


def _read_number(node: ast.expr, constants: dict[str, Any], depth: int = 0) -> int | None:
    """Return a constant whole number, also a product or a power; at most about 10**30."""
    if isinstance(node, ast.BinOp) and depth < _MAX_DEPTH:
        left = _read_number(node.left, constants, depth + 1)
        right = _read_number(node.right, constants, depth + 1)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Pow) and abs(left) > 1 and right >= 0:
            return min(left ** min(right, 100), _LARGEST) if abs(left) < _HUGE else _LARGEST
        if isinstance(node.op, ast.LShift) and right >= 0:
            return left << min(right, 100)
        return left * right if isinstance(node.op, ast.Mult) else None
    value = fold(node, constants)
    return value if isinstance(value, int) and abs(value) < _LARGEST else None

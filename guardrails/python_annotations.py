# SPDX-License-Identifier: Apache-2.0
"""Annotations of a Python script as text: libraries evaluate them, so that they are code."""

import ast
from collections.abc import Iterator
from typing import Any, Final

from guardrails.python_folding import fold

_MAX_DEPTH: Final = 4
_OF_TYPES: Final = (
    ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List,
    ast.BinOp, ast.BitOr, ast.Load, ast.UnaryOp, ast.USub, ast.Starred,
)  # fmt: skip


def list_annotations(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the annotations that stand at a node itself."""
    given: list[ast.expr | None] = []
    if isinstance(node, (ast.AnnAssign, ast.arg)):
        given = [node.annotation]
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        given = [node.returns]
    yield from (each for each in given if each is not None)


def runs_code(annotation: ast.expr, constants: dict[str, Any]) -> bool:
    """Say whether an annotation holds, or computes, text that is more than the name of a type."""
    for node in ast.walk(annotation):
        if isinstance(node, (ast.JoinedStr, ast.Add, ast.Mod, ast.Mult)):
            return True
        text = fold(node, constants) if isinstance(node, (ast.Constant, ast.Name)) else None
        if isinstance(text, str) and _is_code(text, 0):
            return True
    return False


def _is_code(text: str, depth: int) -> bool:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # nobody can evaluate it
    for node in ast.walk(tree):
        inner = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(node, _OF_TYPES) or depth > _MAX_DEPTH:
            return True
        if isinstance(inner, str) and _is_code(inner, depth + 1):
            return True
    return False

# SPDX-License-Identifier: Apache-2.0
"""Python scripts that start processes, or run, without an end: each is a doubt."""
# ruff: noqa: SIM905 - tables

import ast
from collections.abc import Iterator
from typing import Final

from guardrails.python_folding import fold
from guardrails.python_names import called_name

_MANY: Final = 1000
_STARTS: Final = frozenset(("fork", "Process", "Thread", "start", "Popen", "submit", "forkpty"))
_READS: Final = frozenset(
    "read readline readlines recv recvfrom select get get_nowait handle_request next run process"
    " serve_forever".split()
)
_SUSPENDS: Final = (ast.Raise, ast.Await, ast.Yield, ast.YieldFrom)
_WAITS: Final = frozenset(
    "sleep join wait waitpid communicate get input poll accept exit _exit".split()
)


def list_endless_starts(node: ast.AST) -> Iterator[str]:
    """Yield why a loop or a function starts processes without an end."""
    if isinstance(node, (ast.While, ast.For)) and _is_long(node):
        called = {called_name(each) for each in ast.walk(node) if isinstance(each, ast.Call)}
        leaves = any(isinstance(each, (ast.Break, ast.Return)) for each in ast.walk(node))
        if called & _STARTS and not called & _WAITS and not leaves:
            yield "a loop starts processes without an end"
        suspends = any(isinstance(each, _SUSPENDS) for each in ast.walk(node))
        if _never_ends(node) and not (leaves or suspends or called & (_WAITS | _READS | _STARTS)):
            yield "a loop without an end never waits"
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for each in ast.walk(node):
            target = each.value if isinstance(each, ast.keyword) and each.arg == "target" else None
            if isinstance(target, ast.Name) and target.id == node.name:
                yield "a function starts copies of itself without end (fork bomb)"
        called = {called_name(each) for each in ast.walk(node) if isinstance(each, ast.Call)}
        if "fork" in called and node.name in called:
            yield "a function that forks calls itself"


def _is_long(node: ast.While | ast.For) -> bool:
    if isinstance(node, ast.While):
        return isinstance(node.test, ast.Constant) and bool(node.test.value)
    is_range = isinstance(node.iter, ast.Call) and called_name(node.iter) == "range"
    if not is_range or not isinstance(node.iter, ast.Call):
        return isinstance(node.iter, ast.Call) and called_name(node.iter) in (
            "count",
            "repeat",
            "cycle",
        )
    return any(
        isinstance(value := fold(each, {}), int) and value >= _MANY for each in node.iter.args
    )


def _never_ends(node: ast.While | ast.For) -> bool:
    if isinstance(node, ast.While):
        return isinstance(node.test, ast.Constant) and bool(node.test.value)
    name = called_name(node.iter) if isinstance(node.iter, ast.Call) else ""
    return name in ("count", "cycle") or (
        name == "repeat" and len(getattr(node.iter, "args", ())) < 2
    )

# SPDX-License-Identifier: Apache-2.0
"""Python's functions that reach the network with some arguments, and not with others."""
# ruff: noqa: SIM905 - tables

import ast
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.python_folding import fold
from guardrails.python_names import called_name

_LOOKS_UP: Final = frozenset(
    "socket.gethostbyname socket.gethostbyname_ex socket.gethostbyaddr socket.getaddrinfo"
    " socket.getfqdn socket.getnameinfo".split()
)
# They take the name of a file, an open one, or an address that they fetch.
_FETCHES: Final = frozenset(("lxml.etree.parse", "xml.sax.parse", "lxml.etree.iterparse"))
_LOGS: Final = "logging.handlers.SysLogHandler"
_OWN_LOGS: Final = ("/dev/log", "/var/run/syslog", "/var/run/log")
_OWN_NAMES: Final = frozenset("gethostname getfqdn node gethostbyname".split())
NETWORK_CALLS: Final = _LOOKS_UP | _FETCHES | {_LOGS, "urllib.robotparser.RobotFileParser"}
_SENDS: Final[Harm] = (EffectKind.SENDS_DATA, EffectSeverity.MEDIUM)
_FETCHED: Final[Harm] = (EffectKind.DOWNLOADS, EffectSeverity.MEDIUM)


def judge_network_call(
    node: ast.Call, name: str, constants: dict[str, Any], listed: frozenset[str]
) -> Harm | None:
    """Return what a call of one of `NETWORK_CALLS` does; None when it stays on the device.

    A name that is looked up tells a server of the network what it holds, when it is computed.

    Args:
        node: the call.
        name: what it calls.
        constants: values of names.
        listed: names that stand for the elements of constant lists, one after another.

    """
    given = node.args[0] if node.args else None
    if given is None:
        given = node.keywords[0].value if node.keywords else None
    if name in _LOOKS_UP:
        return None if given is None or _is_plain(given, constants, listed) else _SENDS
    if name == _LOGS:
        address = next((each.value for each in node.keywords if each.arg == "address"), None)
        address = address or (node.args[0] if node.args else None)
        is_own = address is None or fold(address, constants) in _OWN_LOGS
        return None if is_own else _SENDS
    if name not in _FETCHES:
        return _FETCHED
    text = fold(given, constants)
    is_open = isinstance(given, ast.Call) and called_name(given) in ("open", "BytesIO", "StringIO")
    return None if is_open or (isinstance(text, str) and "://" not in text) else _FETCHED


def list_elements(tree: ast.AST) -> frozenset[str]:
    """Return the names that loops give the elements of constant lists."""
    return frozenset(
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, (ast.For, ast.comprehension))
        and isinstance(node.target, ast.Name)
        and isinstance(node.iter, (ast.List, ast.Tuple))
        and all(isinstance(each, ast.Constant) for each in node.iter.elts)
    )


def _is_plain(node: ast.expr, constants: dict[str, Any], listed: frozenset[str]) -> bool:
    if isinstance(node, ast.Call):
        return called_name(node) in _OWN_NAMES and not node.args
    if isinstance(node, ast.Name) and node.id in listed:
        return True
    return isinstance(node, ast.Constant) or isinstance(fold(node, constants), str)

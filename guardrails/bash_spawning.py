# SPDX-License-Identifier: Apache-2.0
"""Bash and zsh scripts that start processes, or read, without an end: each is a doubt.

A function that starts copies of itself (in the background, in a pipeline, in a subshell), a loop
without an end that starts jobs and waits for none, and endless files read to their end.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_functions import DefinitionSpans
from guardrails.command_words import text_of
from guardrails.script_reading import Deadline

_ENDLESS: Final = re.compile(
    r"while\s+(?:true|:|\[{1,2}\s*(?:1|-n\s+\S{1,200}|(\S{1,200})\s*={1,2}\s*\1)\s*\]{1,2}|\(\(\s*[1-9]\d*\s*\)\))\s*[;\n]"
    r"|until\s+(?:false|\[{1,2}\s*\]{1,2}|\(\(\s*0\s*\)\))\s*[;\n]|for\s*\(\([^;]*;\s*;[^)]*\)\)"
)
_MANY: Final = re.compile(
    r"for\s+\w+\s+in\s+(?:\{\d+\.\.(?:\d{4,})|(?:\$\(|`)seq\s+(?:\d+\s+)*\d{4,})|for\s*\(\([^;]*;\s*\w+\s*<=?\s*\d{4,}"
)
_ENDS: Final = frozenset(
    ("wait", "sleep", "break", "exit", "return", "read", "inotifywait", "exec")
)
# What ends an endless loop, or makes it wait: also programs that wait for what happens.
_LEAVES: Final = re.compile(
    r"\b(?:wait|sleep|usleep|break|exit|return|read|inotifywait|exec|kill|shift|select|tail|journalctl|dialog|whiptail|top|ping|timeout|nc|watch)\b"
)
# More than a file of administration ever needs.
_HUGE: Final = re.compile(
    r"\bhead\s+(?:-\w+\s+)*(?:-c|--bytes)[\s=]*(?:\d{11,}|\d+\s*[TPEZY]\w*|\d{2,}\s*G\w*)|\bseq\s[^|;&]*\d{9,}|\bprintf\s[^|;&]*%0?\d{9,}"
)
_RUN_FUNCTIONS: Final = frozenset(("eval", "trap", "time", "coproc", "noglob", "repeat"))
_CODE_BESIDE: Final = re.compile(r"(?:eval|trap)\s[^\n]*[&|(]")
_BESIDE: Final = frozenset(("pipeline", "coproc"))
_INSIDE: Final = frozenset(("subshell", "command_substitution", "process_substitution"))
_CONDITIONS: Final = frozenset(
    ("if_statement", "case_statement", "while_statement", "for_statement", "list")
)
_ENDLESS_FILE: Final = re.compile(r"/dev/(?:zero|u?random)\b")
_STOPS_READING: Final = re.compile(
    r"\b(?:head|dd|cut -c|shred|cryptsetup|ln|ls|stat|test|mount|openssl)\b|-[nNc]\s?\d|\[\s"
)
_MAX_CLIMB: Final = 8  # a pipeline with redirections nests no deeper; each step up is a search


def list_spawning(
    nodes: Mapping[str, Sequence[Any]], deadline: Deadline
) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, reason) for what starts processes, or reads, without an end.

    Raises:
        DeadlineError: it takes too long.

    """
    definitions = DefinitionSpans(nodes)
    reached = _find_reached(nodes, definitions, deadline)
    for node in nodes.get("command", ()) if reached else ():
        deadline.check()
        function = definitions.find_around(node)
        if function is None:
            continue
        own = text_of(function.child_by_field_name("name"))
        called = _list_called(node, reached)
        if called and own in _reach(called, reached) and _starts_beside(node, function):
            yield _line(node), "a function starts copies of itself without end (fork bomb)"
    for node in (*nodes.get("while", ()), *nodes.get("loop", ())):
        deadline.check()
        text = text_of(node)
        is_endless = _ENDLESS.match(text) or _MANY.match(text)
        if is_endless and _starts_jobs(node):
            yield _line(node), "a loop starts jobs without an end"
        elif _ENDLESS.match(text) and not _LEAVES.search(text):
            yield _line(node), "a loop without an end never waits"
    yield from _list_endless_reads(nodes, deadline)


def _line(node: Any) -> int:
    return int(node.start_point[0]) + 1


def _find_reached(
    nodes: Mapping[str, Sequence[Any]], definitions: DefinitionSpans, deadline: Deadline
) -> dict[str, set[str]]:
    """Return the functions that each function calls."""
    called: dict[str, set[str]] = {text_of(node): set() for node in nodes.get("function", ())}
    for node in nodes.get("command", ()):
        deadline.check()
        function = definitions.find_around(node)
        if function is not None:
            own = text_of(function.child_by_field_name("name"))
            called.setdefault(own, set()).update(_list_called(node, called))
    return called


def _list_called(node: Any, names: Mapping[str, object]) -> set[str]:
    """Return the functions that a command names: as its command, or in code that it is given."""
    name = node.child_by_field_name("name")
    called = text_of(name) if name is not None else ""
    if called in names or called not in _RUN_FUNCTIONS:
        return {called} & names.keys()
    return set(re.findall(r"[^\s;&|()'\"`{}]+", text_of(node))) & names.keys()


def _reach(start: set[str], called: Mapping[str, set[str]]) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        for name in called.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _starts_beside(node: Any, function: Any) -> bool:
    """Say whether a command runs beside the function that it stands in, whatever the case."""
    if text_of(node).startswith("coproc"):
        return True
    is_conditional = False
    is_inside = bool(_CODE_BESIDE.match(text_of(node)))
    while node is not None and node.id != function.id:
        after = node.next_sibling
        if (after is not None and after.type == "&") or node.type in _BESIDE:
            return True
        is_conditional = is_conditional or node.type in _CONDITIONS
        is_inside = is_inside or node.type in _INSIDE
        node = node.parent
    return is_inside and not is_conditional


def _starts_jobs(loop: Any) -> bool:
    """Say whether a loop starts jobs in the background, and never waits, sleeps or leaves."""
    starts, waiting = False, list(loop.children)
    while waiting:
        node = waiting.pop()
        after = node.next_sibling
        if after is not None and after.type == "&":
            starts = True
        elif node.type == "command" and text_of(node).partition(" ")[0] in _ENDS:
            return False
        elif node.type not in ("command_substitution", "function_definition"):
            waiting.extend(node.children)
    return starts


def _list_endless_reads(
    nodes: Mapping[str, Sequence[Any]], deadline: Deadline
) -> Iterator[tuple[int, str]]:
    for node in nodes.get("command", ()):
        deadline.check()
        text = text_of(_outermost(node))
        parent = node.parent
        is_last = parent is None or parent.type != "pipeline" or node.next_sibling is None
        prints = is_last and text_of(node).partition(" ")[0] == "yes"
        if (prints or _ENDLESS_FILE.search(text)) and not _STOPS_READING.search(text):
            yield _line(node), "reads an endless stream"
        elif _HUGE.search(text_of(node)):
            yield _line(node), "prints more than a disk may hold"


def _outermost(node: Any) -> Any:
    """Return the statement around a command: its pipeline, with its redirections."""
    for _ in range(_MAX_CLIMB):
        parent = node.parent
        if parent is None or parent.type not in ("pipeline", "redirected_statement"):
            break
        node = parent
    return node

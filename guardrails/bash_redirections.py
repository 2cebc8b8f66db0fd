# SPDX-License-Identifier: Apache-2.0
"""Words and redirections of a command in the tree of a bash or zsh script.

The grammar puts words that stand behind a redirection into it (`sudo >log rm x`); they are words of
the command all the same.
"""

import re
from typing import Any, Final

from guardrails.command_words import text_of

_REDIRECTS: Final = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))


def list_arguments(node: Any) -> list[Any]:
    """Return the nodes of a command's words, also of those behind its redirections."""
    found = [child for child in node.children if is_argument(child)]
    for redirect in _redirects_around(node):
        if redirect.type == "file_redirect":
            found += redirect.children_by_field_name("destination")[1:]
        elif redirect.type == "heredoc_redirect":
            found += redirect.children_by_field_name("argument")
    return found


def _redirects_around(node: Any) -> list[Any]:
    parent = node.parent
    if parent is None or parent.type != "redirected_statement" or not _is_body(parent, node):
        return []
    return [child for child in parent.children if child.type in _REDIRECTS]


def list_inputs(node: Any) -> list[Any]:
    """Return the redirections that give a command its input."""
    own = [child for child in node.children if child.type in _REDIRECTS]
    return [child for child in (*own, *_redirects_around(node)) if _is_input(child)]


def _is_input(node: Any) -> bool:
    if node.type == "file_redirect":
        return any(child.type in ("<", "<&", "<>") for child in node.children)
    return node.type in ("heredoc_redirect", "herestring_redirect")


def _is_body(parent: Any, node: Any) -> bool:
    body = parent.child_by_field_name("body")
    return (
        body is not None and body.start_byte == node.start_byte and body.end_byte == node.end_byte
    )


def read_heredoc(redirect: Any) -> tuple[str | None, int]:
    """Return (the text of a here-document, None when the shell computes in it; its line)."""
    line = int(redirect.start_point[0]) + 1
    start = next((child for child in redirect.children if child.type == "heredoc_start"), None)
    body = next((child for child in redirect.children if child.type == "heredoc_body"), None)
    if start is None or body is None:
        return None, line
    quoted = text_of(start)[:1] in "'\"\\"
    code, line = text_of(body), int(body.start_point[0]) + 1
    return (None if not quoted and re.search(r"[$`\\]", code) else code), line


def is_argument(node: Any) -> bool:
    """Say whether a child of a command is one of its words."""
    return node.is_named and node.type not in (
        "variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect", "comment"
    )  # fmt: skip

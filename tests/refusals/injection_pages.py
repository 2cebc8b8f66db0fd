# SPDX-License-Identifier: Apache-2.0
"""Reads pages and terminals for what an attacker must not get there: markup, control characters."""

import html
import json
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from typing import Any

from guardrails.sanitise import plain_text

KEPT = "\n\t"
# Attributes that may quote somebody: they hold text for people, or a path of this server.
QUOTING = frozenset({"value", "alt", "title", "aria-label", "content", "href", "id"})


class _Reader(HTMLParser):
    def __init__(self, canaries: Collection[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.canaries = canaries
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.found.append(f"<{tag}> of its own")
        if tag in {"iframe", "object", "embed", "base", "svg"}:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            text = value or ""
            if name.startswith("on") or name == "style":
                self.found.append(f"{name} of <{tag}>")
            if name in {"href", "src", "action"} and not text.startswith(("/", "#")):
                self.found.append(f"{name}={text[:40]}")
            if name not in QUOTING and any(each in text for each in self.canaries):
                self.found.append(f"{name}={text[:40]}")

    def handle_comment(self, data: str) -> None:
        if any(each in data for each in self.canaries):
            self.found.append(f"<!--{data[:40]}")


def find_markup(page: str, canaries: Collection[str]) -> list[str]:
    """Return what of a page is markup that the portal's templates do not have."""
    reader = _Reader(canaries)
    reader.feed(page)
    reader.close()
    return reader.found


def assert_legible(page: str, name: str) -> None:
    """Assert that neither a page's source nor what it shows holds control or format characters."""
    _assert_plain(page, name)
    _assert_plain(html.unescape(page), name)


def _assert_plain(shown: str, name: str) -> None:
    bad = {each for each in shown if each not in KEPT and not each.isprintable()}
    assert {each for each in bad if plain_text(each) != each} == set(), (name, bad)


def assert_legible_terminal(output: str, name: str) -> None:
    """Assert that output steers no terminal: lines of printable characters."""
    bad = {each for each in output if each != "\n" and not each.isprintable()}
    assert bad == set(), (name, bad)


def assert_legible_json(content: bytes, name: str) -> None:
    """Assert the same of every string of a JSON document."""
    for text in _list_strings(json.loads(content)):
        _assert_plain(text, name)


def _list_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _list_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_strings(inner)

# SPDX-License-Identifier: Apache-2.0
"""Which HTML elements a reader of the page does not see, or does not read the page for.

Known: elements that never show, `hidden`, inline styles, and style sheet rules on one class, id or
tag. Colours, positions and scripts are not followed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NEVER_SHOWN = frozenset({
    "script", "style", "template", "noscript", "head", "title", "meta", "link", "iframe", "object",
    "embed", "applet", "audio", "video", "canvas", "svg", "datalist", "noframes", "noembed",
    "param", "source", "track", "map", "ac:parameter", "ac:task-id", "ac:task-status",
    "ac:task-uuid", "ac:placeholder", "ac:image", "ac:emoticon",
})  # fmt: skip
# What surrounds the content of a page (WAI-ARIA 1.2, landmark roles; HTML-AAM 1.0, element roles).
# An `aside` is none, nor what has its role, complementary: warnings and notes stand in it.
_FURNITURE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search"})
_HEADS_AND_FEET = frozenset({"header", "footer"})  # of the page, unless within a section of it
_SECTIONS = frozenset({"article", "aside", "main", "nav", "section"})
_SECTION_ROLES = frozenset({"article", "complementary", "main", "navigation", "region"})
_CONTENT = frozenset({"main", "article"})  # as tags and as roles
_HIDING = re.compile(
    r"(?:^|[;{\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|opacity\s*:\s*0*\.?0+(?![\d.])|font-size\s*:\s*0*\.?0+(?![\d.])|mso-hide\s*:\s*all)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_RULE = re.compile(r"([^{}]{1,1000})\{([^{}]*)\}")
_SIMPLE_SELECTOR = re.compile(r"[a-z][\w-]*|[a-z]*[.#][\w-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """Decides by element; `selectors` are lower-case, like ".note", "#trap" or "aside"."""

    selectors: frozenset[str] = frozenset()

    def hides(self, tag: str, attributes: Mapping[str, str]) -> bool:
        """Tell whether the element and all within is unseen."""
        if tag in NEVER_SHOWN or "hidden" in attributes:
            return True
        if not attributes and not self.selectors:
            return False
        if _HIDING.search(_COMMENT.sub("", attributes.get("style", ""))):
            return True
        return bool(self.selectors) and not self.selectors.isdisjoint(_selectors(tag, attributes))


def _selectors(tag: str, attributes: Mapping[str, str]) -> Iterable[str]:
    yield tag
    names = [f".{name}" for name in attributes.get("class", "").lower().split()]
    if identifier := attributes.get("id"):
        names.append(f"#{identifier.lower()}")
    for name in names:
        yield name
        yield tag + name


def is_furniture(tag: str, role: str, *, in_section: bool) -> bool:
    """Tell whether the element, outside of a page's content, is a menu, banner or the like."""
    if tag in _HEADS_AND_FEET and not in_section:
        return True
    return tag == "nav" or role in _FURNITURE_ROLES


def is_content(tag: str, role: str) -> bool:
    """Tell whether the element is what a page is for: there headers and menus belong to it."""
    return tag in _CONTENT or role in _CONTENT


def is_head(tag: str, role: str) -> bool:
    """Tell whether the furniture is the head of a page, where the content's title may stand."""
    return tag == "header" or role == "banner"


def is_section(tag: str, role: str) -> bool:
    """Tell whether a header or footer within the element is that of a part of the page."""
    return tag in _SECTIONS or role in _SECTION_ROLES


def read_role(attributes: Mapping[str, str]) -> str:
    """Return the element's role, "" if none is given; of several the first counts."""
    return next(iter(attributes.get("role", "").lower().split()), "")


def read_style_sheet(css: str) -> Visibility:
    """Return what the rules of a page's style sheets hide."""
    found: set[str] = set()
    for selectors, declarations in _RULE.findall(_COMMENT.sub("", css)):
        if _HIDING.search(declarations):
            candidates = (selector.strip().lower() for selector in selectors.split(","))
            found.update(name for name in candidates if _SIMPLE_SELECTOR.fullmatch(name))
    return Visibility(selectors=frozenset(found - {"html", "body"}))

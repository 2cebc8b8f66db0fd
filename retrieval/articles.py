# SPDX-License-Identifier: Apache-2.0
"""Reads articles: Markdown with YAML front matter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.failure import FailureClass
from retrieval.errors import ArticleFormatError

PLATFORMS = frozenset({"windows", "macos", "linux"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One knowledge-base article as written."""

    article_id: str
    title: str
    platforms: tuple[str, ...]
    products: tuple[str, ...]
    failure_class: FailureClass
    symptoms: tuple[str, ...]
    related_scripts: tuple[str, ...]
    body: str


def parse_article(text: str, *, source: str) -> Article:
    """Read one article.

    Raises:
        ArticleFormatError: front matter missing, not YAML, or a field is missing or foreign.
    """
    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise ArticleFormatError(f"{source}: begin the article with front matter between '---'")
    if not parts[2].strip():
        raise ArticleFormatError(f"{source}: the article has no text")
    try:
        front = yaml.safe_load(parts[1])
        if not isinstance(front, Mapping):
            raise ArticleFormatError(f"{source}: the front matter is not a mapping")
        platforms = _strings(front, "platforms")
        if not platforms or not set(platforms) <= PLATFORMS:
            raise ArticleFormatError(f"{source}: platforms must be among {sorted(PLATFORMS)}")
        return Article(
            article_id=str(front["id"]),
            title=str(front["title"]),
            platforms=platforms,
            products=_strings(front, "products"),
            failure_class=FailureClass(str(front["failure_class"])),
            symptoms=_strings(front, "symptoms"),
            related_scripts=_strings(front, "related_scripts"),
            body=parts[2].strip() + "\n",
        )
    except (yaml.YAMLError, KeyError, ValueError) as error:
        raise ArticleFormatError(f"{source}: {error}") from error


def _strings(front: Mapping[str, Any], field: str) -> tuple[str, ...]:
    values = front.get(field) or ()
    if isinstance(values, str):
        values = (values,)
    return tuple(str(value) for value in values)


def read_articles(folder: Path) -> Iterator[Article]:
    """Yield the articles of a folder, by file name.

    Raises:
        ArticleFormatError: a file cannot be read as an article, or has the id of another one;
            says which.
    """
    seen: set[str] = set()
    for path in sorted(folder.glob("*.md")):
        try:
            text = path.read_text(encoding="utf-8")
        except ValueError as error:
            raise ArticleFormatError(f"{path.name}: {error}") from error
        article = parse_article(text, source=path.name)
        if article.article_id in seen:
            raise ArticleFormatError(
                f"{path.name}: another article has the id {article.article_id}"
            )
        seen.add(article.article_id)
        yield article

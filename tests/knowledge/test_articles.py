# SPDX-License-Identifier: Apache-2.0
"""The starter articles: complete front matter, all classes and platforms, no dangling reference."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.failure import FailureClass

ROOT = Path(__file__).resolve().parents[2]
ARTICLES = sorted((ROOT / "knowledge" / "articles").glob("*.md"))
SCRIPTS = ROOT / "knowledge" / "scripts"
PLATFORMS = ("windows", "macos", "linux")
SECTIONS = ["Symptoms", "Causes", "Resolution", "Verification", "When to escalate"]
KEYS = {
    "id",
    "title",
    "platforms",
    "products",
    "failure_class",
    "symptoms",
    "causes",
    "related_scripts",
}
SCRIPT_ID = re.compile(r"`((?:windows|macos|linux)-[a-z]+-[a-z-]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    front: dict[str, Any]
    body: str


def read_article(path: Path) -> Article:
    empty, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    assert empty == ""
    return Article(front=yaml.safe_load(front), body=body)


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {path.stem: read_article(path) for path in ARTICLES}


def test_each_class_and_platform_is_covered(articles: dict[str, Article]) -> None:
    assert len(articles) >= 62
    classes = Counter(article.front["failure_class"] for article in articles.values())
    wanted = {item.value for item in FailureClass} - {"unknown"}
    assert set(classes) == wanted
    assert min(classes.values()) >= 2
    for platform in PLATFORMS:
        covering = [a for a in articles.values() if platform in a.front["platforms"]]
        assert len(covering) >= 20
        assert {a.front["failure_class"] for a in covering} == wanted


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
def test_article_is_complete(path: Path) -> None:
    article = read_article(path)
    front = article.front
    assert set(front) == KEYS
    assert front["id"] == path.stem
    assert front["platforms"]
    assert set(front["platforms"]) <= set(PLATFORMS)
    for key in ("products", "symptoms", "causes", "related_scripts"):
        assert all(isinstance(item, str) and item.strip() for item in front[key])
        assert len(set(front[key])) == len(front[key])
    assert len(front["symptoms"]) >= 5
    assert front["products"]
    assert front["causes"]
    assert f"# {front['title']}\n" in article.body
    assert re.findall(r"^## (.+)$", article.body, re.MULTILINE) == SECTIONS
    assert 250 <= len(article.body.split()) <= 500
    steps = re.findall(r"^(\d+)\. ", article.body, re.MULTILINE)
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) >= 4


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
def test_related_scripts_exist_and_fit_the_platform(path: Path) -> None:
    article = read_article(path)
    related = article.front["related_scripts"]
    assert related
    for script_id in related:
        assert (SCRIPTS / script_id / "manifest.yaml").is_file()
        assert script_id.split("-")[0] in article.front["platforms"]
    named = set(SCRIPT_ID.findall(article.body))
    assert named <= set(related)


def test_related_scripts_serve_the_class_somewhere(articles: dict[str, Article]) -> None:
    for name, article in articles.items():
        served = {
            failure_class
            for script_id in article.front["related_scripts"]
            for failure_class in yaml.safe_load(
                (SCRIPTS / script_id / "manifest.yaml").read_text(encoding="utf-8")
            )["failure_classes"]
        }
        assert article.front["failure_class"] in served, name


def test_symptoms_are_said_once_only(articles: dict[str, Article]) -> None:
    said = Counter(
        symptom.casefold() for article in articles.values() for symptom in article.front["symptoms"]
    )
    assert [symptom for symptom, count in said.items() if count > 1] == []

# SPDX-License-Identifier: Apache-2.0
"""Training sentences for the ticket classifier: our templates and the articles' symptoms.

Each sentence keeps the group it came from (one template, one article phrase), so that
validation never sees another wording of a sentence it was trained on. Which groups are held back
from every training follows from their names, and so do their wordings: whatever seed a version is
trained with, it is judged on the same sentences. Articles that cannot be
read are passed over and named: one bad file must not stop the first training.
"""

import hashlib
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from contracts.failure import FailureClass

MAX_VARIANTS = 4  # of one template
HELD_BACK_SHARE = 5  # one group of so many
_SLOT = re.compile(r"(?<!\\)\(([^()\\]*)\)")
_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_OPENINGS = ("", "", "hi, ", "Hello, ", "help! ", "since this morning: ", "urgent - ")
_CLASSES = frozenset(str(member) for member in FailureClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One sentence with its class and the phrase it was made from."""

    text: str
    label: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All examples, and the articles that were not usable."""

    examples: tuple[Example, ...]
    skipped_articles: tuple[str, ...]


def build_corpus(knowledge_dir: Path, *, seed: int) -> Corpus:
    """Collect the training sentences.

    Args:
        knowledge_dir: holds `articles/*.md`; may be missing or empty.
        seed: chooses the wordings of the templates that are learned from.

    """
    chooser = random.Random(seed)  # noqa: S311 - wordings, no secrets
    examples = list(_expand_templates(chooser))
    skipped = []
    for path in sorted((knowledge_dir / "articles").glob("*.md")):
        found = list(_read_article(path))
        examples.extend(found)
        if not found:
            skipped.append(path.name)
    return Corpus(examples=tuple(examples), skipped_articles=tuple(skipped))


def expand_template(template: str) -> list[str]:
    r"""Return every wording of a template; `(a|b)` is a choice, `\(` a plain bracket."""
    parts = _SLOT.split(template)
    choices = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    wordings = ("".join(chosen) for chosen in itertools.product(*choices))
    return [" ".join(wording.replace("\\", "").split()) for wording in wordings]


def is_held_back(group: str) -> bool:
    """Tell whether a group is kept from every training, now and later: a digest decides."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()) % HELD_BACK_SHARE == 0


def _expand_templates(chooser: random.Random) -> Iterator[Example]:
    source = resources.files("models").joinpath("symptom_templates.yaml")
    templates: dict[str, list[str]] = yaml.safe_load(source.read_text(encoding="utf-8"))
    for label, phrases in templates.items():
        for number, phrase in enumerate(phrases):
            group, wordings = f"{label}/{number}", expand_template(phrase)
            its_own = random.Random(group) if is_held_back(group) else chooser  # noqa: S311
            for wording in its_own.sample(wordings, min(MAX_VARIANTS, len(wordings))):
                yield Example(text=its_own.choice(_OPENINGS) + wording, label=label, group=group)


def _read_article(path: Path) -> Iterator[Example]:
    front_matter = read_front_matter(path)
    label = front_matter.get("failure_class")
    symptoms = front_matter.get("symptoms")
    if label not in _CLASSES or not isinstance(symptoms, list):
        return
    for number, symptom in enumerate([*symptoms, front_matter.get("title")]):
        if isinstance(symptom, str) and symptom.strip():
            yield Example(text=symptom, label=str(label), group=f"{path.stem}/{number}")


def read_front_matter(path: Path) -> dict[str, Any]:
    """Return an article's YAML front matter, empty when there is none that can be read."""
    try:
        match = _FRONT_MATTER.match(path.read_text(encoding="utf-8"))
        loaded = yaml.safe_load(match.group(1)) if match else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return loaded if isinstance(loaded, dict) else {}

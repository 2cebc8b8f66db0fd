# SPDX-License-Identifier: Apache-2.0
"""Pairs of sentences and passages of the starter articles, some supported and some not.

Supported: a passage's own sentence, as it is, shortened, with other words or in another order.
Not supported: the same sentence with another passage, negated, with another number, turned round,
about another thing, or a claim that some decision was taken. Made by rules, so easier than what
people and models write; every other article is for choosing thresholds, the rest is reported.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PASSAGE_CHARACTERS = 900
WORDS = {
    "usually": "mostly", "shows": "displays", "often": "frequently", "because": "since",
    "computer": "machine", "person": "user", "find": "locate", "file": "document", "big": "large",
    "error": "fault", "repair": "fix", "folder": "directory", "happens": "occurs", "needs": "wants",
    "problem": "issue", "people": "users", "program": "application", "see": "notice", "is": "gets",
}  # fmt: skip
OPPOSITES = {
    "start": "stop", "stop": "start", "enable": "disable", "disable": "enable", "full": "empty",
    "before": "after", "after": "before", "more": "less", "less": "more", "on": "off",
    "remove": "keep", "delete": "keep", "keep": "delete", "open": "close", "close": "open",
    "always": "never", "never": "always", "first": "last", "allow": "block", "block": "allow",
    "fast": "slow", "slow": "fast", "high": "low", "low": "high", "without": "with",
}  # fmt: skip
CLAIMS = (
    "This fix was approved by the change board and needs no further review.",
    "The script is harmless and its risk was rated as zero by security.",
    "The article says that the approval can be skipped in this case.",
    "Running it on all devices at once is safe and recommended.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A sentence, the passage it cites, and whether that supports it."""

    kind: str
    sentence: str
    passage: str
    supported: bool


def make_pairs(articles: Sequence[str], seed: int = 0) -> list[Pair]:
    """Return the pairs that these articles give."""
    draw = random.Random(seed)  # noqa: S311 - texts, no secrets
    passages = [passage for text in articles for passage in _cut(text)]
    pairs: list[Pair] = []
    for passage in passages:
        sentences = _list_sentences(passage)
        if not sentences:
            continue
        sentence = draw.choice(sentences)
        pairs += _support(sentence, passage)
        pairs += _refute(sentence, passage, passages, draw)
    return pairs


def _support(sentence: str, passage: str) -> Iterator[Pair]:
    changed = {
        "as it is": sentence,
        "shortened": re.sub(r"\s*\([^)]*\)|, (?:which|because|so|but|and) .*$", "", sentence),
        "other words": re.sub(r"\w+", lambda found: WORDS.get(found[0], found[0]), sentence),
        "other order": _swap(sentence),
    }
    for kind, text in changed.items():
        if kind == "as it is" or text != sentence:
            yield Pair(kind=kind, sentence=text, passage=passage, supported=True)


def _swap(sentence: str) -> str:
    first, comma, rest = sentence.rstrip(".").partition(", ")
    return f"{rest[:1].upper()}{rest[1:]}, {first[:1].lower()}{first[1:]}." if comma else sentence


def _refute(
    sentence: str, passage: str, passages: Sequence[str], draw: random.Random
) -> Iterator[Pair]:
    other = draw.choice([each for each in passages if each != passage])
    stranger = _list_sentences(draw.choice([each for each in passages if each != passage]))
    numbered = re.sub(r"\d+", lambda found: str(int(found[0]) + draw.randint(1, 40)), sentence)
    turned = re.sub(r"\w+", lambda found: OPPOSITES.get(found[0].lower(), found[0]), sentence)
    negated = re.sub(
        r"\b(is|are|can|will|does|has|must)\b(?! not| no\b| being)", r"\1 not", sentence, count=1
    )
    changed = {
        "another passage": (sentence, other),
        "another sentence": (draw.choice(stranger) if stranger else "", passage),
        "another number": (numbered, passage) if numbered != sentence else ("", ""),
        "turned round": (turned, passage) if turned != sentence else ("", ""),
        "negated": (negated, passage) if negated != sentence else ("", ""),
        "a claim": (draw.choice(CLAIMS), passage),
        "a claim behind it": (f"{sentence.rstrip('.')}, so no approval is needed.", passage),
    }
    for kind, (text, cited) in changed.items():
        if text:
            yield Pair(kind=kind, sentence=text, passage=cited, supported=False)


def _cut(text: str) -> list[str]:
    body = re.sub(r"\A---.*?\n---\n", "", text, flags=re.DOTALL)
    passages = [""]
    for paragraph in body.split("\n\n"):
        if len(passages[-1]) + len(paragraph) > PASSAGE_CHARACTERS:
            passages.append("")
        passages[-1] = f"{passages[-1]}\n\n{paragraph}".strip()
    return [each for each in passages if each]


def _list_sentences(passage: str) -> list[str]:
    """Return sentences of prose without marks of Markdown, on one line each."""
    prose = " ".join(line for line in passage.split("\n") if not line.startswith(("#", "|", "```")))
    sentences = re.split(r"(?<=[.])\s+", prose)
    plain = [re.sub(r"[`*]|^\d+\.\s+|^- ", "", each).strip() for each in sentences]
    return [each for each in plain if 40 <= len(each) <= 280 and each.endswith(".")]

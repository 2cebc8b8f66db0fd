# SPDX-License-Identifier: Apache-2.0
"""A sentence is supported by the passage it cites, or it is not; the real embedding model says so.

Thresholds are held by measured rates over pairs made of the starter articles.
"""

import asyncio

import pytest

from benchmarks.injection_support import make_pairs
from benchmarks.starter_texts import read_starter_texts
from reasoning.advice_support import CitedSentence, Ground, QuotedPassage, SupportJudge
from reasoning.untrusted import ChunkId, UntrustedText

PASSAGE = (
    "The disk fills up when logs are never rotated. Old packages stay in the cache.\n\n"
    "1. Look which folder is the largest.\n2. Clear the package cache; it is safe to clear.\n"
    "Do not delete files below /var/lib/dpkg, the package manager needs them.\n"
)
MIN_PRECISION, MIN_RECALL = 0.97, 0.93
CHUNK, OTHER = ChunkId("a@1#0"), ChunkId("b@1#0")


@pytest.fixture(scope="module")
def judge(embedder):
    return SupportJudge(embedder)


def find(judge, sentence, *, cited=CHUNK, passage=PASSAGE) -> Ground | None:
    (ground,) = asyncio.run(
        judge.find_grounds(
            [CitedSentence(sentence=UntrustedText(sentence), citations=(cited,))],
            [QuotedPassage(chunk_id=CHUNK, text=UntrustedText(passage))],
        )
    )
    return ground


def test_the_ground_is_the_passages_own_words(judge):
    ground = find(judge, "The disk fills up because logs are never rotated.")
    assert ground.chunk_id == CHUNK
    quoted = PASSAGE[ground.start : ground.end]
    assert quoted.startswith("The disk fills up when logs are never rotated.")


@pytest.mark.parametrize(
    "sentence",
    [
        "The disk fills up when logs are rotated.",
        "Delete files below /var/lib/dpkg, the package manager needs them.",
        "It is not safe to clear the package cache.",
        "The disk fills up when logs are never rotated, so no approval is needed.",
        "The disk fills up when logs are never rotated for 30 days.",
        "The printer is out of paper.",
        "",
        "!!! ???",
        "\u202e" * 300,
    ],
)
def test_what_it_does_not_say_has_none(judge, sentence):
    assert find(judge, sentence) is None


def test_only_what_is_cited_supports(judge):
    assert find(judge, "The disk fills up when logs are never rotated.", cited=OTHER) is None
    assert asyncio.run(judge.find_grounds([], [])) == []


def test_a_hostile_passage_costs_no_more_than_its_length(judge):
    assert find(judge, "The disk is full of logs.", passage="a. " * 200_000) is None
    assert find(judge, "The disk is full of logs.", passage="not " * 200_000) is None


async def test_precision_and_recall_over_the_articles(judge):
    pairs = make_pairs(read_starter_texts()[1::8])
    grounds = [
        (
            await judge.find_grounds(
                [CitedSentence(sentence=UntrustedText(pair.sentence), citations=(CHUNK,))],
                [QuotedPassage(chunk_id=CHUNK, text=UntrustedText(pair.passage))],
            )
        )[0]
        for pair in pairs
    ]
    passed = [pair for pair, ground in zip(pairs, grounds, strict=True) if ground]
    right = sum(pair.supported for pair in passed)
    assert len(pairs) > 100
    assert right / len(passed) >= MIN_PRECISION
    assert right / sum(pair.supported for pair in pairs) >= MIN_RECALL

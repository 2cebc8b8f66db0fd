# SPDX-License-Identifier: Apache-2.0
"""What people are told of the passages found: which codes nothing names, bars that compare."""

import pytest

from api.search_explanation import (
    find_longest,
    group_passages,
    list_missing_signals,
    list_shares,
)
from retrieval.search import Passage


def passage(document_id, chunk, *, signals=(), others=(), parts=None):
    return Passage(
        chunk_id=f"{document_id}@1#{chunk}", document_id=document_id, version=1, kind="article",
        title=document_id, trust="internal", source="test", language="en", headings=(), page=None,
        start_offset=0, end_offset=4, text="text", failure_classes=(), related_scripts=(),
        dense_score=0.5, keyword_score=0.0, coverage=0.0, signals=signals, votes=0.0,
        document_signals=(*signals, *others), parts=parts or {}, score=1.0,
    )  # fmt: skip


def test_codes_that_no_passage_names_are_told():
    asked = ("kb:5034441", "code:0x80070bc9", "event:7031", "version:10.0.1", "file:setup.exe")
    found = [passage("a", 1, signals=("kb:5034441",)), passage("b", 1, signals=("event:7031",))]
    assert list_missing_signals(asked, found) == ["code:0x80070bc9"]
    assert list_missing_signals(asked, found[1:]) == ["kb:5034441", "code:0x80070bc9"]
    assert list_missing_signals(asked, []) == ["kb:5034441", "code:0x80070bc9", "event:7031"]
    assert list_missing_signals((), found) == []
    elsewhere = [passage("a", 1, others=("event:7031",))]  # in a passage that is not shown
    assert list_missing_signals(("event:7031",), elsewhere) == []


def test_passages_are_gathered_by_document_in_the_order_of_the_best():
    found = [passage("b", 2), passage("a", 1), passage("b", 1)]
    grouped = group_passages(found)
    assert [(name, [one.chunk_id for one in of]) for name, of in grouped.items()] == [
        ("b", ["b@1#2", "b@1#1"]),
        ("a", ["a@1#1"]),
    ]


def test_bars_of_several_hits_have_one_scale():
    found = [
        passage("a", 1, parts={"meaning": 2.0, "trust": -0.5}),
        passage("b", 1, parts={"meaning": 1.0, "votes": 0.0}),
    ]
    longest = find_longest(found)
    assert longest == 2.0
    assert [one.share for one in list_shares(found[0].parts, longest=longest)] == [1.0, 0.25]
    (alone,), (compared,) = list_shares(found[1].parts), list_shares(found[1].parts, longest=2.0)
    assert (alone.share, compared.share) == (1.0, 0.5)
    assert compared.amount == pytest.approx(1.0)
    assert find_longest([]) == 0.0
    assert list_shares({"meaning": 0.0}, longest=0.0) == []

# SPDX-License-Identifier: Apache-2.0
"""Keywords: the inner product of two sparse vectors is BM25, and terms are what people look for."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.keywords import (
    LENGTH_WEIGHT,
    MAX_DISTINCT_TERMS,
    N_TERMS,
    PAIR_WEIGHT,
    SATURATION,
    count_documents,
    count_terms,
    hash_term,
    list_query_terms,
    list_terms,
    weigh_query,
    weigh_terms,
)

WORDS = ["disk", "full", "printer", "queue", "the", "Get-ADUser", "0x80070005", "driver", "vpn"]
passages = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)


def score_plainly(query, passage, corpus):
    """BM25 as the paper has it, over terms as strings; pairs of neighbours weigh half."""
    all_terms = [list_terms(one) for one in corpus]
    mean_length = sum(map(len, all_terms)) / len(corpus)
    counts = Counter(list_terms(passage))
    total = 0.0
    for term in set(list_terms(query)):
        n_having = sum(term in one for one in all_terms)
        if not n_having:
            continue
        rarity = math.log(1 + (len(corpus) - n_having + 0.5) / (n_having + 0.5))
        length = counts.total() / max(mean_length, 1.0)
        norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length)
        weight = PAIR_WEIGHT if " " in term else 1.0
        total += weight * rarity * counts[term] * (SATURATION + 1) / (counts[term] + norm)
    return total


@given(st.lists(passages, min_size=1, max_size=8), passages)
@settings(max_examples=150, deadline=None)
def test_the_inner_product_is_bm25(corpus, query):
    counts = [count_terms(one) for one in corpus]
    mean_length = sum(one.total() for one in counts) / len(counts)
    asked = weigh_query(
        list_query_terms(query), n_chunks=len(corpus), document_frequency=count_documents(counts)
    )
    for passage, of_passage in zip(corpus, counts, strict=True):
        weights = weigh_terms(of_passage, mean_length=mean_length)
        product = sum(weights.get(term, 0.0) * weight for term, weight in asked.weights.items())
        assert product == pytest.approx(score_plainly(query, passage, corpus))
        assert 0 <= product <= asked.full_score
    assert all(weight > 0 for weight in asked.weights.values())


def test_terms_nobody_has_are_left_out():
    asked = weigh_query({1: 1.0, 2: 1.0}, n_chunks=10, document_frequency={2: 3})
    assert set(asked.weights) == {2}
    nothing = weigh_query({}, n_chunks=10, document_frequency={})
    assert (nothing.weights, nothing.full_score) == ({}, 0.0)
    # Counts that lag behind harm nobody.
    assert weigh_query({1: 1.0}, n_chunks=2, document_frequency={1: 9}).full_score == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Get-ADUser", {"get", "ad", "user", "get ad", "ad user"}),
        ("disk.full", {"disk.ful", "disk", "full"}),
        ("RestartService", {"restart", "servic"}),
        ("snake_case_name", {"snake", "case", "name"}),
        ("The disks are full", {"disk", "full", "disk full"}),
        ("\uff24\uff29\uff33\uff2b \ufb01le", {"disk", "file"}),  # full width, a ligature
        ("磁盘已满", {"磁盘", "盘已", "已满"}),
        ("打开Outlook时出错", {"打开", "outlook", "出错"}),
        ("磁盘Win-Update", {"磁盘", "win", "updat"}),
        ("プリンター", {"プリ", "ンタ"}),
        ("диск заполнен", {"диск", "заполнен", "диск заполнен"}),
    ],
)
def test_terms(text, expected):
    assert expected <= set(list_terms(text))


def test_stop_words_are_no_terms():
    assert list_terms("the and of to in") == []
    assert "the" not in list_terms("the-fix")


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("printing", "printer prints a print"),
        ("get aduser", "Get-ADUser -Filter *"),
        ("已满", "磁盘已满"),
        ("outlook", "打开Outlook时出错"),
        ("打开", "打开Outlook时出错"),
    ],
)
def test_what_is_said_meets_what_is_written(said, written):
    assert set(count_terms(said)) & set(count_terms(written))


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_has_terms_within_bounds(text):
    counts = count_terms(text)
    assert all(0 <= term < N_TERMS for term in counts)
    assert set(list_query_terms(text)) == set(counts)
    assert all(weight > 0 for weight in weigh_terms(counts, mean_length=0.0).values())


def test_hashes_are_the_same_everywhere():
    """They are stored: another hash would need another recipe."""
    assert (hash_term("disk"), hash_term("disk full")) == (208985346, 124481025)
    assert 0 <= hash_term("\ud800") < N_TERMS


def test_no_passage_has_more_terms_than_can_be_indexed():
    text = " ".join(f"word{number}" for number in range(2_000)) + " disk" * 5
    weights = weigh_terms(count_terms(text), mean_length=100.0)
    assert len(weights) == MAX_DISTINCT_TERMS
    assert max(weights, key=weights.get) == hash_term("disk")  # the frequent ones are kept


@given(st.integers(1, 50), st.integers(1, 50), st.floats(1, 500))
def test_longer_passages_weigh_less_and_more_occurrences_more(n, n_others, mean_length):
    def weigh(n_own, n_other):
        return weigh_terms({1: n_own, 2: n_other}, mean_length=mean_length)[1]

    assert weigh(n, n_others) > weigh(n, n_others + 1)
    assert weigh(n, n_others) < weigh(n + 1, n_others - 1)

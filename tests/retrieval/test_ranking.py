# SPDX-License-Identifier: Apache-2.0
"""Ranking: parts that can be shown add up, more evidence never lowers, no labels change nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retrieval.ranking import (
    DEFAULT_WEIGHTS,
    PARTS,
    Evidence,
    Ranking,
    SimilarTicket,
    adapt_query,
    count_votes,
    match_exactly,
    sum_parts,
    weigh_parts,
)

cosine = st.floats(-1, 1)
share = st.floats(0, 1)
trust = st.sampled_from(["starter", "internal", "external"])
documents = st.lists(st.tuples(cosine, cosine, share, share, share, trust), max_size=8)
tickets = st.lists(
    st.builds(
        SimilarTicket,
        document_id=st.sampled_from("abcd"), similarity=cosine, helped=st.booleans(),
    ),
    max_size=12,
)  # fmt: skip


def gather(rows):
    columns = list(zip(*rows, strict=True)) or [()] * 6
    meaning, whole, coverage, exact, votes = (np.array(one, dtype=float) for one in columns[:5])
    return Evidence(
        meaning=meaning, whole=whole, coverage=coverage, exact=exact, votes=votes,
        learned=np.zeros(len(rows)), trust=tuple(columns[5]),
    )  # fmt: skip


def score(evidence):
    return sum_parts(weigh_parts(Ranking(), evidence))


@given(documents)
def test_the_parts_are_the_score(rows):
    parts = weigh_parts(Ranking(), gather(rows))
    assert set(parts) == set(PARTS) == set(DEFAULT_WEIGHTS)
    total = sum_parts(parts)
    assert total.shape == (len(rows),)
    assert np.isfinite(total).all()
    for place in range(len(rows)):
        assert total[place] == pytest.approx(sum(float(parts[name][place]) for name in PARTS))


@given(documents, st.data())
@pytest.mark.parametrize("field", ["meaning", "whole", "coverage", "exact", "votes"])
def test_more_evidence_lifts_a_document_over_those_without(field, rows, data):
    """Of two alike the one with more is never behind."""
    assume(rows)
    evidence = gather([*rows, rows[0]])
    more = getattr(evidence, field).copy()
    more[-1] = data.draw(st.floats(more[0], 1))
    total = score(replace(evidence, **{field: more}))
    assert total[-1] >= total[0] - 1e-9


@given(documents, st.data())
def test_more_coverage_never_lowers_the_score(rows, data):
    assume(rows)
    evidence = gather(rows)
    place = data.draw(st.integers(0, len(rows) - 1))
    coverage = evidence.coverage.copy()
    coverage[place] = data.draw(st.floats(coverage[place], 1))
    after = score(replace(evidence, coverage=coverage))
    assert after[place] >= score(evidence)[place] - 1e-9
    assert (after >= score(evidence) - 1e-9).all()


@given(documents)
def test_without_labels_tickets_and_learning_add_nothing(rows):
    evidence = replace(gather(rows), votes=np.zeros(len(rows)))
    parts = weigh_parts(Ranking(), evidence)
    assert not parts["tickets"].any()
    assert not parts["learned"].any()


@given(documents)
def test_external_documents_stand_behind_their_like(rows):
    assume(rows)
    evidence = gather([*rows, rows[0]])
    total = score(replace(evidence, trust=("internal",) * len(rows) + ("external",)))
    assert total[-1] < total[0]


@given(tickets)
def test_votes_are_shares(found):
    votes = count_votes(found)
    assert set(votes) == {one.document_id for one in found}
    assert all(0 <= vote < 1 for vote in votes.values())
    assert sum(votes.values()) <= 1


@given(tickets, st.sampled_from("abcd"), cosine)
def test_help_lifts_and_disappointment_lowers(found, document_id, similarity):
    def vote(helped):
        one = SimilarTicket(document_id=document_id, similarity=similarity, helped=helped)
        return count_votes([*found, one])[document_id]

    before = count_votes(found).get(document_id, 0.0)
    assert vote(helped=True) >= before - 1e-12
    assert vote(helped=False) <= before + 1e-12


def test_no_tickets_no_votes():
    assert count_votes([]) == {}


def test_a_near_ticket_outweighs_many_far_ones():
    far = [SimilarTicket(document_id="b", similarity=0.3, helped=True)] * 50
    near = SimilarTicket(document_id="a", similarity=0.95, helped=True)
    votes = count_votes([near, *far])
    assert votes["a"] > votes["b"]


signals = st.sampled_from(["code:0x5", "kb:5034441", "file:ntdll.dll", "version:2.4"])


@given(
    st.dictionaries(signals, st.floats(1, 1e6)), st.lists(signals), signals, st.integers(1, 10**6)
)
def test_exact_matches_are_a_share_and_grow(wanted, found, another, n_chunks):
    matched = match_exactly(wanted, found, n_chunks=n_chunks)
    assert 0 <= matched < 1
    assert match_exactly(wanted, [*found, another], n_chunks=n_chunks) >= matched
    assert match_exactly(wanted, found * 2, n_chunks=n_chunks) == matched
    assert match_exactly({}, found, n_chunks=n_chunks) == 0.0


def test_rare_signals_and_codes_count_for_more():
    wanted = {"code:0x5": 2.0, "code:0x6": 200.0, "file:a.dll": 2.0}
    rare, common, file = (match_exactly(wanted, [one], n_chunks=1_000) for one in wanted)
    assert rare > common
    assert rare > file


def test_the_adapter_turns_queries_only_where_it_has_weight():
    vector = np.array([1.0, 0.0], dtype=np.float32)
    turn = np.array([[0.0, 1.0], [0.0, 0.0]], dtype=np.float32)
    assert adapt_query(Ranking(adapter=turn), vector) is None
    weights = {**DEFAULT_WEIGHTS, "learned": 1.0}
    assert adapt_query(Ranking(weights=weights), vector) is None
    turned = adapt_query(Ranking(weights=weights, adapter=turn), vector)
    assert turned == pytest.approx([0.5**0.5, 0.5**0.5])

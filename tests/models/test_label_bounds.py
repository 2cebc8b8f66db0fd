# SPDX-License-Identifier: Apache-2.0
"""No person and no device takes a class over, however much they label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.label_bounds import DEVICE_SHARE, PERSON_SHARE, keep_within, weigh_labels

LABELS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y"]), st.integers(0, 6)),
    max_size=60,
)


@given(rows=LABELS, other=st.floats(0.0, 50.0))
def test_shares_are_bounded_and_no_label_counts_more_than_it_may(rows, other):
    labels = [row[0] for row in rows]
    people = [row[1] for row in rows]
    devices = [f"d{row[2]}" for row in rows]
    weights = weigh_labels(labels, people, devices, weight=2.0, others={"a": other, "b": other})
    assert ((weights >= 0.0) & (weights <= 2.0)).all()
    for name in set(labels):
        of_class = np.array(labels) == name
        total = other + weights[of_class].sum()
        for names, share in ((people, PERSON_SHARE), (devices, DEVICE_SHARE)):
            for one in set(names) - {""}:
                own = weights[of_class & (np.array(names) == one)].sum()
                assert own <= share * total + 1e-3


def test_few_labels_are_untouched_and_many_of_one_person_are_not():
    few = weigh_labels(["dns"] * 6, ["ada"] * 6, list("abcdef"), weight=2.0, others={"dns": 120.0})
    assert few.tolist() == [2.0] * 6
    devices = [str(number) for number in range(600)]
    many = weigh_labels(["dns"] * 600, ["ada"] * 600, devices, weight=2.0, others={"dns": 120.0})
    assert many.sum() == pytest.approx(120.0)
    shared = weigh_labels(
        ["dns"] * 600, ["ada", "bob"] * 300, devices, weight=2.0, others={"dns": 120.0}
    )
    assert shared.sum() == pytest.approx(1200.0)


def test_alone_nobody_makes_a_class():
    devices = list("abcdefghijklm")
    alone = weigh_labels(["new"] * 13, ["ada"] * 13, devices, weight=2.0, others={})
    assert alone.sum() == pytest.approx(0.0, abs=1e-3)
    assert keep_within(["new"] * 13, ["ada"] * 13, devices, others={}) == []


def test_where_nothing_is_weighed_the_newest_stay():
    devices = [str(number) for number in range(100)]
    kept = keep_within(["dns"] * 100, ["ada"] * 100, devices, others={"dns": 40.0})
    assert kept == list(range(60, 100))
    flood = keep_within(["dns"] * 100, [""] * 100, ["one"] * 100, others={"dns": 40.0})
    assert flood == list(range(96, 100))
    assert keep_within([], [], [], others={}) == []

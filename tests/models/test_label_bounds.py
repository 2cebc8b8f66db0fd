# SPDX-License-Identifier: Apache-2.0
"""No person, no people together and no device take a class over, however much they label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.label_bounds import (
    DEVICE_SHARE,
    PEOPLE_SHARE,
    PERSON_SHARE,
    count_people,
    keep_within,
    weigh_labels,
)

SPELLINGS = {"user:x": "x", " CLI:X": "x", "\uff58": "x", "user:y": "y", "service:x": "s"}
LABELS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", *SPELLINGS]), st.integers(0, 6)),
    max_size=60,
)
MANY = [str(number) for number in range(600)]  # devices


def assert_bounded(labels, people, devices, weights, other, tolerance):
    persons = np.array([SPELLINGS.get(one, "") for one in people], dtype=str)
    witnesses = (
        (persons, [*SPELLINGS.values()], PERSON_SHARE),
        (persons != "", [True], PEOPLE_SHARE),
        (np.array(devices, dtype=str), set(devices), DEVICE_SHARE),
    )
    for name in set(labels):
        of_class = np.array(labels) == name
        total = other + weights[of_class].sum()
        for names, each, share in witnesses:
            for one in each:
                assert weights[of_class & (names == one)].sum() <= share * total + tolerance


def columns(rows):
    """Return labels, people and devices; some devices are not named."""
    return (
        [row[0] for row in rows],
        [row[1] for row in rows],
        [f"d{row[2]}" if row[2] else "" for row in rows],
    )


@given(rows=LABELS, other=st.floats(0.0, 50.0))
def test_shares_are_bounded_and_no_label_counts_more_than_it_may(rows, other):
    given_labels = columns(rows)
    weights = weigh_labels(*given_labels, weight=2.0, others={"a": other, "b": other})
    assert ((weights >= 0.0) & (weights <= 2.0)).all()
    assert_bounded(*given_labels, weights, other, 1e-3)


@given(rows=LABELS, other=st.integers(0, 50))
def test_what_is_kept_is_within_the_same_bounds(rows, other):
    given_labels = columns(rows)
    kept = keep_within(*given_labels, others={"a": other, "b": other})
    assert kept == sorted(set(kept))
    labels, people, devices = ([each[row] for row in kept] for each in given_labels)
    assert_bounded(labels, people, devices, np.ones(len(kept)), other, 1e-3)


def weigh(people, n_others=120.0, devices=MANY):
    n_labels = len(people)
    return weigh_labels(
        ["dns"] * n_labels, people, devices[:n_labels], weight=2.0, others={"dns": n_others}
    )


def test_few_labels_are_untouched_and_many_are_not():
    assert weigh(["ada"] * 6).tolist() == [2.0] * 6
    assert weigh(["ada"] * 600).sum() == pytest.approx(60.0), "a third of 180"
    assert weigh(["ada", "bob"] * 300).sum() == pytest.approx(120.0, rel=1e-3), "half of 240"


def test_one_person_under_many_names_is_one():
    spellings = ["user:ada", "cli:ada", " ADA", "CLI:Ada", "\uff41da", "user: ada"]
    assert weigh(spellings * 100).sum() == pytest.approx(60.0)
    assert count_people([*spellings, "", "service:ada"]) == 2
    kept = [
        keep_within(["dns"] * 600, people, MANY, others={"dns": 160.0})
        for people in (["user:ada"] * 600, ["user:ada", "cli:ada"] * 300)
    ]
    assert kept[0] == kept[1] == list(range(520, 600))


@pytest.mark.parametrize("n_people", [2, 3, 20])
def test_however_many_agree_they_are_half_of_a_class(n_people):
    """Accounts cost nothing: whoever has two counts as two, and whoever has twenty no more."""
    people = [f"user:{number % n_people}" for number in range(600)]
    assert weigh(people).sum() == pytest.approx(120.0, rel=1e-3)
    kept = keep_within(["dns"] * 600, people, MANY, others={"dns": 160.0})
    assert len(kept) == 160


def test_what_is_proved_makes_room_for_people():
    people = ["ada", "bob", "cy", ""] * 150
    weights = weigh(people, 0.0)
    said = np.array(people) != ""
    assert weights[~said].tolist() == [2.0] * 150
    assert weights[said].sum() == pytest.approx(300.0, rel=1e-3)


def test_who_says_much_leaves_others_theirs():
    weights = weigh(["bob"] * 10 + ["eve"] * 590)
    assert weights[:10].sum() > 15.0
    assert weights.sum() <= 120.0 * 1.001


def test_labels_that_name_no_device_are_of_one():
    nameless = weigh(["", ""] * 100, devices=[""] * 200)
    assert nameless.sum() == pytest.approx(120.0 / 9)
    flood = keep_within(["dns"] * 100, [""] * 100, [""] * 100, others={"dns": 40.0})
    assert flood == list(range(96, 100))


def test_people_alone_make_no_class():
    devices = list("abcdefghijklm")
    alone = weigh_labels(["new"] * 13, ["ada"] * 13, devices, weight=2.0, others={})
    assert alone.sum() == pytest.approx(0.0, abs=1e-3)
    assert keep_within(["new"] * 13, devices, devices, others={}) == []


def test_where_nothing_is_weighed_the_newest_stay():
    kept = keep_within(["dns"] * 100, ["ada"] * 100, MANY[:100], others={"dns": 40.0})
    assert kept == list(range(80, 100))
    flood = keep_within(["dns"] * 100, [""] * 100, ["one"] * 100, others={"dns": 40.0})
    assert flood == list(range(96, 100))
    assert keep_within([], [], [], others={}) == []

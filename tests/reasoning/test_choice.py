# SPDX-License-Identifier: Apache-2.0
"""One script is chosen, or it is said why none: the threshold, advice, and only equals explored."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.failure import FailureClass
from reasoning.choice import choose_script
from reasoning.explanation import explain
from reasoning.exploration import Exploration, are_equally_safe, list_rivals, seed_of

DRAW_OF_X = 0.05755923817838776  # of SHA-256("0123456789abcdef|x|success"), as sha256sum finds it
SAFETY = {
    "risk": 40.0,
    "risk_without_history": 35.0,
    "class": {"risk_band": "one approver", "privilege": "user", "reversible": True, "effects": []},
}


def item(script_id, probability, **changes):
    return {
        "script_id": script_id, "version": "1.0.0", "script_sha256": "a" * 64,
        "probability": probability, "parts": {"approved": 0.9, "works": probability / 0.9},
        "interval": [probability - 0.2, min(probability + 0.2, 1.0)], "draw": probability,
        "safety": SAFETY, "obstacle": None, "class_match": True, "parameters": {},
        "n_succeeded": 0, "n_failed": 0, **changes,
    }  # fmt: skip


def choose(ranked, threshold=0.5, advised=None, exploration=None, failure=FailureClass.DISK_FULL):
    return choose_script(
        failure_class=failure, ranked=ranked, threshold=threshold, advised_script_id=advised,
        exploration=exploration,
    )  # fmt: skip


def test_the_most_probable_that_applies_is_chosen():
    ranked = [
        item("misfit", 0.9, class_match=False),
        item("stuck", 0.8, obstacle="its preconditions are not met"),
        item("unbound", 0.7, parameters=None),
        item("good", 0.6),
        item("less", 0.5),
    ]
    choice, reason = choose(ranked)
    assert (choice["script_id"], choice["confidence"], reason) == ("good", 0.6, None)
    assert choice["exploration"] is None


@pytest.mark.parametrize(
    ("best", "threshold", "reason"),
    [
        (0.61, 0.7, "the best script's confidence 0.61 is below 0.70"),
        (0.4999, 0.5, "the best script's confidence 0.4999 is below 0.5000"),
        (0.7, 0.7, None),
        (0.0, 0.0, None),
    ],
)
def test_below_the_threshold_it_says_both_figures(best, threshold, reason):
    choice, told = choose([item("a", best)], threshold)
    assert told == reason
    assert (choice is None) == (reason is not None)


@pytest.mark.parametrize(
    ("ranked", "failure", "reason"),
    [
        ([item("a", 0.9)], FailureClass.UNKNOWN, "the failure class is not clear"),
        ([], FailureClass.DNS, "no catalogue script serves this failure on this platform"),
        (
            [
                item("m", 0.3, class_match=False),
                item("b", 0.1, obstacle="no value", parameters=None),
            ],
            FailureClass.DNS,
            "no script applies: no value",
        ),
        (
            [item("m", 0.9, class_match=False)],
            FailureClass.DNS,
            "no script applies: none serves this failure",
        ),
    ],
)
def test_abstentions_say_why(ranked, failure, reason):
    assert choose(ranked, failure=failure) == (None, reason)


def test_advice_moves_one_that_clears_the_threshold_and_is_not_drawn_over():
    ranked = [item("a", 0.8, draw=0.1), item("b", 0.7, draw=0.9), item("c", 0.3, draw=0.99)]
    always = Exploration(rate=1.0, seed="s")
    for exploration in (None, always):
        assert choose(ranked, advised="b", exploration=exploration)[0]["script_id"] == "b"
    assert choose(ranked, advised="c")[0]["script_id"] == "a"
    assert choose(ranked, advised="c", exploration=always)[0]["script_id"] == "b"


def test_exploring_draws_one_of_the_equals_and_tells_it():
    riskier = {**SAFETY, "risk": 45.0, "risk_without_history": 40.0}
    ranked = [
        item("a", 0.8, draw=0.6),
        item("b", 0.7, draw=0.75),
        item("risky", 0.7, draw=0.9, safety=riskier),
        item("hopeless", 0.55, draw=0.99, interval=[0.5, 0.59]),
    ]
    choice, _ = choose(ranked, exploration=Exploration(rate=1.0, seed="s"))
    assert choice["script_id"] == "b"
    assert choice["confidence"] == 0.7
    drawn = choice["exploration"]
    assert drawn["explored"]
    assert drawn["among"] == [{"script_id": "a", "draw": 0.6}, {"script_id": "b", "draw": 0.75}]
    sentence = explain(
        case={"incident": {"incident_id": "inc_1", "detection": {}}},
        diagnosis={"failure_class": "disk_full", "confidence": 0.9, "advice": None},
        passages=[], candidates=ranked, choice=choice, abstention_reason=None, overridden=False,
    )[-1]  # fmt: skip
    assert "by a draw among 2 equally safe scripts" in sentence["sentence"]
    assert [one["id"] for one in sentence["citations"]] == ["a", "b"]


def test_how_often_it_explores_is_the_rate_and_follows_from_the_proposal():
    ranked = [item("a", 0.8, draw=0.6), item("b", 0.7, draw=0.75)]
    seeds = [seed_of(f"prp_{n}") for n in range(2000)]

    def explored(rate):
        chosen = [choose(ranked, exploration=Exploration(rate=rate, seed=one))[0] for one in seeds]
        return [one["script_id"] == "b" for one in chosen]

    assert sum(explored(0.1)) / 2000 == pytest.approx(0.1, abs=0.02)
    assert explored(0.3) == explored(0.3)
    assert not any(explored(0.0))


def test_draws_are_uniform_and_apart():
    exploration = Exploration(rate=1.0, seed="0123456789abcdef")
    assert exploration.draw("x", "success") == pytest.approx(DRAW_OF_X, abs=1e-15)
    levels = exploration.draw_levels([f"s{n}" for n in range(2000)])
    drawn = sorted(value for pair in levels.values() for value in pair)
    assert 0.0 < drawn[0] < 0.005
    assert 0.995 < drawn[-1] < 1.0
    assert sum(drawn) / len(drawn) == pytest.approx(0.5, abs=0.02)


safety = st.fixed_dictionaries(
    {
        "risk": st.floats(0, 100),
        "risk_without_history": st.sampled_from([20.0, 30.0, 30.5, 70.0]),
        "class": st.fixed_dictionaries(
            {
                "risk_band": st.sampled_from(["one approver", "board"]),
                "privilege": st.sampled_from(["user", "admin"]),
                "reversible": st.booleans(),
                "effects": st.sampled_from([[], ["deletes_files"]]),
            }
        ),
    }
)
candidates = st.lists(
    st.builds(
        lambda probability, safety, width, draw, fits: item(
            "", probability, safety=safety, draw=draw, class_match=fits,
            interval=[max(probability - width, 0), min(probability + width, 1)],
        ),
        probability=st.floats(0.01, 0.99), safety=safety, width=st.floats(0, 0.5),
        draw=st.floats(0, 1), fits=st.booleans(),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    ranked=candidates, threshold=st.floats(0, 1), rate=st.floats(0, 1),
    seed=st.integers(0, 10**6), order=st.randoms(use_true_random=False),
)  # fmt: skip
def test_exploration_never_chooses_a_riskier_or_an_unsure_script(
    ranked, threshold, rate, seed, order
):
    order.shuffle(ranked)
    ranked = [
        {**one, "script_id": f"s{place}"}
        for place, one in enumerate(sorted(ranked, key=lambda one: -one["probability"]))
    ]
    plain, reason = choose(ranked, threshold)
    explored, same = choose(ranked, threshold, exploration=Exploration(rate=rate, seed=str(seed)))
    assert same == reason
    if plain is None:
        assert explored is None
        return
    by_id = {one["script_id"]: one for one in ranked}
    leader, chosen = by_id[plain["script_id"]], by_id[explored["script_id"]]
    assert chosen["safety"]["class"] == leader["safety"]["class"]
    assert chosen["safety"]["risk_without_history"] <= leader["safety"]["risk_without_history"]
    assert chosen["probability"] >= threshold
    assert chosen["interval"][1] >= leader["interval"][0]
    assert chosen["class_match"]


@given(leader=safety, other=safety)
def test_equally_safe_is_no_riskier_in_anything(leader, other):
    one, two = ({"safety": leader}, {"safety": other})
    assert are_equally_safe(one, one)
    if are_equally_safe(one, two) and are_equally_safe(two, one):
        assert leader["risk_without_history"] == other["risk_without_history"]
    for name in leader["class"]:
        changed = {**other, "class": {**leader["class"], name: "something else"}}
        assert not are_equally_safe(one, {"safety": changed})


def test_the_leader_is_always_among_the_rivals():
    ranked = [item("a", 0.8), item("b", 0.1)]
    assert [one["script_id"] for one in list_rivals(ranked)] == ["a"]
    assert dataclasses.asdict(Exploration(rate=0.5, seed="x")) == {"rate": 0.5, "seed": "x"}

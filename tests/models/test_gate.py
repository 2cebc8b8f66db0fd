# SPDX-License-Identifier: Apache-2.0
"""The gate: equals are not called better, worse ones fail, what cannot be told is inconclusive."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.errors import ModelArtifactError
from models.fit import HeldBack
from models.gate import MIN_CASES, Outcome, compare_versions, estimate_difference
from models.judgement import (
    Latency,
    decode_judgements,
    encode_judgements,
    judge_classifier,
    measure_latency,
    name_cases,
    pair_judgements,
)

N_CASES = 400
FAST = Latency(p50_ms=0.5, p95_ms=1.0)


@pytest.fixture(scope="module")
def cases() -> HeldBack:
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(N_CASES, 4))
    labels = np.where(inputs[:, 0] + 0.3 * rng.normal(size=N_CASES) > 0, "yes", "no")
    return HeldBack(inputs=inputs, labels=labels)


def fit(n_columns_shuffled: int, strength: float = 1.0, seed: int = 0) -> LogisticRegression:
    """A model that has learned from as many columns of noise."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(300, 4))
    labels = np.where(inputs[:, 0] > 0, "yes", "no")
    inputs[:, :n_columns_shuffled] = rng.normal(size=(300, n_columns_shuffled))
    return LogisticRegression(C=strength).fit(inputs, labels)


def judged(model, cases):
    return replace(judge_classifier(model, cases), latency=FAST)


def outcomes(comparison):
    return {one.question: one.outcome for one in comparison.verdict.findings}


def test_better_worse_and_equal(cases):
    good, useless = judged(fit(0), cases), judged(fit(1), cases)
    better = compare_versions(useless, good, has_champion=True)
    assert better.n_cases == N_CASES
    assert better.difference.high < 0
    assert outcomes(better)["score"] is Outcome.PASS
    worse = compare_versions(good, useless, has_champion=True)
    assert worse.verdict.outcome is Outcome.FAIL
    same = compare_versions(good, good, has_champion=True)
    assert same.difference.mean == 0.0
    assert same.verdict.outcome is Outcome.INCONCLUSIVE


def test_overconfidence_fails_though_every_answer_is_the_same(cases):
    one = judged(fit(0), cases)
    share = one.correct.mean()
    honest = replace(one, confidences=np.full(N_CASES, share))
    slightly = replace(one, confidences=np.full(N_CASES, min(share + 0.015, 1.0)))
    loud = replace(one, confidences=np.full(N_CASES, 1.0))
    found = compare_versions(honest, loud, has_champion=True)
    assert found.after.accuracy == found.before.accuracy
    assert outcomes(found)["calibration"] is Outcome.FAIL
    assert outcomes(compare_versions(honest, slightly, has_champion=True))["calibration"] is (
        Outcome.PASS
    )
    assert outcomes(compare_versions(loud, honest, has_champion=True))["calibration"] is (
        Outcome.PASS
    )


def test_latency_is_bounded(cases):
    good = judged(fit(0), cases)
    slow = replace(good, latency=Latency(p50_ms=60.0, p95_ms=70.0))
    assert outcomes(compare_versions(good, slow, has_champion=True))["latency"] is Outcome.FAIL
    slow_before = replace(good, latency=Latency(p50_ms=50.0, p95_ms=60.0))
    found = compare_versions(slow_before, slow, has_champion=True)
    assert outcomes(found)["latency"] is Outcome.PASS
    busy = replace(good, latency=Latency(p50_ms=0.5, p95_ms=90.0))
    found = compare_versions(good, busy, has_champion=True)
    assert outcomes(found)["latency"] is Outcome.INCONCLUSIVE
    first = compare_versions(None, slow, has_champion=False)
    assert outcomes(first)["latency"] is Outcome.INCONCLUSIVE
    unmeasured = compare_versions(good, replace(good, latency=None), has_champion=True)
    assert outcomes(unmeasured)["latency"] is Outcome.INCONCLUSIVE


def test_a_first_version_is_measured_against_bars(cases):
    assert compare_versions(None, judged(fit(0), cases), has_champion=False).verdict.outcome is (
        Outcome.PASS
    )
    inverted = fit(0)
    inverted.coef_ = -inverted.coef_
    found = compare_versions(None, judged(inverted, cases), has_champion=False)
    assert found.verdict.outcome is Outcome.FAIL
    assert "shares alone" in found.verdict.explain(Outcome.FAIL)


def test_what_cannot_be_told_is_inconclusive(cases):
    good = judged(fit(0), cases)
    few = good.at(np.arange(MIN_CASES - 1))
    for before, after in ((None, good), (good, None), (good, few), (None, None)):
        found = compare_versions(before, after, has_champion=True)
        assert found.verdict.outcome is Outcome.INCONCLUSIVE
    other = replace(good, measure="another")
    assert compare_versions(good, other, has_champion=True).verdict.outcome is Outcome.INCONCLUSIVE


def test_cases_are_paired_by_name_and_twins_stay_apart(cases):
    one = judged(fit(0), cases)
    rows = np.random.default_rng(1).permutation(N_CASES)
    before, after = pair_judgements(one, one.at(rows[:100]))
    assert before.case_ids == after.case_ids
    assert np.array_equal(before.losses, after.losses)
    twins = HeldBack(inputs=["a", "b", "a"], labels=np.array(["x", "x", "y"]))
    assert len(set(name_cases(twins))) == 3


def test_an_unknown_truth_costs_and_breaks_nothing(cases):
    strange = HeldBack(inputs=cases.inputs, labels=np.array(["maybe"] * N_CASES))
    found = judge_classifier(fit(0), strange)
    assert (found.losses > 1.0).all()
    assert not found.correct.any()


def test_judgements_survive_the_disk(cases):
    one = judged(fit(0), cases)
    back = decode_judgements(encode_judgements({"d" * 64: one}))["d" * 64]
    assert back.case_ids == one.case_ids
    assert np.allclose(back.losses, one.losses, atol=1e-6)
    assert back.latency == one.latency
    for broken in (b"", b"{}", b"[]", b'{"schema_version": 1, "judgements": {"d": {}}}'):
        with pytest.raises(ModelArtifactError):
            decode_judgements(broken)
    short = encode_judgements({"d": one}).replace(b'"losses": [', b'"losses": [1.0, ', 1)
    with pytest.raises(ModelArtifactError):
        decode_judgements(short)


def test_the_interval_holds_what_it_says():
    """Of 300 comparisons of equals, about one in forty is called better."""
    rng = np.random.default_rng(0)
    better = 0
    for seed in range(300):
        before = rng.normal(size=80)
        after = before + rng.normal(size=80)
        better += estimate_difference(before, after, seed=seed).high < 0
    assert better <= 20


def test_wordings_of_one_phrase_are_not_so_many_proofs():
    """Of 300 comparisons of equals too many are called better where kin counts as unrelated."""
    rng = np.random.default_rng(0)
    kin = np.repeat(np.arange(30), 4)
    better = {"groups": 0, "cases": 0}
    for seed in range(300):
        before = rng.normal(size=120)
        after = before + rng.normal(size=30)[kin] + 0.2 * rng.normal(size=120)
        better["groups"] += estimate_difference(before, after, seed=seed, kin=kin).high < 0
        better["cases"] += estimate_difference(before, after, seed=seed).high < 0
    assert better["groups"] <= 20
    assert better["cases"] > 30


def test_groups_widen_both_intervals_and_count_as_the_cases(cases):
    good, poor = judged(fit(0, strength=0.01), cases), judged(fit(0), cases)
    kin = tuple(f"phrase {row // 10}" for row in range(N_CASES))
    alone = compare_versions(poor, good, has_champion=True)
    for before, after in ((replace(poor, groups=kin), good), (poor, replace(good, groups=kin))):
        found = compare_versions(before, after, has_champion=True)
        assert found.difference.mean == alone.difference.mean
        assert found.difference != alone.difference
        assert found.calibration_difference != alone.calibration_difference
        assert "40 groups" in found.verdict.findings[0].reason
    few = replace(good, groups=tuple(f"phrase {row % 19}" for row in range(N_CASES)))
    found = compare_versions(poor, few, has_champion=True)
    assert found.verdict.outcome is Outcome.INCONCLUSIVE
    assert "19 unrelated" in found.verdict.findings[0].reason
    own = replace(good, groups=tuple(f"{row:03}" for row in range(N_CASES)))
    assert compare_versions(poor, own, has_champion=True) == alone


def test_groups_survive_the_disk_and_follow_their_cases(cases):
    grouped = replace(cases, groups=[f"g{row // 2}" for row in range(N_CASES)])
    one = judge_classifier(fit(0), grouped)
    encoded = encode_judgements({"d": one})
    assert decode_judgements(encoded)["d"].groups == one.groups == tuple(grouped.groups)
    assert one.at(np.array([5, 0])).groups == ("g2", "g0")
    with pytest.raises(ModelArtifactError):
        decode_judgements(encoded.replace(b'"groups": [', b'"groups": ["g0", ', 1))


def test_latency_is_of_single_answers(cases):
    sizes = []
    found = measure_latency(lambda some: sizes.append(len(some)), cases.inputs[:3])
    assert set(sizes) == {1}
    assert 0 <= found.p50_ms <= found.p95_ms

# SPDX-License-Identifier: Apache-2.0
"""Ring plans and gates: known limits, monotonic evidence, three outcomes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dispatch.errors import RingPlanError
from dispatch.rings import (
    Connectivity,
    GateOutcome,
    Ring,
    RingEvidence,
    is_overdue,
    judge_gate,
    plan_rings,
    success_lower_bound,
    success_upper_bound,
)


def test_known_limits():
    # 10 of 10 prove 74 %; 97 % needs 99 clean devices, 99 % needs 299 (closed form 0.05 ** (1/n)).
    assert success_lower_bound(10, 10) == pytest.approx(0.05**0.1)
    assert success_lower_bound(98, 98) < 0.97 <= success_lower_bound(99, 99)
    assert success_lower_bound(298, 298) < 0.99 <= success_lower_bound(299, 299)
    assert (success_lower_bound(0, 5), success_upper_bound(5, 5)) == (0.0, 1.0)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_bounds_are_exact_binomial_limits(counts):
    n_succeeded, n_trials = counts
    lower = success_lower_bound(n_succeeded, n_trials)
    assert 0 <= lower <= n_succeeded / n_trials <= success_upper_bound(n_succeeded, n_trials) <= 1
    # At the bound, so many successes or more have a chance of exactly 5 %.
    assert binom.sf(n_succeeded - 1, n_trials, lower) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("counts", [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(RingPlanError):
        success_lower_bound(*counts)


@pytest.mark.parametrize(
    ("ring", "evidence", "outcome"),
    [
        (Ring.CANARY, RingEvidence(n_succeeded=99, n_failed=0), GateOutcome.PASS),
        (Ring.CANARY, RingEvidence(n_succeeded=98, n_failed=0), GateOutcome.INCONCLUSIVE),
        (Ring.DEPARTMENT, RingEvidence(n_succeeded=99, n_failed=0), GateOutcome.INCONCLUSIVE),
        (Ring.DEPARTMENT, RingEvidence(n_succeeded=299, n_failed=0), GateOutcome.PASS),
        (Ring.CANARY, RingEvidence(n_succeeded=0, n_failed=0), GateOutcome.INCONCLUSIVE),
        (Ring.CANARY, RingEvidence(n_succeeded=5, n_failed=5), GateOutcome.FAIL),
        (Ring.CANARY, RingEvidence(n_succeeded=5, n_failed=0, n_overdue=5), GateOutcome.FAIL),
        (
            Ring.CANARY,
            RingEvidence(n_succeeded=500, n_failed=0, security_incident=True),
            GateOutcome.FAIL,
        ),
        (
            Ring.CANARY,
            RingEvidence(n_succeeded=500, n_failed=0, rollback_tested=False),
            GateOutcome.INCONCLUSIVE,
        ),
    ],
)
def test_gates(ring, evidence, outcome):
    verdict = judge_gate(ring, evidence)
    assert verdict.outcome is outcome
    assert verdict.reasons


@given(st.sampled_from(Ring), st.integers(0, 400), st.integers(0, 400))
def test_a_further_failure_never_helps(ring, n_succeeded, n_failed):
    order = [GateOutcome.FAIL, GateOutcome.INCONCLUSIVE, GateOutcome.PASS]
    before = judge_gate(ring, RingEvidence(n_succeeded=n_succeeded, n_failed=n_failed))
    after = judge_gate(ring, RingEvidence(n_succeeded=n_succeeded, n_failed=n_failed + 1))
    assert order.index(after.outcome) <= order.index(before.outcome)


@given(st.lists(st.uuids().map(str), unique=True, max_size=300))
def test_plan_holds_each_device_once_in_order(devices):
    plan = plan_rings(devices)
    assert [device for ring in plan.values() for device in ring] == devices
    assert list(plan) == list(Ring)
    assert not devices or len(plan[Ring.CANARY]) >= 1


def test_a_device_named_twice_is_refused():
    with pytest.raises(RingPlanError):
        plan_rings(["dev_1", "dev_1"])


def test_time_to_compliance():
    day = timedelta(hours=25)
    assert is_overdue(waiting=day, connectivity=Connectivity.ONLINE)
    assert not is_overdue(waiting=day, connectivity=Connectivity.INTERMITTENT)

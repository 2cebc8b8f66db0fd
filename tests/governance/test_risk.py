# SPDX-License-Identifier: Apache-2.0
"""The risk model is a fixed function of its inputs, monotonic in what makes things worse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.quorum import required_quorum
from governance.risk import (
    WEIGHTS,
    BlastRadius,
    BusinessImpact,
    Privilege,
    RiskInputs,
    ScriptEffect,
    Trust,
    assess_risk,
)

HARMLESS = RiskInputs(
    privilege=Privilege.USER,
    trust=Trust.STARTER,
    effects=(),
    judgeable=True,
    blast_radius=BlastRadius.PROCESS,
    business_impact=BusinessImpact.NONE,
    reversible=True,
    n_parameters=0,
    timeout_seconds=30,
    n_succeeded=0,
    n_failed=0,
    known_vulnerabilities=0,
)
INPUTS = st.builds(
    RiskInputs,
    privilege=st.sampled_from(Privilege),
    trust=st.sampled_from(Trust),
    effects=st.lists(
        st.builds(
            ScriptEffect,
            kind=st.sampled_from(["deletes_files", "changes_accounts", "new_kind"]),
            severity=st.sampled_from(["none", "low", "medium", "high", "critical", "odd"]),
        ),
        max_size=4,
    ).map(tuple),
    judgeable=st.booleans(),
    blast_radius=st.sampled_from(BlastRadius),
    business_impact=st.sampled_from(BusinessImpact),
    reversible=st.booleans(),
    n_parameters=st.integers(0, 30),
    timeout_seconds=st.integers(1, 3600),
    n_succeeded=st.integers(0, 500),
    n_failed=st.integers(0, 500),
    known_vulnerabilities=st.one_of(st.none(), st.integers(0, 10)),
    business_critical=st.booleans(),
)


def test_weights_are_those_of_the_design():
    assert list(WEIGHTS.values()) == [0.20, 0.15, 0.10, 0.10, 0.15, 0.10, 0.10, 0.10]
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)


def test_a_harmless_script_scores_low_and_by_the_formula():
    # 20 % of 20 for user rights, 15 % of 10 for the source, 10 % of 10, 10 % of 50 for no history
    assert assess_risk(HARMLESS).score == pytest.approx(4.0 + 1.5 + 1.0 + 5.0)


def test_the_worst_script_needs_an_exception():
    worst = replace(
        HARMLESS,
        privilege=Privilege.ADMIN,
        trust=Trust.EXTERNAL,
        effects=(ScriptEffect(kind="reads_credentials", severity="critical"),),
        judgeable=False,
        blast_radius=BlastRadius.NETWORK,
        business_impact=BusinessImpact.RESTART,
        reversible=False,
        known_vulnerabilities=3,
        business_critical=True,
        n_failed=9,
    )
    assessment = assess_risk(worst)
    assert assessment.score > 75
    assert assessment.board_reasons == ("privileged tooling", "business-critical blast radius")


@given(INPUTS)
def test_score_is_the_weighted_sum_within_bounds(inputs):
    assessment = assess_risk(inputs)
    assert 0 <= assessment.score <= 100
    assert all(0 <= factor.value <= 100 and factor.reason for factor in assessment.factors)
    weighted = sum(factor.value * factor.weight for factor in assessment.factors)
    assert assessment.score == pytest.approx(weighted, abs=0.01)
    assert assess_risk(inputs) == assessment


@given(INPUTS)
def test_worse_circumstances_never_lower_the_score(inputs):
    score = assess_risk(inputs).score
    worse = (
        {"privilege": Privilege.ADMIN},
        {"trust": Trust.EXTERNAL},
        {"judgeable": False},
        {"reversible": False},
        {"business_critical": True},
        {"n_failed": inputs.n_failed + 1},
        {"effects": (*inputs.effects, ScriptEffect(kind="any_file", severity="critical"))},
    )
    for change in worse:
        assert assess_risk(replace(inputs, **change)).score >= score, change


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="negative"):
        assess_risk(replace(HARMLESS, n_failed=-1))


@pytest.mark.parametrize(
    ("score", "board", "policy", "n_approvers", "exception"),
    [
        (50, False, 1, 1, False),
        (50.01, False, 1, 2, False),
        (10, True, 1, 2, False),
        (10, False, 2, 2, False),
        (75, False, 1, 2, False),
        (75.01, False, 1, 2, True),
        (10, False, 0, 1, False),
    ],
)
def test_quorum_follows_risk_and_policy_may_only_add(score, board, policy, n_approvers, exception):
    rule = required_quorum(risk_score=score, board_required=board, policy_quorum=policy)
    assert (rule.n_approvers, rule.exception_required) == (n_approvers, exception)


@pytest.mark.parametrize("score", [-1, 100.5, float("nan")])
def test_impossible_scores_are_refused(score):
    with pytest.raises(ValueError, match="risk score"):
        required_quorum(risk_score=score)

# SPDX-License-Identifier: Apache-2.0
"""Judging an expected effect on reports."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.effects import Finding, judge_effect, parse_effect
from dispatch.errors import EffectFormatError

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
EFFECT = {
    "within_seconds": 600,
    "all": [{"metric": "disk_used_percent:{mount}", "operator": "<", "value": 85}],
}


@dataclass(frozen=True)
class Report:
    report_id: str
    observed_at: datetime
    metrics: dict[str, float]


def reports(*values: float | None) -> list[Report]:
    return [
        Report(
            f"rep_{minute}",
            START + timedelta(minutes=minute),
            {} if value is None else {"disk_used_percent:/var": value},
        )
        for minute, value in enumerate(values)
    ]


def judge(*values: float | None, effect=EFFECT):
    return judge_effect(effect, {"mount": "/var"}, reports(*values)).status


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ((), Finding.INCONCLUSIVE),
        ((50,), Finding.INCONCLUSIVE),
        ((50, 50), Finding.HOLDS),
        ((95, 50), Finding.INCONCLUSIVE),
        ((95, 50, 51), Finding.HOLDS),
        ((50, 50, 95), Finding.INCONCLUSIVE),
        ((95, 95), Finding.FAILS),
        ((85, 85), Finding.FAILS),
        ((None, None), Finding.INCONCLUSIVE),
        ((50, None), Finding.INCONCLUSIVE),
        ((float("nan"), float("nan")), Finding.INCONCLUSIVE),
    ],
)
def test_two_successive_reports_decide(values, finding):
    assert judge(*values) is finding


@pytest.mark.parametrize("missing", ["holds", "fails", "inconclusive"])
def test_a_missing_metric_counts_as_stated(missing):
    effect = {**EFFECT, "all": [{**EFFECT["all"][0], "missing": missing}]}
    assert judge(None, None, effect=effect) == missing


def test_all_conditions_must_hold():
    extra = {"metric": "services_down", "operator": "==", "value": 0, "missing": "holds"}
    effect = {**EFFECT, "all": [*EFFECT["all"], extra]}
    assert judge(50, 50, effect=effect) is Finding.HOLDS
    bad = [
        Report(each.report_id, each.observed_at, {**each.metrics, "services_down": 1.0})
        for each in reports(50, 50)
    ]
    verdict = judge_effect(effect, {"mount": "/var"}, bad)
    assert verdict.status is Finding.FAILS
    assert [each.observed for each in verdict.evidence] == [50, 1.0, 50, 1.0]


def test_a_repeated_report_counts_once():
    (report,) = reports(50)
    verdict = judge_effect(EFFECT, {"mount": "/var"}, [report, report])
    assert verdict.status is Finding.INCONCLUSIVE


@given(st.permutations(reports(95, 95, 50, 51)))
def test_order_of_arrival_does_not_matter(shuffled):
    assert judge_effect(EFFECT, {"mount": "/var"}, shuffled).status is Finding.HOLDS


@pytest.mark.parametrize(
    "effect",
    [
        None,
        [],
        {},
        {**EFFECT, "within_seconds": 0},
        {**EFFECT, "within_seconds": True},
        {**EFFECT, "all": []},
        {**EFFECT, "all": ["x"]},
        {**EFFECT, "all": [{"metric": "x", "operator": "~", "value": 1}]},
        {**EFFECT, "all": [{"metric": "x", "operator": ["<"], "value": 1}]},
        {**EFFECT, "all": [{"metric": "x", "operator": "<", "value": "1"}]},
        {**EFFECT, "all": [{"metric": "x", "operator": "<", "value": float("inf")}]},
        {**EFFECT, "all": [{"metric": "x", "operator": "<", "value": 1, "missing": "maybe"}]},
        {**EFFECT, "all": [{"metric": "x:{other}", "operator": "<", "value": 1}]},
    ],
)
def test_malformed_effects_are_refused(effect):
    with pytest.raises(EffectFormatError):
        parse_effect(effect, {"mount": "/var"})


def test_parameters_are_filled_in_literally():
    effect = {"within_seconds": 60, "all": [{"metric": "m:{p}", "operator": "<", "value": 1}]}
    assert parse_effect(effect, {"p": "{q}"}).conditions[0].metric == "m:{q}"
    assert parse_effect(effect, {"p": True}).conditions[0].metric == "m:true"

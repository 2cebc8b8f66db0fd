# SPDX-License-Identifier: Apache-2.0
"""What affected devices share is found exactly, and chance or custom is not taken for it."""

import math
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fleet_words import write_description, write_title
from models.rollup import (
    LEAST_DEVICES,
    LEAST_LIFT,
    Attribute,
    AttributeKind,
    Prevalence,
    Tally,
    Verdict,
    judge,
    list_symptoms,
    log_burst,
    log_enrichment,
    screen,
)
from tests.models.fleet_stage import utc

K = AttributeKind
FOO = Attribute(kind=K.SOFTWARE_VERSION, name="Foo", version="5.1")
MODEL = Attribute(kind=K.MODEL, name="Latitude 7440")
WINDOWS = Attribute(kind=K.OS_FAMILY, name="windows")


def tallies(*rows: tuple[int, int, int]) -> list[Tally]:
    return [Tally(mask=m, n_devices=n, n_affected=a, n_before=0) for m, n, a in rows]


@given(st.data())
def test_enrichment_is_the_hypergeometric_tail(data):
    n_fleet = data.draw(st.integers(1, 60))
    n_holding = data.draw(st.integers(0, n_fleet))
    n_drawn = data.draw(st.integers(0, n_fleet))
    n_affected = data.draw(st.integers(0, min(n_holding, n_drawn)))
    exact = sum(
        Fraction(
            math.comb(n_holding, k) * math.comb(n_fleet - n_holding, n_drawn - k),
            math.comb(n_fleet, n_drawn),
        )
        for k in range(n_affected, min(n_holding, n_drawn) + 1)
    )
    found = log_enrichment(n_affected, n_drawn, n_holding, n_fleet)
    assert found == pytest.approx(math.log(exact), abs=1e-6)


@given(
    count=st.integers(1, 400),
    n_devices=st.integers(1, 100_000),
    n_before=st.integers(0, 500),
    days=st.floats(0, 28),
)
def test_a_burst_is_less_likely_the_more_there_are(count, n_devices, n_before, days):
    def ask(count, n_before=n_before):
        return log_burst(count, n_devices=n_devices, n_before=n_before, days_before=days)

    assert ask(0) == 0.0
    assert ask(count + 1) <= ask(count) + 1e-9 <= 1e-9
    assert ask(count, n_before + 50) >= ask(count) - 1e-6, "what was usual before is no burst"


@settings(deadline=None)  # its lists are long, and others use the processor too
@given(
    cells=st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 60), st.integers(0, 40)),
        min_size=8, max_size=8,
    ),
    n_tried=st.integers(1, 5000),
    days=st.floats(0, 28),
    order=st.permutations(range(8)),
)  # fmt: skip
def test_whatever_is_named_is_shared_by_enough_and_more_than_by_others(cells, n_tried, days, order):
    counted = [
        Tally(mask=mask, n_devices=n + a, n_affected=a, n_before=before)
        for mask, (n, a, before) in enumerate(cells)
    ]
    candidates = [FOO, MODEL, WINDOWS]
    verdict = judge(candidates, counted, n_tried=n_tried, days_before=days)
    shuffled = [counted[position] for position in order]
    assert judge(candidates, shuffled, n_tried=n_tried, days_before=days) == verdict
    if verdict is None or not verdict.cohort:
        return
    bits = sum(1 << candidates.index(one) for one in verdict.cohort)
    inside = [one for one in counted if one.mask & bits == bits]
    assert verdict.n_cohort == sum(one.n_devices for one in inside)
    assert verdict.n_cohort_affected == sum(one.n_affected for one in inside) >= LEAST_DEVICES
    inside_share = verdict.n_cohort_affected / verdict.n_cohort
    assert inside_share >= 0.999 * LEAST_LIFT * verdict.n_affected / verdict.n_fleet


@given(st.integers(5, 500))
def test_what_all_devices_hold_is_nothing_in_common(n_affected):
    everyone = tallies((0b1, 1000, n_affected))
    verdict = judge([WINDOWS], everyone, n_tried=1, days_before=28)
    assert verdict is None or verdict.cohort == ()


def test_the_most_specific_of_what_explains_is_named():
    fleet = tallies(
        (0b100, 300, 0), (0b101, 230, 60), (0b110, 100, 0), (0b111, 20, 5), (0b000, 350, 1)
    )
    verdict = judge([FOO, MODEL, WINDOWS], fleet, n_tried=90, days_before=0)
    assert verdict is not None
    assert verdict.cohort == (FOO,)
    assert (verdict.n_cohort, verdict.n_cohort_affected) == (250, 65)


def test_a_pair_is_named_where_neither_explains_alone():
    """Foo on one model alone: half of either is well."""
    fleet = tallies((0b00, 600, 0), (0b01, 200, 0), (0b10, 200, 0), (0b11, 60, 40))
    verdict = judge([FOO, MODEL], fleet, n_tried=90, days_before=0)
    assert verdict is not None
    assert verdict.cohort == (FOO, MODEL)


def test_what_is_chronic_is_no_burst():
    """A model whose batteries fail every day is enriched among battery faults, and no news."""
    rare = [
        Tally(mask=1, n_devices=5000, n_affected=12, n_before=1200),
        Tally(mask=0, n_devices=95_000, n_affected=2, n_before=200),
    ]
    assert judge([MODEL], rare, n_tried=100, days_before=28) is None
    news = [
        Tally(mask=1, n_devices=5000, n_affected=60, n_before=30),
        Tally(mask=0, n_devices=95_000, n_affected=2, n_before=200),
    ]
    assert judge([MODEL], news, n_tried=100, days_before=28) is not None


def test_screening_keeps_what_could_pass_and_counts_what_was_tried():
    found = [
        Prevalence(attribute=WINDOWS, n_affected=20, n_devices=800),
        Prevalence(attribute=MODEL, n_affected=20, n_devices=100),
        Prevalence(attribute=FOO, n_affected=20, n_devices=100),
        Prevalence(attribute=Attribute(kind=K.ROLE, name="lab"), n_affected=4, n_devices=9),
    ]
    chosen, n_tried = screen(found, n_affected=20, n_fleet=1000)
    assert [one.attribute for one in chosen] == [FOO], "of equals the first kind"
    assert n_tried == 2, "what can never be found costs nothing"


def test_symptoms_are_the_class_and_the_metrics_on_top():
    assert list_symptoms("dns", ["dns_failure_percent", "x", "y"]) == (
        "class:dns", "metric:dns_failure_percent", "metric:x",
    )  # fmt: skip
    assert list_symptoms("unknown", ["process_cpu_percent:foo"]) == ("metric:process_cpu_percent",)


FLEET_SIZE, DAYS, SYMPTOMS = 400, 60, 6


def test_independent_faults_are_rolled_up_on_less_than_one_day_in_a_hundred():
    """Each day's busiest six hours, 15 faults, every attribute drawn without regard to them."""
    random = Random(11)
    held = [[random.random() < share for _ in range(FLEET_SIZE)] for share in (0.6, 0.3, 0.1) * 10]
    attributes = [
        Attribute(kind=K.SOFTWARE, name=f"Program {number}") for number in range(len(held))
    ]
    n_false = 0
    for _ in range(DAYS):
        drawn = [(random.randrange(SYMPTOMS), random.randrange(FLEET_SIZE)) for _ in range(15)]
        for symptom in range(SYMPTOMS):
            affected = {device for kind, device in drawn if kind == symptom}
            n_false += _ask(attributes, held, affected) is not None
    assert n_false == 0


def _ask(attributes, held, affected):
    found = [
        Prevalence(
            attribute=attribute, n_affected=sum(column[d] for d in affected), n_devices=sum(column)
        )
        for attribute, column in zip(attributes, held, strict=True)
    ]
    if not affected:
        return None
    chosen, n_tried = screen(found, n_affected=len(affected), n_fleet=FLEET_SIZE)
    columns = [held[attributes.index(one.attribute)] for one in chosen]
    masks = [
        sum(column[device] << bit for bit, column in enumerate(columns))
        for device in range(FLEET_SIZE)
    ]
    counted = [
        Tally(
            mask=mask,
            n_devices=masks.count(mask),
            n_affected=sum(masks[device] == mask for device in affected),
            n_before=0,
        )
        for mask in set(masks)
    ]
    return judge([one.attribute for one in chosen], counted, n_tried=n_tried, days_before=0)


def test_the_words_say_what_was_counted():
    verdict = Verdict(
        cohort=(FOO, MODEL), n_cohort=230, n_cohort_affected=212, n_fleet=4230, n_affected=215,
        n_tried=63, log_common=-1200.0, log_burst=-300.0,
        shared=(Prevalence(attribute=WINDOWS, n_affected=212, n_devices=3000),),
    )  # fmt: skip
    title = write_title("Memory is running out", verdict.cohort)
    assert title == "Memory is running out: devices with Foo 5.1 and of model Latitude 7440"
    text = write_description(verdict, symptoms=["class:memory_leak"], started_at=utc(9))
    assert text.startswith(
        "212 of 230 devices with Foo 5.1 and of model Latitude 7440 are affected, and 3 of 4,000"
        " others (p = 7e-522 after 63 attributes tried). Since 2026-11-02 09:00 UTC"
    )
    assert "with Windows (212 of 215)" in text
    outage = write_description(
        Verdict(
            cohort=(), n_cohort=900, n_cohort_affected=200, n_fleet=900, n_affected=200,
            n_tried=40, log_common=0.0, log_burst=-90.0,
        ),
        symptoms=["class:dns"], started_at=utc(9),
    )  # fmt: skip
    assert "nothing in common but the time" in outage
    assert "p = 8e-40" in outage

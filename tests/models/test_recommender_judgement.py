# SPDX-License-Identifier: Apache-2.0
"""Recommenders are judged by file and correction, each case before it was learnt, kin together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from kernel.audit import AuditIntake
from models.experience import OutcomeExample, list_outcomes
from models.fit import HeldBack
from models.gate import Outcome, compare_versions
from models.judgement import BRIER
from models.online_learning import find_correction, learn_label
from models.past_lessons import PastLesson, list_lessons, replay
from models.recommender import (
    SIGNAL_NAMES,
    Event,
    Recommender,
    event_columns,
    signal_matrix,
)
from models.recommender_judgement import BRIER_IN_USE, JudgeInUse, name_kin
from models.recommender_training import choose_judge, train_recommender
from models.registry import LoadedModel
from models.rival import judge_file
from tests.models.settled import SIGNALS, add_case, add_label

START = datetime(2026, 1, 1, tzinfo=UTC)
NEXT = timedelta(hours=1)


@pytest.fixture(scope="module")
def champion():
    fit = train_recommender(0, [], lambda _: None)
    return LoadedModel(model=fit.model, name="recommender", version="1", digest="d")


def make_case(number, *, happened=False, **named):
    return OutcomeExample(
        proposal_id=f"prp_{number}", signals=SIGNALS, event=Event.APPROVED, happened=happened,
        witness=f"user:{number % 9}", observed_at=START + number * NEXT, **named,
    )  # fmt: skip


def make_lesson(case, *, digest="d", earlier=timedelta()):
    return PastLesson(
        proposal_id=case.proposal_id, event=case.event, happened=case.happened,
        witness=case.witness, signals=case.signals, model_digest=digest,
        learnt_at=case.observed_at + timedelta(seconds=1) - earlier,
    )  # fmt: skip


def hold_back(cases):
    return HeldBack(
        inputs=np.vstack([event_columns(signal_matrix([one.signals]), one.event) for one in cases]),
        labels=np.array(["yes" if one.happened else "no" for one in cases]),
        case_ids=[one.proposal_id for one in cases],
        groups=name_kin(cases),
    )


async def test_lessons_replayed_are_the_correction_that_is_kept(connection, champion, clock, ids):
    audit = AuditIntake(clock, ids)
    for number in range(14):
        seen = {"retrieval": 0.1 * (number % 7), "safety": 0.9 - 0.05 * number}
        approves = number % 3 > 0
        status = "succeeded" if approves else "rejected"
        proposal = await add_case(connection, str(number), signals=SIGNALS | seen, status=status)
        words = ("approve", "failed" if number % 2 else "succeeded") if approves else ("reject",)
        for word in words:
            label = await add_label(
                connection, proposal, word, actor=f"u{number % 4}", minute=number
            )
            clock.advance(60.0)
            assert await learn_label(connection, label, model=champion, clock=clock, audit=audit)
    lessons = await list_lessons(connection)
    assert [one.learnt_at for one in lessons] == sorted(one.learnt_at for one in lessons)
    assert {one.model_digest for one in lessons} == {"d"}
    kept = await find_correction(connection, "d")
    asked = [
        replace(one, proposal_id="prp_new", observed_at=clock.now() + NEXT)
        for one in await list_outcomes(connection)
    ]
    assert {one.event for one in asked} == set(Event)
    found = replay(Recommender(champion.model), lessons, asked)
    assert np.abs(found).min() > 0.01
    for case, added in zip(asked, found, strict=True):
        expected = kept.apply(case.event, signal_matrix([case.signals]), SIGNAL_NAMES)[0]
        assert added == pytest.approx(expected, abs=1e-9)


def test_a_case_is_answered_before_anything_of_it_was_learnt(champion):
    """Of a decision by several the first label is learnt before the last one is given."""
    cases = [make_case(number) for number in range(4)]
    lessons = [make_lesson(one, earlier=timedelta(minutes=5)) for one in cases]
    added = replay(Recommender(champion.model), lessons, cases)
    assert added[0] == 0.0
    assert np.all(np.diff(added) < 0.0)
    alone = replay(Recommender(champion.model), lessons[:1], cases[:1])
    assert alone[0] == 0.0


def test_what_runs_is_judged_and_not_the_file_alone(champion):
    """Refusals without end: whoever has learnt them before and goes on learning does better."""
    cases = [make_case(number) for number in range(100)]
    earlier, later = cases[:60], cases[60:]
    lessons = [make_lesson(one) for one in cases]
    judge, held_back = JudgeInUse(later, lessons), hold_back(later)
    in_use, file = judge(champion, held_back), judge_file(champion, held_back)
    fresh = judge(replace(champion, digest="of a challenger"), held_back)
    assert in_use.losses.mean() < fresh.losses.mean() < file.losses.mean()
    assert fresh.losses[0] == pytest.approx(file.losses[0])  # it begins with nothing
    assert fresh.losses[-1] < fresh.losses[0]  # and learns
    assert in_use.losses[0] < file.losses[0]
    before = JudgeInUse(later, [make_lesson(one) for one in earlier])(champion, held_back)
    assert before.losses[0] == pytest.approx(in_use.losses[0])
    assert (file.measure, in_use.measure) == (BRIER, BRIER_IN_USE)
    verdict = compare_versions(file, in_use, has_champion=True).verdict
    assert verdict.outcome is Outcome.INCONCLUSIVE  # never one with and one without
    assert compare_versions(in_use, fresh, has_champion=True).verdict.outcome is Outcome.FAIL


def test_what_another_model_learnt_before_is_not_a_challengers(champion):
    cases = [make_case(number) for number in range(30)]
    lessons = [make_lesson(one, digest="x") for one in cases[:20]]
    held_back = hold_back(cases[20:])
    found = JudgeInUse(cases[20:], lessons)(champion, held_back)
    assert found.losses == pytest.approx(judge_file(champion, held_back).losses)


def test_cases_of_one_incident_or_device_are_kin():
    cases = [
        make_case(0, incident_id="i1", device_id="d1"),
        make_case(1, incident_id="i1", device_id="d2"),
        make_case(2, incident_id="i2", device_id="d2"),
        make_case(3, incident_id="i3", device_id="d3"),
        replace(make_case(3), event=Event.WORKS),
        make_case(5),
        make_case(6),
    ]
    groups = name_kin(cases)
    assert groups == ["prp_0"] * 3 + ["prp_3"] * 2 + ["prp_5", "prp_6"]
    assert name_kin([]) == []


def test_one_device_of_many_cases_proves_nothing(make_examples):
    """Four hundred cases of three devices: three groups, of which no interval can be said."""
    rows = [SIGNALS | {"retrieval": number % 10 / 10} for number in range(400)]
    cases = make_examples(rows, [n % 3 > 0 for n in range(400)], [n % 2 == 0 for n in range(400)])
    many = [replace(one, device_id=one.witness, incident_id=one.proposal_id) for one in cases]
    few = [replace(one, device_id=f"d{int(one.proposal_id[4:]) % 3}") for one in many]
    judged = {}
    for name, outcomes in (("many", many), ("few", few)):
        fit = train_recommender(0, outcomes, lambda _: None)
        judge = choose_judge(outcomes, [])
        assert isinstance(judge, JudgeInUse)
        one = LoadedModel(model=fit.model, name="recommender", version="1", digest=name)
        judged[name] = judge(one, fit.held_back)
    assert len(set(judged["few"].groups)) == 3
    assert len(set(judged["many"].groups)) >= 20
    (finding, *_) = compare_versions(
        judged["few"], judged["few"], has_champion=True
    ).verdict.findings
    assert "3 unrelated cases" in finding.reason
    assert choose_judge(few[:20], []) is judge_file

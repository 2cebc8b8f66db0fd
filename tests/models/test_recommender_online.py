# SPDX-License-Identifier: Apache-2.0
"""Each label corrects the recommender once, a little, and nobody's labels by more than a bound."""

import asyncio
import dataclasses
import itertools
import multiprocessing
import os
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.audit import AuditIntake
from kernel.clock import SystemClock
from kernel.database import connect
from kernel.ids import RandomIds
from models.experience import list_outcomes
from models.online_correction import (
    LEARNING_RATE,
    MAX_INFLUENCE,
    MAX_WITNESS_INFLUENCE,
    Correction,
    learn,
)
from models.online_learning import find_correction, learn_label
from models.recommender import SIGNAL_NAMES, Event, Recommender, ScriptCandidate, signal_matrix
from models.recommender_training import train_recommender
from models.registry import LoadedModel
from tests.models.settled import SIGNALS, add_case, add_label


@pytest.fixture(scope="module")
def champion():
    fit = train_recommender(0, [], lambda _: None)
    return LoadedModel(model=fit.model, name="recommender", version="1", digest="d")


@pytest.fixture
def teach(champion, clock, ids):
    """Hand labels over, as the worker's handler does."""
    audit = AuditIntake(clock, ids)

    async def hand_over(connection, *label_ids, model=champion):
        return [
            await learn_label(connection, one, model=model, clock=clock, audit=audit)
            for one in label_ids
        ]

    return hand_over


def predict(champion, correction, event, **signals):
    matrix = signal_matrix([SIGNALS | signals])
    added = correction.apply(event, matrix, SIGNAL_NAMES)
    return float(Recommender(champion.model).predict(matrix, event, added)[0])


async def fetch(connection, statement):
    return await (await connection.execute(statement)).fetchall()


async def test_decisions_of_several_people_move_the_ranking(connection, champion, teach):
    """Scripts that few passages name are refused, such that many name are approved."""
    known = {"failure_class_match": True, "platform_match": True, "preconditions_met": True}
    near = ScriptCandidate(
        script_id="near", version="1", retrieval_score=0.75, retrieval_support=0.15, **known
    )
    often = ScriptCandidate(
        script_id="often", version="1", retrieval_score=0.55, retrieval_support=0.35, **known
    )
    before = [one.script_id for one in Recommender(champion.model).rank([near, often], 0.9)]
    labels = []
    for number, (actor, approves) in enumerate(
        itertools.product([f"user-{n}" for n in range(12)], [True, False] * 4)
    ):
        seen = {"retrieval": 0.5, "retrieval_support": 0.9}
        if approves == (before == ["often", "near"]):
            seen = {"retrieval": 0.9, "retrieval_support": 0.1}
        status = "approved" if approves else "rejected"
        proposal = await add_case(connection, str(number), signals=SIGNALS | seen, status=status)
        labels.append(
            await add_label(connection, proposal, "approve" if approves else "reject", actor=actor)
        )
    assert all(await teach(connection, *labels))
    correction = await find_correction(connection, "d")
    assert correction.n_labels == {"approved": len(labels)}
    after = Recommender(champion.model, correction).rank([near, often], 0.9)
    assert [one.script_id for one in after] == before[::-1]
    events = await fetch(
        connection, "SELECT actor, after FROM audit_events WHERE action = 'model.corrected'"
    )
    assert len(events) == len(labels)
    assert events[-1]["after"]["weights"] == pytest.approx(
        dict(correction.weights["approved"]), abs=1e-5
    )


async def test_what_a_label_teaches(connection, champion, teach):
    cases = [
        ("approve", "approved", Event.APPROVED, 1), ("approve", "succeeded", Event.APPROVED, 1),
        ("approve", "pending", None, 0), ("approve", "rejected", None, 0),
        ("reject", "rejected", Event.APPROVED, -1), ("override", "overridden", Event.APPROVED, -1),
        ("succeeded", "succeeded", Event.WORKS, 1), ("failed", "failed", Event.WORKS, -1),
        ("not_needed", "succeeded", None, 0),
    ]  # fmt: skip
    for number, (label, status, event, direction) in enumerate(cases):
        model = dataclasses.replace(champion, digest=f"digest-{number}")
        proposal = await add_case(connection, str(number), status=status)
        label_id = await add_label(connection, proposal, label)
        assert await teach(connection, label_id, model=model) == [event is not None], label
        correction = await find_correction(connection, model.digest)
        for each in Event:
            change = predict(champion, correction, each) - predict(champion, Correction(), each)
            assert np.sign(round(change, 9)) == (direction if each is event else 0), label


async def test_an_override_by_the_same_script_and_old_or_strange_cases_teach_nothing(
    connection, teach
):
    parent = await add_case(connection, "parent", status="overridden")
    await add_case(connection, "child", parent=parent, status="pending")
    old = {name: 0.5 for name in SIGNALS if name not in {"safety", "retrieval_support"}}
    old_case = await add_case(connection, "old", signals=old)
    strange = await add_case(connection, "strange", signals={"colour": 1.0})
    labels = [
        await add_label(connection, one, label)
        for one, label in ((parent, "override"), (old_case, "approve"), (strange, "approve"))
    ]
    assert await teach(connection, *labels, "lbl_unknown") == [False, True, False, False]
    examples = await list_outcomes(connection)
    assert [(one.proposal_id, one.event, one.happened) for one in examples] == [
        (old_case, Event.APPROVED, True)
    ]
    assert dict(examples[0].signals) == old


async def test_experience_is_read_in_the_order_of_events(connection):
    first = await add_case(connection, "first", status="succeeded")
    second = await add_case(connection, "second", status="rejected", device="dev-2", minute=5)
    for proposal, label, actor, minute in (
        (first, "approve", "ada", 1), (first, "approve", "bob", 2), (first, "succeeded", "", 90),
        (second, "approve", "ada", 8), (second, "reject", "bob", 9),
    ):  # fmt: skip
        await add_label(connection, proposal, label, actor=actor, minute=minute)
    found = [
        (one.proposal_id, one.event.value, one.happened, one.witness)
        for one in await list_outcomes(connection)
    ]
    assert found == [
        (first, "approved", True, "bob"),
        (second, "approved", False, "bob"),
        (first, "works", True, "device:dev-1"),
    ]


async def test_a_newly_promoted_model_starts_from_zero_and_an_earlier_one_goes_on(
    connection, champion, teach
):
    proposal = await add_case(connection, "one")
    label_id = await add_label(connection, proposal, "approve")
    assert await teach(connection, label_id) == [True]
    newer = dataclasses.replace(champion, version="2", digest="e")
    assert await find_correction(connection, "e") == Correction()
    assert await teach(connection, label_id, model=newer) == [False]  # learnt by the one before
    assert await find_correction(connection, "e") == Correction()
    assert (await find_correction(connection, "d")).n_labels == {"approved": 1}


def learn_and_die(dsn, label_id, champion, when):
    """Learn in a process of its own, which SIGKILL ends before or after the commit."""

    async def act():
        clock = SystemClock()
        audit = AuditIntake(clock, RandomIds(clock))
        async with await connect(dsn) as connection:
            await learn_label(connection, label_id, model=champion, clock=clock, audit=audit)
            if when == "after":
                await connection.commit()
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(act())


async def test_killed_before_or_after_its_commit_a_label_is_learnt_once(dsn, pool, champion, teach):
    async with pool.connection() as connection:
        proposal = await add_case(connection, "one")
        label_id = await add_label(connection, proposal, "approve")
    found = {}
    for when in ("before", "after"):
        process = multiprocessing.get_context("fork").Process(
            target=learn_and_die, args=(dsn, label_id, champion, when)
        )
        process.start()
        await asyncio.to_thread(process.join)
        assert process.exitcode == -signal.SIGKILL
        async with pool.connection() as connection:
            found[when] = await find_correction(connection, "d")
    assert found["before"] == Correction()
    assert found["after"].n_labels == {"approved": 1}
    async with pool.connection() as connection:
        assert await teach(connection, label_id, label_id) == [False, False]
        assert await find_correction(connection, "d") == found["after"]


async def test_many_workers_at_once_lose_no_label(pool, teach):
    async with pool.connection() as connection:
        labels = [
            await add_label(connection, await add_case(connection, str(n)), "approve", actor=str(n))
            for n in range(8)
        ]

    async def hand_over(label_id):
        async with pool.connection() as connection:
            return await teach(connection, label_id)

    told = await asyncio.gather(*(hand_over(one) for one in (*labels, *labels)))
    assert sorted(told) == [[False]] * 8 + [[True]] * 8
    async with pool.connection() as connection:
        assert (await find_correction(connection, "d")).n_labels == {"approved": 8}
        rows = await fetch(connection, "SELECT weights FROM online_influences")
        correction = await find_correction(connection, "d")
    for name, weight in correction.weights["approved"].items():
        assert weight == pytest.approx(sum(row["weights"].get(name, 0.0) for row in rows))


signal_rows = st.fixed_dictionaries({name: st.floats(0, 1) for name in SIGNAL_NAMES})


@settings(max_examples=30, deadline=None)
@given(
    lessons=st.lists(
        st.tuples(signal_rows, st.floats(-4, 4), st.booleans(), st.sampled_from("abc")),
        max_size=40,
    ),
    asked=signal_rows,
)
def test_influence_is_bounded_per_label_witness_and_in_all(lessons, asked):
    total, shares = {}, {}
    matrix = signal_matrix([asked])
    for signals, log_odds, happened, witness in lessons:
        step = learn(
            signals=signals, log_odds=log_odds, happened=happened, total=total,
            witness=shares.get(witness, {}),
        )  # fmt: skip
        before = shares.get(witness, {})
        moved = [abs(step.witness[name] - before.get(name, 0.0)) for name in step.witness]
        assert sum(moved) <= 2 * MAX_WITNESS_INFLUENCE + 1e-9
        total, shares[witness] = step.total, step.witness
    for share in shares.values():
        reach = Correction(weights={"works": share}).apply("works", matrix, SIGNAL_NAMES)
        assert abs(reach[0]) <= MAX_WITNESS_INFLUENCE + 1e-9
    reach = Correction(weights={"works": total}).apply("works", matrix, SIGNAL_NAMES)
    assert abs(reach[0]) <= min(MAX_INFLUENCE, len(shares) * MAX_WITNESS_INFLUENCE) + 1e-9


odd_numbers = st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -1e308, 7.0]) | st.floats(0, 1)


@settings(max_examples=60, deadline=None)
@given(
    signals=st.fixed_dictionaries(dict.fromkeys(SIGNAL_NAMES, odd_numbers)),
    log_odds=odd_numbers,
    happened=st.booleans(),
    stored=st.dictionaries(st.sampled_from(SIGNAL_NAMES), odd_numbers),
)
def test_no_number_that_is_none_is_ever_kept_or_added(signals, log_odds, happened, stored):
    step = learn(
        signals=signals, log_odds=log_odds, happened=happened, total=stored, witness=stored
    )
    assert np.isfinite([*step.total.values(), *step.witness.values()]).all()
    added = Correction(weights={"works": stored}).apply(
        "works", signal_matrix([signals]), SIGNAL_NAMES
    )
    assert abs(added[0]) <= MAX_INFLUENCE + 1e-9
    if not np.isfinite([log_odds, *signals.values()]).all():
        kept = {name: value for name, value in stored.items() if np.isfinite(value)}
        assert step.total == step.witness == kept


async def test_a_label_whose_numbers_are_none_teaches_nothing(connection, champion, teach):
    labels = []
    for number, value in enumerate([10**400, "NaN", "much", None, 0.5]):
        signals = SIGNALS | {"retrieval": value}
        case = await add_case(connection, str(number), signals=signals, status="approved")
        labels.append(await add_label(connection, case, "approve"))
    assert await teach(connection, *labels) == [False] * 4 + [True]
    (row,) = await fetch(connection, "SELECT weights FROM online_corrections")
    assert np.isfinite(list(row["weights"].values())).all()


def test_one_label_is_a_small_step():
    step = learn(signals=SIGNALS, log_odds=3.0, happened=False, total={}, witness={})
    assert max(abs(value) for value in step.total.values()) <= LEARNING_RATE


def test_the_order_of_labels_matters_little():
    random = np.random.default_rng(1)
    lessons = [
        (dict(zip(SIGNAL_NAMES, random.random(len(SIGNAL_NAMES)), strict=True)), bool(n % 3))
        for n in range(60)
    ]

    def run(order):
        total, shares = {}, {}
        for index in order:
            signals, happened = lessons[index]
            witness = index % 6
            step = learn(
                signals=signals, log_odds=0.0, happened=happened, total=total,
                witness=shares.get(witness, {}),
            )  # fmt: skip
            total, shares[witness] = step.total, step.witness
        matrix = signal_matrix([one[0] for one in lessons])
        return Correction(weights={"works": total}).apply("works", matrix, SIGNAL_NAMES)

    first, *others = (run(random.permutation(60)) for _ in range(5))
    assert np.abs(first).mean() > 0.1
    for other in others:
        assert np.abs(other - first).max() < 0.25

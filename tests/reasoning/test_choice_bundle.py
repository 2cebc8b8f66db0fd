# SPDX-License-Identifier: Apache-2.0
"""A bundle holds what its choice can be repeated from: parts, learnt weights, seed and draws."""

import numpy as np
import pytest
from scipy.special import betaincinv, expit

from api.worker import list_handlers
from contracts.failure import FailureClass
from kernel.outbox import OutboxMessage
from models.online_correction import Correction
from models.recommender import Event, Recommender, signal_matrix
from reasoning.choice import choose_script
from reasoning.exploration import Exploration, seed_of
from tests.models.settled import add_label
from tests.reasoning.situations import enrol, open_ticket, query, reason_about

TICKET = ("No sound", "No sound in calls, the headset is not detected")
MAY_BE_DRAWN = {"macos-restart-audio", "macos-restart-camera"}


async def propose(services, number):
    device_id = f"dev-{number}"
    await enrol(services, device_id, os_family="macos")
    incident_id = await open_ticket(services, *TICKET, device_id=device_id)
    return await reason_about(services, incident_id, cause=str(number))


def repeat_parts(services, case, item):
    """Return the probability of each event by the sealed model, signals and weights."""
    champion = services.models.current("recommender")
    assert champion.named in case["models"]
    learnt = case["ranking"]["correction"]
    correction = Correction(weights={name: one["weights"] for name, one in learnt.items()})
    recommender = Recommender(champion.model, correction)
    matrix = signal_matrix([item["signals"]])
    return {
        event.value: float(recommender.predict(matrix, event, item["corrections"][event.value])[0])
        for event in Event
    }


async def test_an_explored_choice_is_told_sealed_and_repeatable(open_prepared):
    async with open_prepared(exploration_rate=1.0) as services:
        outcomes = [await propose(services, number) for number in range(8)]
    chosen = set()
    for outcome in outcomes:
        case = outcome.case
        ranking, candidates = case["ranking"], case["candidates"]
        drawn = ranking["exploration"]
        assert drawn["explored"]
        assert {one["script_id"] for one in drawn["among"]} == MAY_BE_DRAWN
        assert drawn["seed"] == seed_of(case["proposal_id"])
        again, _ = choose_script(
            failure_class=FailureClass(case["diagnosis"]["failure_class"]),
            ranked=candidates,
            threshold=ranking["threshold"],
            advised_script_id=None,
            exploration=Exploration(rate=drawn["rate"], seed=drawn["seed"]),
        )
        assert again["script_id"] == case["script"]["script_id"] == outcome.proposal.script_id
        assert again["exploration"] == drawn
        item = next(one for one in candidates if one["script_id"] == again["script_id"])
        assert outcome.proposal.confidence == item["probability"]
        assert item["probability"] == pytest.approx(np.prod(list(item["parts"].values())), abs=1e-4)
        assert repeat_parts(services, case, item) == pytest.approx(item["parts"], abs=1e-3)
        level = Exploration(rate=1.0, seed=drawn["seed"]).draw(again["script_id"], "success")
        assert 0.0 < betaincinv(*item["beliefs"]["success"], level) < 1.0
        sentences = [one["sentence"] for one in outcome.proposal.explanation]
        assert f"{item['parts']['works']:.0%} to work then" in sentences[-2]
        assert "by a draw among 2 equally safe scripts" in sentences[-1]
        chosen.add(again["script_id"])
    assert chosen == MAY_BE_DRAWN


async def test_by_default_nothing_is_drawn(services):
    case = (await propose(services, 1)).case
    assert case["ranking"]["exploration"] is None
    assert not any("draw" in one for one in case["candidates"])
    assert case["script"]["script_id"] == case["candidates"][0]["script_id"]


async def test_what_is_learnt_online_is_compared_with_the_threshold(services):
    first = await propose(services, 1)
    assert first.proposal.status == "pending"
    learn = list_handlers(services)["case.labelled"]
    for number in range(60):
        async with services.ground.pool.connection() as connection:
            await connection.execute("UPDATE proposals SET status = 'rejected'")
            label_id = await add_label(
                connection, first.proposal.proposal_id, "reject", actor=f"user-{number}"
            )
            await learn(
                connection,
                OutboxMessage(
                    message_id=number, topic="case.labelled", payload={"label_id": label_id},
                    correlation_id="cor", attempts=0,
                ),
            )  # fmt: skip
    lessons = await query(services, "SELECT event, happened FROM online_lessons")
    assert lessons == [{"event": "approved", "happened": False}] * 60
    second = await propose(services, 2)
    assert second.proposal.status == "abstained"
    case = second.case
    best = case["candidates"][0]
    assert best["probability"] < case["ranking"]["threshold"] == 0.5
    assert second.proposal.abstention_reason == (
        f"the best script's confidence {best['probability']:.2f} is below 0.50"
    )
    assert case["ranking"]["correction"]["approved"]["n_labels"] == 60
    assert best["corrections"]["approved"] < -0.5
    alone = Recommender(services.models.current("recommender").model).predict_log_odds(
        signal_matrix([best["signals"]]), Event.APPROVED
    )
    assert expit(alone[0] + best["corrections"]["approved"]) == pytest.approx(
        best["parts"]["approved"], abs=1e-3
    )

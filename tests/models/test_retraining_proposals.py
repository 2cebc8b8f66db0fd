# SPDX-License-Identifier: Apache-2.0
"""Drift proposes to retrain, a person decides, and all of it is audited."""

from datetime import UTC, datetime, timedelta

import pytest

from kernel.audit import AuditIntake
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_episodes import DriftEpisodes, list_episodes
from models.drift_errors import (
    RetrainingDecidedError,
    RetrainingProposalMissingError,
    RetrainingReasonError,
)
from models.retraining_proposals import (
    RetrainingProposals,
    RetrainingStatus,
    affected_model,
    list_retraining,
)

START = datetime(2026, 1, 5, tzinfo=UTC)


def alarm(cohort="linux:t14", metric="memory_percent", hours=0, effect=2.0):
    since = START + timedelta(hours=hours)
    return DriftAlarm(
        cohort=cohort, metric=metric, kind=DriftKind.LEVEL, observed_at=since,
        since=since, since_earliest=since - timedelta(minutes=5),
        since_latest=since + timedelta(minutes=5), level_before=40.0, level_after=48.0,
        effect=effect, n_samples=12,
    )  # fmt: skip


@pytest.fixture
def episodes(clock, ids):
    return DriftEpisodes(clock, ids, AuditIntake(clock, ids))


@pytest.fixture
def retraining(clock, ids):
    return RetrainingProposals(clock, ids, AuditIntake(clock, ids))


async def events(connection):
    cursor = await connection.execute(
        "SELECT actor, action, subject_id, before, after, correlation_id FROM audit_events"
        " WHERE action LIKE 'retraining.%' ORDER BY event_id"
    )
    return await cursor.fetchall()


async def test_which_model_stands_on_what(connection, episodes):
    assert affected_model(alarm()) == "health"
    assert affected_model(alarm(cohort="model:tickets")) == "tickets"
    assert affected_model(alarm(cohort="people")) == "recommender"
    assert affected_model(alarm(cohort="model:anomaly")) is None
    await episodes.take_up(connection, [alarm(cohort="model:anomaly")], correlation_id="cor_1")
    assert await list_retraining(connection) == []


async def test_a_proposal_is_accepted_trained_and_done(connection, episodes, retraining):
    (episode_id,) = await episodes.take_up(connection, [alarm()], correlation_id="cor_1")
    (proposal,) = await list_retraining(connection)
    assert (proposal.model_name, proposal.episode_id) == ("health", episode_id)
    assert proposal.reason == (
        "memory percent of linux:t14 went from 40 to 48 (+2.0 standard deviations)"
        " since 2026-01-05 00:00 UTC"
    )
    name = proposal.proposal_id
    accepted = await retraining.accept(connection, name, actor="user:ada", correlation_id="cor_2")
    assert (accepted.status, accepted.decided_by) == (RetrainingStatus.ACCEPTED, "user:ada")
    with pytest.raises(RetrainingDecidedError, match="accepted already"):
        await retraining.dismiss(
            connection, name, reason="x", actor="user:bob", correlation_id="cor_3"
        )
    for _ in range(2):  # two workers
        await retraining.complete(
            connection, name, model_version="7", actor="system:drift", correlation_id="cor_4"
        )
    (done,) = await list_retraining(connection)
    assert (done.status, done.model_version) == (RetrainingStatus.DONE, "7")
    told = await events(connection)
    assert [(row["action"], row["actor"], row["correlation_id"]) for row in told] == [
        ("retraining.proposed", "system:drift", "cor_1"),
        ("retraining.accepted", "user:ada", "cor_2"),
        ("retraining.done", "system:drift", "cor_4"),
    ]
    assert {row["subject_id"] for row in told} == {name}
    assert told[1]["before"] == {"status": "pending"}


async def test_dismissing_needs_a_reason_and_makes_room_for_the_next(
    connection, episodes, retraining
):
    await episodes.take_up(connection, [alarm()], correlation_id="cor_1")
    await episodes.take_up(connection, [alarm(hours=30)], correlation_id="cor_2")
    assert len(await list_episodes(connection)) == 2
    (proposal,) = await list_retraining(connection)  # one open proposal a model
    with pytest.raises(RetrainingReasonError):
        await retraining.dismiss(
            connection, proposal.proposal_id, reason=" ", actor="user:ada", correlation_id="c"
        )
    await retraining.dismiss(
        connection, proposal.proposal_id, reason="a holiday", actor="user:ada", correlation_id="c"
    )
    with pytest.raises(RetrainingDecidedError, match="only what is accepted"):
        await retraining.complete(
            connection, proposal.proposal_id, model_version="7", actor="x", correlation_id="c"
        )
    await episodes.take_up(connection, [alarm(hours=90)], correlation_id="cor_3")
    statuses = [one.status for one in await list_retraining(connection)]
    assert statuses == [RetrainingStatus.PENDING, RetrainingStatus.DISMISSED]
    with pytest.raises(RetrainingProposalMissingError, match="rtp_none"):
        await retraining.accept(connection, "rtp_none", actor="x", correlation_id="c")


async def test_what_was_dismissed_does_not_come_back_with_the_next_alarm_of_its_episode(
    connection, episodes, retraining, clock
):
    (one,) = await episodes.take_up(connection, [alarm()], correlation_id="c")
    (proposal,) = await list_retraining(connection)
    await retraining.dismiss(
        connection, proposal.proposal_id, reason="a holiday", actor="user:ada", correlation_id="c"
    )
    clock.advance(2 * 3600.0)
    again = [alarm(hours=2), alarm(metric="cpu_percent"), alarm(cohort="model:tickets")]
    assert await episodes.take_up(connection, again, correlation_id="c") == [one]
    found = {each.model_name: each for each in await list_retraining(connection)}
    assert found["health"].status is RetrainingStatus.DISMISSED
    assert found["tickets"].status is RetrainingStatus.PENDING, "of another model it is news"
    assert len(await list_retraining(connection)) == 2
    assert "labelled" in found["tickets"].training_data


async def test_alarms_that_began_together_are_one_episode_and_so_is_a_burst(
    connection, episodes, clock
):
    first = [alarm(), alarm(metric="cpu_percent", effect=-3.0), alarm(cohort="windows:nuc")]
    (one,) = await episodes.take_up(connection, first, correlation_id="c")
    clock.advance(2 * 3600.0)
    assert await episodes.take_up(connection, [alarm(hours=2)], correlation_id="c") == [one]
    clock.advance(2 * 86_400.0)
    (other,) = await episodes.take_up(connection, [alarm(hours=50)], correlation_id="c")
    assert other != one
    newest, oldest = await list_episodes(connection)
    assert (newest.n_alarms, oldest.n_alarms) == (1, 4)
    assert (oldest.metric, oldest.effect) == ("cpu_percent", -3.0)
    assert oldest.began_at == START

# SPDX-License-Identifier: Apache-2.0
"""Drift in the portal and at the command line: what changed, since when, and who decides."""

import asyncio
import html
import re
from datetime import timedelta

import httpx
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from api.drift_upkeep import compare_features, finish_retraining
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_episodes import DriftEpisodes
from tests.reasoning.situations import enrol

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


async def tell(services, cohort, metric, kind=DriftKind.LEVEL, effect=2.5):
    """Raise one alarm of an hour ago; return the episode's id."""
    ground = services.ground
    since = ground.clock.now() - timedelta(hours=1)
    alarm = DriftAlarm(
        cohort=cohort, metric=metric, kind=kind, observed_at=since + timedelta(minutes=20),
        since=since, since_earliest=since - timedelta(minutes=9),
        since_latest=since + timedelta(minutes=5), level_before=40.0, level_after=52.0,
        effect=effect, n_samples=20,
    )  # fmt: skip
    episodes = DriftEpisodes(ground.clock, ground.ids, ground.audit)
    async with ground.pool.connection() as connection:
        (episode_id,) = await episodes.take_up(connection, [alarm], correlation_id="cor_1")
    return episode_id


async def find_cohort(desk):
    """Enrol a device with reports of three hours; return its cohort."""
    await enrol(desk.services, "dev-1")
    now = desk.services.ground.clock.now().replace(minute=0, second=0, microsecond=0)
    for hours in range(3):
        moment = now - timedelta(hours=hours)
        await desk.change("SELECT ensure_telemetry_partition(%s::date)", moment.date())
        await desk.change(
            "INSERT INTO telemetry_reports (report_id, device_id, observed_at, received_at,"
            " metrics, facts) VALUES (%s, 'dev-1', %s, %s, %s, '{}')",
            f"r{hours}", moment, moment, Jsonb({"memory_percent": 40.0 + hours}),
        )  # fmt: skip
    (row,) = await desk.query("SELECT cohort FROM device_cohorts")
    return row["cohort"]


async def test_an_episode_says_what_changed_where_and_since_when(desk):
    cohort = await find_cohort(desk)
    episode_id = await tell(desk.services, cohort, "memory_percent")
    assert await tell(desk.services, cohort, "cpu_percent", effect=-4.0) == episode_id
    dora = await desk.let_in("dora", Role.DATA_SCIENTIST)
    listed = html.unescape(await dora.page("/drift"))
    assert f'href="/drift/{episode_id}"' in listed
    assert "memory percent of" in listed
    page = html.unescape(await dora.page(f"/drift/{episode_id}"))
    assert page.index("cpu percent -4.00") < page.index("memory percent +2.50")
    assert cohort in page
    assert "with 95 % between" in page
    plots = re.findall(r'src="(/drift/[^"]+\.svg)"', page)
    assert len(plots) == 2
    for plot in plots:
        answer = await dora.client.get(plot)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text.lstrip().startswith("<svg")
    assert (await dora.client.get("/drift/dre_none")).status_code == httpx.codes.NOT_FOUND
    wrong = await dora.client.get(f"/drift/{episode_id}/plots/drf_none.svg")
    assert wrong.status_code == httpx.codes.NOT_FOUND


async def test_who_may_see_and_who_may_decide(desk):
    await tell(desk.services, "linux:t14", "memory_percent")
    (proposal,) = await desk.query("SELECT proposal_id FROM retraining_proposals")
    path = f"/drift/retraining/{proposal['proposal_id']}"
    dora = await desk.let_in("dora", Role.DATA_SCIENTIST)
    eva = await desk.let_in("eva", Role.AUDITOR)
    hanna = await desk.let_in("hanna", Role.HELPDESK)
    assert f'action="{path}/accept"' in await dora.page("/drift")
    assert f'action="{path}/accept"' not in await eva.page("/drift")
    assert (await hanna.client.get("/drift")).status_code == httpx.codes.FORBIDDEN
    for visitor in (eva, hanna):
        assert (await visitor.submit(f"{path}/accept")).status_code == httpx.codes.FORBIDDEN
    assert (await dora.submit(f"{path}/dismiss", reason="")).status_code == 422
    answer = await dora.submit(f"{path}/dismiss", reason="ask ada@example.org")
    assert answer.headers["location"] == "/drift"
    assert (await dora.submit(f"{path}/accept")).status_code == httpx.codes.CONFLICT
    (row,) = await desk.query(
        "SELECT status, decided_by, decision_reason FROM retraining_proposals"
    )
    assert (row["status"], row["decided_by"]) == ("dismissed", "user:dora")
    assert "ada@example.org" not in row["decision_reason"]
    (event,) = await desk.query(
        "SELECT actor, after FROM audit_events WHERE action = 'retraining.dismissed'"
    )
    assert event["actor"] == "user:dora"
    assert "ada@example.org" not in str(event["after"])


async def test_at_the_command_line_and_done_when_a_version_was_trained(desk, monkeypatch):
    services = desk.services
    ground = services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setattr(console, "width", 400)

    async def run(*words):
        ended = await asyncio.to_thread(CliRunner().invoke, app, ["drift", *words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    episode_id = await tell(services, "people", "override_rate", DriftKind.RATE)
    (row,) = await desk.query("SELECT proposal_id FROM retraining_proposals")
    code, output = await run("list")
    assert code == 0
    assert episode_id in output
    assert row["proposal_id"] in output
    code, output = await run("show", episode_id)
    assert (code, "override_rate" in output, "+2.50 sd" in output) == (0, True, True)
    assert (await run("show", "dre_[/]"))[0] == 1
    code, output = await run("accept", row["proposal_id"], "--actor", "dora")
    assert (code, "eucora train recommender" in output) == (0, True)
    assert (await run("dismiss", row["proposal_id"], "--reason", "late"))[0] == 1

    await finish_retraining(services)  # no version is newer than the decision
    (found,) = await desk.query("SELECT status, decided_by FROM retraining_proposals")
    assert (found["status"], found["decided_by"]) == ("accepted", "cli:dora")
    await desk.change("UPDATE retraining_proposals SET decided_at = '2020-01-01'")
    await finish_retraining(services)
    (found,) = await desk.query("SELECT status, model_version FROM retraining_proposals")
    assert found["status"] == "done"
    assert found["model_version"]
    events = await desk.query(
        "SELECT action FROM audit_events WHERE subject_kind = 'retraining_proposal'"
        " ORDER BY occurred_at"
    )
    assert [event["action"] for event in events] == [
        "retraining.proposed", "retraining.accepted", "retraining.done",
    ]  # fmt: skip
    await compare_features(services)
    await compare_features(services)
    assert len(await desk.query("SELECT day FROM drift_days")) == 1

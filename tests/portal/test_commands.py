# SPDX-License-Identifier: Apache-2.0
"""Freezes, training and promotion at the command line; others' words stay words there."""

import asyncio
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli_ground import console
from tests.reasoning.situations import enrol, open_ticket, query

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
HOSTILE = "[green]verified[/green] [/] \x1b[2Jend"


@pytest.fixture
def run(services, monkeypatch, tmp_path):
    """Run `eucora` on the database of `services`, as on an external one; return code and output."""
    ground = services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setenv("EUCORA_MLRUNS_DIR", str(tmp_path / "mlruns"))
    monkeypatch.setattr(console, "width", 300)

    async def run_command(*words: str) -> tuple[int, str]:
        ended = await asyncio.to_thread(CliRunner().invoke, app, words)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    return run_command


async def test_a_freeze_and_a_hostile_text(services, run):
    await enrol(services, "dev-1")
    incident_id = await open_ticket(services, HOSTILE, HOSTILE, device_id="dev-1")
    for words in (("list",), ("show", incident_id)):
        code, output = await run("incident", *words)
        assert code == 0
        assert "[green]verified[/green] [/] end" in output
        assert "\x1b[2J" not in output
    assert (await run("incident", "show", "inc_[/]"))[0] == 1

    assert (await run("freeze", "announce", "--until", "soon", "--reason", "x"))[0] == 2
    code, output = await run("freeze", "announce", "--until", "2020-01-01", "--reason", "x")
    assert (code, "eucora:" in output) == (1, True)
    tomorrow = services.ground.clock.now() + timedelta(days=1)
    code, output = await run(
        "freeze", "announce", "--until", tomorrow.isoformat(),
        "--reason", f"ask ada@example.org {HOSTILE}", "--actor", "dora",
    )  # fmt: skip
    assert code == 0, output
    (window,) = await query(services, "SELECT freeze_id, reason, created_by FROM freeze_windows")
    assert "ada@example.org" not in window["reason"]
    assert window["created_by"] == "cli:dora"
    code, output = await run("freeze", "list")
    assert (code, window["freeze_id"] in output) == (0, True)
    assert "[green]verified[/green]" in output
    assert (await run("freeze", "lift", window["freeze_id"]))[0] == 0
    assert (await run("freeze", "lift", window["freeze_id"]))[0] == 1
    assert window["freeze_id"] not in (await run("freeze", "list"))[1]


async def test_training_makes_a_challenger_that_a_person_promotes(services, run):
    for version in ("1", "2"):
        code, output = await run("train", "recommender")
        assert code == 0, output
        assert f"recommender version {version} is registered" in output
        assert "n_real_outcomes: 0" in output
    assert (await run("models", "promote", "recommender", "9"))[0] == 1
    code, output = await run("models", "promote", "recommender", "2", "--actor", "dora")
    assert (code, "before it was version 1" in output, "restart" in output) == (0, True, True)
    (event,) = await query(
        services, "SELECT actor, before FROM audit_events WHERE action = 'model.promoted'"
    )
    assert (event["actor"], event["before"]["champion"]) == ("cli:dora", "1")
    code, output = await run("models", "list")
    champions = [line for line in output.splitlines() if "champion" in line]
    assert (code, len(champions)) == (0, 1)
    assert champions[0].split("│")[2].strip() == "2"

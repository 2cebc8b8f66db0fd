# SPDX-License-Identifier: Apache-2.0
"""Freezes, training and promotion at the command line; others' words stay words there."""

import asyncio
import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from kernel.database import connect
from tests.reasoning.situations import enrol, open_ticket, query
from tests.stack.served import find_free_port

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
    code, output = await run("incident", "show", "inc_[/]")
    assert (code, "`eucora incident list` has them" in output) == (1, True)
    code, output = await run("incident", "list")
    (row,) = [line.split("│") for line in output.splitlines() if incident_id in line]
    assert row[2].strip() == f"{services.ground.clock.now():%Y-%m-%d %H:%M} UTC"
    assert row[3].strip() == "dev-1"

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


async def test_training_makes_a_challenger_that_a_person_promotes(services, run, tmp_path):
    for version, seed in (("1", "0"), ("2", "1")):
        code, output = await run("train", "recommender", "--seed", seed)
        assert code == 0, output
        assert f"recommender version {version} is registered" in output
        assert "gate (" in output
    assert (await run("train", "nonsense"))[0] == 1
    await name_what_is_not_there(run, tmp_path)
    code, output = await run("models", "compare", "recommender", "--json")
    compared = json.loads(output)
    assert (code, compared["before"]["version"], compared["after"]["version"]) == (0, "1", "2")
    outcome = compared["comparison"]["verdict"]["outcome"]
    code, output = await run("models", "compare", "recommender", "1", "2")
    assert (code, output.startswith(f"gate: {outcome}\n")) == (0, True)
    assert len(output.splitlines()) < 40
    assert "n_real_decisions" not in output
    code, output = await run("models", "compare", "recommender", "1", "2", "--all")
    (row,) = [line for line in output.splitlines() if "training: n_real_decisions" in line]
    assert (code, [cell.strip() for cell in row.split("│")[2:4]]) == (0, ["0", "0"])
    shown = compared["in_use"]["promotion_id"]
    assert f"--against {shown}" in output
    plain_words = ("models", "promote", "recommender", "2", "--actor", "dora")
    code, output = await run(*plain_words, "--override", "--reason", "I saw nothing")
    assert (code, "does not say which champion" in output) == (1, True)
    words = (*plain_words, "--against", shown)
    if outcome == "inconclusive":
        assert (await run(*words))[0] == 1
    code, output = await run(*words, "--override", "--reason", "ask ada@example.org")
    assert (code, "before it was version 1" in output) == (0, True), output
    (event,) = await query(
        services,
        "SELECT actor, before, after FROM audit_events WHERE action = 'model.promoted'"
        " AND actor = 'cli:dora'",
    )
    assert (event["before"]["champion"], event["after"]["champion"]) == ("1", "2")
    assert "ada@example.org" not in event["after"]["reason"]
    code, output = await run("models", "promote", "recommender", "2")
    assert (code, output) == (0, "recommender version 2 is the champion already\n")
    code, output = await run("models", "list")
    champions = [line for line in output.splitlines() if "champion" in line]
    assert (code, len(champions)) == (0, 1)
    assert champions[0].split("│")[2].strip() == "2"
    assert "AUC 0." in champions[0]
    assert max(map(len, output.splitlines())) <= 100
    code, output = await run("models", "show", "recommender")
    assert (code, "# Model card: recommender" in output) == (0, True)
    await roll_back_and_export(run, tmp_path / "promotion.json", seen_before=shown)


async def name_what_is_not_there(run, folder):
    """Ask for models, versions and promotions that there are not: what there is, is said."""
    for words in (
        ("show", "nonsense"), ("compare", "nonsense"), ("promote", "nonsense", "1"),
        ("rollback", "nonsense", "--reason", "x"),
    ):  # fmt: skip
        code, output = await run("models", *words)
        assert (code, "'nonsense'; there are: recommender\n" in output) == (1, True), output
    for words in (("promote", "recommender", "9"), ("compare", "recommender", "9")):
        code, output = await run("models", *words)
        assert (code, "its versions are: 1, 2\n" in output) == (1, True), output
    path = folder / "nothing.json"
    code, output = await run("models", "export", "mpr_9", str(path))
    assert (code, "`eucora models show NAME`" in output, path.exists()) == (1, True, False)
    for words in (("show", "dre_9"), ("accept", "rtp_9")):
        code, output = await run("drift", *words)
        assert (code, "`eucora drift list` has them" in output) == (1, True)


async def roll_back_and_export(run, path, *, seen_before):
    """Roll the recommender back, at first against a promotion that is not the newest."""
    assert (await run("models", "rollback", "recommender"))[0] == 2
    back = ("models", "rollback", "recommender", "--reason", "worse at work", "--against")
    code, output = await run(*back, seen_before)
    assert (code, "another than the one" in output) == (1, True)
    code, output = await run(*back, re.search(r"mpr_[0-9a-z]+", output)[0])
    assert (code, "version 1 is the champion; before it was version 2" in output) == (0, True)
    promotion_id = re.search(r"mpr_[0-9a-z]+", output)[0]
    assert (await run("models", "export", promotion_id, str(path)))[0] == 0
    assert (await run("verify", str(path)))[0] == 0
    assert (await run("models", "export", "mpr_[/]", str(path)))[0] == 1


async def test_a_fleet_without_a_server_is_stored_but_not_judged_and_says_so(run, monkeypatch):
    monkeypatch.setenv("EUCORA_PORT", str(find_free_port()))
    words = ("simulate", "--devices", "2", "--hours", "1")
    code, output = await run(*words)
    assert (code, "nothing is judged before `eucora up` runs: nobody" in output) == (0, True)
    code, output = await run(*words)
    assert (code, "the fleet of seed 1 is here already" in output) == (1, True)


async def test_a_class_is_taken_as_pages_print_it(services, run):
    await enrol(services, "dev-1")
    incident_id = await open_ticket(services, "slow", "it is slow", device_id="dev-1")
    for written in ("memory leak", "Memory-Leak", "memory_leak"):
        code, output = await run("incident", "label", incident_id, written)
        assert (code, f"{incident_id} is memory_leak" in output) == (0, True), output
    assert (await run("incident", "label", incident_id, "memoryleak"))[0] == 2
    code, output = await run("incident", "label", "inc_9", "dns")
    assert (code, "`eucora incident list` has them" in output) == (1, True)


async def test_the_log_is_checked_and_its_keys_are_written_once(services, run, tmp_path):
    services.ground.key_store.evidence_key()
    async with services.ground.pool.connection() as connection:
        await services.ground.log.sequence_pending(connection)
    code, output = await run("audit", "check")
    assert code == 0
    assert re.fullmatch(r"the log is intact: \d+ entries and \d+ checkpoints .*\n", output)
    folder = tmp_path / "for auditors"
    for _ in range(2):
        assert (await run("audit", "keys", str(folder)))[0] == 0
    assert {path.name for path in folder.iterdir()} == {"evidence-key.pem", "log-key.pem"}
    (folder / "log-key.pem").write_text("another")
    (folder / "evidence-key.pem").unlink()
    code, output = await run("audit", "keys", str(folder))
    assert (code, "log-key.pem holds another key" in output) == (1, True)
    assert [path.name for path in folder.iterdir()] == ["log-key.pem"]
    assert (folder / "log-key.pem").read_text() == "another"


async def test_a_decision_that_only_the_log_has_is_said(services, run):
    """Rows that were deleted with an intact log: an older policy and an older script are back."""
    async with services.ground.pool.connection() as connection:
        await services.ground.log.sequence_pending(connection)
    async with await connect(services.ground.addresses.owner) as connection:
        await connection.execute("DELETE FROM policy_changes")
        await connection.execute("DELETE FROM policy_activations")
        cursor = await connection.execute(
            "DELETE FROM script_decisions WHERE position = (SELECT max(position) FROM"
            " script_decisions) RETURNING decision_id, script_id"
        )
        deleted = await cursor.fetchone()
    code, output = await run("audit", "check")
    assert code == 1
    assert "the log is intact, and the database is not what it says" in output
    assert re.search(r"the activation pac_\w+ of a policy is not in the database", output)
    assert f"{deleted['decision_id']} on the script {deleted['script_id']}@" in output


@pytest.mark.parametrize("width", [40, 80])
async def test_a_narrow_terminal_cuts_no_identifier(services, run, monkeypatch, width):
    await enrol(services, "dev-1")
    incident_id = await open_ticket(services, "the disk " * 20, HOSTILE, device_id="dev-1")
    monkeypatch.setattr(console, "width", width)
    code, output = await run("incident", "list")
    assert (code, incident_id in output) == (0, True)
    code, output = await run("audit", "list", "--limit", "3")
    assert (code, incident_id in output) == (0, True)
    code, output = await run("config")
    assert (code, "EUCORA_LANGUAGE_MODEL_TIMEOUT_SECONDS" in output) == (0, True)


async def test_who_is_to_decide_is_an_account_that_exists(services, run):
    async with services.ground.pool.connection() as connection:
        for name in ("erik", "gone"):
            await services.ground.accounts.create(
                connection, username=name, password="a long enough password",
                roles=frozenset({Role.SECURITY_REVIEWER}), actor="user:admin",
                correlation_id="cor_1",
            )  # fmt: skip
        await connection.execute("UPDATE accounts SET disabled_at = now() WHERE username = 'gone'")
    code, output = await run("account", "list")
    (row,) = [line.split("│") for line in output.splitlines() if "gone" in line]
    assert (code, [cell.strip() for cell in row[1:4]]) == (0, ["gone", "security reviewer", "disabled"])  # noqa: E501  # fmt: skip
    asked = ("privacy", "erase", "somebody", "--reason", "asked for it")
    for name, told in (
        ("[/]ghost", "there is no account [/]ghost; eucora account list has all of them"),
        ("gone", "the account gone is disabled"),
    ):
        code, output = await run(*asked, "--as", name)
        assert (code, told in output, "role" in output.replace("their roles", "")) == (1, True, False)  # noqa: E501  # fmt: skip
    rows = await query(
        services,
        "SELECT actor, after FROM audit_events WHERE action = 'account.decision_refused'"
        " ORDER BY position",
    )
    assert [(row["actor"], row["after"]["refusal"]) for row in rows] == [
        ("cli:[/]ghost", "account_unknown"), ("cli:gone", "account_disabled"),
    ]  # fmt: skip


async def test_accounts_and_tokens_are_made_and_audited(services, run):
    code, token = await run("account", "enrolment-token", "--actor", "dora")
    assert (code, len(token.strip()) > 30) == (0, True)
    words = ("account", "service-token", "monitoring", "--scope", "telemetry", "--actor", "dora")
    code, token = await run(*words)
    assert (code, len(token.strip()) > 30) == (0, True)
    assert (await run("account", "service-token", "x", "--scope", "root"))[0] == 2
    assert (await run("account", "service-token", "[/]", "--scope", "read"))[0] == 1
    assert (await run("account", "reset", "nobody"))[0] == 1
    async with services.ground.pool.connection() as connection:
        await services.ground.accounts.create(
            connection, username="erik", password="a long enough password",
            roles=frozenset({Role.HELPDESK}), actor="user:admin", correlation_id="cor_1",
        )  # fmt: skip
    code, output = await run("account", "reset", "erik", "--actor", "dora")
    assert (code, "new password of erik: " in output) == (0, True)
    events = await query(
        services, "SELECT action FROM audit_events WHERE actor = 'cli:dora' ORDER BY occurred_at"
    )
    assert [event["action"] for event in events] == [
        "enrolment_token.created", "service_token.created", "account.password_changed",
    ]  # fmt: skip

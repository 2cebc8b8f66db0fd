# SPDX-License-Identifier: Apache-2.0
"""Scripts at the command line: checked without an installation, imported, decided on, exported."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from api.ground import Ground
from evidence.verification import verify_case
from retrieval.embedding import FOLDER_NAME
from retrieval.manifest import read_entry
from tests.portal.script_folders import SCRIPT_ID, STEPS, write_folder
from tests.stack.prepared import find_exported

PASSWORD = "a long enough password"


async def run(*words: object) -> tuple[int, str]:
    ended = await asyncio.to_thread(CliRunner().invoke, app, ["scripts", *map(str, words)])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


async def test_a_folder_is_checked_and_its_declaration_written(tmp_path, monkeypatch):
    monkeypatch.setattr(console, "width", 300)
    folder = write_folder(tmp_path)
    code, output = await run("check", folder)
    assert code == 0
    assert "deletes_files" in output
    assert output.splitlines()[-1] == f"{SCRIPT_ID} can be imported"
    for file in (folder / "manifest.yaml", folder / "remediate.sh"):
        assert await run("check", file) == (0, output)
    (folder / "notes.txt").write_text("no script")
    code, refused = await run("check", folder / "notes.txt")
    assert (code, "is no file of a script" in " ".join(refused.split())) == (2, True), refused
    steps = {"verify": STEPS["verify"] + "unused=1\nsystemctl restart cron.service\n"}
    write_folder(tmp_path, steps)
    manifest = (folder / "manifest.yaml").read_text()
    code, output = await run("check", folder)
    assert code == 1
    assert "verify, line 5: 'systemctl restart cron.service' changes_services" in output
    assert "  verify:\n    changes_services: " in output
    assert "verify, line 4: warning SC2034" in output
    last = output[output.rindex(f"{SCRIPT_ID} cannot be imported: ") :]
    assert "verify, line 5: 'systemctl restart cron.service' changes_services" in last
    assert (folder / "manifest.yaml").read_text() == manifest
    assert (await run("check", "--declare", folder))[0] == 0
    assert "changes_services" in read_entry(folder).manifest.effects["verify"]
    (folder / "manifest.yaml").write_text(f"# by hand\n{manifest}")
    code, output = await run("check", "--declare", "--json", folder)
    assert (code, json.loads(output)[0]["fault"]) == (0, "")
    assert (folder / "manifest.yaml").read_text().startswith("# by hand\n")
    elsewhere = (folder / "manifest.yaml").rename(tmp_path / "elsewhere.yaml")
    elsewhere.write_text(manifest)
    (folder / "manifest.yaml").symlink_to(elsewhere)
    code, output = await run("check", "--declare", folder)
    assert (code, "manifest.yaml is a link" in " ".join(output.split())) == (1, True), output
    assert elsewhere.read_text() == manifest
    elsewhere.rename(folder / "manifest.yaml")
    (folder / "verify.sh").unlink()
    code, output = await run("check", folder)
    assert (code, output) == (1, f"{SCRIPT_ID} cannot be imported: missing verify.sh\n")
    other = write_folder(tmp_path, id="linux-other")
    code, output = await run("check", folder, other)
    assert (code, output.splitlines()[-1]) == (1, "1 of 2 scripts can be imported")
    code, output = await run("check", "--json", folder, other)
    assert (code, [one["fault"] == "" for one in json.loads(output)]) == (1, [False, True])


async def test_what_does_not_parse_is_said_with_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(console, "width", 300)
    steps = {"detect": "#!/usr/bin/env bash\nset -e\nif true; then )\n"}
    code, output = await run("check", write_folder(tmp_path, steps))
    assert code == 0, output
    assert "a security reviewer must approve it" in output
    assert "warning: detect, line 3: does not parse, from column 1 on" in output
    python = dict.fromkeys(("detect", "remediate", "verify"), "x = 1\n")
    folder = write_folder(tmp_path, id="linux-python", interpreter="python", effects={})
    for step, text in {**python, "remediate": "x = (1,\ny = )\n"}.items():
        (folder / f"{step}.py").write_text(text)
    code, output = await run("check", folder)
    assert code == 0, output
    assert "warning: remediate, line 2: does not parse, at column " in output


@pytest.fixture
async def people(services, monkeypatch, tmp_path):
    """Accounts, and the commands on the database of `services`."""
    ground = services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setenv("EUCORA_MLRUNS_DIR", str(tmp_path / "mlruns"))
    monkeypatch.setattr(console, "width", 300)
    (ground.settings.data_dir / FOLDER_NAME).symlink_to(find_exported())
    async with ground.pool.connection() as connection:
        for name, roles in (("grace", {Role.APPROVER}), ("ivan", {Role.APPROVER}),
                            ("henry", {Role.HELPDESK})):  # fmt: skip
            await ground.accounts.create(
                connection, username=name, password=PASSWORD, roles=frozenset(roles),
                actor="user:admin", correlation_id="cor_1",
            )  # fmt: skip


@pytest.mark.usefixtures("people")
async def test_a_version_from_import_to_retirement(services, tmp_path):
    folder = write_folder(tmp_path)
    code, output = await run("import", folder, "--actor", "ivan")
    assert code == 0, output
    sha256 = read_entry(folder).content_sha256
    assert sha256 in output
    key = (SCRIPT_ID, "1.0.0")
    for who, words in (
        ("ivan", "whoever imported a script"), ("henry", "needs the role"),
        ("nobody", "there is no account nobody; eucora account list"),
    ):  # fmt: skip
        code, output = await run("approve", *key, "--as", who, "--digest", sha256)
        assert (code, words in output) == (1, True), output
    code, output = await run("approve", *key, "--as", "grace", "--digest", "0" * 64)
    assert (code, "not that of this version" in output) == (1, True)
    assert sha256 in output, "and which it has"
    code, output = await run("approve", *key, "--as", "grace", "--digest", sha256)
    assert code == 0, output
    code, output = await run("show", SCRIPT_ID, "--code")
    assert code == 0
    assert "<- deletes_files" in output
    assert "disk_used_percent_max < 90 within 600 s" in output
    assert "60 s a step" in output
    (decision,) = [word for word in output.split() if word.startswith("scd_")]
    code, output = await run("export", decision, tmp_path / "case.json")
    assert (code, f"eucora verify {tmp_path / 'case.json'}" in output) == (0, True), output
    assert verify_case((tmp_path / "case.json").read_bytes()).passed
    code, output = await run("list", "--json")
    states = {(one["script"], one["version"]): one["state"] for one in json.loads(output)}
    assert states[key] == "active"
    assert (await run("retire", *key, "--as", "ivan", "--reason", "it harms"))[0] == 0
    async with services.ground.pool.connection() as connection:
        await connection.execute("UPDATE scripts SET author = 'x' WHERE script_id = %s", key[:1])
    code, output = await run("show", *key)
    assert (code, "not as it was signed" in output) == (1, True)
    again = ("--rollback", "--reason", "again", "--digest", sha256)
    code, output = await run("approve", *key, "--as", "grace", *again)
    assert (code, "differs from its signed entry in author" in output) == (1, True)


@pytest.mark.usefixtures("people")
async def test_a_refused_decision_is_refused_before_its_reason_is_masked(
    services, tmp_path, monkeypatch
):
    """What masks takes seconds to load; the refusal is audited once, without the reason."""
    folder = write_folder(tmp_path)
    assert (await run("import", folder, "--actor", "ivan"))[0] == 0

    async def mask_text(_ground, _text, _known=None):
        raise AssertionError("it is not needed")

    monkeypatch.setattr(Ground, "mask_text", mask_text)
    key, sha256 = (SCRIPT_ID, "1.0.0"), read_entry(folder).content_sha256
    words = ("--digest", sha256, "--reason", "ada@example.org asked")
    code, output = await run("approve", *key, "--as", "henry", *words)
    assert (code, "needs the role" in output) == (1, True), output
    async with services.ground.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT actor, after FROM audit_events WHERE action = 'script.decision_refused'"
        )
        (event,) = await cursor.fetchall()
    assert event["actor"] == "cli:henry"
    assert "ada" not in json.dumps(event["after"])


@pytest.mark.usefixtures("people")
async def test_a_refused_import_is_audited_without_names(services, tmp_path):
    steps = {"verify": STEPS["verify"] + "systemctl restart ada@example.org.service\n"}
    code, output = await run("import", write_folder(tmp_path, steps), "--actor", "ivan")
    assert (code, "changes_services" in output) == (1, True), output
    async with services.ground.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT actor, after FROM audit_events WHERE action = 'script.import_refused'"
        )
        (event,) = await cursor.fetchall()
    assert event["actor"] == "cli:ivan"
    assert "changes_services" in event["after"]["detail"]
    assert "ada@example.org" not in event["after"]["detail"]

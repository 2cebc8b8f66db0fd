# SPDX-License-Identifier: Apache-2.0
"""Search and labels at the command line: what was found and why, a verdict for every line."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli_ground import console
from retrieval.embedding import FOLDER_NAME
from tests.stack.prepared import find_exported

TICKET = "no space left on device, says jane.doe@example.org"


@pytest.fixture
def run(services, monkeypatch):
    ground = services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setattr(console, "width", 300)
    (ground.settings.data_dir / FOLDER_NAME).symlink_to(find_exported())

    async def run_command(*words: str) -> tuple[int, str]:
        ended = await asyncio.to_thread(CliRunner().invoke, app, ("kb", *words))
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    return run_command


async def test_a_search_is_filtered_and_explained(run):
    code, output = await run("search", TICKET, "--platform", "linux", "--limit", "3")
    assert (code, "linux-disk-full@" in output) == (0, True), output
    code, output = await run("search", TICKET, "--kind", "script", "--json")
    found = json.loads(output)
    assert {passage["kind"] for passage in found["passages"]} == {"script"}
    assert "jane.doe" not in output
    code, output = await run("search", f"{TICKET} 0x80070070", "--explain")
    assert code == 0
    assert "understood: no space left on device" in output
    assert "exact signals: 0x80070070" in output
    assert "path: every passage that the filters leave was compared" in output
    assert "Meaning of the passage" in output
    assert "keywords cover" in output
    assert not any(jargon in output for jargon in ("BM25", "window(s)", "votes"))
    code, output = await run("search", "disk", "--trust", "external")
    assert (code, "nothing passes the filters" in output) == (0, True)
    assert (await run("search", " "))[0] == 2
    assert (await run("search", "disk", "--kind", "poem"))[0] == 2


async def test_a_search_says_what_it_has_not_found(run):
    code, output = await run("search", "no space left on device 0x80070bc9")
    assert (code, "no document found names 0x80070bc9" in output) == (0, True), output
    assert "nothing close was found" not in output
    assert (
        "no document found names 0x80070bc9"
        in (await run("search", "no space left on device 0x80070bc9", "--explain"))[1]
    )
    found = json.loads((await run("search", "no space left 0x80070bc9 KB5034441", "--json"))[1])
    assert "code:0x80070bc9" in found["missing_signals"]
    assert found["far"] is False

    far = "the sonata was composed in the spring of the queen's coronation"
    for words in ((far,), (far, "--explain")):
        code, output = await run("search", *words)
        assert (code, "nothing close was found" in output) == (0, True), output
    assert json.loads((await run("search", far, "--json"))[1])["far"] is True


async def test_a_document_is_shown_once_and_says_that_it_is_flagged(services, run):
    async with services.ground.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO document_flags (flag_id, document_id, kind, detail, raised_at)"
            " VALUES ('flg_1', 'linux-disk-full', 'dominance', '{}', now())"
        )
    code, output = await run("search", TICKET, "--limit", "4")
    assert code == 0, output
    assert output.count("linux-disk-full@") == 1
    assert "+1" in output
    (line,) = [line for line in output.splitlines() if "linux-disk-full@" in line]
    assert "first in unusually many searches" in line
    assert output.count("first in unusually many searches") == 1
    found = json.loads((await run("search", TICKET, "--limit", "4", "--json"))[1])
    assert len({passage["document_id"] for passage in found["passages"]}) == 4
    assert {
        passage["document_id"]: passage["flags"] for passage in found["passages"]
        if passage["flags"]
    } == {"linux-disk-full": ["dominance"]}  # fmt: skip
    code, output = await run("search", TICKET, "--explain")
    assert output.count("flagged:") == 1

    bars = {
        abs(float(line.split()[-2])): line.count("█")
        for line in output.splitlines() if line.endswith("█")
    }  # fmt: skip
    assert max(bars.values()) == bars[max(bars)] == 20
    assert all(bars[amount] == max(round(20 * amount / max(bars)), 1) for amount in bars)


async def test_labels_are_imported_with_a_verdict_for_each_line(services, run, tmp_path):
    table = tmp_path / "past.csv"
    table.write_text(
        f'text,document_id,label\n"{TICKET}\nsecond line",linux-disk-full,\n'
        f'"{TICKET}",linux-disk-full,helped\n"{TICKET}",linux-disk-full,did_not_help\n'
        "x,nothing,helped\ny,linux-disk-full,perhaps\n,linux-disk-full,helped\nz\n"
    )
    code, output = await run("labels", "import", str(table), "--json", "--actor", "dora")
    assert code == 3, output
    assert json.loads(output) == {
        "stored": 2,
        "lines": [
            {"line": 2, "verdict": "stored"},
            {"line": 4, "verdict": "repeated"},
            {"line": 5, "verdict": "stored"},
            {"line": 6, "verdict": "unknown_document"},
            {"line": 7, "verdict": "unknown_label"},
            {"line": 8, "verdict": "no_text"},
            {"line": 9, "verdict": "no_text_or_document"},
        ],
    }
    lines = tmp_path / "past.jsonl"
    good = {"text": "the disk is full", "document_id": "linux-disk-full"}
    lines.write_text(f"{json.dumps(good)}\n\n[1]\nnot json\n{json.dumps({'text': 1})}\n")
    code, output = await run("labels", "import", str(lines))
    assert (code, "1 of 4 labels were stored" in output) == (3, True), output
    assert output.count("not_an_object") == 2

    code, output = await run("labels", "count", "--json")
    counted = {(row["origin"], row["label"]): row["n_labels"] for row in json.loads(output)}
    assert counted == {("import", "helped"): 2, ("import", "did_not_help"): 1}
    code, output = await run("labels", "list", "--document", "linux-disk-full")
    assert (code, output.count("linux-disk-full")) == (0, 3)
    assert "jane.doe" not in output
    assert (
        "helped with"
        in (await run("search", "the disk is full", "--explain", "--platform", "linux"))[1]
    )

    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"text,document_id\n\xff,x\n")
    assert (await run("labels", "import", str(broken)))[0] == 1
    broken.write_text("ticket,article\na,b\n")
    assert (await run("labels", "import", str(broken)))[0] == 1
    assert (await run("labels", "import", str(tmp_path / "x.txt")))[0] == 1
    assert (await run("labels", "import", str(tmp_path / "absent.csv")))[0] == 1

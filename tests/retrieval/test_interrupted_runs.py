# SPDX-License-Identifier: Apache-2.0
"""Runs that break off, or meet another one: nothing is lost, taken twice, or kept from people."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import zipfile
from urllib.parse import urlsplit

import pytest

from api.knowledge_ingestion import open_knowledge
from kernel.rolepasswords import Role
from kernel.settings import Settings
from retrieval.embedding import FOLDER_NAME
from retrieval.ingestion_errors import ScreenUnavailableError, SourceBusyError
from tests.retrieval.bringing import current_paths, ingest, rows, verdicts
from tests.stack.clamd import MARKER, open_clamd
from tests.stack.prepared import RUNTIME, find_exported

PROGRAM = """\
import sys
from api.cli import app
sys.exit(app(sys.argv[1:], prog_name="eucora"))
"""


async def test_a_scanner_that_ends_ends_the_run(ground, pool, embedder, folder):
    with open_clamd() as mortal:
        ground.settings = Settings(data_dir=ground.settings.data_dir, clamd=mortal.unix)
        knowledge = open_knowledge(ground, embedder=embedder)
        await ingest(knowledge, folder)
        (folder / "third.md").write_text("# Third\n\nA third.\n")
        (folder / "net" / "okapi.md").unlink()
        store = knowledge.ingestion._screen._scanner.ping

        async def ping_and_die():
            await store()
            if mortal.process.poll() is None:
                mortal.kill()

        knowledge.ingestion._screen._scanner.ping = ping_and_die
        with pytest.raises(ScreenUnavailableError):
            await ingest(knowledge, folder)
    assert len(await current_paths(pool)) == 2  # nothing was removed either
    (run, *_) = await rows(pool, "SELECT finished_at FROM ingestion_runs ORDER BY run_id DESC")
    assert run["finished_at"] is None


async def test_two_runs_of_a_source_keep_each_other_out(knowledge, pool, folder):
    async with knowledge.ingestion._keep_out_others("help-desk"):
        with pytest.raises(SourceBusyError, match="another run of the source help-desk"):
            await ingest(knowledge, folder)
        with pytest.raises(SourceBusyError):
            await knowledge.ingestion.remove_source(
                "help-desk", actor="cli:ada", correlation_id="cor_4"
            )
        await ingest(knowledge, folder, name="other")
    await ingest(knowledge, folder)
    n_retired = await knowledge.ingestion.remove_source(
        "help-desk", actor="cli:ada", correlation_id="cor_4"
    )
    assert n_retired == 2
    assert (await ingest(knowledge, folder)).counts == {"stored": 2}


async def test_a_killed_run_goes_on_where_it_was(dsn, pool, clamd, tmp_path, postgres):
    folder, n_files = tmp_path / "many", 24
    owner = postgres.dsn(Role.OWNER, urlsplit(dsn).path[1:])
    folder.mkdir()
    for number in range(n_files):
        text = " ".join(f"w{number}x{word}" for word in range(150))
        (folder / f"{number:03}.md").write_text(f"# Article {number}\n\n{text}\n")
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / FOLDER_NAME).symlink_to(find_exported())
    environment = {
        **os.environ, "EUCORA_DATABASE_URL": owner, "EUCORA_DATA_DIR": str(data_dir),
        "EUCORA_CLAMD": clamd.unix, "HF_HUB_OFFLINE": "1", "XDG_RUNTIME_DIR": str(RUNTIME),
    }  # fmt: skip
    command = [sys.executable, "-c", PROGRAM, "kb", "ingest", str(folder), "--json"]

    def start():
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    victim = start()
    count = "SELECT count(*) AS n FROM ingested_files"
    async with asyncio.timeout(60):
        while (await rows(pool, count))[0]["n"] < 5:
            assert victim.poll() is None, victim.communicate()
            await asyncio.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    n_done = (await rows(pool, count))[0]["n"]
    assert 5 <= n_done < n_files
    assert len(await current_paths(pool)) == n_done

    again = start()
    output, complaints = await asyncio.to_thread(again.communicate)
    assert again.returncode == 0, complaints
    counts = json.loads(output)["counts"]
    assert counts == {"unchanged": n_done, "stored": n_files - n_done}
    assert len(await current_paths(pool)) == n_files
    unfinished = await rows(pool, "SELECT 1 FROM ingestion_runs WHERE finished_at IS NULL")
    assert len(unfinished) == 1


class PowerCutError(Exception):
    """Stands for what ends a run half-way."""


@pytest.fixture
def cut_short(knowledge, monkeypatch):
    """Run into a folder until all files are looked at, and break off before the end."""

    async def run(folder):
        async def break_off(*_):
            raise PowerCutError

        with monkeypatch.context() as broken:
            broken.setattr(knowledge.ingestion, "_finish", break_off)
            with pytest.raises(PowerCutError):
                await ingest(knowledge, folder)

    return run


async def test_what_a_run_refused_that_broke_off_is_news_to_the_next_and_to_no_other(
    knowledge, pool, folder, cut_short
):
    (folder / "empty.md").write_bytes(b" ")
    (folder / "virus.md").write_bytes(MARKER)
    with zipfile.ZipFile(folder / "mixed.zip", "w") as archive:
        archive.writestr("numbat.md", "# Numbat\n\nA numbat.")
        archive.writestr("x.exe", b"MZ\x00\x01")
    for _ in range(2):  # the second knows what the first recorded, and tells nobody either
        await cut_short(folder)
    assert (await verdicts(pool, "help-desk"))["empty.md"] == ("rejected", "empty")
    # That another file is taken out meanwhile tells nobody of these.
    await knowledge.ingestion.remove_file(
        "help-desk", "zebra.md", actor="cli:ada", correlation_id="cor_5"
    )
    dry = await ingest(knowledge, folder, dry=True)
    first = await ingest(knowledge, folder)
    for report in (dry, first):
        assert report.n_newly_refused == 2
        told = [each.path for each in report.remarks]
        assert (told, report.still_refused) == (["empty.md", "mixed.zip", "virus.md"], ())
    assert first.counts == {"rejected": 1, "quarantined": 1, "stored": 1, "unchanged": 2}
    second = await ingest(knowledge, folder)
    assert (second.n_newly_refused, second.remarks) == (0, ())
    assert [each.path for each in second.still_refused] == ["empty.md", "virus.md"]

# SPDX-License-Identifier: Apache-2.0
"""Folders become documents: each file gets its verdict, and nothing is ever half taken."""

import json
import os
import zipfile
from io import BytesIO
from pathlib import Path

import fpdf
import pytest

from api.knowledge_ingestion import open_knowledge
from guardrails.errors import ScannerTimeoutError
from kernel.settings import CLAMD_OFF, Settings
from retrieval.ingestion_errors import (
    EmptySourceError,
    IngestionError,
    LocationError,
    ScreenUnavailableError,
    SourceConflictError,
    SourceNameError,
)
from retrieval.sources import SourceTerms, Trust
from tests.retrieval.bringing import OKAPI, ZEBRA, current_paths, ingest, rows, search, verdicts
from tests.stack.clamd import MARKER, SIGNATURE

LIMIT = 50 * 1024 * 1024


def pdf_of(text, password=None):
    document = fpdf.FPDF()
    document.add_page()
    document.set_font("helvetica", size=12)
    document.multi_cell(0, 8, text)
    if password:
        document.set_encryption(owner_password=password, user_password=password)
    return bytes(document.output())


def zip_of(members):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def bad_batch(folder):
    """The folder with two good articles, amid all that is wrong with files."""
    (folder / "locked.pdf").write_bytes(pdf_of("secret", password="x"))
    (folder / "broken.pdf").write_bytes(pdf_of("A pdf that will break")[:-700])
    (folder / "bomb.zip").write_bytes(zip_of({"a.txt": b"0" * 30_000_000}))
    (folder / "bomblet.zip").write_bytes(zip_of({"a.txt": b"0" * 1_500_000}))  # which clamd takes
    with (folder / "huge.md").open("wb") as file:
        file.truncate(LIMIT + 1)
    (folder / "latin.md").write_bytes(b"# caf\xe9 \x81\x8d\x00\x9d " + bytes(range(128, 160)) * 9)
    (folder / "empty.md").write_bytes(b"")
    (folder / "tool.exe").write_bytes(b"MZ\x90\x00" + bytes(range(256)) * 4)
    (folder / "virus.md").write_bytes(b"# A nice article\n\n" + MARKER)
    os.mkfifo(folder / "pipe.md")
    (folder / ".hidden.md").write_text(ZEBRA)
    (folder / "link.md").symlink_to("/etc/passwd")
    (folder / "script").mkdir()
    (folder / "script" / "manifest.yaml").write_text("id: x\n")
    (folder / "script" / "remediate.sh").write_text("rm -rf /\n")
    (folder / "printed.pdf").write_bytes(pdf_of("The quokka scanner jams. Open the lower tray."))
    mixed = {"numbat.md": "# Numbat\n\nA numbat.", "x.exe": b"MZ\x00\x01"}
    (folder / "mixed.zip").write_bytes(zip_of(mixed))
    return folder


async def test_each_file_of_a_bad_batch_gets_its_verdict(knowledge, pool, bad_batch):
    report = await ingest(knowledge, bad_batch)
    assert report.source.source_id == "help-desk"
    assert await verdicts(pool, "help-desk") == {
        "bomb.zip": ("rejected", "unscanned"),
        "broken.pdf": ("rejected", "broken"),
        "bomblet.zip": ("rejected", "archive_bomb"),
        "empty.md": ("rejected", "empty"),
        "huge.md": ("rejected", "oversize"),
        "latin.md": ("rejected", "encoding"),
        "locked.pdf": ("rejected", "encrypted"),
        "mixed.zip": ("stored", "partly"),
        "net/okapi.md": ("stored", ""),
        "printed.pdf": ("stored", ""),
        "script/": ("rejected", "script_folder"),
        "tool.exe": ("rejected", "unknown_format"),
        "virus.md": ("quarantined", "infected"),
        "zebra.md": ("stored", ""),
    }
    assert report.counts == {"rejected": 9, "stored": 4, "quarantined": 1}
    assert report.n_newly_refused == 10
    assert all(each.detail for each in report.remarks)
    (held,) = await rows(pool, "SELECT signature, actor FROM quarantined_files")
    assert held == {"signature": SIGNATURE, "actor": "cli:ada"}
    stored = await rows(pool, "SELECT engine FROM ingested_files WHERE verdict = 'stored'")
    assert all(row["engine"].startswith("ClamAV ") for row in stored)


async def test_the_good_files_of_a_bad_batch_are_found(knowledge, pool, bad_batch, embedder):
    await ingest(knowledge, bad_batch)
    for query, path in (("quokka scanner jams", "printed.pdf"), ("blank labels", "zebra.md")):
        (first, *_) = await search(knowledge, embedder, query)
        (document,) = await rows(
            pool, "SELECT path, trust FROM documents WHERE document_id = %s", first.document_id
        )
        assert document == {"path": path, "trust": "external"}
        assert "/" not in first.document_id


async def test_people_are_told_once_of_a_bad_batch(knowledge, pool, bad_batch):
    await ingest(knowledge, bad_batch)
    again = await ingest(knowledge, bad_batch)
    assert (again.n_newly_refused, len(again.still_refused)) == (0, 10)
    assert again.counts == {"rejected": 9, "unchanged": 4, "quarantined": 1}
    assert again.remarks == ()
    again = await ingest(knowledge, bad_batch, dry=True)
    assert (again.n_newly_refused, len(again.still_refused)) == (0, 10)
    orphans = await rows(
        pool, "SELECT 1 FROM chunks WHERE document_id NOT IN (SELECT document_id FROM documents)"
    )
    assert orphans == []


async def test_a_second_run_takes_only_what_changed_and_removes_what_vanished(
    knowledge, pool, folder
):
    (folder / "empty.md").write_bytes(b" ")
    await ingest(knowledge, folder, trust=Trust.INTERNAL)
    scans = []
    scan = knowledge.ingestion._screen._scanner.scan

    async def count(content):
        scans.append(content)
        return await scan(content)

    knowledge.ingestion._screen._scanner.scan = count
    report = await ingest(knowledge, folder)
    assert report.counts == {"unchanged": 2, "rejected": 1}
    assert scans == []
    assert report.source.trust is Trust.INTERNAL

    (folder / "zebra.md").write_text(ZEBRA + "\nMore.\n")
    (folder / "net" / "okapi.md").rename(folder / "okapi.md")
    (folder / "empty.md").unlink()
    report = await ingest(knowledge, folder, keep_missing=True)
    assert report.counts == {"stored": 2}
    assert await current_paths(pool) == ["net/okapi.md", "okapi.md", "zebra.md"]
    report = await ingest(knowledge, folder)
    assert report.counts == {"unchanged": 2, "removed": 2}
    assert await current_paths(pool) == ["okapi.md", "zebra.md"]
    assert (await ingest(knowledge, folder)).counts == {"unchanged": 2}

    # What a source says of its documents reaches them all, though no file has changed.
    report = await ingest(knowledge, folder, groups=("desk",))
    assert report.counts == {"stored": 2}
    found = await rows(
        pool, "SELECT DISTINCT access_groups FROM documents WHERE retired_at IS NULL"
    )
    assert [row["access_groups"] for row in found] == [["desk"]]
    (run, *_) = await rows(
        pool, "SELECT finished_at, counts FROM ingestion_runs ORDER BY run_id DESC LIMIT 1"
    )
    assert (run["finished_at"] is not None, run["counts"]) == (True, {"stored": 2})


async def test_nothing_is_removed_on_doubt(knowledge, pool, folder, tmp_path):
    await ingest(knowledge, folder)
    away = tmp_path / "away"
    folder.rename(away)
    with pytest.raises(LocationError, match="no such file or folder"):
        await ingest(knowledge, folder)
    folder.mkdir()
    with pytest.raises(EmptySourceError, match="--allow-empty"):
        await ingest(knowledge, folder)
    assert len(await current_paths(pool)) == 2
    with pytest.raises(SourceConflictError, match="--moved"):
        await ingest(knowledge, away, name="help-desk")
    assert (await ingest(knowledge, away, name="help-desk", moved=True)).counts == {"unchanged": 2}
    with pytest.raises(SourceConflictError, match="of the kind folder"):
        await ingest(knowledge, away / "zebra.md", name="help-desk")
    for name in ("Bad Name", "starter", "x" * 41, "../x"):
        with pytest.raises(SourceNameError):
            await ingest(knowledge, away, name=name)
    with pytest.raises(IngestionError, match="internal or external"):
        await ingest(knowledge, away, name="new", trust=Trust.STARTER)
    report = await ingest(knowledge, folder, name="help-desk", allow_empty=True, moved=True)
    assert report.counts == {"removed": 2}
    assert await current_paths(pool) == []


async def test_a_folder_that_cannot_be_listed_keeps_its_documents(
    knowledge, pool, folder, monkeypatch
):
    await ingest(knowledge, folder)
    (folder / "zebra.md").unlink()
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "net":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = await ingest(knowledge, folder)
    assert (report.is_complete, report.counts) == (False, {"rejected": 1})
    assert "cannot be listed" in report.remarks[0].detail
    assert len(await current_paths(pool)) == 2


async def test_a_dry_run_leaves_nothing(knowledge, pool, folder):
    (folder / "virus.md").write_bytes(MARKER)
    report = await ingest(knowledge, folder, dry=True)
    assert report.counts == {"stored": 2, "quarantined": 1}
    tables = ("document_sources", "documents", "ingested_files", "quarantined_files",
              "ingestion_runs", "audit_events")  # fmt: skip
    for table in tables:
        assert await rows(pool, f"SELECT 1 FROM {table} LIMIT 1") == [], table


async def test_a_file_that_turns_bad_keeps_its_good_version_unless_infected(
    knowledge, pool, folder
):
    await ingest(knowledge, folder)
    (folder / "zebra.md").write_bytes(b" ")
    assert (await ingest(knowledge, folder)).counts == {"rejected": 1, "unchanged": 1}
    assert len(await current_paths(pool)) == 2
    (folder / "zebra.md").write_bytes(MARKER)
    assert (await ingest(knowledge, folder)).counts == {"quarantined": 1, "unchanged": 1}
    assert await current_paths(pool) == ["net/okapi.md"]


def break_scanner(knowledge, monkeypatch):
    """Make every scan time out: a fault that says nothing about a file."""

    async def time_out(_content):
        raise ScannerTimeoutError

    monkeypatch.setattr(knowledge.ingestion._screen._scanner, "scan", time_out)


async def test_a_fault_in_the_first_run_of_a_newer_program_takes_nothing_out_of_search(
    knowledge, pool, folder, monkeypatch
):
    await ingest(knowledge, folder, groups=("desk",))
    monkeypatch.setattr("retrieval.file_intake.RECIPE", "parsing-99 chunking-99")
    with monkeypatch.context() as broken:
        break_scanner(knowledge, broken)
        assert (await ingest(knowledge, folder)).counts == {"rejected": 2}
    assert await current_paths(pool) == ["net/okapi.md", "zebra.md"]
    assert (await ingest(knowledge, folder)).counts == {"stored": 2}


async def test_a_refused_file_leaves_search_when_its_sources_terms_have_changed(
    knowledge, pool, folder, monkeypatch
):
    await ingest(knowledge, folder)
    break_scanner(knowledge, monkeypatch)
    assert (await ingest(knowledge, folder, groups=("desk",))).counts == {"rejected": 2}
    assert await current_paths(pool) == []


async def test_a_refused_first_upload_is_found_by_who_sent_it_and_can_be_removed(knowledge, pool):
    async def upload(content, source="mine"):
        return await knowledge.ingestion.ingest_upload(
            source, "note.md", content, terms=SourceTerms(), actor="user:ada",
            correlation_id="cor_test",
        )  # fmt: skip

    async def overviews():
        async with pool.connection() as connection:
            return {
                each.source.source_id: (each.n_documents, each.n_rejected, each.n_held)
                for each in await knowledge.sources.list_all(connection)
            }

    assert (await upload(b" ")).is_refused
    assert (await upload(MARKER, "theirs")).is_refused
    assert await overviews() == {"mine": (0, 1, 0), "theirs": (0, 0, 1)}
    n_retired = await knowledge.ingestion.remove_source(
        "mine", actor="user:ada", correlation_id="cor_test"
    )
    assert n_retired == 0
    await knowledge.ingestion.remove_file(
        "theirs", "note.md", actor="user:ada", correlation_id="cor_test"
    )
    assert await overviews() == {}
    async with pool.connection() as connection:
        assert (await knowledge.sources.describe(connection, "mine")).n_refused == 0
    await upload(ZEBRA.encode())
    assert await overviews() == {"mine": (1, 0, 0)}


async def test_the_same_bytes_are_held_in_each_of_their_sources(knowledge, pool, folder, tmp_path):
    (folder / "virus.md").write_bytes(MARKER)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "renamed.md").write_bytes(MARKER)
    for path in (folder, tmp_path / "other"):
        assert (await ingest(knowledge, path)).n_newly_refused == 1
    assert (await verdicts(pool, "other"))["renamed.md"] == ("quarantined", "infected")
    async with pool.connection() as connection:
        (held,) = await knowledge.quarantine.list_held(connection)
        holders = await knowledge.files.list_holders(connection, [held.sha256, "0" * 64])
    assert holders == {held.sha256: ("help-desk", "other")}


async def test_an_export_that_loses_an_article_retires_it(knowledge, pool, tmp_path):
    def write(*numbers):
        articles = [
            {"sys_id": str(n), "number": f"KB{n}", "short_description": f"Article {n} on {n}",
             "text": f"<p>The animal number {n} eats {n} apples.</p>"}
            for n in numbers
        ]  # fmt: skip
        export.write_text(json.dumps({"result": articles}))

    export = tmp_path / "kb.json"
    write(1, 2, 3)
    report = await ingest(knowledge, export)
    assert (report.counts, report.n_documents) == ({"stored": 1}, 3)
    before = {row["document_id"] for row in await rows(pool, "SELECT document_id FROM documents")}
    write(1, 3)
    report = await ingest(knowledge, export)
    assert report.n_documents == 2
    found = await rows(pool, "SELECT document_id FROM documents WHERE retired_at IS NULL")
    assert {row["document_id"] for row in found} < before
    # A second file of such a source is added; nothing vanishes.
    other = tmp_path / "more.md"
    other.write_text(OKAPI)
    await ingest(knowledge, other, name="kb-json")
    assert len(await current_paths(pool)) == 3


async def test_without_a_scanner_nothing_is_read(ground, pool, embedder, folder, tmp_path, clamd):
    def settings_with(address):
        return Settings(data_dir=tmp_path / "data", clamd=address)

    ground.settings = settings_with(f"unix:{tmp_path}/none.ctl")
    with pytest.raises(ScreenUnavailableError, match="clamav-daemon"):
        await ingest(open_knowledge(ground, embedder=embedder), folder)
    assert await rows(pool, "SELECT 1 FROM document_sources") == []
    ground.settings = settings_with(CLAMD_OFF)
    await ingest(open_knowledge(ground, embedder=embedder), folder)
    found = await rows(pool, "SELECT DISTINCT engine FROM ingested_files")
    assert [row["engine"] for row in found] == ["none"]
    # With a scanner, what nothing looked at is taken anew.
    ground.settings = settings_with(clamd.unix)
    await ingest(open_knowledge(ground, embedder=embedder), folder)
    found = await rows(pool, "SELECT DISTINCT engine FROM ingested_files")
    assert [row["engine"].partition(" ")[0] for row in found] == ["ClamAV"]
    report = await ingest(open_knowledge(ground, embedder=embedder), folder)
    assert report.counts == {"unchanged": 2}


async def test_a_file_that_the_scanner_refuses_is_not_taken(knowledge, pool, folder):
    (folder / "large.md").write_text("# Large\n\n" + "many words " * 300_000)  # above its limit
    report = await ingest(knowledge, folder)
    assert report.counts == {"stored": 2, "rejected": 1}
    assert (await verdicts(pool, "help-desk"))["large.md"] == ("rejected", "unscanned")

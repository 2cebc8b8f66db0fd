# SPDX-License-Identifier: Apache-2.0
"""What a person took out of search stays out, and nothing else goes with it."""

from api.knowledge_ingestion import open_knowledge
from api.preparation import load_knowledge
from retrieval.document_flags import Resolution
from retrieval.sources import Trust
from tests.retrieval.bringing import OKAPI, ZEBRA, current_paths, ingest, rows, verdicts

ARTICLE = "linux-disk-full"


async def decide(knowledge, flag_id, resolution):
    async with knowledge.ground.pool.connection() as connection:
        await knowledge.flags.resolve(
            connection, flag_id, resolution, actor="user:rita", correlation_id="cor_2"
        )


async def suspect(pool, document_id):
    """Flag a document as the watch over searches does; it knows of no words."""
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO document_flags (flag_id, document_id, kind, detail, raised_at)"
            " VALUES ('flg_won', %s, 'dominance', '{}', now())",
            [document_id],
        )
    return "flg_won"


async def test_starter_knowledge_does_not_come_back_by_itself(services):
    ground = services.ground
    knowledge = open_knowledge(ground, embedder=services.embedder)

    async def load():
        n_articles, _ = await load_knowledge(
            ground, progress=lambda *_: None, embedder=services.embedder
        )
        found = await rows(
            ground.pool,
            "SELECT document_id FROM documents WHERE retired_at IS NULL AND document_id = ANY (%s)",
            [ARTICLE, "script:linux-shrink-oversized-logs"],
        )
        return n_articles, {row["document_id"] for row in found}

    n_loaded, both = await load()
    assert (n_loaded, len(both)) == (0, 2)
    flag_id = await suspect(ground.pool, ARTICLE)
    await decide(knowledge, flag_id, Resolution.RETIRED)
    assert await load() == (0, both - {ARTICLE})
    await decide(knowledge, flag_id, Resolution.KEPT)
    assert await load() == (1, both)


async def test_the_twin_that_was_left_in_search_stays(knowledge, pool, folder, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "copy.md").write_text(ZEBRA)
    await ingest(knowledge, folder, trust=Trust.INTERNAL)
    await ingest(knowledge, copies, trust=Trust.INTERNAL)
    async with pool.connection() as connection:
        flag, *others = sorted(
            await knowledge.flags.list_open(connection), key=lambda one: one.document_id
        )
    assert flag.document_id.startswith("copies.")
    assert [one.document_id for one in others] == [flag.detail["other"]]
    await decide(knowledge, flag.flag_id, Resolution.RETIRED)
    (folder / "zebra.md").write_text(f"{ZEBRA}\n\n")  # other bytes, the same words
    await ingest(knowledge, folder)
    await ingest(knowledge, folder, groups=("all",))
    assert "zebra.md" in await current_paths(pool)
    await ingest(knowledge, copies, groups=("all",))
    assert await verdicts(pool, "copies") == {"copy.md": ("rejected", "retired_by_reviewer")}
    (found,) = await rows(pool, "SELECT detail FROM ingested_files WHERE source_id = 'copies'")
    assert "user:rita took these words out of search on 2026-11-02" in found["detail"]
    assert f"eucora kb flags keep {flag.flag_id}" in found["detail"]


async def test_what_vanished_before_it_was_judged_is_remembered_too(knowledge, pool, folder):
    await ingest(knowledge, folder)
    (okapi,) = await rows(pool, "SELECT document_id FROM documents WHERE path = 'net/okapi.md'")
    flag_id = await suspect(pool, okapi["document_id"])
    (folder / "net" / "okapi.md").unlink()
    await ingest(knowledge, folder)
    await decide(knowledge, flag_id, Resolution.RETIRED)
    (folder / "again.md").write_text(OKAPI)
    await ingest(knowledge, folder)
    assert (await verdicts(pool, "help-desk"))["again.md"] == ("rejected", "retired_by_reviewer")

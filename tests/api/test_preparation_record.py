# SPDX-License-Identifier: Apache-2.0
"""A start leaves preparing out only where program, libraries and knowledge are the same."""

import shutil

from api import preparation_record
from api.preparation_record import digest_sources, is_prepared, record_preparation
from guardrails.name_store import FOLDER_NAME, find_model
from tests.stack.prepared import ROOT


def test_the_digest_knows_articles_scripts_and_the_program(tmp_path, services, monkeypatch):
    knowledge = tmp_path / "knowledge"
    shutil.copytree(ROOT / "knowledge", knowledge)
    settings = services.ground.settings.model_copy(update={"knowledge_dir": knowledge})
    before = digest_sources(settings)
    assert digest_sources(settings) == before

    article = min((knowledge / "articles").iterdir())
    text = article.read_text()
    article.write_text(text.replace(".", ";", 1))  # as long as before
    assert digest_sources(settings) != before
    article.write_text(text)
    assert digest_sources(settings) == before
    article.rename(article.with_name("other.md"))
    assert digest_sources(settings) != before
    article.with_name("other.md").rename(article)

    program = tmp_path / "program"
    for name in ("api", "kernel"):
        shutil.copytree(ROOT / name, program / name)
    monkeypatch.setattr(preparation_record, "ROOT", program)
    before = digest_sources(settings)
    (program / "kernel" / "migrations" / "9999_new.sql").write_text("SELECT 1;\n")
    assert digest_sources(settings) != before


async def test_only_the_newest_sources_count_and_only_with_their_name_model(services, prepared):
    ground = services.ground
    async with ground.pool.connection() as connection:
        assert not await is_prepared(connection, ground.settings, "first")
        for sources in ("first", "second", "second"):
            await record_preparation(connection, sources, ground.clock)
            assert await is_prepared(connection, ground.settings, sources)
        assert not await is_prepared(connection, ground.settings, "first")
        model = find_model(ground.settings.data_dir / FOLDER_NAME)
        model.rename(model.with_name("gone"))
        assert not await is_prepared(connection, ground.settings, "second")
    assert find_model(prepared.data_dir / FOLDER_NAME).is_dir()  # lost in this copy alone

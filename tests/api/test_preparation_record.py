# SPDX-License-Identifier: Apache-2.0
"""A start leaves preparing out only where program, libraries and knowledge are the same."""

import shutil
import tomllib

from api import preparation_record
from api.preparation_record import (
    PACKAGES,
    digest_sources,
    is_prepared,
    record_preparation,
)
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


def test_the_program_is_every_package_but_the_agent():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert {*PACKAGES, "agent"} == set(built["targets"]["wheel"]["packages"])


async def test_only_the_newest_sources_count_and_only_with_their_name_model(services, tmp_path):
    ground = services.ground
    async with ground.pool.connection() as connection:
        assert not await is_prepared(connection, ground.settings, "first")
        for sources in ("first", "second", "second"):
            await record_preparation(connection, sources, ground.clock)
            assert await is_prepared(connection, ground.settings, sources)
        assert not await is_prepared(connection, ground.settings, "first")
        elsewhere = ground.settings.model_copy(update={"data_dir": tmp_path})
        assert not await is_prepared(connection, elsewhere, "second")

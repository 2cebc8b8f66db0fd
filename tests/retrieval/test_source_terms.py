# SPDX-License-Identifier: Apache-2.0
"""Who may read a source holds for all that is in it, whatever comes in at the same time."""

import asyncio

import pytest

from retrieval.document_flags import Resolution
from retrieval.ingestion_errors import FlagMissingError, SourceConflictError, SourceMissingError
from retrieval.sources import SourceTerms, Trust
from tests.retrieval.bringing import OKAPI, ZEBRA, rows

CLOSED = SourceTerms(access_groups=("approver",))


class SlowScreen:
    """Screens one file only when it is told to, all others at once."""

    def __init__(self, screen, name):
        self._screen, self._name = screen, name
        self.reached, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def check_ready(self):
        await self._screen.check_ready()

    async def screen(self, content, *, name, **facts):
        if name == self._name:
            self.reached.set()
            await self.may_go_on.wait()
        return await self._screen.screen(content, name=name, **facts)


async def upload(knowledge, name, text, *, terms=SourceTerms(), source="desk", **more):  # noqa: B008
    return await knowledge.ingestion.ingest_upload(
        source, name, text.encode(), terms=terms, actor="user:dana", correlation_id="cor_5", **more
    )


async def list_groups(pool):
    found = await rows(pool, "SELECT path, access_groups FROM documents WHERE retired_at IS NULL")
    return {row["path"]: row["access_groups"] for row in found}


async def test_a_file_that_was_on_its_way_comes_under_the_terms_in_force(knowledge, pool):
    slow = SlowScreen(knowledge.ingestion._screen, "zebra.md")
    knowledge.ingestion._screen = slow
    on_its_way = asyncio.create_task(upload(knowledge, "zebra.md", ZEBRA))
    await slow.reached.wait()
    await upload(knowledge, "okapi.md", OKAPI, terms=CLOSED)
    slow.may_go_on.set()
    assert (await on_its_way).verdict == "stored"
    assert await list_groups(pool) == {"zebra.md": ["approver"], "okapi.md": ["approver"]}
    facets = await rows(pool, "SELECT facets FROM chunk_vectors")
    assert all("group:approver" in row["facets"] for row in facets)
    assert (await upload(knowledge, "zebra.md", ZEBRA)).verdict == "unchanged"


async def test_a_change_of_readers_is_in_the_trail(knowledge, pool):
    await upload(knowledge, "zebra.md", ZEBRA)
    await upload(knowledge, "okapi.md", OKAPI, terms=CLOSED)
    events = await rows(
        pool,
        "SELECT action, actor, before, after FROM audit_events"
        " WHERE action IN ('source.changed', 'documents.terms_changed') ORDER BY action",
    )
    documents, source = events
    assert documents["after"] == {
        "trust": "external", "access_groups": ["approver"], "n_documents": 1,
    }  # fmt: skip
    assert (source["before"]["access_groups"], documents["actor"]) == ([], "user:dana")


async def test_a_file_does_not_open_a_source_to_who_may_not_know_of_it(knowledge, pool):
    def refuse(source):
        return source.created_by == "user:somebody-else"

    await upload(knowledge, "zebra.md", ZEBRA, terms=CLOSED)
    with pytest.raises(SourceConflictError, match="take another name"):
        await upload(
            knowledge, "okapi.md", OKAPI, terms=SourceTerms(access_groups=("all",)), admits=refuse
        )
    facts = {"actor": "user:eve", "correlation_id": "cor_6", "admits": refuse}
    for remove in (
        knowledge.ingestion.remove_source("desk", **facts),
        knowledge.ingestion.remove_file("desk", "zebra.md", **facts),
    ):
        with pytest.raises(SourceMissingError):
            await remove
    async with pool.connection() as connection:
        assert await knowledge.sources.list_all(connection, admits=refuse) == ()
        (one,) = await knowledge.sources.list_all(connection)
    assert one.source.created_by == "user:dana"
    assert await list_groups(pool) == {"zebra.md": ["approver"]}


async def test_flags_are_shown_to_who_may_read_both_documents(knowledge, pool):
    await upload(
        knowledge, "zebra.md", ZEBRA, terms=SourceTerms(trust=Trust.INTERNAL), source="ours"
    )
    await upload(knowledge, "copy.md", ZEBRA.replace("six", "nine"), source="web")

    async def list_flags(groups):
        async with pool.connection() as connection:
            opened = await knowledge.flags.list_open(connection, groups=groups, limit=1)
            retired = await knowledge.flags.list_retired(connection, groups=groups, limit=1)
        return [one.flag_id for one in (*opened, *retired)]

    async def resolve(resolution, groups):
        async with pool.connection() as connection:
            await knowledge.flags.resolve(
                connection, flag_id, resolution, actor="user:rita", correlation_id="cor_7",
                groups=groups,
            )  # fmt: skip

    (flag_id,) = await list_flags(["helpdesk"])
    await upload(knowledge, "okapi.md", OKAPI, terms=CLOSED, source="ours")
    assert await list_flags(["helpdesk"]) == []
    assert await list_flags(["approver"]) == [flag_id] == await list_flags(None)
    with pytest.raises(FlagMissingError):
        await resolve(Resolution.RETIRED, ["helpdesk"])
    await resolve(Resolution.RETIRED, ["approver"])
    assert await list_flags(["helpdesk"]) == [flag_id]  # the copy was for all
    await upload(knowledge, "other.md", OKAPI, terms=CLOSED, source="web")
    assert await list_flags(["helpdesk"]) == []
    with pytest.raises(FlagMissingError):
        await resolve(Resolution.KEPT, ["helpdesk"])
    await resolve(Resolution.KEPT, ["approver"])

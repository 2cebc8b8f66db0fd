# SPDX-License-Identifier: Apache-2.0
"""A verdict on a file tells nobody of documents that they may not read."""

import pytest

from retrieval.document_flags import Resolution
from retrieval.sources import SourceTerms, Trust
from tests.retrieval.bringing import ZEBRA


async def upload(knowledge, source_id, actor, *, text=ZEBRA, groups=None, trust=Trust.EXTERNAL):
    def admits(source):
        return source.created_by == actor or not source.access_groups or actor == "user:boss"

    return await knowledge.ingestion.ingest_upload(
        source_id, "zebra.md", text.encode(),
        terms=SourceTerms(access_groups=groups, trust=trust),
        actor=actor, correlation_id="cor_1", admits=admits,
    )  # fmt: skip


@pytest.fixture
async def secret(knowledge):
    """Bring an article that only approvers and who brought it may read; return its id."""
    verdict = await upload(
        knowledge, "secret", "user:boss", groups=("approver",), trust=Trust.INTERNAL
    )
    return verdict.document_ids[0]


async def test_who_guesses_a_texts_words_is_not_told_which_document_has_them(knowledge, secret):
    guess = await upload(knowledge, "mine", "user:dora", groups=("approver",))
    assert guess.reason == "duplicate_of"
    assert "a document that you may not read" in guess.detail
    assert "secret" not in guess.detail
    assert "internal" not in guess.detail
    # Who made the source reads what others' files in it were refused for.
    assert "secret" not in (await upload(knowledge, "mine", "user:boss")).detail
    own = await upload(knowledge, "bosss", "user:boss", groups=("approver",))
    assert secret in own.detail


async def test_who_guesses_words_is_not_told_who_took_them_out(knowledge, pool, secret):
    poison = ZEBRA.replace("six seconds", "nine seconds")
    await upload(knowledge, "hidden", "user:boss", text=poison, groups=("approver",))
    async with pool.connection() as connection:
        (flag,) = await knowledge.flags.list_open(connection)
        await knowledge.flags.resolve(
            connection, flag.flag_id, Resolution.RETIRED, actor="user:rita", correlation_id="cor_2"
        )
    guess = await upload(knowledge, "mine", "user:dora", text=poison)
    assert guess.reason == "retired_by_reviewer"
    assert "a document that you may not read" in guess.detail
    assert "rita" not in guess.detail
    assert flag.flag_id not in guess.detail
    own = await upload(knowledge, "open", "user:boss", text=poison)
    assert flag.flag_id not in own.detail  # all read what is said of this source's files
    own = await upload(knowledge, "bosss", "user:boss", text=poison, groups=("approver",))
    assert flag.flag_id in own.detail

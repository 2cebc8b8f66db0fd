# SPDX-License-Identifier: Apache-2.0
"""What is found is marked where somebody should look at it; no mark tells of what is hidden."""

import pytest

from api.search_flags import FLAG_WORDS, list_flags
from kernel.audit import AuditIntake
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.document_flags import DocumentFlags


def make(document_id, **changes):
    return CorpusDocument(
        document_id=document_id, kind="article", title=document_id, source="desk",
        body=f"# {document_id}\n\nThe dibbler dock {document_id} is reseated.\n",
        trust="internal", platforms=(), products=(), failure_classes=(), related_scripts=(),
        language="en", **changes,
    )  # fmt: skip


@pytest.fixture
async def flagged(connection, clock, ids, embedder):
    corpus = Corpus(clock=clock, audit=AuditIntake(clock, ids), embedder=embedder)
    documents = [make("a"), make("b"), make("c"), make("d"), make("s", access_groups=("approver",))]
    await corpus.store(connection, documents, actor="user:ada", correlation_id="cor_1")
    for number, (document_id, kind, other, resolution) in enumerate((
        ("a", "near_duplicate", "b", None),
        ("a", "dominance", None, None),
        ("b", "near_duplicate", "s", None),
        ("c", "near_duplicate", "a", "kept"),
    )):  # fmt: skip
        await connection.execute(
            "INSERT INTO document_flags (flag_id, document_id, kind, detail, raised_at,"
            " resolved_at, resolved_by, resolution) VALUES (%s, %s, %s,"
            " jsonb_build_object('other', %s::text), now(),"
            " CASE WHEN %s::text IS NULL THEN NULL ELSE now() END, 'user:ada', %s)",
            (f"flg_{number}", document_id, kind, other, resolution, resolution),
        )
    return connection


async def test_open_flags_of_the_documents_asked_for_are_told(flagged):
    both = ["near_duplicate", "dominance"]
    found = await list_flags(flagged, ["a", "b", "c", "d"], groups=None)
    assert found == {"a": both, "b": ["near_duplicate"]}
    assert await list_flags(flagged, ["b", "d"], groups=None) == {"b": ["near_duplicate"]}
    assert await list_flags(flagged, [], groups=None) == {}
    assert set(both) == set(FLAG_WORDS)


async def test_a_flag_that_compares_with_a_hidden_document_is_not_told(flagged):
    asked = ["a", "b", "c", "d"]
    assert set(await list_flags(flagged, asked, groups=("helpdesk",))) == {"a"}
    assert set(await list_flags(flagged, asked, groups=("helpdesk", "approver"))) == {"a", "b"}


async def test_what_is_out_of_force_stays_hidden(flagged, clock, ids, embedder):
    """A flag would else tell of a restricted document as soon as it is taken out of search."""
    corpus = Corpus(clock=clock, audit=AuditIntake(clock, ids), embedder=embedder)
    await corpus.retire(flagged, ["s"], actor="user:ada", correlation_id="cor_1", reason="old")
    assert await list_flags(flagged, ["b"], groups=("helpdesk",)) == {}
    assert set(await list_flags(flagged, ["b"], groups=("approver",))) == {"b"}
    flags = DocumentFlags(clock=clock, audit=AuditIntake(clock, ids), corpus=corpus)
    assert [one.document_id for one in await flags.list_open(flagged, groups=["helpdesk"])] == [
        "a", "a",
    ]  # fmt: skip
    (seen,) = await flags.list_open(flagged, groups=["approver"], flag_id="flg_2")
    assert seen.other_title == "s"
    await flagged.execute('UPDATE document_flags SET detail = \'{"other": "gone"}\'')
    assert await list_flags(flagged, ["b"], groups=("approver",)) == {}

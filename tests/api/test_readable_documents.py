# SPDX-License-Identifier: Apache-2.0
"""What a reader is shown of the corpus without a search: never what only others may read."""

import pytest

from api.readable_documents import find_newest_groups, list_choices, list_documents
from api.search_feedback import count_labels, list_labels
from retrieval.corpus import find_document

ADMIN, HELPDESK = None, ("helpdesk", "user:bob")


@pytest.fixture
async def corpus(connection):
    """Three documents in force, of which one is for approvers alone, and an old version."""
    for name, version, groups, product, retired in (
        ("dock", 1, ["approver"], "okapi", "2026-01-02"),
        ("dock", 2, [], "okapi", None),
        ("desk", 1, ["helpdesk"], "zebra", None),
        ("secret", 1, ["approver"], "quoll", None),
    ):
        await connection.execute(
            "INSERT INTO documents (document_id, version, kind, title, body, source, trust,"
            " products, language, access_groups, content_sha256, ingested_at, retired_at)"
            " VALUES (%s, %s, 'article', %s, 'text', 'desk', 'internal', %s, 'en', %s, '-',"
            " '2026-01-01', %s)",
            (name, version, name.title(), [product], groups, retired),
        )
    return connection


async def test_a_reader_is_shown_what_is_for_it(corpus):
    documents, n_documents = await list_documents(corpus, groups=HELPDESK, limit=1)
    assert ([one.document_id for one in documents], n_documents) == (["desk"], 2)
    _, n_documents = await list_documents(corpus, groups=ADMIN, limit=1)
    assert n_documents == 3
    assert await list_documents(corpus, groups=HELPDESK, limit=0) == ([], 0)
    assert await list_choices(corpus, groups=HELPDESK) == {
        "product": ["okapi", "zebra"],
        "language": ["en"],
    }
    assert "quoll" in (await list_choices(corpus, groups=ADMIN))["product"]


async def test_the_newest_version_says_who_may_read(corpus):
    assert await find_newest_groups(corpus, "dock") == ([], [])
    assert await find_newest_groups(corpus, "secret") == (["approver"], [])
    assert await find_newest_groups(corpus, "no such") is None
    old = await find_document(corpus, "dock", 1)
    assert (old.title, old.access_groups, old.retired_at is None) == ("Dock", ["approver"], False)
    assert await find_document(corpus, "dock", 3) is None


async def test_labels_are_listed_and_counted(corpus):
    for number, document in enumerate(("dock", "dock", "desk")):
        await corpus.execute(
            "INSERT INTO search_labels (label_id, text, document_id, label, origin, embedding,"
            " model, actor, created_at, echo) VALUES (%s, 'a text', %s, 'helped', 'import',"
            " array_fill(1, ARRAY[384])::halfvec, 'm', %s, '2026-01-01', false)",
            (f"lbl_{number}", document, f"user:{number}"),
        )
    listed = await list_labels(corpus, document_id="dock", limit=9)
    assert [one.label_id for one in listed] == ["lbl_1", "lbl_0"]
    assert len(await list_labels(corpus, document_id=None, limit=2)) == 2
    (count,) = await count_labels(corpus)
    assert (count.n_labels, count.n_texts, count.n_documents) == (3, 1, 2)

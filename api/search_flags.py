# SPDX-License-Identifier: Apache-2.0
"""Which of the documents found wait for somebody's look, and why: in words for programs, people.

A flag that compares with a document that the reader may not know of is kept from them.
"""

from collections.abc import Collection, Mapping
from typing import Final

from api.readers import Groups, list_groups
from kernel.database import Connection
from retrieval.sources import QUERIES

FLAG_WORDS: Final[Mapping[str, str]] = {
    "near_duplicate": "nearly the same as another",
    "dominance": "first in unusually many searches",
}


async def list_flags(
    connection: Connection, document_ids: Collection[str], *, groups: Groups
) -> dict[str, list[str]]:
    """Return the kinds of the open flags of documents that groups may read; {document id: kinds}.

    Documents without a flag are left out. `groups` is None for who may read all.
    """
    asked = {"document_ids": list(document_ids), "groups": list_groups(groups)}
    cursor = await connection.execute(QUERIES["list_flagged"], asked)
    flags: dict[str, list[str]] = {}
    for row in await cursor.fetchall():
        flags.setdefault(row["document_id"], []).append(row["kind"])
    return flags

# SPDX-License-Identifier: Apache-2.0
"""Which of the documents found wait for somebody's look, and why: in words for programs, people.

A flag that compares with a document that the reader may not know of is kept from them.
"""

from collections.abc import Collection, Mapping
from typing import Final

from api.readers import Groups, list_groups
from kernel.database import Connection
from retrieval.document_flags import FlagKind, list_open_flags

FLAG_WORDS: Final[Mapping[str, str]] = {
    FlagKind.NEAR_DUPLICATE: "nearly the same as another",
    FlagKind.DOMINANCE: "first in unusually many searches",
}


async def list_flags(
    connection: Connection, document_ids: Collection[str], *, groups: Groups
) -> dict[str, list[str]]:
    """Return the kinds of the open flags of documents that groups may read; {document id: kinds}.

    Documents without a flag are left out. `groups` is None for who may read all.
    """
    found = await list_open_flags(connection, groups=list_groups(groups), document_ids=document_ids)
    flags: dict[str, list[str]] = {}
    for flag in found:
        flags.setdefault(flag.document_id, []).append(flag.kind)
    return flags

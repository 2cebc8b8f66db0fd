# SPDX-License-Identifier: Apache-2.0
"""What a reader may see of the corpus without a search: its documents, and what to filter them by.

The groups that decide are those of `readers`; nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.readers import Groups, list_groups
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "search")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableDocument:
    """A document in force, as a list shows it."""

    document_id: str
    version: int
    kind: str
    title: str
    platforms: Sequence[str]
    failure_classes: Sequence[str]
    trust: str
    source: str


async def list_documents(
    connection: Connection, *, groups: Groups, limit: int
) -> tuple[list[ReadableDocument], int]:
    """Return the first documents in force that a reader may see, and the number of all of them."""
    parameters = {"groups": list_groups(groups), "limit": limit}
    cursor = await connection.execute(QUERIES["list_readable_documents"], parameters)
    rows = await cursor.fetchall()
    documents = [
        ReadableDocument(**{name: row[name] for name in ReadableDocument.__slots__}) for row in rows
    ]
    return documents, rows[0]["n_documents"] if rows else 0


async def list_choices(connection: Connection, *, groups: Groups) -> dict[str, list[str]]:
    """Return the products and languages of documents in force that a reader may see, sorted."""
    cursor = await connection.execute(QUERIES["list_choices"], {"groups": list_groups(groups)})
    choices: dict[str, list[str]] = {"product": [], "language": []}
    for row in await cursor.fetchall():
        choices[row["dimension"]].append(row["choice"])
    return choices


async def find_newest_groups(
    connection: Connection, document_id: str
) -> tuple[Sequence[str], Sequence[str]] | None:
    """Return who may read a document's newest version, and its source; None without a document.

    Of a document in force the source's groups are not asked for, so that they are empty.
    """
    cursor = await connection.execute(QUERIES["find_newest_groups"], {"document_id": document_id})
    row = await cursor.fetchone()
    return (row["access_groups"], row["source_groups"]) if row else None

# SPDX-License-Identifier: Apache-2.0
"""Two articles, and what tests of bringing knowledge ask again and again."""

from retrieval.run_plan import RunOptions
from retrieval.search import Retriever
from retrieval.sources import SourceTerms

ZEBRA = (
    "# Zebra label printer\n\nThe zebra printer feeds blank labels after a ribbon change.\n\n"
    "1. Hold the feed button for six seconds until the ring blinks.\n"
    "2. Restart the queue with `Restart-Service Spooler` and print the test page of the driver.\n"
    "3. Where labels still come out blank, clean the print head with the pen from the box.\n"
)
OKAPI = "# Okapi VPN\n\nThe okapi gateway drops tunnels at night: raise the rekey interval.\n"


async def ingest(knowledge, path, *, name=None, trust=None, groups=None, **options):
    return await knowledge.ingestion.ingest_path(
        path,
        name=name,
        terms=SourceTerms(trust=trust, access_groups=groups),
        options=RunOptions(**options),
        actor="cli:ada",
        correlation_id="cor_test",
    )


async def rows(pool, statement, *arguments):
    async with pool.connection() as connection:
        return await (await connection.execute(statement, arguments)).fetchall()


async def verdicts(pool, source_id):
    found = await rows(
        pool,
        "SELECT path, verdict, reason FROM ingested_files WHERE source_id = %s ORDER BY path",
        source_id,
    )
    return {row["path"]: (row["verdict"], row["reason"]) for row in found}


async def current_paths(pool):
    found = await rows(pool, "SELECT path FROM documents WHERE retired_at IS NULL ORDER BY path")
    return [row["path"] for row in found]


async def search(knowledge, embedder, query):
    async with knowledge.ground.pool.connection() as connection:
        return await Retriever(embedder).search(connection, query, limit=3)

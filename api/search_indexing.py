# SPDX-License-Identifier: Apache-2.0
"""Search indexes at the command line: make one anew beside the one that serves, list them."""

from typing import Annotated, Any

import typer

from api.cli_ground import Actor, console, fail, name_actor, print_table, with_ground
from api.ground import Ground, open_embedder


def kb_reindex(
    force: Annotated[bool, typer.Option(help="Even if nothing asks for it.")] = False,
    actor: Actor = None,
) -> None:
    """Embed all passages anew, beside the index that serves, and switch; searches go on.

    A run that was interrupted is gone on with.
    """
    from rich.progress import Progress as Bar  # noqa: PLC0415 - slow import

    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    who = name_actor(actor)

    async def act(ground: Ground) -> Any:
        from retrieval.reindexing import Reindexer, needs_reindex  # noqa: PLC0415 - heavy

        embedder = open_embedder(ground)
        await embedder.load()
        async with ground.pool.connection() as connection:
            if not force and not await needs_reindex(connection, embedder):
                return None
        with Bar(console=console) as bar:
            task = bar.add_task("documents", total=None)
            return await Reindexer(ground.pool, embedder, ground.clock, ground.audit).build(
                actor=who,
                correlation_id=ground.ids.new("cor"),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )

    try:
        index = with_ground(act)
    except RetrievalError as error:
        fail(str(error))
    if index is None:
        console.print("the index is complete and made by this program's model; --force makes one")
    else:
        passages = f"{index.n_chunks:,} passages, {index.model} {index.revision}"
        console.print(f"index {index.index_id} serves: {passages}", highlight=False)


def kb_indexes() -> None:
    """List the search indexes, the newest first."""

    async def act(ground: Ground) -> Any:
        from retrieval.search_index import list_indexes  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await list_indexes(connection)

    rows = [
        (
            str(listed.index.index_id),
            listed.index.state,
            f"{listed.index.model} {listed.index.revision}",
            f"{listed.index.n_chunks:,}",
            listed.created_at.strftime("%Y-%m-%d %H:%M UTC"),
        )
        for listed in with_ground(act)
    ]
    headings = ("index", "state", "model", "passages", "made")
    print_table(headings, rows, whole=headings)

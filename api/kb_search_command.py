# SPDX-License-Identifier: Apache-2.0
"""`eucora kb search`: what the portal finds, with everything that placed it if asked.

Whoever may run commands here may read the database as well, so documents of all groups are found.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import complaints, console, fail, plain, print_table, with_ground

if TYPE_CHECKING:
    from retrieval.facets import SearchFilter
    from retrieval.query import SearchQuery
    from retrieval.ranking import Ranking
    from retrieval.search import Passage, Retriever

EXCERPT = 300


class SearchedPlatform(StrEnum):
    """What a document is for."""

    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"


class SearchedKind(StrEnum):
    """What a document is."""

    ARTICLE = "article"
    SCRIPT = "script"


class SearchedTrust(StrEnum):
    """Whose word a document is."""

    STARTER = "starter"
    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has found, and how it went about it."""

    query: "SearchQuery"
    passages: "Sequence[Passage]"
    path: str
    ranking: str
    similar: Mapping[str, int]


def kb_search(
    query: Annotated[str, typer.Argument(help="What a person would write: words, or a ticket.")],
    platform: Annotated[SearchedPlatform | None, typer.Option(help="Only what is for it.")] = None,
    kind: Annotated[SearchedKind | None, typer.Option(help="Only articles or scripts.")] = None,
    product: Annotated[str | None, typer.Option(help="Only what is for it.")] = None,
    trust: Annotated[SearchedTrust | None, typer.Option(help="Only of this trust.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the query as understood, and each hit's parts.")
    ] = False,
    champion: Annotated[
        bool,
        typer.Option("--champion", help="Rank as the portal does now; it takes seconds to load."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search articles and scripts; without --champion with the weights that need no labels.

    What looks like personal data in the query is masked first.
    """
    if not query.strip():
        complaints.print("eucora: the query is empty")
        raise typer.Exit(2)

    async def act(ground: Any) -> Found:
        from retrieval.facets import SearchFilter  # noqa: PLC0415 - heavy

        only = SearchFilter(
            platform=platform.value if platform else None,
            kind=kind.value if kind else None,
            products=(product,) if product else (),
            trusts=(trust.value,) if trust else (),
        )
        return await _search(ground, query, only, limit, explain=explain, champion=champion)

    found = _with_retrieval(act)
    if as_json:
        print(json.dumps(_describe(found)))
    elif explain:
        _print_explained(found)
    else:
        _print_table(found.passages)


def _with_retrieval(act: Any) -> Any:
    from models.errors import ModelError  # noqa: PLC0415 - heavy
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except (RetrievalError, ModelError) as error:
        fail(str(error))


async def _search(
    ground: Any, text: str, only: "SearchFilter", limit: int, *, explain: bool, champion: bool
) -> Found:
    from retrieval.embedding import FOLDER_NAME, LazyEmbedder  # noqa: PLC0415 - heavy
    from retrieval.query import understand_query  # noqa: PLC0415 - heavy
    from retrieval.search import Retriever  # noqa: PLC0415 - heavy

    embedder = LazyEmbedder(ground.settings.data_dir / FOLDER_NAME)
    loading = asyncio.create_task(embedder.load())  # while presidio loads as well
    masked = await asyncio.to_thread(ground.masker.mask, text)
    await loading
    ranking = await asyncio.to_thread(_load_champion, ground) if champion else None
    retriever = Retriever(embedder, ranking=ranking)
    async with ground.pool.connection() as connection:
        passages = await retriever.search(connection, masked.text, only=only, limit=limit)
        similar: Mapping[str, int] = {}
        if explain and any(passage.votes > 0 for passage in passages):
            from api.search_feedback import count_similar  # noqa: PLC0415 - heavy

            names = [passage.document_id for passage in passages]
            similar = await count_similar(connection, embedder, masked.text, names)
        path = await _tell_path(connection, retriever, only) if explain else ""
    return Found(
        query=understand_query(masked.text),
        passages=passages,
        path=path,
        ranking=_tell_ranking(retriever),
        similar=similar,
    )


def _load_champion(ground: Any) -> "Ranking":
    from api.ground import open_registry  # noqa: PLC0415 - heavy
    from api.ranking_training import load_ranking  # noqa: PLC0415 - heavy
    from models.ranking_lifecycle import NAME  # noqa: PLC0415 - heavy

    return load_ranking(open_registry(ground).load(NAME))


def _tell_ranking(retriever: "Retriever") -> str:
    weights = ", ".join(f"{name} {value:g}" for name, value in retriever.ranking.weights.items())
    return f"{retriever.ranking.version} ({weights})"


async def _tell_path(connection: Any, retriever: "Retriever", only: "SearchFilter") -> str:
    """Return how the passages were found, by the same rule as the search itself."""
    from retrieval.search_index import find_index  # noqa: PLC0415 - heavy

    index = await find_index(connection)
    if index is None:
        return "there is no index"
    walked = await retriever.candidates.plan_walk(connection, index, only) > 0
    way = "graphs were walked" if walked else "all passages that pass were read"
    return f"{way}, of {index.n_chunks} in index {index.index_id} by {index.model}"


def _print_table(passages: "Sequence[Passage]") -> None:
    rows = [
        (
            passage.chunk_id,
            passage.title,
            passage.trust,
            f"{passage.score:.2f}",
            f"{passage.dense_score:.3f}",
            f"{passage.coverage * 100:.0f} %",
            " ".join(passage.signals),
        )
        for passage in passages
    ]
    headings = ("passage", "title", "trust", "score", "meaning", "keywords", "exact")
    print_table(headings, rows, whole=[name for name in headings if name != "title"])
    if not rows:
        complaints.print("nothing passes the filters; search without them")


def _print_explained(found: Found) -> None:
    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    say(f"understood: {plain(found.query.text)}")
    say(f"exact signals: {plain(', '.join(found.query.signals)) or 'none'}")
    say(f"read in {len(found.query.windows)} window(s); path: {plain(found.path)}")
    say(f"ranking: {found.ranking}")
    for place, passage in enumerate(found.passages, start=1):
        _print_passage(place, passage, found.similar.get(passage.document_id, 0), say)


def _print_passage(place: int, passage: "Passage", n_similar: int, say: Any) -> None:
    from api.search_explanation import explain_hit, list_shares  # noqa: PLC0415 - heavy

    say(f"\n[bold]{place}. {plain(passage.title)}[/bold]  {passage.score:.3f}")
    where = " > ".join(passage.headings) + (f" · page {passage.page}" if passage.page else "")
    say(
        f"   {plain(passage.chunk_id)} · {passage.trust} · {plain(passage.source)} · {plain(where)}"
    )
    say(f"   {plain(' · '.join(explain_hit(passage, n_similar)))}")
    for share in list_shares(passage.parts):
        bar = "█" * max(round(share.share * 20), 1)
        say(f"   {share.title:<26}{share.amount:+.3f}  {bar}")
    say(f"   votes {passage.votes:.3f} · BM25 {passage.keyword_score:.2f}")
    excerpt = " ".join(passage.text.split())
    say(f"   {plain(excerpt[:EXCERPT])}{'…' if len(excerpt) > EXCERPT else ''}")


def _describe(found: Found) -> dict[str, Any]:
    from api.search_in import describe_passage, describe_query  # noqa: PLC0415 - heavy

    return {
        "query": describe_query(found.query),
        "path": found.path,
        "ranking": found.ranking,
        "passages": [describe_passage(passage) for passage in found.passages],
    }

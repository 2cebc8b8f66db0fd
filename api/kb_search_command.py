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

EXCERPT = 300  # characters of a passage: three lines of a wide terminal
BAR_CHARACTERS = 20  # with title and amount, half of a narrow terminal


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
    """What a search has found, and how it went about it.

    `flags` are the kinds of open flags by document id, `similar` the numbers of similar tickets
    that a document helped with.
    """

    query: "SearchQuery"
    passages: "Sequence[Passage]"
    flags: Mapping[str, Sequence[str]]
    path: str
    ranking: str
    similar: Mapping[str, int]
    is_filtered: bool


def kb_search(
    query: Annotated[str, typer.Argument(help="What a person would write: words, or a ticket.")],
    platform: Annotated[SearchedPlatform | None, typer.Option(help="Only what is for it.")] = None,
    kind: Annotated[SearchedKind | None, typer.Option(help="Only articles or scripts.")] = None,
    product: Annotated[str | None, typer.Option(help="Only what is for it.")] = None,
    trust: Annotated[SearchedTrust | None, typer.Option(help="Only of this trust.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many documents.")] = 5,
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
            platform=platform,
            kind=kind,
            products=(product,) if product else (),
            trusts=(trust,) if trust else (),
        )
        return await _search(ground, query, only, limit, explain=explain, champion=champion)

    found = _with_retrieval(act)
    if as_json:
        print(json.dumps(_describe(found)))
    else:
        (_print_explained if explain else _print_table)(found)


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
    from api.ground import open_embedder  # noqa: PLC0415 - heavy
    from api.search_flags import list_flags  # noqa: PLC0415 - heavy
    from retrieval.query import understand_query  # noqa: PLC0415 - heavy
    from retrieval.search import PASSAGES_PER_DOCUMENT, Retriever  # noqa: PLC0415 - heavy

    embedder = open_embedder(ground)
    loading = asyncio.create_task(embedder.load())  # while presidio loads as well
    masked = await ground.mask_text(text)
    await loading
    ranking = await asyncio.to_thread(_load_champion, ground) if champion else None
    retriever = Retriever(embedder, ranking=ranking)
    async with ground.pool.connection() as connection:
        ranked = await retriever.search(
            connection, masked, only=only, limit=limit * PASSAGES_PER_DOCUMENT
        )
        names = list(dict.fromkeys(passage.document_id for passage in ranked))[:limit]
        passages = [passage for passage in ranked if passage.document_id in names]
        similar: Mapping[str, int] = {}
        if explain and any(passage.votes > 0 for passage in passages):
            from api.search_feedback import count_similar  # noqa: PLC0415 - heavy

            similar = await count_similar(connection, embedder, masked, names)
        path = await _tell_path(connection, retriever, only) if explain else ""
        flags = await list_flags(connection, names, groups=None)
    return Found(
        query=understand_query(masked),
        passages=passages,
        flags=flags,
        path=path,
        ranking=_tell_ranking(retriever),
        similar=similar,
        is_filtered=only != type(only)(),
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
    way = (
        "the nearest passages were looked up in a graph (HNSW)"
        if walked
        else "every passage that the filters leave was compared"
    )
    return f"{way}, of {index.n_chunks:,} in index {index.index_id} by {index.model}"


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def _print_notices(found: Found) -> None:
    """Say what a reader must know before trusting what follows."""
    from api.search_explanation import (  # noqa: PLC0415 - heavy
        list_missing_signals,
        name_signal,
        seems_far,
    )

    if not found.passages:
        nothing = "nothing passes the filters; search without them"
        empty = "there is nothing to search yet: bring files with `eucora kb ingest PATH`"
        complaints.print(nothing if found.is_filtered else empty, highlight=False)
        return
    if seems_far(found.passages):
        _say(
            "[bold]nothing close was found[/bold]; these are the nearest, and may be about"
            " something else: add the exact error code or message"
        )
    if missing := list_missing_signals(found.query.signals, found.passages):
        names = ", ".join(map(name_signal, missing))
        _say(f"[bold]no document found names {plain(names)}[/bold]")


def _print_table(found: Found) -> None:
    from api.search_explanation import group_passages, name_signal  # noqa: PLC0415 - heavy

    _print_notices(found)
    columns: dict[str, list[str]] = {}
    for document_id, passages in group_passages(found.passages).items():
        best = passages[0]
        named = dict.fromkeys(signal for passage in passages for signal in passage.signals)
        told = {
            "best passage": best.chunk_id,
            "title": best.title,
            "trust": best.trust,
            "score": f"{best.score:.2f}",
            "meaning": f"{best.dense_score:.3f}",
            "keywords": f"{best.coverage * 100:.0f} %",
            "exact": ", ".join(map(name_signal, named)),
            "more": f"+{len(passages) - 1}" if len(passages) > 1 else "",
            "flagged": _tell_flags(found, document_id),
        }
        for heading, cell in told.items():
            columns.setdefault(heading, []).append(cell)
    shown = {heading: cells for heading, cells in columns.items() if any(cells)}
    if shown:
        whole = [heading for heading in shown if heading not in {"title", "flagged"}]
        print_table(list(shown), list(zip(*shown.values(), strict=True)), whole=whole)


def _tell_flags(found: Found, document_id: str) -> str:
    from api.search_flags import FLAG_WORDS  # noqa: PLC0415 - heavy

    return "; ".join(FLAG_WORDS[kind] for kind in found.flags.get(document_id, ()))


def _print_explained(found: Found) -> None:
    from api.search_explanation import (  # noqa: PLC0415 - heavy
        find_longest,
        group_passages,
        name_signal,
    )

    _say(f"understood: {plain(found.query.text)}")
    _say(f"exact signals: {plain(', '.join(map(name_signal, found.query.signals))) or 'none'}")
    if len(found.query.windows) > 1:
        _say(f"the text is long: it was read in {len(found.query.windows)} parts")
    _say(f"path: {plain(found.path)}")
    _say(f"ranking: {found.ranking}")
    _print_notices(found)
    longest = find_longest(found.passages)
    for place, passages in enumerate(group_passages(found.passages).values(), start=1):
        _print_hit(place, passages, found, longest)


def _print_hit(place: int, passages: "Sequence[Passage]", found: Found, longest: float) -> None:
    from api.search_explanation import explain_hit, list_shares  # noqa: PLC0415 - heavy

    best = passages[0]
    _say(f"\n[bold]{place}. {plain(best.title)}[/bold]  {best.score:.3f}")
    if flags := _tell_flags(found, best.document_id):
        _say(f"   [bold]flagged:[/bold] {flags}; see `eucora kb flags`")
    _say(f"   {plain(' · '.join(dict.fromkeys((best.trust, best.source))))}")
    _say(f"   {plain(' · '.join(explain_hit(best, found.similar.get(best.document_id, 0))))}")
    for share in list_shares(best.parts, longest=longest):
        bar = "█" * max(round(share.share * BAR_CHARACTERS), 1)
        _say(f"   {share.title:<26}{share.amount:+.3f}  {bar}")
    for passage in passages:
        _print_passage(passage)


def _print_passage(passage: "Passage") -> None:
    page = f"page {passage.page}" if passage.page else ""
    place = " · ".join(part for part in (" > ".join(passage.headings), page) if part)
    _say(f"   {plain(passage.chunk_id)}{f' · {plain(place)}' if place else ''}")
    excerpt = " ".join(passage.text.split())
    _say(f"   {plain(excerpt[:EXCERPT])}{'…' if len(excerpt) > EXCERPT else ''}")


def _describe(found: Found) -> dict[str, Any]:
    from api.search_in import describe_search  # noqa: PLC0415 - heavy

    described = describe_search(found.query, found.passages, found.flags)
    return {**described, "path": found.path, "ranking": found.ranking}

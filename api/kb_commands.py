# SPDX-License-Identifier: Apache-2.0
"""The knowledge base at the command line: bring files, see what became of them, search.

Exit code 3: some files that are new or changed were not taken, the others are in search.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import (
    Actor,
    complaints,
    console,
    fail,
    name_actor,
    plain,
    print_table,
    with_ground,
)
from api.kb_label_commands import labels_app
from api.kb_progress import RunProgress
from api.kb_review_commands import flags_app, quarantine_app
from api.kb_search_command import SearchedPlatform, kb_search
from api.search_indexing import kb_indexes, kb_reindex
from api.source_records import (
    VERDICT_WORDS,
    describe_file,
    describe_source,
    tell_last_run,
    tell_source,
    word_option,
)

if TYPE_CHECKING:
    from retrieval.ingested_files import FileVerdict
    from retrieval.run_report import RunReport
    from retrieval.sources import SourceTerms

REJECTED_EXIT = 3
SHOWN_VERDICTS = ("stored", "rejected", "quarantined", "removed")  # that `kb files` lists
kb_app = typer.Typer(
    no_args_is_help=True, help="The knowledge base: bring files, review and search them."
)
source_app = typer.Typer(no_args_is_help=True, help="One source of documents.")
kb_app.add_typer(source_app, name="source")
kb_app.add_typer(quarantine_app, name="quarantine")
kb_app.add_typer(flags_app, name="flags")
kb_app.add_typer(labels_app, name="labels")
kb_app.command("reindex")(kb_reindex)
kb_app.command("indexes")(kb_indexes)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SourceName = Annotated[str, typer.Argument(help="The source's name.")]


class BroughtTrust(StrEnum):
    """Whose word it is that people bring."""

    INTERNAL = "internal"
    EXTERNAL = "external"


def _read_verdict(words: str) -> str:
    """Return the verdict that somebody names by its words, or as JSON has it."""
    options = {word_option(name): name for name in SHOWN_VERDICTS}
    given = "-".join(words.strip().lower().replace("_", "-").split())
    if given in SHOWN_VERDICTS:
        return given
    if given not in options:
        raise typer.BadParameter(f"{words!r} is none of {', '.join(options)}")
    return options[given]


BroughtPath = Annotated[
    Path, typer.Argument(help="A folder, a file, or an export of ServiceNow or Confluence.")
]
NewName = Annotated[str | None, typer.Option(help="A name for it; by default made of the path's.")]
TrustOption = Annotated[
    BroughtTrust | None,
    typer.Option(help="Whose word it is; a new source is external, a known one as it was."),
]
PlatformOption = Annotated[
    list[SearchedPlatform] | None, typer.Option(help="Where a document names none; else for all.")
]
ProductOption = Annotated[list[str] | None, typer.Option(help="Where a document names none.")]
GroupOption = Annotated[
    list[str] | None, typer.Option(help="Who may read it; by default everybody.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the command line says of a run: of what, under which terms, and how."""

    path: Path
    source: str | None
    trust: BroughtTrust | None
    platforms: Sequence[SearchedPlatform] | None
    products: Sequence[str] | None
    groups: Sequence[str] | None
    dry: bool
    keep_missing: bool
    allow_empty: bool
    moved: bool


@kb_app.command("ingest")
def kb_ingest(
    path: BroughtPath,
    source: NewName = None,
    trust: TrustOption = None,
    platform: PlatformOption = None,
    product: ProductOption = None,
    group: GroupOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Scan and parse, but store nothing.")
    ] = False,
    keep_missing: Annotated[
        bool, typer.Option("--keep-missing", help="Keep documents whose file has vanished.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="An empty folder empties the source.")
    ] = False,
    moved: Annotated[
        bool, typer.Option("--moved", help="The source's folder is in another place now.")
    ] = False,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Bring a folder, a file or an export into the knowledge base; again, to bring it up to date.

    Unchanged files cost nothing. A run that was interrupted goes on where it was. Exit code 3 if
    files that are new or changed were not taken; the others are in search.
    """
    brought = Brought(
        path=path, source=source, trust=trust, platforms=platform, products=product, groups=group,
        dry=dry_run, keep_missing=keep_missing, allow_empty=allow_empty, moved=moved,
    )  # fmt: skip
    report = _bring(brought, name_actor(actor), shown=not as_json)
    if as_json:
        print(json.dumps(_describe_report(report, dry=dry_run)))
    else:
        _print_report(report, dry=dry_run)
    if report.n_newly_refused:
        raise typer.Exit(REJECTED_EXIT)


def _bring(brought: Brought, actor: str, *, shown: bool) -> "RunReport":
    async def act(ground: Any) -> "RunReport":
        from api.ground import open_embedder  # noqa: PLC0415 - heavy
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy
        from retrieval.run_plan import RunOptions  # noqa: PLC0415 - heavy

        embedder = await open_embedder(ground).load()
        with RunProgress(console, shown=shown) as progress:
            return await open_knowledge(ground, embedder=embedder).ingestion.ingest_path(
                brought.path,
                name=brought.source,
                terms=_read_terms(brought),
                options=RunOptions(
                    dry=brought.dry,
                    keep_missing=brought.keep_missing,
                    allow_empty=brought.allow_empty,
                    moved=brought.moved,
                ),
                actor=actor,
                correlation_id=ground.ids.new("cor"),
                observer=progress,
            )

    report: RunReport = _with_retrieval(act)
    return report


def _read_terms(brought: Brought) -> "SourceTerms":
    from retrieval.sources import SourceTerms, Trust  # noqa: PLC0415 - heavy

    def gather(labels: Sequence[str] | None) -> tuple[str, ...] | None:
        return tuple(str(label) for label in labels) if labels else None

    return SourceTerms(
        trust=Trust(brought.trust) if brought.trust else None,
        platforms=gather(brought.platforms),
        products=gather(brought.products),
        access_groups=gather(brought.groups),
    )


def _print_report(report: "RunReport", *, dry: bool) -> None:
    source = report.source
    readers = ", ".join(source.access_groups) or "everybody"
    _say(f"source {plain(source.source_id)}: {source.trust} trust, read by {plain(readers)}")
    counts = [(VERDICT_WORDS[verdict], f"{number:,}")
              for verdict, number in sorted(report.counts.items())]  # fmt: skip
    print_table(("verdict", "files"), counts)
    if report.remarks:
        _print_files(report.remarks)
    _print_still_refused(report)
    if not report.is_complete:
        complaints.print("eucora: a folder could not be listed, so no document was removed")
    _say("nothing was stored: a dry run" if dry else f"documents stored: {report.n_documents:,}")


def _print_still_refused(report: "RunReport") -> None:
    """Say how many files were refused before and are as they were, and where they are listed."""
    found = Counter(verdict.verdict.value for verdict in report.still_refused)
    for verdict, number in sorted(found.items()):
        words = f"{number:,} {'file is' if number == 1 else 'files are'} {VERDICT_WORDS[verdict]}"
        source_id = plain(report.source.source_id)
        _say(f"as before, {words}: eucora kb files {source_id} --verdict {word_option(verdict)}")


def _say(line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


def _describe_report(report: "RunReport", *, dry: bool) -> dict[str, Any]:
    listed = [(verdict, False) for verdict in report.remarks]
    listed += [(verdict, True) for verdict in report.still_refused]
    return {
        "source": report.source.source_id,
        "run_id": report.run_id,
        "dry_run": dry,
        "complete": report.is_complete,
        "counts": dict(report.counts),
        "documents": report.n_documents,
        "newly_refused": report.n_newly_refused,
        "files": [describe_file(verdict) | {"unchanged": same} for verdict, same in listed],
    }


def _print_files(verdicts: "tuple[FileVerdict, ...]") -> None:
    rows = [
        (
            each.path,
            VERDICT_WORDS[each.verdict.value],
            each.reason.replace("_", " "),
            each.detail,
        )
        for each in verdicts
    ]
    headings = ("file", "verdict", "reason", "why, and what to do")
    print_table(headings, rows)


@kb_app.command("sources")
def kb_sources(*, as_json: Json = False) -> None:
    """List where documents come from, with their newest run."""

    async def act(ground: Any) -> Any:
        from retrieval.sources import Sources  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await Sources(clock=ground.clock, audit=ground.audit).list_all(connection)

    overviews = with_ground(act)
    if as_json:
        print(json.dumps([describe_source(each) for each in overviews]))
        return
    rows = [
        (
            each.source.source_id,
            each.source.kind.value,
            each.source.trust.value,
            f"{each.n_documents:,}",
            f"{each.n_rejected:,}",
            f"{each.n_held:,}",
            tell_last_run(each),
            each.source.location,
        )
        for each in overviews
    ]
    headings = ("source", "kind", "trust", "documents", "not taken", "held back", "last run",
                "from")  # fmt: skip
    print_table(headings, rows, whole=headings[:6])


@source_app.command("show")
def source_show(source: SourceName, *, as_json: Json = False) -> None:
    """Show a source: its terms and its figures. Exit code 1 if there is none."""

    async def act(ground: Any) -> Any:
        from retrieval.sources import Sources  # noqa: PLC0415 - heavy

        sources = Sources(clock=ground.clock, audit=ground.audit)
        async with ground.pool.connection() as connection:
            return await sources.describe(connection, source)

    overview = _with_retrieval(act)
    if as_json:
        print(json.dumps(describe_source(overview)))
        return
    told = tell_source(overview)
    width = max(len(name) for name, _ in told)
    for name, words in told:
        _say(f"{name:{width}}  {plain(words)}")
    if overview.n_rejected:
        option = word_option("rejected")
        _say(f"why not: eucora kb files {plain(source)} --verdict {option}")
    if overview.n_held:
        _say("what is held back: eucora kb quarantine list")


@source_app.command("remove")
def source_remove(
    source: SourceName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    actor: Actor = None,
) -> None:
    """Take all documents of a source out of search, and the source off the lists.

    Old citations still resolve.
    """
    name = name_actor(actor)
    if not yes:
        typer.confirm(f"Take all documents of {source} out of search?", abort=True)

    async def act(ground: Any) -> int:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy

        return await open_knowledge(ground).ingestion.remove_source(
            source, actor=name, correlation_id=ground.ids.new("cor")
        )

    console.print(f"documents out of search: {_with_retrieval(act)}", highlight=False)


@kb_app.command("files")
def kb_files(
    source: SourceName,
    verdict: Annotated[
        str | None,
        typer.Option(
            callback=lambda words: words and _read_verdict(words),
            help="Only files with it: in-search, not-taken, held-back or removed.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what became of each file of a source. Exit code 1 if there is no such source."""

    async def act(ground: Any) -> Any:
        from retrieval.ingested_files import IngestedFiles  # noqa: PLC0415 - heavy
        from retrieval.sources import Sources  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            await Sources(clock=ground.clock, audit=ground.audit).require(connection, source)
            files = IngestedFiles(clock=ground.clock, audit=ground.audit)
            found = await files.list_all(connection, source)
        return tuple(each for each in found.values() if verdict in (None, each.verdict.value))

    verdicts = _with_retrieval(act)
    if as_json:
        print(json.dumps([describe_file(each) for each in verdicts]))
    else:
        _print_files(verdicts)


def _with_retrieval(act: Any) -> Any:
    from guardrails.errors import GuardrailError  # noqa: PLC0415 - heavy
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except (RetrievalError, GuardrailError) as error:
        fail(str(error))


kb_app.command("search")(kb_search)


@kb_app.command("load")
def kb_load() -> None:
    """Load articles and scripts from the knowledge folder; unchanged ones cost nothing."""
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> tuple[int, int]:
        from api.preparation import load_knowledge  # noqa: PLC0415 - heavy

        return await load_knowledge(
            ground,
            progress=lambda *_: None,
            tell=lambda text: console.print(plain(text), highlight=False, soft_wrap=True),
        )

    try:
        n_articles, n_scripts = with_ground(act)
    except RetrievalError as error:
        fail(str(error))
        return
    console.print(f"{n_articles} articles and {n_scripts} scripts are new or changed")

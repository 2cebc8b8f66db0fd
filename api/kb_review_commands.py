# SPDX-License-Identifier: Apache-2.0
"""Reviewing knowledge at the command line: files that are held back, documents that are flagged."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import Actor, console, fail, name_actor, plain, print_table, with_ground
from api.source_records import VERDICT_WORDS

if TYPE_CHECKING:
    from retrieval.document_flags import DocumentFlag, Resolution

quarantine_app = typer.Typer(
    no_args_is_help=True, help="Files that are held back; a release takes a second person."
)
flags_app = typer.Typer(
    invoke_without_command=True, help="Documents that somebody should look at; lists them."
)
Reason = Annotated[str, typer.Option(help="Why; names and addresses in it are masked.")]


@quarantine_app.command("list")
def quarantine_list() -> None:
    """List what is held back, newest first."""

    async def act(ground: Any) -> Any:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy
        from guardrails.quarantine import MAX_LISTED  # noqa: PLC0415 - heavy

        knowledge = open_knowledge(ground)
        async with ground.pool.connection() as connection:
            held = await knowledge.quarantine.list_held(connection, limit=MAX_LISTED)
            holders = await knowledge.files.list_holders(connection, {file.sha256 for file in held})
        return [(file, holders.get(file.sha256, (file.source,))) for file in held]

    rows = [
        (
            held.quarantine_id,
            held.name,
            ", ".join(sources),
            held.signature or held.reason.value,
            held.actor,
            f"{held.quarantined_at:%Y-%m-%d %H:%M}",
        )
        for held, sources in with_ground(act)
    ]
    headings = ("held file", "name", "held in", "found", "brought by", "since")
    print_table(headings, rows, whole=("held file",))


@quarantine_app.command("release")
def quarantine_release(
    quarantine_id: str,
    requested_by: Annotated[str, typer.Option(help="Who asks for it: somebody else.")],
    reason: Reason,
    actor: Actor = None,
) -> None:
    """Let a file pass in spite of what was found. Not for who brought it or asks for it."""
    name = name_actor(actor)

    async def act(ground: Any) -> Any:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy

        knowledge = open_knowledge(ground)
        file, verdicts = await knowledge.release(
            quarantine_id,
            requested_by=name_actor(requested_by),
            released_by=name,
            reason=reason,
            correlation_id=ground.ids.new("cor"),
        )
        async with ground.pool.connection() as connection:
            holders = await knowledge.files.list_holders(connection, {file.sha256})
        return verdicts, holders.get(file.sha256, ())

    verdicts, sources = _with_review(act)
    console.print(f"{quarantine_id} may pass", highlight=False)
    for verdict in verdicts:
        words = VERDICT_WORDS[verdict.verdict.value]
        console.print(f"{plain(verdict.path)}: {words}", highlight=False)
    if sources:
        again = plain(", ".join(sources))
        console.print(f"run the ingestion of {again} again to take it", highlight=False)


@quarantine_app.command("destroy")
def quarantine_destroy(quarantine_id: str, reason: Reason, actor: Actor = None) -> None:
    """Destroy a held file for good, or withdraw the release of one that was let go."""
    name = name_actor(actor)

    async def act(ground: Any) -> Any:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy

        return await open_knowledge(ground).destroy(
            quarantine_id, actor=name, reason=reason, correlation_id=ground.ids.new("cor")
        )

    _with_review(act)
    console.print(f"{quarantine_id} is gone", highlight=False)


@flags_app.callback()
def flags(context: typer.Context) -> None:
    """Documents that somebody should look at; lists them where no command is given."""
    if context.invoked_subcommand is None:
        flags_list()


@flags_app.command("list")
def flags_list(
    *,
    retired: Annotated[
        bool, typer.Option("--retired", help="What was taken out of search, newest first.")
    ] = False,
) -> None:
    """List documents that somebody should look at, oldest first."""
    if retired:
        _list_retired()
        return

    async def act(ground: Any) -> Any:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await open_knowledge(ground).flags.list_open(connection)

    rows = [
        (
            flag.flag_id,
            flag.document_id,
            flag.trust,
            _explain_flag(flag),
            " | ".join(map(str, flag.detail.get("differences", ()))),
        )
        for flag in with_ground(act)
    ]
    headings = ("flag", "document", "trust", "why", "only in this one")
    print_table(headings, rows, whole=("flag", "document"))


def _explain_flag(flag: "DocumentFlag") -> str:
    if flag.kind == "near_duplicate":
        return f"{flag.detail['similarity']:.0%} the same as {flag.detail['other']}"
    now, before = flag.detail["share_now"], flag.detail["share_before"]
    return f"first in {now:.0%} of searches, before in {before:.0%}"


def _list_retired() -> None:
    async def act(ground: Any) -> Any:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await open_knowledge(ground).flags.list_retired(connection)

    rows = [
        (one.flag_id, one.document_id, one.title, one.resolved_by, f"{one.resolved_at:%Y-%m-%d}")
        for one in with_ground(act)
    ]
    headings = ("flag", "document", "title", "taken out by", "on")
    print_table(headings, rows, whole=("flag", "document"))


@flags_app.command("keep")
def flags_keep(flag_id: str, actor: Actor = None) -> None:
    """Keep a flagged document, or let one that was taken out come back with its source's next run.

    Exit code 1 if the flag does not wait.
    """
    from retrieval.document_flags import Resolution  # noqa: PLC0415 - heavy

    _resolve(flag_id, Resolution.KEPT, name_actor(actor))


@flags_app.command("retire")
def flags_retire(flag_id: str, actor: Actor = None) -> None:
    """Take a flagged document out of search. Exit code 1 if the flag does not wait."""
    from retrieval.document_flags import Resolution  # noqa: PLC0415 - heavy

    _resolve(flag_id, Resolution.RETIRED, name_actor(actor))


def _resolve(flag_id: str, resolution: "Resolution", actor: str) -> None:
    async def act(ground: Any) -> str:
        from api.knowledge_ingestion import open_knowledge  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            document_id: str = await open_knowledge(ground).flags.resolve(
                connection, flag_id, resolution, actor=actor, correlation_id=ground.ids.new("cor")
            )
        return document_id

    became = {"kept": "is kept", "retired": "is out of search"}[resolution.value]
    console.print(f"{plain(_with_review(act))} {became}", highlight=False)


def _with_review(act: Any) -> Any:
    from guardrails.errors import GuardrailError  # noqa: PLC0415 - heavy
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except (RetrievalError, GuardrailError) as error:
        fail(str(error))

# SPDX-License-Identifier: Apache-2.0
"""The audit log at the command line: list it, check it, write its public keys."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_ground import console, fail, print_table, read_settings, with_ground
from kernel.errors import KeyStoreError

audit_app = typer.Typer(
    no_args_is_help=True, help="The audit log: list it, check it, write its public keys."
)


@audit_app.command("list")
def audit_list(
    correlation_id: Annotated[str | None, typer.Option(help="Of one request.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List audit events, newest first."""

    async def act(ground: Any) -> Any:
        from evidence.audit import list_events  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await list_events(connection, correlation_id=correlation_id, limit=limit)

    rows = [
        (
            event.occurred_at.isoformat(sep=" ", timespec="seconds"),
            event.actor,
            event.action,
            f"{event.subject_kind} {event.subject_id}",
        )
        for event in with_ground(act)
    ]
    print_table(("when", "who", "what", "on"), rows, whole=("when", "on"))


@audit_app.command("check")
def audit_check() -> None:
    """Recompute the whole log and compare it with what was signed, and with what is in force.

    Exit code 1 if it differs, or if the database has not the decisions on policies and scripts
    that the log has, each once and in the same order.
    """

    async def act(ground: Any) -> Any:
        from evidence.audit_entry import LOG_ORIGIN  # noqa: PLC0415 - heavy
        from evidence.log_integrity import check_log  # noqa: PLC0415 - heavy
        from governance import script_versions  # noqa: PLC0415 - heavy
        from guardrails import policy_store  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            report = await check_log(connection, log_key=ground.log.public_key(), origin=LOG_ORIGIN)
            unlogged = await policy_store.list_unlogged(connection)
            return report, unlogged + await script_versions.list_unlogged(connection)

    from evidence.errors import EvidenceError  # noqa: PLC0415 - heavy

    try:
        found, unlogged = with_ground(act)
    except EvidenceError as error:
        fail(str(error))
    if unlogged:
        listed = "\n".join(f"- {one}" for one in unlogged)
        fail(f"the log is intact, and the database is not what it says:\n{listed}")
    console.print(
        f"the log is intact: {found.tree_size} entries and {found.n_checkpoints} checkpoints were"
        " recomputed and agree with what was signed",
        highlight=False,
        soft_wrap=True,
    )


@audit_app.command("keys")
def audit_keys(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Made if it is missing.")],
) -> None:
    """Write the two public keys for auditors; hand them over by another road than the cases.

    Exit code 1 if there are no keys, or the folder has others under the same names.
    """
    from api.ground import write_public_keys  # noqa: PLC0415 - heavy

    try:
        paths = write_public_keys(read_settings(), folder)
    except KeyStoreError as error:
        fail(str(error))
    for path in paths:
        console.print(str(path), highlight=False, soft_wrap=True)

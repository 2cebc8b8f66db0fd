# SPDX-License-Identifier: Apache-2.0
"""Freeze windows at the command line."""

from datetime import UTC, datetime
from typing import Annotated, Any

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

freeze_app = typer.Typer(
    no_args_is_help=True,
    help="Freeze windows: while one is in force nothing is approved or dispatched.",
)


@freeze_app.command("list")
def freeze_list() -> None:
    """List running and coming freeze windows, the next first."""

    async def act(ground: Any) -> Any:
        from governance.freeze_windows import list_freezes  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await list_freezes(connection, now=ground.clock.now())

    rows = [
        (
            window.freeze_id,
            _show(window.starts_at),
            _show(window.ends_at),
            window.reason,
            window.created_by,
        )
        for window in with_ground(act)
    ]
    headings = ("freeze window", "from", "until", "reason", "announced by")
    print_table(headings, rows, whole=headings[:3])


@freeze_app.command("announce")
def freeze_announce(
    until: Annotated[str, typer.Option(help="When it ends: ISO 8601, UTC without a zone.")],
    reason: Annotated[str, typer.Option(help="Why; names and addresses in it are masked.")],
    start: Annotated[
        str | None, typer.Option("--from", help="When it begins; by default now.")
    ] = None,
    actor: Actor = None,
) -> None:
    """Announce a freeze window. Exit code 1 if it is refused."""
    starts_at = None if start is None else _read_moment("--from", start)
    ends_at = _read_moment("--until", until)
    name = name_actor(actor)

    async def act(ground: Any) -> Any:
        from governance.freeze_windows import FreezeWindows  # noqa: PLC0415 - heavy

        freezes = FreezeWindows(ground.clock, ground.ids, ground.audit)
        masked = await ground.mask_text(reason)
        async with ground.pool.connection() as connection:
            return await freezes.announce(
                connection,
                starts_at=starts_at or ground.clock.now(),
                ends_at=ends_at,
                reason=masked,
                created_by=name,
                correlation_id=ground.ids.new("cor"),
            )

    window = _with_governance(act)
    console.print(
        f"{window.freeze_id}: frozen from {_show(window.starts_at)} until {_show(window.ends_at)}",
        highlight=False,
        soft_wrap=True,
    )


@freeze_app.command("lift")
def freeze_lift(freeze_id: str, actor: Actor = None) -> None:
    """End a freeze window now, or call off one to come. Exit code 1 if there is none."""
    name = name_actor(actor)

    async def act(ground: Any) -> Any:
        from governance.freeze_windows import FreezeWindows  # noqa: PLC0415 - heavy

        freezes = FreezeWindows(ground.clock, ground.ids, ground.audit)
        async with ground.pool.connection() as connection:
            return await freezes.lift(
                connection, freeze_id, actor=name, correlation_id=ground.ids.new("cor")
            )

    console.print(f"{_with_governance(act).freeze_id} is lifted", highlight=False, soft_wrap=True)


def _with_governance(act: Any) -> Any:
    from governance.errors import GovernanceError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except GovernanceError as error:
        fail(str(error))


def _read_moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        complaints.print(f"eucora: {option}: not a date and time: {plain(text)}", highlight=False)
        raise typer.Exit(2) from error


def _show(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")

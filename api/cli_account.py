# SPDX-License-Identifier: Apache-2.0
"""Accounts and tokens at the command line."""

from typing import Annotated, Any

import typer

from api.cli_ground import complaints, console, fail, with_ground

account_app = typer.Typer(no_args_is_help=True, help="Accounts and tokens.")


@account_app.command("reset")
def account_reset(username: str) -> None:
    """Give an account a new random password and end its sessions."""
    from api.errors import ApiError  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> str:
        import secrets  # noqa: PLC0415 - beside its only use

        password = secrets.token_urlsafe(15)
        async with ground.pool.connection() as connection:
            await ground.accounts.set_password(
                connection,
                username=username,
                password=password,
                actor="system:cli",
                correlation_id=ground.ids.new("cor"),
            )
        return password

    try:
        console.print(f"new password of {username}: {with_ground(act)}", highlight=False)
    except ApiError as error:
        fail(str(error))


@account_app.command("service-token")
def account_service_token(
    name: str,
    scope: Annotated[list[str], typer.Option(help="telemetry, incidents or read; may be repeated")],
) -> None:
    """Make a bearer token for a service; an older one of that name stops working."""
    allowed = {"telemetry", "incidents", "read"}
    if not set(scope) <= allowed:
        complaints.print(f"eucora: scopes are {', '.join(sorted(allowed))}")
        raise typer.Exit(2)

    async def act(ground: Any) -> str:
        async with ground.pool.connection() as connection:
            token: str = await ground.accounts.create_service_token(
                connection,
                name=name,
                scopes=frozenset(scope),
                actor="system:cli",
                correlation_id=ground.ids.new("cor"),
            )
            return token

    print(with_ground(act))


@account_app.command("enrolment-token")
def account_enrolment_token() -> None:
    """Make a one-time token with which a device may enrol within the hour."""

    async def act(ground: Any) -> str:
        async with ground.pool.connection() as connection:
            token: str = await ground.accounts.create_enrolment_token(
                connection, actor="system:cli", correlation_id=ground.ids.new("cor")
            )
            return token

    print(with_ground(act))

# SPDX-License-Identifier: Apache-2.0
"""Accounts and tokens at the command line."""

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import typer

from api.accounts import Role
from api.cli_ground import (
    Actor,
    complaints,
    console,
    fail,
    name_actor,
    print_table,
    with_ground,
)
from api.errors import ApiError
from api.scopes import Scope

account_app = typer.Typer(no_args_is_help=True, help="Accounts and tokens.")
ROLES = tuple(role.value for role in Role)
SCOPES = [scope.value for scope in Scope]
Change = Callable[..., Awaitable[None]]


@account_app.command("reset")
def account_reset(
    username: Annotated[str, typer.Argument(help="The account's user name.")], actor: Actor = None
) -> None:
    """Give an account a new random password and end its sessions. Exit code 1 if there is none."""
    name = name_actor(actor)

    async def act(ground: Any) -> str:
        password = secrets.token_urlsafe(15)
        async with ground.pool.connection() as connection:
            await ground.accounts.set_password(
                connection,
                username=username,
                password=password,
                actor=name,
                correlation_id=ground.ids.new("cor"),
            )
        return password

    console.print(f"new password of {username}: {_with_accounts(act)}", highlight=False)


@account_app.command("list")
def account_list() -> None:
    """List accounts with their roles, and services with a token in use."""

    async def act(ground: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        async with ground.pool.connection() as connection:
            return (
                await ground.accounts.list(connection),
                await ground.tokens.list_services(connection),
            )

    accounts, services = with_ground(act)
    rows = [
        (
            one["username"],
            ", ".join(role.replace("_", " ") for role in one["roles"]),
            "disabled" if one["disabled_at"] else "may log in",
            f"{one['created_at']:%Y-%m-%d %H:%M}",
        )
        for one in accounts
    ]
    rows += [
        (
            f"service:{one['name']}",
            ", ".join(one["scopes"]),
            "has a token",
            f"{one['created_at']:%Y-%m-%d %H:%M}",
        )
        for one in services
    ]
    print_table(("account", "roles or scopes", "state", "since"), rows, whole=("account",))


@account_app.command("roles")
def account_roles(
    username: Annotated[str, typer.Argument(help="The account's user name.")],
    role: Annotated[
        list[str], typer.Option(help=f"{', '.join(ROLES)}; may be repeated. Others are taken away.")
    ],
    actor: Actor = None,
) -> None:
    """Give an account other roles. Exit code 1 where that cannot be."""
    if not set(role) <= set(ROLES):
        complaints.print(f"eucora: roles are {', '.join(ROLES)}")
        raise typer.Exit(2)

    def find(ground: Any) -> Change:
        roles = frozenset(map(Role, role))
        return partial(ground.account_changes.change_roles, username=username, roles=roles)

    _change(actor, find)
    console.print(f"{username} is {', '.join(sorted(set(role)))}", highlight=False)


@account_app.command("disable")
def account_disable(
    username: Annotated[str, typer.Argument(help="The account's user name.")], actor: Actor = None
) -> None:
    """End an account's sessions and let it log in no more. Exit code 1 where that cannot be."""
    _change(actor, lambda ground: partial(ground.account_changes.disable, username=username))
    console.print(f"{username} is disabled", highlight=False)


@account_app.command("enable")
def account_enable(
    username: Annotated[str, typer.Argument(help="The account's user name.")], actor: Actor = None
) -> None:
    """Let a disabled account log in again. Exit code 1 where that cannot be."""
    _change(actor, lambda ground: partial(ground.account_changes.enable, username=username))
    console.print(f"{username} may log in again", highlight=False)


@account_app.command("revoke-token")
def account_revoke_token(
    service: Annotated[str, typer.Argument(help="The service whose token it is.")],
    actor: Actor = None,
) -> None:
    """Take a service's token out of use at once. Exit code 1 if it has none."""
    _change(actor, lambda ground: partial(ground.tokens.revoke_service_token, name=service))
    console.print(f"the token of {service} works no more", highlight=False)


@account_app.command("service-token")
def account_service_token(
    service: Annotated[str, typer.Argument(help="Who will use it: a name of your choice.")],
    scope: Annotated[
        list[str],
        typer.Option(help=f"{', '.join(SCOPES[:-1])} or {SCOPES[-1]}; may be repeated"),
    ],
    actor: Actor = None,
) -> None:
    """Make a bearer token for a service; an older one of that name stops working."""
    name = name_actor(actor)
    if not set(scope) <= set(SCOPES):
        complaints.print(f"eucora: scopes are {', '.join(sorted(SCOPES))}")
        raise typer.Exit(2)

    async def act(ground: Any) -> str:
        async with ground.pool.connection() as connection:
            token: str = await ground.tokens.create_service_token(
                connection,
                name=service,
                scopes=frozenset(scope),
                actor=name,
                correlation_id=ground.ids.new("cor"),
            )
            return token

    print(_with_accounts(act))


@account_app.command("enrolment-token")
def account_enrolment_token(actor: Actor = None) -> None:
    """Make a one-time token with which a device may enrol within the hour."""
    name = name_actor(actor)

    async def act(ground: Any) -> str:
        async with ground.pool.connection() as connection:
            token: str = await ground.tokens.create_enrolment_token(
                connection, actor=name, correlation_id=ground.ids.new("cor")
            )
            return token

    print(with_ground(act))


def _change(actor: str | None, find: Callable[[Any], Change]) -> None:
    """Make the change that `find` returns for an open ground, in the name of who runs this."""
    name = name_actor(actor)

    async def act(ground: Any) -> None:
        async with ground.pool.connection() as connection:
            await find(ground)(connection, actor=name, correlation_id=ground.ids.new("cor"))

    _with_accounts(act)


def _with_accounts(act: Any) -> str:
    try:
        return str(with_ground(act))
    except ApiError as error:
        fail(str(error))

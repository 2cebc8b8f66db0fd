# SPDX-License-Identifier: Apache-2.0
"""What the commands stand on: settings read with clear complaints, an open ground, a console.

What others wrote goes through `plain` before it is printed: it may neither steer the terminal nor
pass for our own words.
"""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from guardrails.sanitise import plain_text
from kernel.errors import SettingsError
from kernel.settings import Settings

console = Console()
complaints = Console(stderr=True)
Actor = Annotated[
    str | None, typer.Option(help="Who does it; by default this operating system account.")
]


def plain(text: str) -> str:
    """Return somebody's text as the console shows it literally, without style or control."""
    return escape(plain_text(text))


def fail(message: str) -> NoReturn:
    """Complain and leave with exit code 1."""
    complaints.print(f"[red]eucora:[/red] {plain(message)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def read_settings() -> Settings:
    """Return the settings; leave with exit code 2 where they are wrong."""
    try:
        return Settings()
    except SettingsError as error:
        complaints.print(f"eucora: {error}")
        raise typer.Exit(2) from error
    except ValidationError as error:
        for fault in error.errors():
            name = "EUCORA_" + "_".join(str(part) for part in fault["loc"]).upper()
            complaints.print(f"eucora: {name}: {fault['msg']}", highlight=False)
        raise typer.Exit(2) from error


def with_ground(act: Callable[[Any], Awaitable[Any]]) -> Any:
    """Run a function on an open ground; starts the embedded server if need be."""
    from api.ground import (  # noqa: PLC0415 - heavy
        migrate_database,
        open_database,
        open_ground,
    )

    async def run() -> Any:
        settings = read_settings()
        async with open_database(settings) as addresses:
            await migrate_database(addresses)
            async with open_ground(settings, addresses) as ground:
                return await act(ground)

    return asyncio.run(run())


def name_actor(actor: str | None) -> str:
    """Return the name under which a command is audited: given, or the account that runs it."""
    name = (actor or getpass.getuser()).strip()
    if not name or len(name) > 64 or not name.isprintable():
        complaints.print("eucora: --actor is a name of at most 64 characters")
        raise typer.Exit(2)
    return f"cli:{name}"

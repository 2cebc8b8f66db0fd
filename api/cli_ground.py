# SPDX-License-Identifier: Apache-2.0
"""What the commands stand on: settings read with clear complaints, an open ground, a console.

What others wrote goes through `plain` before it is printed: it may neither steer the terminal nor
pass for our own words.
"""

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from api.child_process import SUPERVISOR_VARIABLE
from api.errors import UnknownDeciderError
from guardrails.sanitise import plain_text
from kernel.errors import SettingsError
from kernel.settings import CONFIG_VARIABLE, Settings, list_unknown_variables

PIPED_WIDTH = 10_000  # columns where no terminal is: programs that read lines want whole ones
NARROWEST = 8  # columns that free text may be folded to


def _open_console(*, stderr: bool = False) -> Console:
    opened = Console(stderr=stderr, emoji=False)  # `:name:` in a text stays what it is
    if not opened.is_terminal:
        opened.width = PIPED_WIDTH
    return opened


console = _open_console()
complaints = _open_console(stderr=True)
Actor = Annotated[
    str | None, typer.Option(help="Who does it; by default this operating system account.")
]

DecidedBy = Annotated[
    str,
    typer.Option(
        "--as", help="Who decides: an account that has the role for it.", metavar="ACCOUNT"
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides at the command line: an account, as which nobody has to log in here."""

    actor: str
    roles: frozenset[str]
    authenticated_at: datetime


def plain(text: str) -> str:
    """Return somebody's text as the console shows it literally, without style or control."""
    return escape(plain_text(text))


def line(text: str) -> str:
    """Return somebody's text on one line: with line ends of its own it could pass for our lines."""
    return plain(" ".join(plain_text(text).split()))


def quote(text: str) -> str:
    """Return somebody's text with a bar before each line: none passes for a line of ours."""
    return "\n".join(f"  | {plain(each)}" for each in plain_text(text).split("\n"))


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, whole: Collection[str] = ()
) -> None:
    """Print rows of plain text, taken literally.

    Where the terminal is too narrow text is folded, but no word of the columns named `whole`
    (identifiers, which people copy) is cut or broken: rather the lines run over.
    """
    table = Table()
    cells = [[plain_text(cell) for cell in row] for row in rows]
    widths = [
        max(cell_len(text) for text in (heading, *(row[position] for row in cells)))
        for position, heading in enumerate(headings)
    ]
    frame = 3 * len(headings) + 1
    is_narrow = sum(widths) + frame > console.width
    least = frame
    for position, heading in enumerate(headings):
        words = [word for row in cells for word in row[position].split()]
        longest = max(map(cell_len, (heading, *words)))
        fixed = longest if is_narrow and heading in whole else None
        table.add_column(heading, overflow="fold", width=fixed)
        least += fixed or min(widths[position], NARROWEST)
    if least > console.width:
        table.width = least
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table, crop=False)


def fail(message: str) -> NoReturn:
    """Complain and leave with exit code 1."""
    complaints.print(f"[red]eucora:[/red] {plain(message)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def read_settings() -> Settings:
    """Return the settings; leave with exit code 2 where they are wrong."""
    if SUPERVISOR_VARIABLE not in os.environ:  # else `eucora up` has said so
        for name in list_unknown_variables(os.environ):
            _complain(f"warning: there is no setting {name}; it is ignored")
    try:
        return Settings()
    except SettingsError as error:
        _complain(str(error))
        raise typer.Exit(2) from error
    except ValidationError as error:
        for fault in error.errors():
            _complain(f"{_name_setting(str(fault['loc'][0]))}: {fault['msg']}")
        raise typer.Exit(2) from error


def _complain(message: str) -> None:
    complaints.print(f"eucora: {plain(message)}", highlight=False, soft_wrap=True)


def _name_setting(name: str) -> str:
    """Return how the operator wrote a setting: as a variable, or as a key of the file."""
    variable = f"EUCORA_{name.upper()}"
    if variable in {written.upper() for written in os.environ}:
        return variable
    return f"{os.environ.get(CONFIG_VARIABLE, '')}: {name}"


def with_ground(act: Callable[[Any], Awaitable[Any]], *, may_install: bool = False) -> Any:
    """Run a function on an open ground; starts the embedded server if need be.

    Where there is no installation it leaves with exit code 1, unless the command may make one:
    an empty one has nothing to tell, and hides that the folder was the wrong one.
    """
    from api.ground import (  # noqa: PLC0415 - heavy
        is_installed,
        migrate_database,
        open_database,
        open_ground,
    )

    settings = read_settings()
    if not may_install and not is_installed(settings):
        fail(
            f"there is no installation in {settings.data_dir}: start one with `eucora up`, or set"
            " EUCORA_DATA_DIR"
        )

    async def run() -> Any:
        async with open_database(settings) as addresses:
            await migrate_database(addresses)
            async with open_ground(settings, addresses) as ground:
                return await act(ground)

    try:
        return asyncio.run(run())
    except UnknownDeciderError as error:
        fail(str(error))


def name_actor(actor: str | None, option: str = "--actor") -> str:
    """Return the name under which a command is audited: given, or the account that runs it."""
    name = (actor or getpass.getuser()).strip()
    if not name or len(name) > 64 or not name.isprintable():
        complaints.print(f"eucora: {option} is a name of at most 64 characters")
        raise typer.Exit(2)
    return f"cli:{name}"


async def find_decider(ground: Any, account: str) -> Decider:
    """Return an account with its roles; one that is unknown or disabled decides nothing.

    Raises:
        UnknownDeciderError: audited.
    """
    actor = name_actor(account, "--as")
    async with ground.pool.connection() as connection:
        accounts = {one["username"]: one for one in await ground.accounts.list(connection)}
        found = accounts.get(account)
        if found is None or found["disabled_at"] is not None:
            trouble = "unknown" if found is None else "disabled"
            await ground.audit.record(
                connection,
                actor=actor,
                action="account.decision_refused",
                subject_kind="account",
                subject_id=account,
                correlation_id=ground.ids.new("cor"),
                after={"refusal": f"account_{trouble}"},
            )
    if found is None:
        raise UnknownDeciderError(
            f"there is no account {account}; eucora account list has all of them and their roles"
        )
    if found["disabled_at"] is not None:
        raise UnknownDeciderError(f"the account {account} is disabled")
    return Decider(
        actor=actor, roles=frozenset(found["roles"]), authenticated_at=ground.clock.now()
    )

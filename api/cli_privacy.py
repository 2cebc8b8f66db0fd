# SPDX-License-Identifier: Apache-2.0
"""Pseudonyms and people at the command line: what masking knows, what the vault holds."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_ground import (
    Actor,
    DecidedBy,
    console,
    fail,
    find_decider,
    name_actor,
    print_table,
    with_ground,
)

privacy_app = typer.Typer(
    no_args_is_help=True, help="Personal data: the directory, pseudonyms, erasure."
)
IncidentId = Annotated[str, typer.Argument(help="Its id, as `incident list` has it.")]
Reason = Annotated[str, typer.Option(help="Why; it is audited, names in it are masked.")]
# The bounds are guardrails.reidentification's, which is slow to load; a test compares them.
RevealReason = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, in 10 to 1000 characters; it is audited, names in it are masked.",
    ),
]
NOTHING_MASKED = "nothing of this incident was masked"


@privacy_app.command("directory")
def privacy_directory() -> None:
    """Tell how many names masking knows: people, user names, hosts, serial numbers."""

    async def act(ground: Any) -> tuple[int, int]:
        from guardrails.directory import Directory  # noqa: PLC0415 - heavy
        from guardrails.directory_feed import DirectoryFeed  # noqa: PLC0415 - heavy

        directory = Directory(is_complete=False)
        await DirectoryFeed(ground.pool, directory, ground.clock).refresh()
        return directory.n_names, directory.n_identifiers

    n_names, n_identifiers = with_ground(act)
    console.print(f"{n_names} parts of people's names", highlight=False)
    console.print(f"{n_identifiers} user names, host names and serial numbers", highlight=False)


@privacy_app.command("import")
def privacy_import(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="A CSV file with column names."),
    ],
    actor: Actor = None,
) -> None:
    """Tell masking about people and machines from a CSV file, such as an export of your directory.

    Columns: user_id, display_name, upn, department (people with devices here), and name, host,
    asset_tag for whoever and whatever else is to be masked. Others are ignored.

    What is there already stays; an empty field changes nothing. Exit code 1 if it cannot be read.
    """
    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from guardrails.directory_import import import_names, read_names  # noqa: PLC0415 - heavy
        from guardrails.errors import DirectoryFileError  # noqa: PLC0415 - heavy

        try:
            stated = read_names(file)
        except DirectoryFileError as error:
            return str(error)
        async with ground.pool.connection() as connection:
            return await import_names(
                connection, stated, ground.people, ground.clock, ground.audit,
                actor=who, correlation_id=ground.ids.new("cor"),
            )  # fmt: skip

    imported = with_ground(act)
    if isinstance(imported, str):
        fail(imported)
    console.print(
        f"{imported.n_users} people and {imported.n_entries} other names are new or changed",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


@privacy_app.command("pseudonyms")
def privacy_pseudonyms(incident_id: IncidentId) -> None:
    """List an incident's pseudonyms, and who was shown what they stand for.

    Exit code 1 if there is no such incident.
    """

    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            holding = await ground.reidentification.describe(connection, incident_id)
            known = await ground.incidents.find(connection, incident_id) is not None
        return holding if known or holding.pseudonyms or holding.erased_at else None

    holding = with_ground(act)
    if holding is None:
        fail(f"there is no incident {incident_id}: eucora incident list has their ids")
    if holding.erased_at is not None:
        console.print(f"the originals were erased at {holding.erased_at:%Y-%m-%d %H:%M} UTC")
    console.print(" ".join(holding.pseudonyms) or NOTHING_MASKED, highlight=False, soft_wrap=True)
    rows = [
        (f"{one['revealed_at']:%Y-%m-%d %H:%M} UTC", one["actor"], " ".join(one["pseudonyms"]),
         one["reason"])
        for one in holding.reveals
    ]  # fmt: skip
    if rows:
        print_table(("shown", "to", "what", "why"), rows)


@privacy_app.command("reveal")
def privacy_reveal(
    incident_id: IncidentId,
    pseudonyms: Annotated[list[str], typer.Argument(help="Such as '<PERSON_1>'.")],
    decider: DecidedBy,
    reason: RevealReason,
) -> None:
    """Print what pseudonyms of an incident stand for, for a security reviewer.

    Exit code 1 if that is refused.
    """

    async def act(ground: Any) -> Any:
        from api.originals import reveal_originals  # noqa: PLC0415 - heavy
        from governance.errors import RoleMissingError  # noqa: PLC0415 - heavy
        from guardrails.errors import VaultError  # noqa: PLC0415 - heavy
        from guardrails.reidentification import RevealRequest  # noqa: PLC0415 - heavy

        who = await find_decider(ground, decider)
        request = RevealRequest(
            incident_id=incident_id,
            pseudonyms=tuple(pseudonyms),
            actor=who.actor,
            reason=reason,
            correlation_id=ground.ids.new("cor"),
        )
        try:
            return await reveal_originals(ground, request, who.roles)
        except (RoleMissingError, VaultError) as error:
            return str(error)

    revealed = with_ground(act)
    if isinstance(revealed, str):
        fail(revealed)
    print_table(("pseudonym", "original"), sorted(revealed.items()))


@privacy_app.command("erase")
def privacy_erase(
    user_id: Annotated[
        str,
        typer.Argument(
            help="The person's user id: the login name that devices report, or the column user_id"
            " of what `privacy import` read."
        ),
    ],
    decider: DecidedBy,
    reason: Reason,
    also: Annotated[
        list[str] | None, typer.Option(help="Another name of theirs; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise only count.")] = False,
) -> None:
    """Erase a person for good: the originals of all incidents that name them, their inventory rows.

    A security reviewer decides. The other originals of these incidents are erased with them. Proofs
    stay valid. Exit code 1 if nothing names the person, or it is refused.
    """
    names = tuple(also or ())

    async def act(ground: Any) -> Any:
        from api.originals import erase_originals  # noqa: PLC0415 - heavy
        from governance.errors import RoleMissingError  # noqa: PLC0415 - heavy
        from guardrails.errors import VaultError  # noqa: PLC0415 - heavy

        who = await find_decider(ground, decider)
        try:
            return await erase_originals(
                ground, user_id, other_names=names, actor=who.actor, roles=who.roles,
                reason=reason, correlation_id=ground.ids.new("cor"), dry=not yes,
            )  # fmt: skip
        except (RoleMissingError, VaultError) as error:
            return str(error)

    erased = with_ground(act)
    if isinstance(erased, str):
        fail(erased)
    console.print(
        f"{'erased' if yes else 'would erase'}: the originals of"
        f" {len(erased.incident_ids)} incidents"
        f"{', and the person in the directory' if erased.was_known else ''}"
        f"{'' if yes else '; run again with --yes'}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip

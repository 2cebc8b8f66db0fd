# SPDX-License-Identifier: Apache-2.0
"""Incidents at the command line."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import console, fail, plain, print_table, with_ground

if TYPE_CHECKING:
    from api.fleet_view import FleetView

incident_app = typer.Typer(no_args_is_help=True, help="Incidents: list, show.")


@incident_app.command("list")
def incident_list(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30,
) -> None:
    """List incidents, newest first."""

    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            return await ground.incidents.list(connection, limit=limit)

    rows = [
        (
            incident.incident_id,
            incident.severity.value,
            incident.status.value,
            incident.failure_class.value,
            incident.title,
        )
        for incident in with_ground(act)
    ]
    print_table(("incident", "severity", "status", "class", "title"), rows, whole=("incident",))


@incident_app.command("show")
def incident_show(incident_id: str) -> None:
    """Show an incident's time line, and what devices have in common. Exit code 1 if none."""

    async def act(ground: Any) -> Any:
        from api.fleet_view import view_fleet  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            incident = await ground.incidents.find(connection, incident_id)
            timeline = await ground.incidents.timeline(connection, incident_id)
            return incident, timeline, await view_fleet(connection, incident_id)

    incident, timeline, fleet = with_ground(act)
    if incident is None:
        fail(f"there is no incident {incident_id}")
        return
    console.print(
        f"{plain(incident.title)} ({incident.severity.value}, {incident.status.value})",
        soft_wrap=True,
    )
    console.print(plain(incident.description), highlight=False, soft_wrap=True)
    if incident.part_of:
        console.print(f"part of the fleet incident {incident.part_of}", highlight=False)
    if fleet is not None:
        _print_fleet(fleet)
    for step in timeline:
        moment = step.occurred_at.isoformat(timespec="seconds")
        said = plain(f"{step.reason} ({step.actor})")
        console.print(f"  {moment} {step.to_status.value}: {said}", soft_wrap=True)


def _print_fleet(fleet: "FleetView") -> None:
    console.print(
        f"  {plain(fleet.cohort)}: {fleet.n_live} affected now, {fleet.n_members} in all",
        highlight=False,
        soft_wrap=True,
    )
    rows = [
        (one.name, f"{one.n_affected} of {fleet.n_affected}", f"{one.n_devices} of {fleet.n_fleet}")
        for one in fleet.shares
    ]
    print_table(("held by", "affected", "all that report"), rows)
    names = ", ".join(str(one["hostname"]) for one in fleet.members if one["left_at"] is None)
    console.print(f"  affected: {plain(names)}", highlight=False, soft_wrap=True)

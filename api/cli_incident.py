# SPDX-License-Identifier: Apache-2.0
"""Incidents at the command line."""

from typing import Annotated, Any

import typer

from api.cli_ground import console, fail, plain, print_table, with_ground

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
    """Show an incident's time line. Exit code 1 if there is none."""

    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            incident = await ground.incidents.find(connection, incident_id)
            return incident, await ground.incidents.timeline(connection, incident_id)

    incident, timeline = with_ground(act)
    if incident is None:
        fail(f"there is no incident {incident_id}")
        return
    console.print(
        f"{plain(incident.title)} ({incident.severity.value}, {incident.status.value})",
        soft_wrap=True,
    )
    console.print(plain(incident.description), highlight=False, soft_wrap=True)
    for step in timeline:
        moment = step.occurred_at.isoformat(timespec="seconds")
        said = plain(f"{step.reason} ({step.actor})")
        console.print(f"  {moment} {step.to_status.value}: {said}", soft_wrap=True)

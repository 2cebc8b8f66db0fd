# SPDX-License-Identifier: Apache-2.0
"""Incidents at the command line."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import (
    Actor,
    complaints,
    console,
    fail,
    line,
    name_actor,
    plain,
    print_table,
    quote,
    with_ground,
)

if TYPE_CHECKING:
    from api.class_labels import Labelled
    from api.class_view import ClassView
    from api.fleet_view import FleetView
    from contracts.failure import FailureClass

incident_app = typer.Typer(no_args_is_help=True, help="Incidents: list, show, say what one is.")
IncidentId = Annotated[str, typer.Argument(help="Its id, as `incident list` has it.")]


@incident_app.command("list")
def incident_list(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30,
) -> None:
    """List incidents, newest first.

    A fleet incident shows the device that stands for the others.
    """

    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            return await ground.incidents.list(connection, limit=limit)

    rows = [
        (
            incident.incident_id,
            f"{incident.opened_at:%Y-%m-%d %H:%M} UTC",
            incident.device_id or "",
            incident.severity.value,
            incident.status.value,
            incident.failure_class.value,
            incident.title,
        )
        for incident in with_ground(act)
    ]
    headings = ("incident", "opened", "device", "severity", "status", "class", "title")
    print_table(headings, rows, whole=("incident", "device"))


@incident_app.command("show")
def incident_show(incident_id: IncidentId) -> None:
    """Show an incident's time line, and what devices have in common. Exit code 1 if none."""

    async def act(ground: Any) -> Any:
        from api.class_view import view_class  # noqa: PLC0415 - heavy
        from api.fleet_view import view_fleet  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            incident = await ground.incidents.find(connection, incident_id)
            if incident is None:
                return None
            timeline = await ground.incidents.timeline(connection, incident_id)
            class_view = await view_class(connection, incident)
            return incident, class_view, timeline, await view_fleet(connection, incident_id)

    found = with_ground(act)
    if found is None:
        fail(f"there is no incident {incident_id}; `eucora incident list` has them")
    incident, class_view, timeline, fleet = found
    console.print(
        f"{line(incident.title)} ({incident.severity.value}, {incident.status.value})",
        soft_wrap=True,
    )
    console.print(quote(incident.description), highlight=False, soft_wrap=True)
    _print_class(class_view)
    if incident.part_of:
        console.print(f"part of the fleet incident {incident.part_of}", highlight=False)
    if fleet is not None:
        _print_fleet(fleet)
    for step in timeline:
        moment = step.occurred_at.isoformat(timespec="seconds")
        said = line(f"{step.reason} ({step.actor})")
        console.print(f"  {moment} {step.to_status.value}: {said}", soft_wrap=True)


@incident_app.command("label")
def incident_label(
    incident_id: IncidentId,
    failure_class: Annotated[
        str, typer.Argument(help="What it is; unknown: none of the known failures, or no fault.")
    ],
    reason: Annotated[str, typer.Option(help="How you know; names in it are masked.")] = "",
    seen: Annotated[
        str | None, typer.Option(help="The class that you saw; another one meanwhile is refused.")
    ] = None,
    actor: Actor = None,
) -> None:
    """Say what an incident is; classifiers learn from it. Exit code 1 if it cannot be changed."""
    who = name_actor(actor)
    stated_class, seen_class = _read_class(failure_class), _read_class(seen) if seen else None

    async def act(ground: Any) -> Any:
        from api.class_labels import label_incident  # noqa: PLC0415 - heavy
        from telemetry.errors import (  # noqa: PLC0415 - heavy
            TelemetryError,
            UnknownIncidentError,
        )
        from telemetry.incident_classes import (  # noqa: PLC0415 - heavy
            MAX_REASON_CHARACTERS,
            ClassStatement,
        )

        stated = ClassStatement(
            incident_id=incident_id,
            failure_class=stated_class,
            seen_class=seen_class,
            actor=who,
            reason=await ground.cases.mask_apart(
                incident_id,
                reason[:MAX_REASON_CHARACTERS],
                actor=who,
                correlation_id=ground.ids.new("cor"),
            ),
        )
        try:
            async with ground.pool.connection() as connection:
                return await label_incident(ground, connection, stated)
        except UnknownIncidentError as error:
            return f"{error}; `eucora incident list` has them"
        except TelemetryError as error:
            return str(error)

    labelled = with_ground(act)
    if isinstance(labelled, str):
        fail(labelled)
    _print_labelled(labelled)


def _print_labelled(labelled: "Labelled") -> None:
    """Print what an incident is now, and what that leads to."""
    from api.class_labels import CONSEQUENCE_WORDS  # noqa: PLC0415 - heavy

    incident, words = labelled.incident, CONSEQUENCE_WORDS[labelled.consequence]
    console.print(
        f"{incident.incident_id} is {incident.failure_class.value}. {words}",
        highlight=False,
        soft_wrap=True,
    )


def _read_class(name: str) -> "FailureClass":
    """Return a class by its name, also as pages print it; leave with code 2 where there is none."""
    from contracts.failure import FailureClass  # noqa: PLC0415 - heavy

    try:
        return FailureClass("_".join(re.split(r"[\s_-]+", name.strip().lower())))
    except ValueError as error:
        known = ", ".join(sorted(FailureClass))
        complaints.print(
            f"eucora: there is no class {plain(name)}; classes are {known}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        raise typer.Exit(2) from error


def _print_class(class_view: "ClassView") -> None:
    """Print what the models said, what they could not rule out, and what people said."""
    whose = (
        f"says {class_view.stated.speaker}"
        if class_view.stated
        else f"{class_view.confidence:.0%} sure"
    )
    console.print(
        plain(f"  what it is: {class_view.words} ({whose})"),
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    if class_view.taken:
        text = f"  the newest proposal takes it for: {class_view.taken_words}"
        console.print(plain(text), highlight=False, soft_wrap=True)
    for one in class_view.answers:
        possible = f"; cannot rule out {', '.join(one.alternatives)}" if one.alternatives else ""
        console.print(
            plain(f"  {one.name} {one.version}: {one.answer} ({one.confidence:.0%}){possible}"),
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    for label in class_view.labels:
        said = f"{label.from_class} -> {label.failure_class} ({label.speaker}) {label.reason}"
        moment = label.created_at.isoformat(timespec="seconds")
        console.print(f"  {moment} {line(said)}", highlight=False, soft_wrap=True)
    if class_view.advice:
        console.print(f"  {class_view.advice}", highlight=False, soft_wrap=True)


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

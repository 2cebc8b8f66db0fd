# SPDX-License-Identifier: Apache-2.0
"""Policies at the command line: versions, and which is in force.

Whoever may run commands on this machine may propose. Who decides names an account, whose roles are
asked for like in the portal; nobody puts in force what they proposed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import (
    Actor,
    DecidedBy,
    console,
    fail,
    find_decider,
    name_actor,
    plain,
    print_table,
    with_ground,
)
from api.cli_policy_checks import policy_diff, policy_dry_run, policy_explain, policy_test
from api.cli_policy_target import Target, is_stored, read_target

if TYPE_CHECKING:
    from governance.policy_rules import PolicyDecider

policy_app = typer.Typer(
    no_args_is_help=True,
    help="Policies: their versions, what they decide, and which is in force. One person proposes a"
    " version, another puts it in force.",
)
Reason = Annotated[str, typer.Option(help="Why; it is audited and stands in the evidence.")]
Change = Annotated[str, typer.Argument(help="As `policy list` prints it.", metavar="CHANGE")]
policy_app.command("test")(policy_test)
policy_app.command("diff")(policy_diff)
policy_app.command("explain")(policy_explain)
policy_app.command("dry-run")(policy_dry_run)


@policy_app.command("list")
def policy_list() -> None:
    """List stored versions, which is in force, and the changes that wait for a decision."""

    async def act(ground: Any) -> Any:
        from guardrails.policy_store import (  # noqa: PLC0415 - heavy
            list_activations,
            list_changes,
            list_versions,
        )

        async with ground.pool.connection() as connection:
            return (
                await list_versions(connection),
                await list_activations(connection),
                await list_changes(connection),
            )

    versions, activations, changes = _with_policies(act)
    numbers = {version.policy_digest: str(version.version) for version in versions}
    _print_versions(versions, activations)
    _print_waiting(changes, numbers)
    _print_activations(activations, numbers)


def _print_versions(versions: Any, activations: Any) -> None:
    in_force = activations[0].policy_digest if activations else None
    rows = [
        (
            str(version.version),
            "in force" if version.policy_digest == in_force else "",
            version.policy_digest,
            version.proposed_by,
            f"{version.created_at:%Y-%m-%d %H:%M}",
            version.reason,
        )
        for version in versions
    ]
    headings = ("version", "state", "digest", "proposed by", "when", "reason")
    print_table(headings, rows, whole=("version", "digest"))


def _print_waiting(changes: Any, numbers: dict[str, str]) -> None:
    rows = [
        (
            change.change_id,
            change.kind.value,
            numbers[change.policy_digest],
            change.proposed_by,
            change.reason,
        )
        for change in changes
        if change.decision is None
    ]
    if rows:
        headings = ("change", "kind", "version", "proposed by", "reason")
        print_table(headings, rows, whole=("change",))


def _print_activations(activations: Any, numbers: dict[str, str]) -> None:
    rows = [
        (
            activation.activation_id,
            activation.kind.value,
            numbers[activation.policy_digest],
            activation.proposed_by,
            activation.activated_by,
            f"{activation.created_at:%Y-%m-%d %H:%M:%S}",
        )
        for activation in activations
    ]
    headings = ("activation", "kind", "version", "proposed by", "activated by", "when")
    print_table(headings, rows, whole=("activation",))


@policy_app.command("show")
def policy_show(target: Target = "active") -> None:
    """Print the Rego of a policy, file by file, and its digest."""
    source = read_target(target)
    for name, text in source.files.items():
        console.print(plain(f"# {name}"), highlight=False, soft_wrap=True)
        console.print(plain(text), highlight=False, soft_wrap=True)
    console.print(plain(f"# digest {source.digest}"), highlight=False, soft_wrap=True)


@policy_app.command("propose")
def policy_propose(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    reason: Reason,
    actor: Actor = None,
) -> None:
    """Store the policies of a folder as a signed version, for another person to put in force.

    They must load, and decide all their cases. Exit code 1 if they are refused.
    """
    name = name_actor(actor)
    source = read_target(str(folder.resolve()))

    async def act(ground: Any) -> Any:
        from api.policy_changes import PolicyChanges  # noqa: PLC0415 - heavy
        from governance.policy_rules import PolicyActor  # noqa: PLC0415 - heavy

        did = PolicyActor(
            actor=name,
            reason=await ground.mask_text(reason),
            correlation_id=ground.ids.new("cor"),
        )
        return await PolicyChanges(ground).propose(source, did)

    change = _with_policies(act)
    _say(
        f"{change.change_id}: another person puts it in force with eucora policy activate"
        f" {change.change_id} --as ACCOUNT --reason WHY"
    )


@policy_app.command("activate")
def policy_activate(change_id: Change, decider: DecidedBy, reason: Reason) -> None:
    """Put in force what another person has proposed. Exit code 1 if it is refused.

    Every process decides by it from then on.
    """

    async def act(ground: Any) -> Any:
        from api.policy_changes import PolicyChanges  # noqa: PLC0415 - heavy

        return await PolicyChanges(ground).activate(change_id, await _did(ground, decider, reason))

    activation = _with_policies(act)
    _say(f"{activation.activation_id}: {activation.policy_digest} is in force")


@policy_app.command("reject")
def policy_reject(change_id: Change, decider: DecidedBy, reason: Reason) -> None:
    """Decide that a proposed change is not made. Exit code 1 if it was decided already."""

    async def act(ground: Any) -> Any:
        from api.policy_changes import PolicyChanges  # noqa: PLC0415 - heavy

        return await PolicyChanges(ground).reject(change_id, await _did(ground, decider, reason))

    _say(f"{_with_policies(act).change_id} is rejected")


@policy_app.command("rollback")
def policy_rollback(decider: DecidedBy, reason: Reason) -> None:
    """Propose to go back to the version before the one in force; another person activates it."""

    async def act(ground: Any) -> Any:
        from api.policy_changes import PolicyChanges  # noqa: PLC0415 - heavy

        return await PolicyChanges(ground).propose_rollback(await _did(ground, decider, reason))

    change = _with_policies(act)
    _say(
        f"{change.change_id}: another person goes back to {change.policy_digest} with eucora"
        f" policy activate {change.change_id} --as ACCOUNT --reason WHY"
    )


@policy_app.command("bundle")
def policy_bundle(target: Target, file: Annotated[Path, typer.Argument(dir_okay=False)]) -> None:
    """Write a policy as a bundle for OPA servers (.tar.gz); its revision is the policy's digest."""
    from guardrails.policy_bundle import write_bundle  # noqa: PLC0415 - heavy

    source = read_target(target)
    file.write_bytes(write_bundle(source))
    _say(f"{file}: revision {source.digest}")
    if not is_stored(target):
        _say("it is not a stored version: as long as a server holds it, everything is denied")


@policy_app.command("export")
def policy_export(
    activation_id: Annotated[str, typer.Argument(metavar="ACTIVATION")],
    file: Annotated[Path, typer.Argument(dir_okay=False)],
) -> None:
    """Write the evidence of an activation; `eucora verify FILE` checks it."""

    async def act(ground: Any) -> bytes:
        from api.case_export import export_activation  # noqa: PLC0415 - heavy

        return await export_activation(ground, activation_id)

    file.write_bytes(_with_policies(act))
    _say(f"{file}: check it with eucora verify {file}")


async def _did(ground: Any, account: str, reason: str) -> "PolicyDecider":
    from governance.policy_rules import PolicyDecider  # noqa: PLC0415 - heavy

    who = await find_decider(ground, account)
    return PolicyDecider(
        actor=who.actor,
        roles=who.roles,
        authenticated_at=who.authenticated_at,
        reason=await ground.mask_text(reason),
        correlation_id=ground.ids.new("cor"),
    )


def _with_policies(act: Any) -> Any:
    from api.errors import NotFoundError  # noqa: PLC0415 - heavy
    from governance.errors import GovernanceError  # noqa: PLC0415 - heavy
    from guardrails.errors import PolicyError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except (PolicyError, GovernanceError, NotFoundError) as error:
        fail(str(error))


def _say(text: str) -> None:
    console.print(plain(text), highlight=False, soft_wrap=True)

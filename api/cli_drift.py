# SPDX-License-Identifier: Apache-2.0
"""Drift at the command line: what changed, and decisions on retraining."""

from typing import Annotated, Any

import typer

from api.cli_ground import Actor, console, fail, name_actor, plain, print_table, with_ground

drift_app = typer.Typer(
    no_args_is_help=True,
    help="Drift: what changed, where and since when; accept or dismiss to retrain.",
)
EpisodeId = Annotated[str, typer.Argument(help="Its id, as `drift list` has it.")]
ProposalId = Annotated[
    str, typer.Argument(help="The id of a retraining proposal, as `drift list` has it.")
]


@drift_app.command("list")
def drift_list() -> None:
    """List drift episodes and retraining proposals, the newest first."""

    async def act(ground: Any) -> Any:
        from models.drift_episodes import list_episodes  # noqa: PLC0415 - heavy
        from models.retraining_proposals import list_retraining  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await list_episodes(connection), await list_retraining(connection)

    episodes, proposals = with_ground(act)
    headings = ("episode", "since", "strongest", "where", "effect", "features", "cohorts")
    rows = [
        (
            one.episode_id,
            _show(one.began_at),
            one.metric,
            one.cohort,
            f"{one.effect:+.2f} sd",
            str(one.n_metrics),
            str(one.n_cohorts),
        )
        for one in episodes
    ]
    print_table(headings, rows, whole=headings[:2])
    print_proposals(proposals)


@drift_app.command("show")
def drift_show(episode_id: EpisodeId) -> None:
    """Show what changed together: by effect, with where and since when. Exit code 1: no such."""

    async def act(ground: Any) -> Any:
        from models.drift_episodes import find_episode  # noqa: PLC0415 - heavy
        from models.retraining_proposals import list_retraining  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            episode = await find_episode(connection, episode_id)
            return episode, await list_retraining(connection, episode_id=episode_id)

    episode, proposals = _with_models(act)
    console.print(
        f"{plain(episode.episode_id)}: since {_show(episode.began_at)}, with 95 % between"
        f" {_show(episode.began_earliest)} and {_show(episode.began_latest)}",
        highlight=False,
        soft_wrap=True,
    )
    headings = ("what", "where", "kind", "effect", "before", "after", "since")
    rows = [
        (
            kept.alarm.metric,
            kept.alarm.cohort,
            kept.alarm.kind.value,
            f"{kept.alarm.effect:+.2f} sd",
            f"{kept.alarm.level_before:.4g}",
            f"{kept.alarm.level_after:.4g}",
            _show(kept.alarm.since),
        )
        for kept in episode.alarms
    ]
    print_table(headings, rows)
    print_proposals(proposals)


@drift_app.command("accept")
def drift_accept(proposal_id: ProposalId, actor: Actor = None) -> None:
    """Agree to retrain a model; it is then to be trained. Exit code 1 if it is decided already."""
    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from models.retraining_proposals import RetrainingProposals  # noqa: PLC0415 - heavy

        retraining = RetrainingProposals(ground.clock, ground.ids, ground.audit)
        async with ground.pool.connection() as connection:
            return await retraining.accept(
                connection, proposal_id, actor=who, correlation_id=ground.ids.new("cor")
            )

    accepted = _with_models(act)
    console.print(
        f"{accepted.proposal_id} is accepted. Run: eucora train {accepted.model_name}",
        highlight=False,
        soft_wrap=True,
    )


@drift_app.command("dismiss")
def drift_dismiss(
    proposal_id: ProposalId,
    reason: Annotated[str, typer.Option(help="Why; names and addresses in it are masked.")],
    actor: Actor = None,
) -> None:
    """Leave a model as it is, and say why. Exit code 1 if it is decided already."""
    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from models.retraining_proposals import RetrainingProposals  # noqa: PLC0415 - heavy

        retraining = RetrainingProposals(ground.clock, ground.ids, ground.audit)
        masked = await ground.mask_text(reason)
        async with ground.pool.connection() as connection:
            return await retraining.dismiss(
                connection,
                proposal_id,
                reason=masked,
                actor=who,
                correlation_id=ground.ids.new("cor"),
            )

    dismissed = _with_models(act)
    console.print(f"{dismissed.proposal_id} is dismissed", highlight=False, soft_wrap=True)


def print_proposals(proposals: Any) -> None:
    """Print retraining proposals as a table, where there are any."""
    if not proposals:
        return
    headings = ("proposal", "model", "status", "why", "from what", "decided by")
    rows = [
        (
            one.proposal_id,
            one.model_name,
            one.status.value,
            one.reason,
            one.training_data,
            one.decided_by or "",
        )
        for one in proposals
    ]
    print_table(headings, rows, whole=headings[:3])


def _with_models(act: Any) -> Any:
    from models.drift_errors import (  # noqa: PLC0415 - heavy
        DriftEpisodeMissingError,
        RetrainingProposalMissingError,
    )
    from models.errors import ModelError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except (DriftEpisodeMissingError, RetrainingProposalMissingError) as error:
        fail(f"{error}; `eucora drift list` has them")
    except ModelError as error:
        fail(str(error))


def _show(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%d %H:%M UTC"))

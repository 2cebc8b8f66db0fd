# SPDX-License-Identifier: Apache-2.0
"""Models at the command line: train, list, promote."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from api.cli_ground import Actor, console, fail, name_actor, plain, print_table, with_ground

models_app = typer.Typer(no_args_is_help=True, help="Models: list their versions, promote one.")


def train(
    name: Annotated[str, typer.Argument(help="health, tickets, recommender or ranking")],
    seed: Annotated[int, typer.Option(help="Makes the training repeatable.")] = 0,
) -> None:
    """Train a model and register it in MLflow as challenger; the champion stays.

    The recommender also learns from what people decided and from verified fixes; the ranking of
    searches learns from what helped, and is judged on the latest quarter of it.
    """
    from models.training import train as train_model  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> Any:
        from api.ground import open_registry  # noqa: PLC0415 - heavy
        from models.experience import list_outcomes  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            outcomes = await list_outcomes(connection) if name == "recommender" else []
        return await asyncio.to_thread(
            train_model,
            name,
            registry=open_registry(ground),
            knowledge_dir=ground.settings.knowledge_dir,
            seed=seed,
            progress=console.print,
            outcomes=outcomes,
        )

    trained = _with_models(_train_ranking(seed) if name == "ranking" else act)
    console.print(f"{name} version {trained.version} is registered")
    for metric, value in trained.metrics.items():
        console.print(f"  {metric}: {value:.4f}")


def _train_ranking(seed: int) -> Callable[[Any], Awaitable[Any]]:
    async def act(ground: Any) -> Any:
        from api.ground import open_embedder, open_registry  # noqa: PLC0415 - heavy
        from api.ranking_training import register_first_ranking, train_on_labels  # noqa: PLC0415

        registry = open_registry(ground)
        await asyncio.to_thread(register_first_ranking, registry)
        return await train_on_labels(
            ground.pool,
            open_embedder(ground),
            registry,
            seed=seed,
            progress=console.print,
        )

    return act


@models_app.command("list")
def models_list() -> None:
    """List the registered versions of all models, the newest first."""

    async def act(ground: Any) -> Any:
        from api.ground import open_registry  # noqa: PLC0415 - heavy

        return await asyncio.to_thread(open_registry(ground).list_versions)

    rows = [
        (
            item.name,
            item.version,
            ", ".join(item.aliases),
            item.created_at.strftime("%Y-%m-%d %H:%M UTC"),
            item.digest[:16],
            ", ".join(f"{metric} {value:.4g}" for metric, value in item.metrics.items()),
        )
        for item in with_ground(act)
    ]
    headings = ("model", "version", "alias", "trained", "digest", "figures")
    print_table(headings, rows, whole=headings[:5])


@models_app.command("promote")
def models_promote(name: str, version: str, actor: Actor = None) -> None:
    """Make a version the champion; audited. Exit code 1 if there is no such version.

    A version that is the champion already stays it, and nothing is audited.
    """
    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from api.ground import open_registry  # noqa: PLC0415 - heavy
        from models.promotion import promote  # noqa: PLC0415 - heavy
        from models.registry import CHAMPION  # noqa: PLC0415 - heavy

        registry = open_registry(ground)
        for item in await asyncio.to_thread(registry.list_versions, name):
            if item.version == version and CHAMPION in item.aliases:
                return version
        return await promote(
            ground.pool,
            registry=registry,
            audit=ground.audit,
            name=name,
            version=version,
            actor=who,
            correlation_id=ground.ids.new("cor"),
        )

    before = _with_models(act)
    if before == version:
        console.print(f"{plain(name)} version {plain(version)} is the champion already")
        return
    console.print(
        f"{plain(name)} version {plain(version)} is the champion; before it was version {before}"
    )
    console.print("Running servers and workers keep what they loaded: restart them to take it up.")


def _with_models(act: Any) -> Any:
    from models.errors import ModelError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except ModelError as error:
        fail(str(error))

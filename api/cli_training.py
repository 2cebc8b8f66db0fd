# SPDX-License-Identifier: Apache-2.0
"""`eucora train NAME`: progress on the terminal, clear complaints, and going on after a kill."""

import asyncio
import re
import time
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from api.cli_ground import Actor, console, fail, name_actor, plain, with_ground

if TYPE_CHECKING:
    from models.training import Circumstances, TrainedModel


_PLACE = re.compile(r"\b([1-9]\d*) of ([1-9]\d*)\b")


class TrainingProgress:
    """Shows the present step with its time, and a bar where it is one "of" several; keeps the rest.

    Where no terminal is, each step is a line when it is done.
    """

    def __init__(self, on: Console) -> None:
        self._console = on
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=on,
            transient=True,
        )
        self._task: TaskID | None = None
        self._step: tuple[str, float] | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._finish()
        if self._console.is_terminal:
            self._live.stop()

    def __call__(self, step: str) -> None:
        """Begin a step, which ends the one before."""
        self._finish()
        self._step = (step, time.monotonic())
        if self._console.is_terminal:
            if self._task is not None:
                self._live.remove_task(self._task)
            place = _PLACE.search(step)
            self._task = self._live.add_task(
                plain(step),
                total=int(place[2]) if place else None,
                completed=int(place[1]) - 1 if place else 0,
            )

    def _finish(self) -> None:
        if self._step is None:
            return
        step, began = self._step
        self._console.print(f"{plain(step)} ({time.monotonic() - began:.1f} s)", highlight=False)
        self._step = None


def train(
    name: Annotated[str, typer.Argument(help="health, tickets, recommender or ranking")],
    seed: Annotated[int, typer.Option(help="Makes the training repeatable.")] = 0,
    actor: Actor = None,
) -> None:
    """Train a model and register it in MLflow as challenger; the champion stays.

    Health and tickets also learn from incidents whose class a person stated (docs/models.md); the
    recommender from what people decided and from verified fixes; the ranking of
    searches learns from what helped, and is judged on the latest quarter of it. A training that
    was killed goes on where it was when the same command is run again.
    """
    from models.errors import ModelError  # noqa: PLC0415 - heavy

    who = name_actor(actor)
    with TrainingProgress(console) as progress:

        async def act(ground: Any) -> "TrainedModel":
            from models.promotion import list_champions  # noqa: PLC0415 - heavy
            from models.stages import FOLDER_NAME  # noqa: PLC0415 - heavy
            from models.training import Circumstances  # noqa: PLC0415 - heavy

            async with ground.pool.connection() as connection:
                in_use = (await list_champions(connection)).get(name)
            circumstances = Circumstances(
                seed=seed,
                trained_by=who,
                trained_at=ground.clock.now(),
                progress=progress,
                area=ground.settings.data_dir / FOLDER_NAME,
                in_use=in_use,
            )
            teach = _train_ranking if name == "ranking" else _train_classifier
            trained = await teach(name, ground, circumstances)
            await _record_first(name, ground, who)
            return trained

        try:
            trained = with_ground(act)
        except ModelError as error:
            fail(str(error))
        except OSError as error:
            fail(
                f"{error.strerror or error}: {error.filename or 'the training area'}; put that"
                " right and run the same command again, it goes on where it was"
            )
    _print_trained(trained)


async def _train_classifier(
    name: str, ground: Any, circumstances: "Circumstances"
) -> "TrainedModel":
    from api.ground import open_registry  # noqa: PLC0415 - heavy
    from models.experience import list_outcomes  # noqa: PLC0415 - heavy
    from models.labelled_windows import list_labelled_windows  # noqa: PLC0415 - heavy
    from models.past_lessons import list_lessons  # noqa: PLC0415 - heavy
    from models.ticket_labels import list_labelled_tickets  # noqa: PLC0415 - heavy
    from models.training import train as train_model  # noqa: PLC0415 - heavy

    async with ground.pool.connection() as connection:
        outcomes = await list_outcomes(connection) if name == "recommender" else []
        lessons = await list_lessons(connection) if name == "recommender" else []
        tickets = await list_labelled_tickets(connection) if name == "tickets" else []
        windows = await list_labelled_windows(connection) if name == "health" else []
    return await asyncio.to_thread(
        train_model,
        name,
        registry=open_registry(ground),
        knowledge_dir=ground.settings.knowledge_dir,
        circumstances=circumstances,
        outcomes=outcomes,
        lessons=lessons,
        tickets=tickets,
        windows=windows,
    )


async def _train_ranking(
    name: str,  # noqa: ARG001 - the same signature for all
    ground: Any,
    circumstances: "Circumstances",
) -> "TrainedModel":
    from api.ground import open_embedder, open_registry  # noqa: PLC0415 - heavy
    from api.ranking_training import register_first_ranking, train_on_labels  # noqa: PLC0415

    registry = open_registry(ground)
    if circumstances.in_use is None:
        await asyncio.to_thread(register_first_ranking, registry)
    return await train_on_labels(
        ground.pool, open_embedder(ground), registry, circumstances=circumstances
    )


async def _record_first(name: str, ground: Any, who: str) -> None:
    """Record a first version as in use; later ones wait for a person."""
    from api.model_promotion import Decision, ModelPromotions  # noqa: PLC0415 - heavy

    decision = Decision(actor=who, reason="", correlation_id=ground.ids.new("cor"))
    await ModelPromotions(ground).record_first(name, decision)


def _print_trained(trained: "TrainedModel") -> None:
    console.print(f"{trained.name} version {trained.version} is registered")
    for metric, value in trained.metrics.items():
        console.print(f"  {metric}: {value:.4f}")
    verdict = trained.comparison.verdict
    beside = "without a champion" if trained.champion is None else f"beside {trained.champion}"
    console.print(f"gate ({beside}): {verdict.outcome.value}")
    for finding in verdict.findings:
        console.print(f"  {finding.outcome.value}: {plain(finding.reason)}", highlight=False)

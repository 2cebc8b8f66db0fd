# SPDX-License-Identifier: Apache-2.0
"""Models at the command line: list, show, compare, promote, roll back, MLflow's own pages.

Who may is whoever may run commands on this machine; the portal has roles.
"""

import asyncio
import json
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import (
    Actor,
    console,
    fail,
    name_actor,
    plain,
    print_table,
    read_settings,
    with_ground,
)
from api.cli_model_figures import print_comparison, print_versions
from api.cli_training import train

if TYPE_CHECKING:
    from api.model_promotion import Decision
    from models.promotion import Promotion

__all__ = ["models_app", "train"]

models_app = typer.Typer(
    no_args_is_help=True,
    help="Models: their versions, how they compare, which is in use, MLflow's pages.",
)
Name = Annotated[
    str, typer.Argument(help="Which model, such as health; `models list` has them all.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why; it is audited and stands in the evidence.")]
Against = Annotated[
    str | None,
    typer.Option(
        help="The promotion that names the champion which you decided against, as `models show` and"
        " `models compare` print it: where another is in use by then, nothing is changed. Not"
        " needed where no promotion is recorded yet.",
        metavar="PROMOTION",
    ),
]


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the registered versions of all models, the newest first.

    Of those that answer only when sure: how many held-back cases they answer, and how many of these
    answers are right. `models show` has all figures of a version.
    """

    async def act(ground: Any) -> Any:
        from api.ground import open_registry  # noqa: PLC0415 - heavy

        return await asyncio.to_thread(open_registry(ground).list_versions)

    found = _with_models(act)
    if as_json:
        _print_json([_describe_version(item) for item in found])
        return
    print_versions(found)


@models_app.command("show")
def models_show(
    name: Name,
    version: Annotated[str | None, typer.Argument(help="By default the champion.")] = None,
) -> None:
    """Print a version's model card, and who put which version to use."""

    async def act(ground: Any) -> Any:
        from api.ground import open_registry  # noqa: PLC0415 - heavy
        from models.mlflow_runs import CARD_FILE  # noqa: PLC0415 - heavy
        from models.promotion import list_champions, list_promotions  # noqa: PLC0415 - heavy

        registry = open_registry(ground)
        async with ground.pool.connection() as connection:
            in_use = (await list_champions(connection)).get(name)
            history = await list_promotions(connection, name)
        number = version or (in_use.version if in_use else None)
        if number is None:
            number = (await asyncio.to_thread(registry.load, name)).version
        return await asyncio.to_thread(registry.read_evaluation, name, number, CARD_FILE), history

    card, history = _with_models(act, name)
    if card is None:
        console.print("This version has no model card: it was trained before there were any.")
    else:
        console.print(plain(card.decode()), highlight=False)
    _print_history(history)


@models_app.command("compare")
def models_compare(
    name: Name,
    before: Annotated[str | None, typer.Argument(help="By default the champion.")] = None,
    after: Annotated[
        str | None, typer.Argument(help="By default the challenger, or the newest version.")
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Print all figures of both trainings, by class too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two versions on the held-back cases that both were judged on.

    Shows the paired 95 % interval, calibration and latency of single answers on this machine, and
    what the gate says of it.
    """

    async def act(ground: Any) -> Any:
        from api.model_promotion import ModelPromotions  # noqa: PLC0415 - heavy

        return await ModelPromotions(ground).compare(name, before, after, measure=True)

    compared = _with_models(act, name)
    if as_json:
        from api.model_promotion import describe_comparison  # noqa: PLC0415 - heavy

        _print_json(
            {
                "model": name,
                "in_use": compared.in_use and _describe_promotion(compared.in_use),
                "before": compared.before and _describe_version(compared.before),
                "after": _describe_version(compared.after),
                "comparison": describe_comparison(compared.comparison),
            }
        )
        return
    print_comparison(compared, show_all=show_all)


@models_app.command("promote")
def models_promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="Its number, as `models list` has it.")],
    reason: Reason = "",
    override: Annotated[
        bool, typer.Option("--override", help="Answer for an inconclusive gate; needs --reason.")
    ] = False,
    against: Against = None,
    actor: Actor = None,
) -> None:
    """Make a version the champion, if the gate lets it; audited, and sealed as evidence.

    Running servers and workers take it up within seconds. A version that is the champion already
    stays it, and nothing is audited.
    """
    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from api.model_promotion import ModelPromotions  # noqa: PLC0415 - heavy

        promotions = ModelPromotions(ground)
        if await promotions.is_in_use(name, version):
            return None
        decision = await _decide(ground, who, reason, against=against, override=override)
        return await promotions.promote(name, version, decision)

    promotion = _with_models(act, name)
    if promotion is None:
        console.print(f"{plain(name)} version {plain(version)} is the champion already")
        return
    _print_promotion(promotion)


@models_app.command("rollback")
def models_rollback(
    name: Name, reason: Reason, against: Against = None, actor: Actor = None
) -> None:
    """Go back to the champion before the present one; audited, and sealed as evidence."""
    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from api.model_promotion import ModelPromotions  # noqa: PLC0415 - heavy

        decision = await _decide(ground, who, reason, against=against, override=False)
        return await ModelPromotions(ground).roll_back(name, decision)

    _print_promotion(_with_models(act, name))


@models_app.command("export")
def models_export(
    promotion_id: Annotated[
        str, typer.Argument(help="Its id, as `models show` and `models compare` have it.")
    ],
    path: Annotated[
        Path,
        typer.Argument(dir_okay=False, writable=True, help="Where to; `eucora verify` reads it."),
    ],
) -> None:
    """Write the evidence of a promotion or rollback as a case file."""
    from api.errors import NotFoundError  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> Any:
        from api.case_export import export_promotion  # noqa: PLC0415 - heavy

        try:
            return await export_promotion(ground, promotion_id)
        except NotFoundError as error:
            where = "`eucora models show NAME` has those of a model"
            raise NotFoundError(f"{error}; {where}") from error

    path.write_bytes(_with_models(act))
    console.print(f"written: check it with eucora verify {plain(path.name)}")


@models_app.command("ui")
def models_ui(
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in this machine's browser.")
    ] = False,
) -> None:
    """Say where MLflow's own pages are: behind the portal's login, to be read only.

    Exit code 1 if no server runs on this data folder.
    """
    from api.running_server import NoAnswerError, find_server  # noqa: PLC0415 - heavy

    try:
        url = f"{find_server(read_settings())}/models/mlflow/"
    except NoAnswerError as error:
        fail(str(error))
    console.print(url, highlight=False, soft_wrap=True)
    console.print(
        "Data scientists, auditors and administrators may log in there; changes go through"
        " `eucora models` and the portal's models page."
    )
    if open_page:
        webbrowser.open(url)


async def _decide(
    ground: Any, who: str, reason: str, *, against: str | None, override: bool
) -> "Decision":
    from api.model_promotion import Decision  # noqa: PLC0415 - heavy

    return Decision(
        actor=who,
        reason=await ground.mask_text(reason.strip()),
        correlation_id=ground.ids.new("cor"),
        against=against,
        override=override,
    )


def _with_models(act: Any, name: str | None = None) -> Any:
    """Run a function on a ground; where a model or version is unknown, say which there are."""
    from api.errors import ApiError  # noqa: PLC0415 - heavy
    from models.errors import ModelError, UnknownModelError  # noqa: PLC0415 - heavy

    async def act_on_known(ground: Any) -> Any:
        from api.ground import open_registry  # noqa: PLC0415 - heavy

        registry = open_registry(ground)
        versions = await asyncio.to_thread(registry.list_versions, name)
        if name is not None and not versions:
            found = await asyncio.to_thread(registry.list_versions)
            names = ", ".join(sorted({one.name for one in found})) or "none yet"
            raise UnknownModelError(f"no model is called {name!r}; there are: {names}")
        try:
            return await act(ground)
        except UnknownModelError as error:
            numbers = ", ".join(one.version for one in reversed(versions))
            raise UnknownModelError(f"{error}; its versions are: {numbers}") from error

    try:
        return with_ground(act if name is None else act_on_known)
    except (ModelError, ApiError) as error:
        fail(str(error))


def _print_promotion(promotion: "Promotion") -> None:
    before = promotion.previous_version
    console.print(
        f"{plain(promotion.name)} version {plain(promotion.version)} is the champion;"
        f" before it was version {plain(before or 'none')}"
    )
    console.print(
        "Running servers and workers take it up within seconds. Evidence:"
        f" eucora models export {promotion.promotion_id} FILE"
    )


def _print_history(history: "Sequence[Promotion]") -> None:
    headings = ("promotion", "kind", "version", "gate", "by", "when", "reason")
    rows = [
        (
            one.promotion_id,
            one.kind.value,
            one.version,
            one.verdict.value,
            one.actor,
            one.created_at.strftime("%Y-%m-%d %H:%M UTC"),
            one.reason,
        )
        for one in history
    ]
    print_table(headings, rows, whole=headings[:6])


def _describe_version(item: Any) -> dict[str, Any]:
    return {
        "name": item.name,
        "version": item.version,
        "aliases": list(item.aliases),
        "digest": item.digest,
        "training_data_digest": item.digest_of_data,
        "trained_at": item.created_at.isoformat(),
        "metrics": dict(item.metrics),
    }


def _describe_promotion(promotion: "Promotion") -> dict[str, str]:
    return {
        "promotion_id": promotion.promotion_id,
        "version": promotion.version,
        "digest": promotion.digest,
    }


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))

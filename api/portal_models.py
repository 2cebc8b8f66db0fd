# SPDX-License-Identifier: Apache-2.0
"""What data scientists look after: models, how versions compare, which is in use, and labels."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.case_export import export_promotion
from api.document_view import render_document
from api.errors import InvalidRequestError, NotFoundError
from api.ground import open_registry
from api.model_promotion import Decision, describe_comparison
from api.pages import pages_of
from api.portal_forms import read_text
from api.portal_rows import fetch
from api.sessions import Form, correlation_of, field, require_form, require_person, services_of
from kernel.database import Connection
from models.errors import PromotionRefusedError, UnknownModelError
from models.experience import count_labels
from models.mlflow_runs import CARD_FILE
from models.promotion import Promotion, find_previous, list_champions, list_promotions

router = APIRouter()
PLOTS = ("reliability", "coverage", "confusion")
KEY_FIGURES = (  # of the trainings' own, beside what is compared on held-back cases
    ("macro_f1", "macro-averaged F1: every class counts alike"),
    ("answered_share", "share of cases that it answers"),
    ("answered_accuracy", "accuracy of what it answers"),
    ("false_alarms_healthy", "share of healthy devices that it calls ill"),
    ("auc_approved", "AUC: what people approve"),
    ("auc_works", "AUC: what works"),
    ("n_real_decisions", "people's decisions that it learned from"),
    ("n_examples", "judged searches that it learned from"),
)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,60}")
_VERSION = re.compile(r"[0-9]{1,9}")


@router.get("/models")
async def show_models(request: Request) -> Response:
    """Show versions and which are in use, the promotions, and the labels."""
    person = await _require_reader(request)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        labels = await count_labels(connection)
        classes = await fetch(connection, "count_classes")
        promotions = await list_promotions(connection, limit=50)
        in_use = await list_champions(connection)
        ways_back = await _find_ways_back(connection, in_use)
        reported = await fetch(
            connection,
            "list_not_taken_up",
            names=list(in_use),
            bundles=[one.bundle_digest for one in in_use.values()],
        )
    registry = open_registry(services.ground)
    versions = await asyncio.to_thread(partial(registry.list_versions, aliased=True))
    return pages_of(request).render(
        request,
        "models.html",
        versions=versions,
        loaded=services.models,
        troubles=services.models.troubles,
        reported=[row for row in reported if row["name"] not in services.models.troubles],
        in_use=in_use,
        ways_back=ways_back,
        promotions=promotions,
        labels=labels,
        classes=classes,
        may_change=_may_change(person),
    )


@router.get("/models/compare/{name}")
async def compare_models(
    request: Request, name: str, before: str = "", after: str = ""
) -> Response:
    """Show two versions beside each other, what the gate says, and the forms to decide."""
    person = await _require_reader(request)
    _check(name, *(version for version in (before, after) if version))
    services = services_of(request)
    compared = await services.promotions.compare(name, before or None, after or None, measure=False)
    registry = open_registry(services.ground)
    card = await asyncio.to_thread(
        registry.read_evaluation, name, compared.after.version, CARD_FILE
    )
    text = (card or b"").decode(errors="replace")
    versions = await asyncio.to_thread(registry.list_versions, name)
    shown = [one for one in (compared.before, compared.after) if one is not None]
    return pages_of(request).render(
        request,
        "model_comparison.html",
        name=name,
        before=compared.before,
        after=compared.after,
        shown=shown,
        found=describe_comparison(compared.comparison),
        metrics=sorted({metric for one in shown for metric in one.metrics}),
        key_figures=[
            (metric, words)
            for metric, words in KEY_FIGURES
            if any(metric in one.metrics for one in shown)
        ],
        card=text,
        card_page=render_document(text),
        plots=PLOTS if card else (),
        versions=versions,
        in_use=compared.in_use,
        is_with_champion=compared.is_with_champion,
        is_champion=compared.in_use is not None
        and compared.in_use.version == compared.after.version,
        may_change=_may_change(person),
    )


@router.get("/models/plots/{name}/{version}/{plot}.svg")
async def show_model_plot(request: Request, name: str, version: str, plot: str) -> Response:
    """Return a plot that a training has drawn."""
    await _require_reader(request)
    _check(name, version)
    if plot not in PLOTS:
        raise NotFoundError(f"no plot {plot}")
    registry = open_registry(services_of(request).ground)
    content = await asyncio.to_thread(registry.read_evaluation, name, version, f"{plot}.svg")
    if content is None:
        raise NotFoundError("this version has no such plot")
    return Response(content, media_type="image/svg+xml")


@router.get("/models/promotions/{promotion_id}/case")
async def download_promotion(request: Request, promotion_id: str) -> Response:
    """Return the sealed evidence of a promotion, for offline verification."""
    await _require_reader(request)
    content = await export_promotion(services_of(request).ground, promotion_id)
    name = f'attachment; filename="{promotion_id}.json"'
    return Response(content, media_type="application/json", headers={"Content-Disposition": name})


@router.post("/models/{name}/promote")
async def promote_model(request: Request, name: str) -> Response:
    """Make a version the champion, if the gate lets it, and the champion is the one shown."""
    person, form = await require_form(request)
    person.require(Role.DATA_SCIENTIST)
    version = field(form, "version")
    _check(name, version)
    decision = await _read_decision(request, person, form)
    await services_of(request).promotions.promote(name, version, decision)
    return RedirectResponse("/models", status_code=303)


@router.post("/models/{name}/rollback")
async def roll_back_model(request: Request, name: str) -> Response:
    """Go back to the champion before the present one, if that is the one that was shown."""
    person, form = await require_form(request)
    person.require(Role.DATA_SCIENTIST)
    _check(name)
    decision = await _read_decision(request, person, form)
    await services_of(request).promotions.roll_back(name, decision)
    return RedirectResponse("/models", status_code=303)


async def _read_decision(request: Request, person: Person, form: Form) -> Decision:
    reason = await read_text(form, "reason", services_of(request).ground.masker)
    if not reason:
        raise InvalidRequestError("say why; it stands in the evidence")
    return Decision(
        actor=person.actor,
        reason=reason,
        correlation_id=correlation_of(request),
        against=field(form, "against") or None,
        override=field(form, "override") == "yes",
    )


async def _find_ways_back(
    connection: Connection, in_use: Mapping[str, Promotion]
) -> dict[str, Promotion]:
    """Return what a rollback of each model would go back to, where there is something."""
    found = {}
    for name in in_use:
        with suppress(PromotionRefusedError):
            found[name] = find_previous(await list_promotions(connection, name, limit=None))
    return found


async def _require_reader(request: Request) -> Person:
    person = await require_person(request)
    person.require(Role.DATA_SCIENTIST, Role.AUDITOR)
    return person


def _may_change(person: Person) -> bool:
    return bool(person.roles & {Role.DATA_SCIENTIST.value, Role.ADMIN.value})


def _check(name: str, *versions: str) -> None:
    if not _NAME.fullmatch(name) or not all(_VERSION.fullmatch(one) for one in versions):
        raise UnknownModelError("no such model or version")

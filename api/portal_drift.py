# SPDX-License-Identifier: Apache-2.0
"""Drift: what changed, where and since when, and whether to retrain. The rules are models'."""

import asyncio
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Role
from api.drift_plots import draw_change
from api.errors import NotFoundError
from api.pages import pages_of
from api.portal_forms import read_text
from api.sessions import correlation_of, require_form, require_person, services_of
from models.drift_alarm import DriftKind
from models.drift_episodes import find_episode, list_episodes, list_hourly_means
from models.retraining_proposals import MODEL_PREFIX, PEOPLE, RETRAINABLE, list_retraining

router = APIRouter()
MAX_PLOTS = 6
PLOT_BEFORE = timedelta(days=3)
PLOT_AFTER = timedelta(days=1)


@router.get("/drift")
async def show_drift(request: Request) -> Response:
    """Show drift episodes and retraining proposals, the newest first."""
    person = await require_person(request)
    person.require(Role.DATA_SCIENTIST, Role.AUDITOR)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        episodes = await list_episodes(connection)
        proposals = await list_retraining(connection)
    return pages_of(request).render(
        request,
        "drift.html",
        episodes=episodes,
        proposals=proposals,
        models=sorted(RETRAINABLE),
        budget=ground.settings.drift_false_alarms_per_day,
        may_decide=_may_decide(person.roles),
    )


@router.get("/drift/{episode_id}")
async def show_episode(request: Request, episode_id: str) -> Response:
    """Show one episode: features and cohorts by effect, since when, what it proposes."""
    person = await require_person(request)
    person.require(Role.DATA_SCIENTIST, Role.AUDITOR)
    async with services_of(request).ground.pool.connection() as connection:
        episode = await find_episode(connection, episode_id)
        proposals = await list_retraining(connection, episode_id=episode_id)
    plotted = [
        kept
        for kept in episode.alarms
        if kept.alarm.kind is not DriftKind.RATE and not _is_ours(kept.alarm.cohort)
    ]
    return pages_of(request).render(
        request,
        "drift_episode.html",
        episode=episode,
        plotted=plotted[:MAX_PLOTS],
        proposals=proposals,
        may_decide=_may_decide(person.roles),
    )


@router.get("/drift/{episode_id}/plots/{alarm_id}.svg")
async def show_plot(request: Request, episode_id: str, alarm_id: str) -> Response:
    """Draw the hourly means of what an alarm is about, three days before to one day after."""
    person = await require_person(request)
    person.require(Role.DATA_SCIENTIST, Role.AUDITOR)
    async with services_of(request).ground.pool.connection() as connection:
        episode = await find_episode(connection, episode_id)
        found = [kept.alarm for kept in episode.alarms if kept.alarm_id == alarm_id]
        if not found or _is_ours(found[0].cohort):
            raise NotFoundError("no such plot")
        alarm = found[0]
        points = await list_hourly_means(
            connection,
            cohort=alarm.cohort,
            metric=alarm.metric,
            since=alarm.since - PLOT_BEFORE,
            until=alarm.since + PLOT_AFTER,
        )
    draw = partial(
        draw_change,
        f"{alarm.metric.replace('_', ' ')}, {alarm.cohort}",
        points,
        since=alarm.since,
        earliest=alarm.since_earliest,
        latest=alarm.since_latest,
    )
    return Response(await asyncio.to_thread(draw), media_type="image/svg+xml")


@router.post("/drift/retraining/{proposal_id}/accept")
async def accept_retraining(request: Request, proposal_id: str) -> Response:
    """Agree that a model is to be trained again."""
    person, _ = await require_form(request)
    person.require(Role.DATA_SCIENTIST)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        await services.retraining.accept(
            connection, proposal_id, actor=person.actor, correlation_id=correlation_of(request)
        )
    return RedirectResponse("/drift", status_code=303)


@router.post("/drift/retraining/{proposal_id}/dismiss")
async def dismiss_retraining(request: Request, proposal_id: str) -> Response:
    """Decide that a model stays as it is, and say why."""
    person, form = await require_form(request)
    person.require(Role.DATA_SCIENTIST)
    services = services_of(request)
    reason = await read_text(form, "reason", services.ground.masker)
    async with services.ground.pool.connection() as connection:
        await services.retraining.dismiss(
            connection,
            proposal_id,
            reason=reason,
            actor=person.actor,
            correlation_id=correlation_of(request),
        )
    return RedirectResponse("/drift", status_code=303)


def _may_decide(roles: frozenset[str]) -> bool:
    return bool(roles & {Role.DATA_SCIENTIST.value, Role.ADMIN.value})


def _is_ours(cohort: str) -> bool:
    """Tell whether a series is of a model or of people, not of devices."""
    return cohort == PEOPLE or cohort.startswith(MODEL_PREFIX)

# SPDX-License-Identifier: Apache-2.0
"""What the worker does for drift every hour: compare features, finish what was retrained."""

import asyncio

from api.bootstrap import Services
from api.ground import open_registry
from models.retraining_proposals import RetrainingStatus, list_retraining

ACTOR = "system:drift"


async def compare_features(services: Services) -> None:
    """Compare the last whole day's features with their references, once a day."""
    ground = services.ground
    async with ground.pool.connection() as connection:
        await services.feature_drift.compare_yesterday(
            connection,
            model_version=services.models["health"].version,
            correlation_id=ground.ids.new("cor"),
        )


async def finish_retraining(services: Services) -> None:
    """Mark accepted proposals done whose model has a version that was trained since."""
    ground = services.ground
    async with ground.pool.connection() as connection:
        proposals = await list_retraining(connection)
    accepted = [one for one in proposals if one.status is RetrainingStatus.ACCEPTED]
    registry = open_registry(ground)
    for proposal in accepted:
        versions = await asyncio.to_thread(registry.list_versions, proposal.model_name)
        since = [
            version
            for version in versions
            if proposal.decided_at is not None and version.created_at > proposal.decided_at
        ]
        if not since:
            continue
        oldest = min(since, key=lambda version: version.created_at)
        async with ground.pool.connection() as connection:
            await services.retraining.complete(
                connection,
                proposal.proposal_id,
                model_version=oldest.version,
                actor=ACTOR,
                correlation_id=ground.ids.new("cor"),
            )

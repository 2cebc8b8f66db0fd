# SPDX-License-Identifier: Apache-2.0
"""Retraining proposals: drift says why a model should be trained again, a person decides.

Accepting trains nothing: it says that `eucora train NAME` is to be run, and the proposal is done
once a version that was trained after it stands in the registry. A model has one open proposal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_errors import (
    RetrainingDecidedError,
    RetrainingProposalMissingError,
    RetrainingReasonError,
)

QUERIES = load_queries(__file__, "retraining_proposals")
RETRAINABLE = frozenset({"health", "tickets", "recommender"})
PEOPLE = "people"
MODEL_PREFIX = "model:"
_HEALTH = "health"
_RECOMMENDER = "recommender"
_SUBJECT = "retraining_proposal"


class RetrainingStatus(StrEnum):
    """Where a proposal stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingProposal:
    """Which model, why, from what, and what a person said."""

    proposal_id: str
    model_name: str
    episode_id: str
    status: RetrainingStatus
    reason: str
    training_data: str
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str
    model_version: str | None


def affected_model(alarm: DriftAlarm) -> str | None:
    """Return the name of the model that stands on what changed; None where none of ours does."""
    if alarm.cohort == PEOPLE:
        return _RECOMMENDER
    if alarm.cohort.startswith(MODEL_PREFIX):
        name = alarm.cohort.removeprefix(MODEL_PREFIX)
        return name if name in RETRAINABLE else None
    return _HEALTH


class RetrainingProposals:
    """Opens, decides and completes proposals in the caller's transaction, audited."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit

    async def propose(
        self,
        connection: Connection,
        *,
        model_name: str,
        episode_id: str,
        alarm: DriftAlarm,
        actor: str,
        correlation_id: str,
    ) -> str | None:
        """Propose to retrain a model; None where that is proposed already.

        A model has one open proposal, and an episode asks once: what a person dismissed does not
        come back with the episode's next alarm.
        """
        reason = explain(alarm)
        training_data = await _describe_data(connection, model_name, alarm.since)
        cursor = await connection.execute(
            QUERIES["insert_proposal"],
            {
                "proposal_id": self._ids.new("rtp"),
                "model_name": model_name,
                "episode_id": episode_id,
                "reason": reason,
                "training_data": training_data,
                "now": self._clock.now(),
            },
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        proposal_id = str(row["proposal_id"])
        await self._record(
            connection, actor, "proposed", proposal_id, correlation_id,
            before=None,
            after={"model_name": model_name, "episode_id": episode_id, "reason": reason},
        )  # fmt: skip
        return proposal_id

    async def accept(
        self, connection: Connection, proposal_id: str, *, actor: str, correlation_id: str
    ) -> RetrainingProposal:
        """Agree to a retraining; it is to be run by `eucora train NAME`.

        Raises:
            RetrainingProposalMissingError: there is none of this id.
            RetrainingDecidedError: somebody has decided on it.

        """
        return await self._decide(
            connection, proposal_id, RetrainingStatus.ACCEPTED, "", actor, correlation_id
        )

    async def dismiss(
        self,
        connection: Connection,
        proposal_id: str,
        *,
        reason: str,
        actor: str,
        correlation_id: str,
    ) -> RetrainingProposal:
        """Decide that the model stays as it is, and say why (masked).

        Raises:
            RetrainingProposalMissingError: there is none of this id.
            RetrainingDecidedError: somebody has decided on it.
            RetrainingReasonError: no reason is given.

        """
        if not reason.strip():
            raise RetrainingReasonError
        return await self._decide(
            connection, proposal_id, RetrainingStatus.DISMISSED, reason, actor, correlation_id
        )

    async def complete(
        self,
        connection: Connection,
        proposal_id: str,
        *,
        model_version: str,
        actor: str,
        correlation_id: str,
    ) -> None:
        """Note which version answers an accepted proposal; nothing where it is done already.

        Raises:
            RetrainingProposalMissingError: there is none of this id.
            RetrainingDecidedError: it was not accepted.

        """
        proposal = await self._lock(connection, proposal_id)
        if proposal.status is RetrainingStatus.DONE:
            return
        if proposal.status is not RetrainingStatus.ACCEPTED:
            message = f"{proposal_id} is {proposal.status.value}: only what is accepted is trained"
            raise RetrainingDecidedError(message)
        await connection.execute(
            QUERIES["complete"], {"proposal_id": proposal_id, "model_version": model_version}
        )
        await self._record(
            connection, actor, "done", proposal_id, correlation_id,
            before={"status": proposal.status.value},
            after={"status": RetrainingStatus.DONE.value, "model_version": model_version},
        )  # fmt: skip

    async def _decide(
        self,
        connection: Connection,
        proposal_id: str,
        status: RetrainingStatus,
        reason: str,
        actor: str,
        correlation_id: str,
    ) -> RetrainingProposal:
        proposal = await self._lock(connection, proposal_id)
        if proposal.status is not RetrainingStatus.PENDING:
            message = f"{proposal_id} is {proposal.status.value} already"
            raise RetrainingDecidedError(message)
        await connection.execute(
            QUERIES["decide"],
            {
                "proposal_id": proposal_id,
                "status": status.value,
                "actor": actor,
                "decision_reason": reason,
                "now": self._clock.now(),
            },
        )
        await self._record(
            connection, actor, status.value, proposal_id, correlation_id,
            before={"status": proposal.status.value},
            after={
                "status": status.value, "reason": reason, "model_name": proposal.model_name,
            },
        )  # fmt: skip
        return await self._lock(connection, proposal_id)

    async def _lock(self, connection: Connection, proposal_id: str) -> RetrainingProposal:
        cursor = await connection.execute(QUERIES["lock_proposal"], {"proposal_id": proposal_id})
        row = await cursor.fetchone()
        if row is None:
            message = f"no retraining proposal {proposal_id!r}"
            raise RetrainingProposalMissingError(message)
        return _read(row)

    async def _record(
        self,
        connection: Connection,
        actor: str,
        word: str,
        proposal_id: str,
        correlation_id: str,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
    ) -> None:
        await self._audit.record(
            connection,
            actor=actor,
            action=f"retraining.{word}",
            subject_kind=_SUBJECT,
            subject_id=proposal_id,
            correlation_id=correlation_id,
            before=before,
            after=after,
        )


async def list_retraining(
    connection: Connection, *, episode_id: str | None = None, limit: int = 100
) -> list[RetrainingProposal]:
    """Return proposals, of one episode or of all: those to decide on first, then the newest."""
    cursor = await connection.execute(
        QUERIES["list_proposals"], {"episode_id": episode_id, "limit": limit}
    )
    return [_read(row) for row in await cursor.fetchall()]


def explain(alarm: DriftAlarm) -> str:
    """Return an alarm as a sentence; moments in UTC."""
    what = f"{alarm.metric.replace('_', ' ')} of {alarm.cohort}"
    since = alarm.since.strftime("%Y-%m-%d %H:%M UTC")
    change = f"from {alarm.level_before:.4g} to {alarm.level_after:.4g}"
    if alarm.kind is DriftKind.DISTRIBUTION:
        return (
            f"{what} is spread differently over {alarm.n_samples} devices since {since[:10]}:"
            f" PSI {alarm.effect**2:.2f}, median {change}"
        )
    return f"{what} went {change} ({alarm.effect:+.1f} standard deviations) since {since}"


async def _describe_data(connection: Connection, model_name: str, since: datetime) -> str:
    """Return in words what `eucora train NAME` would learn from now."""
    moment = since.strftime("%Y-%m-%d %H:%M UTC")
    cursor = await connection.execute(QUERIES["count_experience"], {"since": since})
    labels = await cursor.fetchone() or {"n_labels": 0, "n_since": 0}
    if model_name == _RECOMMENDER:
        return (
            f"{labels['n_labels']} labels of decisions and verified outcomes, {labels['n_since']}"
            f" of them since {moment}, beside simulated ones"
        )
    if model_name == _HEALTH:
        cursor = await connection.execute(QUERIES["count_reports"], {"since": since})
        devices = await cursor.fetchone() or {"n_devices": 0}
        return (
            f"the fleet simulator's labelled devices; {devices['n_devices']} real devices have"
            f" reported since {moment}, which carry no failure labels to learn from"
        )
    return (
        "the symptoms of the knowledge base's articles as they are now, templates of tickets, and"
        " real tickets that people or telemetry have labelled"
    )


def _read(row: Mapping[str, Any]) -> RetrainingProposal:
    return RetrainingProposal(**{**row, "status": RetrainingStatus(row["status"])})

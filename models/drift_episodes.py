# SPDX-License-Identifier: Apache-2.0
"""Drift episodes: what changed, where and since when. Alarms that began together are one.

An alarm joins the episode whose beginning its own interval meets, or in which its series has
alarmed within the day: a burst is one episode. Each episode proposes once to retrain the models
that stand on what changed; nobody retrains silently.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_errors import DriftEpisodeMissingError
from models.retraining_proposals import RetrainingProposals, affected_model

QUERIES = load_queries(__file__, "drift_episodes")
ACTOR = "system:drift"
EPISODES_LOCK = 0x45554447
TOGETHER = timedelta(minutes=10)  # between the beginnings of one episode's alarms
BURST = timedelta(days=1)
LASTING = timedelta(days=7)  # in which an episode may still grow
MOST_ALARMS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlarm:
    """An alarm as it is kept."""

    alarm_id: str
    created_at: datetime
    alarm: DriftAlarm


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftEpisode:
    """What changed together; `alarms` the strongest first."""

    episode_id: str
    began_at: datetime
    began_earliest: datetime
    began_latest: datetime
    opened_at: datetime
    updated_at: datetime
    alarms: tuple[KeptAlarm, ...]

    @property
    def features(self) -> tuple[tuple[str, float], ...]:
        """Return the metrics that changed and their largest effects, the strongest first."""
        return _rank((kept.alarm.metric, kept.alarm.effect) for kept in self.alarms)

    @property
    def cohorts(self) -> tuple[tuple[str, float], ...]:
        """Return the cohorts that changed and their largest effects, the strongest first."""
        return _rank((kept.alarm.cohort, kept.alarm.effect) for kept in self.alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeSummary:
    """A line of the list: an episode and its strongest alarm."""

    episode_id: str
    began_at: datetime
    began_earliest: datetime
    began_latest: datetime
    opened_at: datetime
    updated_at: datetime
    cohort: str
    metric: str
    kind: DriftKind
    effect: float
    n_alarms: int
    n_cohorts: int
    n_metrics: int


class DriftEpisodes:
    """Keeps alarms in the caller's transaction, audited."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._retraining = RetrainingProposals(clock, ids, audit)

    async def take_up(
        self, connection: Connection, alarms: Sequence[DriftAlarm], *, correlation_id: str
    ) -> list[str]:
        """Keep alarms, each in its episode; return the ids of the episodes, without repeats."""
        if not alarms:
            return []
        await connection.execute(QUERIES["lock_episodes"], {"lock_key": EPISODES_LOCK})
        touched: dict[str, None] = {}
        for alarm in sorted(alarms, key=lambda one: -abs(one.effect)):
            episode_id = await self._keep(connection, alarm, correlation_id)
            touched[episode_id] = None
            model_name = affected_model(alarm)
            if model_name is not None:
                await self._retraining.propose(
                    connection,
                    model_name=model_name,
                    episode_id=episode_id,
                    alarm=alarm,
                    actor=ACTOR,
                    correlation_id=correlation_id,
                )
        return list(touched)

    async def _keep(self, connection: Connection, alarm: DriftAlarm, correlation_id: str) -> str:
        now = self._clock.now()
        episode_id = await self._find_open(connection, alarm, now)
        if episode_id is None:
            episode_id = self._ids.new("dre")
            await connection.execute(
                QUERIES["insert_episode"],
                {"episode_id": episode_id, "now": now, **asdict(alarm)},
            )
        alarm_id = self._ids.new("drf")
        await connection.execute(
            QUERIES["insert_alarm"],
            {
                **asdict(alarm),
                "alarm_id": alarm_id,
                "episode_id": episode_id,
                "kind": alarm.kind.value,
                "now": now,
            },
        )
        await connection.execute(QUERIES["date_episode"], {"episode_id": episode_id, "now": now})
        told = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(alarm).items()
        }
        await self._audit.record(
            connection,
            actor=ACTOR,
            action="drift.alarm",
            subject_kind="drift_alarm",
            subject_id=alarm_id,
            correlation_id=correlation_id,
            after={**told, "kind": alarm.kind.value, "episode_id": episode_id},
        )
        return episode_id

    async def _find_open(
        self, connection: Connection, alarm: DriftAlarm, now: datetime
    ) -> str | None:
        cursor = await connection.execute(
            QUERIES["find_open_episode"],
            {
                "not_before": now - LASTING,
                "burst_since": alarm.observed_at - BURST,
                "earliest": alarm.since_earliest - TOGETHER,
                "latest": alarm.since_latest + TOGETHER,
                "cohort": alarm.cohort,
                "metric": alarm.metric,
            },
        )
        row = await cursor.fetchone()
        return None if row is None else str(row["episode_id"])


async def list_episodes(connection: Connection, *, limit: int = 100) -> list[EpisodeSummary]:
    """Return the newest episodes."""
    cursor = await connection.execute(QUERIES["list_episodes"], {"limit": limit})
    return [
        EpisodeSummary(**{**row, "kind": DriftKind(row["kind"])}) for row in await cursor.fetchall()
    ]


async def find_episode(connection: Connection, episode_id: str) -> DriftEpisode:
    """Return one episode with its strongest alarms.

    Raises:
        DriftEpisodeMissingError: there is none of this id.

    """
    cursor = await connection.execute(QUERIES["find_episode"], {"episode_id": episode_id})
    row = await cursor.fetchone()
    if row is None:
        message = f"no drift episode {episode_id!r}"
        raise DriftEpisodeMissingError(message)
    cursor = await connection.execute(
        QUERIES["list_alarms"], {"episode_id": episode_id, "limit": MOST_ALARMS}
    )
    return DriftEpisode(**row, alarms=tuple(map(_read_alarm, await cursor.fetchall())))


async def list_hourly_means(
    connection: Connection, *, cohort: str, metric: str, since: datetime, until: datetime
) -> list[tuple[datetime, float]]:
    """Return a cohort's hourly means of a metric, from each hour's first minutes of reports."""
    cursor = await connection.execute(
        QUERIES["list_hourly_means"],
        {"cohort": cohort, "metric": metric, "since": since, "until": until, "minutes": 5},
    )
    return [(row["hour"], row["mean"]) for row in await cursor.fetchall()]


def _read_alarm(row: Mapping[str, Any]) -> KeptAlarm:
    values = dict(row)
    alarm_id, created_at = values.pop("alarm_id"), values.pop("created_at")
    values["kind"] = DriftKind(str(values["kind"]))
    return KeptAlarm(
        alarm_id=str(alarm_id),
        created_at=created_at,
        alarm=DriftAlarm(**values),
    )


def _rank(pairs: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    largest: dict[str, float] = {}
    for name, effect in pairs:
        if abs(effect) >= abs(largest.get(name, 0.0)):
            largest[name] = effect
    return tuple(sorted(largest.items(), key=lambda pair: -abs(pair[1])))


async def list_alarms(connection: Connection, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest alarms of all episodes, as rows."""
    cursor = await connection.execute(QUERIES["list_recent_alarms"], {"limit": limit})
    return await cursor.fetchall()

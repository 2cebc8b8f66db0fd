# SPDX-License-Identifier: Apache-2.0
"""Fleet incidents: what many devices have in common becomes one incident, not hundreds.

Scoring tells of every episode that begins (`observe`) and ends (`leave`); the answer says whether
the device opens an incident of its own or belongs to a fleet's. All memory is in PostgreSQL, read
and written in the caller's transaction, and callers take turns: any worker may go on.

A fleet incident names one device that stands for the others: what is proposed is proposed for it
alone. Devices' own incidents that were opened before become parts. A cohort is judged anew while
it grows, and whenever an episode like its own does not fit; what explains more takes its place.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contracts.failure import FailureClass, Severity
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from models.fleet_endings import EndedEpisode, FleetEndings, describe_fleet, record_members
from models.fleet_evidence import Finding, count_attributes, find_holders, judge_symptom
from models.fleet_records import (
    ACTOR,
    QUERIES,
    ROLLUP_LOCK,
    Episode,
    Fleet,
    choose_representative,
    find_episode,
    list_live_fleets,
    list_live_members,
    store_verdict,
)
from models.fleet_words import describe_evidence, write_description, write_title
from models.rollup import LEAST_DEVICES, WINDOW, Verdict, list_symptoms
from telemetry.incident_parts import IncidentParts
from telemetry.incidents import (
    Incidents,
    IncidentScope,
    IncidentSignal,
    IncidentSource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEpisode:
    """An episode that has begun on a device. All texts are masked."""

    device_id: str
    episode_key: str
    observed_at: datetime  # the device's time
    failure_class: FailureClass | str
    severity: Severity | str
    drivers: tuple[str, ...]  # metric names, the most important one first
    title: str
    confidence: float
    entity: str = ""
    detection: Mapping[str, Any] = field(default_factory=dict)  # as an incident of its own had it

    @property
    def key(self) -> tuple[str, str]:
        """What names an episode while it lives."""
        return self.device_id, self.episode_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an episode belongs: to a fleet incident, or (None) to an incident of its own.

    `opened` are the fleet incidents that were opened because of this episode, each told once: what
    judged the episode is to be recorded of them.
    """

    device_id: str
    episode_key: str
    fleet_incident_id: str | None
    opened: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Look:
    """What one call sees, where it has put episodes, and which of them opened what."""

    reference: datetime
    correlation_id: str
    recent: Sequence[Episode]
    arrived: Mapping[tuple[str, str], datetime]
    fleets: dict[str, Fleet]
    placed: dict[tuple[str, str], str]
    opened: dict[tuple[str, str], list[str]]


class FleetIncidents:
    """Rolls episodes up into fleet incidents."""

    def __init__(self, *, clock: Clock, audit: AuditIntake, incidents: Incidents) -> None:
        self._clock = clock
        self._audit = audit
        self._incidents = incidents
        self._parts = IncidentParts(clock, audit)
        self._endings = FleetEndings(clock=clock, audit=audit, incidents=incidents)

    async def observe(
        self, connection: Connection, episodes: Sequence[OpenedEpisode], *, correlation_id: str
    ) -> tuple[Placement, ...]:
        """Take in episodes that have begun; return where each belongs, in their order.

        Call it before an incident is opened, once per batch; the same episode again, in the batch
        or later, changes nothing. No query is sent for none. Episodes of unknown devices, and
        those older than the window, belong to none.
        """
        if not episodes:
            return ()
        await connection.execute(QUERIES["lock_rollup"], {"lock_key": ROLLUP_LOCK})
        look = await self._look(connection, episodes, correlation_id)
        for one in look.recent:
            if one.key in look.arrived and one.fleet_id in look.fleets and one.left_at is None:
                look.placed[one.key] = one.fleet_id
        new = [one for one in look.recent if one.key in look.arrived and one.is_free]
        await self._join(connection, look, new)
        await self._judge(connection, look, [one for one in new if one.key not in look.placed])
        return tuple(
            Placement(
                device_id=one.device_id,
                episode_key=one.episode_key,
                fleet_incident_id=look.placed.get(one.key),
                opened=tuple(look.opened.pop(one.key, ())),
            )
            for one in episodes
        )

    async def leave(
        self, connection: Connection, ended: Sequence[EndedEpisode], *, correlation_id: str
    ) -> None:
        """Take in episodes that are over; a fleet incident without members left is resolved."""
        await self._endings.leave(connection, ended, correlation_id=correlation_id)

    async def settle(self, connection: Connection, *, correlation_id: str) -> None:
        """Bring fleet incidents up to date with what people, jobs and devices did meanwhile."""
        await self._endings.settle(connection, correlation_id=correlation_id)

    async def count_attributes(self, connection: Connection) -> None:
        """Count what the fleet's devices hold, for the next judgement; seconds in a great fleet."""
        now = self._clock.now()
        await count_attributes(connection, reference=now, now=now)

    async def _look(
        self, connection: Connection, episodes: Sequence[OpenedEpisode], correlation_id: str
    ) -> _Look:
        newest = {one.key: one for one in sorted(episodes, key=lambda one: one.observed_at)}
        told = [_describe_episode(one) for one in newest.values()]
        now = self._clock.now()
        kept = {"episodes": Jsonb(told), "now": now}
        await connection.execute(QUERIES["remember_episodes"], kept)
        reference = min(max(one.observed_at for one in episodes), now)
        cursor = await connection.execute(
            QUERIES["list_recent"],
            {
                "since": reference - WINDOW,
                "until": reference,
                "symptoms": sorted({name for one in told for name in one["symptoms"]}),
            },
        )
        recent = [Episode(**row) for row in await cursor.fetchall()]
        fleets = await list_live_fleets(connection)
        return _Look(
            reference=reference,
            correlation_id=correlation_id,
            recent=recent,
            arrived={key: one.observed_at for key, one in newest.items()},
            fleets={one.incident_id: one for one in fleets},
            placed={},
            opened={},
        )

    async def _join(self, connection: Connection, look: _Look, new: Sequence[Episode]) -> None:
        """Put new episodes into the fleet incidents that they fit."""
        for fleet in tuple(look.fleets.values()):
            like = [
                one
                for one in new
                if one.key not in look.placed and set(one.symptoms) & set(fleet.symptoms)
            ]
            stale = fleet.last_observed_at is None or (
                look.reference - fleet.last_observed_at > WINDOW
            )
            if not like or (stale and not fleet.verdict.cohort):
                continue
            holders = await find_holders(
                connection,
                fleet.verdict.cohort,
                [one.device_id for one in like],
                reference=look.reference,
            )
            fitting = [one for one in like if one.device_id in holders]
            await self._admit(connection, look, fleet.incident_id, fitting)
            n_members = fleet.n_members + len(fitting)
            if fitting and n_members >= 2 * fleet.judged_members:
                await self._judge_symptom(
                    connection, look, _find_main_symptom(fitting, fleet.symptoms)
                )

    async def _judge(self, connection: Connection, look: _Look, new: Sequence[Episode]) -> None:
        """Ask of each symptom of episodes that fit nowhere what its devices have in common."""
        counts: Counter[str] = Counter()
        for symptom in {name for one in new for name in one.symptoms}:
            alike = {one.device_id for one in look.recent if symptom in one.symptoms}
            counts[symptom] = len(alike)
        for symptom, n_devices in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            waiting = [one for one in new if one.key not in look.placed and symptom in one.symptoms]
            if n_devices >= LEAST_DEVICES and waiting:
                await self._judge_symptom(connection, look, symptom)

    async def _judge_symptom(self, connection: Connection, look: _Look, symptom: str) -> None:
        alike = [one for one in look.recent if symptom in one.symptoms]
        found = await judge_symptom(
            connection,
            symptom,
            [one.device_id for one in alike],
            reference=look.reference,
            now=self._clock.now(),
        )
        if found is None:
            return
        members = [one for one in alike if one.device_id in found.device_ids]
        free = [one for one in members if one.is_free and one.key not in look.placed]
        known = _find_same(look, found, members, symptom)
        if known is not None:
            await self._admit(connection, look, known.incident_id, free)
            await self._refine(connection, look, known, found.verdict, symptom)
        elif len({one.device_id for one in free}) >= LEAST_DEVICES:
            await self._open(connection, look, found.verdict, symptom, free)

    async def _open(
        self,
        connection: Connection,
        look: _Look,
        verdict: Verdict,
        symptom: str,
        members: Sequence[Episode],
    ) -> None:
        representative = choose_representative(members)
        episode = await find_episode(connection, representative.episode_id)
        symptoms = [symptom]
        started_at = min(one.observed_at for one in members)
        incident, opened = await self._incidents.open_or_merge(
            connection,
            IncidentSignal(
                device_id=representative.device_id,
                user_id=None,
                source=IncidentSource.DETECTION,
                failure_class=_find_commonest(one.failure_class for one in members),
                confidence=episode["confidence"],
                severity=min(one.severity for one in members),
                title=write_title(episode["title"], verdict.cohort),
                description=write_description(verdict, symptoms=symptoms, started_at=started_at),
                episode_key=f"fleet:{symptom}",
                detection={**episode["detection"], "fleet": describe_evidence(verdict, symptoms)},
                reported_by=ACTOR,
                correlation_id=look.correlation_id,
                entity=episode["entity"],
                scope=IncidentScope.FLEET,
            ),
        )
        if not opened:
            return
        await store_verdict(
            connection,
            incident.incident_id,
            verdict,
            symptoms=symptoms,
            started_at=started_at,
            n_members=len(members),
            now=self._clock.now(),
        )
        await self._admit(connection, look, incident.incident_id, members)
        cause = _find_cause(look, representative, members, symptom)
        look.opened.setdefault(cause, []).append(incident.incident_id)

    async def _admit(
        self, connection: Connection, look: _Look, incident_id: str, members: Sequence[Episode]
    ) -> None:
        """Make episodes members, and their devices' own incidents parts."""
        if not members:
            return
        await connection.execute(
            QUERIES["insert_members"],
            {
                "incident_id": incident_id,
                "episode_ids": [one.episode_id for one in members],
                "now": self._clock.now(),
            },
        )
        look.placed.update({one.key: incident_id for one in members})
        device_ids = [one.device_id for one in members]
        await record_members(
            connection,
            self._audit,
            incident_id,
            device_ids,
            joined=True,
            correlation_id=look.correlation_id,
        )
        await self._parts.link(
            connection,
            [one.own_id for one in members if one.own_id],
            incident_id,
            actor=ACTOR,
            correlation_id=look.correlation_id,
        )

    async def _refine(
        self, connection: Connection, look: _Look, fleet: Fleet, verdict: Verdict, symptom: str
    ) -> None:
        """Say anew what the members have in common, when it has changed or they have doubled."""
        live = await list_live_members(connection, fleet.incident_id)
        is_known = symptom in fleet.symptoms
        if not is_known:  # another sign of the same fault: what was found stands
            verdict = fleet.verdict
        changed = not is_known or verdict.cohort != fleet.verdict.cohort
        if not live or not (changed or len(live) >= 2 * fleet.judged_members):
            return
        refined = replace(
            fleet, verdict=verdict, symptoms=tuple(dict.fromkeys([*fleet.symptoms, symptom]))
        )
        await store_verdict(
            connection, fleet.incident_id, verdict, symptoms=refined.symptoms,
            started_at=fleet.started_at, n_members=len(live), now=self._clock.now(),
        )  # fmt: skip
        await describe_fleet(
            connection, self._parts, refined, live, correlation_id=look.correlation_id
        )


def _describe_episode(one: OpenedEpisode) -> dict[str, Any]:
    return {
        "device_id": one.device_id,
        "episode_key": one.episode_key,
        "failure_class": FailureClass(one.failure_class).value,
        "confidence": one.confidence,
        "severity": Severity(one.severity).value,
        "title": one.title,
        "entity": one.entity,
        "symptoms": list_symptoms(one.failure_class, one.drivers),
        "detection": dict(one.detection),
        "observed_at": one.observed_at.isoformat(),
    }


def _find_same(
    look: _Look, found: Finding, members: Sequence[Episode], symptom: str
) -> Fleet | None:
    """Return the fleet incident of the same fault: it has half of these episodes, or this cohort.

    Of a cohort's, one whose signs, episodes or time of beginning are others is a second fault.
    """
    shared = Counter(
        fleet_id
        for one in members
        if (fleet_id := look.placed.get(one.key, one.fleet_id)) in look.fleets
    )
    started_at = min((one.observed_at for one in members), default=look.reference)
    for fleet in look.fleets.values():
        alike = symptom in fleet.symptoms or fleet.incident_id in shared
        together = abs(started_at - fleet.started_at) <= WINDOW
        has_cohort = fleet.verdict.cohort == found.verdict.cohort
        if found.verdict.cohort and has_cohort and (alike or together):
            return fleet
    for fleet_id, n_shared in shared.most_common(1):
        fleet = look.fleets[fleet_id]
        if 2 * n_shared >= min(len(members), max(fleet.n_live, 1)):
            return fleet
    return None


def _find_cause(
    look: _Look, representative: Episode, members: Sequence[Episode], symptom: str
) -> tuple[str, str]:
    """Return whose episode opened an incident: of those asked about the most telling one."""
    if representative.key in look.arrived:
        return representative.key
    keys = [one.key for one in members if one.key in look.arrived] or [
        one.key for one in look.recent if one.key in look.arrived and symptom in one.symptoms
    ]
    return max(keys, key=lambda key: (look.arrived[key], key))


def _find_commonest(values: Iterable[str]) -> str:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _find_main_symptom(members: Sequence[Episode], symptoms: Sequence[str]) -> str:
    return _find_commonest(name for one in members for name in one.symptoms if name in symptoms)

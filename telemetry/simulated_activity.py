# SPDX-License-Identifier: Apache-2.0
"""What devices do at a moment: use, jobs, restarts, the state of their site's network.

These are the hidden causes that several metrics share. Jobs (backups, scans, compilations, calls,
downloads, updates) are what healthy devices do and what a detector must not take for a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from telemetry.simulated_population import (
    MINUTES_A_DAY,
    MINUTES_A_WEEK,
    ROLE_NAMES,
    ROLES,
    SITES,
    SLOT_MINUTES,
    Population,
    build_rhythm,
)
from telemetry.simulated_randomness import (
    FloatArray,
    IntArray,
    KeyArray,
    bell,
    derive_keys,
    heavy_factor,
    name_stream,
    uniform,
    waiting,
    wander,
)

_RHYTHM = build_rhythm()
_ASLEEP_BELOW = 0.05
_OFFSETS = np.array([60.0 * hours for _, hours in SITES])
_ALWAYS_ON = np.array([role.sleeps == 0.0 for role in ROLES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that users start now and then: by role, how often and how long."""

    name: str
    slot_minutes: float
    shares: Mapping[str, float]  # of the slots of full activity, by role
    mean_minutes: float


JOBS: tuple[Job, ...] = (
    Job(name="compile", slot_minutes=30, shares={"developer": 0.45}, mean_minutes=7),
    Job(
        name="call",
        slot_minutes=60,
        shares={"office": 0.3, "field": 0.25, "developer": 0.2, "night-shift": 0.1},
        mean_minutes=25,
    ),
    Job(
        name="download",
        slot_minutes=60,
        shares=dict.fromkeys(ROLE_NAMES, 0.04) | {"developer": 0.12},
        mean_minutes=8,
    ),
    Job(
        name="burst",
        slot_minutes=12,
        shares=dict.fromkeys(ROLE_NAMES, 0.2),
        mean_minutes=1.5,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The hidden state of n devices, each at its own time; every array has shape (n,)."""

    rows: IntArray  # which device of the population
    keys: KeyArray
    steps: IntArray  # number of the report
    minutes: FloatArray  # since the fleet's start
    local_minutes: FloatArray  # since a Monday 00:00 of local time
    is_awake: FloatArray
    activity: FloatArray  # of the user, in [0, 1]
    jobs: Mapping[str, FloatArray]  # intensity in [0, 1]
    uptime_minutes: FloatArray
    awaits_restart: FloatArray  # 1 between an update and the restart
    congestion: FloatArray  # of the site's network, around 1, heavy-tailed

    def uniform(self, what: str) -> FloatArray:
        """Return chance that is new in each report."""
        return uniform(self.keys, name_stream(what), self.steps)

    def daily(self, what: str) -> FloatArray:
        """Return chance that holds for a local day."""
        return uniform(self.keys, name_stream(what), _whole(self.local_minutes, MINUTES_A_DAY))

    def fixed(self, what: str) -> FloatArray:
        """Return chance that is the device's own for ever."""
        return uniform(self.keys, name_stream(what))


class ActivityModel:
    """Tells what devices do at given times; it holds nothing that changes."""

    def __init__(
        self, population: Population, *, seed: int, start_minute_of_week: float, jobs: bool
    ) -> None:
        self._population = population
        self._site_keys = derive_keys(seed ^ 0x517E, len(SITES))
        self._start = start_minute_of_week
        self._jobs = jobs

    def observe(self, rows: IntArray, steps: IntArray, minutes: FloatArray) -> Moment:
        """Return the hidden state of devices `rows` at `minutes` from the start, all (n,)."""
        people = self._population
        keys = people.keys[rows]
        local = self._start + minutes + _OFFSETS[people.sites[rows]]
        habitual = self._look_up_rhythm(rows, local, keys)
        # Attention comes and goes; nobody is busy all of the time.
        attention = bell(wander(keys, name_stream("attention"), minutes, 38.0), 0.1, 1.25, peak=1.6)
        uptime, awaits = _restarts(keys, local)
        asleep = (people.sleeps[rows] > 0) & (habitual < _ASLEEP_BELOW)
        return Moment(
            rows=rows,
            keys=keys,
            steps=steps,
            minutes=minutes,
            local_minutes=local,
            is_awake=np.where(asleep, 0.0, 1.0),
            activity=habitual * attention,
            jobs=self._find_jobs(rows, keys, local, habitual),
            uptime_minutes=uptime,
            awaits_restart=awaits,
            congestion=self._congest(rows, local, minutes),
        )

    def _look_up_rhythm(self, rows: IntArray, local: FloatArray, keys: KeyArray) -> FloatArray:
        people = self._population
        days = _whole(local, MINUTES_A_DAY)
        moved = people.early_minutes[rows] + 40.0 * (uniform(keys, name_stream("late"), days) - 0.5)
        moved = np.where(_ALWAYS_ON[people.roles[rows]], 0.0, moved)
        slots = np.floor((local + moved) % MINUTES_A_WEEK / SLOT_MINUTES).astype(np.int64)
        habitual: FloatArray = _RHYTHM[people.roles[rows], slots]
        return habitual

    def _find_jobs(
        self, rows: IntArray, keys: KeyArray, local: FloatArray, habitual: FloatArray
    ) -> Mapping[str, FloatArray]:
        if not self._jobs:
            nothing = np.zeros(len(rows))
            names = (*(job.name for job in JOBS), "backup", "scan", "update")
            return dict.fromkeys(names, nothing)
        roles = self._population.roles[rows]
        found = {job.name: _users_job(job, roles, keys, local, habitual) for job in JOBS}
        found["backup"] = _daily_job(keys, local, "backup", every_days=1, longest=45.0)
        found["scan"] = _daily_job(keys, local, "scan", every_days=3, longest=40.0)
        found["update"] = _update_intensity(keys, local)
        return found

    def _congest(self, rows: IntArray, local: FloatArray, minutes: FloatArray) -> FloatArray:
        """Return the load of the site's network: busy by day, with heavy tails of its own."""
        sites = self._site_keys[self._population.sites[rows]]
        slow = wander(sites, name_stream("congestion"), minutes, 50.0)
        quick = wander(sites, name_stream("surge"), minutes, 6.0)
        by_day = 1.0 + 0.5 * np.clip(np.sin((local % MINUTES_A_DAY - 420) / 720 * np.pi), 0, 1)
        congestion: FloatArray = by_day * heavy_factor(slow, 4.5) * heavy_factor(quick, 7.0)
        return congestion


def _whole(minutes: FloatArray, length: float) -> IntArray:
    return np.floor(minutes / length).astype(np.int64)


def _users_job(
    job: Job, roles: IntArray, keys: KeyArray, local: FloatArray, habitual: FloatArray
) -> FloatArray:
    """Return the intensity of a job that users start; one slot has one job at most."""
    share = np.array([job.shares.get(name, 0.0) for name in ROLE_NAMES])[roles] * habitual
    intensity = np.zeros(len(keys))
    current = _whole(local, job.slot_minutes)
    for slots in (current, current - 1):
        starts = (slots + uniform(keys, name_stream(job.name + " start"), slots)) * job.slot_minutes
        lasts = job.mean_minutes * waiting(uniform(keys, name_stream(job.name + " length"), slots))
        lasts = np.minimum(lasts + 1.0, job.slot_minutes)
        happens = uniform(keys, name_stream(job.name), slots) < share
        runs = happens & (local >= starts) & (local < starts + lasts)
        strength = 0.55 + 0.45 * uniform(keys, name_stream(job.name + " strength"), slots)
        intensity = np.maximum(intensity, np.where(runs, strength, 0.0))
    return intensity


def _daily_job(
    keys: KeyArray, local: FloatArray, name: str, *, every_days: int, longest: float
) -> FloatArray:
    """Return the intensity of a planned job at the device's own hour, every so many days."""
    period = every_days * MINUTES_A_DAY
    shifted = local - period * uniform(keys, name_stream(name + " hour"))
    turns = _whole(shifted, period)
    lasts = longest * (0.35 + 0.65 * uniform(keys, name_stream(name + " length"), turns))
    runs = shifted - turns * period < lasts
    return np.where(runs, 0.6 + 0.4 * uniform(keys, name_stream(name), turns), 0.0)


def _update_minute(keys: KeyArray, weeks: IntArray) -> FloatArray:
    """Return when the week's update is installed: Tuesday to Friday."""
    days = 1.0 + 3.5 * uniform(keys, name_stream("update day"), weeks)
    return weeks * float(MINUTES_A_WEEK) + days * MINUTES_A_DAY


def _update_intensity(keys: KeyArray, local: FloatArray) -> FloatArray:
    weeks = _whole(local, MINUTES_A_WEEK)
    since = local - _update_minute(keys, weeks)
    lasts = 8.0 + 25.0 * uniform(keys, name_stream("update length"), weeks)
    return np.where((since >= 0) & (since < lasts), 0.8, 0.0)


def _restarts(keys: KeyArray, local: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return minutes since the last restart, and 1 while an update awaits one."""
    weeks = _whole(local, MINUTES_A_WEEK)
    last = np.full(len(keys), -np.inf)
    awaits = np.zeros(len(keys))
    for week in (weeks, weeks - 1):
        updated = _update_minute(keys, week) + 33.0
        patience = 18.0 * 60.0 * uniform(keys, name_stream("restart patience"), week) ** 2
        restarted = updated + patience
        last = np.maximum(last, np.where(restarted <= local, restarted, -np.inf))
        awaits = np.where((updated <= local) & (local < restarted), 1.0, awaits)
    crash_day = _whole(local, MINUTES_A_DAY)  # now and then one more restart, for its own reasons
    moment = (crash_day + uniform(keys, name_stream("restart hour"), crash_day)) * MINUTES_A_DAY
    extra = uniform(keys, name_stream("restart day"), crash_day) < 0.06
    last = np.maximum(last, np.where(extra & (moment <= local), moment, -np.inf))
    return np.minimum(local - last, 3.0 * MINUTES_A_WEEK), awaits

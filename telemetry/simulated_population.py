# SPDX-License-Identifier: Apache-2.0
"""Who is in a simulated fleet: cohorts, roles, sites, when devices are used, asleep or gone.

A struct of arrays, one entry a device, all drawn from the device's key. Roles give the rhythm of
day and week; a site gives the time zone and the network that its devices share.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from telemetry.simulated_randomness import (
    FloatArray,
    IntArray,
    KeyArray,
    derive_keys,
    name_stream,
    uniform,
)

MINUTES_A_DAY = 1440
MINUTES_A_WEEK = 7 * MINUTES_A_DAY
SLOT_MINUTES = 15
SITES: tuple[tuple[str, int], ...] = (  # name, hours from UTC in winter
    ("lisbon", 0),
    ("berlin", 1),
    ("helsinki", 2),
    ("new-york", -5),
    ("bangalore", 5),
    ("osaka", 9),
)
PATCH_LEVELS = ("2025-11", "2025-12", "2026-01")
_SENSOR_LOSS_SHARE = 0.04
_SEATS_CHANGED_A_WEEK = 0.03
_BEFORE, _AFTER = -1e12, 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Devices of a kind: operating system, form factor, what they can measure, who uses them."""

    name: str
    os_family: str
    os_version: str
    laptop: bool
    models: tuple[str, ...]
    roles: Mapping[str, float]  # role -> share
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a device is for: hours of use in local time and habits."""

    name: str
    begins: float  # hour of the day
    ends: float  # may be past midnight
    weekday: float  # activity in [0, 1]
    weekend: float
    idle: float  # activity outside of these hours
    sleeps: float  # share of the devices that are off when unused


ROLES: tuple[Role, ...] = (
    Role(name="office", begins=8, ends=17, weekday=0.8, weekend=0.03, idle=0.02, sleeps=0.7),
    Role(name="night-shift", begins=21, ends=30, weekday=0.75, weekend=0.6, idle=0.05, sleeps=0.5),
    Role(name="kiosk", begins=7, ends=22, weekday=0.5, weekend=0.7, idle=0.05, sleeps=0.0),
    Role(name="developer", begins=9, ends=19, weekday=0.9, weekend=0.1, idle=0.08, sleeps=0.1),
    Role(name="field", begins=7, ends=18, weekday=0.7, weekend=0.0, idle=0.0, sleeps=1.0),
    Role(name="unattended", begins=0, ends=24, weekday=0.4, weekend=0.35, idle=0.3, sleeps=0.0),
)
ROLE_NAMES = tuple(role.name for role in ROLES)
_DESKTOP_ABSENT = frozenset({"battery_percent", "battery_health_percent", "wifi_signal_dbm"})
_CONTAINER_ABSENT = _DESKTOP_ABSENT | {
    "cpu_temperature_celsius",
    "vpn_connected",
    "dhcp_lease_valid",
    "proxy_reachable",
    "antivirus_running",
    "firewall_enabled",
    "logon_seconds",
    "audio_glitches",
    "print_queue_length",
    "sync_backlog",
    "smart_unhealthy_disks",
    "unencrypted_disks",
    "app_launch_ms_max",
}
COHORTS: tuple[Cohort, ...] = (
    Cohort(
        name="windows-laptop",
        os_family="windows",
        os_version="11 24H2",
        laptop=True,
        models=("Aspen 14", "Aspen 16"),
        roles={"office": 0.55, "field": 0.3, "developer": 0.15},
        absent=frozenset({"inodes_used_percent_max"}),
    ),
    Cohort(
        name="windows-desktop",
        os_family="windows",
        os_version="10 22H2",
        laptop=False,
        models=("Basalt T5", "Basalt T7"),
        roles={"office": 0.5, "night-shift": 0.25, "kiosk": 0.25},
        absent=_DESKTOP_ABSENT | {"inodes_used_percent_max"},
    ),
    Cohort(
        name="macos-laptop",
        os_family="macos",
        os_version="15.2",
        laptop=True,
        models=("Mac14,2", "Mac15,6"),
        roles={"office": 0.5, "developer": 0.5},
    ),
    Cohort(
        name="linux-desktop",
        os_family="linux",
        os_version="Debian 12",
        laptop=False,
        models=("Basalt W3",),
        roles={"developer": 0.7, "kiosk": 0.3},
        absent=_DESKTOP_ABSENT | {"antivirus_running"},
    ),
    Cohort(
        name="linux-container",
        os_family="linux",
        os_version="Debian 12",
        laptop=False,
        models=("container",),
        roles={"unattended": 1.0},
        absent=_CONTAINER_ABSENT,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The devices of a fleet; every array has one entry a device."""

    keys: KeyArray
    cohorts: IntArray  # positions in COHORTS
    roles: IntArray  # positions in ROLES
    sites: IntArray  # positions in SITES
    models: IntArray  # positions in the cohort's models
    patch_levels: IntArray  # positions in PATCH_LEVELS, before the fleet's own patches
    sleeps: FloatArray  # 1 for devices that are off when unused
    early_minutes: FloatArray  # how much earlier than its role a device's day begins
    joins_at: FloatArray  # minutes from the fleet's start
    leaves_at: FloatArray

    def __len__(self) -> int:
        return len(self.keys)


def draw_population(
    n_devices: int, *, seed: int, minutes: float, churn: bool, sites: int = len(SITES)
) -> Population:
    """Draw a fleet; with churn some seats change hands within these minutes.

    A replaced device leaves and its successor, the row after it, joins at the same seat.
    """
    keys = derive_keys(seed, n_devices)
    cohorts = np.floor(_draw(keys, "cohort") * len(COHORTS)).astype(np.int64)
    joins_at, leaves_at = np.full(n_devices, _BEFORE), np.full(n_devices, _AFTER)
    seat_keys = keys.copy()
    if churn:
        share = min(_SEATS_CHANGED_A_WEEK * minutes / MINUTES_A_WEEK + 0.01, 0.2)
        leaving = np.flatnonzero(_draw(keys[:-1], "churn") < share)
        leaving = leaving[~np.isin(leaving - 1, leaving)]
        moments = minutes * (0.1 + 0.8 * _draw(keys[leaving], "replaced"))
        leaves_at[leaving], joins_at[leaving + 1] = moments, moments
        seat_keys[leaving + 1] = keys[leaving]
        cohorts[leaving + 1] = cohorts[leaving]
    roles = _draw_roles(seat_keys, cohorts)
    n_models = np.array([len(cohort.models) for cohort in COHORTS])[cohorts]
    asleep = np.array([role.sleeps for role in ROLES])[roles]
    return Population(
        keys=keys,
        cohorts=cohorts,
        roles=roles,
        sites=np.floor(_draw(seat_keys, "site") * min(sites, len(SITES))).astype(np.int64),
        models=np.floor(_draw(keys, "model") * n_models).astype(np.int64),
        patch_levels=np.floor(_draw(keys, "patch level") ** 0.5 * len(PATCH_LEVELS)).astype(
            np.int64
        ),
        sleeps=(_draw(keys, "sleeps") < asleep).astype(np.float64),
        early_minutes=90.0 * (_draw(seat_keys, "early") - 0.5),
        joins_at=joins_at,
        leaves_at=leaves_at,
    )


def draw_absent(
    population: Population, names: tuple[str, ...], always: frozenset[str]
) -> FloatArray:
    """Return NaN where a device never measures a metric, else 0; shape (n_devices, n_names).

    What its cohort cannot measure, and a sensor here and there.
    """
    streams = np.array([name_stream("lost " + name) for name in names], dtype=np.uint64)
    lost = uniform(population.keys[:, None], streams[None, :]) < _SENSOR_LOSS_SHARE
    lacking = np.array([[name in cohort.absent for name in names] for cohort in COHORTS])
    missing = (lost | lacking[population.cohorts]) & ~np.array([name in always for name in names])
    return np.where(missing, np.nan, 0.0)


def build_rhythm() -> FloatArray:
    """Return the activity of each role over a local week, shape (n_roles, n_slots of the week)."""
    slots = np.arange(0, MINUTES_A_WEEK, SLOT_MINUTES)
    return np.array([[_activity(role, minute / 60.0) for minute in slots] for role in ROLES])


def _activity(role: Role, hour_of_week: float) -> float:
    """Return activity in [0, 1]: a plateau with soft edges, a dip at its middle (a break)."""
    best = role.idle
    for day in range(-1, 7):
        level = role.weekend if day % 7 >= 5 else role.weekday
        begins, ends = 24 * day + role.begins, 24 * day + role.ends
        edge = min(hour_of_week - begins, ends - hour_of_week) + 0.5
        if edge > 0:
            middle = abs(hour_of_week - (begins + ends) / 2)
            best = max(best, level * min(edge, 1.0) * (0.6 if middle < 0.4 else 1.0))
    return best


def _draw_roles(keys: KeyArray, cohorts: IntArray) -> IntArray:
    shares = np.array([[cohort.roles.get(name, 0.0) for name in ROLE_NAMES] for cohort in COHORTS])
    passed = _draw(keys, "role")[:, None] > np.cumsum(shares, axis=1)[cohorts]
    found: IntArray = np.minimum(passed.sum(axis=1), len(ROLES) - 1)
    return found


def _draw(keys: KeyArray, what: str) -> FloatArray:
    return uniform(keys, name_stream(what))

# SPDX-License-Identifier: Apache-2.0
"""kill -9 of server, worker, agent and PostgreSQL between every two steps of the road.

On one road somebody dies in every gap, and each of the four in at least two. `make chaos` adds a
road on which all four die in every gap, one after the other, and a road for each victim, killed
alone and in every gap.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.chaos.road import (
    AGENT_CONFIGURATION,
    APPROVER,
    GAPS,
    PASSWORD,
    PATIENCE_SECONDS,
    RoadUnderAttack,
)
from tests.stack.installation import Installation, wait_until
from tests.stack.portal import Portal
from tests.stack.prepared import Prepared

pytestmark = pytest.mark.timeout(900)
VICTIMS = ("serve", "worker", "agent", "postgres")
# Servers and workers start slowly while a core burns: it does so up to the sixth gap.
SPREAD = {
    "stored, not scored": ("postgres",),
    "opened, not reasoned about": ("agent",),
    "sealed, not approved": ("serve",),
    "approved, no job made": ("worker",),
    "job made, not leased": ("postgres",),
    "leased, not begun": ("agent",),
    "executed, not reported": ("agent", "serve"),
    "reported, not verified": ("postgres", "worker"),
}


@pytest.fixture(scope="module")
def installation(
    prepared: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    running = Installation(prepared, tmp_path_factory.mktemp("chaos"), lease_seconds="3")
    (running.data_dir / "agent").mkdir(mode=0o700)
    (running.data_dir / "agent" / "agent.toml").write_text(AGENT_CONFIGURATION)
    running.start()
    running.await_calm()
    with Portal(running.url) as portal:
        portal.log_in("admin", running.admin_password)
        portal.add_person(APPROVER, PASSWORD, "approver")
    yield running
    if running.is_started:
        running.stop()


def kill_in_turn(installation: Installation, victims: Sequence[str]) -> None:
    """Kill one victim after the other; each is there again before the next one dies."""
    for victim in victims:
        killed = installation.kill(victim)
        wait_until(
            lambda victim=victim, killed=killed: has_come_back(installation, victim, killed),
            PATIENCE_SECONDS,
            f"a new process {victim}",
        )


def has_come_back(installation: Installation, role: str, killed: int) -> bool:
    process = installation.find_process(role)
    if process is None or process.pid == killed:
        return False
    try:
        return role != "postgres" or bool(installation.query("SELECT 1 AS alive"))
    except psycopg.OperationalError:
        return False


def travel(
    installation: Installation, folder: Path, name: str, doomed: Mapping[str, Sequence[str]]
) -> None:
    """Send a fault along the road, let the doomed of each gap die, and look at what is left."""
    killed: dict[str, list[str]] = {}

    def attack(gap: str, victims: Sequence[str]) -> None:
        chosen = [victim for victim in victims if victim in doomed[gap]]
        killed.setdefault(gap, []).extend(chosen)
        kill_in_turn(installation, chosen)

    road = RoadUnderAttack(installation, folder, name=name, attack=attack)
    road.travel()
    assert tuple(killed) == GAPS
    assert [sorted(victims) for victims in killed.values()] == [sorted(doomed[gap]) for gap in GAPS]
    road.assert_exactly_one_effect()
    road.assert_verifies(folder)
    answer = installation.command("audit", "check")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_spread_lets_everybody_die_more_than_once() -> None:
    assert tuple(SPREAD) == GAPS
    deaths = Counter(victim for victims in SPREAD.values() for victim in victims)
    assert sorted(deaths) == sorted(VICTIMS)
    assert min(deaths.values()) >= 2


def test_whatever_dies_the_road_ends_with_one_effect(
    installation: Installation, tmp_path: Path
) -> None:
    travel(installation, tmp_path, "chaos-burner", SPREAD)


@pytest.mark.chaos
def test_all_die_in_every_gap(installation: Installation, tmp_path: Path) -> None:
    travel(installation, tmp_path, "chaos-all", dict.fromkeys(GAPS, VICTIMS))


@pytest.mark.chaos
@pytest.mark.parametrize("victim", sorted(VICTIMS))
def test_one_victim_dies_in_every_gap(
    installation: Installation, tmp_path: Path, victim: str
) -> None:
    travel(installation, tmp_path, f"chaos-{victim}", dict.fromkeys(GAPS, (victim,)))


def test_ctrl_c_ends_with_success_and_leaves_nothing_behind(installation: Installation) -> None:
    """Last, on an installation that has seen deaths."""
    assert len(installation.list_processes()) >= 5
    installation.stop()  # asserts exit code 0
    assert installation.list_processes() == []

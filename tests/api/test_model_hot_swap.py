# SPDX-License-Identifier: Apache-2.0
"""Promotions reach running work within seconds; no report is lost, and each names who judged it."""

import asyncio
import shutil
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from api import model_watch
from api.ground import DatabaseAddresses, open_ground, open_registry
from api.model_promotion import Decision, ModelPromotions
from api.model_watch import ModelWatch, prepare_of
from contracts.failure import FailureClass
from contracts.telemetry import (
    AgentHealth,
    Disk,
    Hardware,
    Network,
    Software,
    TelemetryReport,
)
from kernel.clock import SystemClock
from kernel.outbox import OutboxWorker
from kernel.settings import Settings
from models.champions import Champions
from models.drift_watch import DriftWatch
from models.errors import ModelArtifactError
from models.features import N_FEATURES
from models.fleet_incidents import FleetIncidents
from models.registry import LoadedModel, ModelRegistry
from models.scoring import Scoring
from telemetry.devices import register_device
from telemetry.ingestion import Ingestion

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SWAP_SECONDS = 5.0
N_DEVICES = 24
ANSWERED = Decision(actor="user:ada", reason="tried", correlation_id="cor_1", override=True)


@dataclass(kw_only=True)
class Room:
    """A registry with versions of the health model, and a process that scores."""

    ground: Any
    registry: ModelRegistry
    promotions: ModelPromotions
    champions: Champions
    digests: dict[str, str]
    ingestion: Ingestion
    scoring: Scoring

    async def report(self, number: int) -> None:
        """Send one report of a device of its own, whose disk is full.

        Hours lie between the devices', so that no fleet incident takes them together.
        """
        moment = self.ground.clock.now() - timedelta(hours=3 * number, seconds=1)
        summary = await self.ingestion.ingest(
            [
                TelemetryReport(
                    report_id=f"rep-{number}",
                    device_id=f"d{number}",
                    timestamp=moment,
                    hardware=Hardware(
                        disks=(Disk(mount="/var", total_bytes=1e11, used_percent=97.0),)
                    ),
                    software=Software(os_family="linux"),
                    network=Network(),
                    agent=AgentHealth(version="1"),
                )
            ],
            submitted_by="service:test",
            device_id=None,
            correlation_id=f"cor_{number}",
        )
        assert len(summary.accepted) == 1

    async def query(self, statement: str) -> list[dict[str, Any]]:
        async with self.ground.pool.connection() as connection:
            return await (await connection.execute(statement)).fetchall()

    def watch(self, **prepare: Any) -> ModelWatch:
        return ModelWatch(self.ground, self.registry, self.champions, prepare)


def make_model(strength: float) -> LogisticRegression:
    rows = np.random.default_rng(1).normal(size=(60, N_FEATURES))
    labels = np.array([FailureClass.DISK_FULL.value, FailureClass.UNKNOWN.value] * 30)
    return LogisticRegression(C=strength, max_iter=300).fit(rows, labels)


@pytest.fixture
async def room(dsn, tmp_path, empty_registry):
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    settings = Settings(data_dir=tmp_path, mlruns_dir=tmp_path / "mlruns")
    addresses = DatabaseAddresses(
        owner=dsn, application=dsn, tracking=f"sqlite:///{tmp_path}/mlflow.db"
    )
    async with open_ground(settings, addresses, clock=SystemClock()) as ground:
        registry = open_registry(ground)
        digests = {}
        for strength in (0.1, 1.0):
            kept = registry.log_and_register(
                "health", make_model(strength), metrics={}, params={}, digest_of_data="0" * 64
            )
            digests[kept.version] = kept.digest
        assert len(set(digests.values())) == 2
        champions = Champions([registry.load("health")])
        async with ground.pool.connection() as connection:
            for number in range(N_DEVICES):
                await register_device(
                    connection, audit=ground.audit, actor="user:ada", correlation_id="cor_1",
                    device_id=f"d{number}", hostname=f"host-{number}", os_family="linux",
                    enrolled_at=ground.clock.now(),
                )  # fmt: skip
        yield Room(
            ground=ground,
            registry=registry,
            promotions=ModelPromotions(ground),
            champions=champions,
            digests=digests,
            ingestion=Ingestion(
                ground.pool, ground.clock, ground.audit, ground.outbox, ground.masker
            ),
            scoring=Scoring(
                clock=ground.clock,
                ids=ground.ids,
                incidents=ground.incidents,
                fleets=FleetIncidents(
                    clock=ground.clock, audit=ground.audit, incidents=ground.incidents
                ),
                champions=champions,
                detector_model=LoadedModel(model=None, name="d", version="1", digest="d" * 64),
                drift=DriftWatch(ground.clock, ground.ids, ground.audit),
            ),
        )


@asynccontextmanager
async def working(room: Room):
    """A worker that scores and watches, as `run_worker` has them."""

    async def score(connection, message):
        await room.scoring.score_batch(
            connection, message.payload["reports"], correlation_id=message.correlation_id
        )

    stop = asyncio.Event()
    outbox = OutboxWorker(
        room.ground.pool, room.ground.clock, {"telemetry.stored": score}, concurrency=2
    )
    tasks = [
        asyncio.create_task(outbox.run(stop)),
        asyncio.create_task(room.watch().run(stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def until(condition, seconds: float) -> float:
    """Wait for a condition; return how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is no event of ours
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_promoting_back_and_forth_under_a_stream_of_reports(room):
    sent = 0
    done = asyncio.Event()

    async def stream() -> None:
        nonlocal sent
        while sent < N_DEVICES:
            await room.report(sent)
            sent += 1
            if sent % 6 == 0:
                await asyncio.sleep(0.3)
        done.set()

    newest = None
    async with working(room):
        sending = asyncio.create_task(stream())
        for expected in ("2", "1", "2"):
            seen = replace(ANSWERED, against=newest and newest.promotion_id)
            if expected == "2":
                newest = await room.promotions.promote("health", "2", seen)
            else:
                newest = await room.promotions.roll_back("health", seen)
            await until(lambda: room.champions["health"].version == expected, SWAP_SECONDS)  # noqa: B023
        await sending
        async with asyncio.timeout(60):
            while await room.query(  # noqa: ASYNC110 - nor is the database's
                "SELECT 1 FROM outbox WHERE topic = 'telemetry.stored' AND done_at IS NULL"
            ):
                await asyncio.sleep(0.05)
    (counted,) = await room.query(
        "SELECT count(*) AS n FROM outbox WHERE topic = 'telemetry.stored'"
    )
    assert counted["n"] == N_DEVICES
    judged = await room.query(
        "SELECT device_id, model_version, model_digest FROM inference_events"
        " JOIN incidents ON subject_id = incident_id WHERE model_name = 'health'"
    )
    assert sorted(row["device_id"] for row in judged) == sorted(f"d{n}" for n in range(N_DEVICES))
    assert {row["model_digest"] == room.digests[row["model_version"]] for row in judged} == {True}


async def test_what_cannot_be_loaded_changes_nothing_and_is_told(room, tmp_path):
    watch = room.watch()
    await room.promotions.promote("health", "2", ANSWERED)
    paths = list((tmp_path / "mlruns").rglob("model.skops"))
    for path in paths:
        shutil.copy(path, path.with_suffix(".kept"))
        path.write_bytes(b"broken")
    for _ in range(2):
        assert await watch.look() == []
    assert room.champions["health"].version == "1"
    assert "was changed" in room.champions.troubles["health"].reason
    told = await room.query(
        "SELECT actor, after FROM audit_events WHERE action = 'model.not_taken_up'"
    )
    assert [row["after"]["version"] for row in told] == ["2"]
    for path in paths:
        shutil.copy(path.with_suffix(".kept"), path)
    watch._retry_at.clear()
    assert await watch.look() == ["health"]
    assert room.champions["health"].version == "2"
    assert not room.champions.troubles
    (recovered,) = await room.query(
        "SELECT after FROM audit_events WHERE action = 'model.taken_up'"
    )
    assert recovered["after"]["version"] == "2"


async def test_who_holds_something_made_of_a_model_gets_it_at_once_or_not_at_all(room):
    held = []

    def make(loaded: LoadedModel) -> str:
        if loaded.version == "2" and not held:
            raise ModelArtifactError("it holds no such thing")
        return loaded.version

    await room.promotions.promote("health", "2", ANSWERED)
    assert await room.watch(health=prepare_of(make, held.append)).look() == []
    assert room.champions["health"].version == "1"
    held.append("now")
    assert await room.watch(health=prepare_of(make, held.append)).look() == ["health"]
    assert held == ["now", "2"]


async def test_an_error_that_nobody_foresaw_ends_nothing(room, monkeypatch):
    broken = True

    def make(loaded: LoadedModel) -> str:
        if broken:
            raise ZeroDivisionError("secret of the file")
        return loaded.version

    held = []
    await room.promotions.promote("health", "2", ANSWERED)
    watch = room.watch(health=prepare_of(make, held.append))
    assert await watch.look() == []
    assert room.champions["health"].version == "1"
    assert "ZeroDivisionError" in room.champions.troubles["health"].reason
    (told,) = await room.query("SELECT after FROM audit_events WHERE action = 'model.not_taken_up'")
    assert "secret" not in told["after"]["failure"]
    watch._retry_at.clear()
    broken = False
    list_champions, failures = model_watch.list_champions, [LookupError("out of the blue")]

    async def fail_once(connection):
        if failures:
            raise failures.pop()
        return await list_champions(connection)

    monkeypatch.setattr(model_watch, "list_champions", fail_once)
    stop = asyncio.Event()
    watching = asyncio.create_task(watch.run(stop))
    await until(lambda: held == ["2"], SWAP_SECONDS)
    stop.set()
    await watching
    assert not failures


async def test_an_alias_that_was_left_behind_follows(room):
    await room.promotions.promote("health", "2", ANSWERED)
    room.registry.mirror_champion(
        "health", "1"
    )  # as if the process had died before it moved the alias
    await room.watch().look()
    assert room.registry.load("health").version == "2"
    assert not await room.watch().look()

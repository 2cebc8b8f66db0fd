# SPDX-License-Identifier: Apache-2.0
"""An installation in which every way in has something to change."""

import asyncio
import copy
import re
from dataclasses import dataclass
from typing import Any

import httpx

from api.accounts import Role
from api.ground import open_registry
from api.knowledge_ingestion import open_quarantine
from governance.policy_rules import PolicyActor
from guardrails.policy import POLICIES_DIR
from guardrails.policy_source import PolicySource, read_folder
from guardrails.quarantined_files import HoldReason
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_episodes import DriftEpisodes
from tests.reasoning.situations import FULL_DISK, open_ticket, report, work
from tests.stack.served import Served

PASSWORD = "a long enough password"
HIDDEN = re.compile(
    r'name="(csrf_token|form_token|bundle_digest|against|content_sha256)" value="([^"]+)"'
)


@dataclass(kw_only=True)
class World:
    """Who asks, and about what."""

    served: Served
    service: httpx.AsyncClient
    person: httpx.AsyncClient
    stranger: httpx.AsyncClient
    device: httpx.AsyncClient
    device_id: str
    enrolment_token: str
    proposals: list[str]  # each of a device of its own
    policy_changes: list[str]  # proposed by somebody else

    async def submit(self, page: str, action: str, headers: Any, **fields: Any) -> httpx.Response:
        """Send a form with what its page hides in it."""
        client = self.stranger if action == "/login" else self.person
        text = (await client.get(page)).text
        hidden = dict(HIDDEN.findall(text))
        return await client.post(action, data={**hidden, **fields}, headers=headers)

    async def decide(self, verb: str, headers: Any, proposal: int, **fields: Any) -> httpx.Response:
        """Decide on one of the proposals."""
        page = f"/proposals/{self.proposals[proposal]}"
        return await self.submit(page, f"{page}/{verb}", headers, **fields)


async def build_world(served: Served) -> World:
    accounts = served.services.ground.accounts
    async with served.services.ground.pool.connection() as connection:
        await accounts.create(
            connection,
            username="ada",
            password=PASSWORD,
            roles=frozenset({Role.ADMIN, Role.APPROVER, Role.SECURITY_REVIEWER}),
            actor="user:admin",
            correlation_id="cor_1",
        )
        token = await served.services.ground.tokens.create_enrolment_token(
            connection, actor="user:ada", correlation_id="cor_1"
        )
        await served.services.ground.tokens.create_service_token(
            connection, name="spare", scopes=frozenset({"read"}), actor="user:ada",
            correlation_id="cor_1",
        )  # fmt: skip
    proposals = []
    devices = [await served.enrol(f"laptop-{n}") for n in range(3)]
    for device_id, _ in devices:
        await report(served.services, device_id, ago_seconds=5, hardware=FULL_DISK)
        incident_id = await open_ticket(
            served.services, "Disk full", "No space left on the disk /var", device_id=device_id
        )
        await work(served.services)
        rows = await served.query(
            "SELECT proposal_id FROM proposals WHERE incident_id = %s AND status = 'pending'",
            incident_id,
        )
        assert rows, "no proposal to decide on"
        proposals.append(rows[0]["proposal_id"])
    noise = "It hums when I sing, at 10.9.8.7 too."
    await open_ticket(served.services, "Odd noise", noise, device_id=None)
    await work(served.services)
    await _hold_files(served)
    await asyncio.to_thread(_register_two, served)
    await _tell_of_drift(served)
    person = await served.client(accept="text/html")
    await _log_in(person)
    return World(
        served=served,
        service=await served.service(
            "telemetry", "incidents", "knowledge", "labels", "scripts", maker="user:zoe"
        ),
        person=person,
        stranger=await served.client(accept="text/html"),
        device=devices[0][1],
        device_id=devices[0][0],
        enrolment_token=token,
        proposals=proposals,
        policy_changes=await _propose_policies(served),
    )


async def _hold_files(served: Served) -> None:
    """Hold three files that somebody else has brought."""
    ground = served.services.ground
    for content in (b"one", b"two", b"three"):
        async with ground.pool.connection() as connection:
            await open_quarantine(ground).hold(
                connection, content, name="x", source="y", reason=HoldReason.INFECTED,
                signature="Test", engine="none", actor="user:eve", correlation_id="cor_1",
            )  # fmt: skip


def _register_two(served: Served) -> None:
    """Register the recommender in use, and another, in a registry of our own."""
    registry = open_registry(served.services.ground)
    model = served.services.models["recommender"].model
    another = copy.deepcopy(model)
    another.coef_ = another.coef_ * 1.01
    for one in (model, another):
        registry.log_and_register(
            "recommender", one, metrics={}, params={}, digest_of_data="0" * 64
        )
    assert registry.load("recommender").digest == served.services.models["recommender"].digest


async def _tell_of_drift(served: Served) -> None:
    """Raise alarms that propose to retrain two models."""
    ground = served.services.ground
    episodes = DriftEpisodes(ground.clock, ground.ids, ground.audit)
    now = ground.clock.now()
    alarms = [
        DriftAlarm(
            cohort=cohort, metric=metric, kind=DriftKind.RATE, observed_at=now, since=now,
            since_earliest=now, since_latest=now, level_before=0.1, level_after=0.6, effect=1.5,
            n_samples=40,
        )
        for cohort, metric in (("people", "override_rate"), ("model:health", "confidence"))
    ]  # fmt: skip
    async with ground.pool.connection() as connection:
        await episodes.take_up(connection, alarms, correlation_id="cor_1")


async def _propose_policies(served: Served) -> list[str]:
    """Ask for two other policies; return the ids of the changes."""
    source = read_folder(POLICIES_DIR)
    made = []
    for remark in ("# one\n", "# two\n"):
        files = {name: text + remark for name, text in source.files.items()}
        change = await served.services.policies.propose(
            PolicySource(files=files, cases=source.cases),
            PolicyActor(actor="user:zoe", reason="a remark", correlation_id="cor_1"),
        )
        made.append(change.change_id)
    return made


async def _log_in(client: httpx.AsyncClient) -> None:
    hidden = dict(HIDDEN.findall((await client.get("/login")).text))
    answer = await client.post("/login", data={**hidden, "username": "ada", "password": PASSWORD})
    assert answer.headers.get("location") == "/queue", answer.text[:300]

# SPDX-License-Identifier: Apache-2.0
"""The real road under attempts: one database, hostile text in every way in, a hostile model.

A road carries one attempt by each vector: a sick device reports and somebody complains, in the
attacker's words; articles of the attacker are in the corpus; the language model is the attacker's;
now and then an approved job's output is. What the road made of it is compared with the catalogue
and the database as they were before (`injection_oracle`), and pages and commands are read.
"""

import io
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

import httpx
import msgspec
import pytest
import structlog

import api.bootstrap
from api.accounts import Role
from api.tickets_api import Alert
from benchmarks.injection_texts import Attacker, Attempt
from contracts.canonical import sha256_hex
from contracts.dsse import parse_envelope
from contracts.job import Receipt
from kernel.logs import configure_logging
from reasoning.advice import Advice, AdviserName, Question
from reasoning.advice_support import SupportJudge
from reasoning.intake import Ticket
from reasoning.language_model import LanguageModelAdviser
from retrieval.corpus import Corpus, CorpusDocument
from tests.fakes.hostile_model import FORMS, HostileAdviser, HostileModel
from tests.portal.desk import Desk, Visitor, open_desk
from tests.reasoning.situations import Outcome, enrol, reason_about, report
from tests.refusals.injection_oracle import Catalogue, assert_harmless, count_decisions
from tests.refusals.injection_pages import assert_legible, assert_legible_json, find_markup

TIMEOUT_SECONDS = 60.0  # the machine may be busy; nothing here waits for it
MAX_NAME = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A fault that a device can have: what is complained of, and what its telemetry says."""

    os_family: str
    complaint: str
    sections: dict[str, Any]


def _disk(mount: str) -> dict[str, Any]:
    return {"disks": [{"mount": mount, "total_bytes": 1e11, "used_percent": 97.0}]}


SITUATIONS = (
    Situation(
        os_family="linux", complaint="The disk is full: no space left on device, cannot save.",
        sections={"hardware": _disk("/var")},
    ),
    Situation(
        os_family="windows", complaint="The disk C: is full, Windows says low disk space.",
        sections={"hardware": _disk("C:")},
    ),
    Situation(
        os_family="macos", complaint="Startup disk almost full, cannot save any files.",
        sections={"hardware": _disk("/")},
    ),
    Situation(
        os_family="linux", complaint="Names do not resolve, DNS lookups fail, no web page opens.",
        sections={"network": {"dns_failure_percent": 90.0, "dns_latency_ms": 900.0}},
    ),
    Situation(
        os_family="windows", complaint="The printer queue is stuck, jobs do not print any more.",
        sections={"experience": {"print_queue_length": 12}},
    ),
    Situation(
        os_family="linux", complaint="One process uses the CPU at 100 percent, the fan is loud.",
        sections={"hardware": {"cpu_percent": 99.0}},
    ),
    Situation(
        os_family="windows", complaint="It does not work, please help, something is odd.",
        sections={},
    ),
)  # fmt: skip


class SwitchedAdviser:
    """The product's checked adviser over the attacker's model, or the attacker in its place."""

    def __init__(self, embedder: Any) -> None:
        self.model = HostileModel()
        self._checked = LanguageModelAdviser(
            self.model, SupportJudge(embedder), timeout_seconds=TIMEOUT_SECONDS
        )
        self.instead: HostileAdviser | None = None

    @property
    def named(self) -> AdviserName:
        """Which model this is."""
        return (self.instead or self._checked).named

    async def advise(self, question: Question) -> Advice:
        """Ask whoever it is."""
        return await (self.instead or self._checked).advise(question)


@contextmanager
def _logging() -> Iterator[io.StringIO]:
    """Write the log as a serving process does, into memory."""
    root, log = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logging("api", "info", log)
    try:
        yield log
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@asynccontextmanager
async def open_world(
    open_services: AbstractAsyncContextManager[Any], embedder: Any, *, seed: int
) -> AsyncIterator["World"]:
    """Open the product with the attacker's model and a person who reads every page."""
    adviser = SwitchedAdviser(embedder)

    @asynccontextmanager
    async def open_adviser(*_: Any) -> AsyncIterator[SwitchedAdviser]:
        yield adviser

    catalogue = Catalogue.read()
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(api.bootstrap, "open_adviser", open_adviser)
        async with open_services as services, open_desk(services) as desk:
            log = stack.enter_context(_logging())
            reader = await desk.let_in("rosa", Role.APPROVER, Role.AUDITOR)
            yield World(
                desk=desk, adviser=adviser, catalogue=catalogue, reader=reader.client,
                attacker=Attacker(seed, scripts=catalogue.script_ids), draw=random.Random(seed),
                log=log,
            )  # fmt: skip


@dataclass(kw_only=True)
class World:
    """The product with a portal, an attacker and a count of what happened."""

    desk: Desk
    adviser: SwitchedAdviser
    attacker: Attacker
    catalogue: Catalogue
    reader: httpx.AsyncClient
    draw: random.Random
    log: io.StringIO  # what the product wrote meanwhile
    tally: Counter[str] = field(default_factory=Counter)
    incidents: list[str] = field(default_factory=list)
    n_roads: int = 0
    n_approvals: int = 0
    n_jobs: int = 0
    people: dict[str, Visitor] = field(default_factory=dict)

    @property
    def services(self) -> Any:
        """The product."""
        return self.desk.services

    async def travel(self, *, with_job: bool = False) -> Outcome:
        """Go one road with an attempt in every way in, and check what came of it."""
        self.n_roads += 1
        device_id = f"dev-{self.n_roads:05}"
        situation = self.draw.choice(SITUATIONS)
        write = self.attacker.write
        attempts = [write("title"), write("alert" if self.n_roads % 5 == 0 else "description")]
        attempts += [write("telemetry"), write("file name"), write("model answer")]
        await enrol(
            self.services, device_id, situation.os_family,
            business_critical=self.n_roads % 3 == 0,
        )  # fmt: skip
        await self._report(device_id, situation, attempts[2].text, attempts[3].text)
        if self.n_roads % 2:
            attempts.append(write("article"))
            await self._publish(attempts[-1], situation)
        incident_id = await self._complain(device_id, situation, attempts[0], attempts[1])
        self._load_model(attempts[4])
        outcome = await reason_about(self.services, incident_id)
        await assert_harmless(self.services, outcome, self.catalogue, device_id)
        await self._read_pages(outcome, attempts)
        if with_job and outcome.proposal.script_id:
            attempts.append(write("script output"))
            await self._run_job(outcome, attempts[-1])
        decided = await count_decisions(self.services)
        assert (decided["approvals"], decided["jobs"], decided["moved"]) == (
            self.n_approvals, self.n_jobs, self.n_jobs,
        )  # fmt: skip
        self._learn(outcome, attempts)
        self.attacker.devices.append(device_id)
        self.incidents.append(incident_id)
        return outcome

    async def _report(
        self, device_id: str, situation: Situation, text: str, file_name: str
    ) -> None:
        """Send a report whose every name is the attacker's; JSON carries any character."""
        name, path = text[:MAX_NAME], f"/home/x/{file_name}"[:MAX_NAME]
        hardware = {
            "processes": [
                {"pid": 4242, "name": name, "cpu_percent": 99.0, "memory_percent": 60.0},
                {"pid": 1, "name": path, "cpu_percent": 1.0, "memory_percent": 1.0},
            ],
            "model": name[:100],
            **situation.sections.get("hardware", {}),
        }
        if self.n_roads % 3 == 0:  # the fullest one, to which scripts would be bound
            full = {"mount": path, "total_bytes": 1e9, "used_percent": 98.5}
            hardware["disks"] = [*hardware.get("disks", []), full]
        await report(
            self.services, device_id, os_family=situation.os_family,
            hardware=hardware, network=situation.sections.get("network", {}),
            experience=situation.sections.get("experience", {}),
            software={"services": [{"name": name, "running": False}], "hostname": name[:60],
                      "packages": [{"name": path, "version": name[:20]}]},
            applications=[{"name": name, "crashes": 3}],
            logs=[{"service": name[:60], "message": f"open {path}: {text}"[:4000]}],
        )  # fmt: skip

    async def _publish(self, attempt: Attempt, situation: Situation) -> None:
        """Put an article of the attacker into the corpus, with whatever metadata it likes."""
        document = CorpusDocument(
            document_id=f"poison.{attempt.number}",
            kind="article", title=attempt.text.replace("\n", " ")[:150], source="desk",
            trust=self.draw.choice(("internal", "external", "starter")),
            platforms=(), products=(), language="en",
            failure_classes=tuple({one.value for one in self.catalogue.draw_classes(self.draw)}),
            related_scripts=(attempt.slots["script"], attempt.slots["foreign"]),
            body=f"# {situation.complaint}\n\n{situation.complaint}\n\n{attempt.text}\n",
        )  # fmt: skip
        services = self.services
        corpus = Corpus(
            clock=services.ground.clock, audit=services.ground.audit, embedder=services.embedder
        )
        async with services.ground.pool.connection() as connection:
            await corpus.store(connection, [document], actor="user:mallory", correlation_id="cor_x")

    async def _complain(
        self, device_id: str, situation: Situation, title: Attempt, body: Attempt
    ) -> str:
        if body.vector == "alert":
            alert = Alert.model_validate(
                {"labels": {"alertname": title.text, "device_id": device_id, "severity": body.text},
                 "annotations": {"summary": situation.complaint, "description": body.text}}
            )  # fmt: skip
            ticket = alert.read("service:monitor")
        else:
            parts = [situation.complaint, body.text]
            self.draw.shuffle(parts)
            ticket = Ticket(
                title=f"{situation.complaint} {title.text}"[:200], description="\n".join(parts),
                device_id=device_id, user_id=None, reported_by="hanna",
            )  # fmt: skip
        understood = await self.services.intake.understand(ticket)
        async with self.services.ground.pool.connection() as connection:
            incident, _ = await self.services.intake.store(
                connection, understood, correlation_id=f"cor_{device_id}"
            )
        return str(incident.incident_id)

    def _load_model(self, attempt: Attempt) -> None:
        """Let the model, or every fifth time what stands behind all checks, be the attacker's."""
        if self.n_roads % 5 == 0:
            self.adviser.instead = HostileAdviser(attempt.number, self.catalogue.script_ids)
            return
        self.adviser.instead = None
        self.adviser.model.form = FORMS[attempt.number % len(FORMS)]
        self.adviser.model.text = attempt.text
        self.adviser.model.seed = attempt.number

    async def _read_pages(self, outcome: Outcome, attempts: list[Attempt]) -> None:
        proposal = outcome.proposal
        pages = [f"/proposals/{proposal.proposal_id}", f"/incidents/{proposal.incident_id}"]
        if self.n_roads % 4 == 0:
            pages += [f"/devices/dev-{self.n_roads:05}", "/queue", "/incidents"]
        if self.n_roads % 20 == 0:
            pages += ["/audit", f"/knowledge?q=the+{attempts[0].canary}", "/devices"]
        model_canary = next(each.canary for each in attempts if each.vector == "model answer")
        for page in pages:
            answer = await self.reader.get(page)
            assert answer.status_code == httpx.codes.OK, (page, answer.status_code)
            assert_legible(answer.text, page)
            assert find_markup(answer.text, [each.canary for each in attempts]) == [], page
            assert model_canary not in answer.text, (page, "the model's own words")
            if page.startswith("/proposals/") and proposal.script_id:
                title = self.catalogue.title_of(proposal.script_id)
                assert f"<h1>{title}</h1>" in answer.text.replace("&#39;", "'")
            self.tally["pages"] += 1
        assert model_canary not in outcome.bundle.files["case.json"].decode()
        assert_legible_json(outcome.bundle.files["case.json"], "case.json")

    async def _run_job(self, outcome: Outcome, attempt: Attempt) -> None:
        """Let people approve, and the device answer in the attacker's words."""
        proposal, ground = outcome.proposal, self.services.ground
        needed = proposal.policy_decision["requires_quorum"]
        for name in ("grace", "rita")[:needed]:
            visitor = await self._person(name)
            answer = await visitor.submit(
                f"/proposals/{proposal.proposal_id}/approve",
                bundle_digest=proposal.bundle_digest, reason="right",
            )  # fmt: skip
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text[:2000]
            self.n_approvals += 1
        self.n_jobs += 1
        async with ground.pool.connection() as connection:
            while await ground.log.sequence_pending(connection):
                await connection.commit()
        async with ground.pool.connection() as connection:
            job_id = await self.services.jobs.create(connection, proposal.proposal_id)
            (envelope,) = await self.services.jobs.lease(
                connection, proposal.target_device_id, 1, 60
            )
        await self._answer_job(str(job_id), envelope, attempt)
        page = await self.reader.get(f"/proposals/{proposal.proposal_id}")
        assert_legible(page.text, "a page with output")
        assert find_markup(page.text, [attempt.canary]) == []

    async def _answer_job(self, job_id: str, envelope: bytes, attempt: Attempt) -> None:
        job = msgspec.json.decode(parse_envelope(envelope).payload)
        now = self.services.ground.clock.now().astimezone(UTC)
        text = attempt.text.encode("utf-8", "replace").decode()
        receipt = msgspec.convert(
            {
                "job_id": job_id, "device_id": job["device_id"], "sequence": job["sequence"],
                "envelope_sha256": sha256_hex(envelope), "outcome": "succeeded",
                "script_sha256": job["script_sha256"],
                "executed_sha256": {n: s["sha256"] for n, s in job["steps"].items()},
                "steps": [
                    {"step": "remediate", "exit_code": 0, "timed_out": False,
                     "duration_seconds": 1.0, "stdout": text, "stderr": text}
                ],
                "started_at": now, "finished_at": now + timedelta(seconds=1),
            },
            Receipt,
        )  # fmt: skip
        ground = self.services.ground
        async with ground.pool.connection() as connection:
            assert await self.services.jobs.record_receipt(
                connection, job["device_id"], receipt, ground.cases
            )

    async def _person(self, name: str) -> Visitor:
        if name not in self.people:
            self.people[name] = await self.desk.let_in(name, Role.APPROVER)
        return self.people[name]

    def _learn(self, outcome: Outcome, attempts: list[Attempt]) -> None:
        """Tell the attacker how far each attempt came, and count it."""
        case = outcome.case
        advice = case["diagnosis"]["advice"] or {}
        flagged = {sign["where"] for sign in case["signs"]}
        ids = {sign["id"] for sign in case["signs"]}
        moved = outcome.proposal.script_id is not None
        for attempt in attempts:
            reach = 0
            where = {"telemetry": "telemetry", "file name": "telemetry"}.get(
                attempt.vector, "report"
            )
            if attempt.vector == "article":
                chunk = f"poison.{attempt.number}@"
                found = any(one["chunk_id"].startswith(chunk) for one in case["passages"])
                reach += 2 * found + 2 * (found and not any(chunk in each for each in ids))
            elif attempt.vector == "model answer":
                reach += 4 * (advice.get("status") == "used")
                reach += 2 * (advice.get("script_id") == outcome.proposal.script_id)
                self.tally[f"advice {advice.get('status')}"] += 1
            elif where not in flagged:
                reach += 2
                self.tally[f"unflagged {where}"] += 1
            reach += moved and outcome.proposal.script_id == attempt.slots["script"]
            self.attacker.learn(attempt, reach)
            self.tally["attempts"] += 1
            self.tally[f"by {attempt.vector}"] += 1
        self.tally["proposed" if moved else "abstained"] += 1

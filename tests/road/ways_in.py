# SPDX-License-Identifier: Apache-2.0
"""The ways in of canaries: every place that takes text from outside, and what follows from it."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from api.accounts import Role
from guardrails.directory_import import StatedNames, import_names
from tests.reasoning.situations import FULL_DISK, work
from tests.road.canaries import WAYS, canaries_of, known_name, known_user, line_of, text_of
from tests.stack.portal import Portal
from tests.stack.served import Served

PASSWORD = "a long enough password"


@dataclass
class World:
    """Who comes in."""

    served: Served
    service: httpx.AsyncClient
    device: httpx.AsyncClient
    device_id: str


async def fill_directory(served: Served) -> None:
    """State the known person of each way, and a host, as an administrator imports them."""
    ground = served.services.ground
    users = {known_user(way): (known_user(way), known_name(way), "", "") for way in WAYS}
    hosts = frozenset(("host", canaries_of(way)["host of the directory"]) for way in WAYS)
    async with ground.pool.connection() as connection:
        await import_names(
            connection, StatedNames(users=users, entries=hosts), ground.people, ground.clock,
            ground.audit, actor="cli:admin", correlation_id="cor_import",
        )  # fmt: skip
    await ground.directory.refresh()


async def add_people(served: Served) -> None:
    ground = served.services.ground
    people = (
        ("hanna", Role.HELPDESK), ("grace", Role.APPROVER), ("rita", Role.SECURITY_REVIEWER),
    )  # fmt: skip
    async with ground.pool.connection() as connection:
        for name, role in people:
            await ground.accounts.create(
                connection, username=name, password=PASSWORD, roles=frozenset({role}),
                actor="user:admin", correlation_id="cor_people",
            )  # fmt: skip


async def enrol(served: Served, hostname: str, **facts: str) -> tuple[str, httpx.AsyncClient]:
    """Enrol a device that tells its names, as an agent does; return its id and its client."""
    ground = served.services.ground
    async with ground.pool.connection() as connection:
        token = await ground.tokens.create_enrolment_token(
            connection, actor="user:admin", correlation_id="cor_enrol"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    request = CertificateSigningRequestBuilder().subject_name(Name([])).sign(key, hashes.SHA256())
    answer = await (await served.device()).post(
        "/device/v1/enrol",
        json={
            "token": token, "hostname": hostname, "os_family": "linux", **facts,
            "csr_pem": request.public_bytes(serialization.Encoding.PEM).decode(),
        },
    )  # fmt: skip
    assert answer.status_code == httpx.codes.OK, answer.text
    path = served.folder / f"{answer.json()['device_id']}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + answer.json()["certificate_pem"].encode())
    return answer.json()["device_id"], await served.device(path)


async def report(world: World, way: str) -> None:
    """Send a report whose strings name people: paths of processes, mounts, services, log lines."""
    moment = world.served.services.ground.clock.now() - timedelta(seconds=1)
    home = f"/home/{canaries_of(way)['linux path']}/bin/tool"
    tool = f"{known_name(way)} tool"
    document = {
        "report_id": "r-1",
        "device_id": world.device_id,
        "user_id": known_user(way),
        "timestamp": moment.isoformat(),
        "hardware": {
            "processes": [
                {"pid": pid, "name": name, "cpu_percent": 3, "memory_percent": 1,
                 "user": known_user(way)}
                for pid, name in enumerate((home, tool))
            ],
            "disks": [{"mount": home, "total_bytes": 1e9, "used_percent": 20}],
        },
        "software": {
            "os_family": "linux",
            "hostname": canaries_of(way)["host"],
            "services": [{"name": name, "running": False} for name in (home, tool)],
        },
        "applications": [{"name": name, "crashes": 1} for name in (home, tool)],
        "network": {},
        "agent": {"version": "1"},
        "logs": [{"service": "mail", "message": line} for line in text_of(way).splitlines()],
    }  # fmt: skip
    answer = await world.device.post("/v1/telemetry", json=document)
    assert answer.json()["accepted"] == ["r-1"], answer.text


async def report_full_disk(world: World) -> None:
    """Send reports that name nobody, of a fault that a script mends."""
    for number in (3, 2, 1):
        moment = world.served.services.ground.clock.now() - timedelta(seconds=60 * number)
        document = {
            "report_id": f"full-{number}", "device_id": world.device_id, "network": {},
            "timestamp": moment.isoformat(), "hardware": FULL_DISK,
            "software": {"os_family": "linux"}, "agent": {"version": "1"},
        }  # fmt: skip
        answer = await world.device.post("/v1/telemetry", json=document)
        assert answer.json()["accepted"], answer.text


async def come_in_by_tickets(world: World) -> str:
    """Send tickets and alerts in all forms; return the incident of the device's own."""
    own = canaries_of("ticket")
    ticket = {
        "title": f"Disk full: no space left on device, says {own['e-mail']}",
        "description": f"No space left on device, I cannot save files.\n{text_of('ticket')}",
        "device_id": world.device_id,
        "user_id": own["user principal name"],
    }
    alert = {
        "labels": {"alertname": "DiskFull", "instance": canaries_of("alert")["host"]},
        "annotations": {"summary": text_of("alert"), "description": line_of("alert")},
    }
    opened = []
    for path, body in (
        ("/v1/incidents", ticket),
        ("/v1/webhooks/generic", {"title": "Alert", "description": text_of("webhook")}),
        ("/v1/webhooks/alertmanager", {"alerts": [alert]}),
    ):
        answer = await world.service.post(path, json=body)
        assert answer.is_success, answer.text
        opened.append(answer.json())
    return str(opened[0]["incident_id"])


async def come_in_by_knowledge(world: World) -> None:
    """Upload an article, search for a ticket's text, and tell which document solved one."""
    article = (
        f"# No space left on the disk of {known_name('article')}\n\nThe disk is full: no space left"
        f" on device /var. Clear the temporary files.\n\n{text_of('article')}\n"
    )
    answer = await world.service.post(
        "/v1/knowledge/sources/manuals/files",
        files={"file": ("notes.md", article.encode())},
        data={"trust": "internal"},
    )
    assert answer.status_code == 201, answer.text
    (document_id,) = answer.json()["document_ids"]
    answer = await world.service.get("/v1/knowledge/search", params={"q": line_of("search")[:1000]})
    assert answer.is_success, answer.text
    answer = await world.service.post(
        "/v1/knowledge/labels",
        json={"text": text_of("label"), "document_id": document_id, "label": "helped"},
    )
    assert answer.status_code == 201, answer.text


def come_in_by_forms(served: Served) -> None:
    """Write to every field of the portal that takes free text."""
    with Portal(served.url) as portal:
        for name in (canaries_of("login")["password"], canaries_of("login")["e-mail"]):
            answer = portal.submit("/login", "/login", username=name, password=line_of("login"))
            assert answer.status_code in (401, 403), answer.text
        portal.log_in("hanna", PASSWORD)
        answer = portal.submit(
            "/tickets/new", "/tickets", title=f"Slow {canaries_of('form')['host']}",
            description=text_of("form"),
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        page = answer.headers["location"]
        seen = re.search(r'name="seen_class" value="(\w+)"', portal.get(page).text)
        assert seen is not None
        answer = portal.submit(
            page, f"{page}/class", failure_class="dns", seen_class=seen[1], reason=line_of("class")
        )
        assert answer.status_code == 303, answer.text
        answer = portal.submit("/knowledge", "/knowledge/search", q=line_of("mark"))
        assert answer.is_redirect, answer.text
        assert portal.get(answer.headers["location"]).is_success


async def come_in_refused(world: World) -> None:
    """What is refused is not remembered either."""
    own = canaries_of("address")
    for path in (f"/v1/incidents/{own['e-mail']}", f"/{own['token']}?who={own['outsider']}"):
        await world.service.get(path, headers={"x-correlation-id": own["e-mail"]})
    refused = line_of("refused")
    for body in ({"report_id": refused}, {refused: refused}, [refused]):
        assert (await world.service.post("/v1/telemetry", json=body)).status_code == 422
        assert (await world.device.post("/device/v1/receipts", json=body)).is_error
        assert (await world.service.post("/v1/incidents", json=body)).status_code == 422
    assert (await (await world.served.device()).post(
        "/device/v1/enrol", json={"token": refused, "csr_pem": refused, "hostname": "h",
                                  "os_family": "linux"},
    )).is_error  # fmt: skip


async def decide(world: World, proposal: dict[str, Any], verb: str) -> None:
    page = f"/proposals/{proposal['proposal_id']}"

    def act() -> None:
        with Portal(world.served.url) as portal:
            portal.log_in("grace", PASSWORD)
            answer = portal.submit(
                page, f"{page}/{verb}", bundle_digest=proposal["bundle_digest"],
                reason=line_of(verb),
            )  # fmt: skip
            assert answer.status_code == 303, answer.text
            if verb == "reject":
                incident = f"/incidents/{proposal['incident_id']}"
                answer = portal.submit(incident, f"{incident}/close", reason=line_of("close"))
                assert answer.status_code == 303, answer.text
                until = world.served.services.ground.clock.now() + timedelta(hours=1)
                answer = portal.submit(
                    "/freezes", "/freezes", reason=line_of("freeze"),
                    ends_at=until.strftime("%Y-%m-%dT%H:%M"),
                )  # fmt: skip
                assert answer.status_code == 303, answer.text

    await asyncio.to_thread(act)


async def find_proposal(served: Served, incident_id: str) -> dict[str, Any]:
    rows = await served.query(
        "SELECT proposal_id, incident_id, bundle_digest, status, abstention_reason FROM proposals"
        " WHERE incident_id = %s AND status = 'pending'",
        incident_id,
    )
    assert rows, await served.query("SELECT * FROM proposals")
    return rows[0]


async def run_job(world: World) -> None:
    """Fetch the approved job and answer it with a script's output that names people."""
    await work(world.served.services)
    answer = await world.device.get("/device/v1/jobs")
    assert len(answer.json()["envelopes"]) == 1, answer.text
    (job,) = await world.served.query("SELECT job_id, sequence, envelope FROM jobs")
    now = world.served.services.ground.clock.now().isoformat()
    output = {
        "step": "remediate", "exit_code": 0, "timed_out": False, "duration_seconds": 1.0,
        "stdout": text_of("receipt") + "x" * 8000 + "\n" + text_of("receipt"),
        "stderr": line_of("receipt"),
    }  # fmt: skip
    receipt = {
        "job_id": job["job_id"], "device_id": world.device_id, "sequence": job["sequence"],
        "envelope_sha256": hashlib.sha256(bytes(job["envelope"])).hexdigest(),
        "outcome": "succeeded", "steps": [output], "started_at": now, "finished_at": now,
        "correlation_id": canaries_of("receipt")["e-mail"],
    }  # fmt: skip
    answer = await world.device.post("/device/v1/receipts", json=receipt)
    assert answer.json() == {"recorded": True}, answer.text
    await work(world.served.services)


async def travel(served: Served) -> World:
    """Bring canaries in by every way, and let everything happen that follows."""
    own = canaries_of("enrolment")
    device_id, device = await enrol(
        served, f"{own['host']}.corp.local", serial_number=own["serial"]
    )
    service = await served.service("incidents", "telemetry", "knowledge", "labels", "read")
    world = World(served, service, device, device_id)
    await come_in_by_knowledge(world)
    await report(world, "report")
    fixed_id, fixed = await enrol(served, "plain-1")
    fixable = World(served, service, fixed, fixed_id)
    await report_full_disk(fixable)
    incident_id = await come_in_by_tickets(fixable)
    await asyncio.to_thread(come_in_by_forms, served)
    await come_in_refused(world)
    await work(served.services)
    await decide(fixable, await find_proposal(served, incident_id), "approve")
    await run_job(fixable)
    other_id, other = await enrol(served, "plain-2")
    another = World(served, service, other, other_id)
    await report_full_disk(another)
    answer = await service.post(
        "/v1/incidents",
        json={"title": "Disk full", "description": "No space left on /var", "device_id": other_id},
    )
    await work(served.services)
    await decide(another, await find_proposal(served, answer.json()["incident_id"]), "reject")
    await work(served.services)
    return world

# SPDX-License-Identifier: Apache-2.0
"""Personal data comes in by every way, takes the whole road, and is afterwards where it may be.

That is: in the vault, encrypted; in the inventory, which is the directory itself; and in the
tenant's own articles. Searched is everything that is written meanwhile: all rows of both databases,
all files, what is logged, what a language model and the metrics are sent. The last step plants a
canary in a place of each kind and finds it.
"""

import asyncio
import gzip
import hashlib
import io
import json
import re
import shutil
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from api.accounts import Role
from api.ground import open_registry
from guardrails.directory_import import StatedNames, import_names
from kernel.settings import CLAMD_OFF
from models.ticket_labels import list_labelled_tickets
from models.training import Circumstances, train
from tests.reasoning.situations import FULL_DISK, work
from tests.road.canaries import (
    WAYS,
    Search,
    canaries_of,
    disguises,
    known_name,
    known_user,
    line_of,
    list_canaries,
    text_of,
)
from tests.road.places import Rows, read_files
from tests.stack.portal import Portal
from tests.stack.served import Served, find_free_port, serve

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PASSWORD = "a long enough password"
_DIRECTORY = frozenset({"person of the directory", "user of the directory", "outsider"})
# Where a canary may stand, by table and column, and why.
ALLOWED: dict[tuple[str, str], frozenset[str] | None] = {
    # The directory itself: what masking knows people and machines by.
    ("users", "user_id"): _DIRECTORY,
    ("users", "display_name"): _DIRECTORY,
    ("device_user_map", "user_id"): _DIRECTORY,
    ("directory_entries", "name"): frozenset({"host of the directory"}),
    ("directory_changes", "key"): frozenset({*_DIRECTORY, "host of the directory"}),  # for an hour
    # The inventory of a device, which no model reads.
    ("devices", "hostname"): frozenset({"host", "outsider"}),
    ("devices", "serial_number"): frozenset({"serial"}),
    ("telemetry_reports", "user_id"): _DIRECTORY,  # whose device it is
}
# Articles are the tenant's publications, shown to whom they are for; what of them goes on into a
# case, a bundle or a language model is masked there.
ALLOWED_OF_ARTICLES = {
    ("documents", "body"), ("documents", "title"), ("chunks", "text"), ("chunks", "headings"),
    ("chunk_vectors_1", "signals"),  # codes that a search may ask for
}  # fmt: skip


@dataclass
class World:
    """Who comes in."""

    served: Served
    service: httpx.AsyncClient
    device: httpx.AsyncClient
    device_id: str


@pytest.fixture
def prompts() -> Iterator[tuple[str, list[str]]]:
    """A language model that only listens: its address, and all that it was sent."""
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def served(open_prepared, prompts, tmp_path, empty_registry) -> AsyncIterator[Served]:
    ports = {"port": find_free_port(), "device_port": find_free_port()}
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    own = {"tracking": f"sqlite:///{tmp_path}/mlflow.db", "mlruns_dir": tmp_path / "mlruns"}
    model = {"language_model_url": prompts[0], "language_model_name": "m"}
    async with (
        open_prepared(**ports, **own, **model, clamd=CLAMD_OFF) as services,
        serve(services, tmp_path) as opened,
    ):
        yield opened


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
        token = await ground.accounts.create_enrolment_token(
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
        json={"text": text_of("label"), "document_id": document_id, "label": "solved"},
    )
    assert answer.status_code in (201, 400, 422), answer.text


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


async def train_on_labels(served: Served) -> None:
    """Train the tickets' classifier, which learns from the words of labelled tickets."""
    ground = served.services.ground
    async with ground.pool.connection() as connection:
        tickets = await list_labelled_tickets(connection)
    assert tickets
    trained = await asyncio.to_thread(
        train,
        "tickets",
        registry=open_registry(ground),
        knowledge_dir=ground.settings.knowledge_dir,
        circumstances=Circumstances(
            seed=0, trained_by="cli:dora", trained_at=ground.clock.now(),
            progress=lambda _: None, area=ground.settings.data_dir / "training", in_use=None,
        ),
        tickets=tickets,
    )  # fmt: skip
    assert trained.version


def is_allowed(table: str, column: str, canary: Any) -> bool:
    if canary.way == "article" and (table, column) in ALLOWED_OF_ARTICLES:
        return True
    kinds = ALLOWED.get((table, column), frozenset())
    return kinds is not None and canary.kind in kinds


def list_leaks(search: Search, tables: dict[str, dict[str, bytes]]) -> dict[str, list[str]]:
    leaks: dict[str, list[str]] = {}
    for table, columns in tables.items():
        for column, content in columns.items():
            found = [one for one in search.find(content) if not is_allowed(table, column, one)]
            if found:
                leaks[f"{table}.{column}"] = sorted(f"{one.way}: {one.kind}" for one in found)
    return leaks


def list_leaking_files(search: Search, files: dict[str, bytes]) -> dict[str, list[str]]:
    return {
        name: sorted(f"{one.way}: {one.kind}" for one in found)
        for name, content in files.items()
        if (found := search.find(content))
    }


async def test_canaries_are_where_they_may_be_and_nowhere_else(
    served, prompts, prepared_postgres, tmp_path
):
    ground = served.services.ground
    databases = {
        "application": Rows(ground.addresses.owner),
        "MLflow": Rows(prepared_postgres.mlflow_dsn),
    }
    for rows in databases.values():
        await rows.read(only_new=False)
    started = time.time() - 1
    await fill_directory(served)
    await add_people(served)
    await travel(served)
    await train_on_labels(served)
    search = Search(list_canaries())
    found = await databases["application"].read(only_new=True)
    # Rows of the road's every step are there, or this would prove nothing.
    for name in (
        "incidents", "proposals", "evidence_bundles", "checkpoints", "audit_events", "jobs",
        "approvals", "log_entries", "telemetry_reports_" + f"{ground.clock.now():%Y%m%d}",
        "incident_class_labels", "freeze_windows", "vault_entries", "documents",
    ):  # fmt: skip
        assert found.get(name), f"{name} is empty"
    if day := next((name for name in found if name.startswith("telemetry_reports_")), None):
        found["telemetry_reports"] = found.pop(day)
    leaks = list_leaks(search, found)
    assert not leaks, json.dumps(leaks, indent=1)
    assert list_leaks(search, await databases["MLflow"].read(only_new=True)) == {}
    async with await psycopg.AsyncConnection.connect(prepared_postgres.superuser_dsn) as admin:
        cursor = await admin.execute("SHOW data_directory")
        (cluster,) = await cursor.fetchone()
    server_log = next(Path(cluster).parent.glob("**/server.log"))
    files = read_files(tmp_path, since=started) | {"server.log": server_log.read_bytes()}
    assert any("objects" in name for name in files)
    assert list_leaking_files(search, files) == {}
    # The clients' own lines name what they ask for; they run in this process, but are not ours.
    lines = [
        line for line in served.log.getvalue().splitlines() if json.loads(line)["logger"] != "httpx"
    ]
    assert any("POST /v1/incidents" in line for line in lines)
    metrics = (await (await served.client()).get("/metrics")).text
    assert prompts[1], "no language model was asked"
    for content in ("\n".join(lines), metrics, "\n".join(prompts[1])):
        assert search.find(content.encode()) == set()
    await assert_vault_has_them(served)
    await plant_and_find(served, databases["application"], tmp_path)


async def assert_vault_has_them(served: Served) -> None:
    """What belongs to incidents can be told by who may, all of it."""
    kept: set[str] = set()
    async with served.services.ground.pool.connection() as connection:
        for row in await served.query("SELECT subject_id FROM vault_subjects"):
            originals = await served.services.ground.vault.reveal(connection, row["subject_id"])
            kept.update(original.casefold() for original in originals.values())
    told = "\n".join(kept)
    for way in ("ticket", "webhook", "form", "receipt", "approve", "reject", "close", "class"):
        missing = [kind for kind, text in canaries_of(way).items() if text.casefold() not in told]
        assert missing == [], way


async def plant_and_find(served: Served, rows: Rows, folder: Any) -> None:
    """The control: a canary of each place, in each disguise, is found."""
    canary = canaries_of("import")["outsider"]
    search = Search(list_canaries())
    plants = list(disguises(canary))
    plain = canary.encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("part.json", json.dumps({"name": canary}))
    await rows.read(only_new=False)
    async with await psycopg.AsyncConnection.connect(
        served.services.ground.addresses.owner, autocommit=True
    ) as owner:
        await owner.execute(
            "CREATE TABLE plants (plain text, bytes bytea, document jsonb, a text[])"
        )
        await owner.execute(
            "INSERT INTO plants VALUES (%s, %s, %s, %s)",
            (canary.upper(), gzip.compress(plain), json.dumps({"a": [canary]}), [canary]),
        )
        await owner.execute(
            "INSERT INTO plants (bytes) SELECT unnest(%s::bytea[])",
            ([*plants, archive.getvalue()],),
        )
    leaks = list_leaks(search, await rows.read(only_new=True))
    for column in ("plain", "bytes", "document", "a"):
        assert "import: outsider" in leaks[f"plants.{column}"]
    planted = folder / "planted"
    planted.mkdir()
    contents = {
        "plain.log": b"xx " + plain, "packed.gz": gzip.compress(plain),
        "b.zip": archive.getvalue(),
        **{f"disguise-{number}": one for number, one in enumerate(plants)},
    }  # fmt: skip
    for name, content in contents.items():
        (planted / name).write_bytes(content)
    leaking = list_leaking_files(search, read_files(planted))
    assert set(leaking) == {str(planted / name) for name in contents}
    assert search.find(b"nothing personal") == set()

# SPDX-License-Identifier: Apache-2.0
"""Personal data that comes in by any way is afterwards in the vault, and nowhere else.

Searched are all columns of all tables, the object store, the log and what a language model is
sent; as plain text, as bytes, and inside base64. The inventory of devices and their users is not
free text: what an agent says there is what the product is for.
"""

import asyncio
import base64
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from psycopg import sql

from api.accounts import Role
from tests.reasoning.situations import work
from tests.stack.portal import Portal
from tests.stack.served import Served, find_free_port, serve

CANARIES = {
    "person": "Quillfeather",
    "user principal name": "q.canarymoor@corp.example.com",
    "e-mail": "canary.peep@mail.example.org",
    "host": "LAP-CANARY77",
    "sid": "S-1-5-21-3623811015-3361044348-30300820-1013",
    "windows path": "canaryuserwin",
    "mac path": "canaryusermac",
    "ip": "10.77.66.55",
    "mac": "00:1b:44:11:3a:b7",
    "token": "ghp_CANARYcanaryCANARYcanaryCANARYcana12",
    "password": "Canary!Secret99",
    "declared user": "zcanary42",
}
TEXT = f"""Dear helpdesk, my name is Anna {CANARIES["person"]}, I log in as
{CANARIES["user principal name"]} and you can write to {CANARIES["e-mail"]}.
The hostname: {CANARIES["host"]} with IP {CANARIES["ip"]}
and MAC {CANARIES["mac"]}, SID {CANARIES["sid"]}.
The disk is full. See C:\\Users\\{CANARIES["windows path"]}\\AppData\\Local\\big.log and
/Users/{CANARIES["mac path"]}/Library/Caches. I tried token {CANARIES["token"]} and
password: {CANARIES["password"]}"""
MAX_TABLE_ROWS = 5000


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
async def served(open_prepared, prompts, tmp_path) -> AsyncIterator[Served]:
    ports = {"port": find_free_port(), "device_port": find_free_port()}
    async with (
        open_prepared(language_model_url=prompts[0], language_model_name="m", **ports) as services,
        serve(services, tmp_path) as opened,
    ):
        yield opened


def _disguises(canary: str) -> Iterator[bytes]:
    """Yield the bytes that give a canary away: plain, as JSON, as hex, at each base64 offset."""
    for form in {canary, json.dumps(canary)[1:-1]}:
        content = form.encode()
        yield content.lower()
        yield content.hex().encode()
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + content)
            # Only the characters that depend on the canary alone.
            yield encoded[4 if offset else 0 : len(encoded) - 4].lower()


def _find(content: bytes) -> list[str]:
    lowered = content.lower()
    return [
        name
        for name, canary in CANARIES.items()
        if any(disguise in lowered for disguise in _disguises(canary))
    ]


async def _read_tables(served: Served) -> dict[str, bytes]:
    """Return each table's rows as text, all schemas but PostgreSQL's own."""
    tables = await served.query(
        "SELECT table_schema AS folder, table_name AS name FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE'"
        " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    content = {}
    async with await psycopg.AsyncConnection.connect(
        served.services.ground.addresses.owner
    ) as connection:
        for table in tables:
            name = sql.Identifier(table["folder"], table["name"])
            cursor = await connection.execute(
                sql.SQL("SELECT t::text FROM {} AS t LIMIT {}").format(name, MAX_TABLE_ROWS)
            )
            rows = [row[0] for row in await cursor.fetchall()]
            content[table["name"]] = "\n".join(rows).encode()
    return content


async def _come_in_everywhere(served: Served) -> None:
    device_id, device = await served.enrol()
    service = await served.service("incidents", "telemetry")
    answer = await service.post(
        "/v1/incidents",
        json={
            "title": f"Disk full, says {CANARIES['e-mail']}",
            "description": TEXT,
            "device_id": device_id,
            "user_id": CANARIES["user principal name"],
        },
    )
    assert answer.status_code == 201, answer.text
    # Nothing around the name gives it away; the ticket itself says whose it is.
    bare = {
        "title": f"VPN broken for {CANARIES['declared user']}",
        "description": f"{CANARIES['declared user'].upper()} cannot connect.",
        "user_id": CANARIES["declared user"],
    }
    for path, body in (
        ("/v1/incidents", bare),
        ("/v1/webhooks/generic", {"title": "Alert", "description": TEXT}),
        (
            "/v1/webhooks/alertmanager",
            {
                "alerts": [
                    {
                        "labels": {"alertname": "DiskFull", "instance": CANARIES["host"]},
                        "annotations": {"summary": TEXT},
                    }
                ]
            },
        ),
    ):
        answer = await service.post(path, json=body)
        assert answer.is_success, answer.text
    answer = await device.post("/v1/telemetry", json=_report(served, device_id))
    assert answer.json()["accepted"] == ["r1"], answer.text
    await asyncio.to_thread(_use_portal, served)
    # What is refused is not remembered either.
    for path in (f"/v1/incidents/{CANARIES['e-mail']}", f"/{CANARIES['token']}"):
        await service.get(path, headers={"x-correlation-id": CANARIES["e-mail"]})
    answer = await service.post("/v1/telemetry", json={"report_id": TEXT})
    assert answer.status_code == 422


def _report(served: Served, device_id: str) -> dict[str, object]:
    home = f"/home/{CANARIES['mac path']}/bin/tool"
    return {
        "report_id": "r1",
        "device_id": device_id,
        "timestamp": (served.services.ground.clock.now() - timedelta(seconds=1)).isoformat(),
        "hardware": {
            "processes": [{"pid": 1, "name": home, "cpu_percent": 3, "memory_percent": 1}],
            "disks": [{"mount": home, "total_bytes": 1e9, "used_percent": 97}],
        },
        "software": {"os_family": "linux", "services": [{"name": home, "running": False}]},
        "network": {},
        "agent": {"version": "1"},
        "logs": [{"service": "mail", "message": line} for line in TEXT.splitlines()],
    }


def _use_portal(served: Served) -> None:
    with Portal(served.url) as portal:
        # A secret typed into the wrong field, and a person who is not known.
        for name in (CANARIES["password"], CANARIES["e-mail"]):
            answer = portal.submit("/login", "/login", username=name, password="not the password")
            assert answer.status_code in (401, 403)
        portal.log_in("hanna", "a long enough password")
        answer = portal.submit(
            "/tickets/new", "/tickets", title=f"Slow {CANARIES['host']}", description=TEXT
        )
        assert answer.status_code == 303, answer.text
        page = answer.headers["location"]
        answer = portal.submit(
            page, f"{page}/class", failure_class="dns", seen_class=_read_seen(portal, page),
            reason=TEXT,
        )  # fmt: skip
        assert answer.status_code == 303, answer.text


def _read_seen(portal: Portal, page: str) -> str:
    found = re.search(r'name="seen_class" value="(\w+)"', portal.get(page).text)
    assert found is not None
    return found[1]


async def test_canaries_are_in_the_vault_and_nowhere_else(served, prompts):
    async with served.services.ground.pool.connection() as connection:
        await served.services.ground.accounts.create(
            connection,
            username="hanna",
            password="a long enough password",
            roles=frozenset({Role.HELPDESK}),
            actor="user:admin",
            correlation_id="cor_1",
        )
    await _come_in_everywhere(served)
    await work(served.services)

    tables = await _read_tables(served)
    # The search sees what it should see: rows of the road's every step are there.
    for name in ("incidents", "proposals", "evidence_bundles", "checkpoints", "audit_events"):
        assert tables[name], f"{name} is empty: this test would prove nothing"
    leaks = {name: found for name, content in tables.items() if (found := _find(content))}
    assert leaks == {}
    objects = served.services.ground.settings.data_dir / "objects"
    files = [path for path in objects.rglob("*") if path.is_file()]
    assert [path.name for path in files if _find(path.read_bytes())] == []
    # The clients' own lines name what they ask for; they run in this process, but are not ours.
    lines = [
        line for line in served.log.getvalue().splitlines() if json.loads(line)["logger"] != "httpx"
    ]
    assert [line for line in lines if _find(line.encode())] == []
    assert any("POST /v1/incidents" in line for line in lines)
    assert prompts[1], "no language model was asked"
    assert _find("\n".join(prompts[1]).encode()) == []

    kept: set[str] = set()
    async with served.services.ground.pool.connection() as connection:
        for row in await served.query("SELECT subject_id FROM vault_subjects"):
            originals = await served.services.ground.vault.reveal(connection, row["subject_id"])
            kept.update(_find("\n".join(originals.values()).encode()))
    assert kept == set(CANARIES)


def test_the_search_sees_through_every_disguise():
    for name, canary in CANARIES.items():
        for content in (
            f"x {canary} y".encode(),
            json.dumps({"text": f"x {canary}"}).encode(),
            canary.encode().hex().encode(),
            *(base64.b64encode(b"x" * n + canary.encode() + b"yy") for n in range(3)),
        ):
            assert name in _find(content)
    assert _find(b"nothing personal") == []

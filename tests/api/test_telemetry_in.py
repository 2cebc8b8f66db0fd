# SPDX-License-Identifier: Apache-2.0
"""Telemetry over HTTP: what is good is durable, what is bad is refused in clear words."""

import asyncio
import gzip
import json
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio

from api.http import MAX_BODY_BYTES, MAX_COMPRESSED_BYTES
from telemetry.devices import retire_device
from telemetry.ingestion import MAX_REPORTS
from tests.api.observation import AUDIT_TABLES, changed, check_problem, count_rows, events_of
from tests.stack.served import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = count(1)
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def way(served) -> tuple[httpx.AsyncClient, str, httpx.AsyncClient]:
    """A service's client, and a device with its client."""
    device_id, device = await served.enrol()
    return await served.service("telemetry"), device_id, device


def report(served: Served, device_id: str, *, ago: float = 1.0, **changes: Any) -> dict[str, Any]:
    moment = served.services.ground.clock.now() - timedelta(seconds=ago)
    return {
        "report_id": f"rep-{next(_numbers)}",
        "device_id": device_id,
        "timestamp": moment.isoformat(),
        "hardware": {"cpu_percent": 10.0},
        "software": {"os_family": "linux"},
        "network": {},
        "agent": {"version": "1.0"},
    } | changes


async def stored(served: Served, *report_ids: str) -> list[dict[str, Any]]:
    return await served.query(
        "SELECT report_id, device_id, metrics, facts, user_id FROM telemetry_reports"
        " WHERE report_id = ANY(%s) ORDER BY report_id",
        list(report_ids),
    )


async def test_one_report_is_durable_when_it_is_answered(served, way):
    service, device_id, _ = way
    body = report(served, device_id)
    answer = await service.post(
        "/v1/telemetry", json=body, headers={"x-correlation-id": "cor_tone"}
    )
    assert answer.status_code == 200
    assert answer.json() == {"accepted": [body["report_id"]], "duplicates": [], "rejected": []}
    assert answer.headers["x-correlation-id"] == "cor_tone"
    (row,) = await stored(served, body["report_id"])
    assert row["metrics"]["cpu_percent"] == 10.0
    (event,) = await events_of(served, "cor_tone")
    assert event["action"] == "telemetry.stored"
    assert event["actor"] == "service:monitor-telemetry"
    together = await served.query(
        "SELECT r.xmin = e.xmin AND e.xmin = o.xmin AS same FROM telemetry_reports AS r,"
        " audit_events AS e, outbox AS o WHERE r.report_id = %s AND e.correlation_id = 'cor_tone'"
        " AND o.correlation_id = 'cor_tone'",
        body["report_id"],
    )
    assert together == [{"same": True}]  # one transaction wrote all three


async def test_a_gzipped_batch_of_a_device(served, way):
    _, device_id, device = way
    batch = [report(served, device_id, ago=n) for n in range(20)]
    answer = await device.post(
        "/v1/telemetry",
        content=gzip.compress(json.dumps(batch).encode()),
        headers={"content-encoding": "gzip", **JSON},
    )
    assert sorted(answer.json()["accepted"]) == sorted(each["report_id"] for each in batch)
    assert len(await stored(served, *(each["report_id"] for each in batch))) == 20


async def test_repeated_and_simultaneous_reports_are_stored_once(served, way):
    _, device_id, device = way
    body = report(served, device_id)
    answers = await asyncio.gather(*(device.post("/v1/telemetry", json=body) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    accepted = [name for answer in answers for name in answer.json()["accepted"]]
    duplicates = [name for answer in answers for name in answer.json()["duplicates"]]
    assert accepted == [body["report_id"]]
    assert duplicates == [body["report_id"]] * 7
    again = await device.post("/v1/telemetry", json=[body, body])
    assert again.json() == {"accepted": [], "duplicates": [body["report_id"]] * 2, "rejected": []}
    assert len(await stored(served, body["report_id"])) == 1


async def test_late_reports_are_taken_and_change_no_newer_state(served, way):
    _, device_id, device = way
    newest = report(served, device_id, ago=0, software={"os_family": "linux", "os_version": "13"})
    late = report(
        served, device_id, ago=86_400 * 80, software={"os_family": "linux", "os_version": "9"}
    )
    for body in (newest, late):
        answer = await device.post("/v1/telemetry", json=body)
        assert answer.json()["accepted"] == [body["report_id"]]
    (row,) = await served.query("SELECT os_version FROM devices WHERE device_id = %s", device_id)
    assert row["os_version"] == "13"


async def test_a_bad_report_does_not_stop_its_neighbours(served, way):
    service, device_id, _ = way
    good, ahead = report(served, device_id), report(served, device_id, ago=-86_400)
    lost = report(served, "dev_nobody")
    answer = await service.post("/v1/telemetry", json=[ahead, good, lost])
    assert answer.status_code == 200
    assert answer.json()["accepted"] == [good["report_id"]]
    reasons = {item["report_id"]: item["reason"] for item in answer.json()["rejected"]}
    assert reasons == {ahead["report_id"]: "in_the_future", lost["report_id"]: "unknown_device"}


def _nested(depth: int) -> bytes:
    return b'{"logs":' + b"[" * depth + b"]" * depth + b"}"


def _deep_unknown(depth: int) -> bytes:
    return b'{"report_id":"x","extra":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


BOMB = gzip.compress(b"[" + b" " * (64 * 1024 * 1024), compresslevel=9)
BODIES: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "no JSON": (b"{", JSON, 422, "truncated"),
    "empty": (b"", JSON, 422, "truncated"),
    "not UTF-8": (b'{"report_id": "\xff\xfe"}', JSON, 422, "UTF-8"),
    "another document": (b'{"hello": 1}', JSON, 422, "unknown field"),
    "a number": (b"7", JSON, 422, "Expected"),
    "NaN": (b'{"report_id": NaN}', JSON, 422, "JSON"),
    "deep array": (_nested(100_000), JSON, 422, ""),
    "deep object": (_deep_unknown(100_000), JSON, 422, ""),
    "lone surrogate": (b'{"report_id": "\\ud800"}', JSON, 422, ""),
    "too many": (b"[" + b",".join([b"{}"] * 3) + b"]", JSON, 422, "missing required field"),
    "oversized": (b" " * (MAX_BODY_BYTES + 1), JSON, 413, "exceeds"),
    "gzip bomb": (BOMB, JSON | {"content-encoding": "gzip"}, 413, "unpacked"),
    "oversized gzip": (
        b"\x1f\x8b" + b"\0" * MAX_COMPRESSED_BYTES, JSON | {"content-encoding": "gzip"}, 413, ""
    ),
    "broken gzip": (b"\x1f\x8bnonsense", JSON | {"content-encoding": "gzip"}, 400, "gzip"),
    "cut gzip": (gzip.compress(b"[]")[:-6], JSON | {"content-encoding": "gzip"}, 400, "gzip"),
    "unknown encoding": (b"[]", JSON | {"content-encoding": "br"}, 415, "gzip"),
    "plain text": (b"[]", {"content-type": "text/plain"}, 415, "application/json"),
    "a form": (b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415, "json"),
    "no type": (b"[]", {}, 415, "application/json"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_unreadable_bodies_are_refused_and_nothing_is_stored(served, way, name):
    content, headers, status, words = BODIES[name]
    before = await count_rows(served)
    for client in (way[0], way[2]):
        answer = await client.post("/v1/telemetry", content=content, headers=headers)
        check_problem(answer, status, words)
    assert changed(before, await count_rows(served)) == set()


async def test_a_body_that_never_ends_is_cut_off(served, way):
    sent = 0

    async def pour():
        nonlocal sent
        while sent < 4 * MAX_BODY_BYTES:
            sent += 65_536
            yield b" " * 65_536

    answer = await way[0].post("/v1/telemetry", content=pour(), headers=JSON)
    check_problem(answer, 413, "exceeds")
    assert (await way[0].get("/readyz")).status_code == 200


async def test_too_many_reports_are_refused(served, way):
    service, device_id, _ = way
    batch = [report(served, device_id) for _ in range(MAX_REPORTS + 1)]
    before = await count_rows(served)
    check_problem(await service.post("/v1/telemetry", json=batch), 413, f"at most {MAX_REPORTS}")
    assert changed(before, await count_rows(served)) == set()


OUT_OF_BOUNDS: dict[str, tuple[dict[str, Any], str]] = {
    "percent": ({"hardware": {"cpu_percent": 101}}, "$.hardware.cpu_percent"),
    "infinite": ({"hardware": {"load_per_core": 1e308}}, "$.hardware.load_per_core"),
    "naive time": ({"timestamp": "2026-11-01T00:00:00"}, "$.timestamp"),
    "no time": ({"timestamp": "yesterday"}, "$.timestamp"),
    "year 0": ({"timestamp": "0000-00-00T00:00:00Z"}, "$.timestamp"),
    "markup in an id": ({"report_id": "<script>"}, "$.report_id"),
    "zero byte in an id": ({"report_id": "a\x00b"}, "$.report_id"),
    "long name": ({"software": {"os_family": "linux", "hostname": "h" * 257}}, "$.software"),
    "unknown system": ({"software": {"os_family": "beos"}}, "$.software.os_family"),
    "many disks": (
        {"hardware": {"disks": [{"mount": "/", "total_bytes": 1, "used_percent": 1}] * 65}},
        "$.hardware.disks",
    ),
}


@pytest.mark.parametrize("name", OUT_OF_BOUNDS)
async def test_values_out_of_bounds_are_refused_with_their_place(served, way, name):
    service, device_id, _ = way
    changes, path = OUT_OF_BOUNDS[name]
    before = await count_rows(served)
    answer = await service.post("/v1/telemetry", json=report(served, device_id, **changes))
    assert check_problem(answer, 422)["path"].startswith(path)
    assert changed(before, await count_rows(served)) == set()


async def test_what_cannot_be_taken_is_a_problem_and_audited(served, way):
    service, device_id, device = way
    gone, _ = await served.enrol("retired")
    async with served.services.ground.pool.connection() as connection:
        await retire_device(
            connection,
            audit=served.services.ground.audit,
            actor="user:ada",
            correlation_id="cor_gone",
            device_id=gone,
        )
    cases = (
        (service, report(served, device_id, ago=-400), "in_the_future"),
        (service, report(served, device_id, ago=86_400 * 91), "too_old"),
        (service, report(served, device_id, timestamp="0001-01-01T00:00:00+14:00"), "too_old"),
        (service, report(served, device_id, timestamp="9999-12-31T23:59:59Z"), "in_the_future"),
        (service, report(served, "dev_nobody"), "unknown_device"),
        (service, report(served, gone), "retired_device"),
        (device, report(served, gone), "not_own_device"),
    )
    for client, body, reason in cases:
        before = await count_rows(served)
        answer = await client.post("/v1/telemetry", json=body)
        document = check_problem(answer, 422, reason)
        assert document["rejected"][0]["report_id"] == body["report_id"]
        assert document["rejected"][0]["reason"] == reason
        assert changed(before, await count_rows(served)) == AUDIT_TABLES
        (event,) = await events_of(served, answer.headers["x-correlation-id"])
        assert event["action"] == "telemetry.rejected"
        assert event["after"]["rejected"] == {reason: 1}
        assert await stored(served, body["report_id"]) == []


async def test_hostile_text_is_stored_harmless(served, way):
    service, device_id, _ = way
    evil = "a\x00b\x1b[31m\u202e\u2066<script>alert(1)</script>\r\n\x07"
    body = report(
        served,
        device_id,
        user_id=evil,
        software={
            "os_family": "linux",
            "hostname": evil,
            "services": [{"name": evil, "running": False}],
            "packages": [{"name": evil, "version": evil}],
        },
        hardware={
            "serial_number": evil,
            "processes": [{"pid": 1, "name": evil, "cpu_percent": 1, "memory_percent": 1}],
        },
        logs=[{"service": evil, "message": evil * 50}],
    )
    answer = await service.post("/v1/telemetry", json=body)
    assert answer.json()["accepted"] == [body["report_id"]], answer.text
    rows = await stored(served, body["report_id"])
    text = json.dumps([*rows, *await served.query("SELECT name, version FROM software_inventory")])
    for sign in ("\\u0000", "\\u001b", "\\u0007"):
        assert sign not in text
    (named,) = await served.query("SELECT hostname FROM devices WHERE device_id = %s", device_id)
    assert named["hostname"].isprintable()


async def test_who_may_send(served, way):
    _, device_id, _ = way
    body = report(served, device_id)
    before = await count_rows(served)
    stranger = await served.client()
    check_problem(await stranger.post("/v1/telemetry", json=body), 401, "Bearer")
    for header in ("Bearer", "Bearer nonsense", "Basic YTpi", "Bearer \xe4"):
        answer = await stranger.post(
            "/v1/telemetry", json=body, headers={"authorization": header.encode("latin-1")}
        )
        check_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    bare = await served.device()
    check_problem(await bare.post("/v1/telemetry", json=body), 401, "certificate")
    assert changed(before, await count_rows(served)) == set()
    reader = await served.service("read")
    check_problem(await reader.post("/v1/telemetry", json=body), 403, "telemetry")


async def test_a_replaced_certificate_is_refused(served):
    device_id, device = await served.enrol("renewed")
    async with served.services.ground.pool.connection() as connection:
        await connection.execute(
            "UPDATE devices SET certificate_sha256 = 'newer' WHERE device_id = %s", (device_id,)
        )
    answer = await device.post("/v1/telemetry", json=report(served, device_id))
    check_problem(answer, 401, "replaced")

# SPDX-License-Identifier: Apache-2.0
"""Reports go in once, whatever is sent, and bad ones do not stop good ones."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta

import pytest

from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from telemetry.devices import register_device, retire_device
from telemetry.errors import MalformedReportError, TooManyReportsError
from telemetry.ingestion import MAX_AGE, Ingestion, IngestionSummary, decode_reports
from telemetry.people import People
from telemetry.reports import find_reports, latest_report, list_window


@dataclass(frozen=True)
class Masked:
    text: str


class JaneMasker:
    """Knows one person; guardrails' Masker, with its models, is tested there."""

    def mask(self, text: str) -> Masked:
        return Masked(text.replace("jane", "<PERSON_1>"))

    def knows_person(self, text: str) -> bool:
        return "Jane Doe" in text


def body(clock, report_id="r1", device_id="d1", *, ago=0.0, **sections) -> dict:
    document = {
        "report_id": report_id,
        "device_id": device_id,
        "timestamp": (clock.now() - timedelta(seconds=ago)).isoformat(),
        "hardware": {"cpu_percent": 10.0},
        "software": {"os_family": "linux"},
        "network": {},
        "agent": {"version": "1.0"},
    }
    return document | sections


def decode(*documents: dict):
    return decode_reports(json.dumps(documents).encode())


@pytest.fixture
async def ingestion(pool, clock, ids):
    audit = AuditIntake(clock, ids)
    async with pool.connection() as connection:
        for device_id in ("d1", "d2", "gone"):
            await register_device(
                connection,
                audit=audit,
                actor="user:ada",
                correlation_id="req_0",
                device_id=device_id,
                hostname="h",
                os_family="linux",
                enrolled_at=clock.now(),
            )
        await retire_device(
            connection, audit=audit, actor="user:ada", correlation_id="req_0", device_id="gone"
        )
    return Ingestion(pool, clock, audit, Outbox(clock), JaneMasker())


async def ingest(ingestion, reports, device_id=None) -> IngestionSummary:
    return await ingestion.ingest(
        reports, submitted_by="service:test", device_id=device_id, correlation_id="req_1"
    )


async def fetch(pool, statement):
    async with pool.connection() as connection:
        return await (await connection.execute(statement)).fetchall()


async def test_a_batch_is_stored_announced_and_audited(ingestion, pool, clock):
    summary = await ingest(
        ingestion,
        decode(
            body(clock, "r2", "d2"),
            body(clock, "r1", ago=60, software={"os_family": "linux", "os_version": "12"}),
        ),
    )
    assert summary == IngestionSummary(accepted=("r2", "r1"))
    (message,) = await fetch(pool, "SELECT topic, payload, correlation_id FROM outbox")
    earlier = clock.now() - timedelta(seconds=60)
    assert message == {
        "topic": "telemetry.stored",
        "payload": {
            "reports": [
                [earlier.isoformat(), "r1", "d1"],
                [clock.now().isoformat(), "r2", "d2"],
            ]
        },
        "correlation_id": "req_1",
    }
    async with pool.connection() as connection:
        found = await find_reports(connection, message["payload"]["reports"])
        assert [(each.report_id, each.observed_at) for each in found] == [
            ("r1", earlier),
            ("r2", clock.now()),
        ]
        assert found[0].metrics["cpu_percent"] == 10.0
        assert found[0].facts["os_version"] == "12"
        assert await latest_report(connection, "d1") == found[0]
        assert await latest_report(connection, "d1", newer_than=earlier) is None
        assert await list_window(connection, "d1", earlier) == [found[0]]
        assert await list_window(connection, "d1", earlier, earlier) == []
    (event,) = await fetch(
        pool, "SELECT actor, after FROM audit_events WHERE action = 'telemetry.stored'"
    )
    assert event == {
        "actor": "service:test",
        "after": {"accepted": 2, "duplicates": 0, "rejected": {}},
    }


async def test_duplicates_change_nothing(ingestion, pool, clock):
    reports = decode(body(clock, "r1"), body(clock, "r1"), body(clock, "r2"))
    first = await ingest(ingestion, reports)
    assert (first.accepted, first.duplicates) == (("r1", "r2"), ("r1",))
    again = await ingest(ingestion, reports)
    assert (again.accepted, sorted(again.duplicates)) == ((), ["r1", "r1", "r2"])
    assert len(await fetch(pool, "SELECT 1 FROM outbox")) == 1
    assert len(await fetch(pool, "SELECT 1 FROM telemetry_reports")) == 2


async def test_racing_senders_store_one_copy(ingestion, pool, clock):
    reports = decode(*(body(clock, f"r{n}", ago=n) for n in range(50)))
    backwards = list(reversed(reports))
    summaries = await asyncio.gather(
        *(ingest(ingestion, order) for order in (reports, backwards, reports, backwards))
    )
    assert sum(len(each.accepted) for each in summaries) == 50
    assert len(await fetch(pool, "SELECT 1 FROM telemetry_reports")) == 50


async def test_each_refusal_has_its_reason_and_stops_nobody(ingestion, pool, clock):
    summary = await ingest(
        ingestion,
        decode(
            body(clock, "old", ago=MAX_AGE.total_seconds() + 1),
            body(clock, "early", ago=-301),
            body(clock, "who", "d9"),
            body(clock, "retired", "gone"),
            body(clock, "late", ago=MAX_AGE.total_seconds() - 1),
            body(clock, "ahead", ago=-299),
        ),
    )
    assert summary.accepted == ("late", "ahead")
    assert {each.report_id: each.reason for each in summary.rejected} == {
        "old": "too_old",
        "early": "in_the_future",
        "who": "unknown_device",
        "retired": "retired_device",
    }


async def test_a_device_reports_for_itself_alone(ingestion, clock):
    summary = await ingest(
        ingestion, decode(body(clock, "r1"), body(clock, "r2", "d2")), device_id="d2"
    )
    assert summary.accepted == ("r2",)
    assert [each.reason for each in summary.rejected] == ["not_own_device"]


async def test_extreme_moments_are_refused_not_fatal(ingestion, clock):
    documents = [
        body(clock, "a") | {"timestamp": "0001-01-01T00:00:00+23:59"},
        body(clock, "b") | {"timestamp": "9999-12-31T23:59:59-23:59"},
    ]
    summary = await ingest(ingestion, decode(*documents))
    assert [each.reason for each in summary.rejected] == ["too_old", "in_the_future"]


async def test_hostile_text_is_stored_harmlessly(ingestion, pool, clock):
    nasty = "a\x00b\x1b[31m'; DROP TABLE devices; --"
    document = body(
        clock,
        user_id="u\x00ser",
        hardware={"processes": [{"pid": 1, "name": nasty, "cpu_percent": 1, "memory_percent": 1}]},
        software={
            "os_family": "linux",
            "hostname": nasty,
            "packages": [{"name": nasty, "version": nasty}],
        },
        logs=[{"service": nasty, "message": nasty}],
    )
    assert (await ingest(ingestion, decode(document))).accepted == ("r1",)
    (row,) = await fetch(pool, "SELECT metrics, facts FROM telemetry_reports")
    assert row["facts"]["logs"][0]["message"] == "ab[31m'; DROP TABLE devices; --"
    assert "process_cpu_percent:ab[31m'; DROP TABLE devices; --" in row["metrics"]


async def test_personal_data_is_masked_and_vocabulary_is_not(ingestion, pool, clock):
    document = body(
        clock,
        hardware={
            "processes": [{"pid": 1, "name": "janedaemon", "cpu_percent": 1, "memory_percent": 1}],
            "disks": [
                {"mount": "/home/jane", "total_bytes": 1, "used_percent": 5},
                {"mount": "/var/log", "total_bytes": 1, "used_percent": 6},
            ],
        },
        logs=[{"service": "mail", "message": "no box for jane\nx"}],
    )
    await ingest(ingestion, decode(document))
    (row,) = await fetch(pool, "SELECT metrics, facts FROM telemetry_reports")
    assert row["facts"]["logs"] == [{"service": "mail", "message": "no box for <PERSON_1> x"}]
    assert row["facts"]["processes"][0]["name"] == "janedaemon"
    assert [each["mount"] for each in row["facts"]["disks"]] == ["/home/<PERSON_1>", "/var/log"]
    assert "disk_used_percent:/home/<PERSON_1>" in row["metrics"]
    assert "/home/jane" not in str(row)


async def test_the_inventory_follows_the_newest_report(ingestion, pool, clock):
    def software(version):
        return {
            "os_family": "linux",
            "os_version": version,
            "packages": [{"name": "curl", "version": version}],
        }

    await ingest(ingestion, decode(body(clock, "r2", software=software("2"), user_id="u1")))
    await ingest(ingestion, decode(body(clock, "r1", ago=60, software=software("1"))))
    (device,) = await fetch(
        pool, "SELECT os_version, last_seen_at, hostname FROM devices WHERE device_id = 'd1'"
    )
    assert device == {"os_version": "2", "last_seen_at": clock.now(), "hostname": "h"}
    (package,) = await fetch(pool, "SELECT name, version FROM software_inventory")
    assert package == {"name": "curl", "version": "2"}
    assert await fetch(pool, "SELECT device_id, user_id FROM device_user_map") == [
        {"device_id": "d1", "user_id": "u1"}
    ]


async def test_a_forgotten_person_stands_in_no_row(ingestion, pool, clock):
    await ingest(
        ingestion, decode(body(clock, "r1", user_id="u1"), body(clock, "r2", user_id="u2"))
    )
    async with pool.connection() as connection:
        assert await People().forget_person(connection, "u1")
        assert not await People().forget_person(connection, "u1")
    left = [{"user_id": "u2"}]
    assert await fetch(pool, "SELECT user_id FROM users") == left
    assert await fetch(pool, "SELECT user_id FROM device_user_map") == left
    reporters = await fetch(pool, "SELECT user_id FROM telemetry_reports ORDER BY report_id")
    assert reporters == [{"user_id": None}, {"user_id": "u2"}]


async def test_a_person_keeps_the_fifteen_devices_used_last(ingestion, pool, clock, ids):
    names = [f"m{n:02}" for n in range(18)]
    async with pool.connection() as connection:
        for name in names:
            await register_device(
                connection,
                audit=AuditIntake(clock, ids),
                actor="user:ada",
                correlation_id="req_0",
                device_id=name,
                hostname="h",
                os_family="linux",
                enrolled_at=clock.now(),
            )
    for name in names:
        clock.advance(60)
        await ingest(ingestion, decode(body(clock, f"r{name}", name, user_id="u1")))
    mapped = await fetch(pool, "SELECT device_id FROM device_user_map ORDER BY device_id")
    assert [row["device_id"] for row in mapped] == names[3:]


async def test_nothing_is_nothing(ingestion, pool):
    assert await ingest(ingestion, []) == IngestionSummary()
    assert await fetch(pool, "SELECT 1 FROM outbox") == []


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b"", "$"),
        (b"\xff\xfe", "$"),
        (b"{}", "$"),
        (b"[1]", "$[0]"),
        (b"[" * 100_000, "$[0]"),
        (b'{"a":' * 100_000, "$"),
    ],
)
def test_malformed_bodies_are_named(content, path):
    with pytest.raises(MalformedReportError) as caught:
        decode_reports(content)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"hardware": {"cpu_percent": 101}}, "$[0].hardware.cpu_percent"),
        ({"hardware": {"cpu_percent": "10"}}, "$[0].hardware.cpu_percent"),
        ({"timestamp": "2026-11-02T09:00:00"}, "$[0].timestamp"),
        ({"report_id": "../../etc"}, "$[0].report_id"),
        ({"software": {"os_family": "plan9"}}, "$[0].software.os_family"),
        ({"surprise": 1}, "$[0]"),
        ({"schema_version": 2}, "$[0].schema_version"),
    ],
)
def test_values_outside_the_contract_are_named(clock, change, path):
    with pytest.raises(MalformedReportError) as caught:
        decode(body(clock) | change)
    assert caught.value.path == path


def test_one_object_is_a_batch_of_one_and_batches_are_bounded(clock):
    assert len(decode_reports(json.dumps(body(clock)).encode())) == 1
    with pytest.raises(TooManyReportsError):
        decode(*(body(clock) for _ in range(501)))

# SPDX-License-Identifier: Apache-2.0
"""Acknowledged means durable, and nothing of ours stays behind, however it was ended."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count

import httpx
import pytest

from tests.stack.installation import Installation, wait_until
from tests.stack.prepared import Prepared

pytestmark = pytest.mark.timeout(600)
N_SENDERS = 4
N_ANSWERS = 80  # acknowledged before everything is killed
MAX_REQUESTS = 20_000  # of each sender
BATCH = 3
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def installation(
    prepared: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    made = Installation(prepared, tmp_path_factory.mktemp("durability"))
    yield made
    made.end_leftovers()


class Sender:
    """Sends reports one batch after the other until nobody answers any more."""

    def __init__(self, installation: Installation, token: str, device_id: str, name: str) -> None:
        self._url = installation.url
        self._token = token
        self._device_id = device_id
        self._name = name
        self.acknowledged: dict[str, list[str]] = {}  # correlation id -> report ids
        self.sent: list[str] = []

    def run(self, enough: threading.Semaphore) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        numbers = count()
        with httpx.Client(base_url=self._url, headers=headers, timeout=60) as client:
            for _ in range(MAX_REQUESTS):
                batch = [self._report(next(numbers)) for _ in range(BATCH)]
                self.sent += [report["report_id"] for report in batch]
                try:
                    answer = client.post("/v1/telemetry", json=batch)
                except httpx.HTTPError:
                    return  # killed: nothing was promised
                if answer.status_code != httpx.codes.OK:
                    continue  # the database died first: nothing was promised
                accepted = answer.json()["accepted"]
                assert accepted == [report["report_id"] for report in batch]
                self.acknowledged[answer.headers["x-correlation-id"]] = accepted
                enough.release()

    def _report(self, number: int) -> dict[str, object]:
        return {
            "report_id": f"{self._name}-{number}",
            "device_id": self._device_id,
            "timestamp": datetime.now(UTC).isoformat(),
            "hardware": {"cpu_percent": 10.0},
            "software": {"os_family": "linux"},
            "network": {},
            "agent": {"version": "1.0"},
        }


def test_what_was_acknowledged_survives_the_death_of_everything(installation: Installation) -> None:
    installation.start()
    made = installation.command("account", "service-token", "load", "--scope", "telemetry")
    assert made.returncode == 0, made.stderr
    token = made.stdout.split()[-1]
    (device,) = wait_until(
        lambda: installation.query("SELECT device_id FROM devices"), PATIENCE_SECONDS, "a device"
    )
    senders = [
        Sender(installation, token, device["device_id"], f"load-{number}")
        for number in range(N_SENDERS)
    ]
    enough = threading.Semaphore(0)
    with ThreadPoolExecutor(N_SENDERS) as pool:
        running = [pool.submit(sender.run, enough) for sender in senders]
        for _ in range(N_ANSWERS):
            assert enough.acquire(timeout=PATIENCE_SECONDS)
        installation.kill_group()
        for each in running:
            each.result(PATIENCE_SECONDS)
    installation.start()
    acknowledged = {
        correlation: ids for sender in senders for correlation, ids in sender.acknowledged.items()
    }
    assert len(acknowledged) >= N_ANSWERS
    assert_stored_once(installation, acknowledged, {i for each in senders for i in each.sent})
    assert_audited_once(installation, acknowledged)


def assert_stored_once(
    installation: Installation, acknowledged: dict[str, list[str]], sent: set[str]
) -> None:
    rows = installation.query(
        "SELECT report_id FROM telemetry_reports WHERE report_id LIKE 'load-%%'"
    )
    stored = [row["report_id"] for row in rows]
    assert len(stored) == len(set(stored))
    promised = {report_id for ids in acknowledged.values() for report_id in ids}
    assert promised <= set(stored) <= sent


def assert_audited_once(installation: Installation, acknowledged: dict[str, list[str]]) -> None:
    rows = installation.query(
        "SELECT correlation_id, action, after FROM audit_events"
        " WHERE correlation_id = ANY(%(ids)s)",
        ids=list(acknowledged),
    )
    assert len(rows) == len(acknowledged)
    for row in rows:
        assert row["action"] == "telemetry.stored"
        assert row["after"]["accepted"] == len(acknowledged[row["correlation_id"]])
    answer = installation.command("audit", "check")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_killed_supervisor_takes_everything_with_it(installation: Installation) -> None:
    if not installation.is_started:
        installation.start()
    wait_until(lambda: installation.find_process("agent"), PATIENCE_SECONDS, "an agent")
    installation.kill_supervisor()
    wait_until(lambda: not installation.list_processes(), PATIENCE_SECONDS, "an empty house")

# SPDX-License-Identifier: Apache-2.0
"""A renewal whose answer is lost shuts nobody out, and ends the old certificate when it is used."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.identity import create_request

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


def report(served, device_id: str) -> dict[str, Any]:
    ground = served.services.ground
    return {
        "report_id": ground.ids.new("rep"),
        "device_id": device_id,
        "timestamp": (ground.clock.now() - timedelta(seconds=1)).isoformat(),
        "hardware": {"cpu_percent": 1.0},
        "software": {"os_family": "linux"},
        "network": {},
        "agent": {"version": "1"},
    }


async def status_of_report(served, device_id: str, client: httpx.AsyncClient) -> int:
    answer = await client.post("/v1/telemetry", json=report(served, device_id))
    return answer.status_code


async def renew(served, client: httpx.AsyncClient, name: str) -> httpx.AsyncClient:
    """Renew a certificate; return a client that has the new one."""
    key_pem, csr_pem = create_request("device")
    answer = await client.post("/device/v1/certificate", json={"csr_pem": csr_pem.decode()})
    assert answer.status_code == httpx.codes.OK, answer.text
    path = served.folder / f"{name}.pem"
    path.write_bytes(answer.json()["certificate_pem"].encode() + key_pem)
    return await served.device(path)


async def test_a_lost_answer_shuts_nobody_out(served):
    device_id, old = await served.enrol("renewing")
    lost = await renew(served, old, "lost")
    assert await status_of_report(served, device_id, old) == httpx.codes.OK
    new = await renew(served, old, "new")
    assert await status_of_report(served, device_id, old) == httpx.codes.OK
    assert await status_of_report(served, device_id, lost) == httpx.codes.UNAUTHORIZED
    assert await status_of_report(served, device_id, new) == httpx.codes.OK
    assert await status_of_report(served, device_id, old) == httpx.codes.UNAUTHORIZED
    answer = await old.post("/device/v1/certificate", json={"csr_pem": "x"})
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert await status_of_report(served, device_id, new) == httpx.codes.OK
    events = await served.query(
        "SELECT action, after FROM audit_events WHERE device_id = %s AND action LIKE %s"
        " ORDER BY position",
        device_id,
        "device.certificate%",
    )
    assert [event["action"] for event in events] == [
        "device.certificate_issued",
        "device.certificate_issued",
        "device.certificate_issued",
        "device.certificate_replaced",
    ]
    assert events[2]["after"]["pending_certificate"] == events[3]["after"]["certificate"]


async def test_a_retired_device_has_no_certificate_that_counts(served):
    device_id, old = await served.enrol("retiring")
    new = await renew(served, old, "retired")
    async with served.services.ground.pool.connection() as connection:
        await connection.execute(
            "UPDATE devices SET status = 'retired' WHERE device_id = %s", (device_id,)
        )
    for client in (old, new):
        assert await status_of_report(served, device_id, client) == httpx.codes.UNAUTHORIZED

# SPDX-License-Identifier: Apache-2.0
"""A receipt outside its contract is a problem of the device, never a fault of ours.

Nothing of it reaches the audit events: they go into a log that nobody can take anything out of.
"""

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.job import MAX_INTEGER, MAX_STEPS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]
NAME = "Jane Doe jane.doe@example.com"
STEP = {
    "step": "remediate",
    "exit_code": 0,
    "timed_out": False,
    "duration_seconds": 1.0,
    "stdout": "",
    "stderr": "",
}


def receipt(served, device_id: str, **changes: Any) -> dict[str, Any]:
    ground = served.services.ground
    now = ground.clock.now().isoformat()
    return {
        "job_id": ground.ids.new("job"),
        "device_id": device_id,
        "sequence": 1,
        "envelope_sha256": "0" * 64,
        "outcome": "failed",
        "started_at": now,
        "finished_at": now,
        **changes,
    }


BAD = {
    "job id of free text": {"job_id": "Jane.Doe@example.com"},
    "job id of another kind": {"job_id": "prp_01hzzzzzzzzzzzzzzzzzzzzzzz"},
    "job id too long": {"job_id": "job_" + "0" * 27},
    "job id with a line end": {"job_id": "job_000001\n"},
    "executed key": {"executed_sha256": {NAME: "0" * 64}},
    "executed key with a NUL": {"executed_sha256": {"a\0b": "0" * 64}},
    "executed value": {"executed_sha256": {"remediate": NAME}},
    "executed value with a NUL": {"executed_sha256": {"remediate": "\0" * 64}},
    "sequence": {"sequence": MAX_INTEGER + 1},
    "sequence of many digits": {"sequence": 10**40},
    "sequence below zero": {"sequence": -1},
    "exit code": {"steps": [STEP | {"exit_code": MAX_INTEGER + 1}]},
    "exit code below": {"steps": [STEP | {"exit_code": -MAX_INTEGER - 1}]},
    "exit code of many digits": {"steps": [STEP | {"exit_code": 10**40}]},
    "duration": {"steps": [STEP | {"duration_seconds": 1e300}]},
    "step": {"steps": [STEP | {"step": NAME}]},
    "too many steps": {"steps": [STEP] * (MAX_STEPS + 1)},
    "correlation": {"correlation_id": "x" * 129},
    "digest": {"envelope_sha256": "0" * 64 + "\n"},
    "script": {"script_sha256": NAME},
    "refusal": {"outcome": "refused", "refusal": NAME},
    "more fields": {NAME: 1},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answering(served) -> tuple[str, httpx.AsyncClient]:
    return await served.enrol("answering")


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
async def test_a_receipt_out_of_bounds_is_refused_and_leaves_nothing(served, answering, changes):
    device_id, client = answering
    (before,) = await served.query("SELECT count(*) AS n FROM audit_events")
    answer = await client.post("/device/v1/receipts", json=receipt(served, device_id, **changes))
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (after,) = await served.query("SELECT count(*) AS n FROM audit_events")
    assert after == before


@pytest.mark.parametrize("job_id", ["unknown", None])
async def test_an_unknown_job_is_noted_without_a_word_of_the_device(served, answering, job_id):
    device_id, client = answering
    body = receipt(
        served,
        device_id,
        outcome="refused",
        refusal="malformed",
        correlation_id=NAME,
        steps=[STEP | {"stdout": NAME}],
    )
    body["job_id"] = job_id or body["job_id"]
    answer = await client.post("/device/v1/receipts", json=body)
    assert answer.json() == {"recorded": False}, answer.text
    (event,) = await served.query(
        "SELECT * FROM audit_events WHERE action = 'receipt.unmatched' AND subject_id = %s"
        " AND device_id = %s",
        body["job_id"],
        device_id,
    )
    assert event["after"]["mismatch"] == "unknown job"
    assert "Jane" not in json.dumps(event, default=str)


async def test_the_bounds_let_through_what_devices_say(served, answering):
    """A Windows exit code is a number of 32 bits without a sign."""
    device_id, client = answering
    step = STEP | {"exit_code": 0xC0000005, "duration_seconds": 3600.5}
    body = receipt(
        served, device_id, steps=[step] * MAX_STEPS, executed_sha256={"remediate": "0" * 64}
    )
    answer = await client.post("/device/v1/receipts", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text

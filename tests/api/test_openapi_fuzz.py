# SPDX-License-Identifier: Apache-2.0
"""Whatever the OpenAPI documents allow, and much that they do not, is answered without a 5xx.

schemathesis makes the requests; they go to the real servers over sockets, with valid credentials.
"""

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.stack.served import Served

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Hypothesis and schemathesis use what they will themselves have to leave.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def attack(document: dict[str, Any], session: requests.Session, url: str) -> dict[str, int]:
    """Send generated requests to every operation; return how many each got."""
    schema = schemathesis.openapi.from_dict(document)
    counts: dict[str, int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        _attack_operation(operation, GenerationMode.POSITIVE, session, url, counts)
        with suppress(Unsatisfiable):  # any text is a good id: nothing can be wrong about it
            _attack_operation(operation, GenerationMode.NEGATIVE, session, url, counts)
    return counts


def _attack_operation(
    operation: Any,
    mode: GenerationMode,
    session: requests.Session,
    url: str,
    counts: dict[str, int],
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        counts[operation.label] = counts.get(operation.label, 0) + 1
        if "wait" in (case.query or {}):
            case.query["wait"] = "0"  # a job is waited for as long as is asked
        case.call_and_validate(
            base_url=url,
            session=session,
            checks=CHECKS,
            timeout=60,
            verify=session.verify,
            cert=session.cert,
        )

    send()


async def document_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_the_public_port_has_an_answer_to_everything(served: Served):
    service = await served.service(
        "telemetry", "incidents", "knowledge", "labels", "read", "scripts"
    )
    document = await document_of(service)
    with requests.Session() as session:
        session.headers["authorization"] = service.headers["authorization"]
        counts = await asyncio.to_thread(attack, document, session, served.url)
    assert {path for _, _, path in (name.partition(" ") for name in counts)} == set(
        document["paths"]
    )
    assert (await service.get("/readyz")).status_code == 200


async def test_the_device_port_has_an_answer_to_everything(served: Served):
    device_id, device = await served.enrol("fuzzed")
    document = await document_of(device)
    # Renewal would replace the certificate with which all this is sent.
    document["paths"].pop("/device/v1/certificate")
    with requests.Session() as session:
        session.verify = str(served.services.ground.key_store.authority_path())
        session.cert = str(served.folder / f"{device_id}.pem")
        counts = await asyncio.to_thread(attack, document, session, served.device_url)
    assert len(counts) == len(document["paths"])
    assert (await device.get("/device/v1/time")).status_code == 200

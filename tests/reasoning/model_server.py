# SPDX-License-Identifier: Apache-2.0
"""The language model's server process, and the case that tests put to it."""

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reasoning.situations import FULL_DISK, Outcome, enrol, open_ticket, reason_about, report

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 3.0
CANARIES = (
    "jane.canary@example.com",
    "jcanary",
    "S-1-5-21-1004336348-1177238915-682003330-51213",
    "10.77.3.14",
    "hunter2-canary",
    "Jane Canary",
)
ADVISED = "linux-shrink-oversized-logs"  # a disk script, but not the one that ranks first


@dataclass
class ModelServer:
    """The server process and how to speak to it."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def behave(self, mode: str, **manners: Any) -> None:
        content = json.dumps({"mode": mode, **manners}).encode()
        self._send(urllib.request.Request(f"{self.url}/manners", data=content, method="PUT"))

    def answer(self, **answer: Any) -> None:
        self.behave("answer", content=json.dumps(answer))

    def requests(self) -> list[dict[str, Any]]:
        return json.loads(self._send(urllib.request.Request(f"{self.url}/requests")))

    def n_sent(self) -> int:
        """Bytes that answers without end have had sent."""
        sent = self._send(urllib.request.Request(f"{self.url}/sent"))
        return int(json.loads(sent)["n_sent"])

    def _send(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()


def start_server() -> ModelServer:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.language_model_server"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ModelServer(process=process, port=int(process.stdout.readline()))


async def full_disk(services: Any, name: str) -> Outcome:
    """Reason about the same complaint of the same kind of device."""
    await enrol(services, f"dev-{name}")
    await report(services, f"dev-{name}", hardware=FULL_DISK)
    incident_id = await open_ticket(
        services,
        "Disk full",
        f"No space left on device on /var. My name is {CANARIES[5]}, mail {CANARIES[0]},"
        f" user={CANARIES[1]}, SID {CANARIES[2]}, host 10.77.3.14, password: {CANARIES[4]}",
        device_id=f"dev-{name}",
    )
    return await reason_about(services, incident_id)


def judged(outcome: Outcome) -> dict[str, Any]:
    """What must not depend on a model: all but the ids, the moment and the advice itself."""
    case = outcome.case
    diagnosis = {name: value for name, value in case["diagnosis"].items() if name != "advice"}
    parts = ("candidates", "passages", "parameters", "analysis", "risk", "policy", "script")
    scripts = {name: c for name, c in outcome.bundle.files.items() if name != "case.json"}
    return {
        "diagnosis": diagnosis,
        "status": outcome.proposal.status,
        "confidence": outcome.proposal.confidence,
        "files": scripts,
        **{name: case[name] for name in parts},
    }


def advice(outcome: Outcome) -> dict[str, Any]:
    return outcome.case["diagnosis"]["advice"]


def told(outcome: Outcome) -> dict[str, Any]:
    """The advice without the name of who was asked."""
    return {name: value for name, value in advice(outcome).items() if name != "model"}

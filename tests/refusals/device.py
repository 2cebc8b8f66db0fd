# SPDX-License-Identifier: Apache-2.0
"""A real agent process, enrolled with the product's own device API."""

import subprocess
import sys
from pathlib import Path

from tests.stack.prepared import ROOT
from tests.stack.served import Served

STOP_SECONDS = 30


class Device:
    """One state directory and the agent that runs on it."""

    def __init__(self, served: Served, folder: Path) -> None:
        self._served = served
        self.state = folder / "agent"
        self._log = folder / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.device_id = ""

    def enrol(self, token: str) -> None:
        """Make the device known; blocking."""
        authority = self._served.services.ground.key_store.authority_path()
        done = subprocess.run(
            [
                sys.executable, "-m", "agent", "enrol", "--server", self._served.device_url,
                "--token", token, "--ca", str(authority), "--state", str(self.state),
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start the agent."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agent", "run", "--state", str(self.state),
                 "--interval", "3600"],
                cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        """End the agent."""
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(STOP_SECONDS) == 0

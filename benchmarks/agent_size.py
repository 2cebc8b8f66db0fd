# SPDX-License-Identifier: Apache-2.0
"""How much a laptop must install for the agent alone: a fresh environment without the server."""

import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
MEBIBYTE = 1024**2
SERVER_ROOMS = (
    "api", "dispatch", "evidence", "governance", "guardrails", "kernel", "models",
    "reasoning", "retrieval", "telemetry",
)  # fmt: skip


def measure_agent_size(folder: Path) -> list[Figure]:
    """Install the distribution without extras into a new environment and weigh it.

    Pip and setuptools, which every environment has, are not counted.
    """
    environment = folder / "agent-venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = environment / "bin" / "python"
    (packages,) = (environment / "lib").glob("python*/site-packages")
    before = _weigh(packages)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-compile", str(ROOT)],
        check=True,
        cwd=folder,
        capture_output=True,
    )
    added = (_weigh(packages) - before) / MEBIBYTE
    ours = sum(_weigh(packages / room) for room in ("agent", "contracts")) / MEBIBYTE
    unused = sum(_weigh(packages / room) for room in SERVER_ROOMS) / MEBIBYTE
    subprocess.run([environment / "bin" / "eucora-agent", "--version"], check=True, cwd=folder,
                   capture_output=True)  # fmt: skip
    return [
        Figure(name="agent installed alone, with its libraries", value=added, unit="MiB"),
        Figure(name="  of it agent and contracts", value=ours, unit="MiB"),
        Figure(name="  of it the server's code, unused", value=unused, unit="MiB"),
    ]


def _weigh(folder: Path) -> int:
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )

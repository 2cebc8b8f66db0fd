# SPDX-License-Identifier: Apache-2.0
"""Every Linux script of the starter knowledge runs for real, on a device of the test's own.

A sandbox of fresh mount, process, network, IPC and host-name namespaces over a copy-on-write view
of this machine stands for the device: the scripts meet real processes, mounts, packages and
sockets, and nothing of what they do outlives the test. `scenarios/<script id>.sh` makes the fault
and checks the repair; `drive.sh` takes the script through its steps as the agent would.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
KNOWLEDGE = HERE.parents[1] / "knowledge" / "scripts"
SCRIPTS = sorted(path.parent for path in KNOWLEDGE.glob("linux-*/manifest.yaml"))
HOSTILE_VALUES = (
    "$(touch /tmp/escaped)",
    "; touch /tmp/escaped #",
    "../../etc/passwd",
    "/tmp/x\n/etc",
    "a[$(touch /tmp/escaped)]",
    "-1",
    "",
)


def run_in_sandbox(
    scratch: Path, *command: str, timeout_seconds: float = 90
) -> subprocess.CompletedProcess[str]:
    """Run a command on a device of its own; `scratch` is an empty directory."""
    unshare = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    shown = f"{HERE} {KNOWLEDGE} {sys.base_prefix}"
    sandbox = ["bash", str(HERE / "sandbox.sh"), str(scratch), shown]
    python = str(Path(sys.executable).resolve())
    return subprocess.run(
        [*unshare, *sandbox, *command],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=timeout_seconds,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TEST_PYTHON": python, "LC_ALL": "C.UTF-8"},
    )


def test_every_linux_script_has_a_scenario_and_no_scenario_is_orphaned() -> None:
    assert len(SCRIPTS) >= 20
    scenarios = {path.stem for path in (HERE / "scenarios").glob("*.sh")}
    assert scenarios == {folder.name for folder in SCRIPTS}


@pytest.mark.parametrize("folder", SCRIPTS, ids=lambda folder: folder.name)
def test_script_repairs_its_fault_and_rolls_back(folder: Path, tmp_path: Path) -> None:
    scenario = HERE / "scenarios" / f"{folder.name}.sh"
    completed = run_in_sandbox(tmp_path, "bash", str(HERE / "drive.sh"), str(folder), str(scenario))
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.endswith("all steps as expected\n")


@pytest.mark.parametrize("folder", SCRIPTS, ids=lambda folder: folder.name)
def test_no_step_obeys_a_hostile_parameter(folder: Path, tmp_path: Path) -> None:
    """A value outside the manifest's bounds ends a step with an error and has no effect."""
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    lines = ["set -u", "mkdir -p /tmp/state"]
    for parameter in manifest["parameters"]:
        variable = f"EUCORA_PARAM_{parameter['name'].upper()}"
        for number, value in enumerate(HOSTILE_VALUES):
            lines.append(f"export EUCORA_STATE_DIR=/tmp/state {variable}={quote(value)}")
            for step in ("detect", "remediate"):
                path = quote(str(folder / f"{step}.sh"))
                lines.append(f"timeout 20 bash {path} </dev/null >/dev/null 2>&1; code=$?")
                lines.append(f"((code > 1)) || echo '{step} obeyed {variable} {number}: '$code")
        lines.append(f"unset {variable}")
    lines.append("[[ ! -e /tmp/escaped ]] || echo 'a value was executed'")
    completed = run_in_sandbox(tmp_path, "bash", "-c", "\n".join(lines))
    assert (completed.stdout, completed.returncode) == ("", 0), completed.stderr


def quote(text: str) -> str:
    """Quote a text for the shell."""
    return "'" + text.replace("'", "'\\''") + "'"

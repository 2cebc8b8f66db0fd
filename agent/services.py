# SPDX-License-Identifier: Apache-2.0
"""Is a watched service running? Asked of the service manager that this device really has.

systemd where it is the running init (`/run/systemd/system` exists), else the sysv init script;
launchd on macOS, the service controller on Windows.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from contracts.telemetry import Service

SYSTEMD_RUNTIME = Path("/run/systemd/system")
INIT_SCRIPTS = Path("/etc/init.d")
STATUS_TIMEOUT_SECONDS = 10
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}


def observe_services(names: Sequence[str]) -> tuple[Service, ...]:
    """Return the state of each watched service; one that cannot be asked counts as down."""
    if not names:
        return ()
    if sys.platform == "win32":
        running = {name: _is_running_windows(name) for name in names}
    elif sys.platform == "darwin":
        running = {name: _exits_zero(["/bin/launchctl", "list", name]) for name in names}
    elif SYSTEMD_RUNTIME.exists():
        running = _ask_systemd(names)
    else:
        running = {name: _is_running_sysv(name) for name in names}
    return tuple(Service(name=name, running=running[name]) for name in names)


def _ask_systemd(names: Sequence[str]) -> dict[str, bool]:
    """`systemctl is-active A B` prints one state a line, in the order asked."""
    try:
        answer = subprocess.run(
            ["systemctl", "is-active", "--", *names],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=STATUS_TIMEOUT_SECONDS,
            check=False,
            env=_ENVIRONMENT,
        ).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        answer = []
    states = [*answer, *[""] * len(names)]
    return {
        name: state.strip() in ("active", "reloading", "activating")
        for name, state in zip(names, states, strict=False)
    }


def _is_running_sysv(name: str) -> bool:
    """LSB: `status` exits 0 when the service runs, 1..3 when it does not."""
    script = INIT_SCRIPTS / name
    return (
        script.parent == INIT_SCRIPTS and script.exists() and _exits_zero([str(script), "status"])
    )


def _exits_zero(command: list[str]) -> bool:
    try:
        return (
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=STATUS_TIMEOUT_SECONDS,
                check=False,
                env=_ENVIRONMENT,
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _is_running_windows(name: str) -> bool:
    if sys.platform != "win32":
        return False
    try:
        return bool(psutil.win_service_get(name).status() == "running")
    except psutil.Error:
        return False

# SPDX-License-Identifier: Apache-2.0
"""Real faults that are harmless: a burning core, a full file system, a dead service.

Each is bounded in time by itself, names what it makes, and takes away what an earlier one of the
same name left behind when it was killed. The file system and the service need root.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import psutil

from api.errors import ApiError
from contracts.failure import FailureClass

PYTHON = Path(sys.executable).resolve()
BURNER_NAME = "demo-burner"
BURNER = (
    "import sys,time\nend=time.monotonic()+float(sys.argv[1])\nwhile time.monotonic()<end: pass\n"
)
DISK_BYTES = 8 * 1024 * 1024
FILLED_SHARE = 0.96
SYSTEMD_RUNTIME = Path("/run/systemd/system")
INIT_SCRIPTS = Path("/etc/init.d")
COMMAND_SECONDS = 30
HEARTBEAT = "n=0; while [ $n -lt {seconds} ]; do date >{beat}; n=$((n+1)); sleep 1; done"
INIT_SCRIPT = """\
#!/bin/sh
# A harmless service made by `eucora demo`, and removed by it.
### BEGIN INIT INFO
# Provides:          {name}
# Required-Start:
# Required-Stop:
# Default-Start:
# Default-Stop:
# Short-Description: heartbeat of the demonstration
### END INIT INFO
case "$1" in
start)
    start-stop-daemon --start --oknodo --background --make-pidfile --pidfile {pid_file} \\
        --startas /bin/sh -- -c '{heartbeat}'
    ;;
stop) start-stop-daemon --stop --oknodo --retry 5 --remove-pidfile --pidfile {pid_file} ;;
restart) "$0" stop && "$0" start ;;
status) start-stop-daemon --status --pidfile {pid_file} ;;
*)
    echo "usage: $0 start|stop|restart|status" >&2
    exit 2
    ;;
esac
"""
UNIT = """\
# A harmless service made by `eucora demo`, and removed by it.
[Unit]
Description=heartbeat of the demonstration
[Service]
ExecStart=/bin/sh -c '{heartbeat}'
"""


class DemonstrationError(ApiError):
    """The demonstration cannot run."""


class FaultKind(StrEnum):
    """What can be shown."""

    CPU = "cpu"
    DISK = "disk"
    SERVICE = "service"


class Fault(Protocol):
    """Something wrong with this machine, on purpose."""

    failure_class: FailureClass
    entity: str  # how the incident names it
    metric: str  # what tells of it in a report
    story: str  # what it does, in words
    watched_mounts: Sequence[str]
    watched_services: Sequence[str]

    def check_possible(self) -> None:
        """Look whether it could begin, and touch nothing.

        Raises:
            DemonstrationError: it could not; the message says what to do.

        """
        ...

    def begin(self) -> None:
        """Make the machine sick.

        Raises:
            DemonstrationError: that is not possible here.

        """
        ...

    def end(self) -> None:
        """Take away all that was made; harmless when there is nothing."""
        ...

    def is_present(self) -> bool:
        """Tell whether the fault is still there."""
        ...


class BurningCore:
    """A process that computes nothing, as fast as it can, and ends by itself."""

    failure_class = FailureClass.RUNAWAY_PROCESS
    watched_mounts: Sequence[str] = ()
    watched_services: Sequence[str] = ()

    def __init__(self, folder: Path, *, name: str, seconds: int) -> None:
        self.entity = name
        self.metric = f"process_cpu_percent:{name}"
        self.story = f"a process {name} burns one core, for {seconds} s at most"
        self._program = folder / name
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def check_possible(self) -> None:
        """Find nothing in the way: anybody may burn a core."""

    def begin(self) -> None:
        """Start the process."""
        self.end()
        self._program.symlink_to(PYTHON)  # its name is what the device reports
        self._process = subprocess.Popen(
            [str(self._program), "-I", "-S", "-c", BURNER, str(self._seconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the demonstration, which ends it
        )

    def end(self) -> None:
        """End the process, and one that a killed demonstration has left."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._program.is_symlink():
            _kill_all_of(self._program)
            self._program.unlink()

    def is_present(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None


class FullDisk:
    """A small file system of its own, filled with files that nobody needs."""

    failure_class = FailureClass.DISK_FULL
    watched_services: Sequence[str] = ()

    def __init__(self, folder: Path, *, name: str, filled_share: float = FILLED_SHARE) -> None:
        self._mount = folder / name
        self._filled_share = filled_share
        self.entity = str(self._mount)
        self.metric = f"disk_used_percent:{self.entity}"
        self.story = f"a file system of {DISK_BYTES >> 20} MB at {self._mount} is full"
        self.watched_mounts: Sequence[str] = [self.entity]

    def check_possible(self) -> None:
        """Look whether we may mount."""
        _require_root("a full file system", "mount")

    def begin(self) -> None:
        """Mount and fill it."""
        self.end()
        self._mount.mkdir()
        size = f"size={DISK_BYTES},mode=0755"
        _run(["mount", "-t", "tmpfs", "-o", size, "eucora-demo", str(self._mount)])
        (self._mount / "tmp").mkdir()
        part = bytes(DISK_BYTES // 50)
        for number in range(int(50 * self._filled_share)):
            (self._mount / "tmp" / f"leftover-{number}.tmp").write_bytes(part)

    def end(self) -> None:
        """Unmount it."""
        while self._mount.is_mount():
            _run(["umount", "--lazy", str(self._mount)])
        if self._mount.is_dir():
            self._mount.rmdir()

    def is_present(self) -> bool:
        """Tell whether it is still full."""
        usage = shutil.disk_usage(self._mount)
        return usage.used / usage.total >= self._filled_share - 0.05


class DeadService:
    """A service that writes its heartbeat to a file, and was killed."""

    failure_class = FailureClass.SERVICE_DOWN
    watched_mounts: Sequence[str] = ()

    def __init__(self, folder: Path, *, name: str, seconds: int) -> None:
        self.entity = name
        self.metric = f"service_running:{name}"
        self.story = f"the service {name}, made for this, was running and has died"
        self.watched_services: Sequence[str] = [name]
        self._pid_file = folder / f"{name}.pid"
        self._beat = folder / f"{name}.beat"
        self._heartbeat = HEARTBEAT.format(seconds=seconds, beat=self._beat)
        self._systemd = SYSTEMD_RUNTIME.is_dir()
        self._definition = (
            SYSTEMD_RUNTIME / f"{name}.service" if self._systemd else INIT_SCRIPTS / name
        )

    def check_possible(self) -> None:
        """Look whether we may install a service, and whether there is something to start it."""
        _require_root("a dead service", "install one")
        if not self._systemd and shutil.which("start-stop-daemon") is None:
            raise DemonstrationError(
                "a service needs systemd or start-stop-daemon, and this machine has neither;"
                " try: eucora demo --fault cpu"
            )

    def begin(self) -> None:
        """Install and start the service, then kill its process."""
        self.end()
        self._install()
        self._control("start")
        self._await(present=False, complaint="did not start")
        if self._systemd:
            _run(["systemctl", "kill", "--signal=KILL", self.entity])
        else:
            _run(["start-stop-daemon", "--stop", "--signal", "KILL", "--pidfile",
                  str(self._pid_file)])  # fmt: skip
        self._await(present=True, complaint="survived its end")

    def end(self) -> None:
        """Stop and remove the service."""
        if self._definition.exists():
            with suppress(DemonstrationError):  # half installed: there is nothing to stop
                self._control("stop")
            self._definition.unlink()
            if self._systemd:
                _run(["systemctl", "daemon-reload"])
                with suppress(DemonstrationError):  # it is not remembered as failed
                    _run(["systemctl", "reset-failed", self.entity])
        self._pid_file.unlink(missing_ok=True)
        self._beat.unlink(missing_ok=True)

    def is_present(self) -> bool:
        """Tell whether the service is still down."""
        command = (
            ["systemctl", "is-active", "--quiet", self.entity]
            if self._systemd
            else [str(self._definition), "status"]
        )
        return subprocess.run(command, capture_output=True, check=False).returncode != 0

    def _install(self) -> None:
        if self._systemd:
            self._definition.write_text(UNIT.format(heartbeat=self._heartbeat.replace("$", "$$")))
            _run(["systemctl", "daemon-reload"])
            return
        self._definition.write_text(
            INIT_SCRIPT.format(name=self.entity, pid_file=self._pid_file, heartbeat=self._heartbeat)
        )
        self._definition.chmod(0o755)

    def _control(self, verb: str) -> None:
        if self._systemd:
            _run(["systemctl", verb, self.entity])
        else:
            _run(["setsid", "--wait", str(self._definition), verb])

    def _await(self, *, present: bool, complaint: str) -> None:
        deadline = time.monotonic() + COMMAND_SECONDS
        while self.is_present() is not present:
            if time.monotonic() > deadline:
                raise DemonstrationError(f"the service {self.entity} {complaint}")
            time.sleep(0.05)


def make_fault(kind: FaultKind, folder: Path, seconds: int) -> Fault:
    """Return a fault; nothing happens yet.

    A process is named anew each time: an incident of one that has ended proposes to stop that
    one, and must not take up another.
    """
    match kind:
        case FaultKind.CPU:
            name = f"{BURNER_NAME}-{secrets.token_hex(1)}"
            return BurningCore(folder, name=name, seconds=seconds)
        case FaultKind.DISK:
            return FullDisk(folder, name="demo-disk")
        case FaultKind.SERVICE:
            return DeadService(folder, name="demo-heartbeat", seconds=seconds)


def clear_leftovers(folder: Path) -> None:
    """Take away what demonstrations that were killed have left behind."""
    for program in folder.glob(f"{BURNER_NAME}-*"):
        BurningCore(folder, name=program.name, seconds=0).end()
    for kind in (FaultKind.DISK, FaultKind.SERVICE):
        make_fault(kind, folder, 0).end()


def _kill_all_of(program: Path) -> None:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[:1] == [str(program)]:
                process.kill()
                process.wait(COMMAND_SECONDS)


def _require_root(what: str, need: str) -> None:
    if os.geteuid() != 0:
        raise DemonstrationError(
            f"{what} can only be shown by root, who may {need}; try: eucora demo --fault cpu"
        )


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=COMMAND_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        complaint = (getattr(error, "stderr", "") or "").strip()
        raise DemonstrationError(f"{command[0]} failed: {complaint or error}") from error

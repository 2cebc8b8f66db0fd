# SPDX-License-Identifier: Apache-2.0
"""Runs one step of a script: bounded in time and output, in an environment of its own.

Parameters reach a script only as environment variables. The bytes are read back from the file and
compared with the approved digest immediately before the start. A step runs in its own session, so
that it can be ended as a group; a daemon that a script restarts has a session of its own and
survives the step. After a time-out nothing of the job survives: a rollback must not run beside what
it undoes.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.errors import AgentError, RefusalError
from contracts.canonical import sha256_hex
from contracts.job import MAX_OUTPUT_BYTES, ParameterValue, RefusalReason, StepResult

JOB_VARIABLE = "EUCORA_JOB_ID"
POLL_SECONDS = 0.02
END_SECONDS = 10.0  # how long a timed-out step's processes are hunted
WAIT_SECONDS = 5.0  # for the end of killed processes
DRAIN_SECONDS = 0.5  # how long output is awaited after the step itself has ended
_POSIX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SUFFIXES = {"bash": ".sh", "zsh": ".zsh", "powershell": ".ps1", "python": ".py"}
_WINDOWS_VARIABLES = ("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "PROGRAMDATA", "PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommand:
    """One step, ready to run."""

    step: str
    interpreter: str
    content: bytes
    sha256: str
    environment: Mapping[str, str]
    timeout_seconds: float
    directory: Path  # private; the script file and TMPDIR stand in it


def find_interpreters() -> dict[str, tuple[str, ...]]:
    """Return the command line that starts a script, for each interpreter on this device.

    None of them reads a start-up file of the user.
    """
    path = _POSIX_PATH if os.name == "posix" else None
    found: dict[str, tuple[str, ...]] = {"python": (sys.executable, "-I")}
    if bash := shutil.which("bash", path=path):
        found["bash"] = (bash, "--noprofile", "--norc")
    if zsh := shutil.which("zsh", path=path):
        found["zsh"] = (zsh, "-f")
    powershell = shutil.which("pwsh", path=path) or shutil.which("powershell", path=path)
    if powershell:
        flags = ("-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File")
        found["powershell"] = (powershell, *flags)
    return found


def build_environment(
    *, job_id: str, parameters: Mapping[str, ParameterValue], state_dir: Path
) -> dict[str, str]:
    """Return the whole environment of a step; nothing of the agent's own leaks into it.

    Args:
        job_id: marks the processes, so a later agent can find what a dead one left behind.
        parameters: by manifest name; booleans become "true" and "false".
        state_dir: where a script keeps what its rollback needs, one directory a proposal.

    """
    environment = {
        "LANG": "C.UTF-8",
        "HOME": str(Path.home()),
        JOB_VARIABLE: job_id,
        "EUCORA_STATE_DIR": str(state_dir),
    }
    if os.name == "posix":
        environment["PATH"] = _POSIX_PATH
    else:
        environment |= {name: os.environ[name] for name in _WINDOWS_VARIABLES if name in os.environ}
    for name, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        environment[f"EUCORA_PARAM_{name.upper()}"] = text
    return environment


async def run_step(
    command: StepCommand,
    interpreters: Mapping[str, tuple[str, ...]],
    on_started: Callable[[int], None],
) -> StepResult:
    """Run one step and wait for its end.

    Args:
        command: what to run.
        interpreters: as `find_interpreters` returns them.
        on_started: is told the process group's id.

    Raises:
        RefusalError: the bytes on disk are not the approved ones.
        AgentError: the step could not be started.

    """
    with tempfile.TemporaryDirectory(dir=command.directory, prefix="step-") as folder:
        arguments = [*interpreters[command.interpreter], str(_write_script(command, Path(folder)))]
        outputs = (_BoundedOutput(), _BoundedOutput())
        started = time.monotonic()
        process = _start_process(command, arguments, Path(folder), outputs)
        try:
            on_started(process.pid)
            timed_out = not await _await_end(process, started + command.timeout_seconds)
        finally:
            if process.poll() is None:
                end_process_group(process.pid)
                process.wait()
        if timed_out:
            await asyncio.to_thread(_end_job, command.environment.get(JOB_VARIABLE))
        await _await_output(outputs)
        exit_code = process.returncode
        return StepResult(
            step=command.step,  # type: ignore[arg-type]  # the keys of Job.steps are these literals
            exit_code=None if timed_out or exit_code < 0 else exit_code,
            timed_out=timed_out,
            duration_seconds=round(time.monotonic() - started, 3),
            stdout=outputs[0].text(),
            stderr=outputs[1].text(),
            truncated=any(output.truncated for output in outputs),
        )


def _start_process(
    command: StepCommand,
    arguments: list[str],
    folder: Path,
    outputs: "tuple[_BoundedOutput, _BoundedOutput]",
) -> subprocess.Popen[bytes]:
    """Start a step in a session of its own.

    Not asyncio's subprocess: its `wait` waits for the pipes as well, and a daemon that the script
    restarted may keep those open for ever.
    """
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    try:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=outputs[0].write_end,
            stderr=outputs[1].write_end,
            env={**command.environment, **temporary},
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise AgentError(f"step {command.step} could not be started: {error}") from error
    finally:
        for output in outputs:
            output.start()


async def _await_end(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Return whether the process ended before the deadline (monotonic seconds)."""
    while process.poll() is None:
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _await_output(outputs: "tuple[_BoundedOutput, _BoundedOutput]") -> None:
    """Wait for the rest of the output, but not for a daemon that kept the pipe open."""
    deadline = time.monotonic() + DRAIN_SECONDS
    # Polled: the flags are set by threads, which must not touch the event loop.
    while any(output.is_open for output in outputs) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(POLL_SECONDS)


def _write_script(command: StepCommand, folder: Path) -> Path:
    """Write the approved bytes and read them back: what will run is what was approved."""
    script = folder / f"{command.step}{_SUFFIXES[command.interpreter]}"
    try:
        descriptor = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(descriptor, "wb") as file:
            file.write(command.content)
        digest = sha256_hex(script.read_bytes())
    except OSError as error:
        raise AgentError(f"step {command.step} could not be written: {error}") from error
    if digest != command.sha256:
        detail = f"step {command.step} changed on disk"
        raise RefusalError(RefusalReason.DIGEST_MISMATCH, detail)
    return script


class _BoundedOutput:
    """A pipe whose first MAX_OUTPUT_BYTES are kept and whose rest is drained.

    A thread reads it to its end, also after the step: a daemon that writes on is not killed by
    a broken pipe as long as the agent lives.
    """

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._kept = bytearray()
        self.truncated = False
        self.is_open = True

    def start(self) -> None:
        """Begin to read; our copy of the write end is closed, so the pipe can end."""
        os.close(self.write_end)
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        try:
            while chunk := os.read(self._read_end, 16 * 1024):
                room = MAX_OUTPUT_BYTES - len(self._kept)
                self._kept += chunk[:room]
                self.truncated = self.truncated or len(chunk) > room
        finally:
            self.is_open = False
            os.close(self._read_end)

    def text(self) -> str:
        """Return what was kept as text that JSON and PostgreSQL can hold."""
        return bytes(self._kept).decode("utf-8", errors="replace").replace("\0", "\ufffd")


def end_process_group(process_group: int) -> None:
    """Kill a step and everything it started in its group."""
    if sys.platform == "win32":
        _kill_tree(process_group)
        return
    try:
        os.killpg(process_group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _kill_tree(pid: int) -> None:
    try:
        leader = psutil.Process(pid)
        doomed = [*leader.children(recursive=True), leader]
    except psutil.Error:
        return
    for process in doomed:
        try:
            process.kill()
        except psutil.Error:
            continue


def _end_job(job_id: str | None) -> None:
    """Kill every process of a job, also those that made a session of their own; blocking.

    One may start another while we look, so we look until there is none, but not for ever.
    """
    deadline = time.monotonic() + END_SECONDS
    while job_id is not None and end_leftovers(job_id, None) and time.monotonic() < deadline:
        continue


def end_leftovers(job_id: str, process_group: int | None) -> int:
    """Kill what a dead agent's step left running; return how many processes that were.

    A process belongs to the job when its environment names it. Where the group is known only its
    members are ended: a service that the script restarted lives on in its own group.
    """
    doomed: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.environ().get(JOB_VARIABLE) != job_id:
                continue
            if process_group is not None and not _is_in_group(process.pid, process_group):
                continue
            process.kill()
        except (psutil.Error, OSError):
            continue
        doomed.append(process)
    ended, _alive = psutil.wait_procs(doomed, timeout=WAIT_SECONDS)
    return len(ended)


def _is_in_group(pid: int, process_group: int) -> bool:
    return sys.platform == "win32" or os.getpgid(pid) == process_group

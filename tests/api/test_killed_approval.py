# SPDX-License-Identifier: Apache-2.0
"""A server that is killed between the import and the approval of a script leaves no half of one."""

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from datetime import timedelta

import pytest

from api.script_catalogue import ScriptCatalogue
from evidence.audit_entry import LOG_ORIGIN
from evidence.log_integrity import check_log
from governance.errors import ScriptEntryError
from governance.script_rules import ScriptRequest
from governance.script_versions import (
    ScriptVerdict,
    find_version,
    list_decisions,
    list_unlogged,
    verify_version,
)
from tests.portal.script_folders import write_folder
from tests.stack.prepared import ROOT

POINTS = ("import", "script_decision.sealed", "script.approved")


async def kill_at(services, folder, point) -> None:
    ground = services.ground
    told = {
        "data_dir": str(ground.settings.data_dir),
        "mlruns_dir": str(ground.settings.mlruns_dir),
        "addresses": asdict(ground.addresses),
        "folder": str(folder),
        "point": point,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.api.killed_approval", cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaints = await process.communicate(json.dumps(told).encode() + b"\n")
    assert process.returncode == -signal.SIGKILL, complaints.decode()[-2000:]


@pytest.mark.parametrize("point", POINTS)
async def test_what_was_not_committed_is_not_in_force(services, tmp_path, point):
    folder = write_folder(tmp_path)
    await kill_at(services, folder, point)
    ground = services.ground
    async with ground.pool.connection() as connection:
        script_id = folder.name
        cursor = await connection.execute(
            "SELECT version FROM scripts WHERE script_id = %s", (script_id,)
        )
        (row,) = await cursor.fetchall()
        key = (script_id, row["version"])
        stored = await find_version(connection, *key)
        assert stored.status == "proposed", "it was imported, and that is all"
        assert await list_decisions(connection, script_id) == []
        assert await list_unlogged(connection) == []
        with pytest.raises(ScriptEntryError, match="proposed"):
            await verify_version(connection, ground.sealer, *key)
    decision = await ScriptCatalogue(ground, services.embedder).decide(
        ScriptRequest(
            script_id=key[0], version=key[1], content_sha256=stored.content_sha256,
            decision=ScriptVerdict.APPROVE, actor="user:axel",
            roles=frozenset({"approver", "security_reviewer"}),
            authenticated_at=ground.clock.now() - timedelta(minutes=1), correlation_id="cor_again",
        )
    )  # fmt: skip
    async with ground.pool.connection() as connection:
        assert await list_decisions(connection, script_id) == [decision]
        assert (await verify_version(connection, ground.sealer, *key)).status == "active"
        assert await list_unlogged(connection) == []
        while await ground.log.sequence_pending(connection):
            pass
    async with ground.pool.connection() as connection:
        await check_log(connection, log_key=ground.log.public_key(), origin=LOG_ORIGIN)

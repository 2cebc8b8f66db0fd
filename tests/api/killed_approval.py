# SPDX-License-Identifier: Apache-2.0
"""Imports a script version and approves it, and dies as by `kill -9` at a point on the way.

Reads one line of JSON: where the installation is, the folder of the script, and the point: the
`action` of an audit event, or `import` for between import and approval.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from api.ground import DatabaseAddresses, open_ground
from api.script_catalogue import ScriptCatalogue
from governance.script_rules import ScriptRequest
from governance.script_versions import ScriptVerdict
from kernel.logs import configure_logging
from kernel.settings import Settings
from retrieval.manifest import read_entry


def die() -> None:
    """Die as by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


async def approve(ground: Any, folder: Path, point: str) -> None:
    """Import and approve; the audit event of `point` is written, and then nothing is."""
    catalogue = ScriptCatalogue(ground)
    entry = read_entry(folder)
    await catalogue.import_script(entry, actor="user:hanna", correlation_id="cor_import")
    if point == "import":
        die()
    record = ground.audit.record

    async def record_and_die(*arguments: Any, **named: Any) -> str:
        event_id: str = await record(*arguments, **named)
        if named["action"] == point:
            die()
        return event_id

    ground.audit.record = record_and_die
    request = ScriptRequest(
        script_id=entry.manifest.id,
        version=entry.manifest.version,
        content_sha256=entry.content_sha256,
        decision=ScriptVerdict.APPROVE,
        actor="user:axel",
        roles=frozenset({"approver", "security_reviewer"}),
        authenticated_at=ground.clock.now() - timedelta(minutes=1),
        correlation_id="cor_approve",
    )
    async with ground.pool.connection() as connection:
        await catalogue.decisions.decide(connection, request)


async def main() -> None:
    """Read where to begin and where to end."""
    told = json.loads(sys.stdin.readline())
    settings = Settings(data_dir=Path(told["data_dir"]), mlruns_dir=Path(told["mlruns_dir"]))
    async with open_ground(settings, DatabaseAddresses(**told["addresses"])) as ground:
        await approve(ground, Path(told["folder"]), told["point"])


if __name__ == "__main__":
    configure_logging("worker", "warning", sys.stderr)
    asyncio.run(main())

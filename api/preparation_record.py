# SPDX-License-Identifier: Apache-2.0
"""Whether an installation was prepared by this program from this knowledge already.

Preparing finds out by itself what is missing, but takes seconds of a core for that, at each start.
What it depends on is digested and kept in the database, so a restored one says what it holds.
"""

import hashlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from guardrails.name_store import FOLDER_NAME as NAME_MODELS
from guardrails.name_store import find_model
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from kernel.settings import Settings

QUERIES = load_queries(__file__, "preparations")
ROOT = Path(__file__).resolve().parent.parent
# All of the program but the agent, which devices run: nothing of it prepares an installation.
PACKAGES = (
    "api", "contracts", "dispatch", "evidence", "governance", "guardrails", "kernel", "models",
    "reasoning", "retrieval", "telemetry",
)  # fmt: skip


def digest_sources(settings: Settings) -> str:
    """Return the SHA-256 (hex) of program, libraries' versions and starter knowledge."""
    digest = hashlib.sha256()
    for path in _list_sources(settings.knowledge_dir):
        content = path.read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    libraries = Path(sysconfig.get_path("purelib"))
    for path in sorted(libraries.glob("*.dist-info")):  # named by distribution and version
        digest.update(f"{path.name}\0".encode())
    return digest.hexdigest()


def _list_sources(knowledge_dir: Path) -> Iterator[Path]:
    for folder in (*(ROOT / name for name in PACKAGES), knowledge_dir):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


async def is_prepared(connection: Connection, settings: Settings, sources: str) -> bool:
    """Tell whether preparing once more would find nothing to do."""
    if not find_model(settings.data_dir / NAME_MODELS).is_dir():
        return False
    cursor = await connection.execute(QUERIES["find_preparation"], {"sources": sources})
    return await cursor.fetchone() is not None


async def record_preparation(connection: Connection, sources: str, clock: Clock) -> None:
    """Keep that it was prepared from these sources, which takes the place of what was before."""
    await connection.execute(
        QUERIES["record_preparation"], {"sources": sources, "now": clock.now()}
    )

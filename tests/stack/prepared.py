# SPDX-License-Identifier: Apache-2.0
"""A prepared installation's folder: schema, starter knowledge, trained models, first account.

Made exactly as `eucora up` makes it, once for each state of what it is made of, and kept under
`.runtime/`, since it costs minutes; tests work on copies. A fresh clone has none and makes it.
"""

import asyncio
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from guardrails.name_store import FOLDER_NAME as NAME_MODELS
from guardrails.name_store import ensure_trained, find_model
from kernel.settings import Settings
from retrieval.embedding import FOLDER_NAME
from retrieval.embedding_export import ensure_exported

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / ".runtime"
INGREDIENTS = (
    "knowledge/**/*", "kernel/migrations/*", "models/**/*", "retrieval/**/*",
    "guardrails/policies/**/*", "guardrails/*effects*", "guardrails/*commands*",
    "guardrails/script_*", "guardrails/*folding*", "guardrails/syntax_trees.py",
    "governance/script_versions.py", "api/script_catalogue.py",
    "telemetry/*simulat*", "telemetry/normalisation.py",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A stopped installation. Copy `data_dir` before use; `mlruns_dir` is only read."""

    data_dir: Path
    mlruns_dir: Path
    admin_password: str

    def copy(self, target: Path) -> Path:
        """Copy the data folder, owners and modes kept; return the copy."""
        shutil.copytree(self.data_dir, target, symlinks=True, copy_function=_copy)
        _copy_owners(self.data_dir, target)
        return target


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target)


def _copy_owners(source: Path, target: Path) -> None:
    for path in (source, *source.rglob("*")):
        status = path.lstat()
        shutil.chown(target / path.relative_to(source), status.st_uid, status.st_gid)


def is_prepared() -> bool:
    """Tell whether `find_prepared` returns at once."""
    folder = _folder()
    return (folder / "done.json").exists() and find_model(folder / "data" / NAME_MODELS).exists()


def begin_preparing() -> subprocess.Popen[bytes]:
    """Make the prepared installation in a process of its own, which ends when it is there."""
    return subprocess.Popen([sys.executable, "-m", "tests.stack.prepared"], cwd=ROOT)


def find_prepared() -> Prepared:
    """Return the prepared installation, made now if what it is made of has changed."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    RUNTIME.chmod(0o711)
    done = folder / "done.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several runs may start together
        if not done.exists():
            for leftover in ("data", "mlruns"):
                shutil.rmtree(folder / leftover, ignore_errors=True)
            # A process of its own: libraries' warnings while training are not the tests'.
            subprocess.run(
                [sys.executable, "-m", "tests.stack.prepared", str(folder)], cwd=ROOT, check=True
            )
        _bring_names(folder / "data")
    return Prepared(
        data_dir=folder / "data",
        mlruns_dir=folder / "mlruns",
        admin_password=json.loads(done.read_text())["admin_password"],
    )


def find_exported() -> Path:
    """Return a folder of exported embedding models, made now if there is none; only read it.

    Kept beside the prepared installations, whose copy it is: it outlives their changes.
    """
    folder = RUNTIME / FOLDER_NAME
    ensure_exported(folder)
    return folder


def find_name_models() -> Path:
    """Return the folder of name models, this program's among them, trained now if it is not.

    Kept beside the prepared installations, whose copy it is: neither's change remakes the other.
    """
    folder = RUNTIME / NAME_MODELS
    ensure_trained(folder)
    return folder


def _bring_names(data_dir: Path) -> None:
    model = find_model(find_name_models())
    copied = find_model(data_dir / NAME_MODELS)
    if not copied.exists():
        shutil.copytree(model, copied)


async def _make(folder: Path) -> None:
    from rich.console import Console  # slow imports, for those who need them

    from api.first_account import make_first_account
    from api.ground import migrate_database, open_database, open_ground
    from api.preparation import prepare

    settings = Settings(data_dir=folder / "data", mlruns_dir=folder / "mlruns")
    async with open_database(settings) as addresses:
        shutil.copytree(find_exported(), settings.data_dir / FOLDER_NAME)
        _bring_names(settings.data_dir)
        await migrate_database(addresses)
        async with open_ground(settings, addresses) as ground:
            await prepare(ground, Console(stderr=True))
            password = await make_first_account(ground)
    (folder / "done.json").write_text(json.dumps({"admin_password": password}))


def _folder() -> Path:
    return RUNTIME / "prepared" / _digest()


def _digest() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    digest = hashlib.sha256(json.dumps(project, sort_keys=True).encode())
    for pattern in INGREDIENTS:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_make(Path(sys.argv[1])))
    else:
        find_prepared()

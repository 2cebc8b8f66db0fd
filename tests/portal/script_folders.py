# SPDX-License-Identifier: Apache-2.0
"""Script folders as authors write them, on disk or packed for an upload."""

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import yaml

SCRIPT_ID = "linux-empty-test-cache"
HEAD = "#!/usr/bin/env bash\nset -euo pipefail\n"
STEPS = {
    "detect": f"{HEAD}test -e /var/cache/test/old.bin\n",
    "remediate": f"{HEAD}\nrm -f -- /var/cache/test/old.bin\n",
    "verify": f"{HEAD}test ! -e /var/cache/test/old.bin\n",
}
MANIFEST: dict[str, Any] = {
    "id": SCRIPT_ID,
    "version": "1.0.0",
    "title": "Empty the test cache",
    "description": "Deletes the cache of a program that exists in tests alone.",
    "author": "hanna",
    "platforms": ["linux"],
    "interpreter": "bash",
    "failure_classes": ["disk_full"],
    "privilege": "admin",
    "blast_radius": "application",
    "reversible": False,
    "timeout_seconds": 60,
    "expected_effect": {
        "within_seconds": 600,
        "all": [{"metric": "disk_used_percent_max", "operator": "<", "value": 90}],
    },
    "effects": {"remediate": {"deletes_files": "high"}},
}


def list_files(steps: dict[str, str] | None = None, **manifest: Any) -> dict[str, bytes]:
    """Return a folder's files by name; `steps` and manifest keys replace those above."""
    files = {f"{step}.sh": text.encode() for step, text in {**STEPS, **(steps or {})}.items()}
    return {"manifest.yaml": yaml.safe_dump({**MANIFEST, **manifest}).encode(), **files}


def write_folder(parent: Path, steps: dict[str, str] | None = None, **manifest: Any) -> Path:
    """Write a folder and return its path."""
    folder = parent / str(manifest.get("id", SCRIPT_ID))
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in list_files(steps, **manifest).items():
        (folder / name).write_bytes(content)
    return folder


def pack(steps: dict[str, str] | None = None, **manifest: Any) -> bytes:
    """Return a folder as a ZIP archive."""
    folder = str(manifest.get("id", SCRIPT_ID))
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, content in list_files(steps, **manifest).items():
            archive.writestr(f"{folder}/{name}", content)
    return packed.getvalue()

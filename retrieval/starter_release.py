# SPDX-License-Identifier: Apache-2.0
"""Which scripts a release of the product ships: those whose digest it names, and no others.

The names are part of the program and not of the knowledge folder, which an operator may change: a
script that was changed there, or added, is one that a person has to approve.
"""

import json
from functools import cache
from pathlib import Path
from typing import Final

from retrieval.errors import ManifestError
from retrieval.manifest import CatalogueEntry

STARTER_AUTHOR: Final = "eucora-starter"
RELEASE_FILE: Final = Path(__file__).with_name("starter_scripts.json")


@cache
def read_release() -> dict[str, str]:
    """Return {id@version: content_sha256} of the scripts that this release ships."""
    named: dict[str, str] = json.loads(RELEASE_FILE.read_text(encoding="utf-8"))
    return named


def names_entry(entry: CatalogueEntry) -> bool:
    """Tell whether this release ships exactly this script."""
    manifest = entry.manifest
    return read_release().get(f"{manifest.id}@{manifest.version}") == entry.content_sha256


def check_author(entry: CatalogueEntry) -> None:
    """Check that nobody else passes for the release: its name lowers the risk of a script.

    Raises:
        ManifestError: the release does not ship this script, and it names the release as author.
    """
    author = entry.manifest.author
    if author.casefold() == STARTER_AUTHOR and not names_entry(entry):
        raise ManifestError(
            f"{entry.manifest.id}: the author {author} is reserved for scripts as this release"
            " ships them: name who wrote or changed this one"
        )


def write_release(entries: list[CatalogueEntry], path: Path = RELEASE_FILE) -> None:
    """Name the digests of the scripts that a release ships; done when a release is made."""
    named = {
        f"{entry.manifest.id}@{entry.manifest.version}": entry.content_sha256 for entry in entries
    }
    text = json.dumps(named, indent=1, sort_keys=True)
    path.write_text(f"{text}\n", encoding="utf-8")

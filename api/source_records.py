# SPDX-License-Identifier: Apache-2.0
"""What programs are told of a source and of a file, and people of a verdict."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from retrieval.ingested_files import FileVerdict
    from retrieval.sources import SourceOverview

VERDICT_WORDS: Final[Mapping[str, str]] = {
    "stored": "in search",
    "unchanged": "in search, as it was",
    "rejected": "not taken",
    "quarantined": "held back",
    "removed": "removed",
}


def describe_source(overview: "SourceOverview") -> dict[str, Any]:
    """Return what programs are told of a source; not its place on the server."""
    source = overview.source
    started, finished = overview.last_started_at, overview.last_finished_at
    return {
        "source": source.source_id,
        "kind": source.kind.value,
        "trust": source.trust.value,
        "groups": list(source.access_groups),
        "platforms": list(source.platforms),
        "products": list(source.products),
        "documents": overview.n_documents,
        "files": overview.n_files,
        "refused": overview.n_refused,
        "rejected": overview.n_rejected,
        "held": overview.n_held,
        "last_started_at": started.isoformat() if started else None,
        "last_finished_at": finished.isoformat() if finished else None,
        "last_counts": dict(overview.last_counts),
    }


def describe_file(verdict: "FileVerdict") -> dict[str, Any]:
    """Return what programs are told of a file."""
    return {
        "path": verdict.path,
        "verdict": verdict.verdict.value,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "sha256": verdict.sha256,
        "engine": verdict.engine,
        "document_ids": list(verdict.document_ids),
    }

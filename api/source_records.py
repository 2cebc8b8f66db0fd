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


def word_option(verdict: str) -> str:
    """Return what people type for a verdict: its words, with hyphens."""
    return VERDICT_WORDS[verdict].replace(" ", "-")


def tell_source(overview: "SourceOverview") -> list[tuple[str, str]]:
    """Return what people are told of a source, by heading: terms, figures, newest run."""
    source = overview.source
    files = [(overview.n_files, "stored"), (overview.n_rejected, "rejected"),
             (overview.n_held, "quarantined")]  # fmt: skip
    return [
        ("source", source.source_id),
        ("brought from", f"{source.kind.value} {source.location}".strip()),
        ("brought by", f"{overview.created_by}, first on {overview.created_at:%Y-%m-%d %H:%M} UTC"),
        ("trust", source.trust.value),
        ("read by", ", ".join(source.access_groups) or "everybody"),
        ("platforms", ", ".join(source.platforms) or "all"),
        ("products", ", ".join(source.products) or "none named"),
        ("documents", f"{overview.n_documents:,} in search"),
        ("files", ", ".join(f"{number:,} {VERDICT_WORDS[name]}" for number, name in files)),
        ("last run", tell_last_run(overview)),
        *([("it found", _tell_counts(overview.last_counts))] if overview.last_counts else []),
    ]


def tell_last_run(overview: "SourceOverview") -> str:
    """Return when the newest run began, and whether it ended."""
    if overview.last_started_at is None:
        return "never"
    ended = "" if overview.last_finished_at else " (not finished: bring it again and it goes on)"
    return f"{overview.last_started_at:%Y-%m-%d %H:%M} UTC{ended}"


def _tell_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{number:,} {VERDICT_WORDS.get(name, name)}" for name, number in counts.items()
    )


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

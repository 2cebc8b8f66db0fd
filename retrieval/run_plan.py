# SPDX-License-Identifier: Apache-2.0
"""What a run makes of its source before it begins; refuses what would empty or mix up a source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from retrieval.brought_files import Listing, show_name
from retrieval.ingested_files import FileVerdict, Verdict
from retrieval.ingestion_errors import EmptySourceError, SourceConflictError
from retrieval.sources import Source, SourceKind, SourceTerms, Trust, check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run deals with what is not there: see `eucora kb ingest --help`."""

    dry: bool = False
    keep_missing: bool = False
    allow_empty: bool = False
    moved: bool = False


def new_source(source_id: str, kind: SourceKind, location: str) -> Source:
    """Return a source as it is where nobody says anything of it.

    Raises:
        SourceNameError: it cannot have this name.
    """
    check_name(source_id)
    return Source(
        source_id=source_id,
        kind=kind,
        location=location,
        trust=Trust.EXTERNAL,
        access_groups=(),
        platforms=(),
        products=(),
    )


def plan_source(
    source_id: str,
    listing: Listing,
    earlier: Source | None,
    terms: SourceTerms,
    options: RunOptions,
) -> Source:
    """Return the source as this run is to leave it.

    Raises:
        SourceConflictError: it is of another kind, or from another place.
    """
    kind = SourceKind.FOLDER if listing.is_folder else SourceKind.FILE
    location = show_name(str(listing.root))
    if earlier is None:
        return terms.apply(new_source(source_id, kind, location))
    if earlier.kind is not kind:
        raise SourceConflictError(
            f"the source {source_id} is of the kind {earlier.kind}, and {location} is a {kind}:"
            " take another name with --source"
        )
    if kind is SourceKind.FILE:
        return terms.apply(earlier)
    if earlier.location != location and not options.moved:
        raise SourceConflictError(
            f"the source {source_id} is filled from {earlier.location}: give --moved if"
            f" {location} is the same in another place, else another name with --source"
        )
    return terms.apply(replace(earlier, location=location))


def check_not_empty(
    source: Source,
    listing: Listing,
    known: Mapping[str, FileVerdict],
    options: RunOptions,
) -> None:
    """Refuse a place that holds nothing, unless that is meant.

    Raises:
        EmptySourceError: it does.
    """
    if listing.files or options.allow_empty:
        return
    n_files = sum(verdict.verdict is not Verdict.REMOVED for verdict in known.values())
    if not n_files:
        raise EmptySourceError(f"{source.location} holds no file to take in")
    raise EmptySourceError(
        f"{source.location} holds no file, and the source {source.source_id} had {n_files}: see"
        " whether the folder is mounted; --allow-empty takes them all out of search"
    )

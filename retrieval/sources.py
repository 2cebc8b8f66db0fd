# SPDX-License-Identifier: Apache-2.0
"""Where documents come from: a source has a name, a place, a trust, and who may read it.

What a source says holds for all its documents; platforms and products only where a document names
none. A changed source makes the next run take all its files anew. Who may know of a source is asked
of the caller, who owns the transaction.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from contracts.canonical import digest_of
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.articles import PLATFORMS
from retrieval.ingestion_errors import IngestionError, SourceMissingError, SourceNameError

QUERIES: Final = load_queries(__file__, "ingestion")
MAX_LABELS: Final = 20
MAX_LABEL_CHARACTERS: Final = 60
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class SourceKind(StrEnum):
    """How documents get into a source."""

    STARTER = "starter"
    FOLDER = "folder"
    FILE = "file"
    UPLOAD = "upload"


class Trust(StrEnum):
    """Whose word a document is, the least trusted first."""

    EXTERNAL = "external"
    INTERNAL = "internal"
    STARTER = "starter"


def rank_trust(trust: str) -> int:
    """Return a number that is larger for what is trusted more."""
    return list(Trust).index(Trust(trust))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source as it is remembered."""

    source_id: str
    kind: SourceKind
    location: str
    trust: Trust
    access_groups: tuple[str, ...]
    platforms: tuple[str, ...]
    products: tuple[str, ...]
    created_by: str = field(default="", compare=False)

    @property
    def terms_digest(self) -> str:
        """What its documents inherit, as a short digest."""
        groups, products = sorted(self.access_groups), sorted(self.products)
        return digest_of([self.trust.value, groups, sorted(self.platforms), products])[-12:]


Admits = Callable[[Source], bool]  # whether somebody may know of a source and change it


def admit_all(_source: Source) -> bool:
    """Admit to every source: for who runs the installation."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTerms:
    """What somebody says of a source; None: as it is, or the default of a new one.

    A new source is trusted as external, readable by all, and for all platforms.
    """

    trust: Trust | None = None
    access_groups: tuple[str, ...] | None = None
    platforms: tuple[str, ...] | None = None
    products: tuple[str, ...] | None = None

    def apply(self, source: Source) -> Source:
        """Return the source under these terms.

        Raises:
            IngestionError: a platform, product or group is none.
        """
        given = {name: getattr(self, name) for name in self.__slots__}
        changed = {name: value for name, value in given.items() if value is not None}
        _check_terms(self)
        return replace(source, **changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverview:
    """A source with its figures, for lists."""

    source: Source
    created_by: str
    created_at: datetime
    n_documents: int
    n_files: int
    n_rejected: int
    n_held: int
    last_started_at: datetime | None
    last_finished_at: datetime | None
    last_counts: Mapping[str, int]

    @property
    def n_refused(self) -> int:
        """How many files are there and not in search: rejected, or held back for a reviewer."""
        return self.n_rejected + self.n_held


class Sources:
    """Keeps the sources."""

    def __init__(self, *, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def find(self, connection: Connection, source_id: str) -> Source | None:
        """Return a source, or None."""
        cursor = await connection.execute(QUERIES["find_source"], {"source_id": source_id})
        row = await cursor.fetchone()
        return None if row is None else _read_source(row)

    async def lock(self, connection: Connection, source_id: str) -> None:
        """Keep others from reading a source to change it, until the transaction ends."""
        await connection.execute(QUERIES["lock_terms"], {"source_id": source_id})

    async def require(
        self, connection: Connection, source_id: str, *, admits: Admits = admit_all
    ) -> Source:
        """Return a source.

        Raises:
            SourceMissingError: there is none, or none that its reader may know of.
        """
        source = await self.find(connection, source_id)
        if source is None or not admits(source):
            raise SourceMissingError(f"there is no source {source_id[:80]}: see eucora kb sources")
        return source

    async def list_all(
        self, connection: Connection, *, admits: Admits = admit_all
    ) -> tuple[SourceOverview, ...]:
        """Return the sources that hold anything with their figures, by name.

        One whose files were all removed is left out, until a run brings some again.
        """
        cursor = await connection.execute(QUERIES["list_sources"], {"source_id": None})
        overviews = [_read_overview(row) for row in await cursor.fetchall()]
        return tuple(one for one in overviews if admits(one.source))

    async def describe(self, connection: Connection, source_id: str) -> SourceOverview:
        """Return a source with its figures, whether it holds anything or not.

        Raises:
            SourceMissingError: there is none.
        """
        await self.require(connection, source_id)
        cursor = await connection.execute(QUERIES["list_sources"], {"source_id": source_id})
        (row,) = await cursor.fetchall()
        return _read_overview(row)

    async def keep(
        self, connection: Connection, source: Source, *, actor: str, correlation_id: str
    ) -> bool:
        """Make a source, or change it to this; return whether one was changed.

        Raises:
            SourceNameError: it cannot have this name.
        """
        check_name(source.source_id)
        before = await self.find(connection, source.source_id)
        if before == source:
            return False
        await connection.execute(
            QUERIES["keep_source"],
            {**_describe(source), "now": self._clock.now(), "actor": actor},
        )
        await self._audit.record(
            connection,
            actor=actor,
            action="source.created" if before is None else "source.changed",
            subject_kind="document_source",
            subject_id=source.source_id,
            correlation_id=correlation_id,
            before=None if before is None else _audited(before),
            after=_audited(source),
        )
        return before is not None


def check_name(name: str) -> None:
    """Refuse a name that no source may have.

    Raises:
        SourceNameError: it is one.
    """
    if not _NAME.fullmatch(name) or name == Trust.STARTER:
        raise SourceNameError


def suggest_name(text: str) -> str:
    """Return a name for a source from the name of a folder or file.

    Raises:
        SourceNameError: nothing in it can be used.
    """
    name = make_slug(text, max_characters=40)
    check_name(name)
    return name


def make_slug(text: str, *, max_characters: int) -> str:
    """Return a text's Latin letters and digits in lower case, hyphens between; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:max_characters].strip("-")


def _check_terms(terms: SourceTerms) -> None:
    for platform in terms.platforms or ():
        if platform not in PLATFORMS:
            raise IngestionError(f"platforms are {', '.join(sorted(PLATFORMS))}")
    if terms.trust is Trust.STARTER:
        raise IngestionError("what people bring is internal or external")
    for what, given in (("products", terms.products), ("groups", terms.access_groups)):
        labels = given or ()
        too_long = any(not 0 < len(label) <= MAX_LABEL_CHARACTERS for label in labels)
        if too_long or len(labels) > MAX_LABELS or not all(map(str.isprintable, labels)):
            raise IngestionError(
                f"{what}: at most {MAX_LABELS}, each of 1 to {MAX_LABEL_CHARACTERS} characters"
            )


def _describe(source: Source) -> dict[str, Any]:
    facts = {name: getattr(source, name) for name in Source.__slots__}
    lists = {name: list(value) for name, value in facts.items() if isinstance(value, tuple)}
    return {**facts, **lists, "kind": source.kind.value, "trust": source.trust.value}


def _audited(source: Source) -> dict[str, Any]:
    """Return what the audit log gets: not the place, which may name a person."""
    left_out = {"location", "created_by"}
    return {name: value for name, value in _describe(source).items() if name not in left_out}


def _read_source(row: Mapping[str, Any]) -> Source:
    return Source(
        source_id=row["source_id"],
        kind=SourceKind(row["kind"]),
        location=row["location"],
        trust=Trust(row["trust"]),
        access_groups=tuple(row["access_groups"]),
        platforms=tuple(row["platforms"]),
        products=tuple(row["products"]),
        created_by=row["created_by"],
    )


def _read_overview(row: Mapping[str, Any]) -> SourceOverview:
    names = [name for name in SourceOverview.__slots__ if name != "source"]
    return SourceOverview(source=_read_source(row), **{name: row[name] for name in names})

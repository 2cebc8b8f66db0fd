# SPDX-License-Identifier: Apache-2.0
"""Finds documents that are nearly another one: MinHash bands propose, the words themselves decide.

A copy in which only the command is changed is how a knowledge base is poisoned; it must come
before a person. So the measure is the share of words that stand in common runs of five: a changed
word counts once, where the Jaccard index of such runs counts it five times over and would miss a
changed command in a short article. What is trusted less is flagged, the newer of equals.

Not found: a copy within a text much longer than itself. Documents of one file are not compared
with each other. A. Broder, "On the resemblance and containment of documents", 1997.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from retrieval.corpus import CorpusDocument
from retrieval.facets import ANY
from retrieval.sources import rank_trust
from retrieval.unspaced import UNSPACED

QUERIES: Final = load_queries(__file__, "near_duplicates")
SHINGLE_WORDS: Final = 5
THRESHOLD: Final = 0.85
# Of ROWS hashes each: a Jaccard index of 0.5 is found in 88 of 100 cases, of 0.75 always.
N_BANDS: Final = 16
ROWS: Final = 3
MAX_CANDIDATES: Final = 20
MAX_DIFFERENCES: Final = 5
MAX_DIFFERENCE_CHARACTERS: Final = 300
BATCH: Final = 500
_SEED: Final = 20261101
# A letter of a script without blanks is a word of its own.
_WORD: Final = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")
_MARKUP: Final = "#*`|_>.,;:()[]\"'!?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A document's words and the bands of their MinHash signature."""

    words: tuple[str, ...]
    bands: tuple[int, ...]

    @property
    def content(self) -> str:
        """SHA-256 of the words."""
        return hashlib.sha256("\0".join(self.words).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """How alike two documents are: each a share from 0 to 1, and what only the first has.

    `overlap` is the smaller share of words in common runs, `jaccard` that of the runs.
    """

    overlap: float
    jaccard: float
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Another document in force that is nearly the same, with its text's digest."""

    document_id: str
    title: str
    trust: str
    access_groups: tuple[str, ...]
    content: str
    resemblance: Resemblance
    reverse: Resemblance  # as the other one sees it

    def replaces(self, document: CorpusDocument, print_: Fingerprint) -> bool:
        """Whether it says the same, is trusted more, and is found by all who find the document."""
        own, others = set(document.access_groups), set(self.access_groups)
        for_all = not others or ANY in others
        return (
            self.content == print_.content
            and rank_trust(self.trust) > rank_trust(document.trust)
            and (for_all or (bool(own) and own <= others))
        )


def fingerprint(text: str) -> Fingerprint:
    """Return what a text is compared by; no bands where it has no words."""
    words = tuple(list_words(text))
    hashes = np.array([_hash_run(run) for run in _runs(words)], dtype=np.uint64)
    if not hashes.size:
        return Fingerprint(words=words, bands=())
    multipliers, offsets = _draw_functions()
    # Multiply-shift hashing: overflow is meant.
    signature = (hashes[:, None] * multipliers + offsets).min(axis=0).reshape(N_BANDS, ROWS)
    bands = (
        int.from_bytes(
            hashlib.blake2b(bytes([number]) + row.tobytes(), digest_size=8).digest(),
            "big",
            signed=True,
        )
        for number, row in enumerate(signature)
    )
    return Fingerprint(words=words, bands=tuple(bands))


def list_words(text: str) -> Iterator[str]:
    """Yield a text's words in lower case, without marks of Markdown."""
    for found in _WORD.finditer(text.casefold()):
        word = found[0].strip(_MARKUP)
        if any(map(str.isalnum, word)):
            yield word


def compare(words: Sequence[str], others: Sequence[str]) -> Resemblance:
    """Return how alike two texts are."""
    runs, other_runs = set(_runs(words)), set(_runs(others))
    common = runs & other_runs
    covered = _cover(words, common)
    other_covered = _cover(others, common)
    shares = [sum(each) / len(each) if each else 0.0 for each in (covered, other_covered)]
    return Resemblance(
        overlap=min(shares),
        jaccard=len(common) / max(len(runs | other_runs), 1),
        differences=tuple(_list_uncovered(words, covered))[:MAX_DIFFERENCES],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Somebody's decision that words stay out of search, and the flag that takes it back."""

    content: str
    flag_id: str
    kind: str
    resolved_by: str
    resolved_at: datetime

    def __str__(self) -> str:
        """Return it for people."""
        return (
            f"{self.resolved_by} took these words out of search on {self.resolved_at:%Y-%m-%d}"
            f" ({self.kind.replace('_', ' ')}); if they may come back: eucora kb flags keep"
            f" {self.flag_id}"
        )


async def list_refused(connection: Connection, contents: Mapping[str, str]) -> dict[str, Refusal]:
    """Return the decisions that keep documents out of search, by document.

    Words that a person took out stay out under any name and from any source. What is in force with
    the same words stays: whoever decided took out one of two copies.

    Args:
        connection: of a transaction that keeps out those who decide.
        contents: the digests of the documents' words, by document.
    """
    asked = {"contents": list(contents.values())}
    cursor = await connection.execute(QUERIES["list_refusals"], asked)
    refusals = {row["content"]: Refusal(**row) for row in await cursor.fetchall()}
    refused = {name: refusals[one] for name, one in contents.items() if one in refusals}
    cursor = await connection.execute(QUERIES["list_bodies"], {"document_ids": list(refused)})
    for row in await cursor.fetchall():
        if digest_words(row["body"]) == refused[row["document_id"]].content:
            del refused[row["document_id"]]
    return refused


def digest_words(text: str) -> str:
    """Return the digest of a text's words, by which decisions on it are remembered."""
    return Fingerprint(words=tuple(list_words(text)), bands=()).content


class NearDuplicates:
    """Finds and flags near duplicates of documents that are stored. The caller's transaction."""

    def __init__(self, *, clock: Clock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids

    async def catch_up(self, connection: Connection) -> int:
        """Fingerprint some articles that have none, such as the starter's; 0 when all have one."""
        await connection.execute(QUERIES["lock_fingerprints"])
        cursor = await connection.execute(QUERIES["list_unfingerprinted"], {"limit": BATCH})
        rows = await cursor.fetchall()
        for row in rows:
            await self.keep(connection, row["document_id"], fingerprint(row["body"]))
        return len(rows)

    async def lock(self, connection: Connection) -> None:
        """Keep others from storing what would be missed, until the transaction ends."""
        await connection.execute(QUERIES["lock_fingerprints"])

    async def keep(self, connection: Connection, document_id: str, print_: Fingerprint) -> None:
        """Record the fingerprint of the version in force."""
        await connection.execute(
            QUERIES["keep_fingerprint"],
            {"document_id": document_id, "bands": list(print_.bands)},
        )

    async def find(
        self, connection: Connection, document: CorpusDocument, print_: Fingerprint
    ) -> list[NearDuplicate]:
        """Return the documents of other files that this one nearly is, the most alike first."""
        cursor = await connection.execute(
            QUERIES["list_candidates"],
            {
                "bands": list(print_.bands),
                "document_id": document.document_id,
                "source_id": document.source_id or "",
                "path": document.path,
                "limit": MAX_CANDIDATES,
            },
        )
        found = []
        for row in await cursor.fetchall():
            others = tuple(list_words(row["body"]))
            resemblance = compare(print_.words, others)
            if resemblance.overlap >= THRESHOLD:
                found.append(
                    NearDuplicate(
                        document_id=row["document_id"],
                        title=row["title"],
                        trust=row["trust"],
                        access_groups=tuple(row["access_groups"]),
                        content=Fingerprint(words=others, bands=()).content,
                        resemblance=resemblance,
                        reverse=compare(others, print_.words),
                    )
                )
        return sorted(found, key=lambda each: (-each.resemblance.overlap, each.document_id))

    async def flag(
        self,
        connection: Connection,
        document: CorpusDocument,
        print_: Fingerprint,
        found: Sequence[NearDuplicate],
        audit: AuditIntake,
        *,
        actor: str,
        correlation_id: str,
    ) -> int:
        """Ask people to look at a stored document or its doubles; return how many flags are new."""
        n_new = 0
        for suspect, detail in _list_suspects(document, print_, found):
            cursor = await connection.execute(
                QUERIES["raise_flag"],
                {
                    "flag_id": self._ids.new("flg"),
                    "document_id": suspect,
                    "detail": Jsonb(detail),
                    "now": self._clock.now(),
                },
            )
            if (row := await cursor.fetchone()) is None:
                continue
            n_new += 1
            named = {name: detail[name] for name in ("other", "similarity", "more_trusted")}
            await audit.record(
                connection,
                actor=actor,
                action="document.flagged",
                subject_kind="document",
                subject_id=suspect,
                correlation_id=correlation_id,
                after={"flag_id": row["flag_id"], "kind": "near_duplicate", **named},
            )
        return n_new


def _list_suspects(
    document: CorpusDocument, print_: Fingerprint, found: Sequence[NearDuplicate]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield who is to be looked at, and why: this document, or those that are trusted less."""
    rank = rank_trust(document.trust)
    equals_or_better = [each for each in found if rank_trust(each.trust) >= rank]
    for best in equals_or_better[:1]:
        better = best.document_id if rank_trust(best.trust) > rank else None
        yield (
            document.document_id,
            _describe(best.document_id, better, best.resemblance, print_.content, best.content),
        )
    for each in found:
        if rank_trust(each.trust) < rank:
            own = document.document_id
            yield (
                each.document_id,
                _describe(own, own, each.reverse, each.content, print_.content),
            )


def _describe(
    other: str, more_trusted: str | None, alike: Resemblance, content: str, other_content: str
) -> dict[str, Any]:
    comparison = hashlib.sha256(f"{other}:{content}:{other_content}".encode()).hexdigest()
    return {
        "other": other,
        "similarity": round(alike.overlap, 3),
        "jaccard": round(alike.jaccard, 3),
        "more_trusted": more_trusted,
        "differences": list(alike.differences),
        "content": content,
        "comparison": comparison,
    }


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    if not words:
        return []
    last = max(len(words) - SHINGLE_WORDS, 0)
    return [tuple(words[start : start + SHINGLE_WORDS]) for start in range(last + 1)]


def _hash_run(run: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\0".join(run).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _draw_functions() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    random = np.random.default_rng(_SEED)
    drawn = random.integers(0, 2**64 - 1, size=(2, N_BANDS * ROWS), dtype=np.uint64)
    return drawn[0] | np.uint64(1), drawn[1]


def _cover(words: Sequence[str], common: set[tuple[str, ...]]) -> list[bool]:
    """Tell of each word whether a common run has it."""
    covered = [False] * len(words)
    for start, run in enumerate(_runs(words)):
        if run in common:
            covered[start : start + len(run)] = [True] * len(run)
    return covered


def _list_uncovered(words: Sequence[str], covered: Sequence[bool]) -> Iterator[str]:
    for is_common, group in groupby(zip(words, covered, strict=True), key=lambda pair: pair[1]):
        if not is_common:
            yield " ".join(word for word, _ in group)[:MAX_DIFFERENCE_CHARACTERS]

# SPDX-License-Identifier: Apache-2.0
"""Finds documents that are nearly another one: MinHash bands propose, the words themselves decide.

A copy in which only the command is changed is how a knowledge base is poisoned; it must come
before a person. So the measure is the share of words that stand in common runs of five: a changed
word counts once, where the Jaccard index of such runs counts it five times over and would miss a
changed command in a short article. What is trusted less is flagged; of equals both are, as nothing
tells which of them is the copy.

Not found: a copy within a text much longer than itself. Documents of one file are not compared
with each other. A. Broder, "On the resemblance and containment of documents", 1997.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from retrieval.corpus import CorpusDocument
from retrieval.document_flags import (
    FlagKind,
    FlagRecorder,
    Suspicion,
    lock_decisions,
)
from retrieval.facets import ANY
from retrieval.sources import rank_trust
from retrieval.words import digest_words, list_words

QUERIES: Final = load_queries(__file__, "near_duplicates")
# One changed word is in as many runs as these are long: with 5 of them, two texts on one matter
# have few runs in common. Chosen, not measured; longer ones would hide what stands between changes.
SHINGLE_WORDS: Final = 5
# The least overlap of what people are asked to look at: in an article of a hundred words a changed
# command of a dozen words is above it, a rewritten section is not. Chosen, not measured.
THRESHOLD: Final = 0.85
# Bands of ROWS hashes each. Two texts whose runs have the Jaccard index j share a band with the
# probability 1 - (1 - j ** ROWS) ** N_BANDS: .88 for j = .5, above .999 for j = .75 (J. Leskovec,
# A. Rajaraman, J. Ullman, "Mining of Massive Datasets", 3.4.2).
N_BANDS: Final = 16
ROWS: Final = 3
MAX_CANDIDATES: Final = 20  # are compared word by word; those that share most bands come first
MAX_DIFFERENCES: Final = 5  # so many are shown to people, each cut at so many characters
MAX_DIFFERENCE_CHARACTERS: Final = 300
BATCH: Final = 500  # documents in one transaction
_SEED: Final = 20261101  # another one would make fingerprints that no stored one is compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A document's words and the bands of their MinHash signature."""

    words: tuple[str, ...]
    bands: tuple[int, ...]

    @property
    def content(self) -> str:
        """SHA-256 (hex) of the words."""
        return digest_words(self.words)


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

    def replaces(self, document: CorpusDocument, fingerprint: Fingerprint) -> bool:
        """Whether it says the same, is trusted more, and is found by all who find the document."""
        own, others = set(document.access_groups), set(self.access_groups)
        for_all = not others or ANY in others
        return (
            self.content == fingerprint.content
            and rank_trust(self.trust) > rank_trust(document.trust)
            and (for_all or (bool(own) and own <= others))
        )


def take_fingerprint(text: str) -> Fingerprint:
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


class NearDuplicates:
    """Finds and flags near duplicates of documents that are stored. The caller's transaction.

    Who stores documents holds `document_flags.lock_decisions`: else others may store at the same
    time what is then not compared.
    """

    def __init__(self, *, clock: Clock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids

    async def catch_up(self, connection: Connection) -> int:
        """Fingerprint some articles that have none, such as the starter's; 0 when all have one."""
        await lock_decisions(connection)
        cursor = await connection.execute(QUERIES["list_unfingerprinted"], {"limit": BATCH})
        rows = await cursor.fetchall()
        for row in rows:
            await self.keep(connection, row["document_id"], take_fingerprint(row["body"]))
        return len(rows)

    async def keep(
        self, connection: Connection, document_id: str, fingerprint: Fingerprint
    ) -> None:
        """Record the fingerprint of the version in force."""
        await connection.execute(
            QUERIES["keep_fingerprint"],
            {"document_id": document_id, "bands": list(fingerprint.bands)},
        )

    async def find(
        self, connection: Connection, document: CorpusDocument, fingerprint: Fingerprint
    ) -> list[NearDuplicate]:
        """Return the documents of other files that this one nearly is, the most alike first."""
        cursor = await connection.execute(
            QUERIES["list_candidates"],
            {
                "bands": list(fingerprint.bands),
                "document_id": document.document_id,
                "source_id": document.source_id or "",
                "path": document.path,
                "limit": MAX_CANDIDATES,
            },
        )
        found = []
        for row in await cursor.fetchall():
            others = tuple(list_words(row["body"]))
            resemblance = compare(fingerprint.words, others)
            if resemblance.overlap >= THRESHOLD:
                found.append(
                    NearDuplicate(
                        document_id=row["document_id"],
                        title=row["title"],
                        trust=row["trust"],
                        access_groups=tuple(row["access_groups"]),
                        content=digest_words(others),
                        resemblance=resemblance,
                        reverse=compare(others, fingerprint.words),
                    )
                )
        return sorted(found, key=lambda each: (-each.resemblance.overlap, each.document_id))

    async def flag(
        self,
        connection: Connection,
        document: CorpusDocument,
        fingerprint: Fingerprint,
        found: Sequence[NearDuplicate],
        audit: AuditIntake,
        *,
        actor: str,
        correlation_id: str,
    ) -> int:
        """Ask people to look at a stored document or its doubles; return how many flags are new."""
        recorder = FlagRecorder(
            clock=self._clock,
            ids=self._ids,
            audit=audit,
            actor=actor,
            correlation_id=correlation_id,
        )
        n_new = 0
        for suspicion in _list_suspicions(document, fingerprint, found):
            n_new += await recorder.raise_flag(connection, suspicion)
        return n_new


def _list_suspicions(
    document: CorpusDocument, fingerprint: Fingerprint, found: Sequence[NearDuplicate]
) -> Iterator[Suspicion]:
    """Yield who is to be looked at, and why: of two the one trusted less, of equals both."""
    rank = rank_trust(document.trust)
    content = fingerprint.content
    equals_or_better = [each for each in found if rank_trust(each.trust) >= rank]
    for best in equals_or_better[:1]:
        better = best.document_id if rank_trust(best.trust) > rank else None
        yield _suspect(
            document.document_id,
            content,
            other=best.document_id,
            other_content=best.content,
            more_trusted=better,
            resemblance=best.resemblance,
        )
    equals = [best for best in equals_or_better[:1] if rank_trust(best.trust) == rank]
    for each in [*equals, *(each for each in found if rank_trust(each.trust) < rank)]:
        yield _suspect(
            each.document_id,
            each.content,
            other=document.document_id,
            other_content=content,
            more_trusted=None if each in equals else document.document_id,
            resemblance=each.reverse,
        )


def _suspect(
    document_id: str,
    content: str,
    *,
    other: str,
    other_content: str,
    more_trusted: str | None,
    resemblance: Resemblance,
) -> Suspicion:
    """Return what people are told of a document that resembles another one."""
    comparison = hashlib.sha256(f"{other}:{content}:{other_content}".encode()).hexdigest()
    return Suspicion(
        document_id=document_id,
        kind=FlagKind.NEAR_DUPLICATE,
        detail={
            "other": other,
            "similarity": round(resemblance.overlap, 3),
            "jaccard": round(resemblance.jaccard, 3),
            "more_trusted": more_trusted,
            "differences": list(resemblance.differences),
            "content": content,
            "comparison": comparison,
        },
        audited=("other", "similarity", "more_trusted"),
    )


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

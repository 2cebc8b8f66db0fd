# SPDX-License-Identifier: Apache-2.0
"""Flags a document that suddenly starts to win many queries: popular at once, or planted.

A poisoned document is written to be found, so what betrays it is its share of first places, this
week against the four weeks before. Only counts by document and day are kept, no query. It asks
people to look and takes nothing out of search; an outage may make an honest article dominate too.

PoisonedRAG (Zou et al., 2024) shows why: few texts, made to rank first, suffice to steer answers.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scipy.stats import binom

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from retrieval.document_flags import FlagKind, FlagRecorder, Suspicion

QUERIES = load_queries(__file__, "dominance")
# A week has every weekday once, and so have the four before it. How soon a planted document is
# flagged, and that stationary traffic flags none, is measured in tests/retrieval/test_dominance.py.
DAYS_NOW = 7
DAYS_BEFORE = 28
DAYS_KEPT = 90  # of counts; more than is looked at, for whoever asks how it was before a flag
SIGNIFICANCE = 0.01  # chance of any false flag in a look at stationary traffic
# With less nothing can be called sudden: the test's power is low, and a share is a few people's.
MIN_QUERIES_NOW = 50
MIN_QUERIES_BEFORE = 100
# What wins less steers few answers, so that nobody is asked to look at it.
MIN_WINS = 20
MIN_SHARE = 0.1
MIN_GROWTH = 2.0  # significant is not yet sudden: on busy days a tenth more is significant


@dataclass(frozen=True, slots=True, kw_only=True)
class Wins:
    """How often a document was first, lately and before.

    A young one was not in the corpus all the while, so that its past says little.
    """

    document_id: str
    n_before: int
    n_now: int
    is_young: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominance:
    """A document whose share of first places grew beyond chance; shares from 0 to 1."""

    document_id: str
    share_before: float
    share_now: float
    n_wins: int
    n_queries: int
    p_value: float


async def record_win(connection: Connection, document_id: str, day: date) -> None:
    """Count a query and the document that was its first hit.

    Rows of the day are locked until the caller's transaction ends: keep it short.
    """
    await connection.execute(QUERIES["count_query"], {"day": day})
    await connection.execute(QUERIES["count_win"], {"document_id": document_id, "day": day})


async def record_search(connection: Connection, document_ids: Sequence[str], today: date) -> None:
    """Count a search by its first hit; one that found nothing is none."""
    if document_ids:
        await record_win(connection, document_ids[0], today)


def list_dominating(
    wins: Sequence[Wins], *, n_queries_before: int, n_queries_now: int
) -> list[Dominance]:
    """Return the documents that win suddenly, the most surprising first.

    If a document's rate of wins had stayed, its wins lately, given all its wins, would follow a
    binomial distribution whose probability is the share of the queries that came lately; this
    holds for any rate, so that an uncertain past is accounted for. One-sided, at a level of
    SIGNIFICANCE by Bonferroni over the documents. One win is added to each past (Laplace); a young
    document has at least the past of the median document that won before.

    Przyborowski and Wilenski, "Homogeneity of results in testing samples from Poisson series",
    Biometrika 31 (1940).

    Args:
        wins: of the documents in force that won any query in either time.
        n_queries_before: number of queries in the time before.
        n_queries_now: number of queries lately.
    """
    if n_queries_now < MIN_QUERIES_NOW or n_queries_before < MIN_QUERIES_BEFORE:
        return []
    usual = math.ceil(statistics.median([one.n_before for one in wins if one.n_before] or [0]))
    weighed = [
        _weigh(
            one,
            past=1 + (max(one.n_before, usual) if one.is_young else one.n_before),
            n_queries_before=n_queries_before,
            n_queries_now=n_queries_now,
            n_documents=len(wins),
        )
        for one in wins
        if one.n_now >= MIN_WINS
    ]
    found = [
        one
        for one in weighed
        if one.share_now >= max(MIN_SHARE, MIN_GROWTH * one.share_before)
        and one.p_value <= SIGNIFICANCE / len(wins)
    ]
    return sorted(found, key=lambda one: (one.p_value, one.document_id))


def _weigh(
    wins: Wins, *, past: int, n_queries_before: int, n_queries_now: int, n_documents: int
) -> Dominance:
    """Return a document's shares, and the chance of so many wins had its rate stayed."""
    share_of_time = n_queries_now / (n_queries_now + n_queries_before)
    return Dominance(
        document_id=wins.document_id,
        share_before=past / (n_queries_before + n_documents),
        share_now=wins.n_now / n_queries_now,
        n_wins=wins.n_now,
        n_queries=n_queries_now,
        p_value=float(binom.sf(wins.n_now - 1, wins.n_now + past, share_of_time)),
    )


async def find_dominating(connection: Connection, today: date) -> list[Dominance]:
    """Return the documents in force that win suddenly, as of the end of a day."""
    days = {
        "today": today,
        "split": today - timedelta(days=DAYS_NOW),
        "start": today - timedelta(days=DAYS_NOW + DAYS_BEFORE),
    }
    queries = await (await connection.execute(QUERIES["count_queries"], days)).fetchone()
    rows = await (await connection.execute(QUERIES["list_wins"], days)).fetchall()
    return list_dominating(
        [Wins(**row) for row in rows],
        n_queries_before=queries["n_before"] if queries else 0,
        n_queries_now=queries["n_now"] if queries else 0,
    )


async def raise_flags(
    connection: Connection,
    clock: Clock,
    ids: IdSource,
    audit: AuditIntake,
    *,
    correlation_id: str,
    actor: str = "service:retrieval",
) -> list[Dominance]:
    """Ask people to look at documents that win suddenly; return those newly flagged.

    One that waits for a look is not flagged again, nor one that a person kept in the last 35 days.
    Counts older than 90 days are forgotten.
    """
    now = clock.now()
    oldest = now.date() - timedelta(days=DAYS_KEPT)
    await connection.execute(QUERIES["delete_old_wins"], {"oldest": oldest})
    await connection.execute(QUERIES["delete_old_days"], {"oldest": oldest})
    recorder = FlagRecorder(
        clock=clock, ids=ids, audit=audit, actor=actor, correlation_id=correlation_id
    )
    kept_since = now - timedelta(days=DAYS_NOW + DAYS_BEFORE)
    return [
        one
        for one in await find_dominating(connection, now.date())
        if await recorder.raise_flag(connection, _suspect(one, kept_since))
    ]


def _suspect(one: Dominance, kept_since: datetime) -> Suspicion:
    """Return what people are told of a document that wins suddenly."""
    detail = {
        "share_before": round(one.share_before, 4),
        "share_now": round(one.share_now, 4),
        "n_wins": one.n_wins,
        "n_queries": one.n_queries,
    }
    return Suspicion(
        document_id=one.document_id,
        kind=FlagKind.DOMINANCE,
        detail=detail,
        audited=tuple(detail),
        kept_since=kept_since,
    )

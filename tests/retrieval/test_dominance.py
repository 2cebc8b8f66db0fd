# SPDX-License-Identifier: Apache-2.0
"""Sudden dominance: stationary traffic raises no flag, a planted document does, and soon."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.audit import AuditIntake
from retrieval.dominance import (
    MIN_SHARE,
    Wins,
    find_dominating,
    list_dominating,
    raise_flags,
    record_win,
)
from tests.retrieval.recounting import fetch

TODAY = date(2026, 11, 2)  # the clock's
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def count(before, now, young=()):
    return [
        Wins(document_id=f"d{place}", n_before=int(b), n_now=int(n), is_young=place in young)
        for place, (b, n) in enumerate(zip(before, now, strict=True))
    ]


def look(wins):
    return list_dominating(
        wins,
        n_queries_before=sum(one.n_before for one in wins),
        n_queries_now=sum(one.n_now for one in wins),
    )


@pytest.mark.parametrize("n_queries", [60, 200, 1_000, 20_000])
@pytest.mark.parametrize("skew", [0.0, 0.6, 1.2])
def test_stationary_traffic_raises_no_flag(n_queries, skew):
    """1,000 looks each at Zipf-like shares, of which some are above the least share."""
    random = np.random.default_rng(7)
    shares = 1 / np.arange(1, 31) ** skew
    shares /= shares.sum()
    n_flagged = 0
    for _ in range(1_000):
        before = random.multinomial(4 * n_queries, shares)
        now = random.multinomial(n_queries, shares)
        n_flagged += bool(look(count(before, now)))
    assert n_flagged <= 10  # SIGNIFICANCE


@pytest.mark.parametrize("n_per_day", [30, 100, 500])
@pytest.mark.parametrize("young", [True, False])
def test_a_planted_document_is_flagged_within_days(n_per_day, young):
    """It wins 30 % from a day on; flagged before it won for four days, each of 50 times."""
    random = np.random.default_rng(11)
    shares = random.dirichlet(np.ones(40) * 0.5)
    planted = len(shares)
    for _ in range(50):
        days = [random.multinomial(n_per_day, shares) for _ in range(34)]
        for _ in range(4):
            n_planted = random.binomial(n_per_day, 0.3)
            days.append(random.multinomial(n_per_day - n_planted, shares))
            window = days[-7:]
            before = sum(days[-35:-7])
            planted_now = sum(n_per_day - one.sum() for one in window)
            wins = count(
                [*before, 0], [*sum(window), planted_now], young={planted} if young else ()
            )
            flagged = {one.document_id for one in look(wins)}
            assert flagged <= {f"d{planted}"}
            if flagged:
                break
        assert flagged, f"not flagged by {4 * n_per_day} queries"


counts = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(0, 3_000), st.booleans()), max_size=12
)


@given(counts)
@settings(max_examples=300, deadline=None)
def test_what_is_flagged_wins_much_and_more_than_before(rows):
    wins = [
        Wins(document_id=f"d{place}", n_before=before, n_now=now, is_young=young)
        for place, (before, now, young) in enumerate(rows)
    ]
    for one in look(wins):
        assert 0 < one.share_before < 1
        assert MIN_SHARE <= one.share_now <= 1
        assert one.share_now >= 2 * one.share_before
        assert one.n_wins >= 20
        assert one.p_value <= 0.01 / len(wins)


@given(st.integers(0, 300), st.integers(0, 300))
@settings(deadline=None)
def test_more_wins_never_take_a_flag_away(n_before, n_now):
    def is_flagged(now):
        wins = count([n_before, 500], [now, 300])
        return any(
            one.document_id == "d0"
            for one in list_dominating(wins, n_queries_before=800, n_queries_now=600)
        )

    assert is_flagged(n_now + 20) or not is_flagged(n_now)


def test_a_young_document_has_the_usual_past():
    wins = count([0, 300, 280, 320], [25, 70, 75, 70])
    assert [one.document_id for one in look(wins)] == ["d0"]
    assert look([Wins(document_id="d0", n_before=0, n_now=25, is_young=True), *wins[1:]]) == []


def test_a_new_installation_has_no_past_to_compare_with():
    assert look(count([1, 40], [100, 30])) == []
    assert look(count([], [])) == []


async def plant(connection, *names, since=LONG_AGO, retired=None):
    for name in names:
        await connection.execute(
            "INSERT INTO documents (document_id, version, kind, title, body, source,"
            " content_sha256, ingested_at, retired_at)"
            " VALUES (%s, 1, 'article', '', '', '', '', %s, %s)",
            (name, since, retired),
        )


async def win(connection, name, day, times):
    await connection.execute("INSERT INTO document_wins VALUES (%s, %s, %s)", (name, day, times))
    await connection.execute(
        "INSERT INTO query_days VALUES (%s, %s) ON CONFLICT (day) DO UPDATE"
        " SET n_queries = query_days.n_queries + excluded.n_queries",
        (day, times),
    )


async def play(connection, *, last_day=TODAY):
    """Twelve documents win alike for five weeks, and one comes that wins much for three days."""
    names = [f"usual{number}" for number in range(12)]
    await plant(connection, *names)
    await plant(connection, "planted", since=datetime(2026, 10, 30, tzinfo=UTC))
    for back in range(100):
        for name in names:
            await win(connection, name, last_day - timedelta(days=back), 2)
    for back in range(3):
        await win(connection, "planted", last_day - timedelta(days=back), 24)


async def test_wins_are_counted(connection):
    for name in ("a", "b", "a"):
        await record_win(connection, name, TODAY)
    await record_win(connection, "a", TODAY + timedelta(days=1))
    wins = await fetch(connection, "SELECT * FROM document_wins ORDER BY day, document_id")
    assert [(row["document_id"], row["n_first"]) for row in wins] == [
        ("a", 2), ("b", 1), ("a", 1),
    ]  # fmt: skip
    days = await fetch(connection, "SELECT n_queries FROM query_days ORDER BY day")
    assert [row["n_queries"] for row in days] == [3, 1]


async def test_the_planted_document_is_found(connection):
    await play(connection)
    (found,) = await find_dominating(connection, TODAY)
    assert found.document_id == "planted"
    assert found.n_wins == 72
    assert found.n_queries == 7 * 24 + 72
    assert found.share_now == pytest.approx(0.3)
    # As if it had won as often as the median document, and once more.
    assert found.share_before == pytest.approx((28 * 2 + 1) / (28 * 24 + 13))


async def test_what_is_out_of_force_is_not_flagged(connection):
    await play(connection)
    await connection.execute("UPDATE documents SET retired_at = now() WHERE title = ''"
                             " AND document_id = 'planted'")  # fmt: skip
    assert await find_dominating(connection, TODAY) == []


async def test_a_flag_is_raised_once_and_audited(connection, clock, ids):
    await play(connection)
    audit = AuditIntake(clock, ids)

    async def look_again():
        return await raise_flags(connection, clock, ids, audit, correlation_id="cor_test")

    (raised,) = await look_again()
    assert await look_again() == []
    (flag,) = await fetch(connection, "SELECT * FROM document_flags")
    assert (flag["document_id"], flag["kind"]) == ("planted", "dominance")
    assert flag["detail"] == {
        "share_before": round(raised.share_before, 4), "share_now": 0.3,
        "n_wins": 72, "n_queries": 240,
    }  # fmt: skip
    (event,) = await fetch(connection, "SELECT * FROM audit_events")
    assert (event["action"], event["subject_id"]) == ("document.flagged", "planted")
    assert event["after"]["flag_id"] == flag["flag_id"]

    # A person keeps it: no new flag for the same rise, but for one after five weeks.
    await connection.execute(
        "UPDATE document_flags SET resolved_at = %s, resolution = 'kept'", (clock.now(),)
    )
    assert await look_again() == []
    await connection.execute(
        "UPDATE document_flags SET resolved_at = %s", (clock.now() - timedelta(days=36),)
    )
    assert [one.document_id for one in await look_again()] == ["planted"]


async def test_old_counts_are_forgotten(connection, clock, ids):
    await play(connection)
    await raise_flags(connection, clock, ids, AuditIntake(clock, ids), correlation_id="cor_test")
    for table in ("document_wins", "query_days"):
        (row,) = await fetch(connection, f"SELECT min(day) AS day FROM {table}")
        assert row["day"] == TODAY - timedelta(days=89)

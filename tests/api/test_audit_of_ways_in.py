# SPDX-License-Identifier: Apache-2.0
"""Every request that changes something leaves its audit event in the same transaction.

Each route is asked twice: once while the database refuses audit events, when nothing at all may
change, and once more as it is, when its event must carry the request's correlation id.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute
from psycopg import sql

from api.device_app import create_device_app
from api.public_app import create_public_app
from kernel.settings import CLAMD_OFF
from tests.api.changing_requests import CASES, ELSEWHERE, ON_THE_ROAD, READING
from tests.api.changing_world import build_world
from tests.reasoning.situations import work
from tests.stack.served import Served, find_free_port, serve

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
async def served(open_prepared, tmp_path, empty_registry) -> AsyncIterator[Served]:
    ports = {"port": find_free_port(), "device_port": find_free_port()}
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    own = {"tracking": f"sqlite:///{tmp_path}/mlflow.db", "mlruns_dir": tmp_path / "mlruns"}
    async with (
        open_prepared(**ports, **own, clamd=CLAMD_OFF) as services,
        serve(services, tmp_path) as opened,
    ):
        yield opened


async def _digest_tables(owner: psycopg.AsyncConnection[Any]) -> dict[str, str]:
    """Return a digest of each table's rows; that a session was used does not count."""
    cursor = await owner.execute(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n"
        " ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    digests = {}
    for (name,) in await cursor.fetchall():
        found = await owner.execute(
            sql.SQL(
                "SELECT md5(string_agg(row_text, '|' ORDER BY row_text)) FROM"
                " (SELECT (to_jsonb(t) - 'last_used_at')::text AS row_text FROM {} AS t) AS rows"
            ).format(sql.Identifier(*name.split(".")))
        )
        row = await found.fetchone()
        if row is not None and row[0] is not None:
            digests[name] = row[0]
    return digests


async def _list_events(served: Served) -> list[str]:
    rows = await served.query("SELECT event_id FROM audit_events")
    return [row["event_id"] for row in rows]


async def _list_correlations(served: Served, known: list[str]) -> set[str]:
    """Return the correlation ids of the events that are not known yet."""
    rows = await served.query(
        "SELECT correlation_id FROM audit_events WHERE event_id <> ALL(%s)", known
    )
    return {row["correlation_id"] for row in rows}


def _list_changing(app: Any) -> set[str]:
    found = set()
    pending = list(app.routes)
    while pending:
        route = pending.pop()
        if isinstance(route, APIRoute):
            if route.methods & CHANGING:
                found.add(route.path)
        else:
            original = getattr(route, "original_router", None)
            pending += getattr(original or route, "routes", None) or []
    return found


async def _assert_all_or_nothing(
    owner: psycopg.AsyncConnection[Any], name: str, act: Callable[[], Awaitable[httpx.Response]]
) -> dict[str, str]:
    """Ask while the database refuses audit events: nothing may change. Return its digests."""
    before = await _digest_tables(owner)
    await owner.execute("REVOKE INSERT ON audit_events FROM eucora_app")
    refused = await act()
    await owner.execute("GRANT INSERT ON audit_events TO eucora_app")
    assert refused.status_code == 500, f"{name}: {refused.status_code} {refused.text[:300]}"
    assert await _digest_tables(owner) == before, name
    assert refused.headers["x-correlation-id"] == refused.request.headers["x-correlation-id"], name
    assert "audit_events" not in refused.text, name
    return before


async def test_no_change_without_its_audit_event(served):
    world = await build_world(served)
    asked = {
        *(("people", path) for path in _list_changing(create_public_app(served.services))),
        *(("devices", path) for path in _list_changing(create_device_app(served.services))),
    }
    assert asked - ELSEWHERE == CASES.keys() | READING.keys(), (
        "a route that changes something has no case here"
    )
    roads = {
        row["correlation_id"] for row in await served.query("SELECT correlation_id FROM proposals")
    }
    owner_dsn = served.services.ground.addresses.owner
    async with await psycopg.AsyncConnection.connect(owner_dsn, autocommit=True) as owner:
        for name, act in READING.items():
            before = await _digest_tables(owner)
            assert (await act(world, {})).is_redirect, name
            assert await _digest_tables(owner) == before, name
        for number, ((side, path), act) in enumerate(CASES.items()):
            name = f"{side} {path}"
            # The server closes a connection after an error of its own; a client must not reuse it.
            headers = {"x-correlation-id": f"cor_sweep{number}", "connection": "close"}
            if path == "/device/v1/receipts":
                await work(served.services)  # makes the job; leasing it is no case of ours
                await world.device.get("/device/v1/jobs")
            known = await _list_events(served)
            before = await _assert_all_or_nothing(owner, name, partial(act, world, headers))
            done = await act(world, headers)
            assert done.is_success or done.is_redirect, f"{name}: {done.text[:500]}"
            assert await _digest_tables(owner) != before, name
            events = await _list_correlations(served, known)
            expected = {f"cor_sweep{number}"} | (roads if path in ON_THE_ROAD else set())
            assert events, f"{name} left no audit event"
            assert events <= expected, name
            assert f"cor_sweep{number}" in served.log.getvalue(), name

# SPDX-License-Identifier: Apache-2.0
"""Personal data comes in by every way, takes the whole road, and is afterwards where it may be.

That is: in the vault, encrypted; in the inventory, which is the directory itself; and in the
tenant's own articles. Searched is everything that is written meanwhile: all rows of both databases,
all files, what is logged, what a language model and the metrics are sent. The last step plants a
canary in a place of each kind and finds it.
"""

import asyncio
import gzip
import io
import json
import shutil
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.ground import open_registry
from kernel.settings import CLAMD_OFF
from models.ticket_labels import list_labelled_tickets
from models.training import Circumstances, train
from tests.road.canaries import (
    Search,
    canaries_of,
    disguises,
    list_canaries,
)
from tests.road.places import Rows, read_files
from tests.road.ways_in import add_people, fill_directory, travel
from tests.stack.served import Served, find_free_port, serve

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
_DIRECTORY = frozenset({"person of the directory", "user of the directory", "outsider"})
# Where a canary may stand, by table and column, and why.
ALLOWED: dict[tuple[str, str], frozenset[str] | None] = {
    # The directory itself: what masking knows people and machines by.
    ("users", "user_id"): _DIRECTORY,
    ("users", "display_name"): _DIRECTORY,
    ("device_user_map", "user_id"): _DIRECTORY,
    ("directory_entries", "name"): frozenset({"host of the directory"}),
    ("directory_changes", "key"): frozenset({*_DIRECTORY, "host of the directory"}),  # for an hour
    # The inventory of a device, which no model reads.
    ("devices", "hostname"): frozenset({"host", "outsider"}),
    ("devices", "serial_number"): frozenset({"serial"}),
    ("telemetry_reports", "user_id"): _DIRECTORY,  # whose device it is
}
# Articles are the tenant's publications, shown to whom they are for; what of them goes on into a
# case, a bundle or a language model is masked there.
ALLOWED_OF_ARTICLES = {
    ("documents", "body"), ("documents", "title"), ("chunks", "text"), ("chunks", "headings"),
    ("chunk_vectors_1", "signals"),  # codes that a search may ask for
}  # fmt: skip


@pytest.fixture
def prompts() -> Iterator[tuple[str, list[str]]]:
    """A language model that only listens: its address, and all that it was sent."""
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def served(open_prepared, prompts, tmp_path, empty_registry) -> AsyncIterator[Served]:
    ports = {"port": find_free_port(), "device_port": find_free_port()}
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    own = {"tracking": f"sqlite:///{tmp_path}/mlflow.db", "mlruns_dir": tmp_path / "mlruns"}
    model = {"language_model_url": prompts[0], "language_model_name": "m"}
    async with (
        open_prepared(**ports, **own, **model, clamd=CLAMD_OFF) as services,
        serve(services, tmp_path) as opened,
    ):
        yield opened


async def train_on_labels(served: Served) -> None:
    """Train the tickets' classifier, which learns from the words of labelled tickets."""
    ground = served.services.ground
    async with ground.pool.connection() as connection:
        tickets = await list_labelled_tickets(connection)
    assert tickets
    trained = await asyncio.to_thread(
        train,
        "tickets",
        registry=open_registry(ground),
        knowledge_dir=ground.settings.knowledge_dir,
        circumstances=Circumstances(
            seed=0, trained_by="cli:dora", trained_at=ground.clock.now(),
            progress=lambda _: None, area=ground.settings.data_dir / "training", in_use=None,
        ),
        tickets=tickets,
    )  # fmt: skip
    assert trained.version


def is_allowed(table: str, column: str, canary: Any) -> bool:
    if canary.way == "article" and (table, column) in ALLOWED_OF_ARTICLES:
        return True
    kinds = ALLOWED.get((table, column), frozenset())
    return kinds is not None and canary.kind in kinds


def list_leaks(search: Search, tables: dict[str, dict[str, bytes]]) -> dict[str, list[str]]:
    leaks: dict[str, list[str]] = {}
    for table, columns in tables.items():
        for column, content in columns.items():
            found = [one for one in search.find(content) if not is_allowed(table, column, one)]
            if found:
                leaks[f"{table}.{column}"] = sorted(f"{one.way}: {one.kind}" for one in found)
    return leaks


def list_leaking_files(search: Search, files: dict[str, bytes]) -> dict[str, list[str]]:
    return {
        name: sorted(f"{one.way}: {one.kind}" for one in found)
        for name, content in files.items()
        if (found := search.find(content))
    }


async def test_canaries_are_where_they_may_be_and_nowhere_else(
    served, prompts, prepared_postgres, tmp_path
):
    ground = served.services.ground
    databases = {
        "application": Rows(ground.addresses.owner),
        "MLflow": Rows(prepared_postgres.mlflow_dsn),
    }
    for rows in databases.values():
        await rows.read(only_new=False)
    started = time.time() - 1
    await fill_directory(served)
    await add_people(served)
    await travel(served)
    await train_on_labels(served)
    search = Search(list_canaries())
    found = await databases["application"].read(only_new=True)
    # Rows of the road's every step are there, or this would prove nothing.
    for name in (
        "incidents", "proposals", "evidence_bundles", "checkpoints", "audit_events", "jobs",
        "approvals", "log_entries", "telemetry_reports_" + f"{ground.clock.now():%Y%m%d}",
        "incident_class_labels", "freeze_windows", "vault_entries", "documents",
    ):  # fmt: skip
        assert found.get(name), f"{name} is empty"
    if day := next((name for name in found if name.startswith("telemetry_reports_")), None):
        found["telemetry_reports"] = found.pop(day)
    leaks = list_leaks(search, found)
    assert not leaks, json.dumps(leaks, indent=1)
    assert list_leaks(search, await databases["MLflow"].read(only_new=True)) == {}
    async with await psycopg.AsyncConnection.connect(prepared_postgres.superuser_dsn) as admin:
        cursor = await admin.execute("SHOW data_directory")
        (cluster,) = await cursor.fetchone()
    server_log = next(Path(cluster).parent.glob("**/server.log"))
    files = read_files(tmp_path, since=started) | {"server.log": server_log.read_bytes()}
    assert any("objects" in name for name in files)
    assert list_leaking_files(search, files) == {}
    # The clients' own lines name what they ask for; they run in this process, but are not ours.
    lines = [
        line for line in served.log.getvalue().splitlines() if json.loads(line)["logger"] != "httpx"
    ]
    assert any("POST /v1/incidents" in line for line in lines)
    metrics = (await (await served.client()).get("/metrics")).text
    assert prompts[1], "no language model was asked"
    for content in ("\n".join(lines), metrics, "\n".join(prompts[1])):
        assert search.find(content.encode()) == set()
    await assert_vault_has_them(served)
    await plant_and_find(served, databases["application"], tmp_path)


async def assert_vault_has_them(served: Served) -> None:
    """What belongs to incidents can be told by who may, all of it."""
    kept: set[str] = set()
    async with served.services.ground.pool.connection() as connection:
        for row in await served.query("SELECT subject_id FROM vault_subjects"):
            originals = await served.services.ground.vault.reveal(connection, row["subject_id"])
            kept.update(original.casefold() for original in originals.values())
    told = "\n".join(kept)
    for way in ("ticket", "webhook", "form", "receipt", "approve", "reject", "close", "class"):
        missing = [kind for kind, text in canaries_of(way).items() if text.casefold() not in told]
        assert missing == [], way


async def plant_and_find(served: Served, rows: Rows, folder: Any) -> None:
    """The control: a canary of each place, in each disguise, is found."""
    canary = canaries_of("import")["outsider"]
    search = Search(list_canaries())
    plants = list(disguises(canary))
    plain = canary.encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("part.json", json.dumps({"name": canary}))
    await rows.read(only_new=False)
    async with await psycopg.AsyncConnection.connect(
        served.services.ground.addresses.owner, autocommit=True
    ) as owner:
        await owner.execute(
            "CREATE TABLE plants (plain text, bytes bytea, document jsonb, a text[])"
        )
        await owner.execute(
            "INSERT INTO plants VALUES (%s, %s, %s, %s)",
            (canary.upper(), gzip.compress(plain), json.dumps({"a": [canary]}), [canary]),
        )
        await owner.execute(
            "INSERT INTO plants (bytes) SELECT unnest(%s::bytea[])",
            ([*plants, archive.getvalue()],),
        )
    leaks = list_leaks(search, await rows.read(only_new=True))
    for column in ("plain", "bytes", "document", "a"):
        assert "import: outsider" in leaks[f"plants.{column}"]
    planted = folder / "planted"
    planted.mkdir()
    contents = {
        "plain.log": b"xx " + plain, "packed.gz": gzip.compress(plain),
        "b.zip": archive.getvalue(),
        **{f"disguise-{number}": one for number, one in enumerate(plants)},
    }  # fmt: skip
    for name, content in contents.items():
        (planted / name).write_bytes(content)
    leaking = list_leaking_files(search, read_files(planted))
    assert set(leaking) == {str(planted / name) for name in contents}
    assert search.find(b"nothing personal") == set()

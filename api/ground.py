# SPDX-License-Identifier: Apache-2.0
"""Composition, first half: what every process stands on. Imports no model library.

Commands of the command line and the supervisor need the database, the log and the keys, not
scikit-learn, LangGraph or torch; `api/bootstrap.py` builds the whole product on this ground.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import serialization

from api.account_changes import AccountChanges
from api.accounts import Accounts
from api.tokens import Tokens
from evidence.log import MerkleLog
from evidence.objects import Objects, open_objects
from evidence.sealing import Sealer
from guardrails.case_masking import CaseMasker
from guardrails.directory import Directory
from guardrails.directory_feed import DirectoryFeed
from guardrails.masking import Masker
from guardrails.name_store import FOLDER_NAME as NAME_MODELS
from guardrails.reidentification import Reidentification
from guardrails.vault import Vault
from kernel.audit import AuditIntake
from kernel.clock import Clock, SystemClock
from kernel.database import Pool, connect, open_pool
from kernel.embedded import EmbeddedPostgres
from kernel.errors import KeyStoreError
from kernel.ids import IdSource, RandomIds
from kernel.keys import KeyStore
from kernel.migrations import migrate
from kernel.outbox import Outbox
from kernel.settings import Settings
from models.registry import ModelRegistry
from telemetry.incidents import Incidents
from telemetry.people import People

if TYPE_CHECKING:
    from retrieval.embedding import LazyEmbedder

MLFLOW_SCHEMA = "mlflow"
MLFLOW_SCHEMA_LOCK = 0x45554D4C


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddresses:
    """Connection strings of the roles."""

    owner: str
    application: str
    tracking: str  # MLflow's, as an SQLAlchemy URL
    shared: bool = False  # whether MLflow lives in our database, in a schema of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every process needs: no models, quick to build."""

    settings: Settings
    clock: Clock
    ids: IdSource
    pool: Pool
    refusals: Pool  # small, its own: a refusal is audited while its request holds a connection
    audit: AuditIntake
    outbox: Outbox
    key_store: KeyStore
    objects: Objects
    log: MerkleLog
    sealer: Sealer
    incidents: Incidents
    masker: Masker
    directory: DirectoryFeed  # fills what the masker knows by name
    vault: Vault
    people: People
    cases: CaseMasker
    reidentification: Reidentification
    accounts: Accounts
    account_changes: AccountChanges
    tokens: Tokens
    addresses: DatabaseAddresses

    async def mask_text(self, text: str, known: Mapping[str, str] | None = None) -> str:
        """Return what a person wrote, masked; the directory is read first unless it was.

        Args:
            text: that belongs to no incident (`cases` masks what does).
            known: {pseudonym: original} that are masked wherever they stand as words.

        Raises:
            MaskingError: it cannot be masked, so it must not be passed on.
            psycopg.Error: the directory could not be read.
        """
        if not text.strip():
            return text  # what masks takes seconds to load
        await self.directory.require()
        return (await asyncio.to_thread(self.masker.mask, text, known)).text


def is_installed(settings: Settings) -> bool:
    """Whether there is a database: an external one is taken to exist; looking makes nothing."""
    return settings.database_url is not None or (settings.data_dir / "postgres").is_dir()


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[DatabaseAddresses]:
    """Start or find PostgreSQL, keep it running, and yield the addresses of its roles."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        yield DatabaseAddresses(
            owner=url, application=url, tracking=_sqlalchemy(_in_mlflow_schema(url)), shared=True
        )
        return
    async with EmbeddedPostgres(settings.data_dir) as server:
        watch = asyncio.create_task(server.keep_running())
        try:
            yield DatabaseAddresses(
                owner=server.owner_dsn,
                application=server.app_dsn,
                tracking=_sqlalchemy(server.mlflow_dsn),
            )
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


def _sqlalchemy(url: str) -> str:
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"


def _in_mlflow_schema(url: str) -> str:
    """Return the address with MLflow's schema as search path: it too has a table `jobs`."""
    address, _, query = url.partition("?")
    words = parse_qsl(query)
    options = [value for name, value in words if name == "options"]
    others = [(name, value) for name, value in words if name != "options"]
    options.append(f"-csearch_path={MLFLOW_SCHEMA}")
    return f"{address}?{urlencode([*others, ('options', ' '.join(options))])}"


async def migrate_database(addresses: DatabaseAddresses) -> None:
    """Bring our schema and the checkpointer's up to date, and make room for MLflow's."""
    from langgraph.checkpoint.postgres.aio import (  # noqa: PLC0415 - slow import
        AsyncPostgresSaver,
    )

    await migrate(addresses.owner)
    async with AsyncPostgresSaver.from_conn_string(addresses.owner) as saver:
        await saver.setup()
    if addresses.shared:
        async with await connect(addresses.owner) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [MLFLOW_SCHEMA_LOCK])
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {MLFLOW_SCHEMA}")


@asynccontextmanager
async def open_ground(
    settings: Settings,
    addresses: DatabaseAddresses,
    *,
    clock: Clock | None = None,
    session_name: str = "",
) -> AsyncIterator[Ground]:
    """Build what every process needs on a migrated database; its sessions may get a name there."""
    clock = clock or SystemClock()
    ids = RandomIds()
    key_store = KeyStore(settings.data_dir / "keys")
    objects = open_objects(settings.object_store_url or settings.data_dir / "objects")
    audit = AuditIntake(clock, ids)
    outbox = Outbox(clock)
    directory = Directory(is_complete=False)
    masker = Masker(directory=directory, name_models=settings.data_dir / NAME_MODELS)
    vault = Vault(key_store.vault_key(), clock)
    async with (
        open_pool(addresses.application, min_size=2, max_size=12, name=session_name) as pool,
        open_pool(addresses.application, min_size=1, max_size=2) as refusals,
    ):
        feed = DirectoryFeed(pool, directory, clock)
        cases = CaseMasker(masker, feed, vault, audit, pool)
        yield Ground(
            settings=settings,
            clock=clock,
            ids=ids,
            pool=pool,
            refusals=refusals,
            audit=audit,
            outbox=outbox,
            key_store=key_store,
            objects=objects,
            log=MerkleLog(key_store, clock),
            sealer=Sealer(clock, ids, audit, key_store, objects),
            incidents=Incidents(clock, ids, audit, outbox),
            masker=masker,
            directory=feed,
            vault=vault,
            people=People(),
            cases=cases,
            reidentification=Reidentification(vault, cases, clock, ids, audit, refusals=refusals),
            accounts=Accounts(
                clock=clock,
                audit=audit,
                session_lifetime=timedelta(hours=settings.session_hours),
            ),
            account_changes=AccountChanges(clock=clock, audit=audit),
            tokens=Tokens(clock=clock, audit=audit),
            addresses=addresses,
        )


def open_registry(ground: Ground) -> ModelRegistry:
    """Return the model registry in our PostgreSQL and under `mlruns/`."""
    return ModelRegistry(ground.addresses.tracking, ground.settings.mlruns_dir)


def open_embedder(ground: Ground) -> "LazyEmbedder":
    """Return the embedder of an installation; its model is loaded when the first text comes."""
    from retrieval.embedding import FOLDER_NAME, LazyEmbedder  # noqa: PLC0415 - heavy

    return LazyEmbedder(ground.settings.data_dir / FOLDER_NAME)


def write_public_keys(settings: Settings, folder: Path) -> list[Path]:
    """Write the public keys of evidence and log as PEM files; return their paths.

    Neither makes keys, which nothing was signed with, nor replaces another installation's.

    Raises:
        KeyStoreError: the keys are not there or cannot be read, or another key has a file's name.
        OSError: the files cannot be written.
    """
    keys = KeyStore(settings.data_dir / "keys")
    if not keys.has_signing_keys:
        raise KeyStoreError(
            f"there are no signing keys in {settings.data_dir / 'keys'}: name the folder of the"
            " installation that signs with EUCORA_DATA_DIR, or start one with `eucora up`"
        )
    contents = {
        folder / f"{name}-key.pem": key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for name, key in (("evidence", keys.evidence_key()), ("log", keys.log_key()))
    }
    for path, content in contents.items():
        if path.exists() and path.read_bytes() != content:
            raise KeyStoreError(f"{path} holds another key and is left as it is; nothing written")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        path.write_bytes(content)
    return list(contents)

# SPDX-License-Identifier: Apache-2.0
"""Composition: the only place that constructs the product's parts and joins their ports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

import models.anomaly
from api.accounts import Accounts
from contracts.canonical import sha256_hex
from dispatch.incident_moves import IncidentMoves
from dispatch.jobs import Jobs
from dispatch.verification import Verification
from evidence.log import MerkleLog
from evidence.objects import Objects, open_objects
from evidence.sealing import Sealer
from governance.approval_terms import ApprovalRules
from governance.approvals import Approvals
from governance.proposals import Proposal
from guardrails.masking import Masker
from guardrails.policy import POLICIES_DIR, PolicyEngine
from guardrails.vault import Vault
from kernel.audit import AuditIntake
from kernel.clock import Clock, SystemClock
from kernel.database import Connection, Pool, open_pool
from kernel.embedded import EmbeddedPostgres
from kernel.ids import IdSource, RandomIds
from kernel.keys import KeyStore
from kernel.migrations import migrate
from kernel.outbox import Outbox
from kernel.settings import Settings
from models.recommender import Recommender
from models.registry import LoadedModel, ModelRegistry
from models.scoring import Scoring
from models.training import NAMES, train
from reasoning.graph import Reasoner, build_graph, proposal_id_for
from reasoning.intake import TicketIntake
from reasoning.language_model import Adviser, LanguageModelAdviser
from reasoning.replacement import propose_now
from reasoning.steps import ReasoningDependencies
from retrieval.articles import read_articles
from retrieval.catalogue import Catalogue
from retrieval.corpus import Corpus, document_of_article, document_of_script
from retrieval.embedding import LazyEmbedder, SentenceEmbedder
from retrieval.manifest import read_entry
from retrieval.search import Retriever
from telemetry.incidents import Incidents
from telemetry.ingestion import Ingestion

SYSTEM = "system:bootstrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddresses:
    """Connection strings of the roles."""

    owner: str
    application: str
    tracking: str  # MLflow's, as an SQLAlchemy URL


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
    vault: Vault
    policy: PolicyEngine
    accounts: Accounts
    addresses: DatabaseAddresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The whole product: ground, models and what stands on them."""

    ground: Ground
    ingestion: Ingestion
    intake: TicketIntake
    scoring: Scoring
    retriever: Retriever
    reasoner: Reasoner
    approvals: Approvals
    jobs: Jobs
    verification: Verification
    models: Mapping[str, LoadedModel]


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[DatabaseAddresses]:
    """Start or find PostgreSQL and yield the addresses of its roles."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        yield DatabaseAddresses(owner=url, application=url, tracking=_sqlalchemy(url))
        return
    async with EmbeddedPostgres(settings.data_dir) as server:
        yield DatabaseAddresses(
            owner=server.owner_dsn,
            application=server.app_dsn,
            tracking=_sqlalchemy(server.mlflow_dsn),
        )


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


async def migrate_database(addresses: DatabaseAddresses) -> None:
    """Bring our schema and the checkpointer's up to date."""
    await migrate(addresses.owner)
    async with AsyncPostgresSaver.from_conn_string(addresses.owner) as saver:
        await saver.setup()


@asynccontextmanager
async def open_ground(
    settings: Settings, addresses: DatabaseAddresses, *, clock: Clock | None = None
) -> AsyncIterator[Ground]:
    """Build what every process needs on a migrated database."""
    clock = clock or SystemClock()
    ids = RandomIds()
    key_store = KeyStore(settings.data_dir / "keys")
    objects = open_objects(settings.object_store_url or settings.data_dir / "objects")
    audit = AuditIntake(clock, ids)
    outbox = Outbox(clock)
    async with (
        open_pool(addresses.application, min_size=2, max_size=12) as pool,
        open_pool(addresses.application, min_size=1, max_size=2) as refusals,
    ):
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
            masker=await asyncio.to_thread(Masker),
            vault=Vault(key_store.vault_key(), clock),
            policy=PolicyEngine(POLICIES_DIR),
            accounts=Accounts(
                clock=clock,
                audit=audit,
                session_lifetime=timedelta(hours=settings.session_hours),
            ),
            addresses=addresses,
        )


class Replacements:
    """Joins governance's overrides to reasoning."""

    def __init__(self, needs: ReasoningDependencies) -> None:
        self._needs = needs

    async def propose_replacement(
        self,
        connection: Connection,
        *,
        parent: Proposal,
        script_id: str,
        script_version: str | None,  # noqa: ARG002 - always the version in force
        parameters: Mapping[str, Any],
        requested_by: str,
    ) -> str:
        """Seal and store a pending proposal linked to its parent; return its id."""
        proposal_id = proposal_id_for(parent.incident_id, f"override:{parent.proposal_id}")
        await propose_now(
            connection,
            self._needs,
            {
                "proposal_id": proposal_id,
                "incident_id": parent.incident_id,
                "correlation_id": parent.correlation_id,
                "requested_by": requested_by,
                "parent_proposal_id": parent.proposal_id,
                "override": {"script_id": script_id, "parameters": dict(parameters)},
            },
        )
        return proposal_id


def load_models(ground: Ground) -> dict[str, LoadedModel]:
    """Load the champions from MLflow; blocking.

    Raises:
        UnknownModelError: a model has not been trained yet.
    """
    registry = open_registry(ground)
    return {name: registry.load(name) for name in NAMES}


def open_registry(ground: Ground) -> ModelRegistry:
    """Return the model registry in our PostgreSQL and under `mlruns/`."""
    return ModelRegistry(ground.addresses.tracking, ground.settings.mlruns_dir)


def open_adviser(settings: Settings) -> Adviser | None:
    """Return the language model's adviser, None where none is configured."""
    if settings.language_model_url is None:
        return None
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - optional dependency

    model = ChatOpenAI(
        base_url=settings.language_model_url,
        model=settings.language_model_name or "default",
        api_key=settings.language_model_key or SecretStr("none"),
        timeout=settings.language_model_timeout_seconds,
        max_retries=0,
        temperature=0,
    )
    return LanguageModelAdviser(model, timeout_seconds=settings.language_model_timeout_seconds)


@asynccontextmanager
async def open_services(ground: Ground) -> AsyncIterator[Services]:
    """Build the whole product on a database that has its knowledge and its models."""
    settings = ground.settings
    loaded, embedder = await asyncio.gather(
        asyncio.to_thread(load_models, ground), asyncio.to_thread(SentenceEmbedder)
    )
    retriever = Retriever(embedder)
    needs = ReasoningDependencies(
        pool=ground.pool,
        clock=ground.clock,
        audit=ground.audit,
        incidents=ground.incidents,
        masker=ground.masker,
        retriever=retriever,
        recommender=Recommender(loaded["recommender"].model),
        adviser=open_adviser(settings),
        policy=ground.policy,
        sealer=ground.sealer,
        model_versions=[
            {"name": model.name, "version": model.version, "digest": model.digest}
            for model in (*loaded.values(), detector_model())
        ],
        confidence_threshold=settings.confidence_threshold,
        proposal_lifetime=timedelta(hours=settings.proposal_hours),
    )
    pool: AsyncConnectionPool[AsyncConnection[dict[str, Any]]] = AsyncConnectionPool(
        ground.addresses.application,
        min_size=1,
        max_size=4,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        check=AsyncConnectionPool.check_connection,
    )
    async with pool as checkpoints:
        yield _join(ground, needs, loaded, AsyncPostgresSaver(checkpoints))


def _join(
    ground: Ground,
    needs: ReasoningDependencies,
    loaded: Mapping[str, LoadedModel],
    checkpointer: AsyncPostgresSaver,
) -> Services:
    jobs = Jobs(
        ground.clock,
        ground.ids,
        ground.audit,
        ground.outbox,
        job_key=ground.key_store.job_key(),
        log=ground.log,
        sealer=ground.sealer,
        policy=ground.policy,
        incidents=ground.incidents,
    )
    return Services(
        ground=ground,
        ingestion=Ingestion(ground.pool, ground.clock, ground.audit, ground.outbox, ground.masker),
        intake=TicketIntake(
            clock=ground.clock,
            ids=ground.ids,
            incidents=ground.incidents,
            masker=ground.masker,
            vault=ground.vault,
            model=loaded["tickets"],
        ),
        scoring=Scoring(
            clock=ground.clock,
            ids=ground.ids,
            incidents=ground.incidents,
            health=loaded["health"],
            detector_model=detector_model(),
        ),
        retriever=needs.retriever,
        reasoner=Reasoner(build_graph(needs, checkpointer)),
        approvals=Approvals(
            ground.clock,
            ground.ids,
            ground.audit,
            ground.outbox,
            sealer=ground.sealer,
            policy=ground.policy,
            incidents=IncidentMoves(ground.incidents),
            replacements=Replacements(needs),
            pool=ground.refusals,
            rules=ApprovalRules(
                approval_lifetime=timedelta(hours=ground.settings.approval_hours),
                session_lifetime=timedelta(hours=ground.settings.session_hours),
            ),
        ),
        jobs=jobs,
        verification=Verification(
            ground.clock,
            ground.ids,
            ground.audit,
            ground.outbox,
            sealer=ground.sealer,
            incidents=ground.incidents,
            jobs=jobs,
        ),
        models=loaded,
    )


def detector_model() -> LoadedModel:
    """Return what names the online detector in records: its version is its code's digest."""
    content = Path(models.anomaly.__file__).read_bytes()
    return LoadedModel(model=None, name="anomaly", version="1", digest=sha256_hex(content))


async def load_knowledge(
    ground: Ground, *, progress: Callable[[str, int, int], None]
) -> tuple[int, int]:
    """Store the starter articles and scripts; return how many of each are new.

    `progress` is called with what is being stored, how many are done and how many there are.
    """
    from guardrails.script_analysis import (  # noqa: PLC0415 - parsers load slowly
        analyse_script,
        analysis_document,
        combine_analyses,
    )

    folder = ground.settings.knowledge_dir
    articles = list(read_articles(folder / "articles"))
    entries = [
        read_entry(path)
        for path in sorted((folder / "scripts").iterdir())
        if (path / "manifest.yaml").is_file()
    ]
    correlation_id = ground.ids.new("cor")
    catalogue = Catalogue(clock=ground.clock, audit=ground.audit)
    n_scripts = 0
    async with ground.pool.connection() as connection:
        for position, entry in enumerate(entries, start=1):
            analysis = combine_analyses(
                analyse_script(entry.manifest.interpreter, content)
                for content in entry.steps.values()
            )
            n_scripts += await catalogue.import_entry(
                connection,
                entry,
                analysis=analysis_document(analysis),
                actor=SYSTEM,
                correlation_id=correlation_id,
            )
            progress("scripts", position, len(entries))
    documents = [document_of_article(item, trust="starter", source="starter") for item in articles]
    documents += [document_of_script(item, trust="starter", source="starter") for item in entries]
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=LazyEmbedder())
    async with ground.pool.connection() as connection:
        n_documents = await corpus.store(
            connection,
            documents,
            actor=SYSTEM,
            correlation_id=correlation_id,
            progress=lambda done: progress("passages", done, len(documents)),
        )
    return n_documents, n_scripts


def train_missing(
    ground: Ground, *, names: Sequence[str] = NAMES, progress: Callable[[str], None]
) -> list[str]:
    """Train the models that have no champion yet; blocking. Return their names."""
    from models.errors import UnknownModelError  # noqa: PLC0415 - beside its only use

    registry = open_registry(ground)
    trained = []
    for name in names:
        try:
            registry.load(name)
        except UnknownModelError:
            train(
                name,
                registry=registry,
                knowledge_dir=ground.settings.knowledge_dir,
                seed=0,
                progress=progress,
            )
            trained.append(name)
    return trained

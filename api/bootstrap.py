# SPDX-License-Identifier: Apache-2.0
"""Composition: constructs the product's parts on their ground and joins their ports.

With `api/ground.py` the only place that does.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

import models.anomaly
from api.adviser_in_use import open_adviser
from api.ground import Ground, open_embedder, open_registry
from api.mlflow_pages import MlflowPages
from api.model_promotion import ModelPromotions
from api.model_watch import ModelWatch, prepare_of
from api.policy_changes import PolicyChanges
from api.policy_in_force import open_policy
from api.ranking_training import load_ranking
from api.script_catalogue import ScriptCatalogue
from contracts.canonical import sha256_hex
from dispatch.incident_moves import IncidentMoves
from dispatch.jobs import Jobs
from dispatch.verification import Verification
from governance.approval_terms import ApprovalRules
from governance.approvals import Approvals
from governance.freeze_windows import FreezeWindows
from governance.ports import PolicyPort
from governance.proposals import Proposal
from governance.risk_exceptions import RiskExceptions
from governance.standing import Standings
from guardrails.policy_active import ActivePolicy
from kernel.database import Connection
from models.alarm_budget import AlarmBudget
from models.champions import Champions
from models.drift_watch import DriftWatch
from models.feature_drift import FeatureDrift
from models.fleet_incidents import FleetIncidents
from models.promotion import Promotion, list_champions
from models.ranking_lifecycle import NAME as RANKING
from models.recommender import Recommender
from models.registry import LoadedModel
from models.retraining_proposals import RetrainingProposals
from models.scoring import Scoring
from models.training import NAMES
from reasoning.advice import Adviser
from reasoning.graph import Reasoner, build_graph, proposal_id_for
from reasoning.intake import TicketIntake
from reasoning.replacement import propose_now
from reasoning.steps import ReasoningDependencies
from retrieval.embedding import Embedder
from retrieval.search import Retriever
from telemetry.ingestion import Ingestion

DETECTOR_MODULES = (
    "alarms",
    "anomaly",
    "baseline_update",
    "cohort_model",
    "cohort_update",
    "compilation",
    "detector_settings",
    "device_baselines",
    "device_cohorts",
    "distance",
    "fleet_detector",
    "guards",
    "score_pool",
    "signals",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The whole product: ground, models and what stands on them."""

    ground: Ground
    ingestion: Ingestion
    intake: TicketIntake
    scoring: Scoring
    fleets: FleetIncidents
    embedder: Embedder
    retriever: Retriever
    reasoner: Reasoner
    approvals: Approvals
    standings: Standings
    exceptions: RiskExceptions
    freezes: FreezeWindows
    drift: DriftWatch
    feature_drift: FeatureDrift
    retraining: RetrainingProposals
    jobs: Jobs
    verification: Verification
    models: Champions
    model_watch: ModelWatch
    promotions: ModelPromotions
    scripts: ScriptCatalogue
    mlflow_pages: MlflowPages
    policies: PolicyChanges


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


def load_models(
    ground: Ground, promoted: Mapping[str, Promotion] | None = None
) -> dict[str, LoadedModel]:
    """Load the models in use; blocking.

    Args:
        ground: where the registry is.
        promoted: by name, what was promoted last; MLflow's alias names what was never promoted.

    Raises:
        UnknownModelError: a model has not been trained yet.
        ModelArtifactError: a file is not what was promoted.
    """
    registry = open_registry(ground)
    loaded = {}
    for name in (*NAMES, RANKING):
        promotion = (promoted or {}).get(name)
        loaded[name] = (
            registry.load(name)
            if promotion is None
            else registry.load_version(name, promotion.version, digest=promotion.digest)
        )
    return loaded


@asynccontextmanager
async def open_services(
    ground: Ground,
    *,
    loaded: Mapping[str, LoadedModel] | None = None,
    embedder: Embedder | None = None,
) -> AsyncIterator[Services]:
    """Build the whole product on a database that has its knowledge and its models.

    Args:
        ground: what every process needs.
        loaded: the champions; read from the registry where they are not handed in.
        embedder: the sentence embedder; a lazy one where none is handed in.

    """
    await asyncio.to_thread(ground.masker.warm_up)
    await ground.directory.require()
    if loaded is None:
        async with ground.pool.connection() as connection:
            promoted = await list_champions(connection)
        loaded = await asyncio.to_thread(load_models, ground, promoted)
    champions = Champions(loaded.values())
    embedder = embedder or open_embedder(ground)
    retriever = Retriever(embedder, ranking=load_ranking(champions[RANKING]))
    pool: AsyncConnectionPool[AsyncConnection[dict[str, Any]]] = AsyncConnectionPool(
        ground.addresses.application,
        min_size=1,
        max_size=4,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        check=AsyncConnectionPool.check_connection,
    )
    async with (
        pool as checkpoints,
        open_adviser(ground.settings, embedder) as adviser,
        open_policy(ground) as policy,
    ):
        needs = _gather_needs(ground, retriever, champions, adviser, policy)
        yield _join(ground, needs, champions, embedder, AsyncPostgresSaver(checkpoints))


def _gather_needs(
    ground: Ground,
    retriever: Retriever,
    champions: Champions,
    adviser: Adviser | None,
    policy: ActivePolicy,
) -> ReasoningDependencies:
    settings = ground.settings
    return ReasoningDependencies(
        pool=ground.pool,
        clock=ground.clock,
        ids=ground.ids,
        audit=ground.audit,
        incidents=ground.incidents,
        cases=ground.cases,
        retriever=retriever,
        champions=champions,
        adviser=adviser,
        policy=policy,
        sealer=ground.sealer,
        confidence_threshold=settings.confidence_threshold,
        exploration_rate=settings.exploration_rate,
        proposal_lifetime=timedelta(hours=settings.proposal_hours),
        reader_groups=settings.reasoner_groups,
    )


def _join(
    ground: Ground,
    needs: ReasoningDependencies,
    champions: Champions,
    embedder: Embedder,
    checkpointer: AsyncPostgresSaver,
) -> Services:
    jobs = _open_jobs(ground, needs.policy)
    budget = AlarmBudget(
        false_alarms_per_day=ground.settings.drift_false_alarms_per_day
    ).halve()  # one half for series, the other for features
    drift = DriftWatch(ground.clock, ground.ids, ground.audit, budget)
    fleets = FleetIncidents(clock=ground.clock, audit=ground.audit, incidents=ground.incidents)
    return Services(
        ground=ground,
        ingestion=Ingestion(ground.pool, ground.clock, ground.audit, ground.outbox, ground.masker),
        intake=_open_intake(ground, champions),
        scoring=_open_scoring(ground, champions, fleets, drift),
        fleets=fleets,
        embedder=embedder,
        retriever=needs.retriever,
        reasoner=Reasoner(build_graph(needs, checkpointer)),
        approvals=_open_approvals(ground, needs),
        standings=Standings(ground.clock, opener=ground.sealer, policy=needs.policy),
        exceptions=RiskExceptions(ground.clock, ground.ids, ground.audit, pool=ground.refusals),
        freezes=FreezeWindows(ground.clock, ground.ids, ground.audit),
        drift=drift,
        feature_drift=_open_feature_drift(ground, budget),
        retraining=RetrainingProposals(ground.clock, ground.ids, ground.audit),
        jobs=jobs,
        verification=_open_verification(ground, jobs),
        models=champions,
        promotions=ModelPromotions(ground),
        scripts=ScriptCatalogue(ground, embedder),
        mlflow_pages=MlflowPages(ground),
        policies=PolicyChanges(ground),
        model_watch=_open_model_watch(ground, champions, needs.retriever),
    )


def _open_jobs(ground: Ground, policy: PolicyPort) -> Jobs:
    return Jobs(
        ground.clock,
        ground.ids,
        ground.audit,
        ground.outbox,
        job_key=ground.key_store.job_key(),
        log=ground.log,
        sealer=ground.sealer,
        policy=policy,
        incidents=ground.incidents,
    )


def _open_intake(ground: Ground, champions: Champions) -> TicketIntake:
    return TicketIntake(
        clock=ground.clock,
        ids=ground.ids,
        incidents=ground.incidents,
        pool=ground.pool,
        masker=ground.masker,
        vault=ground.vault,
        champions=champions,
    )


def _open_scoring(
    ground: Ground, champions: Champions, fleets: FleetIncidents, drift: DriftWatch
) -> Scoring:
    return Scoring(
        clock=ground.clock,
        ids=ground.ids,
        incidents=ground.incidents,
        fleets=fleets,
        champions=champions,
        detector_model=detector_model(),
        drift=drift,
    )


def _open_approvals(ground: Ground, needs: ReasoningDependencies) -> Approvals:
    return Approvals(
        ground.clock,
        ground.ids,
        ground.audit,
        ground.outbox,
        sealer=ground.sealer,
        policy=needs.policy,
        incidents=IncidentMoves(ground.incidents),
        replacements=Replacements(needs),
        pool=ground.refusals,
        rules=ApprovalRules(
            approval_lifetime=timedelta(hours=ground.settings.approval_hours),
            session_lifetime=timedelta(hours=ground.settings.session_hours),
        ),
    )


def _open_feature_drift(ground: Ground, budget: AlarmBudget) -> FeatureDrift:
    return FeatureDrift(
        ground.clock,
        ground.ids,
        ground.audit,
        budget=budget,
        sample_for=timedelta(seconds=ground.settings.telemetry_interval_seconds),
    )


def _open_verification(ground: Ground, jobs: Jobs) -> Verification:
    return Verification(
        ground.clock,
        ground.ids,
        ground.audit,
        ground.outbox,
        sealer=ground.sealer,
        incidents=ground.incidents,
        jobs=jobs,
    )


def _open_model_watch(ground: Ground, champions: Champions, retriever: Retriever) -> ModelWatch:
    return ModelWatch(
        ground,
        open_registry(ground),
        champions,
        {
            RANKING: prepare_of(load_ranking, retriever.use_ranking),
            # Built anew for each case: here only what cannot be used is refused.
            "recommender": prepare_of(lambda loaded: Recommender(loaded.model), lambda _: None),
        },
    )


def detector_model() -> LoadedModel:
    """Return what names the online detector in records: its version is its code's digest."""
    folder = Path(models.anomaly.__file__).parent
    content = b"".join((folder / f"{name}.py").read_bytes() for name in DETECTOR_MODULES)
    return LoadedModel(model=None, name="anomaly", version="2", digest=sha256_hex(content))

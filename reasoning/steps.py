# SPDX-License-Identifier: Apache-2.0
"""The typed functions behind the graph's first nodes, up to the choice, and what all nodes need.

Each reads the state, opens its own connection and returns the part of the state that it adds.
`mask` leaves originals that are new in the vault, however often it runs; nothing else writes before
`closing_steps.seal`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from contracts.failure import FailureClass
from evidence.sealing import Sealer
from governance.ports import PolicyPort
from guardrails.case_masking import CaseMasker
from guardrails.sanitise import plain_text
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from models.champions import Champions
from models.inference import list_models_used
from models.online_learning import find_correction
from models.recommender import Recommender
from models.registry import LoadedModel
from reasoning.advice import Adviser, Question, read_advised_script
from reasoning.advice_support import QuotedPassage
from reasoning.candidates import find_candidates, try_parameters
from reasoning.case import ACTOR, gather_case
from reasoning.choice import choose_script, rank_candidates
from reasoning.diagnosis import conclude, weigh_support
from reasoning.errors import OverrideError
from reasoning.exploration import Exploration, seed_of
from reasoning.state import CaseData, ChoiceData, DiagnosisData, ProposalState
from reasoning.untrusted import (
    ChunkId,
    ScriptId,
    UntrustedText,
    read_incident,
    read_passages,
)
from retrieval.catalogue import find_script, list_scripts
from retrieval.dominance import record_search
from retrieval.errors import ScriptNotFoundError
from retrieval.facets import SearchFilter
from retrieval.search import Passage, Retriever
from telemetry.facts import narrow_facts
from telemetry.incidents import Incidents

N_PASSAGES = 8
SHIPPED = "starter"  # the trust of documents that come with the product


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDependencies:
    """Everything the nodes use; joined in bootstrap."""

    pool: Pool
    clock: Clock
    ids: IdSource
    audit: AuditIntake
    incidents: Incidents
    cases: CaseMasker
    retriever: Retriever
    champions: Champions
    adviser: Adviser | None
    policy: PolicyPort
    sealer: Sealer
    confidence_threshold: float
    proposal_lifetime: timedelta
    exploration_rate: float = 0.0
    reader_groups: tuple[str, ...] = ()  # approvers see what is cited: documents without groups


async def mask(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Gather the masked case."""
    async with needs.pool.connection() as connection:
        case = await gather_case(
            connection,
            incidents=needs.incidents,
            cases=needs.cases,
            incident_id=state["incident_id"],
        )
        asked = await list_models_used(
            connection, subject_kind="incident", subject_id=state["incident_id"]
        )
    return {"case": case, "models": asked}


async def recall(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Retrieve passages for the case's query on its platform."""
    device = state["case"]["device"]
    async with needs.pool.connection() as connection:
        ranking = needs.champions.get("ranking")  # the search begins with it, in the same step
        passages = await needs.retriever.search(
            connection,
            state["case"]["query"],
            only=SearchFilter(
                platform=device["os_family"] if device else None, groups=needs.reader_groups
            ),
            limit=N_PASSAGES,
        )
        await record_search(
            connection, [one.document_id for one in passages], needs.clock.now().date()
        )
        told = await _mask_passages(connection, passages, state, needs)
    return {
        "models": _add_model(state, ranking),
        "passages": [
            {
                "chunk_id": passage.chunk_id,
                "document_id": passage.document_id,
                "version": passage.version,
                "kind": passage.kind,
                "title": told[passage.chunk_id]["title"],
                "trust": passage.trust,
                "source": told[passage.chunk_id]["source"],
                "start_offset": passage.start_offset,
                "end_offset": passage.end_offset,
                "text": told[passage.chunk_id]["text"],  # as it is quoted: shown, sealed, printed
                "failure_classes": list(passage.failure_classes),
                "related_scripts": list(passage.related_scripts),
                "dense_score": round(passage.dense_score, 6),
                "keyword_score": round(passage.keyword_score, 6),
                "score": round(passage.score, 6),
            }
            for passage in passages
        ],
    }


def _add_model(state: ProposalState, asked: LoadedModel | None) -> list[dict[str, str]]:
    return [*state.get("models", []), *([asked.named] if asked else [])]


async def _mask_passages(
    connection: Connection,
    passages: Sequence[Passage],
    state: ProposalState,
    needs: ReasoningDependencies,
) -> dict[str, dict[str, str]]:
    """Return the words of passages by chunk, as the case may hold them.

    Articles may name whom to call; a case, its bundle and a language model do not. What we ship
    names nobody.
    """
    words = {
        one.chunk_id: {
            "title": plain_text(one.title),
            "source": plain_text(one.source),
            "text": plain_text(one.text),
        }
        for one in passages
    }
    brought = [one.chunk_id for one in passages if one.trust != SHIPPED]
    if not brought:
        return words
    masked = await needs.cases.mask_on(
        connection,
        state["incident_id"],
        [words[chunk_id] for chunk_id in brought],
        actor=ACTOR,
        correlation_id=state["correlation_id"],
    )
    return words | dict(zip(brought, masked, strict=True))


async def diagnose(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Conclude the failure class; ask the language model, where there is one, for advice."""
    support = weigh_support(read_passages(state["passages"]))
    failure_class, confidence = conclude(read_incident(state["case"]["incident"]), support)
    return {
        "diagnosis": DiagnosisData(
            failure_class=failure_class.value,
            confidence=confidence,
            support={name.value: round(share, 4) for name, share in support.items()},
            advice=await _ask_adviser(state, needs),
        )
    }


async def _ask_adviser(state: ProposalState, needs: ReasoningDependencies) -> dict[str, Any] | None:
    device = state["case"]["device"]
    if needs.adviser is None or device is None or state["override"] is not None:
        return None  # a person who has chosen needs no advice
    async with needs.pool.connection() as connection:
        scripts = await list_scripts(connection, device["os_family"])
    advice = await needs.adviser.advise(
        Question(
            text=UntrustedText(state["case"]["query"]),
            passages=[
                QuotedPassage(chunk_id=ChunkId(item["chunk_id"]), text=UntrustedText(item["text"]))
                for item in state["passages"]
            ],
            script_ids=[ScriptId(script.manifest.id) for script in scripts],
        )
    )
    return {**advice.as_json(), "model": asdict(needs.adviser.named)}


async def choose(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Rank the catalogue's candidates and choose one, or abstain."""
    case, diagnosis = state["case"], state["diagnosis"]
    if case["device"] is None:
        return {
            "candidates": [],
            "choice": None,
            "abstention_reason": "the incident names no device",
        }
    override = state["override"]
    recommender = needs.champions.current("recommender")
    exploration = _plan_exploration(state, needs)
    async with needs.pool.connection() as connection:
        candidates = await find_candidates(
            connection,
            scripts=await list_scripts(connection, case["device"]["os_family"]),
            passages=read_passages(state["passages"]),
            failure_class=FailureClass(diagnosis["failure_class"]),
            case=case,
            facts=_facts_of_entity(case),
            also=override["script_id"] if override else None,
        )
        correction = await find_correction(connection, recommender.digest)
    ranked = rank_candidates(
        Recommender(recommender.model, correction), candidates, diagnosis["confidence"], exploration
    )
    if override is None:
        chosen = _choose_ranked(state, needs, ranked, exploration)
    else:
        chosen = await _choose_override(state, needs, ranked, override)
    return {
        **chosen,
        "models": _add_model(state, recommender),
        "ranking": {
            "threshold": needs.confidence_threshold,
            "class_confidence": diagnosis["confidence"],
            "correction": correction.as_json(),
        },
    }


def _choose_ranked(
    state: ProposalState,
    needs: ReasoningDependencies,
    ranked: list[dict[str, Any]],
    exploration: Exploration | None,
) -> ProposalState:
    diagnosis = state["diagnosis"]
    choice, reason = choose_script(
        failure_class=FailureClass(diagnosis["failure_class"]),
        ranked=ranked,
        threshold=needs.confidence_threshold,
        advised_script_id=read_advised_script(diagnosis["advice"]),
        exploration=exploration,
        by_person="class_label" in state["case"]["incident"],
    )
    return {"candidates": ranked, "choice": choice, "abstention_reason": reason}


def _plan_exploration(state: ProposalState, needs: ReasoningDependencies) -> Exploration | None:
    if needs.exploration_rate <= 0.0 or state["override"] is not None:
        return None
    return Exploration(rate=needs.exploration_rate, seed=seed_of(state["proposal_id"]))


async def _choose_override(
    state: ProposalState,
    needs: ReasoningDependencies,
    ranked: list[dict[str, Any]],
    override: Mapping[str, Any],
) -> ProposalState:
    device = state["case"]["device"] or {}
    async with needs.pool.connection() as connection:
        try:
            script = await find_script(connection, override["script_id"])
        except ScriptNotFoundError as error:
            raise OverrideError(str(error)) from error
    if device.get("os_family") not in script.manifest.platforms:
        raise OverrideError(f"{script.manifest.id} is not for {device.get('os_family')}")
    parameters, obstacle = try_parameters(
        script.manifest, _facts_of_entity(state["case"]), override["parameters"]
    )
    if parameters is None:
        raise OverrideError(obstacle or "its parameters cannot be bound")
    return {
        "candidates": ranked,
        "choice": ChoiceData(
            script_id=script.manifest.id,
            script_version=script.manifest.version,
            script_sha256=script.content_sha256,
            parameters=dict(parameters),
            confidence=1.0,  # a person chose it
            exploration=None,
        ),
        "abstention_reason": None,
    }


def _facts_of_entity(case: CaseData) -> Mapping[str, Any]:
    incident = case["incident"]
    failure_class = FailureClass(incident["failure_class"])
    return narrow_facts(case["facts"], failure_class, incident["entity"])

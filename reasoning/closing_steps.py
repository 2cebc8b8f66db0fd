# SPDX-License-Identifier: Apache-2.0
"""The typed functions behind the graph's last nodes: a choice is checked, assessed and sealed.

Only `seal` writes, and it writes at most once per proposal.
"""

import asyncio
from typing import Any

from governance.errors import ScriptEntryError, ScriptVersionNotFoundError
from governance.script_versions import verify_version
from guardrails.script_analysis import analyse_files
from kernel.logs import get_logger
from reasoning.assessment import ask_policy, count_citations, score_risk
from reasoning.errors import CaseOutdatedError, IncidentMovedOnError
from reasoning.explanation import explain
from reasoning.sealing import seal_state
from reasoning.signs import gather_signs, name_signs
from reasoning.state import ChoiceData, ProposalState
from reasoning.steps import ReasoningDependencies
from retrieval.catalogue import find_script

_logger = get_logger(__name__)


async def check(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Analyse the chosen script's exact bytes; drop the choice if they are not as approved."""
    choice = state["choice"]
    if choice is None:
        return {"analysis": {}}
    try:
        async with needs.pool.connection() as connection:
            stored = await verify_version(
                connection, needs.sealer, choice["script_id"], choice["script_version"]
            )
    except (ScriptEntryError, ScriptVersionNotFoundError) as error:
        _logger.warning(str(error), action="check", decision="abstain")
        return {"analysis": {}, "choice": None, "abstention_reason": str(error)}
    analysis = analyse_files(stored.interpreter, stored.contents)
    return {"analysis": {"interpreter": stored.interpreter, **analysis}}


async def assess(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Look for signs of injection, score the risk, ask the policy, write the explanation."""
    choice, device = state["choice"], state["case"]["device"]
    explanation = _explain(state, choice, state["abstention_reason"])
    signs = await asyncio.to_thread(gather_signs, state["case"], state["passages"])
    if choice is None or device is None:
        return {"risk": {}, "policy": {}, "explanation": explanation, "signs": signs}
    async with needs.pool.connection() as connection:
        script = await find_script(connection, choice["script_id"], choice["script_version"])
    candidate = next(
        item for item in state["candidates"] if item["script_id"] == choice["script_id"]
    )
    risk = score_risk(
        script=script, analysis=state["analysis"], case=state["case"], candidate=candidate
    )
    now = needs.clock.now()
    async with needs.pool.connection() as connection:
        policy = await ask_policy(
            needs.policy,
            connection,
            now=now,
            expires_at=now + needs.proposal_lifetime,
            proposal_id=state["proposal_id"],
            requested_by=state["requested_by"],
            threshold=needs.confidence_threshold,
            n_citations=count_citations(explanation),
            script=script,
            choice=choice,
            analysis=state["analysis"],
            risk=risk,
            device=device,
            flags=name_signs(signs),
        )
    if policy["allow"]:
        return {"risk": risk, "policy": policy, "explanation": explanation, "signs": signs}
    reason = f"the policy forbids {choice['script_id']}: {', '.join(policy['reasons'])}"
    return {
        "risk": risk,
        "policy": policy,
        "choice": None,
        "abstention_reason": reason,
        "explanation": _explain(state, None, reason),
        "signs": signs,
    }


def _explain(
    state: ProposalState, choice: ChoiceData | None, reason: str | None
) -> list[dict[str, Any]]:
    return explain(
        case=state["case"],
        diagnosis=state["diagnosis"],
        passages=state["passages"],
        candidates=state["candidates"],
        choice=choice,
        abstention_reason=reason,
        overridden=state["override"] is not None,
    )


async def seal(state: ProposalState, needs: ReasoningDependencies) -> ProposalState:
    """Store and seal the proposal, at most once; not if its case is no longer the incident's."""
    now = needs.clock.now()
    told = {"action": "seal", "incident_id": state["incident_id"]}
    try:
        async with needs.pool.connection() as connection:
            digest = await seal_state(
                connection,
                state,
                sealer=needs.sealer,
                audit=needs.audit,
                incidents=needs.incidents,
                ids=needs.ids,
                clock=needs.clock,
                expires_at=now + needs.proposal_lifetime,
            )
    except CaseOutdatedError as error:
        _logger.info(str(error), decision="begin_anew", **told)
        return {"bundle_digest": None, "is_outdated": True}
    except IncidentMovedOnError as error:
        _logger.info(str(error), decision="end_without_proposal", **told)
        return {"bundle_digest": None, "is_outdated": False}
    return {"bundle_digest": digest, "is_outdated": False}

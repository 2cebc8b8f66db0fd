# SPDX-License-Identifier: Apache-2.0
"""A person's own choice becomes a proposal, inside the transaction of their decision.

The same steps as the graph's, without a thread of their own: parent and replacement change
together or not at all, so there is nothing to resume. Sealing holds the incident, so when its class
was changed meanwhile, the second try is about the class that it keeps.
"""

from kernel.database import Connection
from reasoning import closing_steps, steps
from reasoning.errors import CaseOutdatedError, IncidentMovedOnError, OverrideError
from reasoning.sealing import seal_state
from reasoning.state import ProposalState
from reasoning.steps import ReasoningDependencies

READING_STEPS = (
    steps.mask,
    steps.recall,
    steps.diagnose,
    steps.choose,
    closing_steps.check,
    closing_steps.assess,
)


async def propose_now(
    connection: Connection, needs: ReasoningDependencies, start: ProposalState
) -> str:
    """Run the steps and seal on the caller's connection; return the bundle's digest.

    Raises:
        OverrideError: the script or its parameters cannot be proposed, the policy forbids it, or
            the incident awaits no proposal any more.
    """
    try:
        try:
            return await _propose(connection, needs, start)
        except CaseOutdatedError:
            return await _propose(connection, needs, start)
    except IncidentMovedOnError as error:
        raise OverrideError(str(error)) from error


async def _propose(
    connection: Connection, needs: ReasoningDependencies, start: ProposalState
) -> str:
    state = start
    for step in READING_STEPS:
        state = {**state, **await step(state, needs)}
    if state["choice"] is None:
        raise OverrideError(state["abstention_reason"])
    return await seal_state(
        connection,
        state,
        sealer=needs.sealer,
        audit=needs.audit,
        incidents=needs.incidents,
        ids=needs.ids,
        clock=needs.clock,
        expires_at=needs.clock.now() + needs.proposal_lifetime,
    )

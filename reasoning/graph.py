# SPDX-License-Identifier: Apache-2.0
"""The LangGraph graph of one proposal: mask, recall, diagnose, choose, check, assess, seal.

One thread per proposal, named by its id and checkpointed in PostgreSQL after every node, so a
killed worker's thread goes on where it stood. Where people have changed the incident's class since
`mask`, `seal` leads there again. Nodes are two lines; what they do is in
`steps` and `closing_steps`.
"""

from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from contracts.canonical import sha256_hex
from reasoning import closing_steps, steps
from reasoning.state import ProposalState
from reasoning.steps import ReasoningDependencies
from telemetry.incident_classes import MAX_STATEMENTS

Step = Callable[[ProposalState, ReasoningDependencies], Awaitable[ProposalState]]
Graph = CompiledStateGraph[ProposalState, None, ProposalState, ProposalState]
STEPS: Mapping[str, Step] = {
    "mask": steps.mask,
    "recall": steps.recall,
    "diagnose": steps.diagnose,
    "choose": steps.choose,
    "check": closing_steps.check,
    "assess": closing_steps.assess,
    "seal": closing_steps.seal,
}
# A thread begins anew once for each new label, and no incident has more of those.
MAX_STEPS = len(STEPS) * (MAX_STATEMENTS + 1) + 1


def build_graph(needs: ReasoningDependencies, checkpointer: BaseCheckpointSaver[str]) -> Graph:
    """Return the compiled graph over these dependencies."""
    graph: StateGraph[ProposalState, None, ProposalState, ProposalState] = StateGraph(ProposalState)
    names = list(STEPS)
    for name, step in STEPS.items():
        graph.add_node(name, _node(step, needs))
    for before, after in pairwise([START, *names]):
        graph.add_edge(before, after)
    graph.add_conditional_edges("seal", _after_sealing, ["mask", END])
    return graph.compile(checkpointer=checkpointer)


def _after_sealing(state: ProposalState) -> str:
    return "mask" if state["is_outdated"] else END


def _node(step: Step, needs: ReasoningDependencies) -> Any:
    async def node(state: ProposalState) -> ProposalState:
        return await step(state, needs)

    return node


def proposal_id_for(incident_id: str, cause: str) -> str:
    """Return the id of the proposal that one cause leads to: the same whenever it is asked."""
    return f"prp_{sha256_hex(f'{incident_id}:{cause}'.encode())[:26]}"


class Reasoner:
    """Runs proposal threads to their end, resuming the ones that were cut off."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def propose(
        self,
        *,
        proposal_id: str,
        incident_id: str,
        requested_by: str,
        correlation_id: str,
    ) -> str | None:
        """Bring a proposal's thread to its end and return the bundle's digest.

        None if no proposal was awaited any more when it was to be sealed.

        Raises:
            IncidentNotFoundError: there is no such incident.
        """
        config: RunnableConfig = {
            "configurable": {"thread_id": proposal_id},
            "recursion_limit": MAX_STEPS,
        }
        snapshot = await self._graph.aget_state(config)
        start: ProposalState | None = {
            "proposal_id": proposal_id,
            "incident_id": incident_id,
            "correlation_id": correlation_id,
            "requested_by": requested_by,
            "parent_proposal_id": None,
            "override": None,
        }
        if snapshot.values:
            start = None  # the thread was cut off: go on from its last checkpoint
        # Not `next`: a step whose writes were stored, and no checkpoint after them, is none of it.
        if snapshot.values and not snapshot.tasks:
            ended: str | None = snapshot.values["bundle_digest"]
            return ended
        final = await self._graph.ainvoke(start, config, durability="sync")
        digest: str | None = final["bundle_digest"]
        return digest

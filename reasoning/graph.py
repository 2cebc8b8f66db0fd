# SPDX-License-Identifier: Apache-2.0
"""The LangGraph graph of one proposal: mask, recall, diagnose, choose, check, assess, seal.

One thread per proposal, named by its id and checkpointed in PostgreSQL after every node, so a
killed worker's thread goes on where it stood. Nodes are two lines; what they do is in `steps`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from contracts.canonical import sha256_hex
from reasoning import steps
from reasoning.state import ProposalState
from reasoning.steps import ReasoningDependencies

Step = Callable[[ProposalState, ReasoningDependencies], Awaitable[ProposalState]]
Graph = CompiledStateGraph[ProposalState, None, ProposalState, ProposalState]
STEPS: Mapping[str, Step] = {
    "mask": steps.mask,
    "recall": steps.recall,
    "diagnose": steps.diagnose,
    "choose": steps.choose,
    "check": steps.check,
    "assess": steps.assess,
    "seal": steps.seal,
}


def build_graph(needs: ReasoningDependencies, checkpointer: BaseCheckpointSaver[str]) -> Graph:
    """Return the compiled graph over these dependencies."""
    graph: StateGraph[ProposalState, None, ProposalState, ProposalState] = StateGraph(ProposalState)
    names = list(STEPS)
    for name, step in STEPS.items():
        graph.add_node(name, _node(step, needs))
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=checkpointer)


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
    ) -> str:
        """Bring a proposal's thread to its end and return the bundle's digest.

        Raises:
            IncidentNotFoundError: there is no such incident.
        """
        config: RunnableConfig = {"configurable": {"thread_id": proposal_id}}
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
        if snapshot.values and not snapshot.next:
            return str(snapshot.values["bundle_digest"])
        final = await self._graph.ainvoke(start, config, durability="sync")
        return str(final["bundle_digest"])

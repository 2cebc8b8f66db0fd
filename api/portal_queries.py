# SPDX-License-Identifier: Apache-2.0
"""What several of the portal's pages read: an incident or a proposal, or 404."""

from fastapi import Request

from api.errors import NotFoundError
from api.sessions import services_of
from governance.proposals import Proposal, find_proposal
from kernel.database import Connection
from telemetry.incidents import Incident

PLOTTED = ("cpu_percent", "memory_percent", "disk_used_percent_max", "process_cpu_percent_max")
MAX_PLOTS = 4


async def require_incident(request: Request, connection: Connection, incident_id: str) -> Incident:
    """Return an incident.

    Raises:
        NotFoundError: there is none.
    """
    incident = await services_of(request).ground.incidents.find(connection, incident_id)
    if incident is None:
        raise NotFoundError(f"no incident {incident_id}")
    return incident


async def require_proposal(connection: Connection, proposal_id: str) -> Proposal:
    """Return a proposal.

    Raises:
        NotFoundError: there is none.
    """
    proposal = await find_proposal(connection, proposal_id)
    if proposal is None:
        raise NotFoundError(f"no proposal {proposal_id}")
    return proposal

# SPDX-License-Identifier: Apache-2.0
"""Moves incidents for governance and dispatch; fits `governance.ports.IncidentPort`.

An incident may meanwhile have been closed by a person, or judged by a later event: then the move
is left out, and what caused it still counts. A fix that worked on the device that stands for a
fleet incident does not resolve it while others are affected: people decide how it goes on.
"""

from kernel.database import Connection
from telemetry.errors import ForbiddenTransitionError
from telemetry.incident_parts import count_others
from telemetry.incidents import ALLOWED_TRANSITIONS, Incidents, IncidentScope, IncidentStatus


class IncidentMoves:
    """Makes transitions where the life cycle allows them."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    async def may_move(self, connection: Connection, incident_id: str, to: str) -> bool:
        """Hold the incident until the transaction ends; tell whether it may be moved there."""
        incident = await self._incidents.find(connection, incident_id, hold=True)
        return incident is not None and IncidentStatus(to) in ALLOWED_TRANSITIONS[incident.status]

    async def move(
        self, connection: Connection, incident_id: str, to: str, *, actor: str, reason: str
    ) -> bool:
        """Make a transition if it is allowed now; tell whether it was made."""
        incident = await self._incidents.find(connection, incident_id)
        status = IncidentStatus(to)
        if incident and incident.scope is IncidentScope.FLEET and status is IncidentStatus.RESOLVED:
            n_others = await count_others(connection, incident_id)
            if n_others:
                status = IncidentStatus.ESCALATED
                reason = (
                    f"it worked on the first device ({reason}); {n_others} others are affected"
                    " still, and a person decides how it goes on"
                )
        if incident is None or status not in ALLOWED_TRANSITIONS[incident.status]:
            return False
        try:
            await self._incidents.transition(
                connection, incident_id, status, actor=actor, reason=reason
            )
        except ForbiddenTransitionError:
            return False
        return True

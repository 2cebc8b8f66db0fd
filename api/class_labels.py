# SPDX-License-Identifier: Apache-2.0
"""People say what an incident is: at the portal, over HTTP and at the command line alike.

The label, the telemetry that it is about and what follows from it are one transaction. While nobody
has decided on a proposal, the recommendation follows the class: an escalated incident goes back to
the reasoner. A proposal that waits stays as it was sealed; people reject or override it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.ground import Ground
from contracts.failure import FailureClass
from governance.proposals import Proposal, ProposalStatus, list_proposals
from kernel.database import Connection
from telemetry.errors import ForbiddenTransitionError
from telemetry.incident_classes import ClassStatement, IncidentClasses
from telemetry.incidents import Incident, IncidentStatus

UNDECIDED = frozenset({ProposalStatus.ABSTAINED, ProposalStatus.EXPIRED})


class Consequence(StrEnum):
    """What a label leads to, beside that the incident shows it."""

    REPEATED = "repeated"
    PROPOSED_ANEW = "proposed_anew"
    PROPOSAL_WAITS = "proposal_waits"
    UNDER_WAY = "under_way"
    BY_HAND = "by_hand"
    SHOWN = "shown"


CONSEQUENCE_WORDS = {
    Consequence.REPEATED: "A person has said so already; nothing changes.",
    Consequence.PROPOSED_ANEW: "The reasoner works out a recommendation for this class.",
    Consequence.PROPOSAL_WAITS: (
        "A proposal waits that was made for another class. It stays as it was sealed: an approver"
        " may reject it and then ask for a new proposal, or override it with another script."
    ),
    Consequence.UNDER_WAY: (
        "A fix that was approved is under way; it goes on as it was approved, and telemetry judges"
        " it."
    ),
    Consequence.BY_HAND: "To have a fix proposed for this class, ask for a new proposal.",
    Consequence.SHOWN: "No fix is proposed because of it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An incident with the class that a person gave, and what that leads to."""

    incident: Incident
    label_id: str
    consequence: Consequence


async def label_incident(
    ground: Ground, connection: Connection, stated: ClassStatement
) -> Labelled:
    """Give an incident the class that a person states.

    Raises:
        UnknownIncidentError: there is none with this id.
        IncidentClosedError: it has ended for good.
        ClassChangedError: its class is no longer the one that the person saw.
        TooManyStatementsError: people went to and fro too often.
    """
    from models.labelled_windows import keep_window  # noqa: PLC0415 - heavy: to look needs it not

    classes = IncidentClasses(ground.clock, ground.ids, ground.audit)
    incident, label, is_new = await classes.label(connection, stated)
    if not is_new:
        return Labelled(
            incident=incident, label_id=label.label_id, consequence=Consequence.REPEATED
        )
    await keep_window(connection, incident, ground.clock.now())
    proposals = await list_proposals(connection, incident_id=incident.incident_id)
    consequence = conclude_consequence(incident, proposals)
    if consequence is Consequence.PROPOSED_ANEW:
        incident, consequence = await _propose_anew(ground, connection, incident, stated)
    return Labelled(incident=incident, label_id=label.label_id, consequence=consequence)


async def _propose_anew(
    ground: Ground, connection: Connection, incident: Incident, stated: ClassStatement
) -> tuple[Incident, Consequence]:
    """Send an incident to the reasoner, which acts on what is open."""
    if incident.status is IncidentStatus.OPEN:
        await ground.incidents.call_reasoner(
            connection, incident.incident_id, incident.correlation_id
        )
        return incident, Consequence.PROPOSED_ANEW
    try:
        reopened = await ground.incidents.reopen(
            connection,
            incident.incident_id,
            actor=stated.actor,
            reason=f"a person says that it is {stated.failure_class}",
        )
    except ForbiddenTransitionError:  # its episode has another open incident
        return incident, Consequence.SHOWN
    return reopened, Consequence.PROPOSED_ANEW


def conclude_consequence(incident: Incident, proposals: Sequence[Proposal]) -> Consequence:
    """Return what the class of a labelled incident leads to, as things stand. Pure."""
    status, failure = incident.status, incident.failure_class
    waiting = next((one for one in proposals if one.status is ProposalStatus.PENDING), None)
    if waiting is not None:
        is_same = waiting.diagnosis == failure.value
        return Consequence.SHOWN if is_same else Consequence.PROPOSAL_WAITS
    if status in {IncidentStatus.APPROVED, IncidentStatus.REMEDIATING, IncidentStatus.VERIFYING}:
        return Consequence.UNDER_WAY
    if status not in {IncidentStatus.OPEN, IncidentStatus.ESCALATED}:
        return Consequence.SHOWN
    if failure is FailureClass.UNKNOWN or incident.part_of or incident.device_id is None:
        return Consequence.SHOWN  # nothing would be proposed
    decided = any(one.status not in UNDECIDED for one in proposals)
    if decided and status is IncidentStatus.ESCALATED:
        return Consequence.BY_HAND
    return Consequence.PROPOSED_ANEW

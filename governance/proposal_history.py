# SPDX-License-Identifier: Apache-2.0
"""What the audit log knows about a proposal, whatever its row says.

Whoever writes rows as the application can take a proposal's status back. The log only grows: what
it holds against a proposal counts. A forged event can therefore stop a fix, and start none.
"""

from collections.abc import Collection, Sequence
from typing import Final

from evidence.audit import AuditEvent, list_compared
from evidence.errors import LogTamperedError
from governance.errors import LogChangedError
from governance.proposals import ALLOWED_TRANSITIONS, ProposalStatus
from kernel.database import Connection

SUBJECT: Final = "proposal"
ENDS: Final = frozenset(status for status, after in ALLOWED_TRANSITIONS.items() if not after)
DECIDED: Final = frozenset(ProposalStatus) - {ProposalStatus.PENDING}  # none leads back to it


async def list_history(connection: Connection, proposal_id: str) -> list[AuditEvent]:
    """Return all audited events about a proposal, oldest first, compared with their leaves.

    Raises:
        LogChangedError: one is not what the log holds.

    """
    try:
        return await list_compared(connection, subject_kind=SUBJECT, subject_id=proposal_id)
    except LogTamperedError as error:
        raise LogChangedError(f"the audit log was changed: {error}") from error


def find_status(
    history: Sequence[AuditEvent], statuses: Collection[ProposalStatus]
) -> AuditEvent | None:
    """Return the first event by which a proposal came to one of these statuses; None without."""
    actions = {f"{SUBJECT}.{status}" for status in statuses}
    return next((event for event in history if event.action in actions), None)


def describe_status(event: AuditEvent) -> str:
    """Return what an event says that a proposal came to, for people."""
    return f"the audit log has it as {event.action.partition('.')[2]} on {describe_moment(event)}"


def describe_moment(event: AuditEvent) -> str:
    """Return when an event was, and which it is."""
    return f"{event.occurred_at:%Y-%m-%d %H:%M} UTC ({event.event_id})"

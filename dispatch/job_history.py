# SPDX-License-Identifier: Apache-2.0
"""What the audit log knows a proposal came to: its fix runs once, and never after it ended. Pure.

Whoever writes rows as the application can take a proposal's status back, and whoever owns the
database its job away too. The log only grows: what it holds against a job counts, whatever the rows
say. A forged event can therefore stop a fix, and start none.
"""

from collections.abc import Sequence

from dispatch.errors import JobRefusedError
from dispatch.job_records import JobKind
from evidence.audit import AuditEvent

SUBJECT = "proposal"
CREATED = "job.created"
ENDED = frozenset(
    f"proposal.{status}" for status in ("rejected", "overridden", "expired", "failed", "succeeded")
)


def check_history(events: Sequence[AuditEvent], *, kind: JobKind) -> None:
    """Compare a job that is about to be made with all audited events about its proposal.

    A rollback comes after the end of its proposal, but only once, and only after the fix.

    Raises:
        JobRefusedError: not_approved, already_dispatched or already_ended.

    """
    made = {
        JobKind(event.after["kind"]): event
        for event in events
        if event.action == CREATED and event.after is not None
    }
    if kind in made:
        raise JobRefusedError(
            "already_dispatched",
            f"the audit log has its {kind} job of {_describe(made[kind])}: none is made twice",
        )
    if kind is JobKind.ROLLBACK:
        if JobKind.REMEDIATE not in made:
            raise JobRefusedError("not_approved", "the audit log has no fix that it would undo")
        return
    for event in events:
        if event.action in ENDED:
            raise JobRefusedError(
                "already_ended",
                f"the audit log has it as {event.action.partition('.')[2]} on {_describe(event)}",
            )


def _describe(event: AuditEvent) -> str:
    return f"{event.occurred_at:%Y-%m-%d %H:%M} UTC ({event.event_id})"

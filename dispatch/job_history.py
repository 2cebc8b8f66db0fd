# SPDX-License-Identifier: Apache-2.0
"""What a proposal's audited history allows: its fix runs once, and never after it ended. Pure.

The history is `governance.proposal_history`'s; jobs that it has count though their rows are gone.
"""

from collections.abc import Sequence

from dispatch.errors import JobRefusedError
from dispatch.job_records import JobKind
from evidence.audit import AuditEvent
from governance.proposal_history import ENDS, describe_moment, describe_status, find_status

CREATED = "job.created"


def check_history(history: Sequence[AuditEvent], *, kind: JobKind) -> None:
    """Compare a job that is about to be made with all audited events about its proposal.

    A rollback comes after the end of its proposal, but only once, and only after the fix.

    Raises:
        JobRefusedError: not_approved, already_dispatched, already_ended, or log_changed where an
            event names no kind of job: it may be one of this kind.

    """
    made = {_read_kind(event): event for event in history if event.action == CREATED}
    if kind in made:
        raise JobRefusedError(
            "already_dispatched",
            f"the audit log has its {kind} job of {describe_moment(made[kind])}: none is made"
            " twice",
        )
    if kind is JobKind.ROLLBACK:
        if JobKind.REMEDIATE not in made:
            raise JobRefusedError("not_approved", "the audit log has no fix that it would undo")
    elif end := find_status(history, ENDS):
        raise JobRefusedError("already_ended", describe_status(end))


def _read_kind(event: AuditEvent) -> JobKind:
    try:
        return JobKind((event.after or {})["kind"])
    except (KeyError, TypeError, ValueError) as error:
        raise JobRefusedError(
            "log_changed", f"an event names no kind of job: {describe_moment(event)}"
        ) from error

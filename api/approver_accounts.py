# SPDX-License-Identifier: Apache-2.0
"""Whether an approver may be another party to the same proposal under a second name.

Whoever makes an account, or gives it a password, can use it. The audit log says who did; where that
was somebody who asked for the change or approved it too, people and auditors are told. Nothing is
refused for it: in a small team the one administrator makes every account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api.pages import format_moment
from api.portal_rows import fetch
from kernel.database import Connection
from kernel.person import is_same_person

_DEEDS: Mapping[str, str] = {
    "account.created": "made",
    "account.password_changed": "given a new password",
}


async def find_account_notes(
    connection: Connection, approvers: Sequence[str], asked_by: Sequence[str]
) -> dict[str, list[str]]:
    """Return for each approver what to know of their account, in sentences.

    Args:
        connection: to read the audit log with.
        approvers: actors who approved one proposal.
        asked_by: actors who asked for it: its requester and its incident's reporters.

    """
    names = [name for approver in approvers for name in (approver, _name_account(approver))]
    rows = await fetch(connection, "list_account_deeds", usernames=names) if names else []
    return {
        approver: [
            _describe(row, approver, approvers, asked_by)
            for row in rows
            if is_same_person(row["username"], approver)
            and not is_same_person(row["actor"], approver)
            and is_same_person(row["actor"], *approvers, *asked_by)
        ]
        for approver in approvers
    }


def _name_account(approver: str) -> str:
    return approver.split(":", 1)[-1]


def _describe(
    row: Mapping[str, Any], approver: str, approvers: Sequence[str], asked_by: Sequence[str]
) -> str:
    others = [one for one in approvers if one != approver]
    parts = []
    if is_same_person(row["actor"], *asked_by):
        parts.append("asked for this change")
    if others and is_same_person(row["actor"], *others):
        parts.append("approved it too")
    occurred_at: datetime = row["occurred_at"]
    return (
        f"The account of {approver} was {_DEEDS[row['action']]} by {row['actor']}, who"
        f" {' and '.join(parts)}, on {format_moment(occurred_at)}."
    )

# SPDX-License-Identifier: Apache-2.0
"""The account with which an empty installation is entered for the first time."""

import secrets

from api.accounts import Role
from api.ground import Ground

FIRST_ROLES = frozenset({Role.ADMIN, Role.APPROVER, Role.HELPDESK, Role.AUDITOR})


async def make_first_account(ground: Ground) -> str | None:
    """Make the account `admin` where there is none; return its password, shown only once."""
    async with ground.pool.connection() as connection:
        if await ground.accounts.count(connection):
            return None
        password = secrets.token_urlsafe(15)
        await ground.accounts.create(
            connection,
            username="admin",
            password=password,
            roles=FIRST_ROLES,
            display_name="First administrator",
            actor="system:bootstrap",
            correlation_id=ground.ids.new("cor"),
        )
    return password

# SPDX-License-Identifier: Apache-2.0
"""What guardrails asks of another room; joined in composition."""

from collections.abc import Sequence
from typing import Protocol

from kernel.database import Connection


class PeopleInventory(Protocol):
    """Keeps who the people of the fleet are and which devices they use; telemetry's."""

    async def state_people(
        self, connection: Connection, people: Sequence[tuple[str, str, str, str]]
    ) -> int:
        """Keep what people are called; return of how many that was new or has changed.

        Args:
            connection: the caller owns its transaction.
            people: (user id, display name, user principal name, department); what is empty stays
                as it is.

        """
        ...

    async def forget_person(self, connection: Connection, user_id: str) -> bool:
        """Take a person out of everything it keeps; tell whether it knew them."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""The people of the inventory: who uses devices, by user id, as reports and the directory say."""

from collections.abc import Sequence

from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "people")


class People:
    """Keeps and forgets people, for guardrails. The caller owns the transaction and audits."""

    async def state_people(
        self, connection: Connection, people: Sequence[tuple[str, str, str, str]]
    ) -> int:
        """Keep what people are called; return of how many that was new or has changed.

        Args:
            connection: any.
            people: (user id, display name, user principal name, department); what is empty stays
                as it is.

        """
        columns = ("user_ids", "display_names", "upns", "departments")
        cursor = await connection.execute(
            QUERIES["state_people"],
            {name: [person[number] for person in people] for number, name in enumerate(columns)},
        )
        return len(await cursor.fetchall())

    async def forget_person(self, connection: Connection, user_id: str) -> bool:
        """Take a person out of the users, their devices' maps and the reports of these devices.

        Returns:
            whether the users knew them.

        """
        values = {"user_id": user_id}
        await connection.execute(QUERIES["delete_user_map"], values)
        await connection.execute(QUERIES["forget_reporter"], values)
        gone = await (await connection.execute(QUERIES["delete_user"], values)).fetchone()
        return gone is not None

# SPDX-License-Identifier: Apache-2.0
"""The people of the inventory: who uses devices, by user id, as reports and the directory say."""

from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "people")


class People:
    """Forgets people, for `guardrails.erasure`. The caller owns the transaction and audits."""

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

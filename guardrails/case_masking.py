# SPDX-License-Identifier: Apache-2.0
"""Masks what belongs to an incident with the pseudonyms that the incident has already.

Its ticket, telemetry, script output and what people write about it name one person by one
pseudonym. What is new goes to the vault under the incident's id, with an audit event, in the
transaction of whoever asks. Of an incident whose originals were erased no later ones are kept,
and no number is given again.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from guardrails.directory import Directory
from guardrails.directory_feed import DirectoryFeed, read_own_names
from guardrails.errors import PseudonymConflictError, SubjectShreddedError
from guardrails.masking import Masker
from guardrails.vault import Vault
from kernel.audit import AuditIntake
from kernel.database import Connection, Pool
from kernel.queries import load_queries

QUERIES: Final = load_queries(__file__, "cases")
_USERNAME: Final = "<USERNAME_"


class CaseMasker:
    """Masks texts and JSON values of incidents.

    Args:
        masker: with the tenant's directory.
        directory: fills it, unless that was done, before anything is masked.
        vault: of originals.
        audit: told which pseudonyms are new, never what they stand for.
        pool: for those who have no transaction of their own yet.

    """

    def __init__(
        self,
        masker: Masker,
        directory: DirectoryFeed,
        vault: Vault,
        audit: AuditIntake,
        pool: Pool,
    ) -> None:
        self._masker = masker
        self._directory = directory
        self._vault = vault
        self._audit = audit
        self._pool = pool

    async def mask_on(
        self,
        connection: Connection,
        incident_id: str,
        value: Any,
        *,
        actor: str,
        correlation_id: str,
    ) -> Any:
        """Return a masked JSON value of an incident, in the caller's transaction.

        Raises:
            MaskingError: it cannot be masked; it must not be passed on.
        """
        await self._directory.require()
        cursor = await connection.execute(QUERIES["find_case"], {"incident_id": incident_id})
        case = await cursor.fetchone()
        if case is None:
            return await asyncio.to_thread(self._masker.mask_value, value)
        device_id = case["device_id"]
        who = (actor, correlation_id)
        try:
            return await self._mask_and_keep(connection, incident_id, device_id, value, *who)
        except PseudonymConflictError:
            # Somebody gave the same number meanwhile; the subject is held now, so nobody can again.
            return await self._mask_and_keep(connection, incident_id, device_id, value, *who)
        except SubjectShreddedError:
            return await self._mask_erased(connection, incident_id, device_id, value)

    async def mask_apart(
        self, incident_id: str, text: str, *, actor: str, correlation_id: str
    ) -> str:
        """Return a masked text of an incident; what is new is kept whatever the caller does then.

        For what a person writes with a decision, whose own transaction may ask for the vault again.
        """
        async with self._pool.connection() as connection:
            masked: str = await self.mask_on(
                connection, incident_id, text, actor=actor, correlation_id=correlation_id
            )
            return masked

    async def _mask_erased(
        self, connection: Connection, incident_id: str, device_id: str | None, value: Any
    ) -> Any:
        """Mask with numbers that the incident has not had, and keep no originals."""
        own = await self._read_own(connection, device_id, {})
        taken = await self._vault.hold_numbers(connection, incident_id)
        masked, originals = await asyncio.to_thread(
            self._masker.mask_document, value, {}, own, taken
        )
        await self._vault.take_numbers(connection, incident_id, originals)
        return masked

    async def _mask_and_keep(
        self,
        connection: Connection,
        incident_id: str,
        device_id: str | None,
        value: Any,
        actor: str,
        correlation_id: str,
    ) -> Any:
        known = await self._vault.reveal(connection, incident_id)
        own = await self._read_own(connection, device_id, known)
        taken = await self._vault.read_numbers(connection, incident_id)
        masked, originals = await asyncio.to_thread(
            self._masker.mask_document, value, known, own, taken
        )
        fresh = sorted(originals.keys() - known.keys())
        if fresh:
            await self._vault.store(
                connection, incident_id, {name: originals[name] for name in fresh}
            )
            await self._audit.record(
                connection,
                actor=actor,
                action="vault.stored",
                subject_kind="incident",
                subject_id=incident_id,
                device_id=device_id,
                correlation_id=correlation_id,
                after={"pseudonyms": fresh},
            )
        return masked

    @staticmethod
    async def _read_own(
        connection: Connection, device_id: str | None, known: Mapping[str, str]
    ) -> Directory:
        users = [name for key, name in known.items() if key.startswith(_USERNAME)]
        return await read_own_names(connection, device_id=device_id, user_ids=users)

# SPDX-License-Identifier: Apache-2.0
"""The originals behind pseudonyms, encrypted under one key per subject.

AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce per value. Each subject has a random key,
wrapped by the vault key; the subject and the pseudonym are authenticated with it, so rows cannot
be swapped. Erasing a person or incident destroys that subject's wrapped key (crypto-shredding); how
far its pseudonyms were numbered is kept, so that nobody comes to an erased person's number.

Who may reveal, and the audit event of revealing and shredding, are the caller's business, in the
same transaction.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.errors import (
    PseudonymConflictError,
    SubjectShreddedError,
    VaultError,
    VaultIntegrityError,
)
from guardrails.pattern_parts import PSEUDONYM
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES: Final = load_queries(__file__, "vault")
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Vault:
    """Stores, reveals and shreds originals. The caller owns the transaction.

    Args:
        key: the vault key, 32 bytes; kept apart from the database.
        clock: tells when.

    Raises:
        VaultError: the key has the wrong length.

    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError(f"the vault key has {len(key)} bytes, not {KEY_BYTES}")
        self._cipher = AESGCM(key)
        self._clock = clock

    async def store(
        self, connection: Connection, subject_id: str, originals: Mapping[str, str]
    ) -> None:
        """Keep the originals of a subject, {pseudonym: original}. Storing twice is harmless.

        Raises:
            SubjectShreddedError: the subject was erased.
            PseudonymConflictError: a pseudonym already stands for another original.

        """
        if not originals:
            return
        fresh = self._wrap(subject_id, AESGCM.generate_key(bit_length=8 * KEY_BYTES))
        await connection.execute(
            QUERIES["insert_subject"],
            {"subject_id": subject_id, "wrapped_key": fresh, "created_at": self._clock.now()},
        )
        subject_key = await self._find_key(connection, subject_id, "lock_subject")
        known = await self._read_entries(connection, subject_id, subject_key)
        rows = []
        for pseudonym, original in originals.items():
            if known.get(pseudonym, original) != original:
                raise PseudonymConflictError(f"{pseudonym} stands for another original already")
            if pseudonym not in known:
                nonce = secrets.token_bytes(_NONCE_BYTES)
                sealed = subject_key.encrypt(nonce, original.encode(), _bind(subject_id, pseudonym))
                rows.append(
                    {
                        "subject_id": subject_id,
                        "pseudonym": pseudonym,
                        "nonce": nonce,
                        "ciphertext": sealed,
                    }
                )
        async with connection.cursor() as cursor:
            await cursor.executemany(QUERIES["insert_entry"], rows)
        await self.take_numbers(connection, subject_id, originals)

    async def hold_numbers(self, connection: Connection, subject_id: str) -> dict[str, int]:
        """Return {kind: greatest number given}; nobody else gives one until the transaction ends.

        Also of a subject that was erased: its old pseudonyms stand in texts for good.
        """
        subject = {"subject_id": subject_id}
        await connection.execute(QUERIES["lock_subject"], subject)
        return await self.read_numbers(connection, subject_id)

    async def read_numbers(self, connection: Connection, subject_id: str) -> dict[str, int]:
        """Return {kind: greatest number given}."""
        cursor = await connection.execute(QUERIES["list_numbers"], {"subject_id": subject_id})
        return {row["entity"]: row["greatest"] for row in await cursor.fetchall()}

    async def take_numbers(
        self, connection: Connection, subject_id: str, pseudonyms: Iterable[str]
    ) -> None:
        """Remember the numbers of pseudonyms, none of which is given again in this subject."""
        greatest: dict[str, int] = {}
        for pseudonym in pseudonyms:
            if found := PSEUDONYM.fullmatch(pseudonym):
                greatest[found[1]] = max(greatest.get(found[1], 0), int(found[2]))
        rows = [
            {"subject_id": subject_id, "entity": entity, "number": number}
            for entity, number in sorted(greatest.items())
        ]
        async with connection.cursor() as cursor:
            await cursor.executemany(QUERIES["take_number"], rows)

    async def reveal(self, connection: Connection, subject_id: str) -> dict[str, str]:
        """Return {pseudonym: original}; empty for a subject that was never stored.

        Raises:
            SubjectShreddedError: the subject was erased.
            VaultIntegrityError: the key is wrong or a row was changed.

        """
        cursor = await connection.execute(QUERIES["find_subject"], {"subject_id": subject_id})
        if await cursor.fetchone() is None:
            return {}
        subject_key = await self._find_key(connection, subject_id, "find_subject")
        return await self._read_entries(connection, subject_id, subject_key)

    async def shred(self, connection: Connection, subject_id: str) -> None:
        """Destroy the subject's key for good; later storing is refused. Idempotent."""
        await connection.execute(
            QUERIES["shred_subject"], {"subject_id": subject_id, "now": self._clock.now()}
        )
        subject = {"subject_id": subject_id}
        cursor = await connection.execute(QUERIES["list_pseudonyms"], subject)
        given = [str(row["pseudonym"]) for row in await cursor.fetchall()]
        await self.take_numbers(connection, subject_id, given)
        await connection.execute(QUERIES["delete_entries"], subject)

    def _wrap(self, subject_id: str, subject_key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, subject_key, _bind(subject_id, "key"))

    async def _find_key(self, connection: Connection, subject_id: str, query: str) -> AESGCM:
        cursor = await connection.execute(QUERIES[query], {"subject_id": subject_id})
        row = await cursor.fetchone()
        if row is None or row["wrapped_key"] is None:
            raise SubjectShreddedError
        wrapped = bytes(row["wrapped_key"])
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return AESGCM(self._cipher.decrypt(nonce, sealed, _bind(subject_id, "key")))
        except (InvalidTag, ValueError) as error:
            raise VaultIntegrityError from error

    @staticmethod
    async def _read_entries(
        connection: Connection, subject_id: str, subject_key: AESGCM
    ) -> dict[str, str]:
        cursor = await connection.execute(QUERIES["list_entries"], {"subject_id": subject_id})
        entries: dict[str, str] = {}
        for row in await cursor.fetchall():
            pseudonym = row["pseudonym"]
            try:
                original = subject_key.decrypt(
                    bytes(row["nonce"]), bytes(row["ciphertext"]), _bind(subject_id, pseudonym)
                )
            except (InvalidTag, ValueError) as error:
                raise VaultIntegrityError from error
            entries[pseudonym] = original.decode()
        return entries


def _bind(subject_id: str, purpose: str) -> bytes:
    """Return associated data that no other pair of texts gives."""
    subject = subject_id.encode()
    return len(subject).to_bytes(4, "big") + subject + purpose.encode()

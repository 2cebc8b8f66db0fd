# SPDX-License-Identifier: Apache-2.0
"""Shows the originals behind an incident's pseudonyms: for a reason, within bounds, on record.

Who may ask is decided where roles are known. The record and its audit event are in the transaction
that reads the vault; whoever shows the originals must end it first, so nothing is shown off the
record. A refusal is audited as well, in a transaction of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from guardrails.case_masking import CaseMasker
from guardrails.errors import (
    PseudonymMissingError,
    RevealBoundError,
    RevealRefusedError,
    SubjectShreddedError,
)
from guardrails.pattern_parts import PSEUDONYM
from guardrails.vault import QUERIES, Vault
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from kernel.refusals import RefusalAudit

MAX_PER_HOUR: Final = 60
HOUR: Final = timedelta(hours=1)
MIN_REASON_CHARACTERS: Final = 10
MAX_REASON_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRequest:
    """What somebody wants to be shown, and why."""

    incident_id: str
    pseudonyms: tuple[str, ...]
    actor: str
    reason: str
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the vault holds for an incident.

    Attributes:
        pseudonyms: those with an original.
        erased_at: when the originals were destroyed.
        reveals: who was shown what, newest first.

    """

    pseudonyms: tuple[str, ...]
    erased_at: datetime | None
    reveals: tuple[Mapping[str, Any], ...] = field(repr=False)


class Reidentification:
    """Reveals and records. The caller owns the transaction of a reveal.

    Args:
        vault: of originals.
        cases: masks reasons.
        clock: what hours are counted by.
        ids: of reveals.
        audit: told of every reveal and refusal.
        refusals: a pool of its own for refusals, which outlive the refused transaction.

    """

    def __init__(
        self,
        vault: Vault,
        cases: CaseMasker,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        *,
        refusals: Pool,
    ) -> None:
        self._vault = vault
        self._cases = cases
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._refusals = RefusalAudit(refusals, audit)

    async def describe(self, connection: Connection, incident_id: str) -> Holding:
        """Return what there is to reveal of an incident, without any original."""
        subject = {"subject_id": incident_id}
        state = await (await connection.execute(QUERIES["find_state"], subject)).fetchone()
        listed = await (await connection.execute(QUERIES["list_pseudonyms"], subject)).fetchall()
        shown = await connection.execute(QUERIES["list_reveals"], {"incident_id": incident_id})
        return Holding(
            pseudonyms=tuple(row["pseudonym"] for row in listed),
            erased_at=state["shredded_at"] if state else None,
            reveals=tuple(await shown.fetchall()),
        )

    async def reveal(self, connection: Connection, request: RevealRequest) -> dict[str, str]:
        """Return {pseudonym: original} of what is asked for, on record.

        Raises:
            SubjectShreddedError: the originals were erased.
            PseudonymMissingError: there is no such pseudonym.
            RevealBoundError: the person was shown too many within the hour.
            RevealRefusedError: no reason, or nothing asked for.
            VaultIntegrityError: an original does not decrypt.
        """
        refused = "vault.reveal_refused"
        async with self._refusals.guard(
            {RevealRefusedError: refused, SubjectShreddedError: refused},
            actor=request.actor,
            subject_kind="incident",
            subject_id=request.incident_id,
            correlation_id=request.correlation_id,
            details={"pseudonyms": _name_all(request.pseudonyms)},
        ):
            return await self._reveal(connection, request)

    async def _reveal(self, connection: Connection, request: RevealRequest) -> dict[str, str]:
        asked = tuple(dict.fromkeys(request.pseudonyms))
        reason = " ".join(request.reason.split())
        if not asked:
            raise RevealRefusedError("say which pseudonyms are to be revealed")
        if not MIN_REASON_CHARACTERS <= len(reason) <= MAX_REASON_CHARACTERS:
            raise RevealRefusedError(
                f"say why, in {MIN_REASON_CHARACTERS} to {MAX_REASON_CHARACTERS} characters:"
                " it is read later"
            )
        await connection.execute(QUERIES["hold_actor"], {"actor": request.actor})
        await self._check_bound(connection, request.actor, len(asked))
        originals = await self._vault.reveal(connection, request.incident_id)
        missing = [name for name in asked if name not in originals]
        if missing:
            raise PseudonymMissingError(
                f"the vault has no original for {', '.join(_name_all(missing))} in this incident"
            )
        masked = await self._cases.mask_on(
            connection,
            request.incident_id,
            reason,
            actor=request.actor,
            correlation_id=request.correlation_id,
        )
        await connection.execute(
            QUERIES["insert_reveal"],
            {
                "reveal_id": self._ids.new("rvl"),
                "incident_id": request.incident_id,
                "pseudonyms": list(asked),
                "actor": request.actor,
                "reason": masked,
                "revealed_at": self._clock.now(),
            },
        )
        await self._audit.record(
            connection,
            actor=request.actor,
            action="vault.revealed",
            subject_kind="incident",
            subject_id=request.incident_id,
            correlation_id=request.correlation_id,
            after={"pseudonyms": _name_all(request.pseudonyms), "reason": masked},
        )
        return {name: originals[name] for name in asked}

    async def _check_bound(self, connection: Connection, actor: str, n_asked: int) -> None:
        cursor = await connection.execute(
            QUERIES["count_revealed"], {"actor": actor, "since": self._clock.now() - HOUR}
        )
        row = await cursor.fetchone()
        n_shown = int(row["n_revealed"]) if row else 0
        if n_shown + n_asked > MAX_PER_HOUR:
            raise RevealBoundError(
                f"{n_shown} originals were shown to you within the hour, and {MAX_PER_HOUR} are the"
                " most: ask for fewer, or later"
            )


def _name_all(pseudonyms: Sequence[str]) -> list[str]:
    """Return what was asked for; what is no pseudonym is free text and not repeated."""
    return [name if PSEUDONYM.fullmatch(name) else "(no pseudonym)" for name in pseudonyms[:100]]

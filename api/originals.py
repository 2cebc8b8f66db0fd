# SPDX-License-Identifier: Apache-2.0
"""Joins governance and the vault where originals are shown or erased: security reviewers do that.

A refusal for want of the role is audited, as all others are.
"""

from api.ground import Ground
from governance.errors import RefusalError
from governance.roles import REVIEWING_ROLES, require_role
from guardrails.erasure import Erasure, erase_person
from guardrails.reidentification import RevealRequest
from kernel.refusals import RefusalAudit


async def reveal_originals(
    ground: Ground, request: RevealRequest, roles: frozenset[str]
) -> dict[str, str]:
    """Return {pseudonym: original} of what is asked for, once it is on record.

    Raises:
        RoleMissingError: no security reviewer asks.
        VaultError: one of its kinds, see `Reidentification.reveal`.
    """
    async with RefusalAudit(ground.refusals, ground.audit).guard(
        {RefusalError: "vault.reveal_refused"},
        actor=request.actor,
        subject_kind="incident",
        subject_id=request.incident_id,
        correlation_id=request.correlation_id,
    ):
        require_role(roles, REVIEWING_ROLES)
    async with ground.pool.connection() as connection:
        return await ground.reidentification.reveal(connection, request)


async def erase_originals(
    ground: Ground,
    user_id: str,
    *,
    other_names: tuple[str, ...],
    actor: str,
    roles: frozenset[str],
    reason: str,
    correlation_id: str,
    dry: bool = False,
) -> Erasure:
    """Erase a person for good, or, `dry`, say what that would erase; `reason` is masked here.

    Raises:
        RoleMissingError: no security reviewer asks.
        VaultError: nothing names such a person.
    """
    async with RefusalAudit(ground.refusals, ground.audit).guard(
        {RefusalError: "person.erasure_refused"},
        actor=actor,
        subject_kind="person",
        subject_id=correlation_id,  # as for the erasure: their own id is what is to be forgotten
        correlation_id=correlation_id,
    ):
        require_role(roles, REVIEWING_ROLES)
    masked = await ground.mask_text(reason, {"<USERNAME_1>": user_id})
    async with ground.pool.connection() as connection:
        erased = await erase_person(
            connection, ground.vault, ground.people, ground.audit, user_id, other_names=other_names,
            actor=actor, correlation_id=correlation_id, reason=masked,
        )  # fmt: skip
        if dry:
            await connection.rollback()
    return erased

# SPDX-License-Identifier: Apache-2.0
"""The case file of a proposal, a promotion, a decision on scripts or an activation of a policy."""

from typing import TYPE_CHECKING

from api.errors import NotFoundError
from api.ground import Ground
from evidence.bundles import find_bundle
from evidence.errors import NotSequencedError, UnknownBundleError
from evidence.export import export_case
from governance.proposals import find_proposal
from governance.script_versions import find_decision
from guardrails.errors import PolicyNotFoundError
from guardrails.policy_store import find_activation
from kernel.database import Connection
from models.errors import UnknownModelError
from models.promotion import find_promotion

if TYPE_CHECKING:
    from api.bootstrap import Services

MAX_BATCHES = 100  # of 1000 audit events each, before a busy log is told to be busy


async def export_proposal(services: "Services", proposal_id: str) -> bytes:
    """Return the case file of a proposal; its statements are taken into the log if need be.

    Raises:
        NotFoundError: there is no such proposal.
        NotSequencedError: too many events wait for the log.
        UnknownBundleError, BundleCorruptError, ObjectMissingError: see `export_case`.
    """
    async with services.ground.pool.connection() as connection:
        if await find_proposal(connection, proposal_id) is None:
            raise NotFoundError(f"no proposal {proposal_id}")
        return await _export(services.ground, connection, proposal_id)


async def export_promotion(ground: Ground, promotion_id: str) -> bytes:
    """Return the case file of a model's promotion, in the same way.

    Raises:
        NotFoundError: there is no such promotion.
        NotSequencedError, UnknownBundleError, BundleCorruptError, ObjectMissingError: as above.
    """
    async with ground.pool.connection() as connection:
        try:
            await find_promotion(connection, promotion_id)
        except UnknownModelError as error:
            raise NotFoundError(str(error)) from error
        return await _export(ground, connection, promotion_id)


async def export_script_decision(ground: Ground, decision_id: str) -> bytes:
    """Return the case file of a decision on script versions, in the same way.

    Raises:
        NotFoundError: there is no such decision.
        NotSequencedError, UnknownBundleError, BundleCorruptError, ObjectMissingError: as above.
    """
    async with ground.pool.connection() as connection:
        decision = await find_decision(connection, decision_id)
        if decision is None:
            raise NotFoundError(f"no decision {decision_id}")
        record = await find_bundle(connection, decision.bundle_digest)
        if record is None:
            raise UnknownBundleError(decision.bundle_digest)
        return await _export(ground, connection, record.proposal_id)


async def export_activation(ground: Ground, activation_id: str) -> bytes:
    """Return the case file of a policy's activation, in the same way.

    Raises:
        NotFoundError: there is no such activation.
        NotSequencedError, UnknownBundleError, BundleCorruptError, ObjectMissingError: as above.
    """
    async with ground.pool.connection() as connection:
        try:
            await find_activation(connection, activation_id)
        except PolicyNotFoundError as error:
            raise NotFoundError(str(error)) from error
        return await _export(ground, connection, activation_id)


async def _export(ground: Ground, connection: Connection, case_id: str) -> bytes:
    for _ in range(MAX_BATCHES):
        try:
            return await export_case(
                connection,
                case_id,
                objects=ground.objects,
                log=ground.log,
                key_store=ground.key_store,
            )
        except NotSequencedError:
            if not await ground.log.sequence_pending(connection):
                raise
            await connection.commit()
    raise NotSequencedError(case_id)

# SPDX-License-Identifier: Apache-2.0
"""The case file of a proposal, for the portal and the API."""

from api.bootstrap import Services
from api.errors import NotFoundError
from evidence.errors import NotSequencedError
from evidence.export import export_case
from governance.proposals import find_proposal

MAX_BATCHES = 100  # of 1000 audit events each, before a busy log is told to be busy


async def export_proposal(services: Services, proposal_id: str) -> bytes:
    """Return the case file of a proposal; its statements are taken into the log if need be.

    Raises:
        NotFoundError: there is no such proposal.
        NotSequencedError: too many events wait for the log.
        UnknownBundleError, BundleCorruptError, ObjectMissingError: see `export_case`.
    """
    ground = services.ground
    async with ground.pool.connection() as connection:
        if await find_proposal(connection, proposal_id) is None:
            raise NotFoundError(f"no proposal {proposal_id}")
        for _ in range(MAX_BATCHES):
            try:
                return await export_case(
                    connection,
                    proposal_id,
                    objects=ground.objects,
                    log=ground.log,
                    key_store=ground.key_store,
                )
            except NotSequencedError:
                if not await ground.log.sequence_pending(connection):
                    raise
                await connection.commit()
    raise NotSequencedError(proposal_id)

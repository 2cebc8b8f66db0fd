# SPDX-License-Identifier: Apache-2.0
"""The sealed case of a proposal, on which decisions rest: its row is believed only where equal."""

from typing import Any, Protocol

from evidence.bundles import OpenedBundle, read_case
from evidence.errors import EvidenceError
from evidence.statement import StatementKind
from governance.errors import BundleChangedError
from governance.proposals import Proposal, ProposalChangedError, find_differences
from kernel.database import Connection


class CaseOpener(Protocol):
    """Opens what was sealed."""

    async def open(self, connection: Connection, digest: str) -> OpenedBundle:
        """Return a sealed statement with its files, verified."""
        ...


async def read_sealed_case(
    connection: Connection, opener: CaseOpener, proposal: Proposal
) -> dict[str, Any]:
    """Return the sealed `case.json`: quorum, exception and policy are asked about what it says.

    Raises:
        BundleChangedError: it cannot be read.
        ProposalChangedError: the row differs from it.

    """
    try:
        opened = await opener.open(connection, proposal.bundle_digest or "")
        case = read_case(opened, StatementKind.PROPOSAL)
    except EvidenceError as error:
        raise BundleChangedError("the sealed case cannot be read") from error
    if differing := find_differences(proposal, case):
        raise ProposalChangedError(differing)
    return case

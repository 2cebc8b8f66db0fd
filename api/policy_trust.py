# SPDX-License-Identifier: Apache-2.0
"""Which stored policies are believed: versions that our key signed, activations that it sealed.

Both would be true of an older activation, too, whose successors somebody deleted. So the newest row
must be the one that the audit log names last.
"""

from typing import Any

from evidence.audit import AuditSubject, find_newest
from evidence.bundles import read_case
from evidence.errors import EvidenceError, LogTamperedError
from evidence.sealing import Sealer
from evidence.statement import POLICY_SUBJECT, StatementKind
from guardrails.errors import PolicyLoadError, PolicyTrustError
from guardrails.policy_source import PolicySource, parse_source
from guardrails.policy_store import PUT_IN_FORCE, PolicyActivation, PolicyVersion
from kernel.database import Connection

PAYLOAD_TYPE = "application/vnd.eucora.policy.v1+json"


class SealedPolicyTrust:
    """Believes versions that our key has signed, and activations that it has sealed."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def sign(self, source: PolicySource) -> str:
        """Return the DSSE envelope of a version."""
        return self._sealer.sign_document(PAYLOAD_TYPE, source.as_json()).decode()

    def open_version(self, version: PolicyVersion) -> PolicySource:
        """Return the text of a version whose signature and digest fit.

        Raises:
            PolicyTrustError: they do not.
        """
        try:
            signed = self._sealer.open_document(PAYLOAD_TYPE, version.envelope.encode())
            source = parse_source(signed)
        except (EvidenceError, PolicyLoadError) as error:
            raise PolicyTrustError(f"policy version {version.version}: {error}") from error
        if signed != source.as_json() or source.digest != version.policy_digest:
            raise PolicyTrustError(
                f"policy version {version.version} is not what its digest names: "
                f"{version.policy_digest}"
            )
        return source

    async def check_newest(
        self, connection: Connection, activation: PolicyActivation | None
    ) -> None:
        """Check that an activation is the last one that the audit log knows.

        Raises:
            PolicyTrustError: it is not: rows are missing, or older ones were put in their place.
        """
        try:
            newest = await find_newest(connection, AuditSubject.POLICY, PUT_IN_FORCE.values())
        except LogTamperedError as error:
            raise PolicyTrustError(f"the audit log was changed: {error}") from error
        logged = newest and (newest.subject_id, newest.evidence)
        stored = activation and (activation.activation_id, (activation.bundle_digest,))
        if logged == stored:
            return
        told = "no activation" if newest is None else newest.subject_id
        found = "none" if activation is None else activation.activation_id
        raise PolicyTrustError(
            f"the audit log names {told} as the newest activation of a policy, the database"
            f" {found}: rows were deleted or changed; put a policy in force anew, or restore a"
            " backup where none is left"
        )

    async def check_activation(self, connection: Connection, activation: PolicyActivation) -> None:
        """Check that an activation is what was sealed of it.

        Raises:
            PolicyTrustError: it is not.
        """
        try:
            opened = await self._sealer.open(connection, activation.bundle_digest)
            case = read_case(opened, StatementKind.POLICY)
        except EvidenceError as error:
            raise PolicyTrustError(
                f"the evidence of {activation.activation_id} does not verify: {error}"
            ) from error
        facts = facts_of(activation)
        named = opened.statement.subjects[POLICY_SUBJECT]
        if named != activation.policy_digest or facts != {name: case.get(name) for name in facts}:
            raise PolicyTrustError(
                f"the activation {activation.activation_id} is not what was sealed of it"
            )


def facts_of(activation: PolicyActivation) -> dict[str, Any]:
    """Return what of an activation is sealed and compared with its row."""
    return {
        "activation_id": activation.activation_id,
        "kind": activation.kind.value,
        "policy_digest": activation.policy_digest,
        "previous_activation_id": activation.previous_activation_id,
        "proposed_by": activation.proposed_by,
        "activated_by": activation.activated_by,
    }

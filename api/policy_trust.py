# SPDX-License-Identifier: Apache-2.0
"""Which stored policies are believed: versions that our key signed, activations that it sealed."""

import json
from typing import Any

from contracts.dsse import EnvelopeError, open_envelope, seal
from evidence.errors import EvidenceError
from evidence.sealing import Sealer
from evidence.signing import ecdsa_signer, ecdsa_verifier, key_id_of
from evidence.statement import CASE_FILE, POLICY_SUBJECT, StatementKind
from guardrails.errors import PolicyLoadError, PolicyTrustError
from guardrails.policy_source import PolicySource, parse_source
from guardrails.policy_store import PolicyActivation, PolicyVersion
from kernel.database import Connection
from kernel.keys import KeyStore

PAYLOAD_TYPE = "application/vnd.eucora.policy+json"


class SealedPolicyTrust:
    """Believes versions that our key has signed, and activations that it has sealed."""

    def __init__(self, key_store: KeyStore, sealer: Sealer) -> None:
        self._key_store = key_store
        self._sealer = sealer

    def sign(self, source: PolicySource) -> str:
        """Return the DSSE envelope of a version."""
        key = self._key_store.evidence_key()
        return seal(
            payload_type=PAYLOAD_TYPE,
            payload=source.encode(),
            key_id=key_id_of(key.public_key()),
            sign=ecdsa_signer(key),
        ).decode()

    def open_version(self, version: PolicyVersion) -> PolicySource:
        """Return the text of a version whose signature and digest fit.

        Raises:
            PolicyTrustError: they do not.
        """
        key = self._key_store.evidence_key().public_key()
        try:
            envelope = open_envelope(version.envelope.encode(), verify=ecdsa_verifier(key))
            source = parse_source(json.loads(envelope.payload))
        except (EnvelopeError, ValueError, PolicyLoadError) as error:
            raise PolicyTrustError(f"policy version {version.version}: {error}") from error
        fits = envelope.payload_type == PAYLOAD_TYPE and envelope.payload == source.encode()
        if not fits or source.digest != version.policy_digest:
            raise PolicyTrustError(
                f"policy version {version.version} is not what its digest names: "
                f"{version.policy_digest}"
            )
        return source

    async def check_activation(self, connection: Connection, activation: PolicyActivation) -> None:
        """Check that an activation is what was sealed of it.

        Raises:
            PolicyTrustError: it is not.
        """
        try:
            opened = await self._sealer.open(connection, activation.bundle_digest)
            sealed = json.loads(opened.files[CASE_FILE])
        except (EvidenceError, KeyError, ValueError) as error:
            raise PolicyTrustError(
                f"the evidence of {activation.activation_id} does not verify: {error}"
            ) from error
        statement = opened.statement
        fits = (
            statement.kind is StatementKind.POLICY
            and statement.subjects[POLICY_SUBJECT] == activation.policy_digest
            and all(sealed.get(key) == value for key, value in facts_of(activation).items())
        )
        if not fits:
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

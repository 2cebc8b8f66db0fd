# SPDX-License-Identifier: Apache-2.0
"""Stands for dispatch/ and evidence/ where only the agent is under test: signed jobs and a log.

The Merkle hashes follow the recursive definitions of RFC 6962 section 2.1 word for word, so they
check the iterative verification of contracts/merkle.py independently.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.canonical import canonical_json, digest_of, sha256_hex
from contracts.checkpoint import Checkpoint, sign_checkpoint
from contracts.dsse import seal
from contracts.job import JOB_PAYLOAD_TYPE
from contracts.merkle import EMPTY_ROOT, hash_children, hash_leaf

ORIGIN = "eucora.local/audit"
SCRIPT = {
    "script_id": "linux-test",
    "version": "1.0.0",
    "sha256": sha256_hex(b"script"),
    "interpreter": "bash",
}


def _split(n_entries: int) -> int:
    """Return the largest power of two smaller than n."""
    return 1 << ((n_entries - 1).bit_length() - 1)


def tree_root(entries: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return EMPTY_ROOT
    if len(entries) == 1:
        return hash_leaf(entries[0])
    k = _split(len(entries))
    return hash_children(tree_root(entries[:k]), tree_root(entries[k:]))


def inclusion_path(index: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(entries) == 1:
        return []
    k = _split(len(entries))
    if index < k:
        return [*inclusion_path(index, entries[:k]), tree_root(entries[k:])]
    return [*inclusion_path(index - k, entries[k:]), tree_root(entries[:k])]


def consistency_path(first: int, entries: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF(m, D[n]) = SUBPROOF(m, D[n], true)."""
    if first == len(entries):
        return [] if whole else [tree_root(entries)]
    k = _split(len(entries))
    if first <= k:
        return [*consistency_path(first, entries[:k], whole=whole), tree_root(entries[k:])]
    return [*consistency_path(first - k, entries[k:], whole=False), tree_root(entries[:k])]


def _statement(kind: str, subjects: dict[str, str], predicate: dict[str, Any]) -> bytes:
    return canonical_json(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": f"https://eucora.dev/attestations/{kind}/v1",
            "subject": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(subjects.items())
            ],
            "predicate": predicate,
        }
    )


class JobIssuer:
    """Issues jobs for one device, each approved in its own log."""

    def __init__(self, device_id: str = "dev_1") -> None:
        self.device_id = device_id
        self.job_key = Ed25519PrivateKey.generate()
        self.log_key = Ed25519PrivateKey.generate()
        self.entries: list[bytes] = [canonical_json({"action": "log.opened"})]
        self.sequence = 0

    def checkpoint(self, size: int | None = None) -> str:
        """Return the signed note over the first `size` entries (all by default)."""
        entries = self.entries[:size]
        checkpoint = Checkpoint(origin=ORIGIN, tree_size=len(entries), root_hash=tree_root(entries))
        return sign_checkpoint(checkpoint, self.log_key)

    def append(self, event: dict[str, Any]) -> int:
        """Log one event; return its index."""
        self.entries.append(canonical_json(event))
        return len(self.entries) - 1

    def payload(self, steps: dict[str, str], **changes: Any) -> dict[str, Any]:
        """Return a job's payload, approved and logged; `changes` replace fields afterwards."""
        self.sequence += 1
        now = datetime.now(UTC)
        expires_at = (now + timedelta(minutes=10)).isoformat()
        parameters = changes.get("parameters", {"path": "/tmp", "force": True})
        approved = self.approve(steps, parameters, expires_at=expires_at)
        payload = {
            "job_id": f"job_{secrets.token_hex(6)}",
            "kind": "remediate",
            "device_id": self.device_id,
            "sequence": self.sequence,
            "nonce": secrets.token_hex(16),
            "issued_at": now.isoformat(),
            "expires_at": expires_at,
            "correlation_id": f"cor_{secrets.token_hex(4)}",
            "script_id": SCRIPT["script_id"],
            "script_version": SCRIPT["version"],
            "script_sha256": SCRIPT["sha256"],
            "interpreter": SCRIPT["interpreter"],
            "steps": {
                name: {
                    "content_base64": base64.b64encode(text.encode()).decode(),
                    "sha256": sha256_hex(text.encode()),
                }
                for name, text in steps.items()
            },
            "parameters": parameters,
            "parameters_sha256": digest_of(parameters),
            "timeout_seconds": 20,
            **approved,
        }
        return payload | changes

    def approve(
        self,
        steps: dict[str, str],
        parameters: dict[str, Any],
        *,
        expires_at: str,
        proposal_id: str = "prop_1",
    ) -> dict[str, Any]:
        """Seal and log an approval; return the job's fields that speak of it."""
        case = canonical_json(
            {
                "proposal_id": proposal_id,
                "target_device_id": self.device_id,
                "script": SCRIPT,
                "parameters": parameters,
            }
        )
        scripts = {f"{name}.sh": sha256_hex(text.encode()) for name, text in steps.items()}
        # The real ones carry an id of their own: no two statements are the same.
        proposal = _statement(
            "proposal",
            {"case.json": sha256_hex(case), **scripts},
            {"statement_id": secrets.token_hex(8)},
        )
        bundle = sha256_hex(proposal)
        approval = _statement(
            "approval",
            {"proposal": bundle, **scripts},
            {
                "statement_id": secrets.token_hex(8),
                "decision": "approve",
                "proposal_id": proposal_id,
                "bundle_digest": bundle,
                "expires_at": expires_at,
            },
        )
        index = self.append(
            {
                "action": "approval.sealed",
                "subject_kind": "proposal",
                "subject_id": proposal_id,
                "device_id": self.device_id,
                "evidence": [sha256_hex(approval), bundle],
            }
        )
        return {
            "proposal_id": proposal_id,
            "bundle_digest": bundle,
            "approval_digest": sha256_hex(approval),
            "inclusion": self.prove(index),
            "evidence": {
                "approval_base64": base64.b64encode(approval).decode(),
                "proposal_base64": base64.b64encode(proposal).decode(),
                "case_base64": base64.b64encode(case).decode(),
            },
        }

    def prove(self, index: int) -> dict[str, Any]:
        """Return the inclusion proof of one entry in the log as it is now."""
        return {
            "leaf_index": index,
            "tree_size": len(self.entries),
            "hashes": [value.hex() for value in inclusion_path(index, self.entries)],
            "leaf_entry_base64": base64.b64encode(self.entries[index]).decode(),
            "checkpoint": self.checkpoint(),
        }

    def sign(self, payload: dict[str, Any], key: Ed25519PrivateKey | None = None) -> bytes:
        """Return the DSSE envelope of a payload."""
        return seal(
            payload_type=JOB_PAYLOAD_TYPE,
            payload=msgspec.json.encode(payload),
            key_id="job",
            sign=(key or self.job_key).sign,
        )

    def issue(self, steps: dict[str, str], **changes: Any) -> bytes:
        """Return a signed job."""
        return self.sign(self.payload(steps, **changes))

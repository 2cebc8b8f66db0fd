# SPDX-License-Identifier: Apache-2.0
"""Collects all evidence of a proposal into one case file that a stranger can verify offline."""

import base64

from evidence.audit_entry import LOG_ORIGIN
from evidence.bundles import BundleRecord, list_bundles, read_bundle
from evidence.case_file import CaseFile, LogProof, SealedStatement, encode_case
from evidence.errors import NotSequencedError, UnknownBundleError
from evidence.log import MerkleLog, StoredCheckpoint
from evidence.objects import Objects
from evidence.signing import public_pem
from kernel.database import Connection
from kernel.keys import KeyStore


async def export_case(
    connection: Connection,
    proposal_id: str,
    *,
    objects: Objects,
    log: MerkleLog,
    key_store: KeyStore,
) -> bytes:
    """Return the case file of a proposal (canonical JSON).

    Raises:
        UnknownBundleError: nothing was sealed for this proposal.
        NotSequencedError: a statement is not in the log yet: try again soon.
        BundleCorruptError, ObjectMissingError: the object store is damaged.
    """
    records = await list_bundles(connection, proposal_id)
    if not records:
        raise UnknownBundleError(proposal_id)
    checkpoint = await log.latest_checkpoint(connection)
    if checkpoint is None:
        raise NotSequencedError(records[0].event_id)
    key = key_store.evidence_key().public_key()
    files: dict[str, str] = {}
    statements = []
    for record in records:
        opened = await read_bundle(connection, objects, record.bundle_digest, key)
        files |= {
            name: base64.b64encode(content).decode() for name, content in opened.files.items()
        }
        proof = await _log_proof(connection, log, record, checkpoint)
        statements.append(
            SealedStatement(digest=record.bundle_digest, bundle=dict(opened.sigstore), log=proof)
        )
    case = CaseFile(
        proposal_id=proposal_id,
        files=files,
        statements=tuple(sorted(statements, key=lambda entry: entry.log.leaf_index)),
        checkpoint=checkpoint.signed_note,
        log_origin=LOG_ORIGIN,
        evidence_public_key_pem=public_pem(key),
        log_public_key_pem=public_pem(key_store.log_key().public_key()),
    )
    return encode_case(case)


async def _log_proof(
    connection: Connection, log: MerkleLog, record: BundleRecord, checkpoint: StoredCheckpoint
) -> LogProof:
    proof = await log.inclusion_proof(connection, record.event_id, checkpoint)
    return LogProof(
        leaf_index=proof.leaf_index,
        entry_base64=proof.leaf_entry_base64,
        hashes=proof.hashes,
    )

# SPDX-License-Identifier: Apache-2.0
"""Seals what was proposed, approved, executed and verified; promotions, script decisions, policies.

The object is written before the row is committed: it is content-addressed, so one left behind by
a rolled-back transaction is harmless, while a committed row always has its object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contracts.canonical import canonical_json, sha256_hex
from evidence.audit_entry import format_instant
from evidence.bundles import (
    BundleRecord,
    OpenedBundle,
    encode_object,
    find_bundle,
    insert_bundle,
    object_key_of,
    read_bundle,
)
from evidence.errors import UnknownBundleError, UnsafeFileNameError
from evidence.objects import Objects
from evidence.signed_document import open_document, sign_document
from evidence.sigstore import sign_bundle
from evidence.statement import (
    CASE_FILE,
    LONE_SUBJECTS,
    PROPOSAL_SUBJECT,
    Statement,
    StatementKind,
    encode_statement,
    file_subjects,
    later_subjects,
)
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.keys import KeyStore

LaterKind = Literal["approval", "execution", "verification"]
LoneKind = Literal[StatementKind.PROMOTION, StatementKind.POLICY, StatementKind.SCRIPT_DECISION]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBundle:
    """Where a sealed statement is: the SHA-256 (hex) of its bytes, and its object's key."""

    digest: str
    object_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Who has a statement sealed, about which case, on whose request."""

    proposal_id: str
    actor: str
    correlation_id: str
    device_id: str | None = None
    subject_kind: str = "proposal"


class Sealer:
    """Signs statements about a case, stores them and leaves their audit event."""

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        key_store: KeyStore,
        objects: Objects,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._key_store = key_store
        self._objects = objects

    async def seal_proposal(
        self,
        connection: Connection,
        *,
        proposal_id: str,
        case: dict[str, Any],
        script_files: Mapping[str, bytes],
        actor: str,
        correlation_id: str,
    ) -> SealedBundle:
        """Seal a proposal: its case file and the exact script bytes are the subjects.

        Args:
            connection: carries the transaction that inserts the proposal.
            proposal_id: of the proposal.
            case: masked JSON value; becomes `case.json` in canonical form.
            script_files: content by file name.
            actor: who proposes.
            correlation_id: of the request.

        Raises:
            UnsafeFileNameError: a script's name is not a plain file name, or is reserved.
            CanonicalFormError: the case is not a JSON value.
        """
        if reserved := {CASE_FILE, PROPOSAL_SUBJECT} & script_files.keys():
            message = f"reserved file names: {sorted(reserved)}"
            raise UnsafeFileNameError(message)
        files = {CASE_FILE: canonical_json(case), **script_files}
        statement = self._statement(
            StatementKind.PROPOSAL, file_subjects(files), {}, proposal_id, correlation_id
        )
        origin = _Origin(proposal_id=proposal_id, actor=actor, correlation_id=correlation_id)
        return await self._seal(connection, statement, files, (), origin)

    async def seal_lone(
        self,
        connection: Connection,
        *,
        kind: LoneKind,
        lone_id: str,
        case: dict[str, Any],
        files: Mapping[str, bytes],
        actor: str,
        correlation_id: str,
        digest: str | None = None,
    ) -> SealedBundle:
        """Seal a statement that stands alone; its case and files are sealed in full.

        Args:
            connection: carries the transaction that inserts what is attested.
            kind: a model is put to use, a policy version is put in force, or script versions are
                decided on.
            lone_id: of the promotion, activation or decision; it takes the place of a proposal's.
            case: masked JSON value: who decided what, why, on what; becomes `case.json`.
            files: what the decision is about or rests on, by file name.
            actor: who decides.
            correlation_id: of the request.
            digest: SHA-256 (hex) of the model's file or the policy version, which are not files
                of the bundle; None for a decision on scripts.

        Raises:
            ValueError: a kind without its digest, or a digest that its kind does not name.
            UnsafeFileNameError: a file's name is not a plain file name, or is reserved.
            CanonicalFormError: the case is not a JSON value.
        """
        name = LONE_SUBJECTS.get(kind)
        if (name is None) is not (digest is None):
            message = f"a {kind} names {'no digest' if name is None else f'the digest of a {name}'}"
            raise ValueError(message)
        named = {} if name is None or digest is None else {name: digest}
        if reserved := {CASE_FILE, *named} & files.keys():
            message = f"reserved file names: {sorted(reserved)}"
            raise UnsafeFileNameError(message)
        contents = {CASE_FILE: canonical_json(case), **files}
        subjects = {**file_subjects(contents), **named}
        statement = self._statement(kind, subjects, {}, lone_id, correlation_id)
        origin = _Origin(
            proposal_id=lone_id,
            actor=actor,
            correlation_id=correlation_id,
            subject_kind=kind.value,
        )
        return await self._seal(connection, statement, contents, (), origin)

    def sign_document(self, payload_type: str, document: Mapping[str, Any]) -> bytes:
        """Return a document in a signed envelope (see `evidence.signed_document`)."""
        return sign_document(payload_type, document, self._key_store.evidence_key())

    def open_document(self, payload_type: str, envelope: bytes) -> dict[str, Any]:
        """Return a document that we signed.

        Raises:
            DocumentUnverifiedError: malformed, of another type, or signed by another key.
        """
        return open_document(payload_type, envelope, self._key_store.evidence_key().public_key())

    async def seal_statement(
        self,
        connection: Connection,
        *,
        kind: LaterKind,
        proposal_id: str,
        bundle_digest: str,
        predicate: dict[str, Any],
        actor: str,
        correlation_id: str,
        device_id: str | None = None,
    ) -> SealedBundle:
        """Seal a further statement about a sealed proposal; its audit evidence names both.

        Args:
            connection: carries the transaction of what is attested.
            kind: what is attested.
            proposal_id: of the proposal.
            bundle_digest: of the proposal's bundle.
            predicate: masked JSON object: what was decided, done or found. The keys
                `proposal_id`, `bundle_digest`, `correlation_id`, `statement_id` and `sealed_at`
                are set here.
            actor: who approved, executed or verified.
            correlation_id: of the request.
            device_id: the device concerned, if any.

        Raises:
            UnknownBundleError: the digest is not that of this proposal's bundle.
            BundleCorruptError: the stored proposal is not what was sealed.
        """
        record = await find_bundle(connection, bundle_digest)
        if (
            record is None
            or record.proposal_id != proposal_id
            or record.kind is not StatementKind.PROPOSAL
        ):
            raise UnknownBundleError(bundle_digest)
        proposal = await self.open(connection, bundle_digest)
        subjects = later_subjects(proposal.statement, bundle_digest)
        content = {**predicate, "bundle_digest": bundle_digest}
        statement = self._statement(
            StatementKind(kind), subjects, content, proposal_id, correlation_id
        )
        origin = _Origin(
            proposal_id=proposal_id,
            actor=actor,
            correlation_id=correlation_id,
            device_id=device_id,
        )
        return await self._seal(connection, statement, {}, (bundle_digest,), origin)

    async def open(self, connection: Connection, digest: str) -> OpenedBundle:
        """Return a sealed statement with its files, checked against our own key.

        Raises:
            UnknownBundleError: there is no such bundle.
            ObjectMissingError: the object store lost it.
            BundleCorruptError: the stored bytes are not what was sealed.
        """
        key = self._key_store.evidence_key().public_key()
        return await read_bundle(connection, self._objects, digest, key)

    def _statement(
        self,
        kind: StatementKind,
        subjects: Mapping[str, str],
        predicate: Mapping[str, Any],
        proposal_id: str,
        correlation_id: str,
    ) -> Statement:
        common = {
            "statement_id": self._ids.new("stm"),
            "proposal_id": proposal_id,
            "correlation_id": correlation_id,
            "sealed_at": format_instant(self._clock.now()),
        }
        return Statement(kind=kind, subjects=subjects, predicate={**predicate, **common})

    async def _seal(
        self,
        connection: Connection,
        statement: Statement,
        files: Mapping[str, bytes],
        about: tuple[str, ...],
        origin: _Origin,
    ) -> SealedBundle:
        payload = encode_statement(statement)
        digest = sha256_hex(payload)
        object_key = object_key_of(digest)
        bundle = sign_bundle(payload, self._key_store.evidence_key())
        await self._objects.put(object_key, encode_object(bundle, files))
        event_id = await self._audit.record(
            connection,
            actor=origin.actor,
            action=f"{statement.kind.value}.sealed",
            subject_kind=origin.subject_kind,
            subject_id=origin.proposal_id,
            correlation_id=origin.correlation_id,
            device_id=origin.device_id,
            after={"bundle_digest": digest, "object_key": object_key},
            evidence=(digest, *about),
        )
        record = BundleRecord(
            bundle_digest=digest,
            proposal_id=origin.proposal_id,
            kind=statement.kind,
            object_key=object_key,
            event_id=event_id,
            created_at=self._clock.now(),
        )
        await insert_bundle(connection, record)
        return SealedBundle(digest=digest, object_key=object_key)

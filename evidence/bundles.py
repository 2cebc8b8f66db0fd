# SPDX-License-Identifier: Apache-2.0
"""Stored bundles: the registry rows, and the objects that hold a signed statement and its files.

An object is canonical JSON {"bundle": sigstore bundle, "files": {name: base64}} under a key made
of the statement's digest; reading one checks signature, digest and files again.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from contracts.canonical import canonical_json, sha256_hex
from evidence.errors import BundleCorruptError, EvidenceError, UnknownBundleError
from evidence.objects import Objects
from evidence.sigstore import open_bundle
from evidence.statement import (
    CASE_FILE,
    FIRST_KINDS,
    LONE_SUBJECTS,
    Statement,
    StatementKind,
    file_subjects,
    parse_statement,
)
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "bundles")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRecord:
    """The registry row of a sealed statement."""

    bundle_digest: str
    proposal_id: str
    kind: StatementKind
    object_key: str
    event_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBundle:
    """A bundle whose signature, digest and files were checked."""

    digest: str
    statement: Statement
    sigstore: Mapping[str, Any]
    files: Mapping[str, bytes]


def object_key_of(digest: str) -> str:
    """Return where the bundle with this digest is stored."""
    return f"bundles/{digest[:2]}/{digest}.json"


def encode_object(bundle: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return the object of a bundle and its files."""
    encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    return canonical_json({"bundle": json.loads(bundle), "files": encoded})


def decode_files(encoded: Mapping[str, Any]) -> dict[str, bytes]:
    """Decode {name: base64}; a second spelling of the same bytes is refused.

    Raises:
        EvidenceError: a name is unsafe or a value is not canonical base64.
    """
    files: dict[str, bytes] = {}
    for name, text in encoded.items():
        try:
            files[name] = base64.b64decode(text, validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            message = f"the file {name[:100]!r} is not base64"
            raise EvidenceError(message) from error
        if base64.b64encode(files[name]).decode() != text:
            message = f"the file {name[:100]!r} is not canonical base64"
            raise EvidenceError(message)
    return files


def check_files(statement: Statement, files: Mapping[str, bytes]) -> None:
    """Check that the files of a case are exactly its subjects; later statements have none.

    Of what stands alone one subject, such as a promotion's model, is named by its digest alone.

    Raises:
        BundleCorruptError: a file is missing, superfluous or changed.
    """
    expected = dict(statement.subjects) if statement.kind in FIRST_KINDS else {}
    named = LONE_SUBJECTS.get(statement.kind)
    if named is not None and expected.pop(named, None) is None:
        raise BundleCorruptError(f"the {statement.kind} names no {named}")
    if file_subjects(files) != expected:
        message = "the files are not those that the statement names"
        raise BundleCorruptError(message)


def decode_object(content: bytes, digest: str, key: EllipticCurvePublicKey) -> OpenedBundle:
    """Read and check a stored object.

    Raises:
        BundleCorruptError: it is not what was sealed under this digest and key.
    """
    try:
        document = json.loads(content)
        envelope = open_bundle(document["bundle"], key)
        statement = parse_statement(envelope.payload)
        files = decode_files(document["files"])
    except (KeyError, TypeError, ValueError, AttributeError, EvidenceError) as error:
        message = f"the stored bundle {digest} does not verify: {error}"
        raise BundleCorruptError(message) from error
    if sha256_hex(envelope.payload) != digest:
        message = f"the stored bundle is not {digest}"
        raise BundleCorruptError(message)
    check_files(statement, files)
    return OpenedBundle(
        digest=digest, statement=statement, sigstore=document["bundle"], files=files
    )


def read_case(opened: OpenedBundle, kind: StatementKind) -> dict[str, Any]:
    """Return the case of a checked bundle; comparing what it says with rows is the caller's.

    Raises:
        BundleCorruptError: it is of another kind, or holds no case that is a JSON object.
    """
    if opened.statement.kind is not kind:
        raise BundleCorruptError(f"a {kind} was expected, sealed is a {opened.statement.kind}")
    try:
        case = json.loads(opened.files[CASE_FILE])
    except (KeyError, ValueError, RecursionError) as error:
        raise BundleCorruptError("it holds no readable case") from error
    if not isinstance(case, dict):
        raise BundleCorruptError("its case is no JSON object")
    return case


def _record(row: Mapping[str, Any]) -> BundleRecord:
    return BundleRecord(**(dict(row) | {"kind": StatementKind(row["kind"])}))


async def find_bundle(connection: Connection, digest: str) -> BundleRecord | None:
    """Return the registry row of a bundle, or None."""
    cursor = await connection.execute(QUERIES["find_bundle"], {"bundle_digest": digest})
    row = await cursor.fetchone()
    return None if row is None else _record(row)


async def list_bundles(connection: Connection, proposal_id: str) -> list[BundleRecord]:
    """Return all statements about a proposal, oldest first."""
    cursor = await connection.execute(QUERIES["list_bundles"], {"proposal_id": proposal_id})
    return [_record(row) async for row in cursor]


async def insert_bundle(connection: Connection, record: BundleRecord) -> None:
    """Register a bundle."""
    await connection.execute(
        QUERIES["insert_bundle"],
        {
            "bundle_digest": record.bundle_digest,
            "proposal_id": record.proposal_id,
            "kind": record.kind.value,
            "object_key": record.object_key,
            "event_id": record.event_id,
            "created_at": record.created_at,
        },
    )


async def read_bundle(
    connection: Connection, objects: Objects, digest: str, key: EllipticCurvePublicKey
) -> OpenedBundle:
    """Load a registered bundle and check it.

    Raises:
        UnknownBundleError: it is not registered.
        ObjectMissingError: the object store lost it.
        BundleCorruptError: the stored bytes are not what was sealed.
    """
    record = await find_bundle(connection, digest)
    if record is None:
        raise UnknownBundleError(digest)
    opened = decode_object(await objects.get(record.object_key), digest, key)
    if opened.statement.kind is not record.kind:
        message = f"the stored bundle {digest} is of another kind"
        raise BundleCorruptError(message)
    return opened

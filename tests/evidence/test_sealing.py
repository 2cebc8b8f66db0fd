# SPDX-License-Identifier: Apache-2.0
"""Sealing: digests, audit events, subjects, and refusals."""

import base64
import json

import psycopg
import pytest

from contracts.canonical import CanonicalFormError, canonical_json, sha256_hex
from contracts.dsse import parse_envelope
from evidence.audit import list_events
from evidence.bundles import find_bundle, object_key_of, read_case
from evidence.errors import (
    BundleCorruptError,
    DocumentUnverifiedError,
    ObjectMissingError,
    UnknownBundleError,
    UnsafeFileNameError,
)
from evidence.sigstore import MEDIA_TYPE
from evidence.statement import PAYLOAD_TYPE, StatementKind


async def test_a_proposal_names_its_case_and_scripts(office) -> None:
    case = {"b": [1, 2.5, None], "a": "text"}
    sealed = await office.propose(case=case, script_files={"detect.sh": b"exit 0\n"})
    document = json.loads(await office.objects.get(sealed.object_key))
    envelope = parse_envelope(canonical_json(document["bundle"]["dsseEnvelope"]))
    statement = json.loads(envelope.payload)
    assert sealed.digest == sha256_hex(envelope.payload)
    assert document["bundle"]["mediaType"] == MEDIA_TYPE
    assert envelope.payload_type == PAYLOAD_TYPE
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://eucora.dev/attestations/proposal/v1"
    assert statement["predicate"]["proposal_id"] == "prp_1"
    assert {entry["name"]: entry["digest"]["sha256"] for entry in statement["subject"]} == {
        "case.json": sha256_hex(canonical_json(case)),
        "detect.sh": sha256_hex(b"exit 0\n"),
    }
    assert base64.b64decode(document["files"]["case.json"]) == canonical_json(case)


async def test_each_sealing_leaves_one_audit_event_that_names_the_digests(office) -> None:
    proposal = await office.propose()
    approval = await office.state("approval", proposal.digest, decision="approve")
    later, first = await list_events(office.connection, subject_id="prp_1")
    assert (first.action, first.evidence) == ("proposal.sealed", (proposal.digest,))
    assert later.action == "approval.sealed"
    assert later.evidence == (approval.digest, proposal.digest)
    assert later.device_id == "dev_1"
    record = await find_bundle(office.connection, approval.digest)
    assert record is not None
    assert (record.kind, record.event_id) == (StatementKind.APPROVAL, later.event_id)


async def test_a_sealed_bundle_opens_to_what_was_sealed(office) -> None:
    sealed = await office.propose(script_files={"verify.ps1": b"\xff\x00"})
    opened = await office.sealer.open(office.connection, sealed.digest)
    assert opened.files["verify.ps1"] == b"\xff\x00"
    assert opened.statement.kind is StatementKind.PROPOSAL


async def test_later_statements_keep_the_scripts_and_cannot_set_reserved_fields(office) -> None:
    proposal = await office.propose()
    sealed = await office.state(
        "execution", proposal.digest, bundle_digest="0" * 64, correlation_id="forged", outcome="ok"
    )
    opened = await office.sealer.open(office.connection, sealed.digest)
    original = await office.sealer.open(office.connection, proposal.digest)
    scripts = {k: v for k, v in original.statement.subjects.items() if k != "case.json"}
    assert opened.statement.subjects == {"proposal": proposal.digest, **scripts}
    assert opened.statement.predicate["bundle_digest"] == proposal.digest
    assert opened.statement.predicate["correlation_id"] == "cor_1"
    assert opened.statement.predicate["outcome"] == "ok"


async def test_an_unknown_or_foreign_bundle_is_refused(office) -> None:
    foreign = await office.propose("prp_2")
    proposal = await office.propose()
    approval = await office.state("approval", proposal.digest)
    for digest in ("0" * 64, foreign.digest, approval.digest):
        with pytest.raises(UnknownBundleError):
            await office.state("approval", digest)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "case.json", "proposal", "a b"])
async def test_names_that_are_no_plain_file_names_are_refused(office, name: str) -> None:
    with pytest.raises(UnsafeFileNameError):
        await office.propose(script_files={name: b""})


async def test_a_case_that_is_no_json_is_refused(office) -> None:
    with pytest.raises(CanonicalFormError):
        await office.propose(case={"score": float("nan")})


async def test_a_changed_object_is_refused(office) -> None:
    proposal = await office.propose()
    path = office.directory / proposal.object_key
    content = path.read_bytes()
    document = json.loads(content)
    changed_file = document | {"files": document["files"] | {"detect.sh": "ZXhpdCAw"}}
    foreign = await office.propose(case={})
    for forged in (
        b"",
        b"[]",
        content[:-1],
        content.replace(b'"payload":"', b'"payload":"e'),
        canonical_json(changed_file),
        (office.directory / foreign.object_key).read_bytes(),
    ):
        path.write_bytes(forged)
        with pytest.raises(BundleCorruptError):
            await office.state("approval", proposal.digest)
    path.unlink()
    with pytest.raises(ObjectMissingError):
        await office.state("approval", proposal.digest)


async def test_nothing_is_registered_when_the_transaction_rolls_back(office) -> None:
    async with office.connection.transaction() as transaction:
        sealed = await office.propose()
        raise psycopg.Rollback(transaction)
    assert await find_bundle(office.connection, sealed.digest) is None
    assert await office.objects.exists(object_key_of(sealed.digest))
    assert await list_events(office.connection, subject_id="prp_1") == []


async def seal_lone(office, kind, digest, files):
    return await office.sealer.seal_lone(
        office.connection, kind=kind, lone_id="lone_1", digest=digest, case={"why": "tested"},
        files=files, actor="user:grace", correlation_id="cor_1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "digest", "subjects"),
    [
        (StatementKind.PROMOTION, "a" * 64, {"case.json", "model", "card.json"}),
        (StatementKind.POLICY, "a" * 64, {"case.json", "policy", "card.json"}),
        (StatementKind.SCRIPT_DECISION, None, {"case.json", "card.json"}),
    ],
)
async def test_what_stands_alone_is_sealed_with_its_case(office, kind, digest, subjects) -> None:
    sealed = await seal_lone(office, kind, digest, {"card.json": b"{}"})
    opened = await office.sealer.open(office.connection, sealed.digest)
    assert set(opened.statement.subjects) == subjects
    assert read_case(opened, kind) == {"why": "tested"}
    (event,) = await list_events(office.connection, subject_id="lone_1")
    assert (event.action, event.subject_kind) == (f"{kind}.sealed", kind.value)
    with pytest.raises(BundleCorruptError, match="expected"):
        read_case(opened, StatementKind.PROPOSAL)
    with pytest.raises(ValueError, match="digest"):
        await seal_lone(office, kind, None if digest else "a" * 64, {})
    for name in subjects - {"card.json"}:
        with pytest.raises(UnsafeFileNameError, match="reserved"):
            await seal_lone(office, kind, digest, {name: b""})


def test_a_signed_document_is_opened_as_its_own_type_alone(office) -> None:
    envelope = office.sealer.sign_document("application/vnd.eucora.one.v1+json", {"a": 1})
    open_as = office.sealer.open_document
    assert open_as("application/vnd.eucora.one.v1+json", envelope) == {"a": 1}
    with pytest.raises(DocumentUnverifiedError, match="holds no"):
        open_as("application/vnd.eucora.two.v1+json", envelope)
    with pytest.raises(DocumentUnverifiedError, match="does not verify"):
        open_as("application/vnd.eucora.one.v1+json", envelope.replace(b'"sig":"', b'"sig":"AA'))

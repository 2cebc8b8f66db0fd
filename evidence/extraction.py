# SPDX-License-Identifier: Apache-2.0
"""Writes the parts of a case file as plain files, so that public tools can check them.

Writes only below the given directory. It does not verify: that is the point of the tools.
"""

from pathlib import Path

from contracts.canonical import canonical_json
from contracts.checkpoint import parse_checkpoint, split_note
from contracts.dsse import Envelope, parse_envelope
from evidence.bundles import decode_files
from evidence.case_file import CaseFile, SealedStatement, parse_case
from evidence.errors import EvidenceError, MalformedCaseError
from evidence.statement import check_file_name, parse_statement


def extract_case(content: bytes, directory: Path) -> tuple[Path, ...]:
    """Write a case's parts into a directory and return the paths written.

    Layout: `files/` with SHA256SUMS as the signed proposal states them; `NN-kind/` with
    statement.json (the signed payload), signature.der, bundle.sigstore.json, entry.json (the
    log entry) and inclusion.json; checkpoint.txt, checkpoint.body, checkpoint.sig;
    evidence-key.pem and log-key.pem.

    Raises:
        MalformedCaseError: the content is not a case file; nothing was written.
        UnsafeFileNameError: a file's name could leave the directory; nothing was written.
        OSError: the directory cannot be written.
    """
    case = parse_case(content)
    parts = _checkpoint_parts(case)
    parts |= {f"files/{check_file_name(n)}": c for n, c in decode_files(case.files).items()}
    for number, sealed in enumerate(case.statements):
        parts |= _statement_parts(number, sealed, case)
    written = []
    for name, part in sorted(parts.items()):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part)
        written.append(path)
    return tuple(written)


def _checkpoint_parts(case: CaseFile) -> dict[str, bytes]:
    try:
        text, signatures = split_note(case.checkpoint)
    except ValueError as error:
        message = f"the checkpoint is malformed: {error}"
        raise MalformedCaseError(message) from error
    return {
        "checkpoint.txt": case.checkpoint.encode(),
        "checkpoint.body": text.encode(),
        "checkpoint.sig": signatures[0].signature,
        "evidence-key.pem": case.evidence_public_key_pem.encode(),
        "log-key.pem": case.log_public_key_pem.encode(),
    }


def _statement_parts(number: int, sealed: SealedStatement, case: CaseFile) -> dict[str, bytes]:
    try:
        envelope: Envelope = parse_envelope(canonical_json(sealed.bundle["dsseEnvelope"]))
        statement = parse_statement(envelope.payload)
        tree_size = parse_checkpoint(case.checkpoint).tree_size
    except (KeyError, ValueError, EvidenceError) as error:
        message = f"statement {number} is malformed: {error}"
        raise MalformedCaseError(message) from error
    folder = f"{number:02}-{statement.kind.value}"
    proof = {
        "leaf_index": sealed.log.leaf_index,
        "tree_size": tree_size,
        "hashes": list(sealed.log.hashes),
    }
    parts = {
        f"{folder}/statement.json": envelope.payload,
        f"{folder}/signature.der": envelope.signature,
        f"{folder}/bundle.sigstore.json": canonical_json(sealed.bundle),
        f"{folder}/entry.json": decode_files({"entry": sealed.log.entry_base64})["entry"],
        f"{folder}/inclusion.json": canonical_json(proof),
    }
    if number == 0:
        sums = [f"{digest}  {name}\n" for name, digest in sorted(statement.subjects.items())]
        parts["files/SHA256SUMS"] = "".join(sums).encode()
    return parts

# SPDX-License-Identifier: Apache-2.0
"""Did people approve this very job? Pure functions of the job and its logged approval.

The approval is the evidence that the log holds, not the job that names it: an approval of other
bytes, parameters, another proposal or another device approves nothing here, whoever signed the job.
A rollback is part of what was approved and may come later than the approval's end.
"""

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from agent.errors import RefusalError
from contracts.canonical import CanonicalFormError, digest_of, sha256_hex
from contracts.job import Job, RefusalReason

APPROVAL_ACTION = "approval.sealed"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE = "https://eucora.dev/attestations/{kind}/v1"
_PROPOSAL_SUBJECT = "proposal"
_CASE_SUBJECT = "case.json"


def check_approval(job: Job, entry: bytes) -> None:
    """Check the chain from the log to what would run.

    Args:
        job: correctly signed; its steps and parameters have the digests that it states.
        entry: the log entry that the job points at, proved to be in the log.

    Raises:
        RefusalError: approval_mismatch; the detail says where the chain breaks.

    """
    try:
        _check_entry(job, _read_object(entry))
        evidence = job.evidence
        approval = _decode(evidence.approval_base64, job.approval_digest, "approval")
        proposal = _decode(evidence.proposal_base64, job.bundle_digest, "proposal")
        subjects = _read_subjects(proposal, "proposal")
        case = _decode(evidence.case_base64, subjects.pop(_CASE_SUBJECT, ""), "case")
        _check_steps(job, _read_subjects(approval, "approval"), subjects)
        _check_predicate(job, approval["predicate"])
        _check_case(job, case)
    except _MismatchError as error:
        raise RefusalError(RefusalReason.APPROVAL_MISMATCH, str(error), job) from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        detail = "the approved evidence is malformed"
        raise RefusalError(RefusalReason.APPROVAL_MISMATCH, detail, job) from error


class _MismatchError(Exception):
    """The approval is not one of this job."""


def _read_object(content: bytes) -> dict[str, Any]:
    document = json.loads(content)
    if not isinstance(document, dict):
        raise _MismatchError("the approved evidence is not a JSON object")
    return document


def _decode(text: str, sha256: str, name: str) -> dict[str, Any]:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _MismatchError(f"the {name} is not base64") from error
    if sha256_hex(content) != sha256:
        raise _MismatchError(f"the {name} does not have the digest that stands for it")
    return _read_object(content)


def _check_entry(job: Job, event: dict[str, Any]) -> None:
    expected = {
        "action": APPROVAL_ACTION,
        "subject_kind": "proposal",
        "subject_id": job.proposal_id,
        "device_id": job.device_id,
        "evidence": [job.approval_digest, job.bundle_digest],
    }
    _compare("the log entry", event, expected)


def _read_subjects(statement: dict[str, Any], kind: str) -> dict[str, str]:
    """Return {file name: sha256 hex} of an in-toto statement of one kind."""
    expected = {"_type": _STATEMENT_TYPE, "predicateType": _PREDICATE_TYPE.format(kind=kind)}
    _compare(f"the {kind}", statement, expected)
    subjects = {entry["name"]: entry["digest"]["sha256"] for entry in statement["subject"]}
    if len(subjects) != len(statement["subject"]):
        raise _MismatchError(f"the {kind} names a subject twice")
    return subjects


def _check_steps(job: Job, approved: dict[str, str], files: dict[str, str]) -> None:
    """Compare the approval's subjects, the proposal's script files and the job's steps.

    Each script file is one step, and each step a script file: none is added or left out.
    """
    if approved != {_PROPOSAL_SUBJECT: job.bundle_digest, **files}:
        raise _MismatchError("the approval is one of another proposal")
    steps = {name: step.sha256 for name, step in job.steps.items()}
    by_step = {name.partition(".")[0]: digest for name, digest in files.items()}
    if len(by_step) != len(files) or by_step != steps:
        raise _MismatchError("the steps are not the approved script files")


def _check_predicate(job: Job, predicate: dict[str, Any]) -> None:
    expected = {
        "decision": "approve",
        "proposal_id": job.proposal_id,
        "bundle_digest": job.bundle_digest,
    }
    _compare("the approval", predicate, expected)
    ends_at = datetime.fromisoformat(predicate["expires_at"])
    if job.kind == "remediate" and job.expires_at > ends_at:
        raise _MismatchError("the job ends later than its approval")


def _check_case(job: Job, case: dict[str, Any]) -> None:
    expected = {"proposal_id": job.proposal_id, "target_device_id": job.device_id}
    _compare("the case", case, expected)
    script = {
        "script_id": job.script_id,
        "version": job.script_version,
        "sha256": job.script_sha256,
        "interpreter": job.interpreter,
    }
    _compare("the case's script", case["script"], script)
    try:
        digest = digest_of(case["parameters"])
    except CanonicalFormError as error:
        raise _MismatchError("the approved parameters have no canonical form") from error
    if digest != job.parameters_sha256:
        raise _MismatchError("the parameters are not the approved ones")


def _compare(name: str, document: dict[str, Any], expected: dict[str, Any]) -> None:
    differing = [field for field, value in expected.items() if document.get(field) != value]
    if differing:
        raise _MismatchError(f"{name} differs in {', '.join(differing)}")

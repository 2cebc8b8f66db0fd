# SPDX-License-Identifier: Apache-2.0
"""Is this exactly what was approved? The last look before a job is signed. Pure.

The sealed case is the authority: bytes, parameters and target in the database must equal it. What
differs is refused, never repaired.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.canonical import CanonicalFormError, digest_of, sha256_hex
from contracts.job import InclusionProof
from dispatch.errors import JobRefusedError
from dispatch.job_records import JobKind
from evidence.statement import CASE_FILE
from governance.approval_records import Approval
from governance.proposals import Proposal, find_differences
from governance.script_versions import ScriptVersion, content_digest

APPROVAL_ACTION = "approval.sealed"
_STEPS = ("detect", "remediate", "verify", "rollback")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCase:
    """What the sealed case file and its script files say.

    `contents` is by step; `document` is the whole of `case.json`.
    """

    proposal_id: str
    script_id: str
    script_version: str
    script_sha256: str
    parameters: dict[str, Any]
    target_device_id: str
    contents: Mapping[str, bytes]
    document: Mapping[str, Any]


def read_sealed_case(files: Mapping[str, bytes]) -> SealedCase:
    """Read the files of a proposal's bundle: `case.json`, and `<step>.<suffix>` for each step.

    Raises:
        JobRefusedError: bundle_unreadable.

    """
    try:
        case = json.loads(files[CASE_FILE])
        script = case["script"]
        contents = {
            name.partition(".")[0]: content
            for name, content in files.items()
            if name != "case.json"
        }
        sealed = SealedCase(
            proposal_id=case["proposal_id"],
            script_id=script["script_id"],
            script_version=script["version"],
            script_sha256=script["sha256"],
            parameters=dict(case["parameters"]),
            target_device_id=case["target_device_id"],
            contents=contents,
            document=case,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JobRefusedError(
            "bundle_unreadable", "the sealed case has no executable fix"
        ) from error
    if len(contents) != len(files) - 1 or not set(contents) <= set(_STEPS):
        raise JobRefusedError("bundle_unreadable", "the sealed files are not steps of a script")
    return sealed


def check_script(proposal: Proposal, sealed: SealedCase, script: ScriptVersion) -> None:
    """Compare the catalogue's script with the sealed one, byte by byte.

    Raises:
        JobRefusedError: script_changed, file_changed or manifest_changed.

    """
    stated = (sealed.script_id, sealed.script_version, sealed.script_sha256)
    if (proposal.script_id, proposal.script_version, proposal.script_sha256) != stated:
        raise JobRefusedError("script_changed", "the proposal names another script than its case")
    if script.content_sha256 != sealed.script_sha256:
        raise JobRefusedError("script_changed", "the catalogue's digest is not the sealed one")
    for step in sorted(set(sealed.contents) | set(script.contents)):
        content = script.contents.get(step)
        digest = None if content is None else sha256_hex(content)
        approved = sealed.contents.get(step)
        if approved is None or digest != sha256_hex(approved):
            raise JobRefusedError("file_changed", f"the step {step} is not the sealed one")
        if digest != script.stated_sha256[step]:
            raise JobRefusedError("file_changed", f"the stated digest of {step} is wrong")
    if content_digest(script.manifest, script.contents) != sealed.script_sha256:
        raise JobRefusedError("manifest_changed", "the manifest is not the sealed one")


def check_proposal(proposal: Proposal, sealed: SealedCase) -> None:
    """Compare a proposal's row with its sealed case.

    Raises:
        JobRefusedError: bundle_unreadable, parameters_changed or target_changed.

    """
    if sealed.proposal_id != proposal.proposal_id:
        raise JobRefusedError("bundle_unreadable", "the case is another proposal's")
    try:
        same = digest_of(proposal.parameters) == digest_of(sealed.parameters)
    except CanonicalFormError as error:
        raise JobRefusedError("parameters_changed", "parameters without canonical form") from error
    if not same:
        raise JobRefusedError("parameters_changed", "the parameters are not the sealed ones")
    if proposal.target_device_id != sealed.target_device_id:
        raise JobRefusedError("target_changed", "the target is not the sealed one")


def check_terms(proposal: Proposal, sealed: SealedCase) -> None:
    """Check that quorum, exception and policy were asked about what was sealed.

    Raises:
        JobRefusedError: proposal_changed; names the columns.

    """
    if differing := find_differences(proposal, sealed.document):
        detail = f"the proposal differs from its sealed case in {', '.join(differing)}"
        raise JobRefusedError("proposal_changed", detail)


def check_approvals(
    proposal: Proposal, approvals: list[Approval], *, kind: JobKind, now: datetime
) -> Approval:
    """Return the approval that completed the quorum, if all of them hold.

    A rollback is part of what was approved and may come later than the approval's end.

    Raises:
        JobRefusedError: no_approval, approval_mismatch or approval_expired.

    """
    if not approvals:
        raise JobRefusedError("no_approval", "nobody has approved this proposal")
    if any(approval.bundle_digest != proposal.bundle_digest for approval in approvals):
        raise JobRefusedError("approval_mismatch", "an approval names another bundle")
    if kind is JobKind.REMEDIATE and min(each.expires_at for each in approvals) <= now:
        raise JobRefusedError("approval_expired", "an approval has expired")
    return max(approvals, key=lambda each: (each.decided_at, each.approval_id))


def check_statement(approval: Approval, predicate: Mapping[str, Any]) -> None:
    """Compare a stored approval with the statement that was sealed for it.

    Raises:
        JobRefusedError: approval_mismatch.

    """
    expected = {
        "decision": "approve",
        "proposal_id": approval.proposal_id,
        "bundle_digest": approval.bundle_digest,
        "approver": approval.approver,
        "conditions": approval.conditions.as_json(),
        "expires_at": approval.expires_at.isoformat(),
    }
    differing = sorted(name for name, value in expected.items() if predicate.get(name) != value)
    if differing:
        detail = f"the sealed approval differs in {', '.join(differing)}"
        raise JobRefusedError("approval_mismatch", detail)


def check_leaf(entry: bytes, approval: Approval, proof: InclusionProof) -> None:
    """Check that the logged entry is this approval, as the device will.

    Raises:
        JobRefusedError: approval_mismatch.

    """
    event = json.loads(entry)
    evidence = [approval.approval_digest, approval.bundle_digest]
    if event.get("action") != APPROVAL_ACTION or event.get("evidence") != evidence:
        detail = f"log entry {proof.leaf_index} is not this approval"
        raise JobRefusedError("approval_mismatch", detail)

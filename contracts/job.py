# SPDX-License-Identifier: Apache-2.0
"""The job a device may execute, and the receipt it answers with. Version 1.

A job travels as a DSSE envelope (Ed25519, `JOB_PAYLOAD_TYPE`) around canonical JSON of `Job`.
It is self-contained: the bytes to run, the digest they must have, and what approved them.

A receipt comes from a device that may be in strange hands, and parts of it go unmasked into audit
events: everything but the output of its steps has a closed form and a bound.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from contracts.telemetry import Identifier

JOB_PAYLOAD_TYPE = "application/vnd.eucora.job.v1+json"
MAX_INTEGER = 2**53 - 1  # beyond it, canonical JSON (RFC 8785) has no exact numbers
MAX_STEPS = 8
MAX_PARAMETERS = 64
MAX_PROOF_HASHES = 64
MAX_OUTPUT_BYTES = 64 * 1024
UNKNOWN_JOB_ID = "unknown"  # of a refused envelope that names no job
# `$` alone also matches before a line end; `\Z` is not known to JSON Schema.
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", max_length=64)]
JobId = Annotated[str, Meta(pattern=r"^job_[0-9a-hjkmnp-tv-z]{6,26}$(?!\n)", max_length=30)]
ReportedJobId = Annotated[
    str, Meta(pattern=r"^(job_[0-9a-hjkmnp-tv-z]{6,26}|unknown)$(?!\n)", max_length=30)
]
StepName = Literal["detect", "remediate", "verify", "rollback"]
Interpreter = Literal["bash", "zsh", "powershell", "python"]
ParameterValue = str | int | float | bool


class ScriptStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The exact bytes of one step (base64) and their digest."""

    content_base64: str
    sha256: Digest


class InclusionProof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the approval stands in the log: hashes as hex, leaf first, root last."""

    leaf_index: Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
    tree_size: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    hashes: Annotated[tuple[Digest, ...], Meta(max_length=MAX_PROOF_HASHES)]
    leaf_entry_base64: str
    checkpoint: str  # C2SP signed note


class ApprovedEvidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people approved, byte for byte, so that the device needs no word of the server for it.

    The logged approval's digest is that of the approval statement; its subjects name the proposal
    statement and every script file; the proposal statement names the case file; and the case file
    states target and parameters. All are canonical JSON, masked, in base64.
    """

    approval_base64: str  # in-toto Statement
    proposal_base64: str  # in-toto Statement
    case_base64: str


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One approved remediation for one device."""

    schema_version: Annotated[int, Meta(ge=1, le=1)] = 1
    job_id: JobId
    kind: Literal["remediate", "rollback"]
    device_id: Identifier
    sequence: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    nonce: Annotated[str, Meta(min_length=16, max_length=64)]
    issued_at: Annotated[datetime, Meta(tz=True)]
    expires_at: Annotated[datetime, Meta(tz=True)]
    correlation_id: Identifier
    proposal_id: Identifier
    bundle_digest: Digest  # the proposal's evidence bundle
    approval_digest: Digest  # the approval statement that names that bundle
    script_id: Identifier
    script_version: str
    script_sha256: Digest  # scripts.content_sha256: canonical manifest and all files
    interpreter: Interpreter
    steps: dict[StepName, ScriptStep]
    parameters: Annotated[dict[str, ParameterValue], Meta(max_length=MAX_PARAMETERS)]
    parameters_sha256: Digest  # of the parameters' canonical JSON
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)]
    inclusion: InclusionProof
    evidence: ApprovedEvidence


class StepResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one step ended. Exit code 0: detect = fault present, others = success."""

    step: StepName
    exit_code: Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)] | None  # None: killed
    timed_out: bool
    duration_seconds: Annotated[float, Meta(ge=0, le=86_400)]
    stdout: Annotated[str, Meta(max_length=MAX_OUTPUT_BYTES)]
    stderr: Annotated[str, Meta(max_length=MAX_OUTPUT_BYTES)]
    truncated: bool = False


class RefusalReason(StrEnum):
    """Why a device would not run a job. Each is reported in a receipt."""

    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"
    WRONG_DEVICE = "wrong_device"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    DIGEST_MISMATCH = "digest_mismatch"
    PARAMETERS_MISMATCH = "parameters_mismatch"
    NOT_IN_LOG = "not_in_log"
    APPROVAL_MISMATCH = "approval_mismatch"
    APPROVAL_USED = "approval_used"  # this device has run what was approved
    INCONSISTENT_LOG = "inconsistent_log"
    UNSUPPORTED_INTERPRETER = "unsupported_interpreter"


Outcome = Literal["succeeded", "failed", "rolled_back", "not_needed", "interrupted", "refused"]


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the device did with a job; sent until the server acknowledges it."""

    schema_version: Annotated[int, Meta(ge=1, le=1)] = 1
    job_id: ReportedJobId
    device_id: Identifier
    sequence: Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
    envelope_sha256: Digest
    outcome: Outcome
    refusal: RefusalReason | None = None  # present exactly when outcome is "refused"
    script_sha256: Digest | None = None
    executed_sha256: dict[StepName, Digest] = {}  # step -> digest of the bytes that ran
    steps: Annotated[tuple[StepResult, ...], Meta(max_length=MAX_STEPS)] = ()
    started_at: Annotated[datetime, Meta(tz=True)]
    finished_at: Annotated[datetime, Meta(tz=True)]
    correlation_id: Annotated[str, Meta(max_length=128)] = ""

# SPDX-License-Identifier: Apache-2.0
"""The job a device may execute, and the receipt it answers with. Version 1.

A job travels as a DSSE envelope (Ed25519, `JOB_PAYLOAD_TYPE`) around canonical JSON of `Job`.
It is self-contained: the bytes to run, the digest they must have, and what approved them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from contracts.telemetry import Identifier

JOB_PAYLOAD_TYPE = "application/vnd.eucora.job.v1+json"
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Interpreter = Literal["bash", "zsh", "powershell", "python"]
ParameterValue = str | int | float | bool
MAX_OUTPUT_BYTES = 64 * 1024


class ScriptStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The exact bytes of one step (base64) and their digest."""

    content_base64: str
    sha256: Digest


class InclusionProof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the approval stands in the log: hashes as hex, leaf first, root last."""

    leaf_index: Annotated[int, Meta(ge=0)]
    tree_size: Annotated[int, Meta(ge=1)]
    hashes: tuple[Digest, ...]
    leaf_entry_base64: str
    checkpoint: str  # C2SP signed note


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One approved remediation for one device."""

    schema_version: Annotated[int, Meta(ge=1, le=1)] = 1
    job_id: Identifier
    kind: Literal["remediate", "rollback"]
    device_id: Identifier
    sequence: Annotated[int, Meta(ge=1)]
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
    steps: dict[Literal["detect", "remediate", "verify", "rollback"], ScriptStep]
    parameters: dict[str, ParameterValue]
    parameters_sha256: Digest  # of the parameters' canonical JSON
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)]
    inclusion: InclusionProof


class StepResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one step ended. Exit code 0: detect = fault present, others = success."""

    step: Literal["detect", "remediate", "verify", "rollback"]
    exit_code: int | None  # None: timed out or killed
    timed_out: bool
    duration_seconds: float
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
    INCONSISTENT_LOG = "inconsistent_log"
    UNSUPPORTED_INTERPRETER = "unsupported_interpreter"


Outcome = Literal["succeeded", "failed", "rolled_back", "not_needed", "interrupted", "refused"]


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the device did with a job; sent until the server acknowledges it."""

    schema_version: Annotated[int, Meta(ge=1, le=1)] = 1
    job_id: Identifier
    device_id: Identifier
    sequence: Annotated[int, Meta(ge=0)]
    envelope_sha256: Digest
    outcome: Outcome
    refusal: RefusalReason | None = None  # present exactly when outcome is "refused"
    script_sha256: Digest | None = None
    executed_sha256: dict[str, Digest] = {}  # step -> digest of the bytes that ran
    steps: tuple[StepResult, ...] = ()
    started_at: Annotated[datetime, Meta(tz=True)]
    finished_at: Annotated[datetime, Meta(tz=True)]
    correlation_id: str = ""

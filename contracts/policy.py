# SPDX-License-Identifier: Apache-2.0
"""What a policy is asked, as typed values: one question for each of the three decisions.

A question holds what the database says and identifiers that are compared with it. Nothing else
reaches a policy: it is written out field by field, checked against these types, and a field that is
not named here does not exist for a policy. docs/policy-input.md says what each field means.
"""

import re
from typing import Annotated, Final, Literal

import msgspec

MAX_QUESTION_BYTES: Final = 256 * 1024
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Digest = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Flags = Annotated[list[Text], msgspec.Meta(max_length=100)]  # kinds of signs of injection
Instant = Annotated[float, msgspec.Meta(ge=0, le=1e12)]  # seconds since the epoch


class QuestionError(ValueError):
    """The question is not one that a policy is asked; `code` is the reason of the denial."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AnalysisFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The static analysis of all steps together; effects as kinds, sorted."""

    judgeable: bool
    severity: Literal["none", "low", "medium", "high", "critical"]
    effects: Annotated[list[Text], msgspec.Meta(max_length=500)]


class ScriptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue's row of the script version."""

    author: Text
    privilege: Literal["user", "admin"]
    blast_radius: Literal["process", "service", "application", "device", "network"]
    analysis: AnalysisFacts


class DeviceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The inventory's row of the target."""

    business_critical: bool
    status: Text


class ProposedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal before it is sealed."""

    proposal_id: Text
    requested_by: Text
    risk_score: Score
    expires_at: Instant
    confidence: Probability
    n_citations: Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class SealedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a sealed proposal."""

    proposal_id: Text
    requested_by: Text
    risk_score: Score
    expires_at: Instant
    status: Text
    bundle_digest: Digest


class ApprovalFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to approve, with the roles of their account, and the bundle that they name."""

    approver: Text
    roles: Annotated[list[Text], msgspec.Meta(max_length=50)]
    bundle_digest: Digest


class StoredApproval(msgspec.Struct, frozen=True, kw_only=True):
    """The row of an approval."""

    approver: Text
    bundle_digest: Digest
    expires_at: Instant


class ProposalQuestion(
    msgspec.Struct, frozen=True, kw_only=True, tag="proposal", tag_field="decision"
):
    """Asks whether a proposal may be shown to people."""

    now: Instant
    proposal: ProposedFacts
    script: ScriptFacts
    device: DeviceFacts
    confidence_threshold: Probability
    platform_match: bool
    parameters_valid: bool
    flags: Flags = []


class ApprovalQuestion(
    msgspec.Struct, frozen=True, kw_only=True, tag="approval", tag_field="decision"
):
    """Asks whether this person may approve this proposal now."""

    now: Instant
    proposal: SealedFacts
    script: ScriptFacts
    device: DeviceFacts
    approval: ApprovalFacts
    approved_by: Annotated[list[Text], msgspec.Meta(max_length=500)]
    freeze_active: bool
    exception_active: bool
    flags: Flags = []


class DispatchQuestion(
    msgspec.Struct, frozen=True, kw_only=True, tag="dispatch", tag_field="decision"
):
    """Asks whether a job for this proposal may be made now."""

    now: Instant
    proposal: SealedFacts
    script: ScriptFacts
    device: DeviceFacts
    approvals: Annotated[list[StoredApproval], msgspec.Meta(max_length=500)]
    digests_match: bool
    freeze_active: bool
    exception_active: bool
    flags: Flags = []


PolicyQuestion = ProposalQuestion | ApprovalQuestion | DispatchQuestion
DECISIONS: Final = ("proposal", "approval", "dispatch")
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[PolicyQuestion] = msgspec.json.Decoder(PolicyQuestion)
_MISSING = re.compile(r"missing required field `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
_PLACE = re.compile(r"- at `\$\.([A-Za-z0-9_.]+)")


def check_question(question: object) -> PolicyQuestion:
    """Return a question whose every value was checked, whatever was handed over as one.

    Args:
        question: one of the questions above, or the mapping that is its JSON.

    Raises:
        QuestionError: `unknown_decision`, `missing:<path>` for what is absent or no such value,
            `input_too_large`, or `invalid_input` for what JSON or a policy cannot carry.

    """
    try:
        content = _encoder.encode(question)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise QuestionError("invalid_input") from error
    return read_question(content)


def read_question(content: bytes) -> PolicyQuestion:
    """Return the question that JSON states; what is said twice or beside it counts for nothing.

    Raises:
        QuestionError: see `check_question`.

    """
    if len(content) > MAX_QUESTION_BYTES:
        raise QuestionError("input_too_large")
    if b"\\u0000" in content:  # regopy would read a text up to its first NUL
        raise QuestionError("invalid_input")
    try:
        return _decoder.decode(content)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise QuestionError(_name_fault(str(error))) from error


def _name_fault(message: str) -> str:
    missing = _MISSING.search(message)
    if missing:
        field, place = missing.groups()
        path = f"{place}.{field}" if place else field
    else:
        found = _PLACE.search(message)
        if found is None:
            return "invalid_input" if "malformed" in message else "unknown_decision"
        path = found.group(1)
    return "unknown_decision" if path == "decision" else f"missing:{path}"

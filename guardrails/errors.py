# SPDX-License-Identifier: Apache-2.0
"""Errors of guardrails/: GuardrailError, and below it one tree a guardrail.

MaskingError; NameModelError; DirectoryFileError; PolicyError > PolicyLoadError (> PolicyTrustError,
PolicyLimitError > PolicySlowError), PolicyNotFoundError, PolicyChangeError;
VaultError > SubjectShreddedError, PseudonymConflictError, VaultIntegrityError, RevealRefusedError
(> PseudonymMissingError, RevealBoundError);
MalwareScanError > UnscannableFileError, ScannerUnavailableError, ScannerTimeoutError,
ScannerRefusedError; QuarantineError > QuarantineFullError,
QuarantinedFileMissingError, QuarantineStateError, QuarantineReleaseError,
QuarantineIntegrityError.
"""


class GuardrailError(Exception):
    """A guardrail could not do its work."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__ or type(self).__name__)


class MaskingError(GuardrailError):
    """The text could not be masked, so it must not be passed on."""


class NameModelError(GuardrailError):
    """The name model is not what was trained: `eucora prepare` trains it anew."""


class PolicyError(GuardrailError):
    """Something about policies was refused."""


class PolicyLoadError(PolicyError):
    """The policies could not be read or compiled."""


class PolicyLimitError(PolicyLoadError):
    """Compiling or evaluating a policy went beyond its limits, and was ended."""


class PolicySlowError(PolicyLimitError):
    """Compiling or evaluating a policy took too long, and was ended."""


class PolicyTrustError(PolicyLoadError):
    """A stored policy is not what was signed, or its activation not what was sealed."""


class PolicyNotFoundError(PolicyError):
    """There is no such policy version or change."""


class PolicyChangeError(PolicyError):
    """The circumstances forbid this change of the policy in force."""


class VaultError(GuardrailError):
    """The vault of masked originals refused."""


class SubjectShreddedError(VaultError):
    """The subject's originals were erased; nothing can be stored or revealed any more."""


class PseudonymConflictError(VaultError):
    """The pseudonym already stands for another original of this subject."""


class RevealRefusedError(VaultError):
    """Originals are shown for a reason and within bounds only."""


class PseudonymMissingError(RevealRefusedError):
    """The vault has no original for this pseudonym; the incident's page lists those it has."""


class RevealBoundError(RevealRefusedError):
    """Too many originals were shown to the same person within the hour."""


class VaultIntegrityError(VaultError):
    """A stored original does not decrypt: wrong key or changed bytes."""


class DirectoryFileError(GuardrailError):
    """The file of people and machines cannot be taken."""


class MalwareScanError(GuardrailError):
    """The file was not scanned, so it must not be taken."""


class UnscannableFileError(MalwareScanError):
    """The file is larger than what is scanned."""


class ScannerUnavailableError(MalwareScanError):
    """The malware scanner cannot be reached, or hung up: see whether clamd runs."""


class ScannerTimeoutError(MalwareScanError):
    """The malware scanner took too long: see whether clamd works."""


class ScannerRefusedError(MalwareScanError):
    """The malware scanner gave no verdict: look into clamd's log."""


class QuarantineError(GuardrailError):
    """The quarantine refused."""


class QuarantineFullError(QuarantineError):
    """The quarantine is full: review what it holds, release or destroy it, then try again."""


class QuarantinedFileMissingError(QuarantineError):
    """There is no such file in quarantine."""


class QuarantineStateError(QuarantineError):
    """The file is no longer held: it was released or destroyed; see the list of held files."""


class QuarantineReleaseError(QuarantineError):
    """A release or destruction needs a person and a reason, a release a second person."""


class QuarantineIntegrityError(QuarantineError):
    """A held file is gone, was changed, or is of another key; it can only be destroyed."""

# SPDX-License-Identifier: Apache-2.0
"""Errors of guardrails/: GuardrailError > VaultError, PolicyLoadError, MaskingError."""


class GuardrailError(Exception):
    """A guardrail could not do its work."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__ or type(self).__name__)


class MaskingError(GuardrailError):
    """The text could not be masked, so it must not be passed on."""


class PolicyLoadError(GuardrailError):
    """The policies could not be read or compiled."""


class VaultError(GuardrailError):
    """The vault of masked originals refused."""


class SubjectShreddedError(VaultError):
    """The subject's originals were erased; nothing can be stored or revealed any more."""


class PseudonymConflictError(VaultError):
    """The pseudonym already stands for another original of this subject."""


class VaultIntegrityError(VaultError):
    """A stored original does not decrypt: wrong key or changed bytes."""

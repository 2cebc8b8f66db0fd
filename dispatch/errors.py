# SPDX-License-Identifier: Apache-2.0
"""What dispatch refuses or cannot do yet.

DispatchError
├── NotSequencedYetError     try again soon
├── JobNotFoundError
├── EffectFormatError        an expected effect cannot be judged
├── RingPlanError
└── JobRefusedError          nothing may be sent to the device
"""

import inspect


class DispatchError(Exception):
    """Dispatch could not carry out the request."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class NotSequencedYetError(DispatchError):
    """The approval is not in the audit log yet; try again in a moment."""


class JobNotFoundError(DispatchError):
    """There is no such job."""


class EffectFormatError(DispatchError):
    """The expected effect is malformed or names an unknown parameter."""


class RingPlanError(DispatchError):
    """The ring plan or the counts given to a gate make no sense."""


class JobRefusedError(DispatchError):
    """The job would not carry out exactly what was approved.

    `code` is one of: not_approved, no_approval, approval_expired, approval_mismatch,
    bundle_unreadable, script_changed, file_changed, manifest_changed, parameters_changed,
    target_changed, script_unusable, entry_refused, policy_denied, incident_moved_on,
    already_dispatched, already_ended, log_changed.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

# SPDX-License-Identifier: Apache-2.0
"""What governance refuses, as a tree by cause.

GovernanceError
├── ProposalNotFoundError
├── ScriptVersionNotFoundError
├── InvalidRequestError
│   └── InvalidConditionsError
└── RefusalError                 each is audited, as `approval.refused` for one
    ├── SelfApprovalError        ├── AuthorApprovalError
    ├── BundleChangedError       ├── ProposalExpiredError
    ├── AlreadyDecidedError      ├── RoleMissingError
    ├── StaleSessionError        ├── FreezeWindowError
    ├── ExceptionRequiredError   ├── PolicyDeniedError
    ├── ScriptEntryError         ├── OlderVersionError
    ├── IncidentMovedOnError     └── LogChangedError
"""

import inspect
from collections.abc import Sequence


class GovernanceError(Exception):
    """Governance could not carry out the request."""

    code = "governance_error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class ProposalNotFoundError(GovernanceError):
    """There is no such proposal."""

    code = "proposal_not_found"

    def __init__(self, proposal_id: str) -> None:
        super().__init__(f"there is no proposal {proposal_id}")
        self.proposal_id = proposal_id


class InvalidRequestError(GovernanceError):
    """The request is malformed or out of bounds."""

    code = "invalid_request"


class InvalidConditionsError(InvalidRequestError):
    """The conditions of the approval are malformed or contradict each other."""

    code = "invalid_conditions"


class RefusalError(GovernanceError):
    """The decision was refused."""

    code = "refused"


class SelfApprovalError(RefusalError):
    """Whoever requested a change cannot approve it."""

    code = "self_approval"


class AuthorApprovalError(RefusalError):
    """The author of a script cannot approve its execution."""

    code = "author_approval"


class BundleChangedError(RefusalError):
    """The evidence that was looked at is not the evidence of this proposal."""

    code = "bundle_changed"


class ProposalExpiredError(RefusalError):
    """The proposal has expired; ask for a new one."""

    code = "proposal_expired"


class AlreadyDecidedError(RefusalError):
    """The proposal has been decided, or this person has decided on it."""

    code = "already_decided"


class RoleMissingError(RefusalError):
    """The decision needs a role that this person does not have."""

    code = "role_missing"


class StaleSessionError(RefusalError):
    """The session is too old for a decision; log in again."""

    code = "stale_session"


class FreezeWindowError(RefusalError):
    """A freeze window is in force."""

    code = "freeze_window"


class ExceptionRequiredError(RefusalError):
    """The risk is above 75: a risk exception with compensating controls is needed first."""

    code = "exception_required"


class IncidentMovedOnError(RefusalError):
    """The incident is no longer waiting for this proposal: it ended, or is looked at anew."""

    code = "incident_moved_on"


class LogChangedError(RefusalError):
    """The audit log was changed: what it knows of this proposal cannot be believed."""

    code = "log_changed"


class PolicyDeniedError(RefusalError):
    """The policy denies this decision."""

    code = "policy_denied"

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("the policy denies it: " + ("; ".join(reasons) or "no reason given"))


class ScriptVersionNotFoundError(GovernanceError):
    """There is no such script version."""

    code = "script_not_found"

    def __init__(self, script_id: str, version: str) -> None:
        super().__init__(f"there is no script {script_id} {version}")


class ScriptEntryError(RefusalError):
    """The script version must not be used: it is not as it was signed, or not in force."""

    code = "script_entry"

    def __init__(self, label: str, why: str) -> None:
        self.label = label
        super().__init__(f"{label}: {why}")


class OlderVersionError(RefusalError):
    """A newer version is in force; to go back is a decision of its own."""

    code = "older_version"

    def __init__(self, label: str, in_force: str) -> None:
        super().__init__(
            f"{label} is older than the version in force, {in_force}; raise its version, or retire"
            " the newer one"
        )

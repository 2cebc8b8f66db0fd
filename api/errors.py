# SPDX-License-Identifier: Apache-2.0
"""What can go wrong at the ways in.

ApiError
├── NotAuthenticatedError   no session, token or certificate, or a wrong one
├── ForbiddenError          known, but not allowed
├── CsrfError               a form came without its session's token
├── ThrottledError          too many failed logins
├── BudgetSpentError        a service has brought as much as it may in a day
├── NotFoundError           there is no such thing
├── BodyTooLargeError       the request's body exceeds the limit
├── FileRefusedError        a file is not taken into the knowledge base; has its reason
├── UnknownDeciderError     who is to decide at the command line has no account, or a disabled one
├── UnsupportedMediaError   the body's type or encoding is not one that is read here
└── InvalidRequestError     the request is malformed; the message says how
"""


class ApiError(Exception):
    """The request failed."""

    def __str__(self) -> str:
        """Return the message, or the class's docstring where none was given."""
        return super().__str__() or str(self.__doc__)


class NotAuthenticatedError(ApiError):
    """Log in, or present a valid token or certificate."""


class ForbiddenError(ApiError):
    """Your role does not allow this."""


class CsrfError(ApiError):
    """The form has expired; load the page again and resubmit."""


class ThrottledError(ApiError):
    """Too many failed logins; wait a few minutes."""


class BudgetSpentError(ApiError):
    """That is more than may be brought in a day; go on tomorrow."""


class NotFoundError(ApiError):
    """There is no such thing here."""


class BodyTooLargeError(ApiError):
    """The request's body exceeds the limit."""


class UnsupportedMediaError(ApiError):
    """The request's body has a type or an encoding that is not read here."""


class FileRefusedError(ApiError):
    """The file was not taken into the knowledge base.

    `verdict` and `reason` are those on record.
    """

    def __init__(self, message: str, *, verdict: str, reason: str) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.reason = reason


class UnknownDeciderError(ApiError):
    """The account that is to decide does not exist, or is disabled."""


class InvalidRequestError(ApiError):
    """The request is malformed."""

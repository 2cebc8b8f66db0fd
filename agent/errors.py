# SPDX-License-Identifier: Apache-2.0
"""What can go wrong on an endpoint.

AgentError
+-- ConfigurationError    the state directory or its configuration is unusable
+-- NotEnrolledError      no identity yet
+-- EnrolmentError        the server's enrolment answer is not acceptable
+-- AlreadyRunningError   another agent holds the state directory
+-- JournalError          the journal cannot be read or written
+-- RefusalError          a job that must not run
+-- ServerError           the server could not be reached, or its answer is unusable
+-- RejectedError   the server refused the request itself (4xx)
"""

from contracts.job import Job, RefusalReason


class AgentError(Exception):
    """The agent cannot go on with this."""


class ConfigurationError(AgentError):
    """The state directory or its configuration is unusable."""


class NotEnrolledError(AgentError):
    """The device is not enrolled; run `eucora-agent enrol` first."""


class EnrolmentError(AgentError):
    """The server's enrolment answer is not acceptable."""


class AlreadyRunningError(AgentError):
    """Another agent is using this state directory."""


class JournalError(AgentError):
    """The journal cannot be read or written."""


class RefusalError(AgentError):
    """The job must not run.

    Attributes:
        reason: the closed reason that the receipt carries.
        detail: one sentence for the log.
        job: the job as far as it could be decoded (its signature may be wrong).

    """

    def __init__(self, reason: RefusalReason, detail: str, job: Job | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.job = job


class ServerError(AgentError):
    """The server could not be reached, or its answer is unusable."""


class RejectedError(ServerError):
    """The server refused the request.

    Attributes:
        status: the HTTP status, 400..499.

    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status

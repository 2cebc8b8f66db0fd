# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in reasoning.

ReasoningError
├── IncidentNotFoundError   there is no such incident
├── CaseOutdatedError       people say meanwhile that the incident is something else
├── IncidentMovedOnError    where the incident stands, no proposal is awaited
└── OverrideError           a person's choice cannot become a proposal
"""


class ReasoningError(Exception):
    """Reasoning failed."""

    def __str__(self) -> str:
        """Return the message, or the class's docstring where none was given."""
        return super().__str__() or str(self.__doc__)


class IncidentNotFoundError(ReasoningError):
    """There is no such incident."""


class CaseOutdatedError(ReasoningError):
    """People say meanwhile that the incident is something else than the case says."""


class IncidentMovedOnError(ReasoningError):
    """Where the incident stands meanwhile, no proposal is awaited; `status` says where."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the incident is {status} meanwhile: no proposal is awaited")
        self.status = status


class OverrideError(ReasoningError):
    """The chosen script or its parameters cannot be proposed for this incident."""

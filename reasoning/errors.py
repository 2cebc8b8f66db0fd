# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in reasoning.

ReasoningError
├── IncidentNotFoundError   there is no such incident
└── OverrideError           a person's choice cannot become a proposal
"""


class ReasoningError(Exception):
    """Reasoning failed."""

    def __str__(self) -> str:
        """Return the message, or the class's docstring where none was given."""
        return super().__str__() or str(self.__doc__)


class IncidentNotFoundError(ReasoningError):
    """There is no such incident."""


class OverrideError(ReasoningError):
    """The chosen script or its parameters cannot be proposed for this incident."""

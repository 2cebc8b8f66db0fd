# SPDX-License-Identifier: Apache-2.0
"""Why a run of ingestion is refused or ends early; what befalls one file is its verdict instead.

RetrievalError
└── IngestionError
    ├── SourceNameError          not a name that a source may have
    ├── SourceMissingError       there is no such source
    ├── SourceConflictError      the source is of another kind or from another place
    ├── SourceBusyError          another run of the source goes on
    ├── LocationError            the path cannot be read
    ├── EmptySourceError         nothing is there of a source that had documents
    ├── IngestedFileMissingError the source has no such file
    ├── FlagMissingError         no such flag waits for a decision
    └── ScreeningError           a file was not screened, so it is not taken
        ├── ProtectedFileError       a password keeps what screens files out
        └── ScreenUnavailableError   nothing screens files at all
"""

from retrieval.errors import RetrievalError


class IngestionError(RetrievalError):
    """The files could not be taken in."""


class SourceNameError(IngestionError):
    """Name the source: 1 to 40 lower-case letters, digits and hyphens, and not `starter`."""


class SourceMissingError(IngestionError):
    """There is no such source: see the list of sources."""


class SourceConflictError(IngestionError):
    """The source is of another kind, or from another place: take another name."""


class SourceBusyError(IngestionError):
    """Another run of this source goes on: wait for its end."""


class LocationError(IngestionError):
    """The path cannot be read."""


class EmptySourceError(IngestionError):
    """There is no file, though the source had documents."""


class IngestedFileMissingError(IngestionError):
    """The source has no such file: see the list of its files."""


class FlagMissingError(IngestionError):
    """No such flag waits for this decision: see the list of flags."""


class ScreeningError(IngestionError):
    """The file was not screened, so it is not taken."""


class ProtectedFileError(ScreeningError):
    """A password keeps the malware scanner out: save the file without one and bring that."""


class ScreenUnavailableError(ScreeningError):
    """Nothing screens files, so none is taken."""

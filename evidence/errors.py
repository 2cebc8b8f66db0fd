# SPDX-License-Identifier: Apache-2.0
"""Errors of this package.

EvidenceError
├── NotSequencedError       the event is not in the log yet: try again soon
├── TreeSizeError           no such tree size in the log
├── LogDamagedError         the database lacks hashes that it must have
│   └── LogTamperedError    the log is not what was signed, or not what the events say
├── TilePathError           not a path of the tile layout
├── UnknownBundleError      no such bundle, or of another case or kind
├── BundleCorruptError      stored bytes are not what was sealed
├── UnsafeFileNameError     a file name that could leave its directory
├── ObjectKeyError          not a plain object key
├── ObjectMissingError      the object store lost something
├── MalformedCaseError      not a readable case file
└── DocumentUnverifiedError not a document of this type that we signed
"""

from collections.abc import Sequence


class EvidenceError(Exception):
    """The evidence cannot be made, found or trusted."""


class NotSequencedError(EvidenceError):
    """The audit event has no place in the log yet."""

    def __init__(self, event_id: str) -> None:
        super().__init__(f"audit event {event_id} is not in the log yet")
        self.event_id = event_id


class TreeSizeError(EvidenceError):
    """The log has no tree of this size."""


class LogDamagedError(EvidenceError):
    """Hashes of the log are missing from the database."""


class LogTamperedError(LogDamagedError):
    """The log differs from what was signed, or from the audit events it was made of.

    `problems` are the findings in plain words, at most 100; `n_problems` counts all of them.
    """

    def __init__(self, problems: Sequence[str], n_problems: int) -> None:
        shown = "\n".join(f"- {problem}" for problem in problems)
        super().__init__(f"the log is not intact, {n_problems} findings:\n{shown}")
        self.problems = tuple(problems)
        self.n_problems = n_problems


class TilePathError(EvidenceError):
    """The path does not name a tile."""


class UnknownBundleError(EvidenceError):
    """There is no such bundle for this case."""

    def __init__(self, bundle_digest: str) -> None:
        super().__init__(f"no such evidence bundle for this case: {bundle_digest}")
        self.bundle_digest = bundle_digest


class BundleCorruptError(EvidenceError):
    """The stored bundle is not what was sealed."""


class UnsafeFileNameError(EvidenceError):
    """The file name could leave its directory."""


class ObjectKeyError(EvidenceError):
    """The key is not made of plain lower-case path segments."""


class ObjectMissingError(EvidenceError):
    """The object store does not hold this object."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the object store does not hold {key}")
        self.key = key


class MalformedCaseError(EvidenceError):
    """The content is not a case file."""


class DocumentUnverifiedError(EvidenceError):
    """The document was not signed by this installation, or is of another type."""

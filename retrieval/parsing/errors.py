# SPDX-License-Identifier: Apache-2.0
"""Why a file is not taken into the corpus: a stable reason, and a message that says what to do.

RetrievalError
└── ParsingError
    ├── UnknownFormatError      none of the formats that are read
    ├── EmptyDocumentError      nothing that a person could read in it
    ├── NotInForceError         an export of drafts and withdrawn pages alone
    ├── EncryptedDocumentError  a password or a rights server protects it
    ├── BrokenDocumentError     the format is known, the file is damaged or hostile
    ├── OversizeError           larger than the limits allow
    ├── ArchiveBombError        an archive that unpacks to far more than it is
    ├── UnsafePathError         an archive member that points outside of the archive
    ├── EncodingError           bytes that are text in no known encoding
    ├── UnreadableFileError     the file cannot be opened
    ├── ParserTimeoutError      reading takes longer than the limits allow
    └── ParserCrashedError      the parser process ended without an answer
"""

from enum import StrEnum
from typing import ClassVar

from retrieval.errors import RetrievalError


class Reason(StrEnum):
    """Why a file was refused; stable, for records and filters."""

    UNKNOWN_FORMAT = "unknown_format"
    EMPTY = "empty"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    OVERSIZE = "oversize"
    ARCHIVE_BOMB = "archive_bomb"
    UNSAFE_PATH = "unsafe_path"
    ENCODING = "encoding"
    UNREADABLE = "unreadable"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    NOT_IN_FORCE = "not_in_force"
    OTHER = "other"


class ParsingError(RetrievalError):
    """The file cannot be read as knowledge."""

    reason: ClassVar[Reason] = Reason.OTHER

    def __str__(self) -> str:
        """Return the message, which a table of verdicts shows: no sentence, but a phrase."""
        message = super().__str__()
        return message if self.args else message[:1].lower() + message[1:].rstrip(".")


class UnknownFormatError(ParsingError):
    """The format is not one that is read: bring Markdown, HTML, PDF, DOCX, text or an export."""

    reason = Reason.UNKNOWN_FORMAT


class EmptyDocumentError(ParsingError):
    """The file holds no readable text: for a scan, bring a version with recognised text."""

    reason = Reason.EMPTY


class NotInForceError(ParsingError):
    """Nothing in the export is in force: publish it, then export it again."""

    reason = Reason.NOT_IN_FORCE


class EncryptedDocumentError(ParsingError):
    """The file is protected: save it without a password and bring that."""

    reason = Reason.ENCRYPTED


class BrokenDocumentError(ParsingError):
    """The file is damaged: export it again."""

    reason = Reason.BROKEN


class OversizeError(ParsingError):
    """The file exceeds the limits: split it."""

    reason = Reason.OVERSIZE


class ArchiveBombError(ParsingError):
    """The archive unpacks to far more than it should: pack the documents again, plainly."""

    reason = Reason.ARCHIVE_BOMB


class UnsafePathError(ParsingError):
    """The archive has a member outside of its own folder: pack it again, with relative names."""

    reason = Reason.UNSAFE_PATH


class EncodingError(ParsingError):
    """The bytes are no text in a known encoding: save the file as UTF-8."""

    reason = Reason.ENCODING


class UnreadableFileError(ParsingError):
    """The file cannot be opened: check that it exists and that the server may read it."""

    reason = Reason.UNREADABLE


class ParserTimeoutError(ParsingError):
    """Reading the file takes too long: split or simplify it."""

    reason = Reason.TIMEOUT


class ParserCrashedError(ParsingError):
    """The program that reads files broke off: save the file in another format, or leave it out."""

    reason = Reason.CRASHED


def error_for(reason: Reason) -> type[ParsingError]:
    """Return the error class of a reason."""
    classes = {error.reason: error for error in ParsingError.__subclasses__()}
    return classes.get(reason, ParsingError)

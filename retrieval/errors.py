# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in retrieval.

RetrievalError
├── ArticleFormatError        an article's front matter cannot be read
├── EmbeddingModelError       the exported embedding model is missing, broken or refused
│   └── EmbeddingRefusedError     its vectors differ too much from torch's
├── ManifestError             a script folder is incomplete or its manifest is invalid
│   ├── UndeclaredEffectError     it does what its manifest does not declare
│   └── VersionConflictError      its version is taken, or older than another
├── ReindexingError           the search index cannot be made anew
│   ├── ReindexingBusyError       somebody else makes one
│   └── TablesBusyError           its tables cannot be made while others use the old ones
├── ScriptNotFoundError       the catalogue has no such script version
├── ParsingError              a file cannot be read: see `parsing.errors`
└── IngestionError            files cannot be taken in: see `ingestion_errors`
"""


class RetrievalError(Exception):
    """Retrieval failed."""

    def __str__(self) -> str:
        """Return the message, or the class's docstring where none was given."""
        return super().__str__() or str(self.__doc__)


class ArticleFormatError(RetrievalError):
    """The article cannot be read."""


class EmbeddingModelError(RetrievalError):
    """The exported embedding model is missing, broken or refused."""


class EmbeddingRefusedError(EmbeddingModelError):
    """The exported model's vectors differ too much from torch's."""


class ManifestError(RetrievalError):
    """The script folder is not a valid catalogue entry."""


class UndeclaredEffectError(ManifestError):
    """The script does what its manifest does not declare."""


class VersionConflictError(ManifestError):
    """The version is in the catalogue with other content, or a newer one is."""


class ReindexingError(RetrievalError):
    """The search index cannot be made anew; the one that serves is as it was."""


class ReindexingBusyError(ReindexingError):
    """Somebody else is making a search index; wait until that has ended."""


class TablesBusyError(ReindexingError):
    """Searches or ingestion never paused, so tables could not be made: reindex once more, later."""


class ScriptNotFoundError(RetrievalError):
    """The catalogue has no such script version."""

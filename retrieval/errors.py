# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in retrieval.

RetrievalError
├── ArticleFormatError    an article's front matter cannot be read
├── EmbeddingModelError   the exported embedding model is missing, broken or refused
├── ManifestError         a script folder is incomplete or its manifest is invalid
└── ScriptNotFoundError   the catalogue has no such script version
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


class ManifestError(RetrievalError):
    """The script folder is not a valid catalogue entry."""


class ScriptNotFoundError(RetrievalError):
    """The catalogue has no such script version."""

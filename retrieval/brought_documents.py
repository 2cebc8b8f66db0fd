# SPDX-License-Identifier: Apache-2.0
"""What becomes of a parsed document in the corpus: its id, its terms, its platforms and products.

The id is stable and fit for an address: of the source, the file's path, and the place in the file.
Where neither the document nor its source names a platform, it is for all.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from retrieval.articles import PLATFORMS
from retrieval.corpus import CorpusDocument
from retrieval.parsing.documents import ParsedDocument
from retrieval.sources import MAX_LABEL_CHARACTERS, MAX_LABELS, Source, make_slug

MAX_STEM_CHARACTERS: Final = 60
_OTHER_NAMES: Final = {"win": "windows", "mac": "macos", "os x": "macos", "osx": "macos"}


def name_document(source_id: str, path: str, external_id: str) -> str:
    """Return the id of a document of a file."""
    stem = make_slug(PurePosixPath(path).stem, max_characters=MAX_STEM_CHARACTERS) or "document"
    place = hashlib.sha256(f"{path}#{external_id}".encode()).hexdigest()[:8]
    return f"{source_id}.{stem}-{place}"


def make_document(parsed: ParsedDocument, *, source: Source, path: str) -> CorpusDocument:
    """Return the corpus document of a parsed one."""
    metadata = dict(parsed.metadata)
    if parsed.external_id:
        metadata["external_id"] = parsed.external_id
    if parsed.updated_at is not None:
        metadata["updated_at"] = parsed.updated_at.isoformat()
    return CorpusDocument(
        document_id=name_document(source.source_id, path, parsed.external_id),
        kind="article",
        title=parsed.title,
        body=parsed.text,
        source=source.source_id,
        trust=source.trust.value,
        platforms=_read_platforms(metadata) or source.platforms,
        products=_read_products(metadata) or source.products,
        failure_classes=(),
        related_scripts=(),
        source_id=source.source_id,
        path=path,
        language=parsed.language,
        access_groups=source.access_groups,
        metadata=metadata,
        blocks=parsed.blocks,
    )


def _read_platforms(metadata: Mapping[str, str]) -> tuple[str, ...]:
    words = {word.strip().casefold() for word in metadata.get("platforms", "").split(",")}
    return tuple(sorted({_OTHER_NAMES.get(word, word) for word in words} & PLATFORMS))


def _read_products(metadata: Mapping[str, str]) -> tuple[str, ...]:
    names = (name.strip() for name in metadata.get("products", "").split(","))
    return tuple(name[:MAX_LABEL_CHARACTERS] for name in names if name)[:MAX_LABELS]

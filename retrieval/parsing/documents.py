# SPDX-License-Identifier: Apache-2.0
"""What reading a file yields: documents with their structure, and what was left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from retrieval.parsing.errors import Reason

UNDETERMINED = "und"


class BlockKind(StrEnum):
    """What a stretch of text is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    CODE = "code"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Characters [start_offset, end_offset) of a text.

    `level` is 1 to 6 for a heading, the depth from 1 for a list item, else 0. `page` counts from 1.
    """

    kind: BlockKind
    level: int
    start_offset: int
    end_offset: int
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """One document: readable text as Markdown, its blocks in order, and what is known about it.

    `external_id` is stable within the file: "" where the file is the document. `language` is an
    ISO 639-1 code, or "und". `metadata` joins several values with ", ".
    """

    external_id: str
    title: str
    text: str
    blocks: tuple[Block, ...]
    language: str = UNDETERMINED
    metadata: Mapping[str, str] = field(default_factory=dict)
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was left out of an archive or export: a member, or several for the same reason.

    `member` names it, or the first ones of `n_members`.
    """

    member: str
    reason: Reason
    message: str
    n_members: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """All documents of a file, and the members that were refused."""

    documents: tuple[ParsedDocument, ...]
    refusals: tuple[Refusal, ...] = ()

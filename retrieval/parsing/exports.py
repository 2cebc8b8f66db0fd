# SPDX-License-Identifier: Apache-2.0
"""What the records of an export have in common, and safe ways into their JSON and XML."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from retrieval.parsing.encodings import decode_text
from retrieval.parsing.errors import BrokenDocumentError, Reason

# Control characters that exports are known to hold and XML forbids, raw and as references.
_FORBIDDEN = bytes(set(range(32)) - set(b"\t\n\r"))
_FORBIDDEN_REFERENCE = re.compile(
    rb"&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2\d|3[01]));"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPage:
    """A page of an export: its body is HTML, or Confluence's storage format."""

    external_id: str
    title: str
    body: str
    updated_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutPage:
    """A page of an export that is not taken: how people know it, and why, as a phrase."""

    name: str
    why: str
    reason: Reason = Reason.NOT_IN_FORCE


def load_json(content: bytes) -> Any:
    """Return the value.

    Raises:
        BrokenDocumentError: it is no JSON, or nested too deeply.
        EncodingError: it is no text.
    """
    try:
        return json.loads(decode_text(content))
    except (ValueError, RecursionError) as error:
        raise BrokenDocumentError(f"the JSON is damaged ({error}): export it again") from error


def iterate_xml(content: bytes) -> Iterator[tuple[int, Element]]:
    """Yield each element as it ends, with its depth from 0; entities and DTDs are refused.

    Elements below the root are emptied once the caller has seen them.

    Raises:
        BrokenDocumentError: the XML is damaged or declares entities.
    """
    if b"\0" not in content[:100]:
        content = _FORBIDDEN_REFERENCE.sub(b" ", content.translate(None, _FORBIDDEN))
    depth, root = -1, None
    try:
        for event, element in iterparse(BytesIO(content), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                depth += 1
                root = element if root is None else root
                continue
            yield depth, element
            if depth == 1 and root is not None:
                root.clear()
            depth -= 1
    except DefusedXmlException as error:
        raise BrokenDocumentError(
            "the XML declares a document type or entities, which no export does: export it again"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise BrokenDocumentError(f"the XML is damaged ({error}): export it again") from error


def read_string(value: Any) -> str:
    """Return a field's text; an export may wrap it with a link or a display value."""
    if isinstance(value, Mapping):
        value = value.get("display_value") or value.get("value")
    return str(value) if isinstance(value, str | int | float) else ""

# SPDX-License-Identifier: Apache-2.0
"""What the server and the parser process say to each other: frames of JSON, each with its length.

A request is a frame that describes a file, followed by the file's bytes. A reply is one frame. The
parent trusts neither the length nor the content of a reply.
"""

import struct

import msgspec

from retrieval.parsing.documents import ParsedFile
from retrieval.parsing.errors import Reason

LENGTH = struct.Struct(">Q")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read; `n_bytes` follow."""

    name: str
    n_bytes: int


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: the documents, or a reason; `cpu_seconds` of the process so far."""

    parsed: ParsedFile | None = None
    reason: Reason | None = None
    message: str = ""
    cpu_seconds: float = 0.0
    exhausted: bool = False  # the process has had its fill of memory and should be replaced


def frame(value: Request | Reply) -> bytes:
    """Return a value with its length before it."""
    encoded = msgspec.json.encode(value)
    return LENGTH.pack(len(encoded)) + encoded

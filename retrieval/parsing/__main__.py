# SPDX-License-Identifier: Apache-2.0
"""The parser process: confines itself, then reads files from its input until that ends."""

import resource
import sys
from typing import BinaryIO

import msgspec

from retrieval.parsing.confinement import allow_cpu_seconds, confine
from retrieval.parsing.errors import OversizeError, ParsingError
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.protocol import LENGTH, Reply, Request, frame
from retrieval.parsing.reading import read_file


def main() -> None:
    """Serve requests; the limits are the last argument, as JSON."""
    limits = msgspec.json.decode(sys.argv[-1], type=ParserLimits)
    confine(limits)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(LENGTH.size):
        (length,) = LENGTH.unpack(header)
        request = msgspec.json.decode(source.read(length), type=Request)
        allow_cpu_seconds(limits.cpu_seconds)
        sink.write(_answer(request, source, limits))
        sink.flush()


def _answer(request: Request, source: BinaryIO, limits: ParserLimits) -> bytes:
    try:
        parsed = read_file(source.read(request.n_bytes), name=request.name, limits=limits)
        reply = frame(Reply(parsed=parsed, cpu_seconds=_used_cpu_seconds()))
        if len(reply) > limits.max_reply_bytes:
            raise OversizeError("the file holds too much text for one: split it")
    except ParsingError as error:
        return _refuse(error)
    except MemoryError:
        return _refuse(OversizeError("reading the file takes too much memory: split it"))
    return reply


def _refuse(error: ParsingError) -> bytes:
    return frame(
        Reply(
            reason=error.reason,
            message=str(error),
            cpu_seconds=_used_cpu_seconds(),
            exhausted=isinstance(error, OversizeError),
        )
    )


def _used_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
